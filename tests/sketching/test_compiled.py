"""Runs of one graph by what they have in common: the same sketches, in less time, and only where it is less."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

import simnet
from simnet.sketching import cuts, encoder
from simnet.sketching.compiled import Batch, Compiled
from simnet.sketching.cuts import best_cut, column_counts, cut, shares_weights
from simnet.threads import limited
from tests import oracle
from tests.counting import counted_products

LAYERED = simnet.networks.layered(widths=(4, 3, 2), attribute_dim=5, seed=0)
TWICE = simnet.Execution.from_objects(
    [("a", "a", [0.3, 0.4], [], []), ("b", "b", [0.5], ["a", None, "a"], [0.2, 0.1, 0.6])],
    outputs={"b": 0.5, "a": 0.4},
)
RUNS = {
    "layered": LAYERED.run(30, seed=1),
    "jittered": LAYERED.run(30, seed=1, weight_jitter=0.5),
    "weights of its own": simnet.Executions.gather([LAYERED.run(1, seed=1, weight_jitter=0.5)[0]] * 30),
    "in another order": LAYERED.run(30, seed=1)[np.random.default_rng(0).permutation(30).tolist()],
    "jittered, in another order": LAYERED.run(30, seed=1, weight_jitter=0.5)[
        np.random.default_rng(0).permutation(30).tolist()
    ],
    "random_dag": simnet.networks.random_dag(modules=7, attribute_dim=3, seed=2).run(30, seed=1),
    "jittered random_dag": simnet.networks.random_dag(modules=7, attribute_dim=3, seed=2).run(30, seed=1, weight_jitter=0.5),
    "three inputs each": simnet.networks.layered(widths=(9, 5, 3, 2), attribute_dim=3, fan_in=3, seed=0).run(30, seed=1),
    "scene": simnet.networks.scene(places=2, seed=0).run(60, seed=1),
    "jittered scene": simnet.networks.scene(places=2, seed=0).run(60, seed=1, weight_jitter=0.5),
    "an object in several slots": simnet.Executions.gather([TWICE] * 30),
}
OPTIONS = [
    {},
    {"matrices": "gaussian", "recipe": "prototype_b"},
    {"recipe": "prototype_a"},
    {"recipe": simnet.Recipe(0.3, 0.8, 0.6, 0.7, 0.9, 0.4)},
    {"dtype": "float32"},
]


def all_cuts(group):
    """Every cut of a group that differs."""
    shared = shares_weights(group)
    limits = [*sorted(set(column_counts(group.structure, shared=shared).tolist())), np.inf]
    return [cut(group.structure, most, shared=shared) for most in limits]


def encoded(sketcher, group, way):
    result = np.full((group.runs.max() + 1, sketcher.sketch_dim), np.nan, sketcher.dtype)
    sketcher._encode_group(group, result, way)
    return result[group.runs]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_cut_gives_the_sketches_of_the_transforms(name, options):
    sketcher = simnet.Sketcher(RUNS[name][0].network, 64, seed=3, **options)
    for group in RUNS[name]:
        expected, found = encoded(sketcher, group, None), []
        largest = np.abs(expected).max()
        assert largest > 0.0
        rounding = 1e-5 if sketcher.dtype == np.float32 else 1e-13
        for way in all_cuts(group):
            found.append(encoded(sketcher, group, way))
            assert found[-1].dtype == expected.dtype
            np.testing.assert_allclose(found[-1], expected, rtol=0, atol=rounding * largest)
        assert way.whole
        assert len(group) < 9 or not np.array_equal(found[-1], expected)  # another way indeed


@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_every_cut_gives_the_definition(jitter):
    """By dense matrices and the equations: the weights of every path are in it, each once."""
    net = simnet.networks.random_dag(modules=7, attribute_dim=3, seed=2)
    runs, sketcher = net.run(6, seed=1, weight_jitter=jitter), simnet.Sketcher(net, 24, "gaussian", seed=3)
    expected = sketcher.to_natural(np.stack([oracle.sketch(runs[i], sketcher) for i in range(6)]))
    (group,) = runs.groups
    assert shares_weights(group) == (jitter == 0.0)
    assert len(all_cuts(group)) > 4
    for way in all_cuts(group):
        np.testing.assert_allclose(sketcher.to_natural(encoded(sketcher, group, way)), expected, rtol=0, atol=1e-14)


def test_an_object_on_two_paths_has_columns_for_each_where_weights_differ():
    ex = simnet.Execution.from_objects(
        [("s", "s", [0.1, 0.2], [], []), ("l", "l", [0.3, 0.1], ["s"], [0.5]), ("r", "r", [0.2, 0.2], ["s"], [0.4]),
         ("t", "t", [0.6, 0.1], ["l", "r"], [0.3, 0.7])], outputs={"t": 1.0})  # fmt: skip
    assert column_counts(ex.structure, shared=True).tolist() == [3, 5, 5, 9]
    assert column_counts(ex.structure, shared=False).tolist() == [3, 6, 6, 15]
    sketcher, whole = simnet.Sketcher(ex.network, 16, seed=3), cut(ex.structure, np.inf, shared=False)
    made = Compiled(sketcher, ex.structure, whole)
    left, right, top, bottom, out = weights = np.random.default_rng(0).random((5, 7))
    batch = Batch(made, [np.full((7, 2), k + 2.0) for k in range(4)], weights.T, np.dtype(float))
    found = batch.coefficients(made.arriving[4]).T
    paths = {0: (left * top, right * bottom), 1: (top,), 2: (bottom,), 3: (1.0,)}
    expected = [out * path * z for k, several in paths.items() for path in several for z in (k + 2.0, k + 2.0, 1.0)]
    np.testing.assert_allclose(found[np.lexsort(found.T)], (rows := np.array(expected))[np.lexsort(rows.T)], rtol=1e-14)


@pytest.mark.parametrize(
    "places", [range(6), range(2, 8), [0, 2, 1, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 2, 4, 6, 8, 9]], ids=str
)
@pytest.mark.parametrize("most", [1, 5 * 64 * 8, 1 << 26])
@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_sketches_go_to_the_places_of_their_runs_however_many_at_a_time(places, most, jitter, monkeypatch):
    group = LAYERED.run(6, seed=1, weight_jitter=jitter).groups[0].subset(np.arange(6), np.array(places))
    sketcher, results = simnet.Sketcher(LAYERED, 64, seed=3), []
    monkeypatch.setattr(encoder, "BATCH_BYTES", most)
    monkeypatch.setattr(encoder, "LEVELS_BYTES", most)
    for way in (None, *all_cuts(group)):
        results.append(np.full((10, 64), 7.0))
        sketcher._encode_group(group, results[-1], way)
        np.testing.assert_allclose(results[-1], results[0], rtol=0, atol=1e-13)
        assert sorted(np.flatnonzero((results[-1] != 7.0).all(axis=1))) == sorted(places)


def test_many_runs_take_columns_and_few_do_not(monkeypatch):
    sketcher = simnet.Sketcher(LAYERED, 2048, seed=3)

    def way(n, jitter=0.0):
        return best_cut(sketcher, LAYERED.run(n, seed=1, weight_jitter=jitter).groups[0])

    assert way(1) is way(3) is way(6) is None  # not even the columns of one object are fewer
    assert way(2000).whole
    assert way(2000, 0.1).whole
    some = [way(n, 0.1) for n in range(7, 100)]
    assert any(cut is not None and cut.own and cut.kept.any() and not cut.whole for cut in some)
    taken, right = [], encoder.Compiled
    monkeypatch.setattr(encoder, "Compiled", lambda *a, **k: taken.append(a[2]) or right(*a, **k))
    sketcher.encode(LAYERED.run(3, seed=1))
    assert not taken
    sketcher.encode(LAYERED.run(2000, seed=1))
    assert taken[0].whole
    monkeypatch.setattr(cuts, "DICTIONARY_BYTES", 8 * 2048 * 47)  # 45 attributes, the marks, and not one more
    assert way(2000).whole
    assert not getattr(way(2000, 0.1), "whole", False)
    monkeypatch.setattr(cuts, "DICTIONARY_BYTES", 8 * 2048)
    assert way(2000) is None


def test_runs_without_objects_have_no_columns():
    runs = LAYERED.run(200, seed=1, activity=0.01)
    empty = next(group for group in runs if not len(group.structure))
    assert len(empty) > 20
    sketcher = simnet.Sketcher(LAYERED, 32, seed=3)
    assert best_cut(sketcher, empty) is None
    assert not sketcher.encode(empty).any()


@pytest.mark.parametrize("n", [16, 200])
def test_columns_that_are_kept_are_those_of_the_weights_at_hand(n):
    """One sketcher, one graph: other weights, weights that differ, and the first ones again."""
    group = LAYERED.run(n, seed=1).groups[0]
    jittered = LAYERED.run(n, seed=1, weight_jitter=0.5).groups[0]
    half, first_half = (simnet.networks.Group(g.structure, g.runs, g.attributes, 0.5 * g.weights) for g in (group, jittered))
    worn = simnet.Sketcher(LAYERED, 2048, seed=3)
    for one in (group, half, jittered, first_half, group, jittered):
        assert best_cut(worn, one) is not None
        fresh = simnet.Sketcher(LAYERED, 2048, seed=3)
        np.testing.assert_array_equal(worn.encode(one), fresh.encode(one))
        np.testing.assert_allclose(worn.encode(one), encoded(fresh, one, None), rtol=0, atol=1e-13)


def test_batches_of_many_sizes_form_the_columns_of_a_cut_once(monkeypatch):
    made, right = [], encoder.Compiled
    monkeypatch.setattr(encoder, "Compiled", lambda *a, **k: made.append(a[2]) or right(*a, **k))
    sketcher, sizes = simnet.Sketcher(LAYERED, 2048, seed=3), (100, 20, 500, 22, 70, 25, 64, 333)
    monkeypatch.setattr(cuts, "AGAIN", 1.0)
    for n in sizes:
        sketcher.encode(LAYERED.run(n, seed=n, weight_jitter=0.5))
    assert sorted(way.whole for way in made) == [False, True]
    monkeypatch.setattr(encoder, "DICTIONARY_BYTES", right(sketcher, LAYERED.run(1)[0].structure, made[0]).nbytes)
    sketcher._shared_columns = ()
    for n in sizes[:3]:
        sketcher.encode(LAYERED.run(n, seed=n, weight_jitter=0.5))
        assert len(sketcher._shared_columns) == 1
    for weight in range(10):  # another graph each, so to say
        group = LAYERED.run(100, seed=1).groups[0]
        sketcher.encode(simnet.networks.Group(group.structure, group.runs, group.attributes, (weight + 1.0) * group.weights))
    assert len(sketcher._shared_columns) == 1
    monkeypatch.setattr(encoder, "DICTIONARY_BYTES", 1 << 28)
    for weight in range(10):
        sketcher.encode(simnet.networks.Group(group.structure, group.runs, group.attributes, (weight + 1.0) * group.weights))
    assert len(sketcher._shared_columns) == encoder.KEPT_CUTS


def test_how_many_runs_go_together_depends_on_what_is_left_of_the_structure(monkeypatch):
    """Of nine objects two have sketches of runs: more than four times as many runs have room."""
    group = LAYERED.run(64, seed=1).groups[0]
    way = cut(group.structure, 17, shared=True)
    assert np.count_nonzero(~way.kept) == 2
    sketcher, sizes, right = simnet.Sketcher(LAYERED, 64, seed=3), [], encoder.Batch
    monkeypatch.setattr(encoder, "Batch", lambda *a: sizes.append(len(a[1][0])) or right(*a))
    monkeypatch.setattr(encoder, "LEVELS_BYTES", 9 * 64 * 8 * 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    encoded(sketcher, group, way)
    assert sum(sizes) == 64
    assert max(sizes) == 16  # and 4 of all nine
    assert (encoder.TASK_BYTES // (16 * 64 * 8), False, way.kept.tobytes(), False) in group.structure.plans  # by levels


@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_coefficients_of_many_runs_are_not_in_memory_at_once(jitter, monkeypatch):
    group = LAYERED.run(640, seed=1, weight_jitter=jitter).groups[0].subset(np.arange(640), np.arange(640)[::-1])
    way, sketcher = cut(group.structure, np.inf, shared=jitter == 0.0), simnet.Sketcher(LAYERED, 8, seed=3)
    assert way.held > 40
    sizes, right = [], encoder.Batch
    monkeypatch.setattr(encoder, "Batch", lambda *a: sizes.append(len(a[1][0])) or right(*a))
    monkeypatch.setattr(encoder, "BATCH_BYTES", 64 * int(way.held) * 8)
    encoded(sketcher, group, way)
    assert sizes == [64] * 10


@pytest.mark.parametrize(("family", "woken"), [("trig", False), ("gaussian", True)])
@pytest.mark.parametrize("most", [15, np.inf])
def test_products_with_columns_do_not_wake_threads_that_transforms_could_use(family, woken, most, monkeypatch):
    blas, found, right = ThreadpoolController().select(user_api="blas"), [], encoder.Batch

    def threads():
        return {library.num_threads for library in blas.lib_controllers}

    monkeypatch.setattr(encoder, "Batch", lambda *a: found.append(threads()) or right(*a))
    group = LAYERED.run(64, seed=1).groups[0]
    with blas.limit(limits=2):
        encoded(simnet.Sketcher(LAYERED, 64, family, seed=3), group, cut(group.structure, most, shared=True))
        assert threads() == {2}
    assert found
    assert all(count == ({2} if woken else {1}) for count in found)


@pytest.mark.parametrize("most", [15, np.inf])
def test_columns_give_the_same_bits_on_one_two_and_five_threads(most, monkeypatch):
    group, found, sizes, right = LAYERED.run(64, seed=1).groups[0], [], [], encoder.Batch
    monkeypatch.setattr(encoder, "Batch", lambda *a: sizes[-1].append(len(a[1][0])) or right(*a))
    monkeypatch.setattr(encoder, "BATCH_BYTES", 16 * 64 * 8)
    monkeypatch.setattr(encoder, "BATCH_ROWS", 1)
    for count in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        sizes.append([])
        found.append(encoded(simnet.Sketcher(LAYERED, 64, seed=3), group, cut(group.structure, most, shared=True)))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    assert sizes[0] == sizes[1] == sizes[2]  # BLAS may round a row otherwise in other company


def test_so_many_paths_that_they_cannot_be_counted():
    """1100 objects, each in both slots of the next: 2¹¹⁰⁰ paths."""
    objects = [("0", "m0", [0.5], [], [])]
    objects += [(str(k), f"m{k}", [0.5], [str(k - 1)] * 2, [0.5, 0.5]) for k in range(1, 1100)]
    ex = simnet.Execution.from_objects(objects, outputs={"1099": 1.0})
    with np.errstate(all="raise"):
        counts = column_counts(ex.structure, shared=False)
    assert counts[0] == 2.0
    assert np.isinf(counts[-1])
    jittered = simnet.networks.Group(
        ex.structure,
        np.arange(50),
        tuple(np.ones((50, 1)) for _ in range(1100)),
        np.random.default_rng(0).random((50, 2199)),
    )
    way = best_cut(simnet.Sketcher(ex.network, 64, seed=3), jittered)
    assert way is None or not way.whole


@pytest.mark.parametrize("defect", simnet.testing.DEFECTS)
def test_a_defect_is_not_passed_by(defect, monkeypatch):
    """Whoever overrides ``forward``, a matrix or a key gets what they did, in many runs as in few."""
    sketcher, runs = simnet.testing.DEFECTS[defect](LAYERED, 64, seed=3), LAYERED.run(500, seed=1)
    np.testing.assert_allclose(sketcher.encode(runs)[:3], sketcher.encode(runs[:3]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["layered", "jittered", "random_dag", "jittered random_dag", "jittered scene"])
def test_it_takes_as_many_products_as_it_counts(name, monkeypatch):
    made, tried = counted_products(monkeypatch), 0
    for group in RUNS[name]:
        for way in all_cuts(group):
            sketcher, result = simnet.Sketcher(group.structure.network, 64, seed=3), np.empty((60, 64))
            by_columns, by_rows = (
                {group.structure.modules[k] for k in np.flatnonzero(kept)} for kept in (way.kept, ~way.kept)
            )
            marks = 0 if way.own else len(by_rows - by_columns)  # R_{M,2} e₁, once for a module
            made.clear()
            sketcher._encode_group(group, result, way)
            assert sum(made) == way.columns + len(group) * way.rows + marks
            tried += way.rows > 0 and way.columns > 0
    assert tried > 1


def test_the_model_of_the_cost_picks_the_faster_way():
    """Processor time on one thread.  A pick is wrong if another way takes less than 0.9 of its time, or a dictionary costs
    more than it may for serving again: 3 of 50 may be."""
    wrong, tried = [], 0
    with threadpool_limits(1), limited(1):
        for net, size in ((LAYERED, 128), (LAYERED, 2048), (simnet.networks.tree(height=3, attribute_dim=20, seed=0), 512)):
            for jitter in (0.0, 0.5):
                runs = net.run(256, seed=1, weight_jitter=jitter)
                for family in ("trig", "gaussian")[: 2 if size < 1024 else 1]:
                    sketcher = simnet.Sketcher(net, size, family, seed=1)
                    for n in (1, 4, 16, 64, 256):
                        group = runs[:n].groups[0]
                        shared = shares_weights(group)
                        ways = [None, *(cut(group.structure, most, shared=shared) for most in (n, np.inf))]
                        times = [best(sketcher, group, way) for way in ways]
                        pick = best_cut(sketcher, group)
                        tried += 1
                        again = cuts.AGAIN if pick is not None and pick.whole else 1.0
                        if times[ways.index(pick)] > again * min(times) / 0.9:
                            wrong.append((size, family, jitter, n, pick, times))
    assert tried == 50
    assert len(wrong) <= 3, wrong


def best(sketcher, group, way):
    result, times = np.empty((len(group), sketcher.sketch_dim)), []
    for _ in range(3):
        sketcher._shared_columns = ()  # forming the columns is part of it
        start = process_time()
        sketcher._encode_group(group, result, way)
        times.append(process_time() - start)
    return min(times)
