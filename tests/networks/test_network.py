"""Modules, slots and networks: the graph and back, order and depths, and what is refused."""

from __future__ import annotations

import math

import networkx as nx
import pytest

import simnet
from simnet.networks import ModularNetwork, Module, Slot


def diamond():
    """Two eyes seen by a face, one of them by the output too; a slot that either may fill."""
    return ModularNetwork(
        (
            Module("face", 4, (Slot(("left", "right"), 0.5), Slot(("right",), 0.25))),
            Module("left", 3),
            Module("right", 2),
        ),
        (Slot(("face",), 0.5), Slot(("left", "face"), 0.5)),
    )


def crossed():
    """Two slots that list their sources in opposite order, between slots that nothing fills."""
    nothing, one, other = Slot((), 0.125), Slot(("left", "right"), 0.25), Slot(("right", "left"), 0.5)
    face = Module("face", 1, (nothing, one, other, nothing), attribute_names=("width",))
    return ModularNetwork((face, Module("left", 1), Module("right", 1)), (Slot(("face",), 1.0), Slot((), 0.0)))


def test_graph_carries_slots_weights_and_dimensions():
    graph = diamond().graph
    assert set(graph.edges) == {("left", "face"), ("right", "face")}
    assert graph.edges["left", "face"] == {"slot": 0, "weight": 0.5, "slots": (0,), "weights": (0.5,)}
    assert graph.edges["right", "face"] == {"slot": 0, "weight": 0.5, "slots": (0, 1), "weights": (0.5, 0.25)}
    assert dict(graph.nodes(data="attribute_dim")) == {"face": 4, "left": 3, "right": 2}
    assert graph.nodes["face"]["slots"] == ((("left", "right"), 0.5), (("right",), 0.25))
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        graph.add_node("nose")


@pytest.mark.parametrize(
    "net",
    [
        diamond(),
        crossed(),
        *(getattr(simnet.networks, f)(seed=s) for f in ("layered", "tree", "random_dag", "scene") for s in range(3)),
    ],
    ids=lambda net: f"{len(net.modules)} modules",
)
def test_a_network_comes_back_from_its_graph(net):
    functions = {m.name: m.function for m in net.modules if m.function}
    back = ModularNetwork.from_networkx(net.graph, functions)
    assert back == net
    assert {m.name: m.function for m in back.modules if m.function} == functions


def test_a_plain_graph_becomes_a_network_with_its_sinks_as_outputs():
    graph = nx.DiGraph()
    for name, dim in (("a", 1), ("b", 2), ("c", 3)):
        graph.add_node(name, attribute_dim=dim)
    graph.add_edge("a", "b", slot=0, weight=0.75)
    graph.add_edge("a", "c", slot=0, weight=1.0)
    net = ModularNetwork.from_networkx(graph)
    assert net.module("b").slots == (Slot(("a",), 0.75),)
    assert net.outputs == (Slot(("b",), 0.5), Slot(("c",), 0.5))


@pytest.mark.parametrize(
    ("edge", "dims", "message"),
    [
        ({"weight": 1.0}, True, "graph: the edge 'a' -> 'b' has no slot"),
        ({"slot": 1, "weight": 1.0}, True, r"graph: the slots of 'b' are \[1\], must run from 0 without a gap"),
        ({"slot": 0}, True, "slot.weight = None: must be a finite number"),
        ({"slot": 0, "weight": 1.0}, False, "graph: the node 'a' has no attribute_dim"),
    ],
)
def test_graphs_that_lack_something_are_refused(edge, dims, message):
    graph = nx.DiGraph([("a", "b", edge)])
    if dims:
        nx.set_node_attributes(graph, 2, "attribute_dim")
    with pytest.raises(ValueError, match=message):
        ModularNetwork.from_networkx(graph)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.remove_edge("left", "face"), "graph: the slots of the node 'face' are not those of its edges"),
        (lambda g: g.edges["left", "face"].update(weights=(0.25,)), "graph: slot 0 of 'face' has two weights"),
        (lambda g: g.edges["left", "face"].update(slots=(1,), weights=(0.25,)), "'face' are not those of its edges"),
        (lambda g: g.nodes["face"].update(slots=3), "graph: node 'face': slots = 3: must be a sequence of slots"),
        (lambda g: g.nodes["face"].update(slots=("ab",)), r"node 'face': slots\[0\] = 'ab': must be a pair of sources"),
        (lambda g: g.graph.update(outputs=(("face", 1.0),)), "slot.sources = 'face': must be a sequence of names"),
    ],
)
def test_slots_of_a_node_and_of_its_edges_must_agree(change, message):
    graph = nx.DiGraph(diamond().graph)
    graph.nodes["face"]["slots"] = diamond().graph.nodes["face"]["slots"]
    change(graph)
    with pytest.raises(ValueError, match=message):
        ModularNetwork.from_networkx(graph)


def test_a_node_without_slots_has_those_of_its_edges():
    graph = nx.DiGraph(diamond().graph)
    for _, data in graph.nodes(data=True):
        del data["slots"]
    assert ModularNetwork.from_networkx(graph) == diamond()


def test_lists_become_tuples_so_that_networks_are_hashable():
    lists = ModularNetwork(
        [Module("a", 1, [Slot(["b"], 1.0)], attribute_names=["size"]), Module("b", 1)], [Slot(["a"], 1.0)]
    )
    tuples = ModularNetwork(
        (Module("a", 1, (Slot(("b",), 1.0),), attribute_names=("size",)), Module("b", 1)), (Slot(("a",), 1.0),)
    )
    assert lists == tuples
    assert hash(lists) == hash(tuples)


