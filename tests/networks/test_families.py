"""Families of networks: planted wiring and functions, deterministic, prefix-stable, and worth sketching."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cache

import networkx as nx
import numpy as np
import pytest

import simnet
from simnet.networks import NETWORKS, ModularNetwork, ModuleFunction, layered, random_dag, scene, tree
from simnet.testing import LawViolation, check_network

OPTIONS = {
    "layered": {"widths": (5, 3, 2), "attribute_dim": 4, "fan_in": 3},
    "tree": {"height": 3, "branching": 2, "attribute_dim": 4},
    "random_dag": {"modules": 8, "attribute_dim": 4, "fan_in": 3},
    "scene": {"places": 5, "attribute_dim": 4},
    "sparse_layer": {"modules": 4, "attribute_dim": 4, "sparsity": 0.3},
    "neural_modules": {},
    "capsules": {"widths": (5, 3), "attribute_dim": 4},
    "pathnet": {"layers": 2, "attribute_dim": 4},
    "convolutional": {"kernels": (3, 2)},
}
families = pytest.mark.parametrize("family", NETWORKS)


@cache
def make(family, seed=0):
    return NETWORKS[family](**OPTIONS[family], seed=seed)


def same(a, b, tolerance=0.0):
    """Whether two executions have the same objects, inputs, weights and attribute vectors."""
    s, t = a.structure, b.structure
    return s.graph_key == t.graph_key and all(
        np.allclose(x, y, rtol=0.0, atol=tolerance)
        for x, y in [(s.edge_weights, t.edge_weights), *zip(a.attributes, b.attributes, strict=True)]
    )


def test_every_family_is_tested():
    assert set(OPTIONS) == set(NETWORKS)


@families
def test_a_seed_fixes_wiring_functions_and_runs(family):
    net, twin, other = make(family), make.__wrapped__(family), make(family, seed=1)
    assert net == twin
    options = {"activity": 0.7, "weight_jitter": 0.5}
    runs, again = net.run(6, seed=1, **options), twin.run(6, seed=1, **options)
    assert all(same(runs[i], again[i]) for i in range(6))
    assert not all(same(runs[i], net.run(6, seed=2, **options)[i]) for i in range(6))
    assert not all(same(runs[i], other.run(6, seed=1, **options)[i]) for i in range(6))


@families
@pytest.mark.parametrize("activity", [None, 0.6])
def test_more_runs_do_not_change_earlier_ones(family, activity):
    net = make(family)
    few = net.run(7, seed=1, activity=activity, weight_jitter=0.5)
    many = net.run(150, seed=1, activity=activity, weight_jitter=0.5)
    # products of batches of different sizes differ in the last bits
    assert all(same(few[i], many[i], tolerance=1e-13) for i in range(7))
    assert not same(many[0], many[7])


@families
@pytest.mark.parametrize("seed", range(4))
def test_wiring_is_acyclic_and_weights_sum_to_one(family, seed):
    net = make(family, seed)
    assert nx.is_directed_acyclic_graph(net.graph)
    outputs = {source for slot in net.outputs for source in slot.sources}
    for module in net.modules:
        assert module.name in outputs or any(nx.has_path(net.graph, module.name, out) for out in outputs)
        if module.slots:
            weights = [slot.weight for slot in module.slots]
            assert min(weights) >= max(weights) / 3 - 1e-12 > 0
            assert sum(weights) == pytest.approx(1.0)
    assert sum(slot.weight for slot in net.outputs) == pytest.approx(1.0)


@families
@pytest.mark.parametrize("activity", [None, 0.4])
def test_attributes_are_non_negative_and_at_most_of_unit_length(family, activity):
    for group in make(family, seed=2).run(300, seed=3, activity=activity):
        for x, dim in zip(group.attributes, group.structure.attribute_dims, strict=True):
            assert x.shape == (len(group), dim)
            assert x.min() >= 0.0
            assert np.linalg.norm(x, axis=1).max() <= 1.0 + 1e-12


# -- functions ----------------------------------------------------------------------------------------------------------


@families
@pytest.mark.parametrize("seed", range(3))
def test_functions_are_of_full_rank_and_nonlinear_on_what_they_see(family, seed):
    net = make(family, seed)
    reports = check_network(net, seed=seed)
    assert [r.rank for r in reports] == [m.attribute_dim for m in net.modules]
    assert max(r.affine_share for r in reports) < 0.999


@dataclass(frozen=True, eq=False)
class Changed(ModuleFunction):
    """A function whose output is changed, or replaced by a map of its inputs."""

    function: ModuleFunction
    change: object

    @property
    def input_dims(self):
        return self.function.input_dims

    def __call__(self, inputs):
        return self.change(self.function(inputs), np.concatenate(inputs, axis=1))


def repeat_unit(x, u):
    return np.column_stack([x[:, 0] / 2, x[:, 0] / 2, *x[:, 2:].T / 2])


CHANGES = {
    "units .* are dead": lambda x, u: x * np.array([1, 1, 1, 0]),
    "attributes have rank 3 of 4": repeat_unit,
    "the function is affine": lambda x, u: 0.1 + 0.2 * u[:, :4],
    "attributes go below 0": lambda x, u: x - 0.1,
    "attributes are longer than 1": lambda x, u: 2.0 * x,
}


@pytest.mark.parametrize("complaint", CHANGES)
@pytest.mark.parametrize("name", [7, 9])
def test_a_poor_function_is_refused_with_the_module_and_the_reason(complaint, name):
    """Negative control."""
    net = make("layered")
    poor = replace(net.module(name), function=Changed(net.module(name).function, CHANGES[complaint]))
    changed = replace(net, modules=tuple(poor if m.name == name else m for m in net.modules))
    with pytest.raises(LawViolation, match=rf"module {name}: .*{complaint}"):
        check_network(changed)
    kept = replace(poor, function=Changed(net.module(name).function, lambda x, u: x))
    check_network(replace(net, modules=tuple(kept if m.name == name else m for m in net.modules)))


@families
def test_attributes_are_the_functions_of_the_inputs(family):
    if family == "capsules":
        pytest.skip("a capsule is a function of its couplings too: tests/networks/test_capsules.py")
    net = make(family, seed=3)
    runs = net.run(20, seed=1, activity=0.6)
    looked = 0
    for ex in (runs[i] for i in range(20)):
        found = dict(zip(ex.structure.names, ex.attributes, strict=True))
        for o in ex.objects:
            if o.inputs:
                seen = [None if name is None else found[name][None] for name in o.inputs]
                np.testing.assert_allclose(net.module(o.module).function(seen)[0], o.attributes, atol=1e-13)
                looked += 1
    assert looked > 10 or not net.graph.edges  # one layer has no inputs


# -- wirings ------------------------------------------------------------------------------------------------------------


def test_layered_feeds_every_layer_from_the_one_below_and_uses_all_of_it():
    net = layered(widths=(6, 4, 2), attribute_dim=2, fan_in=2, seed=5)
    layers = [set(range(6)), set(range(6, 10)), {10, 11}]
    assert set(net.inputs) == layers[0]
    for below, layer in itertools.pairwise(layers):
        sources = [[s for slot in net.module(name).slots for s in slot.sources] for name in layer]
        assert all(len(row) == len(set(row)) == 2 for row in sources)
        assert set().union(*sources) == below
    assert [slot.sources for slot in net.outputs] == [(10,), (11,)]


def test_tree_is_complete():
    net = tree(height=3, branching=3, attribute_dim=2, seed=0)
    assert len(net.modules) == 13
    assert set(net.graph.edges) == {(3 * k + 1 + i, k) for k in range(4) for i in range(3)}
    assert net.depths == {k: frozenset({1 if k == 0 else 2 if k < 4 else 3}) for k in range(13)}


@pytest.mark.parametrize("seed", range(5))
def test_random_dag_feeds_forward_and_outputs_its_sinks(seed):
    net = random_dag(modules=9, attribute_dim=2, fan_in=3, inputs=2, seed=seed)
    assert net.inputs == (0, 1)
    assert all(u < v for u, v in net.graph.edges)
    assert all(1 <= len(m.slots) <= 3 for m in net.modules[2:])
    assert {s for slot in net.outputs for s in slot.sources} == {n for n, k in net.graph.out_degree if k == 0}


def test_adding_a_module_to_a_dag_changes_no_other():
    small, large = random_dag(modules=6, inputs=2, seed=1), random_dag(modules=7, inputs=2, seed=1)
    assert large.modules[:6] == small.modules
    for a, b in zip(small.modules, large.modules[:6], strict=True):
        np.testing.assert_array_equal(a.function.weights[0], b.function.weights[0])


def test_scene_holds_one_to_all_things_in_places_of_equal_weight():
    net = scene(kinds=("cat", "dog"), places=4, colours=3, seed=0)
    runs = net.run(200, seed=1)
    counts = set()
    for ex in (runs[i] for i in range(200)):
        room = ex.structure["room"]
        things = [name for name in room.inputs if name is not None]
        assert room.weights == (0.25,) * 4
        assert set(things) | {"room"} == set(ex.structure.names)
        counts.add(len(things))
    assert counts == {1, 2, 3, 4}
    assert any("cat.1" in runs[i].structure for i in range(200))  # several of one kind
    assert any("cat" not in runs[i].structure.modules for i in range(200))  # and none


def test_a_thing_has_a_size_one_colour_and_a_direction():
    runs = scene(kinds=("cat",), places=3, colours=3, seed=0).run(100, seed=1)
    names = runs[0].structure.network.module("cat").attribute_names
    assert names == ("size", "colour 0", "colour 1", "colour 2", "pose cos", "pose sin")
    x = np.concatenate([x for g in runs for x, m in zip(g.attributes, g.structure.modules, strict=True) if m == "cat"])
    x = x * np.sqrt(3.5)
    assert ((x[:, 0] > 0) & (x[:, 0] < 1)).all()
    np.testing.assert_allclose(np.sort(x[:, 1:4], axis=1), np.tile([0.0, 0.0, 1.0], (len(x), 1)), atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(2 * x[:, 4:] - 1, axis=1), 1.0, rtol=1e-12)


# -- activity and arguments ---------------------------------------------------------------------------------------------


def test_a_module_makes_an_object_when_any_of_its_inputs_is_there():
    net = make("layered")
    activity = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 0]], dtype=bool)
    runs = net.run(4, seed=0, activity=activity)
    for i, row in enumerate(activity):
        there = {name for name, active in zip(net.inputs, row, strict=True) if active}
        expected = there.union(*(nx.descendants(net.graph, name) for name in there))
        assert set(runs[i].structure.modules) == expected
        for o in runs[i].objects:
            sources = [slot.sources[0] for slot in net.module(o.module).slots]
            assert o.inputs == tuple(str(s) if s in expected else None for s in sources)


def test_activity_is_a_probability_for_every_input():
    net, n = make("layered"), 2000
    active = sum(len(g) * sum(m in net.inputs for m in g.structure.modules) for g in net.run(n, seed=4, activity=0.3))
    assert abs(active / (5 * n) - 0.3) < 5 * np.sqrt(0.3 * 0.7 / (5 * n))  # 5 standard errors: 6e-7


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: layered(widths=()), r"widths = \(\): must have at least one layer"),
        (lambda: layered(widths=3), r"^widths = 3: must be a sequence of integers$"),
        (lambda: layered(widths=(3, 0)), r"widths\[1\] = 0: must be an integer >= 1"),
        (lambda: layered(widths=(9, 2), fan_in=2), r"widths\[1\] = 2: with fan_in = 2 the layer holds 4 inputs"),
        (lambda: layered(fan_in=0), r"fan_in = 0: must be an integer >= 1"),
        (lambda: layered(attribute_dim=0), r"attribute_dim = 0: must be an integer >= 1"),
        (lambda: layered(seed=-1), r"seed = -1: must be an integer >= 0"),
        (lambda: tree(height=0), r"height = 0: must be an integer between 1 and 1000"),
        (lambda: tree(branching=2.0), r"branching = 2.0: must be an integer"),
        (lambda: tree(height=30), r"height = 30: with branching = 2 the tree has over 100,000 modules"),
        (lambda: random_dag(modules=0), r"modules = 0: must be an integer >= 1"),
        (lambda: random_dag(modules=3, inputs=4), r"inputs = 4: must be an integer between 1 and 3"),
        (lambda: random_dag(fan_in=None), r"fan_in = None: must be an integer >= 1"),
        (lambda: scene(kinds=()), r"kinds = \[\]: must be different names"),
        (lambda: scene(kinds=("cat", "cat")), r"kinds = \['cat', 'cat'\]: must be different names"),
        (lambda: scene(kinds=("room",)), r"kinds = \['room'\]: must be .* not 'room'"),
        (lambda: scene(kinds="cat"), r"^kinds = 'cat': must be a sequence of names$"),
        (lambda: scene(kinds=(1.5,)), r"kinds\[0\] = 1.5: must be a non-empty string or an integer"),
        (lambda: scene(places=0), r"places = 0: must be an integer >= 1"),
        (lambda: scene(colours=1), r"colours = 1: must be an integer >= 2"),
        (lambda: make("tree").run(0), r"runs = 0: must be an integer >= 1"),
        (lambda: make("tree").run(2.0), r"runs = 2.0: must be an integer"),
        (lambda: make("tree").run(2, seed=-1), r"seed = -1: must be an integer >= 0"),
        (lambda: make("tree").run(2, activity=1.5), r"activity = 1.5: must be a finite number in \(0, 1\)"),
        (lambda: make("tree").run(2, activity=np.ones((2, 3), bool)), r"activity: has shape \(2, 3\) .* \(2, 4\)"),
        (lambda: make("tree").run(2, activity=np.ones((2, 4))), r"activity: has .* dtype float64, must be"),
        (lambda: make("tree").run(2, weight_jitter=1.0), r"weight_jitter = 1.0: must be below 1"),
        (lambda: make("tree").run(2, weight_jitter=-0.1), r"weight_jitter = -0.1: must be a finite number in \[0, 1\]"),
        (lambda: ModularNetwork.from_networkx(make("tree").graph).run(1), r"network: has no functions to run"),
    ],
)
def test_bad_arguments_are_refused_by_name(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_jitter_shrinks_every_weight_of_every_run_by_its_own_factor():
    (group,) = make("layered").run(400, seed=1, weight_jitter=0.25)
    factors = group.weights / group.structure.edge_weights
    assert factors.shape == (400, len(group.structure.edge_weights))
    assert 0.75 <= factors.min() < 0.76
    assert 0.99 < factors.max() <= 1.0
    assert len(np.unique(factors)) == factors.size
    calm = make("layered").run(400, seed=1)
    assert calm.groups[0].weights.shape == (1, factors.shape[1])
    for x, y in zip(calm.groups[0].attributes, group.attributes, strict=True):
        np.testing.assert_array_equal(x, y)
    assert simnet.networks.as_executions(group)[3].structure.edge_weights.tolist() == group.weights[3].tolist()
