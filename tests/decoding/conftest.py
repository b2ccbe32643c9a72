"""Tests of means and of coverage, with a stated failure probability, and executions to decode."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import simnet

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


def strength(structure, name, recipe):
    """``c`` of an object by walking every path from root to it."""

    def walk(names, weights):
        total = 0.0
        for child, weight in zip(names, weights, strict=True):
            if child == name:
                total += weight
            if child is not None:
                total += weight * recipe.identity**3 * recipe.input_share * walk(*structure[child][1:])
        return total

    surface = recipe.value_share * recipe.attribute_share * recipe.identity**3
    return surface * walk(structure.outputs, structure.output_weights)


@pytest.fixture(name="agrees", scope="session")
def _agrees():
    return agrees


@pytest.fixture(name="covers", scope="session")
def _covers():
    return covers


@pytest.fixture(name="scaled", scope="session")
def _scaled():
    return scaled


@pytest.fixture(name="strength", scope="session")
def _strength():
    return strength


@pytest.fixture(scope="session")
def shared():
    """Two levels, one object a module, one of them at two depths."""
    return simnet.Execution.from_objects(
        [
            ("top", "top", [0.6, 0.0, 0.7], ["left", "right"], [0.7, 0.3]),
            ("left", "left", [0.1, 0.5, 0.8], [], []),
            ("right", "right", [0.9, 0.2, 0.0], [], []),
        ],
        outputs={"top": 0.7, "left": 0.3},
    )


@pytest.fixture(scope="session")
def twins():
    """Three objects of one module, two at the output and one below, and an object of another."""
    return simnet.Execution.from_objects(
        [
            ("one", "twin", [0.9, 0.1, 0.0, 0.2], [], []),
            ("two", "twin", [0.0, 0.3, 0.8, 0.4], [], []),
            ("three", "twin", [0.2, 0.6, 0.1, 0.0], [], []),
            ("parent", "parent", [0.5, 0.5], ["three"], [0.8]),
        ],
        outputs=[("one", 0.4), ("two", 0.2), ("parent", 0.4)],
    )
