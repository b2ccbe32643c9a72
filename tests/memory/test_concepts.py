"""A module that did not exist shows up as a new concept, dated; clusters that were always there do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import simnet
from simnet.memory import SketchStore, onset_of

DAY = 86400.0
START = datetime(2024, 1, 1, tzinfo=UTC)
JULY = datetime(2024, 7, 1, tzinfo=UTC)


# -- onsets -------------------------------------------------------------------------------------------------------------


def series(seed, before, after, runs=400, change=250):
    draw = np.random.default_rng(seed)
    return np.arange(runs) * DAY, draw.random(runs) < np.where(np.arange(runs) < change, before, after)


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.2), (0.02, 0.3)])
def test_intervals_of_an_onset_cover_at_least_as_often_as_they_say(before, after):
    """Each of 400 series; fewer than 337 of 400 at 90 % have probability 1e-4 for a right interval."""
    inside, dated = 0, []
    for seed in range(400):
        onset = onset_of(*series(seed, before, after), level=0.9)
        change = datetime.fromtimestamp(249.5 * DAY, UTC)
        inside += onset.low <= change <= onset.high
        dated.append(abs((onset.time - change).days))
        assert onset.odds > 1.0
    assert inside > 337
    assert np.median(dated) <= 7


def test_there_is_no_onset_where_nothing_changes():
    odds = [onset_of(*series(seed, 0.2, 0.2)).odds for seed in range(300)]
    assert np.mean(np.array(odds) > 100) <= 0.02
    assert onset_of(*series(0, 0.0, 0.2)).is_new
    assert not onset_of(*series(0, 0.3, 0.9)).is_new
    assert not onset_of(*series(0, 0.3, 0.0)).is_new


def test_the_order_in_which_runs_are_given_does_not_matter():
    times, member = series(0, 0.0, 0.3)
    order = np.random.default_rng(0).permutation(len(times))
    assert onset_of(times[order], member[order]) == onset_of(times, member)
    with pytest.raises(ValueError, match="times: has 1 entries"):
        onset_of([0.0], [True])
    with pytest.raises(ValueError, match="level = 2"):
        onset_of(times, member, 2)


# -- a simulated year ---------------------------------------------------------------------------------------------------


def year(path, seed, places=3, runs=4 * 365, robots=0.3, storage="float32"):
    """Four rooms a day; robots, which the network of the store does not know, are about from July on."""
    kinds = ("cat", "person", "table", "chair")
    network = simnet.networks.scene(kinds=(*kinds, "robot"), places=places, seed=0)
    draw = np.random.default_rng(seed)
    times = [START + timedelta(days=365 * i / runs) for i in range(runs)]
    active = draw.random((runs, 5)) < 0.6
    active[:, 4] = np.array([t >= JULY for t in times]) & (draw.random(runs) < robots)
    made = network.run(runs, seed=seed, activity=active)
    sketches = simnet.Sketcher(network, 512, seed=3).encode(made)
    known = simnet.Sketcher(simnet.networks.scene(kinds=kinds, places=places, seed=0), 512, seed=3)
    store = SketchStore.create(path, known, storage=storage)
    store.add(sketches, time=times)
    there = np.array([any(o.module == "robot" for o in made[i].objects) for i in range(runs)])
    return store, 1 + np.flatnonzero(there)


@pytest.mark.parametrize(("seed", "storage"), [(1, "float32"), (4, "int8")])
def test_a_module_that_is_introduced_in_july_is_found_and_dated_within_a_week(tmp_path, seed, storage):
    pytest.importorskip("sklearn")
    store, robots = year(tmp_path / "year", seed, storage=storage)
    with store:
        found = store.concepts()
    new = [concept for concept in found if concept.is_new]
    assert len(new) == 1
    assert new[0].novel
    assert len(np.intersect1d(new[0].ids, robots)) > 0.9 * len(robots)
    assert len(np.setdiff1d(new[0].ids, robots)) < 0.1 * len(robots)
    assert new[0].exemplar in robots
    assert abs(new[0].onset.time - JULY) < timedelta(days=7)
    assert new[0].onset.low <= JULY + timedelta(days=1)
    assert len(found) > 2


def test_without_a_new_module_there_is_no_new_concept(tmp_path):
    pytest.importorskip("sklearn")
    store, robots = year(tmp_path / "year", 1, robots=0.0)
    assert robots.size == 0
    with store:
        assert not any(concept.is_new for concept in store.concepts())


def test_what_is_known_can_be_said(tmp_path):
    pytest.importorskip("sklearn")
    store, _ = year(tmp_path / "year", 1)
    with store:
        for concept in store.concepts(reference={"before": "2025-01-01"}):
            assert not concept.novel
        assert store.concepts({"ids": [1, 2, 3]}) == []
        with pytest.raises(ValueError, match="smallest = 1"):
            store.concepts(smallest=1)
        with pytest.raises(ValueError, match="components = 0"):
            store.concepts(components=0)


def test_without_the_library_it_is_said_what_to_install(filled, monkeypatch):
    monkeypatch.setattr("simnet.memory.concepts.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="install the extra 'memory'"):
        filled.concepts()
