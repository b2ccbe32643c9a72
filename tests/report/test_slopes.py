"""The slope that a legend states is the power that was planted."""

import numpy as np
import pytest

from simnet.report.slopes import fitted_slope


@pytest.mark.parametrize("power", [-1.0, -0.5, 0.0, 2.0])
def test_a_power_is_found_exactly_and_the_unit_does_not_matter(power):
    x = 2.0 ** np.arange(3, 9)
    for unit in (1.0, 1e-6):
        slope, error = fitted_slope(x, unit * x**power)
        assert slope == pytest.approx(power, abs=1e-12)
        assert error < 1e-12


def test_the_standard_error_is_that_of_a_regression():
    draw = np.random.default_rng(0)
    x = 2.0 ** np.arange(12)
    fits = [fitted_slope(x, x**-1.0 * np.exp(0.1 * draw.standard_normal(12))) for _ in range(2000)]
    spread = np.std([fit.value for fit in fits])
    # both are means over 2,000 draws: 5 % is more than 3 standard errors of their ratio
    assert np.sqrt(np.mean([fit.error**2 for fit in fits])) == pytest.approx(spread, rel=0.05)


def test_what_has_no_logarithm_is_left_out():
    x, y = np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([1.0, 0.5, 0.0, np.nan, 0.0625])
    assert fitted_slope(x, y).value == pytest.approx(-1.0)


def test_two_points_have_no_standard_error():
    assert np.isnan(fitted_slope(np.array([1.0, 2.0]), np.array([1.0, 2.0])).error)


@pytest.mark.parametrize("x", [[2.0], [2.0, 2.0], [2.0, -1.0]])
def test_one_place_is_no_line(x):
    with pytest.raises(ValueError, match="two different positive values"):
        fitted_slope(np.array(x), np.ones(len(x)))
