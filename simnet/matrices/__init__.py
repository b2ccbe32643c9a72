"""Random matrix families; one file each.  Describe, then sample."""

from __future__ import annotations

from simnet.checks import choice
from simnet.matrices.bank import MatrixBank
from simnet.matrices.base import MatrixFamily, RandomMatrix
from simnet.matrices.block import Block
from simnet.matrices.gaussian import Gaussian
from simnet.matrices.haar import Haar
from simnet.matrices.packet import Packet
from simnet.matrices.rademacher import Rademacher
from simnet.matrices.trig import Trig

FAMILIES: dict[str, type[MatrixFamily]] = {
    family.name: family for family in (Gaussian, Rademacher, Haar, Trig, Block, Packet)
}


def as_family(matrices: str | MatrixFamily) -> MatrixFamily:
    """The family of that name with its default parameters, or the family itself."""
    if isinstance(matrices, MatrixFamily):
        return matrices
    return FAMILIES[choice("matrices", matrices, FAMILIES)]()


__all__ = [
    "FAMILIES",
    "Block",
    "Gaussian",
    "Haar",
    "MatrixBank",
    "MatrixFamily",
    "Packet",
    "Rademacher",
    "RandomMatrix",
    "Trig",
    "as_family",
]
