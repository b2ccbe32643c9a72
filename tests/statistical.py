"""Tests of means and of coverage, with a stated failure probability."""

from __future__ import annotations

import numpy as np
import scipy.stats

#: With which probability a right decoder fails one call of these tests, over the draw of its matrices.
FAILURE = 1e-6


def agrees(samples, expected, *, slack=0.0):
    """Whether independent samples ``(n, ...)`` can have that mean: Student's t, Bonferroni over all coordinates.

    ``slack`` is how far the law itself may be off, in the units of the samples.
    """
    samples = np.asarray(samples, float)
    n = len(samples)
    samples = samples.reshape(n, -1)
    t = scipy.stats.t.isf(FAILURE / samples.shape[1] / 2.0, n - 1)
    allowed = t * samples.std(axis=0, ddof=1) / np.sqrt(n) + slack
    return bool((np.abs(samples.mean(axis=0) - np.ravel(expected)) <= allowed).all())


def covers(intervals, truth, level, *, at_least=False):
    """Whether independent intervals ``(..., 2)`` hold the truth as often as they should, neither less nor more.

    With ``at_least`` more is allowed.
    """
    intervals = np.asarray(intervals)
    inside = (intervals[..., 0] <= truth) & (truth <= intervals[..., 1])
    few, many = scipy.stats.binom.interval(1.0 - FAILURE, inside.size, level)
    return bool(few <= inside.sum() and (at_least or inside.sum() <= many))


def scaled(intervals, factor):
    """The intervals, narrowed or widened around their middles."""
    intervals = np.asarray(intervals)
    middle = intervals.mean(axis=-1, keepdims=True)
    return middle + factor * (intervals - middle)
