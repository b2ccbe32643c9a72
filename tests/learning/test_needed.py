"""What noise leaves of a right function follows its law; sources that are needed are told from those that are not."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.learning.layers import Slots, outputs
from simnet.learning.needed import law_of_errors, needed_sources
from simnet.learning.units import Readings

#: Standard deviations of a mean of squares: a test fails with probability 6e-7 by chance for each unit.
DEVIATIONS = 5.0


def noisy(values, noise, marks, seed=0):
    """Those columns seen in mixed coordinates with noise, marks behind them; and the functionals that read each column."""
    draw = np.random.default_rng(seed)
    mixing = draw.standard_normal((values.shape[1], values.shape[1]))
    mixed = values @ mixing + noise * draw.standard_normal(values.shape)
    back = np.linalg.inv(mixing)
    functionals = np.zeros((len(back) + marks, len(back) + marks))
    functionals[: len(back), : len(back)] = back
    functionals[len(back) :, len(back) :] = np.eye(marks)
    return Readings(np.hstack([mixed, np.ones((len(values), marks))]), len(back), noise), functionals


def test_errors_of_the_right_function_have_the_variance_of_the_law():
    runs, squares = 20000, np.array([1.0, 2.0, 0.5])
    drives = np.random.default_rng(1).standard_normal((runs, 3))
    readings, read = noisy(np.hstack([drives, outputs(drives, squares)]), 1e-5, 1)
    error = outputs(readings.values @ read[:, :3], squares) - readings.values @ read[:, 3:6]

    def ratio(ball):
        return np.mean(error**2 / law_of_errors(readings, read[:, :3], read[:, 3:6], ball), axis=0)

    off = DEVIATIONS * np.sqrt(2.0 / runs)
    assert np.all(np.abs(ratio(squares) - 1.0) < off)
    assert np.any(np.abs(ratio(0.0 * squares) - 1.0) > off)  # negative control: no ball


def planted(noise, seed=0, weak=0.5, bias=0.2, lift=0.0):
    """A module above ``A`` and ``B``, ``A`` above an input: readings, slots (input, B, A), span, units, drives, ball.

    ``B`` brings ``weak`` times what ``A`` does, and the other way; ``lift`` makes some weights of ``A`` negative.
    """
    draw = np.random.default_rng(seed)
    ball = np.ones(3)
    inputs, b = draw.standard_normal((6000, 3)), np.abs(draw.standard_normal((6000, 3)))
    a = outputs(inputs @ draw.standard_normal((3, 3)) * 0.5 + 0.2, ball)
    weights = draw.standard_normal((6, 3))
    weights[:3] = np.abs(weights[:3]) - lift  # no dead units
    weights[3:] = -weak * np.abs(weights[3:])
    x = outputs(np.hstack([a, b]) @ weights + bias, ball)
    assert np.all(np.abs(np.mean(x > 0.0, axis=0) - 0.5) < 0.4)
    readings, read = noisy(np.hstack([inputs, b, a, x]), noise, 1, seed + 1)
    slots = Slots([read[:, :3], read[:, 3:6], read[:, 6:9]], np.repeat(read[:, 12:], 3, axis=1))
    drives = read[:, [6, 7, 8, 3, 4, 5]] @ weights + bias * read[:, 12:]
    return readings, slots, read[:, 9:], read[:, 9:12], drives, ball


def found(readings, slots, span, units, drives, ball):
    runs, held = readings.at(np.arange(4500)), readings.at(np.arange(4500, 6000))
    return needed_sources(runs, held, slots, span, units, drives, ball, np.random.default_rng(2))


@pytest.mark.parametrize("noise", [1e-5, 1e-3])
def test_a_source_of_a_source_is_none(noise):
    fit, _, problem = found(*planted(noise))
    assert fit.kept == [1, 2]
    assert not problem


@pytest.mark.parametrize("weak", [0.01, 0.005])
def test_a_source_that_brings_little_is_found_among_all(weak):
    """It is not among the strong ones; units read anew by a function without it are forgotten when all are tried."""
    readings, slots, span, units, drives, ball = planted(1e-6, 1, weak=weak, bias=-0.3, lift=0.5)
    fit, _, problem = found(readings, slots, span, units, drives, ball)
    assert fit.kept == [1, 2]
    assert not problem


def test_two_that_make_up_for_each_other_are_not_stated():
    readings, slots, *rest = planted(1e-4)
    twin = Slots([*slots.attributes, slots.attributes[2][:, ::-1]], slots.presence[:, [0, 1, 2, 2]])
    _, _, problem = found(readings, twin, *rest)
    assert "as well" in problem


def test_without_a_source_that_is_needed_nothing_is_stated():
    readings, slots, *rest = planted(1e-4)
    _, _, problem = found(readings, slots.only([0, 1]), *rest)
    assert "no function" in problem
