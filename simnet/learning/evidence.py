"""Evidence that the objects of one module reach the sketch through some slots and not through others.

Over many runs the sketches of one wiring fill a space of as many dimensions as there are attributes that vary.  With unit
weight, a module in a slot whose way to ``root`` is known brings the columns ``V_k``; the object brings ``Σ_k w_k V_k``, and
that lies in the space of the sketches, while the columns of any other module, or with other weights, do not.  What sticks
out of the space is ``R(w) = Σ_k w_k X_k``, with ``X_k`` the part of ``V_k`` in the silent directions, in which the sketches
hold nothing but noise.

The space is known up to that noise.  To first order the entries of ``R(w)`` are normal and independent from row to row,
with covariance ``σ² M(w)`` between columns, ``M(w) = Σ_kl w_k w_l V_kᵀ C⁺ V_l`` and ``C`` the scatter matrix of the sketches
without noise: what is faint in the sketches is known badly.  Hence

* the weights, by total least squares: they minimise ``T(w) = tr(R(w) M(w)⁻¹ R(w)ᵀ) / σ²``;
* a fit, ``T ~ χ²`` with ``rows · columns − slots + 1`` degrees of freedom;
* the significance of a slot, by how much ``T`` grows when it is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy
import scipy.linalg
from numpy.typing import NDArray

from simnet.learning.ranks import coordinates
from simnet.randomness import stream

Array = NDArray[Any]

#: More silent directions than these are not looked at: they are many times what a fit needs.
SILENT = 192
#: Rounding, in units in the last place of the root mean square coordinate: what a sketch without noise still has.
UNITS = 4.0
#: Alternating between the weights and the covariance that depends on them.
ROUNDS = 4


@dataclass(frozen=True, eq=False)
class SketchSpace:
    """The space that sketches fill, and a basis of directions in which they are silent.

    Attributes
    ----------
    silent : (d', q) array
        Orthonormal; at most ``SILENT`` of all.
    loud : (d', r) array
        Orthonormal, strongest first.
    scatter : (r,) array
        Eigenvalues of the scatter matrix in ``loud``, that of the noise taken off.
    noise : float
        Of each coordinate: given, estimated, or the rounding.
    exact : bool
        Whether the noise is rounding alone.
    left : int
        The number of all silent directions.
    clear : bool
        Whether the weakest direction stands well above the noise.
    """

    silent: Array
    loud: Array
    scatter: Array
    noise: float
    exact: bool
    left: int
    clear: bool

    @property
    def basis(self) -> Array:
        """Silent directions, then loud ones, one in a row."""
        return np.concatenate([self.silent, self.loud], axis=1).T

    @property
    def size(self) -> int:
        """Coordinates of a sketch."""
        return len(self.loud)


def sketch_space(values: Array, *, noise: float | None, failure_probability: float) -> SketchSpace:
    """The space of the sketches ``(n, d')`` around their mean."""
    freedom = len(values) - 1
    centred = values - values.mean(axis=0)
    found = coordinates(centred, freedom, noise=noise, failure_probability=failure_probability)
    lengths = np.linalg.norm(found.functionals, axis=0)
    loud = found.functionals / np.where(lengths > 0.0, lengths, 1.0)
    rounding = UNITS * float(np.finfo(values.dtype).eps) * float(np.sqrt(np.mean(values**2)))
    level = math.hypot(found.noise, rounding)
    energies = np.sum((centred @ loud) ** 2, axis=0)
    above = energies > centred.size * rounding**2  # copies of one sketch differ from their mean, all in the same way
    loud, energies, rank = loud[:, above], energies[above], int(above.sum())
    whole = scipy.linalg.qr(loud)[0] if rank else np.eye(values.shape[1])
    rest = whole[:, rank:]
    left = rest.shape[1]
    if left > SILENT:
        mixed = np.linalg.qr(stream(0, "silent").standard_normal((left, SILENT)))[0]
        rest = rest @ mixed
    return SketchSpace(
        rest, loud, np.maximum(energies - freedom * level**2, 1e-3 * energies), level, found.noise == 0.0, left, found.clear
    )


@dataclass(frozen=True, eq=False)
class Fit:
    """The weights of some slots, by which a module's columns come to lie in the space of the sketches.

    Attributes
    ----------
    weights : (slots,) array
        Up to one factor for all: their scale is that of the attributes, which the space does not show.
    misfit : float
        ``T`` over its degrees of freedom: 1 on the average where the slots are the right ones.
    freedom : int
    outside : float
        The share of the columns' energy outside the space of the sketches, over that of a module that is not there.
    chance : float
        Below what a module that is not there keeps ``outside`` from going, whatever the weights.
    """

    weights: Array
    misfit: float
    freedom: int
    outside: float
    chance: float
    roots: tuple[Array, Array]

    def good(self, failure_probability: float) -> bool:
        """Whether what sticks out is no more than the noise; a tenth more is left to what is beyond the first order."""
        return self.misfit < 1.1 * float(scipy.special.chdtri(self.freedom, failure_probability)) / self.freedom

    @property
    def there(self) -> bool:
        """Whether the module is there at all."""
        return self.outside < self.chance

    @cached_property
    def significance(self) -> Array:
        """Of each slot, in standard errors: the growth of ``T`` without it; in units of the misfit where that is above 1."""
        slots = len(self.weights)
        if slots > 1:
            others = np.array([np.delete(np.arange(slots), k) for k in range(slots)])
            top, bottom = (np.asarray(np.linalg.qr(np.moveaxis(root[:, others], 0, 1), mode="r")) for root in self.roots)
            left = _pencil(top, bottom)[0][:, 0] / _pencil(*self.roots)[0][0]
        else:  # without its only slot the module would be anywhere, with as much outside as by chance
            left = np.array([1.0 / max(self.outside, 1e-300)])
        growth = (left - 1.0) * self.misfit * self.freedom
        return np.asarray(np.sqrt(np.maximum(growth, 0.0) / max(self.misfit, 1.0)))


def fit(space: SketchSpace, blocks: Array, failure_probability: float) -> Fit | None:
    """The best weights for blocks of columns ``(slots, q + r, columns)``, in the basis of the space.

    ``None`` where there are too few directions, silent or loud, to tell a module from one that is not there.
    """
    slots, _, columns = blocks.shape
    rows = space.silent.shape[1]
    freedom = rows * columns - slots + 1
    # of a module that is not there the best of all weights keeps outside the smallest eigenvalue of a Wishart matrix
    z = -float(scipy.special.ndtri(failure_probability))
    chance = 0.5 * max(1.0 - (math.sqrt(slots) + z) / math.sqrt(max(rows * columns, 1)), 0.0) ** 2
    if freedom < 1 or chance == 0.0 or space.loud.shape[1] < columns:
        return None
    split = np.moveaxis(blocks, 0, 2)
    outer, inner = split[:rows], split[rows:]
    whole = np.concatenate([math.sqrt(space.left / rows) * outer, inner])
    ratios, directions = _pencil(_triangle(whole[:rows]), _triangle(whole))
    outside = float(ratios[0]) * space.size / space.left
    weights = directions[:, 0]
    outer, scaled = _shortened(outer), _shortened(inner / np.sqrt(space.scatter)[:, None, None])
    for _ in range(ROUNDS):
        metric = _triangle(scaled @ weights)
        roots = _triangle(_whitened(outer, metric)), _triangle(_whitened(scaled, metric))
        ratios, directions = _pencil(*roots)
        weights = math.sqrt(columns) * directions[:, 0]
    if weights.sum() < 0.0:
        weights = -weights
    misfit = float(ratios[0]) * columns / space.noise**2 / freedom
    return Fit(weights, misfit, freedom, outside, chance, roots)


def _triangle(tall: Array) -> Array:
    """``K × K``, with the inner products of the columns of the last axis."""
    flat = tall.reshape(-1, tall.shape[-1])
    missing = flat.shape[1] - len(flat)
    if missing > 0:
        flat = np.concatenate([flat, np.zeros((missing, flat.shape[1]))])
    return np.asarray(np.linalg.qr(flat, mode="r"))


def _shortened(tall: Array) -> Array:
    """No more rows than there are columns in all, with the same inner products."""
    flat = tall.reshape(len(tall), -1)
    return tall if len(flat) <= flat.shape[1] else _triangle(flat).reshape(-1, *tall.shape[1:])


def _pencil(top: Array, bottom: Array) -> tuple[Array, Array]:
    """``‖top w‖² / ‖bottom w‖²`` where it is stationary, smallest first, and those ``w``, with ``‖bottom w‖ = 1``.

    By singular values, so that a ratio of ``1e-30`` is still one.  Triangles, or stacks of them.
    """
    inverse = np.linalg.inv(bottom)  # by substitution: in a triangle there is nothing to eliminate
    _, singular, right = np.linalg.svd(top @ inverse)
    return singular[..., ::-1] ** 2, (inverse @ np.swapaxes(right, -1, -2))[..., ::-1]


def _whitened(blocks: Array, metric: Array) -> Array:
    """Columns made independent: ``X M^{-1/2}`` slot by slot, with ``M = metricᵀ metric``."""
    rows, columns, slots = blocks.shape
    solved = np.linalg.solve(metric.T, np.moveaxis(blocks, 1, 0).reshape(columns, -1))
    return np.moveaxis(solved.reshape(columns, rows, slots), 0, 1)
