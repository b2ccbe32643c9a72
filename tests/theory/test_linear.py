"""Law 5 against its closed forms, its limits, and a dense computation."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.theory import effective_noise, linear_mse, shared_path_excess

EX = simnet.networks.layered(widths=(5, 3), attribute_dim=6, seed=0).run(1)[0]
UNKNOWNS = 48


def test_least_squares_by_hand():
    ex = simnet.Execution.from_objects([("a", "a", [0.5, 0.5], [], [])], outputs={"a": 0.5})
    # prototype_b: a column of the object's attributes has squared length (1/2)² (1/2)² = 1/16
    mse = linear_mse(ex, sketch_dim=10, kept=5, noise=0.1, recipe="prototype_b")
    assert mse == pytest.approx([0.01 / (1 - 2 / 5) / (1 / 16 * 5 / 10)])
    assert effective_noise(ex, sketch_dim=10, kept=5, noise=0.1, recipe="prototype_b") == pytest.approx(0.01 / 0.6)


def test_limits():
    assert np.all(linear_mse(EX, sketch_dim=UNKNOWNS) == np.inf)
    assert np.all(linear_mse(EX, sketch_dim=UNKNOWNS + 1) == 0.0)
    assert np.all(linear_mse(EX, sketch_dim=UNKNOWNS, attribute_variance=0.1) == 0.0)
    below = linear_mse(EX, sketch_dim=UNKNOWNS // 2, attribute_variance=0.1)
    assert np.all((below > 0.0) & (below < 0.1))
    noisy = linear_mse(EX, sketch_dim=200, noise=1e-4, attribute_variance=1e6)
    np.testing.assert_allclose(noisy, linear_mse(EX, sketch_dim=200, noise=1e-4), rtol=1e-6)
    assert np.all(linear_mse(EX, sketch_dim=200, noise=1e3, attribute_variance=0.1) == pytest.approx(0.1, rel=1e-3))


def test_the_shares_of_the_truth_add_up_to_the_coordinates():
    """Without noise below as many coordinates as unknowns, each coordinate goes into one degree of freedom."""
    v, d = 0.1, 20
    mse = linear_mse(EX, sketch_dim=d, attribute_variance=v)
    assert float(np.sum(6 * (1.0 - mse / v))) == pytest.approx(d)


def test_it_agrees_with_gaussian_matrices_in_one_layer_and_a_wrong_law_does_not():
    ex = simnet.networks.layered(widths=(8,), attribute_dim=12, seed=1).run(1)[0]
    d, noise, v = 60, 1e-2, 0.05
    measured = []
    for seed in range(60):
        sketcher = simnet.Sketcher(ex.network, d, "gaussian", recipe="prototype_b", seed=seed)
        op = sketcher.operator(ex)
        values = np.concatenate([np.arange(c.start, c.stop) for c in op.columns])
        b = (op @ np.eye(op.shape[1]))[:, values]
        measured.append(np.diagonal(np.linalg.inv(b.T @ b / noise**2 + np.eye(96) / v)).reshape(8, 12).mean(axis=1))
    law = linear_mse(ex, sketch_dim=d, noise=noise, attribute_variance=v, recipe="prototype_b")
    mean, error = np.mean(measured, axis=0), np.std(measured, axis=0) / np.sqrt(60)
    # failure probability 8 · 1e-9 (six standard errors) with 2 % for what the law leaves out at d = 60
    assert np.all(np.abs(mean - law) < 6 * error + 0.02 * law)
    wrong = linear_mse(ex, sketch_dim=2 * d, kept=d, noise=noise, attribute_variance=v, recipe="prototype_b")
    assert not np.all(np.abs(mean - wrong) < 6 * error + 0.02 * law)


def test_what_shared_paths_add_grows_with_depth_and_vanishes_without_mixing():
    shallow, deep = (simnet.networks.tree(height=h, branching=1, attribute_dim=4, seed=0).run(1)[0] for h in (1, 3))
    assert 0 < shared_path_excess(shallow, kept=100) < shared_path_excess(deep, kept=100)
    assert shared_path_excess(shallow, kept=100, recipe="prototype_b") == 0.0
    assert shared_path_excess(shallow, kept=100) == pytest.approx(3 * (1.75**3 - 1) / 100)


@pytest.mark.parametrize("options", [{"noise": -1.0}, {"kept": 0}, {"kept": 99}, {"attribute_variance": -1.0}])
def test_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        effective_noise(EX, sketch_dim=64, **options)
