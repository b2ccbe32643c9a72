"""Many runs of one graph by the dictionary: the same sketches, in less time, and only where it is less."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import simnet
from simnet.sketching import compiled, encoder
from simnet.threads import limited
from tests.counting import counted_products

LAYERED = simnet.networks.layered(widths=(4, 3, 2), attribute_dim=5, seed=0)
RUNS = {
    "layered": LAYERED.run(30, seed=1),
    "weights of its own": simnet.Executions.gather([LAYERED.run(1, seed=1, weight_jitter=0.5)[0]] * 30),
    "in another order": LAYERED.run(30, seed=1)[np.random.default_rng(0).permutation(30).tolist()],
    "random_dag": simnet.networks.random_dag(modules=7, attribute_dim=3, seed=2).run(30, seed=1),
    "scene": simnet.networks.scene(places=2, seed=0).run(60, seed=1),
}


def both_ways(runs, monkeypatch, **options):
    sketcher = simnet.Sketcher(runs[0].network, 64, seed=3, **options)
    found = []
    for way in (True, False):
        monkeypatch.setattr(encoder, "pays", lambda *_, way=way: way)
        found.append(sketcher.encode(runs))
    return found


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("options", [{}, {"matrices": "gaussian", "recipe": "prototype_b"}, {"dtype": "float32"}], ids=str)
def test_the_dictionary_gives_the_sketches_of_the_transforms(name, options, monkeypatch):
    by_dictionary, by_transforms = both_ways(RUNS[name], monkeypatch, **options)
    assert by_dictionary.dtype == by_transforms.dtype
    largest = np.abs(by_transforms).max()
    assert largest > 0.0
    assert not np.array_equal(by_dictionary, by_transforms)  # two ways indeed
    rounding = 1e-5 if by_transforms.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(by_dictionary, by_transforms, rtol=0, atol=rounding * largest)


@pytest.mark.parametrize(
    "places", [range(6), range(2, 8), [0, 2, 1, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 2, 4, 6, 8, 9]], ids=str
)
@pytest.mark.parametrize("most", [1, 5 * 64 * 8, 1 << 26])
def test_sketches_go_to_the_places_of_their_runs_however_many_at_a_time(places, most, monkeypatch):
    group = RUNS["layered"].groups[0].subset(np.arange(6), np.array(places))
    sketcher = simnet.Sketcher(LAYERED, 64, seed=3)
    by_dictionary, by_transforms = np.full((2, 10, 64), 7.0)
    monkeypatch.setattr(encoder, "BATCH_BYTES", most)
    sketcher._by_dictionary(group, by_dictionary)
    sketcher._by_transforms(group, by_transforms)
    np.testing.assert_allclose(by_dictionary, by_transforms, rtol=0, atol=1e-13)
    assert sorted(np.flatnonzero((by_dictionary != 7.0).all(axis=1))) == sorted(places)


def test_many_runs_take_the_dictionary_and_few_do_not(monkeypatch):
    taken = []
    right = encoder.compiled
    monkeypatch.setattr(encoder, "compiled", lambda *a: taken.append(1) or right(*a))
    sketcher = simnet.Sketcher(LAYERED, 64, seed=3)
    sketcher.encode(LAYERED.run(3, seed=1))
    sketcher.encode(LAYERED.run(2000, seed=1, weight_jitter=0.1))
    assert not taken
    sketcher.encode(LAYERED.run(2000, seed=1))
    assert taken
    monkeypatch.setattr(compiled, "DICTIONARY_BYTES", 8 * 64)
    sketcher.encode(LAYERED.run(2000, seed=1))
    assert len(taken) == 1


@pytest.mark.parametrize("defect", simnet.testing.DEFECTS)
def test_a_defect_is_not_passed_by(defect, monkeypatch):
    """Whoever overrides ``forward``, a matrix or a key gets what they did, in many runs as in few."""
    sketcher, runs = simnet.testing.DEFECTS[defect](LAYERED, 64, seed=3), LAYERED.run(500, seed=1)
    np.testing.assert_allclose(sketcher.encode(runs)[:3], sketcher.encode(runs[:3]), rtol=0, atol=1e-14)


def test_it_forms_the_dictionary_in_as_many_products_as_it_counts(monkeypatch):
    made = counted_products(monkeypatch)
    for name in ("layered", "random_dag", "scene"):
        structure = RUNS[name][0].structure
        made.clear()
        compiled.compiled(simnet.Sketcher(structure.network, 64, seed=3), structure)
        assert sum(made) == compiled.column_products(structure)


def test_the_model_of_the_cost_picks_the_faster_way():
    """Processor time on one thread.  A pick is wrong if the other way takes less than 0.9 of its time: 1 of 25 may be."""
    wrong = []
    with threadpool_limits(1), limited(1):
        for net, size in ((LAYERED, 128), (LAYERED, 2048), (simnet.networks.tree(height=3, attribute_dim=20, seed=0), 512)):
            runs = net.run(256, seed=1)
            for family in ("trig", "gaussian")[: 2 if size < 1024 else 1]:
                sketcher = simnet.Sketcher(net, size, family, seed=1)
                for n in (1, 4, 16, 64, 256):
                    group = runs[:n].groups[0]
                    times = {way: best(way, sketcher, group) for way in ("_by_dictionary", "_by_transforms")}
                    pick = "_by_dictionary" if compiled.pays(sketcher, group) else "_by_transforms"
                    if times[pick] > min(times.values()) / 0.9:
                        wrong.append((size, family, n, pick, times))
    assert len(wrong) <= 1, wrong


def best(way, sketcher, group):
    result, times = np.empty((len(group), sketcher.sketch_dim)), []
    for _ in range(3):
        sketcher._last = None  # forming the dictionary is part of it
        start = process_time()
        getattr(sketcher, way)(group, result)
        times.append(process_time() - start)
    return min(times)
