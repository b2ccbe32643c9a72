"""The knowledge graph of a store."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest

from simnet.memory import Concept, onset_of, write_graph
from simnet.memory.vectors import units


def test_runs_are_joined_to_their_modules_their_tags_and_those_most_like_them(filled, sketches, rooms, tmp_path):
    filled.add(sketches[0], tags=["kitchen", "day"])
    onset = onset_of(np.arange(60.0), np.arange(60) > 30)
    concept = Concept(0, np.array([5, 6, 99]), 5, True, onset)
    graph = filled.graph(neighbours=3, concepts=[concept])
    kinds = nx.get_node_attributes(graph, "kind")
    assert sorted(set(kinds.values())) == ["concept", "module", "run", "tag"]
    assert sum(kind == "run" for kind in kinds.values()) == 61
    for i in range(60):
        planted = {f"module {o.module}" for o in rooms[i].objects}
        assert {n for n in graph[f"run {i + 1}"] if kinds[n] == "module"} == planted
    assert graph.edges["run 1", "run 61"]["cosine"] == pytest.approx(1.0, abs=1e-6)
    assert set(graph["tag day"]) == {"run 61"}
    assert set(graph["concept 0"]) == {"run 5", "run 6"}
    assert graph.nodes["concept 0"]["onset"] == onset.time.isoformat()
    assert json.loads(graph.nodes["run 2"]["metadata"]) == {"i": 1, "odd": True}
    cosines = units(sketches) @ units(sketches).T
    nearest = 1 + np.argsort(-cosines[4])[1:4]
    assert {f"run {k}" for k in nearest} <= set(graph["run 5"])
    write_graph(graph, tmp_path / "g.graphml")
    again = nx.read_graphml(tmp_path / "g.graphml")
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert nx.to_dict_of_dicts(again) == nx.to_dict_of_dicts(graph)


def test_a_graph_of_part_of_it(filled):
    graph = filled.graph({"ids": [1, 2]}, neighbours=0, modules=False)
    assert (sorted(graph), graph.number_of_edges()) == (["run 1", "run 2"], 0)
    assert len(filled.graph({"tags": ["none"]})) == 0
    with pytest.raises(ValueError, match="neighbours = -1"):
        filled.graph(neighbours=-1)
