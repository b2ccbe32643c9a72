"""What storage costs, against simulated coordinates and sums over binades."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from simnet import theory
from simnet.theory.storage import FRACTION_BITS
from tests.statistical import agrees


def binade_variance(sigma, bits):
    """``E[ulp(s)²]/12`` of ``s ~ N(0, σ²)``, binade by binade."""
    edges = 2.0 ** np.arange(-60, 10)
    share = 2.0 * np.diff(scipy.stats.norm.cdf(edges / sigma))
    return float(share @ edges[:-1] ** 2) * 4.0**-bits / 12.0


@pytest.mark.parametrize("storage", FRACTION_BITS)
@pytest.mark.parametrize("sigma", 2.0 ** np.arange(-3.0, -2.0, 0.125))
def test_the_constant_of_floats_is_within_half_a_percent_of_normal_coordinates(storage, sigma):
    bits = FRACTION_BITS[storage]
    law = float(theory.storage_noise(storage, 64 * sigma**2, sketch_dim=64)) ** 2
    assert abs(law / binade_variance(sigma, bits) - 1.0) < 0.005
    assert abs(law / binade_variance(sigma, bits + 1) - 1.0) > 0.5


@pytest.mark.parametrize("d", [1, 2, 16, 1000])
def test_the_largest_square_of_normal_coordinates(d):
    largest = np.max(np.random.default_rng(d).standard_normal((4000, d)) ** 2, axis=1)
    assert agrees(largest, theory.largest_square(d))
    assert not agrees(largest, 1.2 * theory.largest_square(d))


def test_the_largest_square_at_sizes_out_of_reach_of_simulation():
    values = [theory.largest_square(2**k) for k in range(11, 31)]
    assert (np.diff(values) > 0.0).all()
    # Gumbel: max z² ≈ (b + γ/b)², b the (1 − 1/2d) quantile
    b = -scipy.stats.norm.ppf(0.5 / 2**30)
    assert values[-1] == pytest.approx((b + np.euler_gamma / b) ** 2, rel=0.01)


def test_by_hand():
    assert float(theory.storage_noise("int8", 5.0, sketch_dim=9, largest=1.27)) == pytest.approx(0.01 / math.sqrt(12.0))
    assert float(theory.storage_noise("float64", 5.0, sketch_dim=9)) == 0.0
    law = theory.storage_noise("float16", [[16.0, 64.0]], sketch_dim=16)
    np.testing.assert_allclose(law, [[2.0**-10 / math.sqrt(32 * math.log(2)), 2.0**-9 / math.sqrt(32 * math.log(2))]])


def test_longer_sketches_make_longer_errors_and_zero_makes_none():
    for storage in theory.STORAGES:
        one, two = (float(theory.storage_noise(storage, k, sketch_dim=100)) for k in (1.0, 4.0))
        assert two == pytest.approx(2.0 * one)
        assert float(theory.storage_noise(storage, 0.0, sketch_dim=100)) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("int4", 1.0), "storage = 'int4': must be one of .*did you mean 'int8'"),
        (("int8", -1.0), "norm_squared = -1.0: must be finite and not negative"),
        (("int8", [1.0, math.nan]), "norm_squared"),
        (("int8", 1.0, math.inf), "largest = inf"),
    ],
)
def test_out_of_domain_is_refused_by_name(arguments, message):
    storage, norm, *largest = arguments
    with pytest.raises(ValueError, match=message):
        theory.storage_noise(storage, norm, sketch_dim=8, largest=largest[0] if largest else None)
