"""Least squares: exact from as many coordinates as unknowns, both solvers, batches, and honest where it cannot know."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simnet
from tests import oracle
from tests.statistical import covers, scaled

DAG = simnet.networks.random_dag(modules=9, attribute_dim=4, seed=3)
RUNS = DAG.run(5, seed=1)
EX = RUNS[0]
P = EX.structure.size
UNKNOWNS = P - len(EX.structure)


def largest_error(estimate, runs):
    truth = [np.stack([runs[i].attributes[k] for i in range(len(runs))]) for k in range(len(runs[0].structure))]
    return max(float(np.abs(x - t).max()) for x, t in zip(estimate.attributes, truth, strict=True))


@pytest.mark.parametrize("family", ["gaussian", "trig", "rademacher", "haar"])
def test_it_is_exact_at_five_per_cent_more_coordinates_than_unknowns(family):
    sketcher = simnet.Sketcher(DAG, math.ceil(1.05 * P), family, seed=2)
    estimate = sketcher.decode(sketcher.encode(RUNS), EX.structure, "least_squares")
    assert largest_error(estimate, RUNS) < 1e-8
    assert estimate.fit.residual.max() < 1e-14


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_whole_and_in_part(seed):
    net = simnet.networks.random_dag(modules=8 + 4 * seed, attribute_dim=2 + seed % 4, seed=seed)
    runs = net.run(2, seed=seed)
    kept = math.ceil(1.05 * runs[0].structure.size)
    sketcher = simnet.Sketcher(net, 2 * kept, seed=seed)
    s = sketcher.encode(runs)
    mask = np.ones(2 * kept, dtype=bool)
    mask[np.random.default_rng(seed).permutation(2 * kept)[:kept]] = False
    for part, erased in ((s[:, :kept], None), (s, mask)):
        estimate = sketcher.decode(part, runs[0].structure, "least_squares", erased=erased)
        assert largest_error(estimate, runs) < 1e-8


def test_one_coordinate_too_few_is_not_enough_and_says_so():
    sketcher = simnet.Sketcher(DAG, UNKNOWNS, seed=2)
    s = sketcher.encode(EX)
    just, short = (sketcher.decode(s[:n], EX.structure, "least_squares") for n in (UNKNOWNS, UNKNOWNS - 1))
    errors = [max(np.abs(x - t).max() for x, t in zip(e.attributes, EX.attributes, strict=True)) for e in (just, short)]
    assert errors[0] < 1e-6 < errors[1]
    assert np.isfinite(np.concatenate(list(just.standard_errors))).all()
    assert np.isinf(np.concatenate(list(short.standard_errors))).any()


def test_it_is_the_dense_solution_with_noise_and_so_are_its_errors():
    sketcher = simnet.Sketcher(DAG, 2 * P, "gaussian", seed=4)
    s = sketcher.encode(EX) + 1e-3 * np.random.default_rng(0).standard_normal(2 * P)
    dense = oracle.operator(EX, sketcher)
    op = sketcher.operator(EX)
    values = np.concatenate([np.arange(c.start, c.stop) for c in op.columns])
    b, marks = dense[:, values], dense[:, op.presence].sum(axis=1)
    expected, energy, *_ = np.linalg.lstsq(b, s - marks, rcond=None)
    spread = np.sqrt(np.diagonal(np.linalg.inv(b.T @ b)) * energy / (2 * P - UNKNOWNS))
    estimate = sketcher.decode(s, EX.structure, "least_squares")
    np.testing.assert_allclose(np.concatenate(list(estimate.attributes)), expected, rtol=1e-8)
    np.testing.assert_allclose(np.concatenate(list(estimate.standard_errors)), spread, rtol=1e-8)


def test_the_iterative_solver_agrees_and_needs_few_products():
    sketcher = simnet.Sketcher(DAG, 2 * P, seed=2)
    s = sketcher.encode(RUNS)
    direct = sketcher.decode(s, EX.structure, "least_squares", solver="direct")
    iterative = sketcher.decode(s, EX.structure, "least_squares", solver="iterative")
    assert direct.fit.iterations == 0
    assert iterative.fit.solver == "iterative"
    assert largest_error(iterative, RUNS) < 1e-8
    rough = sketcher.decode(s, EX.structure, "least_squares", solver="iterative", tolerance=1e-10)
    assert 10 < rough.fit.iterations <= 60
    assert rough.fit.residual.max() < 1e-9
    single = sketcher.decode(s[0], EX.structure, "least_squares", solver="iterative", tolerance=1e-10)
    assert rough.fit.iterations <= 1.3 * single.fit.iterations  # a batch converges as one sketch does


def test_intervals_cover_under_noise_and_narrower_ones_do_not():
    intervals, truth = [], np.concatenate(EX.attributes)
    for seed in range(150):
        sketcher = simnet.Sketcher(DAG, 2 * P, seed=seed)
        s = sketcher.encode(EX) + 1e-5 * np.random.default_rng(seed).standard_normal(2 * P)
        intervals.append(np.concatenate(list(sketcher.decode(s, EX.structure, "least_squares").interval(0.95))))
    # coordinates of one sketch are correlated: those of every sixth are looked at
    picked = np.stack(intervals)[:, ::6]
    assert covers(picked, truth[::6], 0.95)
    assert not covers(scaled(picked, 0.8), truth[::6], 0.95)


def test_objects_of_one_module_are_told_apart_and_what_cannot_be_is_said(twins):
    sketcher = simnet.Sketcher(twins.network, 64, "gaussian", seed=1)
    estimate = sketcher.decode(sketcher.encode(twins), twins.structure, "least_squares")
    assert max(np.abs(x - t).max() for x, t in zip(estimate.attributes, twins.attributes, strict=True)) < 1e-11
    flat = simnet.Sketcher(twins.network, 64, "gaussian", recipe="prototype_b", seed=1)
    estimate = flat.decode(flat.encode(twins), twins.structure, "least_squares")
    for name in ("one", "two", "three"):  # one matrix for all three: only their sum is in the sketch
        assert np.isinf(estimate.standard_errors[name]).all()
    np.testing.assert_allclose(estimate.attributes["parent"], twins.attributes[3], atol=1e-12)
    assert np.isfinite(estimate.standard_errors["parent"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "magic"}, "^solver = 'magic': must be one of"),
        ({"solvers": "direct"}, "^option of method 'least_squares' = 'solvers': must be one of .*did you mean 'solver'"),
        ({"noise": -1.0}, "^noise = -1.0: must be"),
        ({"tolerance": 2.0, "solver": "iterative"}, "^tolerance = 2.0: must be"),
    ],
)
def test_wrong_options_are_one_line(options, message):
    sketcher = simnet.Sketcher(DAG, 2 * P, seed=2)
    with pytest.raises(ValueError, match=message):
        sketcher.decode(sketcher.encode(EX), EX.structure, "least_squares", **options)


def test_a_recipe_without_attributes_has_none_to_decode():
    sketcher = simnet.Sketcher(DAG, 2 * P, recipe=simnet.Recipe(value_share=0.0), seed=2)
    with pytest.raises(ValueError, match=r"^recipe.value_share = 0: "):
        sketcher.decode(sketcher.encode(EX), EX.structure, "least_squares")
