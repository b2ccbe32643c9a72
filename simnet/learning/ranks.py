"""Ranks of sketches over patterns of activity.

A sketch is ``s = Σ_M (R_M x_M + r_M o_M)``: attributes, and marks of presence with ``o_M = 1`` where any input below the
module is active.  With the inputs ``S`` silent all modules with ``supp(M) ⊆ S`` are gone, and the sketches of those runs
have, once the marks are taken off, as rank the attributes that still vary: ``r(S) = Σ_M a_M [supp(M) ⊄ S]``.

Marks are functions of the pattern of active inputs alone.  Where they are known they are projected out; where they are not,
the mean sketch of each pattern is, which costs one degree of freedom for each pattern.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simnet.theory.wiring import noise_edge

Array = NDArray[Any]

#: Singular values below this share of the largest are rounding.
ROUNDING = 1e-10
#: What is together below this share of rounding is not looked at.
LEFT_OUT = 1e-3
#: Without noise a direction with less than this share of its energy in the runs at hand is absent there ...
ABSENT = 1e-12
#: ... and one with less than this share is too close to call.
PRESENT = 1e-7
#: Directions beyond the rank that a sketch must have to spare, for its rank to be that of the attributes.
BULK = 4
#: How far above the edge of the noise the weakest direction must stand for the rank to be that of the attributes.
CLEAR = 2.0
#: Directions that were themselves found in noisy runs let some of the others through: the edge is that much higher.
ESTIMATED = 3.0
#: A rank is stated where the runs leave this many times it, and this many more, degrees of freedom.
MARGIN, SPARE = 1.3, 8


def estimated_noise(singular: Array, rows: int, columns: int, failure_probability: float) -> tuple[int, float]:
    """How many singular values stand out of the noise, and the noise, from the values alone.

    The fewest such that the others could all be noise of the level that they show: the largest of them stays below its edge.

    Source: S. Kritchman and B. Nadler, *Non-parametric detection of the number of signals*, IEEE Trans. Signal Process. 57
    (2009) 3930-3941.
    """
    few = min(rows, columns)
    left = np.cumsum(singular[:few][::-1] ** 2)[::-1]
    for count in range(few):
        level = math.sqrt(float(left[count]) / ((rows - count) * (columns - count)))
        if singular[count] <= level * noise_edge(rows - count, columns - count, failure_probability):
            return count, level
    return few, 0.0


@dataclass(frozen=True)
class Rank:
    """A rank over some of the runs, and how clear it is.

    Attributes
    ----------
    rank : int
    margin : float
        The smallest singular value that counted over the largest that did not; infinite with nothing to part.
    clear : bool
        Whether the runs were enough and no direction was too close to call.
    absent : (r, k − rank) array
        An orthonormal basis of the directions that were silent.
    """

    rank: int
    margin: float
    clear: bool
    absent: Array


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Sketches in coordinates of their common column space.

    Attributes
    ----------
    values : (n, r) array
        Without noise scaled to unit energy over all runs; with noise as they are, so that the noise stays white.
    functionals : (d, r) array
        ``sketches @ functionals``, up to what was taken off before.
    noise : float
        Standard deviation of the noise in each coordinate of a sketch; 0 where only rounding was found.
    spare : int
        Directions left for the noise alone.
    clear : bool
        Whether the weakest direction stands well above the noise, so that none is likely to be hidden in it.
    """

    values: Array
    functionals: Array
    noise: float
    spare: int
    clear: bool


def coordinates(data: Array, freedom: int, *, noise: float | None, failure_probability: float) -> Coordinates:
    """The column space of ``(n, d)`` data with so many degrees of freedom in its rows, by a singular value decomposition."""
    few, edge = max(min(freedom, data.shape[1]), 0), 0.0
    singular, right = _singular(data)
    rounding = ROUNDING * float(singular[0]) if few else math.inf
    if few == 0 or singular[0] == 0.0:
        rank, level = 0, noise or 0.0
    elif noise == 0.0 or (noise is None and singular[few - 1] <= rounding):
        rank, level = int(np.sum(singular[:few] > rounding)), 0.0
    else:
        edge = noise_edge(freedom, data.shape[1], failure_probability)
        if noise is None:
            rank, level = estimated_noise(singular, freedom, data.shape[1], failure_probability)
        else:
            rank, level = int(np.sum(singular[:few] > noise * edge)), noise
    functionals = right[:rank].T if level else right[:rank].T / singular[:rank]
    clear = not level or (rank > 0 and bool(singular[rank - 1] > CLEAR * level * edge))
    return Coordinates(data @ functionals, functionals, level, few - rank, clear)


