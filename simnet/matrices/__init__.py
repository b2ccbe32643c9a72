"""Random matrix families; one file each.  Describe, then sample."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from simnet.checks import choice, shown
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


def describe_family(family: MatrixFamily) -> str | dict[str, Any]:
    """A family as JSON holds it: its name, with its parameters where they are not the defaults.

    Raises
    ------
    ValueError
        If it is none of :data:`FAMILIES`: a file could not say what it is.

    Examples
    --------
    >>> from simnet.matrices import Block, Trig, describe_family, read_family
    >>> describe_family(Trig()), describe_family(Block(density=0.25))
    ('trig', {'family': 'block', 'block_size': 16, 'density': 0.25})
    >>> read_family(describe_family(Block(density=0.25))) == Block(density=0.25)
    True
    """
    if FAMILIES.get(family.name) is not type(family):
        raise ValueError(f"matrices = {shown(family)}: a file can only name {', '.join(FAMILIES)}")
    return family.name if family == type(family)() else {"family": family.name, **asdict(family)}


def read_family(described: Any) -> MatrixFamily:
    """The family that :func:`describe_family` described; a ``ValueError`` if it is none."""
    if not isinstance(described, dict):
        return as_family(described)
    options = dict(described)
    family = FAMILIES[choice("matrices: family", options.pop("family", None), FAMILIES)]
    for option in options:
        choice(f"matrices: parameter of {family.name!r}", option, [field.name for field in fields(family)])
    return family(**options)


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
    "describe_family",
    "read_family",
]
