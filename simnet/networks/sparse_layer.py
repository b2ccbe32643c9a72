"""The ``sparse_layer`` family: one layer of modules whose attributes are mostly zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from simnet.checks import integer, real
from simnet.networks.functions import Array, ModuleFunction
from simnet.networks.network import ModularNetwork, Module, Slot
from simnet.networks.running import OneObjectEach
from simnet.randomness import stream


@dataclass(frozen=True, eq=False)
class SparseFunction(ModuleFunction):
    """``a`` attributes, each non-zero with probability ``π``, independently; then uniform in ``[0.2, 1]`` times its size.

    Of the ``3a`` normal variables that the outside gives, ``a`` decide what is there, ``a`` how much and ``a`` with which
    sign, if signs there are.

    Parameters
    ----------
    sizes : (a,) array
        Positive, at most ``1/√a``, so that no attribute vector is longer than 1.
    sparsity : float
        ``π``.
    signed : bool
    """

    sizes: Array
    sparsity: float
    signed: bool

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (3 * len(self.sizes),)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        (hidden,) = inputs
        if hidden is None:
            raise ValueError("inputs[0] = None: a module of a sparse layer needs its hidden variables")
        there, size, side = np.split(np.asarray(hidden), 3, axis=1)
        values = (0.2 + 0.8 * scipy.special.ndtr(size)) * self.sizes
        if self.signed:
            values = np.copysign(values, side)
        return np.where(there < scipy.special.ndtri(self.sparsity), values, 0.0)


def sparse_layer(
    modules: int = 4, attribute_dim: int = 8, sparsity: float = 0.1, signed: bool = False, seed: int = 0
) -> ModularNetwork:
    """One layer of modules, all of them outputs of equal weight, with sparse attributes: ``s = Σ_M R_M x_M / N``.

    Every attribute is non-zero with probability ``π``, independently of all others.  It is what a one-layer sketch of
    unknown matrices is learnt from (:mod:`simnet.learning`).

    Parameters
    ----------
    modules : int
        ``N``; they are named 0, 1, ….
    attribute_dim : int
    sparsity : float
        ``π``, in ``(0, 1]``.
    signed : bool
        Attributes of both signs; otherwise they are not negative.
    seed : int
        Of the sizes of the attributes: uniform between ``0.6/√a`` and ``1/√a``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, simnet
    >>> runs = simnet.networks.sparse_layer(modules=3, attribute_dim=4, sparsity=0.25).run(1000, seed=1)
    >>> (group,) = runs.groups
    >>> share = np.mean(np.concatenate(group.attributes, axis=1) > 0)
    >>> bool(abs(share - 0.25) < 0.02)
    True
    """
    modules = integer("modules", modules, minimum=1)
    attribute_dim = integer("attribute_dim", attribute_dim, minimum=1)
    integer("seed", seed, maximum=None)
    if real("sparsity", sparsity, minimum=0.0, maximum=1.0) == 0.0:
        raise ValueError("sparsity = 0.0: must be positive, nothing would ever be there")
    if not isinstance(signed, bool):
        raise ValueError(f"signed = {signed!r}: must be True or False")
    layer = []
    for name in range(modules):
        sizes = stream(seed, "sizes", name).uniform(0.6, 1.0, attribute_dim) / math.sqrt(attribute_dim)
        layer.append(Module(name, attribute_dim, (), SparseFunction(sizes, float(sparsity), signed)))
    outputs = tuple(Slot((name,), 1.0 / modules) for name in range(modules))
    return ModularNetwork(tuple(layer), outputs, OneObjectEach())
