"""Same seed, same sketch: whatever the batch, the order, or what else was encoded before.

Families without a matrix product (``trig``, ``packet``) give the same bits, on processors whose vector lanes round as
scalars do, as long as no columns are formed, which takes more than ``a + 1`` runs of one graph.  Products of dense and of
sparse matrices, and of columns, are summed in an order that depends on the batch: there it is the same up to a few units in
the last place of the largest coordinate, which is also what other processors and numbers of threads may change.
Workers and clusters are in ``tests/study/test_engine.py``.
"""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.matrices import FAMILIES
from simnet.sketching import encoder

NETWORK = simnet.networks.random_dag(modules=10, attribute_dim=5, seed=0)
RUNS = NETWORK.run(12, seed=1)

#: Families whose products are the same bits in any batch.
EXACT = ("trig", "packet")


def same(one, other, family):
    if family in EXACT:
        return np.array_equal(one, other)
    return bool(np.abs(one - other).max() <= 64.0 * np.finfo(float).eps * np.abs(one).max())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sketch_does_not_depend_on_its_batch_or_on_the_order(family):
    sketcher = simnet.Sketcher(NETWORK, 96, family, seed=2)
    together = sketcher.encode(RUNS)
    assert np.array_equal(together, simnet.Sketcher(NETWORK, 96, family, seed=2).encode(RUNS))
    assert same(together, np.stack([sketcher.encode(RUNS[i]) for i in range(12)]), family)
    order = np.random.default_rng(0).permutation(12)
    assert same(together[order], sketcher.encode(RUNS[order]), family)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sketch_dim", [2048, 16384])
def test_not_a_bit_depends_on_the_batch_where_sums_are_long_and_sketches_large(sketch_dim, dtype, monkeypatch):
    """Three and more inputs each, tasks and batches of many sizes, on one thread and on two."""
    wide = simnet.networks.layered(widths=(20, 6, 2), attribute_dim=3, fan_in=5, seed=0)
    runs, sketches = wide.run(7, seed=1), []
    monkeypatch.setattr(encoder, "best_cut", lambda *_: None)
    assert max(len(names) for names in runs[0].structure.inputs) >= 3
    for count in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        sketcher = simnet.Sketcher(wide, sketch_dim, seed=2, dtype=dtype)
        alone = len(runs[0].structure) * sketch_dim * sketcher.dtype.itemsize
        for task, levels in ((1 << 18, 1 << 30), (1 << 20, 2 * alone), (1 << 25, alone)):
            monkeypatch.setattr(encoder, "TASK_BYTES", task)
            monkeypatch.setattr(encoder, "LEVELS_BYTES", levels)
            sketches.append(sketcher.encode(runs))
            sketches.append(np.concatenate([sketcher.encode(runs[some]) for some in ([0], [1, 2], [3, 4, 5, 6])]))
    for other in sketches[1:]:
        np.testing.assert_array_equal(other, sketches[0])


@pytest.mark.parametrize("family", EXACT)
def test_not_a_bit_depends_on_the_batch_where_only_one_run_alone_goes_by_levels(family, monkeypatch):
    wide = simnet.networks.layered(widths=(20, 6, 2), attribute_dim=3, fan_in=5, seed=0)
    runs, sketcher = wide.run(7, seed=1, weight_jitter=0.5), simnet.Sketcher(wide, 960, family, seed=2)
    monkeypatch.setattr(encoder, "best_cut", lambda *_: None)
    monkeypatch.setattr(encoder, "LEVELS_BYTES", 28 * 960 * 8)
    monkeypatch.setattr(encoder, "TASK_BYTES", 1 << 16)
    np.testing.assert_array_equal(sketcher.encode(runs), np.concatenate([sketcher.encode(runs[[i]]) for i in range(7)]))


def test_not_a_bit_depends_on_threads_where_objects_go_one_by_one_on_one_of_them(monkeypatch):
    """Of sketches too large for two at a time: two threads take two objects together, one takes them one after the other."""
    wide = simnet.networks.layered(widths=(20, 6, 2), attribute_dim=3, fan_in=5, seed=0)
    run, sketcher = wide.run(1, seed=1)[0], simnet.Sketcher(wide, 2048, seed=2)
    y, found = np.random.default_rng(0).standard_normal(2048), []
    monkeypatch.setattr(encoder, "LEVELS_BYTES", 1)
    monkeypatch.setattr(encoder, "TASK_BYTES", 1)
    for count in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        found.append((sketcher.encode(run), sketcher.operator(run).rmatvec(y)))
    tasks = {apart: len(kept) for (*_, apart), kept in run.structure.plans.items() if isinstance(apart, bool)}
    assert tasks[True] == len(run.structure) > tasks[False]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("jitter", [0.0, 0.5])
@pytest.mark.parametrize("size", [40, 400])
def test_columns_change_no_more_than_the_last_places(size, jitter, monkeypatch):
    wide = simnet.networks.layered(widths=(20, 6, 2), attribute_dim=3, fan_in=5, seed=0)
    runs, found = wide.run(size, seed=1, weight_jitter=jitter), []
    sketcher = simnet.Sketcher(wide, 2048, seed=2)
    alone = np.concatenate([sketcher.encode(runs[[i]]) for i in range(5)])
    way = encoder.best_cut(sketcher, runs.groups[0])
    assert way.kept.any()
    for count in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        for part in (slice(None), slice(0, size // 2)):
            found.append(sketcher.encode(runs[part])[:5])
            assert not np.array_equal(found[-1], alone)
            np.testing.assert_allclose(found[-1], alone, rtol=0, atol=64.0 * np.finfo(float).eps * np.abs(alone).max())


def test_a_group_without_runs_has_no_sketches():
    group = RUNS.groups[0].subset([], [])
    assert simnet.Sketcher(NETWORK, 96, seed=2).encode(group).shape == (0, 96)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sketcher_that_has_worked_is_as_one_that_has_not(family):
    fresh, worn = (simnet.Sketcher(NETWORK, 96, family, seed=2) for _ in range(2))
    for seed in (3, 4):
        worn.decode(worn.encode(NETWORK.run(1, seed=seed)[0]), RUNS[0].structure)
    assert np.array_equal(fresh.encode(RUNS), worn.encode(RUNS))


def test_runs_do_not_depend_on_how_many_are_asked_for():
    few, many = NETWORK.run(3, seed=5), NETWORK.run(300, seed=5)
    for i in range(3):
        for x, y in zip(few[i].attributes, many[i].attributes, strict=True):
            np.testing.assert_allclose(x, y, rtol=0, atol=1e-15)


@pytest.mark.parametrize("family", FAMILIES)
def test_another_seed_is_another_sketch(family):
    """The negative control."""
    one, other = (simnet.Sketcher(NETWORK, 96, family, seed=seed).encode(RUNS) for seed in (2, 3))
    assert not same(one, other, family)
