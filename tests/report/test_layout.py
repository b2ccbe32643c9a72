"""Layered layouts: columns follow the lines, boxes keep apart, and no line runs through a box."""

import networkx as nx
import numpy as np
import pytest

from simnet.report.layout import _crossings, arrange

SIZE = (30.0, 12.0)


def random_dag(nodes, seed):
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from((int(rng.integers(v)), v) for v in range(1, nodes) for _ in range(2))
    return graph


@pytest.mark.parametrize("nodes", [1, 2, 10, 40])
def test_lines_lead_to_the_right_and_boxes_keep_apart(nodes):
    graph = random_dag(nodes, nodes)
    layout = arrange(graph, dict.fromkeys(graph, SIZE))
    centres = np.array([layout.centres[v] for v in graph])
    for a, b in graph.edges:
        assert layout.columns[a] < layout.columns[b]
        assert layout.centres[a][0] + SIZE[0] < layout.centres[b][0]
    apart = np.abs(centres[:, None] - centres[None])
    touching = (apart[..., 0] < SIZE[0]) & (apart[..., 1] < SIZE[1])
    assert touching.sum() == nodes
    assert (centres >= np.array(SIZE) / 2 - 1e-9).all()
    assert (centres <= np.array([layout.width, layout.height]) - np.array(SIZE) / 2 + 1e-9).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_line_passes_the_boxes_between_its_ends_at_a_distance(seed):
    graph = random_dag(30, seed)
    layout = arrange(graph, dict.fromkeys(graph, SIZE))
    for (a, b), route in layout.routes.items():
        assert len(route) == 2 * (layout.columns[b] - layout.columns[a] - 1)
        for column, (entering, leaving) in enumerate(route.reshape(-1, 2, 2), layout.columns[a] + 1):
            assert entering[1] == leaving[1]
            boxes = [layout.centres[v][1] for v in graph if layout.columns[v] == column]
            assert np.abs(np.array(boxes) - entering[1]).min() > SIZE[1] / 2 + 3.0


def test_a_wiring_that_can_be_drawn_without_crossings_is():
    # three chains, given in an order that crosses
    graph = nx.DiGraph([("a", "y"), ("b", "z"), ("c", "x"), ("y", "r"), ("z", "r"), ("x", "r")])
    layout = arrange(graph, dict.fromkeys(graph, SIZE))
    height = {key: place[1] for key, place in layout.centres.items()}
    assert np.argsort([height[k] for k in "abc"]).tolist() == np.argsort([height[k] for k in "yzx"]).tolist()


def test_crossings_are_counted():
    assert _crossings([["a", "b"], ["x", "y"]], [("a", "y"), ("b", "x")]) == 1
    assert _crossings([["a", "b"], ["y", "x"]], [("a", "y"), ("b", "x")]) == 0
    assert _crossings([["a", "b"], ["x"]], [("a", "x"), ("b", "x")]) == 0


def test_a_chain_is_straight():
    layout = arrange(nx.path_graph(5, nx.DiGraph), dict.fromkeys(range(5), SIZE))
    assert len({round(place[1], 9) for place in layout.centres.values()}) == 1
