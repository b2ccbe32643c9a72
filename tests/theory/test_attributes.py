"""Law 1 on cases worked out by hand, and its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simnet
from simnet import theory
from simnet.matrices import Block

LONE = simnet.Execution.from_objects([("a", "a", [0.6, 0.8], [], [])], outputs={"a": 0.5})
PAIR = simnet.Execution.from_objects(
    [("a", "a", [0.6, 0.8], [], []), ("b", "b", [1.0], [], [])], outputs={"a": 0.5, "b": 0.5}
)


@pytest.mark.parametrize(
    ("matrices", "kept", "noise"),  # d = 64, x = (0.6, 0.8), ‖x‖ = 1; squares 0.36 and 0.64
    [
        ("gaussian", 64, (1.36, 1.64)),
        ("gaussian", 16, (1.36, 1.64)),
        ("rademacher", 64, (0.64, 0.36)),
        ("haar", 64, (0.0, 0.0)),
        ("haar", 16, (1.02, 1.23)),  # 3/4 of the Gaussian's
        ("trig", 64, (0.0, 0.0)),
        ("trig", 48, (0.34, 0.41)),  # 1/4
        (Block(4, 0.5), 64, (2.72, 3.28)),  # 2 (0.64 + ½·4·0.36), 2 (0.36 + ½·4·0.64)
        (Block(4, 0.5), 1, (1.64, 1.36)),  # a single row has no companion: 2 (0.64 + ½·0.36), 2 (0.36 + ½·0.64)
        (Block(8, 1.0), 64, (0.64, 0.36)),  # nothing is empty: Rademacher
    ],
)
def test_alone_and_unmixed_an_object_meets_its_self_noise_only(matrices, kept, noise):
    """Prototype A, weight ½: K = c² ‖x‖², so the crosstalk is zero."""
    mse = theory.attribute_mse(LONE, "a", sketch_dim=64, kept=kept, matrices=matrices, recipe="prototype_a")
    np.testing.assert_allclose(mse, np.array(noise) / kept, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize(
    ("matrices", "noise"), [("trig", (0.0, 0.0)), ("gaussian", (1.36, 1.64)), ("rademacher", (0.64, 0.36))]
)
def test_crosstalk_of_the_papers_recipe(matrices, noise):
    """K_ss = 2·¼·½·1/32 = 1/128 and c = ½·2⁻⁵: crosstalk (32 − 1)/d'."""
    mse = theory.attribute_mse(PAIR, "a", sketch_dim=100, matrices=matrices)
    np.testing.assert_allclose(mse, (31.0 + np.array(noise)) / 100, rtol=1e-12)


def test_truncation_puts_the_kept_coordinates_in_place_of_all():
    whole = theory.attribute_mse(PAIR, "a", sketch_dim=50, matrices="gaussian")
    np.testing.assert_allclose(theory.attribute_mse(PAIR, "a", sketch_dim=1000, kept=50, matrices="gaussian"), whole)
    mse = theory.attribute_mse(PAIR, "a", sketch_dim=100, kept=25, matrices="haar")
    np.testing.assert_allclose(mse, (31.0 + 0.75 * np.array([1.36, 1.64])) / 25, rtol=1e-12)


def test_matched_mse_broadcasts_over_coefficients_norms_and_runs():
    x = np.random.default_rng(0).uniform(0, 0.5, (3, 4, 2))
    c, k = np.array([[0.1], [0.2], [0.4]]), np.array([1.0, 2.0, 3.0, 4.0])
    options = {"sketch_dim": 64, "kept": 32, "family": simnet.matrices.Gaussian()}
    batch = theory.matched_mse(x, c, k, **options)
    assert batch.shape == (3, 4, 2)
    np.testing.assert_allclose(batch[2, 1], theory.matched_mse(x[2, 1], 0.4, 2.0, **options), rtol=1e-14)


def test_bounds_by_hand():
    mse = np.array([[0.04, 0.01], [0.0, 0.09]])
    expected = [0.2 * math.sqrt(2 * math.log(400)), 0.3 * math.sqrt(2 * math.log(400))]
    np.testing.assert_allclose(theory.gaussian_bound(mse, failure_probability=0.01), expected, rtol=1e-14)
    np.testing.assert_allclose(theory.chebyshev_bound(mse, failure_probability=0.01), [math.sqrt(5.0), 3.0], rtol=1e-14)
    mse = theory.attribute_mse(PAIR, "a", sketch_dim=64, kept=16, matrices="haar")
    bound = theory.attribute_bound(PAIR, "a", sketch_dim=64, kept=16, matrices="haar", failure_probability=0.1)
    assert bound == pytest.approx(math.sqrt(2 * math.log(40) * mse.max()), rel=1e-14)


