"""Ridge, non-negative and sparse estimates: their formulas, their errors, their intervals, where coordinates are too few."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from tests import oracle

DAG = simnet.networks.random_dag(modules=9, attribute_dim=8, seed=2)
EX = DAG.run(1, seed=1)[0]
UNKNOWNS = 72
TRUTH = np.concatenate(EX.attributes)


def system(sketcher, s):
    dense, op = oracle.operator(EX, sketcher), sketcher.operator(EX)
    values = np.concatenate([np.arange(c.start, c.stop) for c in op.columns])
    return dense[: len(s), values], s - dense[: len(s), op.presence].sum(axis=1)


def flat(per_object):
    return np.concatenate(list(per_object))


@pytest.mark.parametrize("d", [40, 100])
def test_ridge_is_the_dense_formula(d):
    sketcher = simnet.Sketcher(DAG, d, "gaussian", seed=1)
    noise, mean, variance = 1e-3, 0.2, 0.05
    s = sketcher.encode(EX) + noise * np.random.default_rng(0).standard_normal(d)
    b, y = system(sketcher, s)
    k = variance * b @ b.T + noise**2 * np.eye(d)
    expected = mean + variance * b.T @ np.linalg.solve(k, y - mean * b.sum(axis=1))
    hat = variance * b.T @ np.linalg.solve(k, b)
    estimate = sketcher.decode(s, EX.structure, "ridge", noise=noise, prior=(mean, variance))
    np.testing.assert_allclose(flat(estimate.attributes), expected, atol=1e-8)
    np.testing.assert_allclose(flat(estimate.standard_errors), np.sqrt(variance * (1 - np.diagonal(hat))), atol=1e-7)
    iterative = sketcher.decode(s, EX.structure, "ridge", noise=noise, prior=(mean, variance), solver="iterative")
    np.testing.assert_allclose(flat(iterative.attributes), expected, atol=1e-7)


def errors(method, d, seeds, **options):
    found = []
    for seed in range(seeds):
        sketcher = simnet.Sketcher(DAG, d, seed=seed)
        estimate = sketcher.decode(sketcher.encode(EX), EX.structure, method, **options)
        found.append(np.mean((flat(estimate.attributes) - TRUTH) ** 2))
    return np.array(found)


def test_below_as_many_coordinates_as_unknowns_priors_win_by_far():
    d = UNKNOWNS // 2
    matched, plain, ridge = (errors(m, d, 20) for m in ("matched", "least_squares", "ridge"))
    assert np.median(plain / ridge) > 5
    assert np.median(matched / ridge) > 1000
    variance = np.mean((TRUTH - TRUTH.mean()) ** 2)
    assert ridge.mean() < 0.9 * variance  # better than knowing nothing but the mean


def test_non_negative_attributes_come_back_from_fewer_coordinates_than_there_are():
    d = int(0.95 * UNKNOWNS)
    assert np.median(errors("nonnegative", d, 10)) < 1e-10 < 1e-4 < np.median(errors("ridge", d, 10))
    sketcher = simnet.Sketcher(DAG, d, seed=0)
    assert flat(sketcher.decode(sketcher.encode(EX), EX.structure, "nonnegative").attributes).min() >= 0.0


def test_sparse_attributes_of_both_signs_come_back_from_fewer_coordinates():
    rng = np.random.default_rng(0)
    x = [np.where(rng.random(12) < 0.15, rng.uniform(-0.5, 0.5, 12), 0.0) for _ in range(6)]
    ex = simnet.Execution.from_objects([(i, i, v, [], []) for i, v in enumerate(x)], outputs=[(i, 1 / 6) for i in range(6)])
    gaps = {"sparse": [], "ridge": []}
    for seed in range(6):
        sketcher = simnet.Sketcher(ex.network, 40, "gaussian", seed=seed)
        s = sketcher.encode(ex)
        for method, gap in gaps.items():
            estimate = sketcher.decode(s, ex.structure, method)
            gap.append(np.abs(flat(estimate.attributes) - np.concatenate(x)).max())
    assert np.median(gaps["sparse"]) < 1e-6 < 0.01 < np.median(gaps["ridge"])


def test_with_enough_coordinates_all_are_exact():
    for method in ("ridge", "nonnegative", "sparse"):
        assert errors(method, 100, 3).max() < 1e-15


@pytest.mark.parametrize("noise", [10.0, 1000.0, 1e6])
def test_intervals_of_what_noise_hides_cover_and_say_next_to_nothing(noise):
    """The variance of the prior is then far below what can be told, and its mean anywhere: they may narrow no interval."""
    net = simnet.networks.layered(widths=(5, 4, 2), attribute_dim=5, fan_in=2, seed=1)
    inside, widths = [], []
    for seed in range(15):
        sketcher, ex = simnet.Sketcher(net, 128, "gaussian", seed=seed), net.run(1, seed=seed)[0]
        sketch = sketcher.encode(ex)
        sigma = noise * np.sqrt(np.mean(sketch**2))
        sketch += sigma * np.random.default_rng(seed).standard_normal(128)
        estimate = sketcher.decode(sketch, ex.structure, "ridge", noise=sigma)
        low, high = np.moveaxis(np.concatenate(list(estimate.interval(0.95))), -1, 0)
        inside.append((low <= flat(ex.attributes)) & (flat(ex.attributes) <= high))
        widths.append(high - low)
    assert np.mean(inside) > 0.93
    assert 1.5 < np.mean(widths) <= 2.0


def test_intervals_lie_where_attributes_can_be():
    sketcher = simnet.Sketcher(DAG, 20, seed=0)
    s = sketcher.encode(EX)
    wide = flat(sketcher.decode(s, EX.structure, "ridge").interval(0.999))
    positive = flat(sketcher.decode(s, EX.structure, "nonnegative").interval(0.999))
    assert wide.min() >= -1.0
    assert wide.max() <= 1.0
    assert positive.min() >= 0.0
    assert positive.max() <= 1.0
    assert (positive[:, 1] - positive[:, 0]).mean() > 0.2


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ((0.0, 0.0), r"^prior\[1\] = 0.0"),
        (3, "^prior = 3: must be"),
        ((0.0, -1.0), r"^prior\[1\] = -1.0"),
        (("a", 1.0), r"prior\[0\]"),
    ],
)
def test_a_prior_that_is_none_is_refused(prior, message):
    sketcher = simnet.Sketcher(DAG, 40, seed=0)
    with pytest.raises(ValueError, match=message):
        sketcher.decode(sketcher.encode(EX), EX.structure, "ridge", prior=prior)


def test_a_sketch_of_zeros_is_no_reason_to_fail():
    sketcher = simnet.Sketcher(DAG, 40, seed=0)
    for method in ("least_squares", "ridge", "nonnegative", "sparse"):
        estimate = sketcher.decode(np.zeros(40), EX.structure, method)
        assert np.isfinite(flat(estimate.attributes)).all()
