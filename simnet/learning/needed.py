"""Which modules another one needs, in noise.

A reading is the truth plus ``σ f·ε``, ``f`` the functional that reads it.  With the right function ``Π(relu(drives))`` of a
module what is left of unit ``j`` has the variance ``σ² |Σ_k G_jk F_k − f_j|²`` in a run, ``F_k`` the functional of drive
``k`` and ``G`` the derivative of ``Π(relu(·))`` there: no more and no less.  A set of sources is *tenable* where no unit
leaves more than that in runs that were held out.

* *Needed* is a source without which no set is tenable: not even that of all other modules inside the support.  What feeds
  a source of a module makes up for it as far as its function is linear, and no further.
* What is dropped without harm, weakest first, is no source.
* Where a source can be left out for others, and these for it, nothing is stated.

The search is local, from the function with all sources: that a set is not tenable is as certain as the descent from there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.learning.layers import Slots, outputs, polished, refitted
from simnet.learning.units import SAME, ZERO, Readings, vanishing

Array = NDArray[Any]

#: A set is tenable where the squares of a unit's errors over their law are, in the mean over held-out runs, at most so much
#: above 1: what estimated coefficients add, and so many standard deviations.
ESTIMATES, DEVIATIONS = 0.25, 5.0
#: A source is needed where without it errors are so many times what is tenable; less may be what other readings lack.
CLEARLY = 4.0
#: Runs in which a smaller set is fitted: so many, and so many for each coefficient of a unit.
FITTED, FITTED_EACH = 2000, 60
#: A drive below zero by less than so many standard deviations may be above it.
NEAR = 4.0
#: How often units are read anew from what drives them.
READ = 2


@dataclass(frozen=True, eq=False)
class Fit:
    """A function of some slots.

    Attributes
    ----------
    kept : list of int
        The slots, as places among all.
    weights : (c, units) array
        For the ``c`` columns of those.
    squares : (units,) array
        ``c²`` of the ball.
    drives : (r + p, units) array
    misfit : (units,) array
        Squares of the errors in held-out runs over their law, in the mean.
    """

    kept: list[int]
    weights: Array
    squares: Array
    drives: Array
    misfit: Array


def law_of_errors(readings: Readings, drives: Array, units: Array, squares: Array) -> Array:
    """The variances ``(n, units)`` of what the right function leaves, as noise in the readings makes it."""
    z = readings.values @ drives
    on = z > -NEAR * readings.level(drives, np.zeros(z.shape[1]))  # where noise may have switched it off, it is on
    z = np.maximum(z, 0.0)
    energy = z**2 @ squares
    length = np.sqrt(np.maximum(energy, 1.0))
    bent = np.where(energy > 1.0, length**-3, 0.0)
    # G_jk = [j = k]/ℓ − c_k² z_k z_j/ℓ³ where drive k is positive
    slopes = np.eye(z.shape[1]) / length[:, None, None] - bent[:, None, None] * (z[:, :, None] * (z * squares)[:, None, :])
    slopes = slopes * on[:, None, :]
    a, b = drives[: readings.noisy], units[: readings.noisy]
    both = np.einsum("njk,kl,njl->nj", slopes, a.T @ a, slopes, optimize=True)
    cross = np.einsum("njk,kj->nj", slopes, a.T @ b)
    return np.asarray(readings.noise**2 * np.maximum(both - 2.0 * cross + np.sum(b**2, axis=0), 1e-300))


def tenable(fit: Fit, runs: int) -> bool:
    """Whether no unit leaves more than noise does, over so many held-out runs."""
    return bool(np.all(fit.misfit < limit(runs)))


def limit(runs: int) -> float:
    """Below which a misfit over so many held-out runs is no more than noise and estimates make."""
    return 1.0 + ESTIMATES + DEVIATIONS * math.sqrt(2.0 / max(runs, 1))


def fitted(
    runs: Readings, held: Readings, slots: Slots, kept: Sequence[int], units: Array, drives: Array, squares: Array
) -> Fit:
    """The function of some slots that is nearest, from drives that are near."""
    few = slots.only(list(kept))
    weights = refitted(runs, few, drives, units)
    better, ball = polished(runs, few, weights, units, squares)

    def left(weights: Array, ball: Array) -> tuple[float, Array, Array]:
        drives = few.columns @ weights
        error = (outputs(held.values @ drives, ball) - held.values @ units) ** 2
        misfit = np.mean(error / law_of_errors(held, drives, units, ball), axis=0)
        inner = (outputs(runs.values @ drives, ball) - runs.values @ units) ** 2
        return float(np.sum(inner / law_of_errors(runs, drives, units, ball))), misfit, drives

    one, two = left(weights, squares), left(better, ball)
    if two[0] < one[0]:
        return Fit(list(kept), better, ball, two[2], two[1])
    return Fit(list(kept), weights, squares, one[2], one[1])


def needed_sources(
    runs: Readings,
    held: Readings,
    slots: Slots,
    span: Array,
    units: Array,
    drives: Array,
    squares: Array,
    draw: np.random.Generator,
) -> tuple[Fit, Array, str]:
    """The function of the sources that a module needs; its units, read anew; and why nothing is stated, or nothing.

    Parameters
    ----------
    runs, held : Readings
        To fit in, and held out: runs in which the module is there.
    slots : Slots
        All modules that may feed it.
    span : (r + p, k) array
        What units are combinations of.
    units, drives : (r + p, a) arrays
        The module, and what drives it as far as that is known.
    squares : (a,) array
        ``c²`` of the ball.
    draw : numpy.random.Generator
    """
    every = list(range(len(slots.attributes)))

    def fit(kept: Sequence[int], near: Array, ball: Array) -> Fit:
        wanted = max(FITTED, FITTED_EACH * slots.only(list(kept)).columns.shape[1])
        few = runs.at(draw.permutation(len(runs.values))[:wanted])
        return fitted(few, held, slots, kept, units, near, ball)

    def holds(one: Fit) -> bool:
        return tenable(one, len(held.values))

    kept = slots.strong(runs, refitted(runs, slots, drives, units))
    best, given = fit(kept, drives, squares), units
    for _ in range(READ):
        units = read_anew(runs, span, best.drives, units)
        best = fit(kept, best.drives, best.squares)
    if not holds(best):
        units = given  # those that were read by the drives of a function that is wrong are wrong too
        whole = fit(every, drives, squares)
        if not holds(whole):
            return (
                whole,
                units,
                f"no function predicts held-out runs: errors are {whole.misfit.max():.3g} times those of the noise",
            )
        best = whole
    for k in _weakest_first(slots, best, runs):
        if len(best.kept) > 1:
            without = fit([i for i in best.kept if i != k], best.drives, best.squares)
            best = without if holds(without) else best
    for k in best.kept:
        if len(every) == 1:
            break
        without = fit([i for i in every if i != k], best.drives, best.squares)
        if without.misfit.max() < CLEARLY * limit(len(held.values)):
            return best, units, "noise: other modules explain it as well as those that feed it"
    best = fitted(runs, held, slots, best.kept, units, best.drives, best.squares)
    return best, units, "" if holds(best) else "no function predicts held-out runs"


def read_anew(runs: Readings, span: Array, drives: Array, units: Array) -> Array:
    """The functionals of units that are nothing but noise in the runs in which what drives them is below 0.

    As they were where that is another unit: these drives are wrong.
    """
    z = runs.values @ drives
    silent = z < -ZERO * runs.level(drives, z.std(axis=0))
    anew = []
    for rows, unit in zip(silent.T, units.T, strict=True):
        found = vanishing(runs.at(rows), span, unit) if rows.sum() > 2 * span.shape[1] else unit
        one, two = runs.values @ unit, runs.values @ found
        alike = float(one @ two) > SAME * float(np.linalg.norm(one) * np.linalg.norm(two))
        anew.append(found if alike else unit)
    return np.column_stack(anew)


def _weakest_first(slots: Slots, fit: Fit, readings: Readings) -> list[int]:
    """The slots of a function, by the spread of what they bring to the unit to which they bring most."""
    few, weight = slots.only(fit.kept), []
    for x, place in zip(few.attributes, few.places, strict=True):
        brought = readings.values @ x @ fit.weights[place][: x.shape[1]]
        weight.append(float(brought.std(axis=0).max()))
    return [fit.kept[i] for i in np.argsort(weight)]
