"""Tensors become objects, and come back."""

import numpy as np
import pytest

import simnet
from simnet.adapters import DEEP, Adapter, ModuleRule

RNG = np.random.default_rng(0)
MAPS = np.maximum(RNG.standard_normal((5, 3, 2, 4)), 0.0)
TENSORS = {"map": MAPS, "more": RNG.standard_normal((5, 6)), "y": RNG.standard_normal((5, 4))}


def rules(pooling, **options):
    first = ModuleRule("map", ("map",), pooling=pooling, **options)
    return [first, ModuleRule("more", ("more",)), ModuleRule("y", ("y", "more"), ("map", "more"))]


@pytest.mark.parametrize("weighting", ["uniform", "contribution"])
@pytest.mark.parametrize("pooling", ["flatten", "mean", "maximum", "positions"])
def test_activations_come_back_from_the_sketch(pooling, weighting):
    adapter = Adapter.fit(rules(pooling), TENSORS, weighting=weighting)
    runs = adapter.executions(TENSORS)
    sketcher = simnet.Sketcher(adapter.network, 128, seed=3)
    sketches = sketcher.encode(runs)
    truth = {
        "flatten": MAPS.reshape(5, 1, -1),
        "mean": MAPS.mean(axis=(2, 3))[:, None],
        "maximum": MAPS.max(axis=(2, 3))[:, None],
        "positions": MAPS.reshape(5, 3, 8).transpose(0, 2, 1),
    }[pooling]
    for run in range(5):
        found = adapter.activations(sketcher.decode(sketches[run], runs[run].structure, "least_squares"))
        assert np.abs(found["y"] - np.append(TENSORS["y"][run], TENSORS["more"][run])).max() < 1e-8
        for i, y in enumerate(truth[run]):
            name = "map" if len(truth[run]) == 1 else f"map.{i}"
            assert (name in found) == (pooling != "positions" or bool(np.any(y)))
            assert name not in found or np.abs(found[name] - y).max() < 1e-8


def test_the_same_executions_by_hand():
    adapter = Adapter.fit(rules("positions", most=3), TENSORS, weighting="contribution")
    runs = adapter.executions(TENSORS)
    for one in (runs[i] for i in range(len(runs))):
        objects = [(o.name, o.module, o.attributes, o.inputs, o.weights) for o in one.objects]
        again = simnet.Execution.from_objects(objects, {"y": 1.0}, network=adapter.network)
        assert again.structure == one.structure
        assert sum(one.objects[-1].weights) == pytest.approx(1.0)


def test_most_keeps_the_longest_positions_in_order():
    read = ModuleRule("map", ("map",), pooling="positions", most=2).read(TENSORS)
    places = MAPS.reshape(5, 3, 8).transpose(0, 2, 1)
    for run in range(5):
        best = sorted(np.argsort(-np.linalg.norm(places[run], axis=1))[:2])
        np.testing.assert_array_equal(read[run], places[run][best])


def test_what_feeds_only_empty_positions_is_not_there():
    tensors = {"a": np.ones((2, 3)), "b": np.array([[[1.0, 0.0]], [[0.0, 0.0]]])}
    chain = [ModuleRule("a", ("a",)), ModuleRule("b", ("b",), ("a",), pooling="positions")]
    runs = Adapter.fit(chain, tensors).executions(tensors)
    assert runs[0].structure.names == ("a", "b.0")
    assert len(runs[1].structure) == 0
    assert np.all(simnet.Sketcher(runs[0].network, 16).encode(runs)[1] == 0.0)


@pytest.mark.parametrize(("recipe", "right"), [(DEEP, True), ("recursive", False)])
def test_many_layers_need_a_recipe_that_is_kind_to_depth(recipe, right):
    y = {str(i): RNG.standard_normal((1, 4)) for i in range(20)}
    chain = [ModuleRule(str(i), (str(i),), (str(i - 1),) if i else ()) for i in range(20)]
    adapter = Adapter.fit(chain, y)
    ex = adapter.executions(y)[0]
    sketcher = simnet.Sketcher(adapter.network, 256, recipe=recipe, seed=3)
    found = adapter.activations(sketcher.decode(sketcher.encode(ex), ex.structure, "least_squares"))
    assert (max(np.abs(found[i] - y[i][0]).max() for i in y) < 1e-8) == right


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ModuleRule("a", ()), r"tensors = \(\)"),
        (lambda: ModuleRule("a", ("x",), pooling="average"), "pooling = 'average'"),
        (lambda: ModuleRule("a", ("x",), most=2), "most = 2"),
        (lambda: ModuleRule("a", ("x",)).read(TENSORS), "tensor = 'x'"),
        (lambda: ModuleRule("a", ("map",), pooling="mean", channels=7).read(TENSORS), "channels = 7"),
        (lambda: ModuleRule("a", ("map",), pooling="mean", channels=0).read(TENSORS), "channels = 0"),
        (lambda: ModuleRule("a", ("x",)).read({"x": [[np.nan]]}), "NaN"),
        (lambda: Adapter.fit([ModuleRule("y", ("y",), ("no",))], TENSORS), "input = 'no'"),
        (lambda: Adapter.fit(rules("mean"), TENSORS, headroom=0.5), "headroom = 0.5"),
        (lambda: Adapter.fit(rules("mean"), TENSORS).executions({k: 2 * v for k, v in TENSORS.items()}), "as fitted"),
    ],
)
def test_mistakes_are_told_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
