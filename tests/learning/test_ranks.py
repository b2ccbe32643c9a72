"""Column spaces of sketches, against a singular value decomposition of them."""

import numpy as np
import pytest
import scipy.linalg

from simnet.learning.ranks import _singular, coordinates

SPREAD = np.geomspace(1.0, 1e-6, 12)


def low_rank(n, d, seed=0):
    draw = np.random.default_rng(seed)
    left, right = np.linalg.qr(draw.standard_normal((n, 12)))[0], np.linalg.qr(draw.standard_normal((d, 12)))[0]
    return (left * SPREAD) @ right.T, right


@pytest.mark.parametrize(("n", "d"), [(300, 40), (40, 300), (60, 60)])
def test_the_singular_values_and_the_space_are_those_of_the_whole(n, d):
    data, right = low_rank(n, d)
    singular, vectors = _singular(data)
    assert len(singular) == min(n, d)
    np.testing.assert_allclose(singular, scipy.linalg.svdvals(data), rtol=0, atol=1e-13)
    assert 12 <= len(vectors) < min(n, d)  # most of the rounding is left out
    found = vectors[:12].T
    np.testing.assert_allclose(found.T @ found, np.eye(12), atol=1e-13)
    np.testing.assert_allclose(found @ (found.T @ right), right, atol=1e-8)  # what of weight 1e-6 is known of 1e-16


def test_every_direction_of_noise_is_there():
    data, _ = low_rank(300, 40)
    data += 1e-3 * np.random.default_rng(1).standard_normal(data.shape)
    singular, vectors = _singular(data)
    np.testing.assert_allclose(singular, scipy.linalg.svdvals(data), rtol=1e-10)
    assert vectors.shape == (40, 40)


@pytest.mark.parametrize("noise", [None, 0.0])
def test_coordinates_count_every_direction_above_rounding(noise):
    data, _ = low_rank(300, 40)
    found = coordinates(data, 300, noise=noise, failure_probability=1e-6)
    assert found.functionals.shape == (40, 12)
    assert (found.noise, found.spare) == (0.0, 28)
    np.testing.assert_allclose(found.values.T @ found.values, np.eye(12), atol=1e-8)


def test_nothing_at_all_has_no_coordinates():
    found = coordinates(np.zeros((9, 4)), 9, noise=None, failure_probability=1e-6)
    assert found.values.shape == (9, 0)
    assert not found.noise
