"""Which runs contain a module or a part: against the planted truth, and false alarms as often as was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.decoding.parts import part_evidence
from simnet.memory import SketchStore
from tests.statistical import covers


def face(seed, eyes=("left", "right")):
    draw = np.random.default_rng(seed)

    def vector(dim):
        x = np.abs(draw.standard_normal(dim))
        return x / np.linalg.norm(x)

    objects = [(f"{side} {seed}", "eye", vector(4), [], []) for side in eyes]
    return [*objects, (f"face {seed}", "face", vector(6), [name for name, *_ in objects], [0.5, 0.5])]


def picture(*seeds, thing=None):
    """A room with faces, the first in the first place, and perhaps a thing in the last."""
    objects = [o for seed in seeds if seed is not None for o in face(seed)]
    names = [None if seed is None else f"face {seed}" for seed in seeds]
    if thing is not None:
        objects.append(("thing", "thing", thing, [], []))
    slots = [*names, *[None] * (2 - len(names)), None if thing is None else "thing"]
    objects.append(("room", "room", [0.5, 0.5], slots, [0.4, 0.4, 0.2]))
    return simnet.Execution.from_objects(objects, outputs={"room": 1.0}, network=NET)


NET = simnet.networks.ModularNetwork(
    (
        simnet.networks.Module("eye", 4),
        simnet.networks.Module("face", 6, tuple(simnet.networks.Slot(("eye",), 0.5) for _ in range(2))),
        simnet.networks.Module("thing", 3),
        simnet.networks.Module(
            "room",
            2,
            (*(simnet.networks.Slot(("face",), 0.4) for _ in range(2)), simnet.networks.Slot(("thing",), 0.2)),
        ),
    ),
    (simnet.networks.Slot(("room",), 1.0),),
)
PICTURES = [
    picture(7),
    picture(8),
    picture(8, 7),
    picture(thing=[0.3, 0.3, 0.3]),
    picture(9, 10),
    picture(None, 7),
    picture(),
]


@pytest.fixture(params=["float32", "int8"])
def album(tmp_path, request):
    sketcher = simnet.Sketcher(NET, 4096, seed=3)
    with SketchStore.create(tmp_path / "album", sketcher, storage=request.param) as store:
        for picture in PICTURES:
            store.add_runs(picture)
        yield store


@pytest.mark.parametrize("method", ["joint", "auto"])
def test_the_runs_with_a_module_are_found(album, method):
    assert sorted(album.containing_module("face", method=method).matches) == [1, 2, 3, 5, 6]
    assert sorted(album.containing_module("thing", method=method).matches) == [4]
    found = album.containing_module("face", {"ids": [2, 3, 4]}, method=method)
    np.testing.assert_allclose(found.amount, [0.4, 0.8, 0.0], atol=0.05)
    low, high = found.interval(0.999).T
    assert ((low <= [0.4, 0.8, 0.0]) & (high >= [0.4, 0.8, 0.0])).all()


def test_this_very_face_is_found_in_any_place_and_no_other_face(album):
    found = album.containing_part(PICTURES[0], "face 7")
    assert sorted(found.matches) == [1, 3, 6]
    np.testing.assert_allclose(found.amount[found.contains], 1.0, atol=0.05)
    assert sorted(album.containing_part(PICTURES[2], "face 8").matches) == [2, 3]
    assert sorted(album.containing_part(PICTURES[2], "right 8").matches) == [2, 3]
    assert album.containing_part(picture(11), "face 11").matches.size == 0
    assert sorted(album.containing_part(PICTURES[0], "face 7", {"ids": [2, 3]}).matches) == [3]


def test_by_its_sub_sketch_a_face_is_told_from_its_absence(tmp_path):
    sketcher = simnet.Sketcher(NET, 4096, recipe=simnet.Recipe(0.8, 0.6, 0.7, 0.7, 0.7, 0.7), seed=3)
    with SketchStore.create(tmp_path / "album", sketcher) as store:
        for picture in PICTURES:
            store.add_runs(picture)
        found = store.containing_part(PICTURES[0], "face 7", method="matched")
        assert {1, 2} <= set(found.matches.tolist())
        assert 4 not in found.matches
        assert 7 not in found.matches
        assert found.amount[0] == pytest.approx(1.0, abs=0.15)
        assert found.amount[1] < found.amount[0]


@pytest.mark.parametrize("matrices", ["trig", "gaussian"])
def test_false_alarms_are_as_rare_as_they_should_be(matrices):
    """Over sketchers: p-values of what is not there are uniform, those of what is there are not."""
    recipe = simnet.Recipe(0.8, 0.6, 0.7, 0.7, 0.7, 0.7)
    absent, there, shares = [], [], []
    for seed in range(150):
        sketcher = simnet.Sketcher(NET, 128, matrices, recipe, seed=seed)
        sketches = sketcher.observe(np.stack([sketcher.encode(PICTURES[i]) for i in (3, 0)]))
        evidence = part_evidence(sketcher, sketches, PICTURES[0], "face 7")
        absent.append(evidence.p_value[0])
        there.append(evidence.p_value[1])
        shares.append(evidence.share[1])
    assert scipy.stats.kstest(absent, "uniform").pvalue > 1e-6
    assert scipy.stats.kstest(there, "uniform").pvalue < 1e-6
    assert abs(np.mean(shares) - 1.0) < 5 * np.std(shares) / np.sqrt(150)


def test_false_alarms_of_modules_are_as_rare_as_they_should_be(tmp_path):
    p_values, joint = [], []
    for seed in range(40):
        sketcher = simnet.Sketcher(NET, 256, seed=seed)
        with SketchStore.create(tmp_path / f"{seed}", sketcher, storage="int8") as store:
            store.add_runs(PICTURES[3])
            p_values.append(store.containing_module("face", method="matched").p_value[0])
            joint.append(store.containing_module("face", method="joint").interval(0.9)[0])
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 1e-6
    assert covers(joint, 0.0, 0.9)


def test_a_part_under_other_weights_is_the_same_part(album):
    objects = [*face(7), ("room", "room", [0.1, 0.9], [None, "face 7"], [0.1, 0.3])]
    key = album.add_runs(simnet.Execution.from_objects(objects, outputs={"room": 0.9}, network=NET))
    assert key in album.containing_part(PICTURES[0], "face 7").matches


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.containing_module("dog"), "module = 'dog'"),
        (lambda s: s.containing_module("face", false_alarm=0), "false_alarm = 0"),
        (lambda s: s.containing_module("face", method="fast"), "method = 'fast'"),
        (lambda s: s.containing_part(PICTURES[0], "face 8"), "object = 'face 8'"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(album, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(album)


def test_where_nothing_mixes_objects_of_one_module_are_not_told_apart(filled, rooms):
    with pytest.raises(ValueError, match="all places of a module look alike"):
        filled.containing_part(rooms[0], 0, method="joint")
    assert filled.containing_part(rooms[0], 0, {"tags": ["none"]}).matches.size == 0
