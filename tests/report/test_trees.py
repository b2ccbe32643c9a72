"""Trees on a terminal: each thing once, with what fills its slots, and no more lines than can be read."""

import io

import numpy as np
from rich.console import Console

import simnet
from simnet.report.trees import MOST_LEVELS, MOST_LINES, bars, network_tree, object_tree


def text(tree):
    console = Console(file=io.StringIO(), width=200)
    console.print(tree)
    return console.file.getvalue()


def test_bars_tell_zero_size_and_sign():
    assert bars([0.0, 0.5, -1.0, 1e-9], 1.0) == "·▄-█▁"
    assert bars(np.zeros(3), 0.0) == "···"


def test_every_edge_of_a_wiring_is_in_its_tree():
    net = simnet.networks.random_dag(modules=8, seed=0)
    said = text(network_tree(net))
    slots = sum(len(m.slots) for m in net.modules) + len(net.outputs)
    assert said.count("slot ") == slots
    for module in net.modules:
        assert said.count(f": {module.name}  a = ") == 1


def test_what_may_fill_a_slot_is_listed_once_with_the_objects_that_did():
    net = simnet.networks.scene(places=4, seed=0)
    run = net.run(1, seed=1)[0]
    said = text(network_tree(net, run))
    assert "slots 0–3, weight 0.25 each: one of" in said
    assert "cat  a = 7  2 objects" in said
    assert "person  a = 7  no object" in said
    objects = text(object_tree(run.structure, run.attributes))
    assert "slot 3, weight 0.25: chair.1  of chair" in objects


def test_an_object_in_two_slots_is_unfolded_once():
    ex = simnet.Execution.from_objects(
        [("a", "a", [0.5], [], []), ("b", "b", [0.5], ["a", "a"], [0.2, 0.3])], outputs=[("b", 0.5), (None, 0.1), ("a", 0.4)]
    )
    said = text(object_tree(ex.structure, ex.attributes))
    assert said.count("a  ▅") + said.count("a  █") == 1
    assert said.count("as above") == 2
    assert "slot 2, weight 0.4: a" in said


def test_a_tree_ends_where_nobody_would_read_on():
    deep = text(network_tree(simnet.networks.tree(height=MOST_LEVELS + 9, branching=1)))
    assert len(deep.splitlines()) == MOST_LEVELS + 2
    assert "… and 1 more branches" in deep
    wide = text(network_tree(simnet.networks.sparse_layer(modules=MOST_LINES + 7)))
    assert len(wide.splitlines()) == MOST_LINES + 2
    assert "… and 7 more branches" in wide