def test_a_slot_has_one_weight():
    graph = nx.DiGraph([("a", "c", {"slot": 0, "weight": 0.5}), ("b", "c", {"slot": 0, "weight": 0.4})])
    nx.set_node_attributes(graph, 2, "attribute_dim")
    with pytest.raises(ValueError, match="graph: slot 0 of 'c' has two weights"):
        ModularNetwork.from_networkx(graph)


def test_inputs_order_and_depths():
    net = diamond()
    assert net.inputs == ("left", "right")
    assert net.order == {"left": 0, "right": 1, "face": 2}
    assert net.depths == {"face": frozenset({1}), "left": frozenset({1, 2}), "right": frozenset({2})}
    big = simnet.networks.random_dag(modules=9, seed=4)
    assert all(big.order[u] < big.order[v] for u, v in big.graph.edges)
    reverse = nx.DiGraph([(v, u) for u, v in big.graph.edges])
    outputs = [s for slot in big.outputs for s in slot.sources]
    for name, depths in big.depths.items():
        assert depths == {1 + len(path) for out in outputs for path in nx.all_simple_edge_paths(reverse, out, name)} | (
            {1} if name in outputs else set()
        )


def a(*slots, name="a", dim=1):
    return Module(name, dim, slots)


OUT = (Slot(("a",), 1.0),)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ModularNetwork((), ()), r"modules = \(\): a network needs at least one module"),
        (lambda: ModularNetwork((a(), a()), OUT), "modules: the name 'a' is given twice"),
        (lambda: ModularNetwork((a(Slot(("b",), 1.0)),), OUT), "module 'a': slot 0: the source 'b' is not a module"),
        (lambda: ModularNetwork((a(),), (Slot(("b",), 1.0),)), "outputs: slot 0: the source 'b' is not a module"),
        (lambda: ModularNetwork((a(Slot(("a",), 1.0)),), OUT), "modules: 'a' -> 'a' is a cycle"),
        (
            lambda: ModularNetwork((a(Slot(("b",), 1.0)), a(Slot(("a",), 1.0), name="b")), OUT),
            "modules: '.' -> '.' -> '.' is a cycle, the graph of modules must be acyclic",
        ),
        (lambda: ModularNetwork((a(), a(name="b")), OUT), "modules: 'b' reaches no output, every module must"),
        (lambda: ModularNetwork((a(),), ()), "modules: 'a' reaches no output"),
        (lambda: ModularNetwork((a(),), (*OUT, *OUT)), r"outputs = \[1.0, 1.0\]: sum to 2, must sum to at most 1"),
        (lambda: a(Slot(("b",), 0.6), Slot(("c",), 0.6)), r"module 'a': weights = \[0.6, 0.6\]: sum to 1.2"),
        (lambda: a(name="root"), "module.name = 'root': is the name of the output pseudo-object"),
        (lambda: a(name=""), "module.name = '': must be a non-empty string or an integer"),
        (lambda: a(name=1.5), "module.name = 1.5: must be a non-empty string or an integer"),
        (lambda: a(name=True), "module.name = True: must be a non-empty string or an integer"),
        (lambda: a(dim=0), "module 'a': attribute_dim = 0: must be an integer >= 1"),
        (lambda: a(dim=2.0), "module 'a': attribute_dim = 2.0: must be an integer >= 1"),
        (
            lambda: Module("a", 2, attribute_names=("size",)),
            "module 'a': attribute_names has 1 names, must have attribute_dim",
        ),
        (lambda: Module("a", 4, attribute_names="size"), "module 'a': attribute_names = 'size': must be a sequence of"),
        (lambda: Module("a", 1, (("b", 1.0),)), r"module 'a': slots\[0\] = \('b', 1.0\): must be a Slot"),
        (lambda: Module("a", 1, Slot(("b",), 1.0)), "module 'a': slots = Slot.*: must be a sequence of slots"),
        (lambda: ModularNetwork(("a",), OUT), r"modules\[0\] = 'a': must be a Module"),
        (lambda: ModularNetwork(a(), OUT), "modules = Module.*: must be a sequence of modules"),
        (lambda: ModularNetwork((a(),), {"a": 1.0}), r"outputs\[0\] = 'a': must be a Slot"),
        (lambda: Slot("eye", 1.0), "slot.sources = 'eye': must be a sequence of names of modules"),
        (lambda: Slot((None,), 1.0), "slot.sources = None: must be a non-empty string or an integer"),
        *(
            (lambda w=w: Slot(("a",), w), r"slot.weight = .*: must be a finite number in \[0, 1\]")
            for w in (-0.1, 1.1, math.nan, math.inf, "1", None, True)
        ),
        (lambda: diamond().module(["face"]), r"module = \['face'\]: must be one of 'face', 'left', 'right'"),
        (lambda: diamond().module("nose"), "module = 'nose': must be one of 'face', 'left', 'right'"),
        (lambda: simnet.networks.tree(height=2).module(True), "module = True: must be one of 0, 1, 2"),
    ],
)
def test_what_is_no_network_is_refused_by_name(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_rounding_of_a_sum_of_weights_is_forgiven():
    assert len(a(*[Slot(("b",), 0.1 + 1e-17)] * 10).slots) == 10
    weight = 0.5 + 1e-6
    with pytest.raises(ValueError, match="must sum to at most 1"):
        a(Slot(("b",), weight), Slot(("c",), weight))