def _singular(data: Array) -> tuple[Array, Array]:
    """Singular values, and the right vectors of all that are more than rounding: two QR decompositions and a small SVD.

    Columns in the order of what is left of them bring the rank to the top of the triangle.  What is below, far less than
    rounding together, is left out: without noise that is most of it.  The SVD is by QR iteration: divide and conquer was
    seen to give vectors that are orthogonal to 1e-7 only, where many values are 0.
    """
    triangle, order = scipy.linalg.qr(np.linalg.qr(data, mode="r"), mode="r", pivoting=True)
    below = np.sqrt(np.cumsum(np.sum(triangle**2, axis=1)[::-1])[::-1])  # of each row and all under it
    kept = max(1, int(np.sum(below > LEFT_OUT * ROUNDING * below[0])))
    top = np.empty((kept, triangle.shape[1]))
    top[:, order] = triangle[:kept]
    _, singular, right = scipy.linalg.svd(top, full_matrices=False, lapack_driver="gesvd")
    return np.append(singular, np.zeros(len(triangle) - kept)), right


def rank(values: Array, freedom: int, noise: float, failure_probability: float, directions: Array | None = None) -> Rank:
    """The rank of coordinates ``(n, r)`` with so many degrees of freedom in their rows, in directions ``(r, k)`` or all."""
    basis = np.eye(values.shape[1]) if directions is None else directions
    rotated = values if directions is None else values @ directions
    width = basis.shape[1]
    if not width:
        return Rank(0, math.inf, True, basis)
    energies, vectors = scipy.linalg.eigh(rotated.T @ rotated)
    if noise:
        low = (noise * noise_edge(freedom, width, failure_probability) * (1.0 if directions is None else ESTIMATED)) ** 2
        high = CLEAR**2 * low
    else:
        low, high = ABSENT, PRESENT
    counted = int(np.sum(energies > low))
    silent = width - counted
    doubtful = bool(np.any((energies > low) & (energies < high)))
    floor = max(float(energies[silent - 1]), 1e-16) if silent else low
    margin = math.sqrt(float(energies[silent]) / floor) if counted else math.inf
    enough = freedom >= MARGIN * counted + SPARE
    return Rank(counted, margin, enough and not doubtful, basis @ vectors[:, :silent])


def silent(active: Array, inputs: Iterable[int]) -> Array:
    """The runs in which none of those inputs is active."""
    return np.asarray(~active[:, list(inputs)].any(axis=1))


@dataclass(frozen=True, eq=False)
class ActivityRanks:
    """``r(S)`` for any set of silent inputs.

    Attributes
    ----------
    active : (n, inputs) bool array
    space : Coordinates
        Of the sketches where the marks are known, of what differs from the mean of each pattern where they are not.
    marks : (n, supports) array, optional
        What is projected out.
    patterns : (n,) int array
        The pattern of each run.
    failure_probability : float
        Of a direction of noise in a rank, each time.
    """

    active: Array
    space: Coordinates
    marks: Array | None
    patterns: Array
    failure_probability: float

    def freedom(self, runs: Array) -> int:
        """Degrees of freedom of those runs without the means of patterns, or without the marks."""
        taken = len(np.unique(self.patterns[runs])) if self.marks is None else self._basis(runs).shape[1]
        return int(runs.sum()) - taken

    def _basis(self, runs: Array) -> Array:
        assert self.marks is not None
        distinct = np.unique(self.marks[runs], axis=1)
        left, singular, _ = np.linalg.svd(distinct, full_matrices=False)
        return left[:, singular > 1e-9 * max(singular.max(initial=0.0), 1.0)]

    def residual(self, runs: Array) -> Array:
        """The coordinates of those runs, without what marks bring."""
        values = self.space.values[runs]
        if self.marks is None or not len(values):
            return values
        basis = self._basis(runs)
        return values - basis @ (basis.T @ values)

    def over(self, runs: Array, directions: Array | None = None) -> Rank:
        """The rank over those runs, in some directions or all."""
        freedom = self.freedom(runs)
        return rank(self.residual(runs), freedom, self.space.noise, self.failure_probability, directions)