def test_bounds_shrink_with_the_sketch_and_grow_with_the_demand():
    by_size = [theory.attribute_bound(PAIR, "a", sketch_dim=d) for d in (64, 256, 1024)]
    np.testing.assert_allclose(by_size, by_size[0] / np.array([1, 2, 4]), rtol=1e-12)  # trig, whole: exactly 1/√d
    by_kept = [theory.attribute_bound(PAIR, "a", sketch_dim=1024, kept=k) for k in (1, 10, 100, 1024)]
    assert (np.diff(by_kept) < 0).all()
    for bound in (theory.gaussian_bound, theory.chebyshev_bound):
        by_demand = [float(bound(np.array([0.1, 0.2]), failure_probability=delta)) for delta in (0.5, 0.1, 0.01, 1e-9)]
        assert (np.diff(by_demand) > 0).all()
        assert bound(np.full(9, 0.1), failure_probability=0.1) > bound(np.full(2, 0.1), failure_probability=0.1)


@pytest.mark.parametrize("delta", [0, 1, 0.0, 1.0, -0.1, 2.0, math.nan, math.inf, "0.1", None, True])
@pytest.mark.parametrize("bound", [theory.gaussian_bound, theory.chebyshev_bound])
def test_a_failure_probability_is_strictly_between_0_and_1(bound, delta):
    with pytest.raises(ValueError, match=r"failure_probability = .*: must be a finite number in \(0, 1\)"):
        bound(np.ones(2), failure_probability=delta)


TWINS = simnet.Execution.from_objects(
    [("tom", "cat", [0.6], [], []), ("kit", "cat", [0.5], [], []), ("rex", "dog", [0.4], [], [])],
    outputs={"tom": 0.5, "kit": 0.5, "rex": 0.0},
)


@pytest.mark.parametrize(
    ("ex", "name", "options", "message"),
    [
        (PAIR, "c", {}, r"object = 'c': must be one of 'a', 'b'"),
        (PAIR, "a", {"sketch_dim": 0}, r"sketch_dim = 0: must be an integer >= 1"),
        (PAIR, "a", {"sketch_dim": 64.0}, r"sketch_dim = 64.0: must be an integer"),
        (PAIR, "a", {"kept": 0}, r"kept = 0: must be an integer between 1 and 64"),
        (PAIR, "a", {"kept": 65}, r"kept = 65: must be an integer between 1 and 64"),
        (PAIR, "a", {"matrices": "gauss"}, r"matrices = 'gauss': must be one of"),
        (PAIR, "a", {"recipe": 1}, r"recipe = 1: must be one of"),
        (TWINS, "tom", {}, r"object 'tom': module 'cat' also made 'kit'"),
        (TWINS, "rex", {}, r"object 'rex': has coefficient 0"),
    ],
)
def test_outside_its_domain_the_law_is_refused(ex, name, options, message):
    with pytest.raises(ValueError, match=message):
        theory.attribute_mse(ex, name, **{"sketch_dim": 64, **options})


def test_a_namesake_of_weight_zero_does_not_disturb():
    ex = simnet.Execution.from_objects(
        [("tom", "cat", [0.6, 0.8], [], []), ("kit", "cat", [0.1, 0.2], [], [])], outputs={"tom": 0.5, "kit": 0.0}
    )
    alone = theory.attribute_mse(LONE, "a", sketch_dim=64)
    np.testing.assert_allclose(theory.attribute_mse(ex, "tom", sketch_dim=64), alone, rtol=1e-14)


@pytest.mark.parametrize(("kept", "factor"), [(64, 1.0), (16, 4.0)])
def test_noise_adds_its_own_share(kept, factor):
    """``(d/d') σ²/c²`` with c = ½·2⁻⁵."""
    quiet, noisy = (theory.attribute_mse(PAIR, "a", sketch_dim=64, kept=kept, noise=sigma) for sigma in (0.0, 0.01))
    np.testing.assert_allclose(noisy - quiet, factor * 1e-4 * 4096, rtol=1e-10)
    options = {"sketch_dim": 64, "kept": kept, "failure_probability": 0.1}
    bound = theory.attribute_bound(PAIR, "a", noise=0.01, **options)
    assert bound == pytest.approx(math.sqrt(2 * math.log(40) * noisy.max()), rel=1e-14)
    for sigma in (-0.1, math.nan, "loud"):
        with pytest.raises(ValueError, match="noise = "):
            theory.attribute_mse(PAIR, "a", sketch_dim=64, noise=sigma)
