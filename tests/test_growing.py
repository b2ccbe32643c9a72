"""A network that grows changes no old matrix and no old sketch, bit for bit; old sketches stay comparable and decodable."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.memory import SketchStore
from simnet.networks import Module, Slot, adopted

OLD = simnet.networks.scene(kinds=("cat", "chair"), places=3, attribute_dim=6, seed=0)
#: A new kind of thing, a new input of a thing, wider cats, a fourth place in the room, a second output.
NEW = OLD.grown(
    [Module("robot", 5, (Slot(("battery",), 1.0),)), Module("battery", 2), Module("weather", 3)],
    widths={"cat": 11, "room": 8},
    sources={("room", i): ["robot"] for i in range(3)},
    slots={"room": [Slot(("robot", "cat"), 0.0)], None: [Slot(("weather",), 0.0)]},
)
FAMILIES = ("trig", "gaussian", "rademacher", "haar", "block", "packet")
ROLES = ("value", "presence", "object", "attribute", "input")


def sketchers(matrices, sketch_dim=192, seed=3):
    return tuple(simnet.Sketcher(net, sketch_dim, matrices, seed=seed) for net in (OLD, NEW))


@pytest.mark.parametrize("matrices", FAMILIES)
def test_no_old_matrix_changes(matrices):
    old, new = sketchers(matrices)
    np.testing.assert_array_equal(old.bank.order, new.bank.order)
    for module in OLD.modules:
        for role in (*ROLES, *range(len(module.slots))):
            before, after = (s.matrix(module.name, role).todense() for s in (old, new))
            if matrices == "haar" and after.shape != before.shape:  # the same up to rounding only
                np.testing.assert_allclose(after[:, : before.shape[1]], before, atol=1e-14)
            else:
                np.testing.assert_array_equal(after[:, : before.shape[1]], before)
    np.testing.assert_array_equal(old.matrix("root", 0).todense(), new.matrix("root", 0).todense())
    other = simnet.Sketcher(NEW, 192, matrices, seed=4)
    assert not np.array_equal(other.matrix("cat", "object").todense(), old.matrix("cat", "object").todense())


@pytest.mark.parametrize("matrices", FAMILIES)
def test_old_runs_have_the_sketches_that_they_had(matrices):
    old, new = sketchers(matrices)
    runs = OLD.run(20, seed=1)
    before, after = old.encode(runs), new.encode(adopted(runs, NEW))
    if matrices in ("trig", "packet"):
        np.testing.assert_array_equal(after, before)
    else:  # a product with more columns, times zeros, is rounded in another order
        np.testing.assert_allclose(after, before, atol=1e-15)


@pytest.mark.parametrize("matrices", FAMILIES)
def test_where_no_attribute_widens_old_runs_have_their_sketches_bit_for_bit(matrices):
    more = OLD.grown(
        [Module("robot", 5), Module("weather", 3)],
        sources={("room", 0): ["robot"]},
        slots={"room": [Slot(("robot", "cat"), 0.0)], None: [Slot(("weather",), 0.0)]},
    )
    runs = OLD.run(20, seed=1)
    before = simnet.Sketcher(OLD, 192, matrices, seed=3).encode(runs)
    for same in (runs, adopted(runs, more)):
        np.testing.assert_array_equal(simnet.Sketcher(more, 192, matrices, seed=3).encode(same), before)


def test_a_network_with_more_modules_takes_old_runs_as_they_are():
    more = OLD.grown([Module("robot", 5)], sources={("room", 0): ["robot"]})
    runs = OLD.run(20, seed=1)
    np.testing.assert_array_equal(
        simnet.Sketcher(more, 256, seed=3).encode(runs), simnet.Sketcher(OLD, 256, seed=3).encode(runs)
    )
    assert more.module("cat").function is OLD.module("cat").function
    assert more.module("room").function is None


def new_run():
    objects = [
        ("b", "battery", [0.5, 0.5], [], []),
        ("r", "robot", [0.3] * 5, ["b"], [1.0]),
        ("c", "cat", [0.2] * 11, [], []),
        ("room", "room", [0.3] * 8, ["r", "c"], [0.5, 0.5]),
    ]
    return simnet.Execution.from_objects(objects, outputs={"room": 1.0}, network=NEW)


def test_old_sketches_are_decoded_by_the_sketcher_of_the_grown_network():
    old, new = sketchers("trig", 256)
    runs = OLD.run(3, seed=1)
    sketch = old.encode(runs)[2]
    estimate = new.decode(sketch, adopted(runs[2], NEW), "least_squares")
    for name, x in zip(runs[2].structure.names, runs[2].attributes, strict=True):
        np.testing.assert_allclose(estimate.attributes[name][: len(x)], x, atol=1e-9)
        np.testing.assert_allclose(estimate.attributes[name][len(x) :], 0.0, atol=1e-9)


def test_old_and_new_sketches_are_comparable():
    run = OLD.run(3, seed=1)[2]
    law = simnet.theory.kernel(adopted(run, NEW), new_run())
    found = [
        float(old.encode(run) @ new.encode(new_run())) for old, new in (sketchers("trig", 512, seed) for seed in range(60))
    ]
    error = np.std(found, ddof=1) / np.sqrt(60)
    assert law > 20 * error
    assert abs(np.mean(found) - law) < 5 * error
    strangers = [
        float(
            simnet.Sketcher(OLD, 512, seed=seed).encode(run) @ simnet.Sketcher(NEW, 512, seed=seed + 100).encode(new_run())
        )
        for seed in range(60)
    ]
    assert abs(np.mean(strangers)) < 5 * error


def test_a_store_grows_with_its_network(tmp_path):
    old, new = sketchers("trig")
    runs = OLD.run(4, seed=1)
    with SketchStore.create(tmp_path / "s", old, storage="float64") as store:
        store.add_runs(runs)
        with pytest.raises(ValueError, match="module 'battery' is not in"):
            store.add_runs(new_run())
        store.grow(new)
        assert store.add_runs(new_run()) == 5
    with SketchStore(tmp_path / "s") as store:
        np.testing.assert_array_equal(store.get(1).sketch, old.encode(runs)[0])
        assert store.sketcher.network == NEW
        assert store.nearest(new.encode(new_run()), 1)[0].id == 5
        for other, message in (
            (old, "module 'robot' is missing|attribute_dim"),
            (simnet.Sketcher(NEW, 192, seed=4), "seed = 4"),
            (simnet.Sketcher(NEW, 100, seed=3), "sketch_dim = 100"),
        ):
            with pytest.raises(ValueError, match=message):
                store.grow(other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"modules": [Module("robot", 3)]}, "'robot' reaches no output"),
        ({"modules": [Module("cat", 3)]}, "the name 'cat' is given twice"),
        ({"modules": [3]}, r"modules\[0\] = 3"),
        ({"widths": {"dog": 3}}, "module = 'dog'"),
        ({"widths": {"cat": 3}}, r"widths\['cat'\] = 3: must be an integer >= 7"),
        ({"sources": {("room", 3): ["cat"]}}, "sources: slot = 3"),
        ({"sources": {("room", 0): ["dog"]}}, "the source 'dog'"),
        ({"slots": {"room": [Slot(("cat",), 0.5)]}}, "sum to 1.5"),
        ({"slots": {"dog": []}}, "module = 'dog'"),
        ({"sources": {("cat", 0): ["room"]}}, "sources: slot = 0"),
        ({"slots": {"cat": [Slot(("room",), 1.0)]}}, "is a cycle"),
    ],
)
def test_what_is_not_growth_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        OLD.grown(**arguments)


def test_runs_are_not_adopted_by_a_network_that_lost_something():
    with pytest.raises(ValueError, match="module 'cat' has attribute_dim = 7, had 11"):
        adopted(new_run(), OLD)
    shuffled = simnet.networks.scene(kinds=("chair", "cat"), places=2, attribute_dim=6, seed=0)
    with pytest.raises(ValueError, match="may take new sources only"):
        adopted(OLD.run(2, seed=1), shuffled)
