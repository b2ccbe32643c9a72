"""Units: the attributes of a module, one by one, as sparse non-negative functionals of the sketches.

The coordinates that belong to a support ``T`` hold the attributes of its modules up to an unknown matrix, and what is linear
in the modules inside ``T`` and in the marks::

    y = A x_T + E x_below + K o

A rectified attribute is exactly zero in a good share of the runs.  So some ``g = α·y + β·x_below + κ·o`` vanishes on many
runs, far more than it has coefficients, and is positive on all others; hardly anything else does.  It is found as the
planes of a clustering are, by turns: of the runs in which ``g`` is lowest make the zero set; of all functionals take the one
that is smallest on it, relative to what ``y`` holds beyond ``x_below`` and ``o`` over all runs (a generalised eigenvector).
Starts are random half-spaces of the attributes below.

Coordinates carry white noise of standard deviation ``σ``; a functional ``f`` of them carries ``σ|f|``, and that is what a
zero must look like.

Source: Q. Qu, J. Sun, J. Wright, *Finding a sparse vector in a subspace: linear sparsity using alternating directions*,
IEEE Trans. Inf. Theory 62 (2016) 5855-5880, for the problem; P. Bradley, O. Mangasarian, *k-plane clustering*, J. Glob.
Optim. 16 (2000) 23-32, for the turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import lapack

Array = NDArray[Any]

#: Shares of the runs that are taken for zeros, one after the other from each start: few lie deep in the true half-space even
#: when the guess is poor.  There are this many for each coefficient at least.
SHARES, GROWS, EACH = (0.025, 0.05, 0.1, 0.2), 0.05, 1.6
#: After so many starts in vain other runs are taken.
FRESH = 50
#: A direction is open that has less than this share of its energy in the zero set.
OPEN = 1e-2
#: Turns from a start; runs that are used, at least and for each coefficient.
TURNS, RUNS, RUNS_EACH = 40, 800, 80
#: A zero is within so many standard deviations of the noise; a unit has this share of zeros, beyond those that there
#: would be by chance, and at most this share of values below them.
ZERO, ZEROS, BELOW = 2.5, 0.07, 0.004
#: Without noise: rounding, relative to the unit.
ROUNDING = 1e-7
#: Facets: runs in a linear program, tries for each axis, and the least share of the runs on a facet.
PROGRAM, TRIES, ON_FACET = 1500, 25, 0.03
#: Functionals are noise alone that carry as much of it for their energy as the one that carries most, or this share of it.
ALIKE = 0.5
#: Two units are one above this cosine of what they hold beyond what is linear.
SAME = 0.98


@dataclass(frozen=True, eq=False)
class Readings:
    """Runs of the coordinates and the marks; everything recovered is a functional of them.

    Attributes
    ----------
    values : (m, r + p) array
        Coordinates of the sketches, then the mark of each support.
    noisy : int
        ``r``.
    noise : float
        Standard deviation of the noise in each coordinate.
    """

    values: Array
    noisy: int
    noise: float

    def at(self, rows: Array) -> Readings:
        """Some of the runs."""
        return Readings(self.values[rows], self.noisy, self.noise)

    def level(self, functionals: Array, scale: Array) -> Array:
        """The standard deviation of what is no signal in functionals ``(r + p, k)`` of that scale."""
        return np.asarray(np.hypot(self.noise * np.linalg.norm(functionals[: self.noisy], axis=0), ROUNDING * scale))

    def smallest(self, columns: Array, target: Array) -> Array:
        """The combination of functionals that is nearest to another one over these runs, by least squares.

        What noise adds to energies is taken off: else noisy columns would count for less than they are.
        """
        left, right = self.values @ columns, self.values @ target
        if not self.noise:
            scales = _scales(left)
            return np.asarray((np.linalg.lstsq(left / scales, right, rcond=1e-9)[0].T / scales).T)
        a, b = columns[: self.noisy], target[: self.noisy]
        added = len(left) * self.noise**2
        gram, product = left.T @ left, left.T @ right - added * (a.T @ b)
        scales = _scales(left)
        sizes, vectors = np.linalg.eigh((gram - added * (a.T @ a)) / np.outer(scales, scales))
        kept = sizes > 1e-6
        return np.asarray(((vectors[:, kept] / sizes[kept]) @ (vectors[:, kept].T @ (product.T / scales).T)).T / scales).T


def _scales(columns: Array) -> Array:
    """Norms of columns, 1 for those in which there is nothing."""
    norms = np.linalg.norm(columns, axis=0)
    return np.asarray(np.where(norms > 1e-12 * norms.max(initial=0.0), norms, 1.0))


def _least_squares(square: Array, target: Array) -> Array:
    """The shortest solution of a small system, which may have several."""
    size = len(square)
    if not size:
        return target
    workspace = 35 * size + 32  # as LAPACK answers when it is asked
    found: Array = lapack.dgelsy(square, target[:, None], np.zeros(size, np.int32), 1e-10, workspace)[1]
    return found[:, 0]


def is_unit(readings: Readings, unit: Array) -> bool:
    """Zeros where chance would put few values, and nothing below them."""
    values = readings.values @ unit
    z = values / max(float(readings.level(unit, values.std())), 1e-300)
    near, next_to_it = np.mean(np.abs(z) < ZERO), np.mean((z > 2.0 * ZERO) & (z < 4.0 * ZERO))
    return bool(near - next_to_it > ZEROS and np.mean(z < -2.0 * ZERO) <= (BELOW if readings.noise else 0.0))


def find_units(
    readings: Readings,
    own: Array,
    other: Array,
    guides: list[Array],
    draw: np.random.Generator,
    starts: int,
    allowed: Callable[[Array], bool] | None = None,
    most: int | None = None,
) -> Array:
    """Functionals ``(r + p, found)`` that read one unit each.

    Parameters
    ----------
    readings : Readings
    own : (r + p, D) array
        What the units are made of.
    other : (r + p, q) array
        What may be added.
    guides : list of (r + p, a) arrays
        Functionals of modules below, from which starts are drawn.
    draw : numpy.random.Generator
    starts : int
        That may bring nothing, in a row.
    allowed : callable, optional
        Whether a functional is a unit indeed.  What passes is taken for known from then on.
    most : int, optional
        As many are looked for; ``D`` if not given.
    """
    most = own.shape[1] if most is None else most
    found = np.zeros((len(own), 0))
    size = max(RUNS, RUNS_EACH * (own.shape[1] + other.shape[1]))
    deflated = allowed is not None or most >= own.shape[1]
    idle, stale = 0, True
    while found.shape[1] < most and idle < starts:
        if stale or idle % FRESH == 0:
            few = readings.at(draw.permutation(len(readings.values))[:size])
            search, stale = _Search(few, own, other, found if deflated else found[:, :0], guides, draw), False
        idle += 1
        for candidate in search.climb():
            if not is_unit(few, candidate) or (not deflated and not search.differs(found, candidate)):
                continue
            fixed = np.hstack([other, found]) if deflated else other
            if readings.noise:
                candidate = _noisy_refined(readings, candidate, without(own, other, fixed[:, other.shape[1] :]), fixed)
            else:
                candidate = _refined(readings, candidate, fixed)
            if is_unit(readings, candidate) and (allowed is None or allowed(candidate)):
                found, idle, stale = np.column_stack([found, candidate]), 0, deflated
                break
    return found


def facets(readings: Readings, own: Array, marks: Array, draw: np.random.Generator) -> Array:
    """Functionals ``(r + p, found)`` that are never negative and zero in many runs, without noise.

    Non-negative attributes lie in a cone of which many runs are on a facet: a linear program that minimises the mean of a
    non-negative functional ends on one.
    """
    values = readings.values @ own
    _, singular, right = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    to_own = own @ (right.T / singular) * np.sqrt(len(values))
    every = np.hstack([to_own, marks])
    whole = readings.values @ every
    rows = whole[draw.permutation(len(whole))[:PROGRAM]]
    size, found = own.shape[1], np.zeros((len(own), 0))
    normals = np.zeros((size, 0))
    for _ in range(TRIES * size):
        scale = np.zeros((1, every.shape[1]))
        scale[0, :size] = draw.standard_normal(size)
        bounds: Any = (None, None)
        program: Any = scipy.optimize.linprog(
            rows.mean(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), A_eq=scale, b_eq=[1.0], bounds=bounds, method="highs"
        )
        if program.status != 0:
            continue
        values = whole @ program.x
        values, normal = values / values.max(), program.x[:size] / np.linalg.norm(program.x[:size])
        fresh = np.linalg.svd(np.column_stack([normals, normal]), compute_uv=False)[-1] > 1e-6
        zeros = values < ROUNDING
        if fresh and values.min() > -ROUNDING and _different(whole[zeros], size) > ON_FACET * len(values):
            found, normals = np.column_stack([found, every @ program.x]), np.column_stack([normals, normal])
            if found.shape[1] == size:
                break
    return found


def _different(rows: Array, size: int) -> int:
    """How many different attributes there are in those rows; where all are zero, there are no more than there are marks."""
    readings, marks = (len(np.unique(np.round(part, 7), axis=0)) for part in (rows, rows[:, size:]))
    return readings - marks


def without(own: Array, other: Array, found: Array) -> Array:
    """The directions of ``own`` that no unit found takes up."""
    if not found.shape[1]:
        return own
    taken = np.linalg.lstsq(np.hstack([own, other]), found, rcond=1e-12)[0][: own.shape[1]]
    return np.asarray(own @ scipy.linalg.null_space(taken.T))


def _refined(readings: Readings, unit: Array, other: Array) -> Array:
    """The functional that all its zeros give."""
    for _ in range(3):
        values = readings.values @ unit
        zeros = np.abs(values) < ZERO * float(readings.level(unit, values.std()))
        if zeros.sum() <= 2 * other.shape[1]:
            break
        unit = unit - other @ readings.at(zeros).smallest(other, unit)
    return unit


def _noisy_refined(readings: Readings, unit: Array, own: Array, other: Array) -> Array:
    """The functional that is nothing but noise where this one is zero."""
    for _ in range(4):
        values = readings.values @ unit
        zeros = np.abs(values) < ZERO * float(readings.level(unit, values.std()))
        if zeros.sum() <= 2 * (own.shape[1] + other.shape[1]):
            break
        unit = vanishing(readings.at(zeros), np.hstack([own, other]), unit)
    return unit


def vanishing(readings: Readings, columns: Array, unit: Array) -> Array:
    """The combination ``f`` of functionals that has least energy over those runs for the noise that it carries, ``σ²|f|²``.

    Total least squares, the best that noise allows; of several such combinations that which is nearest to ``unit``.
    """
    values = readings.values @ columns
    scales = _scales(values)
    columns, triangle = columns / scales, np.linalg.qr(values / scales, mode="r")
    _, sizes, right = np.linalg.svd(triangle)
    kept = sizes > 1e-10 * sizes[0]  # marks that are one in those runs
    root = right[kept].T / sizes[kept]
    noise = columns[: readings.noisy] @ root
    _, shares, right = np.linalg.svd(noise, full_matrices=False)
    # other units that happen to be zero in all of those runs vanish, too
    silent = columns @ (root @ right[shares > ALIKE * shares[0]].T)
    scales = _scales(silent)
    return np.asarray(silent / scales @ np.linalg.lstsq(silent / scales, unit, rcond=1e-9)[0])


class _Search:
    """Turns in coordinates that are well scaled; what is known, units found before among it, as an orthonormal basis."""

    def __init__(
        self, readings: Readings, own: Array, other: Array, found: Array, guides: list[Array], draw: np.random.Generator
    ) -> None:
        self.draw, self.readings = draw, readings
        self.guides = [readings.values @ guide for guide in guides]
        known = np.hstack([other, found])
        own = without(own, other, found)
        self.to_own = own / _scales(readings.values @ own)
        known = known / _scales(readings.values @ known)
        left, singular, right = np.linalg.svd(readings.values @ known, full_matrices=False)
        kept = singular > 1e-9 * singular.max(initial=0.0)
        self.to_known = known @ (right[kept].T / singular[kept])
        self.known, own = left[:, kept], readings.values @ self.to_own
        curved = own - self.known @ (self.known.T @ own)
        # smallest relative to what is curved is the last singular vector, where what is curved is orthonormal; the floor is
        # for units that are linear in what is known: all but nothing of them is curved
        _, singular, right = np.linalg.svd(curved, full_matrices=False)
        whitening = right.T / np.hypot(singular, 1e-6 * np.linalg.norm(singular))
        self.to_own, self.own, self.curved = (x @ whitening for x in (self.to_own, own, curved))
        self.columns = np.vstack([self.known.T, self.own.T])
        self.upper = np.triu(np.ones((len(self.columns), len(self.columns))))

    def start(self) -> Array:
        """Runs in some order: by a random half-space of a few of the guides, or by a random functional."""
        if not self.guides:
            g = self.curved @ self.draw.standard_normal(self.curved.shape[1])
            return np.asarray(g + self.known @ self.draw.standard_normal(self.known.shape[1]) * self.draw.random())
        total = np.zeros(len(self.own))
        for k in self.draw.permutation(len(self.guides))[: self.draw.integers(1, 5)]:
            block = self.guides[k]
            there = np.abs(block).max(axis=1) > 1e-9
            drive = block @ (
                self.draw.standard_normal(block.shape[1]) / max(float(np.linalg.norm(block.std(axis=0))), 1e-300)
            )
            total += np.where(there, drive - np.quantile(drive[there], 0.35), 0.0) if there.any() else 0.0
        return total

    def climb(self) -> Iterator[Array]:
        """Candidates from one random start; the zero set grows as long as zeros they are."""
        g, sparse = self.start(), False
        for share in SHARES:
            count = int(max(share * len(g), EACH * (self.own.shape[1] + self.known.shape[1])))
            g, own, known = self.turns(g, count)
            yield self.to_own @ own + self.to_known @ known
            g, known = self.completed(g, known, count)
            one = self.to_own @ own + self.to_known @ known
            # relu(z) and relu(−z) differ by what is linear: where the one is not zero, the other is
            rows = g > 1e-6 * g.max()
            two = self.to_own @ own - self.to_known @ np.linalg.lstsq(self.known[rows], self.own[rows] @ own, rcond=1e-9)[0]
            yield one
            yield two
            sparse = sparse or is_unit(self.readings, one)
            if share >= GROWS and not sparse:
                break

    def turns(self, g: Array, count: int) -> tuple[Array, Array, Array]:
        """Zero set and functional by turns, to where nothing moves."""
        rank, last, both = self.known.shape[1], b"", np.zeros(len(self.columns))
        for _ in range(TURNS):
            zeros = np.sort(np.argpartition(g, count)[:count])
            if zeros.tobytes() == last:
                break
            last = zeros.tobytes()
            # a turn is a few dozen microseconds of LAPACK, to which general wrappers would add twice as many
            triangle = lapack.dgeqrf(self.columns.take(zeros, axis=1).T, overwrite_a=1)[0][: len(both)] * self.upper
            own = np.linalg.svd(triangle[rank:, rank:])[2][-1]
            both[:rank], both[rank:] = -_least_squares(triangle[:rank, :rank], triangle[:rank, rank:] @ own), own
            g = both @ self.columns
            if g.sum() < 0.0:
                g, both = -g, -both
        return g, both[rank:], both[:rank]

    def completed(self, g: Array, known: Array, count: int) -> tuple[Array, Array]:
        """Coefficients of what is known that the zero set leaves open, as it vanishes there: from where it does not."""
        zeros = np.argpartition(g, count)[:count]
        sizes, vectors = np.linalg.eigh(self.known[zeros].T @ self.known[zeros])
        free = vectors[:, sizes < OPEN * count / len(g)]
        if not free.shape[1]:
            return g, known
        values = self.known @ free
        rows = np.flatnonzero(np.linalg.norm(values, axis=1) > 0.1 * np.sqrt(np.mean(np.sum(values**2, axis=1))))
        some, last = max(int(0.15 * len(rows)), 2 * free.shape[1] + 4), b""
        moved = g.copy()
        for _ in range(TURNS):
            lowest = np.sort(rows[np.argpartition(moved[rows], some)[:some]])
            if lowest.tobytes() == last:
                break
            last = lowest.tobytes()
            change = -np.linalg.lstsq(values[lowest], g[lowest], rcond=1e-9)[0]
            moved = g + values @ change
        return moved, known + free @ change

    def differs(self, found: Array, unit: Array) -> bool:
        """Whether a unit is none of those found, as far as what is not linear goes."""
        values = self.readings.values @ np.column_stack([found, unit])
        curved = values - self.known @ (self.known.T @ values)
        curved = curved / np.maximum(np.linalg.norm(curved, axis=0), 1e-300)
        return bool(np.all(np.abs(curved[:, :-1].T @ curved[:, -1]) < SAME))
