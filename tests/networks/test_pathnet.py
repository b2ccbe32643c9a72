"""PathNet: at most so many modules of a layer, paths of a population, sums between layers."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.networks import pathnet


def layers_of(structure):
    found = {}
    for module in structure.modules:
        layer, dot, number = str(module).partition(".")
        if dot:
            found.setdefault(int(layer), []).append(int(number))
    return found


@pytest.mark.parametrize("active", [1, 2, 4])
def test_at_most_so_many_modules_of_a_layer_are_active(active):
    net = pathnet(layers=3, modules=5, active=active, attribute_dim=3, seed=2)
    counts = set()
    for group in net.run(300, seed=1):
        path = layers_of(group.structure)
        assert sorted(path) == [0, 1, 2]
        assert all(len(set(row)) == len(row) for row in path.values())
        counts |= {len(row) for row in path.values()}
    assert max(counts) == active
    assert min(counts) >= 1
    assert active == 1 or len(counts) > 1


def test_runs_take_the_paths_of_the_population_and_all_modules_are_on_one():
    net = pathnet(layers=2, modules=6, active=2, attribute_dim=3, population=5, seed=0)
    runs = net.run(400, seed=1)
    planted = {tuple(tuple(sorted(set(row))) for row in path) for path in net.layout.paths.tolist()}
    taken = {tuple(tuple(sorted(row)) for row in layers_of(g.structure).values()) for g in runs}
    assert taken == planted
    assert {m for g in runs for m in g.structure.modules} == {m.name for m in net.modules}


def test_every_active_module_is_fed_by_all_active_ones_below():
    net = pathnet(seed=1)
    for group in net.run(100, seed=2):
        s = group.structure
        below = ("input",)
        for layer, numbers in layers_of(s).items():
            names = tuple(f"{layer}.{i}" for i in numbers)
            assert all(tuple(x for x in s[name].inputs if x is not None) == below for name in names)
            below = names
        assert tuple(x for x in s.outputs if x is not None) == below


def test_what_is_in_the_slots_of_a_module_is_summed():
    function = pathnet(seed=1).module("1.0").function
    x, y = np.random.default_rng(0).uniform(0.0, 0.3, (2, 5, 8))
    np.testing.assert_array_equal(function.drive([x, y, None]), function.drive([y, x, None]))
    np.testing.assert_allclose(function.drive([x, y, None]), function.drive([x + y, 0 * x, None]), atol=1e-12)


def test_nothing_is_made_where_the_input_sees_nothing():
    runs = pathnet(seed=1).run(3, activity=np.array([[True], [False], [True]]))
    assert [len(runs[i].objects) > 0 for i in range(3)] == [True, False, True]
    assert set(runs[1].structure.outputs) == {None}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"active": 5}, r"active = 5: must be an integer between 1 and 4"),
        ({"population": 1}, r"population = 1: with active = 3 the paths hold 3 modules of a layer, there are 4"),
        ({"layers": 0}, r"layers = 0: must be an integer >= 1"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        pathnet(**options)
