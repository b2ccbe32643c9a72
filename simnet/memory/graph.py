"""The store as a knowledge graph: runs, the modules in them, their concepts, their tags, and which of them are alike."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from simnet.checks import integer
from simnet.files import written_whole
from simnet.memory.concepts import MOST, Concept
from simnet.memory.finding import containing_module
from simnet.memory.selection import Selection
from simnet.memory.vectors import units

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

#: Rows of the matrix of cosines that are held at a time.
ROWS = 512


def knowledge_graph(
    store: SketchStore,
    where: Selection | Mapping[str, Any] | None = None,
    *,
    neighbours: int = 5,
    concepts: list[Concept] | None = None,
    modules: bool = True,
    false_alarm: float = 1e-4,
) -> nx.Graph[Any]:
    """A graph of what a selection holds.

    Nodes have a ``kind``:

    * ``"run"``, ``run 7``: with ``id``, ``time`` in ISO 8601, and ``metadata`` in JSON where there are any;
    * ``"concept"``, ``concept 0``: with ``size``, ``is_new`` and ``onset``;
    * ``"module"``, ``module cat``, and ``"tag"``, ``tag kitchen``.

    Edges have a ``relation``: ``"like"`` with ``cosine`` to the nearest other runs, ``"contains"`` with ``amount`` to
    modules that are significantly there, ``"is"`` to a concept, ``"tagged"``.

    Parameters
    ----------
    store : SketchStore
    where : Selection, or a mapping of its conditions
    neighbours : int
        How many other runs each is joined to; 0 for none.
    concepts : list of Concept, optional
        From :meth:`SketchStore.concepts`.
    modules : bool
        Whether to look for modules in the runs.
    false_alarm : float
        The probability of an edge from a run to a module that is not in it.

    Raises
    ------
    ValueError
        If more than 20,000 sketches are selected.
    """
    neighbours = integer("neighbours", neighbours)
    ids = store.ids(where)
    if len(ids) > MOST:
        raise ValueError(f"where: selects {len(ids)} sketches, a graph compares all pairs of at most {MOST}")
    graph: nx.Graph[Any] = nx.Graph(store=store.name)
    for key, time, tags, metadata in store.notes(ids):
        run = f"run {key}"
        graph.add_node(run, kind="run", id=key)
        if time is not None:
            graph.nodes[run]["time"] = datetime.fromtimestamp(time, UTC).isoformat()
        if metadata:
            graph.nodes[run]["metadata"] = json.dumps(metadata, ensure_ascii=False)
        for tag in tags:
            graph.add_node(f"tag {tag}", kind="tag")
            graph.add_edge(run, f"tag {tag}", relation="tagged")
    _join_alike(graph, store, ids, neighbours)
    for module in store.sketcher.network.modules if modules and len(ids) else ():
        found = containing_module(store, module.name, {"ids": ids.tolist()}, false_alarm=false_alarm)
        for key, amount in zip(found.ids[found.contains], found.amount[found.contains], strict=True):
            graph.add_node(f"module {module.name}", kind="module")
            graph.add_edge(f"run {key}", f"module {module.name}", relation="contains", amount=float(amount))
    for concept in concepts or ():
        name = f"concept {concept.name}"
        graph.add_node(name, kind="concept", size=len(concept.ids), is_new=concept.is_new)
        if concept.onset is not None:
            graph.nodes[name]["onset"] = concept.onset.time.isoformat()
        for key in np.intersect1d(concept.ids, ids):
            graph.add_edge(f"run {key}", name, relation="is")
    return graph


def _join_alike(graph: nx.Graph[Any], store: SketchStore, ids: Any, neighbours: int) -> None:
    """An edge from each run to those at the smallest angles."""
    most = min(neighbours, len(ids) - 1)
    if most < 1:
        return
    vectors = np.concatenate([units(block.sketches) for block in store.blocks({"ids": ids.tolist()}, dtype=np.float32)])
    for start in range(0, len(ids), ROWS):
        cosines = vectors[start : start + ROWS] @ vectors.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -np.inf
        best = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
        for i in rows:
            for j in best[i]:
                graph.add_edge(f"run {ids[start + i]}", f"run {ids[j]}", relation="like", cosine=float(cosines[i, j]))


def write_graph(graph: nx.Graph[Any], path: str | os.PathLike[str]) -> None:
    """Write a graph as GraphML, which :func:`networkx.read_graphml` and Gephi read; it appears whole or not at all."""
    with written_whole(path) as file:
        nx.write_graphml(graph, file)
