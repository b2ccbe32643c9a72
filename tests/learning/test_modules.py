"""Direct edges, attributes, functions and the dictionary come back exactly; a function that is not there is not stated."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import simnet
from simnet.claims.wiring import noise_limit
from simnet.learning import blind_wiring
from simnet.learning.modules import HELD_OUT
from simnet.randomness import stream
from tests.learning.conftest import make_pairs

# what is found is found once, not by each process that runs tests
pytestmark = pytest.mark.xdist_group("modules")


@pytest.fixture(scope="module")
def three_levels_in_small():
    """Four inputs, two modules on them and one above: the top must be told from one that sees the inputs."""
    network = simnet.networks.layered(widths=(4, 2, 1), attribute_dim=2, fan_in=2, seed=2)
    pairs = make_pairs(network, 1500, 48)
    return pairs, blind_wiring(pairs.active, pairs.sketches, attribute_dim=2)


def planted_attributes(pairs):
    """The attributes of each module in every run."""
    runs = len(pairs.active)
    whole = {m.name: np.zeros((runs, m.attribute_dim)) for m in pairs.network.modules}
    for group in pairs.executions:
        for module, x in zip(group.structure.modules, group.attributes, strict=True):
            whole[module][group.runs] = x
    return whole


def supports_by_name(network):
    below = {}
    for name in network.order:
        slots = network.module(name).slots
        below[name] = (
            frozenset().union(*(below[s.sources[0]] for s in slots)) if slots else frozenset([network.inputs.index(name)])
        )
    return below


def test_direct_edges(three_levels_in_small):
    pairs, found = three_levels_in_small
    below = supports_by_name(pairs.network)
    graph = found.graph()
    named = {(found.supports[a], found.supports[b]) for a, b in graph.edges}
    assert named == {(below[a], below[b]) for a, b in pairs.network.graph.edges}
    assert graph.number_of_edges() == pairs.network.graph.number_of_edges()
    assert all(z > 5.0 for _, _, z in graph.edges(data="significance"))
    assert not any(problem for _, problem in graph.nodes(data="problem"))


def test_attributes_up_to_order_and_scale(three_levels_in_small):
    pairs, found = three_levels_in_small
    truth = {below: name for name, below in supports_by_name(pairs.network).items()}
    planted = planted_attributes(pairs)
    for module in found.modules:
        x = planted[truth[module.support]]
        assert module.axes
        cosines = (module.attributes / np.linalg.norm(module.attributes, axis=0)).T @ (x / np.linalg.norm(x, axis=0))
        assert np.allclose(np.sort(cosines.max(axis=1)), 1.0, atol=1e-6)
        assert sorted(cosines.argmax(axis=1)) == [0, 1]
        if module.sources:
            assert module.score > 0.999
            order = cosines.argmax(axis=1)
            assert np.allclose(module.attributes, x[:, order], atol=1e-3)  # length 1 is where they are clipped: no scale


def test_the_dictionary_explains_the_sketches(three_levels_in_small):
    _, found = three_levels_in_small
    rows, rest = found.dictionary
    assert rows.shape == (7 * 3, 48)
    assert rest < 1e-10


def test_modules_of_one_support():
    network = simnet.networks.layered(widths=(2, 2), attribute_dim=2, fan_in=2, seed=0)
    pairs = make_pairs(network, 1500, 48)
    found = blind_wiring(pairs.active, pairs.sketches, attribute_dim=2)
    graph = found.graph()
    for k, module in enumerate(found.modules):
        if len(module.support) == 2:
            assert set(graph.predecessors(k)) == {j for j, A in enumerate(found.supports) if len(A) == 1}


@pytest.mark.parametrize(
    ("where", "problem"), [("everywhere", "were not found"), ("held out", "no function predicts held-out runs exactly")]
)
def test_sketches_that_no_function_made_have_no_edges(where, problem):
    """The attributes of the upper module come from other runs with the same objects: supports stay, functions go."""
    pairs = make_pairs(simnet.networks.layered(widths=(2, 1), attribute_dim=2, fan_in=2, seed=2), 1500, 48)
    planted, below = planted_attributes(pairs), supports_by_name(pairs.network)
    _, patterns = np.unique(pairs.active, axis=0, return_inverse=True)
    draw = np.random.default_rng(4)
    sketches = np.zeros((len(pairs.active), 48))
    count = len(pairs.active)
    held = stream(0, "held out").permutation(count)[: int(HELD_OUT * count)]
    moved = np.isin(np.arange(count), held) | (where == "everywhere")
    for name, x in planted.items():
        if pairs.network.module(name).slots:
            order = np.arange(len(x))
            for pattern in np.unique(patterns):
                members = np.flatnonzero((patterns.reshape(-1) == pattern) & moved)
                order[members] = draw.permutation(members)
            x = x[order]
        there = pairs.active[:, list(below[name])].any(axis=1).astype(float)
        sketches += np.column_stack([x, there]) @ draw.standard_normal((3, 48))
    found = blind_wiring(pairs.active, sketches, attribute_dim=2)
    assert sorted(map(sorted, found.supports)) == pairs.truth
    upper = [module for module in found.modules if len(module.support) > 1]
    assert upper
    assert all(problem in module.problem and not module.sources for module in upper)
    assert found.graph().number_of_edges() == 0


def test_a_support_without_dimensions_has_no_function(three_levels_in_small):
    _, found = three_levels_in_small
    data = dataclasses.replace(found.data, directions={})
    modules = dataclasses.replace(found, data=data).modules
    assert all("dimensions" in module.problem for module in modules)


def test_nothing_found_makes_an_empty_graph(three_levels_in_small):
    pairs, _ = three_levels_in_small
    nothing = blind_wiring(pairs.active[:10], pairs.sketches[:10])
    assert nothing.graph().number_of_nodes() == 0
    assert nothing.dictionary[0].shape == (0, 0)


def noisy(pairs, share):
    noise = share * noise_limit(pairs.sketches)
    found = blind_wiring(
        pairs.active,
        pairs.sketches + noise * np.random.default_rng(5).standard_normal(pairs.sketches.shape),
        attribute_dim=2,
    )
    return found, {(found.supports[a], found.supports[b]) for a, b in found.graph().edges}


def test_edges_in_noise(three_levels_in_small):
    """A source of a source is none; where no function is found, that is said."""
    pairs, _ = three_levels_in_small
    below = supports_by_name(pairs.network)
    found, stated = noisy(pairs, 0.01)
    assert set(found.supports) == set(below.values())
    assert stated
    assert stated <= {(below[a], below[b]) for a, b in pairs.network.graph.edges}
    assert all(module.sources or module.problem or len(module.support) == 1 for module in found.modules)


def test_noise_that_may_hide_a_module_hides_all_edges(three_levels_in_small):
    pairs, _ = three_levels_in_small
    found, stated = noisy(pairs, 0.4)
    assert found.supports
    assert not stated
    assert all("noise" in module.problem for module in found.modules)
