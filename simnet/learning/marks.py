"""Supports from marks of presence.

The mark of a module is there when any of the inputs below it is: its run of values is ``o_A(active) = [A ∩ active ≠ ∅]``,
``A = supp(M)``.  Sketches are ``S = X Rᵀ + O rᵀ``; where the columns of all modules are linearly independent, which takes
``d ≥ p``, some functional of the sketch reads each mark.  So ``A`` is a support if and only if ``o_A`` lies in the span of
the coordinates of the sketches, and no ``o_B`` of another set does: functions ``o_B`` of different sets are linearly
independent over all patterns of activity.  Over the patterns of the data they need not be; a false ``o_B`` would then be a
combination of the true ones, which are all found with it.  Independent functions found are therefore a certificate.

With noise of standard deviation ``σ`` in the coordinates ``Y`` the functional is ``w = (YᵀY − nσ²)^{-1} Yᵀ o`` and its
residual has variance ``σ²|w|²``, no more and no less, where ``A`` is a support.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.learning.ranks import Coordinates

Array = NDArray[Any]
Support = frozenset[int]

#: So many sets are tried at most, small ones first.
MOST = 1 << 17
#: Without noise: the largest residual, relative to the function, of a support, and the smallest of another set.
INSIDE, OUTSIDE = 1e-7, 1e-4


@dataclass(frozen=True)
class Marks:
    """Sets whose mark is in the sketches.

    Attributes
    ----------
    supports : tuple of frozenset
    margins : tuple of float
        For each: how many times larger the smallest residual of a set that is none is than its own.
    largest : int
        Sets up to this size were tried.
    problem : str
        Why nothing is stated; empty when all is well.
    """

    supports: tuple[Support, ...]
    margins: tuple[float, ...]
    largest: int
    problem: str = ""


def presence(active: Array, supports: tuple[Support, ...] | list[Support]) -> Array:
    """``o_A`` of each run and set: ``(n, supports)`` of zeros and ones."""
    chosen = np.zeros((active.shape[1], len(supports)))
    for k, support in enumerate(supports):
        chosen[list(support), k] = 1.0
    return (active.astype(float) @ chosen > 0.0).astype(float)


def candidate_sets(inputs: int) -> tuple[list[Support], int]:
    """The sets to try, small ones first, and the size up to which all are."""
    found: list[Support] = []
    for size in range(1, inputs + 1):
        if len(found) + math.comb(inputs, size) > MOST:
            return found, size - 1
        found += [frozenset(members) for members in itertools.combinations(range(inputs), size)]
    return found, inputs


def find_marks(active: Array, space: Coordinates, failure_probability: float) -> Marks:
    """Try all sets, up to the size that can be."""
    sets, largest = candidate_sets(active.shape[1])
    width = space.values.shape[1]
    inside, outside, scores = _scores(active, space, sets, failure_probability)
    taken = [k for k, score in enumerate(scores) if score <= inside]
    grey = int(np.sum((scores > inside) & (scores < outside)))
    if not taken:
        return Marks((), (), largest, "no mark of presence is in the sketches")
    supports = tuple(sets[k] for k in taken)
    if grey or len(taken) > width:
        return Marks((), (), largest, f"noise too high, or weights vary: {grey + len(taken)} sets cannot be told apart")
    functions = presence(active, supports)
    if np.linalg.matrix_rank(np.unique(functions, axis=0)) < len(supports):
        return Marks((), (), largest, f"the patterns of activity do not tell {len(supports)} sets of inputs apart")
    others = np.delete(scores, taken)
    floor = float(others.min(initial=math.inf))
    best = inside if space.noise else 1e-16  # below that a residual says no more
    return Marks(supports, tuple(floor / max(float(scores[k]), best) for k in taken), largest)


def _scores(active: Array, space: Coordinates, sets: list[Support], failure: float) -> tuple[float, float, Array]:
    """What is small for supports: the two limits of it, and its value for each set."""
    runs, width = space.values.shape
    if not space.noise:
        scores = np.ones(len(sets))
        few = np.linspace(0, runs - 1, min(runs, 2 * width + 50)).astype(int)
        first = np.concatenate([part for _, part in _residuals(active[few], space.values[few], sets)])
        kept = np.flatnonzero(first <= OUTSIDE)
        for start, part in _residuals(active, space.values, [sets[k] for k in kept]):
            scores[kept[start : start + len(part)]] = part
        return INSIDE, OUTSIDE, scores
    # the residual over its law, in standard deviations of the estimate of a variance
    z = float(scipy.stats.norm.isf(failure / len(sets)))
    gram = space.values.T @ space.values - runs * space.noise**2 * np.eye(width)
    scores = np.empty(len(sets))
    for start, functions in _functions(active, sets):
        weights = np.linalg.solve(gram, space.values.T @ functions)
        found = np.mean((functions - space.values @ weights) ** 2, axis=0)
        law = space.noise**2 * np.sum(weights**2, axis=0)
        silent = ~functions.any(axis=0)
        law[silent], found[silent] = 1.0, 2.0
        scores[start : start + len(law)] = (found / law - 1.0) / math.sqrt(2.0 / runs)
    return z, 3.0 * z, scores


def _functions(active: Array, sets: list[Support], chunk: int = 4096) -> Iterator[tuple[int, Array]]:
    for start in range(0, len(sets), chunk):
        yield start, presence(active, sets[start : start + chunk])


def _residuals(active: Array, values: Array, sets: list[Support]) -> Iterator[tuple[int, Array]]:
    """What of each function the coordinates do not span, relative to it; 1 for a function that is 0 throughout."""
    left, singular, _ = np.linalg.svd(values, full_matrices=False)
    left = left[:, singular > 1e-9 * singular.max(initial=0.0)]
    for start, functions in _functions(active, sets):
        norms = np.linalg.norm(functions, axis=0)
        rest = np.linalg.norm(functions - left @ (left.T @ functions), axis=0)
        yield start, np.where(norms > 0.0, rest / np.maximum(norms, 1.0), 1.0)
