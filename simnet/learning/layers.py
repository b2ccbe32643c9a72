"""What a module makes of others: ``x = Π(relu(Σ_i (W_i u_i − t_i)))`` from functionals that read ``x`` and all ``u_i``.

Nothing here is searched for; all is linear in the right runs.

* *The ball.*  With every unit read up to a scale, ``x_j = c_j g_j``, runs in which ``Π`` shortened have ``Σ c_j² g_j² = 1``,
  no run has more: the runs in which it is largest, and the ``c_j²`` by least squares from them, by turns.
* *The half-space.*  Where a unit is positive and not shortened it is ``Σ_i (W_i u_i − t_i)``: ``W`` and ``t`` by least
  squares from those runs.  Where they are not known yet, the half of the runs that fits best, by turns.
* *Sources* are the slots whose weights are not negligible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.learning.units import EACH, RUNS, RUNS_EACH, ZERO, Readings, _scales

Array = NDArray[Any]

#: Turns, and the shares of the positive runs that are taken for those that nothing shortened, one after the other.
TURNS, KEPT = 30, (0.4, 0.5, 0.3, 0.6, 0.2, 0.7)
#: Guesses at units where others of the module are known, and the share of the energy that a good one may leave.
GUESSES, CLOSE = 40, 0.05
#: First starts of a whole module, and exchanges of a unit in a row that bring nothing.
STARTS, PATIENCE = 12, 80
#: The share of the runs that is taken for shortened, and the least that must be.
TOP = 0.03
#: Slots weigh nothing below this share of the strongest.
WEAK = 0.05
#: The share of the runs that may contradict a right function, without and with noise, and the least share of the runs with a
#: positive unit in which it must be right.
WRONG, WRONG_NOISY, RIGHT = 0.0006, 0.003, 0.3


@dataclass(frozen=True, eq=False)
class Slots:
    """Modules that may feed another: functionals of their attributes, and of their presence.

    Attributes
    ----------
    attributes : list of (r + p, a) arrays
        Marks that may be mixed into a linear image of them come last.
    presence : (r + p, slots) array
    sizes : list of int, optional
        Columns of ``attributes`` that are no marks; all if not given.
    """

    attributes: list[Array]
    presence: Array
    sizes: list[int] | None = None

    @property
    def columns(self) -> Array:
        """All functionals, side by side, slot by slot."""
        return np.hstack([np.column_stack([x, self.presence[:, i]]) for i, x in enumerate(self.attributes)])

    @property
    def places(self) -> list[slice]:
        """The columns of each slot."""
        ends = np.cumsum([x.shape[1] + 1 for x in self.attributes])
        return [slice(int(end) - x.shape[1] - 1, int(end)) for end, x in zip(ends, self.attributes, strict=True)]

    def strong(self, readings: Readings, weights: Array) -> list[int]:
        """The slots that weigh something in one of the units, by the spread of what they bring."""
        brought = [
            (readings.values @ x[:, :a] - (readings.values @ x[:, :a]).mean(axis=0)) @ weights[place][:a]
            for x, a, place in zip(self.attributes, self._sizes, self.places, strict=True)
        ]
        spread = np.array([np.sqrt(np.mean(b.reshape(len(b), -1) ** 2, axis=0)) for b in brought])
        relative = spread / np.maximum(spread.max(axis=0), 1e-300)
        return [k for k, shares in enumerate(relative) if shares.max() > WEAK]

    def only(self, kept: list[int]) -> Slots:
        """Some of the slots."""
        return Slots([self.attributes[k] for k in kept], self.presence[:, kept], [self._sizes[k] for k in kept])

    @property
    def _sizes(self) -> list[int]:
        return [x.shape[1] for x in self.attributes] if self.sizes is None else self.sizes


def half_space(readings: Readings, slots: Slots, unit: Array) -> tuple[Array, float]:
    """Weights ``W, t`` of a unit ``(columns,)``, and the share of the runs that contradicts them."""
    columns = slots.columns
    g = readings.values @ unit
    positive = np.flatnonzero(g > 2.0 * ZERO * float(readings.level(unit, g.std())))
    best, least = np.zeros(columns.shape[1]), 1.0
    if len(positive) < 2 * columns.shape[1]:
        return best, least
    for share in KEPT:
        count = max(int(share * len(positive)), int(EACH * columns.shape[1]))
        rows, last = np.sort(positive[np.argpartition(g[positive], count)[:count]]), b""
        for _ in range(TURNS):
            if rows.tobytes() == last:
                break
            last = rows.tobytes()
            weights = readings.at(rows).smallest(columns, unit)
            excess = readings.values[positive] @ (columns @ weights - unit)
            rows = np.sort(positive[np.argpartition(excess, count)[:count]])
        wrong = contradicted(readings, columns @ weights, unit)
        if wrong < least:
            best, least = weights, wrong
        if accepted(readings, least):
            break
    return best, least


def whole_runs(readings: Readings, drive: Array, unit: Array) -> tuple[Array, Array]:
    """The runs in which the unit is what drives it, and those in which it is less but not zero: shortened."""
    z, g = readings.values @ drive, readings.values @ unit
    positive = g > 2.0 * ZERO * float(readings.level(unit, g.std()))
    off = 2.0 * ZERO * float(readings.level(drive - unit, g.std()))
    return positive & (np.abs(z - g) < off), positive & (z - g > off)


def refitted(readings: Readings, slots: Slots, drives: Array, units: Array, inside: Array | None = None) -> Array:
    """Weights of units ``(columns, units)`` for those slots, from all runs ``inside``, or those that the drives explain."""
    columns = slots.columns
    fits = []
    for drive, unit in zip(drives.T, units.T, strict=True):
        whole, short = whole_runs(readings, drive, unit)
        rows = whole if inside is None else (whole | short) & inside
        enough = rows.sum() > EACH * columns.shape[1]
        fits.append(readings.at(rows).smallest(columns, unit) if enough else readings.smallest(columns, drive))
    return np.column_stack(fits)


def ball(readings: Readings, drives: Array, units: Array) -> Array:
    """``c²`` of the units of a module, from the runs in which they are less than what drives them; 0 if there are few."""
    g = readings.values @ units
    short = np.zeros(len(g), dtype=bool)
    for drive, unit in zip(drives.T, units.T, strict=True):
        short |= whole_runs(readings, drive, unit)[1]
    if short.mean() < TOP:
        return np.zeros(units.shape[1])
    squares = g[short] ** 2 - readings.level(units, g.std(axis=0)) ** 2
    scales = np.maximum(squares.mean(axis=0), 1e-300)
    weights, _ = scipy.optimize.nnls(squares / scales, np.ones(len(squares)))
    return np.asarray(weights / scales)


def together(readings: Readings, drives: Array, units: Array) -> list[Array]:
    """Units of one module: they are shortened in the same runs."""
    runs = [whole_runs(readings, drive, unit) for drive, unit in zip(drives.T, units.T, strict=True)]
    groups: list[list[int]] = []
    for k, (whole, short) in enumerate(runs):
        for group in groups:
            other, less = runs[group[0]]
            both = (whole | short) & (other | less)
            if np.sum(short[both] != less[both]) < 0.2 * max(int(np.sum(short[both] | less[both])), 1):
                group.append(k)
                break
        else:
            groups.append([k])
    return [np.array(group) for group in groups]


def shortening(readings: Readings, drives: Array, units: Array) -> Array:
    """By what ``Π`` shortened each run, from units found with what drives them; ``nan`` where none of them is positive."""
    z, g = readings.values @ drives, readings.values @ units
    z = np.where(z > 4.0 * ZERO * readings.level(drives, g.std(axis=0)), z, 0.0)
    energy = np.sum(z**2, axis=1)
    known = energy > 1e-4 * energy.mean()
    return np.where(known, np.minimum(np.sum(z * g, axis=1) / np.where(known, energy, 1.0), 1.0), np.nan)


def _to_be_fitted(readings: Readings, slots: Slots, own: Array, known: Array) -> tuple[Array, Array, Array, Array]:
    """Bases of what is known and of the rest of ``own``; the slots whitened, and the way back to their weights."""
    linear = _basis(readings.values @ known)
    rest = readings.values @ own
    rest = _basis(rest - linear @ (linear.T @ rest))
    left, singular, right = np.linalg.svd(readings.values @ slots.columns, full_matrices=False)
    kept, root = singular > 1e-9 * singular[0], np.sqrt(len(readings.values))
    return linear, rest, left[:, kept] * root, (right[kept].T / singular[kept]) * root


def further_units(
    readings: Readings, slots: Slots, own: Array, known: Array, short: Array, draw: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """Guesses at further units, each with what drives it, where some of a module are known and so what ``Π`` did.

    ``short · relu(drive)`` is fitted to what of ``own`` is no combination of ``known``, in all runs at once, with the linear
    part eliminated (variable projection).
    """
    rows = np.flatnonzero(np.isfinite(short))
    rows = draw.permutation(rows)[: max(RUNS, RUNS_EACH * known.shape[1] // 2)]
    few, factor = readings.at(rows), short[rows]
    linear, rest, white, back = _to_be_fitted(few, slots, own, known)

    def loss(weights: Array) -> tuple[float, Array]:
        drive = white @ weights
        out = factor * np.maximum(drive, 0.0)
        curved = out - linear @ (linear.T @ out)
        energy = float(curved @ curved) + 1e-300
        along = rest @ (rest.T @ curved)
        share = float(along @ curved) / energy
        upstream = 2.0 * (share * curved - along) / energy
        return 1.0 - share, white.T @ (upstream * factor * (drive > 0.0))

    for _ in range(GUESSES):
        start = draw.standard_normal(white.shape[1])
        end = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
        if end.fun < CLOSE:
            yield _sharpened(few, slots.columns, np.hstack([own, known]), slots.columns @ (back @ end.x), factor)


def _sharpened(readings: Readings, columns: Array, every: Array, drive: Array, short: Array) -> tuple[Array, Array]:
    """A unit and what drives it, ``unit = short · drive`` where positive and 0 elsewhere, from a guess at which is which.

    Both are unknown and the equation is linear: the right singular vector of the least singular value.
    """
    z = readings.values @ drive
    sure = np.abs(z) > 1e-3 * z.std()
    left = readings.values[sure] @ every
    right = readings.values[sure] @ columns * (short * (z > 0.0))[sure, None]
    both = np.hstack([left, -right])
    scales = _scales(both)
    least = np.linalg.svd(np.linalg.qr(both / scales, mode="r"))[2][-1] / scales
    unit, drive = every @ least[: every.shape[1]], columns @ least[every.shape[1] :]
    sign = 1.0 if float(np.sum((readings.values @ drive)[z > 0.0])) > 0.0 else -1.0
    return sign * unit, sign * drive


def _basis(columns: Array) -> Array:
    left, singular, _ = np.linalg.svd(columns / _scales(columns), full_matrices=False)
    return np.asarray(left[:, singular > 1e-9 * singular.max(initial=0.0)])


def accepted(readings: Readings, wrong: float) -> bool:
    """Whether so few runs contradict a function that it may be right."""
    return wrong < (WRONG_NOISY if readings.noise else WRONG)


def contradicted(readings: Readings, drive: Array, unit: Array) -> float:
    """The share of the runs in which ``relu(drive)`` cannot become the unit, even shortened; 1 if it hardly ever is it."""
    z, g = readings.values @ drive, readings.values @ unit
    here = 2.0 * ZERO * float(readings.level(unit, g.std()))
    off = 2.0 * ZERO * float(readings.level(drive - unit, g.std()))
    either = here + off
    zero = np.abs(g) < here
    wrong = np.where(zero, z > either, z < g - off)
    right = ~zero & (np.abs(z - g) < off)
    return float(wrong.mean()) if right.sum() > RIGHT * (~zero).sum() else 1.0


@dataclass(frozen=True, eq=False)
class Ball:
    """What ``Π`` did to the units ``(k,)`` of a module.

    Attributes
    ----------
    squares : (k,) array
        ``c²``: 0 for units of other modules.
    inside : (m,) bool array or None
        The runs in which nothing was shortened; ``None`` where that is not known.
    """

    squares: Array
    inside: Array | None


def find_balls(readings: Readings, units: Array, draw: np.random.Generator, starts: int = 12) -> list[Ball]:
    """Sets of units whose weighted squares never add up to more than 1, and to 1 in many runs; those with most runs first.

    A part of the units of a module has a ball, too, from the runs in which the others are zero: it has fewer.
    """
    g = readings.values @ units
    levels = readings.level(units, g.std(axis=0))
    squares = g**2 - levels**2
    means = squares.mean(axis=0)
    count = max(int(TOP * len(g)), 3 * g.shape[1])
    found: list[Ball] = []
    for _ in range(starts):
        total, last = squares @ (draw.exponential(size=len(means)) ** 2 / means), b""
        for _ in range(TURNS):
            rows = np.sort(np.argpartition(-total, count)[:count])
            if rows.tobytes() == last:
                break
            last = rows.tobytes()
            weights = np.linalg.lstsq(squares[rows] / means, np.ones(count), rcond=1e-9)[0] / means
            total = squares @ weights
        weights = np.where(weights * means > 1e-3, weights, 0.0)
        total = squares @ weights
        off = 2.0 * ZERO * np.sqrt((g**2 * weights**2) @ levels**2).max()
        off = max(off, 1e-6)
        if off < 0.2 and np.mean(total > 1.0 + 2.0 * off) < 0.001 and np.mean(np.abs(total - 1.0) < off) > TOP:
            found.append(Ball(weights, total < 1.0 - off))
    return sorted(found, key=lambda ball: 1.0 if ball.inside is None else float(np.mean(ball.inside)))


def outputs(drives: Array, squares: Array) -> Array:
    """Units from what drives them, in the scales in which they are read."""
    raw = np.maximum(drives, 0.0)
    return np.asarray(raw / np.maximum(np.sqrt(raw**2 @ squares), 1.0)[:, None])


def polished(readings: Readings, slots: Slots, weights: Array, units: Array, squares: Array) -> tuple[Array, Array]:
    """Weights ``(columns, units)`` and ``c²`` by least squares over all runs at once, from good ones."""
    left, singular, right = np.linalg.svd(readings.values @ slots.columns, full_matrices=False)
    kept = singular > 1e-9 * singular[0]
    white, back = left[:, kept] * np.sqrt(len(left)), (right[kept].T / singular[kept]) * np.sqrt(len(left))
    truth = readings.values @ units
    spread = truth.std(axis=0)
    # a ball that was not seen is started at the longest runs
    scale = np.where(squares > 0.0, squares, 0.3 / np.maximum(np.quantile(truth, 0.99, axis=0) ** 2, 1e-300))
    shape = white.shape[1], units.shape[1]
    start = np.linalg.lstsq(back, weights, rcond=None)[0] / spread

    def loss(flat: Array) -> tuple[float, Array]:
        theta, share = flat[: shape[0] * shape[1]].reshape(shape), flat[shape[0] * shape[1] :]
        raw = np.maximum(white @ (theta * spread), 0.0)
        energy = raw**2 @ (share**2 * scale)
        length = np.sqrt(np.maximum(energy, 1.0))[:, None]
        error = (raw / length - truth) / spread
        upstream = 2.0 * error / spread
        along = np.where(energy > 1.0, np.sum(upstream * raw, axis=1), 0.0)[:, None] / length**3
        down = (upstream / length - along * raw * (share**2 * scale)) * (raw > 0.0)
        slope = -np.sum(along * raw**2, axis=0) * share * scale
        count = error.size
        return float(np.sum(error**2)) / count, np.append((white.T @ down * spread).ravel(), slope) / count

    first = np.append(start.ravel(), np.where(squares > 0.0, 1.0, 0.5))
    options: Any = {"maxiter": 300, "ftol": 1e-15, "gtol": 1e-12, "maxcor": 30}
    end = scipy.optimize.minimize(loss, first, jac=True, method="L-BFGS-B", options=options)
    theta, share = end.x[: shape[0] * shape[1]].reshape(shape), end.x[shape[0] * shape[1] :]
    return back @ (theta * spread), share**2 * scale


def fitted_module(
    readings: Readings, slots: Slots, own: Array, other: Array, size: int, copies: int, draw: np.random.Generator
) -> tuple[Array, Array] | None:
    """All units of a module at once, or of some of one size, module by module, and what drives them.

    For units that are hardly ever zero; ``None`` if no fit is good.
    ``Π(relu(drives))`` is fitted to what of ``own`` is no combination of ``other``: variable projection from several starts,
    then one unit at a time is drawn again.  The units come out in the scale in which ``Π`` has ``c = 1``.
    """
    rows = draw.permutation(len(readings.values))[: max(RUNS, RUNS_EACH * other.shape[1] // 2)]
    few = readings.at(rows)
    linear, rest, white, back = _to_be_fitted(few, slots, own, other)

    def curved(weights: Array) -> tuple[Array, Array, Array]:
        raw = np.maximum(white @ weights, 0.0)
        squares = np.einsum("icj,icj->ic", *[raw.reshape(len(raw), copies, -1)] * 2)
        lengths = np.repeat(np.sqrt(np.maximum(squares, 1.0)), size // copies, axis=1)
        out = raw / lengths
        return raw, lengths, out - linear @ (linear.T @ out)

    def mixed(columns: Array) -> Array:
        gram = columns.T @ columns
        gram.flat[:: len(gram) + 1] += 1e-13 * np.trace(gram) + 1e-300
        return np.asarray(np.linalg.solve(gram, columns.T @ rest))

    def loss(flat: Array) -> tuple[float, Array]:
        raw, lengths, columns = curved(flat.reshape(white.shape[1], -1))
        mixing = mixed(columns)
        error = columns @ mixing - rest
        down = error @ (2.0 * mixing.T) / lengths
        along = np.einsum("icj,icj->ic", *(x.reshape(len(raw), copies, -1) for x in (down, raw)))
        along[lengths[:, :: size // copies] <= 1.0] = 0.0  # what is not shortened
        down -= np.repeat(along, size // copies, axis=1) * raw / (lengths * lengths)
        down *= raw > 0.0
        return float(np.vdot(error, error)) / rest.shape[1], (white.T @ down).ravel() / rest.shape[1]

    def fit(weights: Array, rounds: int) -> tuple[float, Array]:
        options: Any = {"maxiter": rounds, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-10}
        end = scipy.optimize.minimize(loss, weights.ravel(), jac=True, method="L-BFGS-B", options=options)
        return float(end.fun), end.x.reshape(weights.shape)

    def drawn(units: int) -> Array:
        weights = draw.standard_normal((white.shape[1], units))
        length = np.sqrt(np.mean(np.sum(np.maximum(white @ weights, 0.0) ** 2, axis=1)))
        return np.asarray(weights * 0.8 / max(float(length), 1e-3) * np.sqrt(units * copies / size))

    best, weights = fit(min((fit(drawn(size), 60) for _ in range(STARTS)), key=lambda pair: pair[0])[1], 200)
    idle = 0
    while best > CLOSE / 50.0 and idle < PATIENCE:
        idle += 1
        changed = weights.copy()
        changed[:, int(draw.integers(size))] = drawn(1)[:, 0]
        value, end = fit(changed, 100)
        if value < best:
            best, weights, idle = value, end, 0
    if best > CLOSE:
        return None
    weights = fit(weights, 400)[1]
    every = np.hstack([own, other])
    values, (raw, lengths, _) = few.values @ every, curved(weights)
    scales = _scales(values)
    return (every / scales) @ np.linalg.lstsq(values / scales, raw / lengths, rcond=1e-9)[0], slots.columns @ (
        back @ weights
    )
