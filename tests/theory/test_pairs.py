"""Kernels of many pairs at once are those of the pairs one by one, however the runs are stacked."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

import simnet
from simnet import theory
from simnet.theory import pairs
from tests import oracle

RUNS = {
    "scene": simnet.networks.scene(places=5, seed=1).run(8, seed=3, weight_jitter=0.5),
    "missing inputs": simnet.networks.random_dag(modules=7, seed=2).run(8, seed=3, activity=0.7),
    "one graph": simnet.networks.layered(widths=(4, 3, 2), seed=2).run(8, seed=3),
    "eight networks": simnet.Executions.gather([oracle.random_execution(seed, modules=7, height=5) for seed in range(8)]),
}


def one_by_one(left, right, recipe="recursive"):
    return np.array([[theory.kernel(left[i], right[j], recipe=recipe) for j in range(len(right))] for i in range(len(left))])


@pytest.mark.parametrize("stacked", [1, 30, 1000])
@pytest.mark.parametrize("name", RUNS)
def test_any_size_of_stack_gives_the_kernels_one_by_one(name, stacked, monkeypatch):
    monkeypatch.setattr(pairs, "STACKED", stacked)
    runs = RUNS[name]
    for recipe in ("prototype_b", simnet.Recipe(0.9, 0.3, 0.7, 0.4, 0.6, 0.2)):
        expected = one_by_one(runs, runs, recipe)
        np.testing.assert_allclose(theory.kernel_matrix(runs, recipe=recipe), expected, rtol=1e-12, atol=1e-18)
        half = theory.kernel_matrix(runs[:5], runs[5:], recipe=recipe)
        np.testing.assert_allclose(half, expected[:5, 5:], rtol=1e-12, atol=1e-18)


def test_every_run_is_in_one_stack_and_runs_of_one_graph_share_their_objects():
    runs = RUNS["one graph"]
    order, size = runs[0].network.order, len(runs[0].structure) + 1
    made = pairs.stack(runs.groups, order, set(order))
    assert sorted(made.runs) == list(range(len(runs)))
    assert made.modules.size == size
    jittered = simnet.networks.layered(widths=(4, 3, 2), seed=2).run(8, seed=3, weight_jitter=0.5)
    assert pairs.stack(jittered.groups, order, set(order)).modules.size == 8 * size


def chain(lower, upper):
    return simnet.Execution.from_objects(
        [("lower", lower, [0.5], [], []), ("upper", upper, [0.5], ["lower"], [1.0])], outputs={"upper": 1.0}
    )


def test_networks_without_a_common_order_are_taken_two_at_a_time():
    runs = simnet.Executions.gather([chain("a", "b"), chain("b", "c"), chain("c", "a"), chain("a", "b")])
    np.testing.assert_allclose(theory.kernel_matrix(runs), one_by_one(runs, runs), rtol=1e-12)
    with pytest.raises(ValueError, match=r"kernel: the union of the module graphs has the cycle .*, it must be acyclic"):
        theory.kernel_matrix(runs, simnet.Executions.gather([chain("b", "a")]))


def test_no_runs_have_no_kernels():
    assert theory.kernel_matrix(RUNS["scene"][:0], RUNS["scene"]).shape == (0, 8)


def test_many_pairs_together_are_far_faster_than_one_by_one():
    """Measured: 200 times for scenes of 20 objects.  A hundred pairs one by one, against all 1,600 at once."""
    runs = simnet.networks.scene(places=19, seed=0).run(40, seed=1)
    executions = [runs[i] for i in range(len(runs))]
    theory.kernel_matrix(runs)
    start = perf_counter()
    theory.kernel_matrix(runs)
    together = (perf_counter() - start) / 1600
    start = perf_counter()
    for i in range(100):
        theory.kernel(executions[i % 40], executions[(7 * i + 3) % 40])
    assert together < (perf_counter() - start) / 100 / 20
