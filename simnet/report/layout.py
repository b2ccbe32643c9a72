"""Where the boxes of a layered drawing stand, and which way its lines go.

The steps of Sugiyama, Tagawa and Toda: a layer for each box, points for the lines that pass a layer, an order in each layer
with few crossings, and heights at which lines run straight.  Layers are columns from left to right.  Boxes and lines of one
layer share its column, in an order and with room for each, so nothing covers anything.

Source: K. Sugiyama, S. Tagawa, M. Toda, *Methods for visual understanding of hierarchical system structures*, IEEE Trans.
Syst. Man Cybern. 11 (1981) 109-125.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import scipy.optimize
from numpy.typing import NDArray

Array = NDArray[Any]
Key = Hashable

#: Rounds of ordering and of moving, and how much more a line that passes a layer wants to be straight than one that ends.
ORDERINGS, MOVES, STRAIGHT = 24, 30, 4.0


@dataclass(frozen=True)
class Layout:
    """Places in points, the origin at the lower left.

    Attributes
    ----------
    columns : dict
        Of each box its layer.
    centres : dict
        Of each box its middle.
    routes : dict from (source, target) to (k, 2) array
        The points that a line passes: two for each layer between its ends, where it enters and where it leaves.
    width, height : float
    """

    columns: dict[Key, int]
    centres: dict[Key, tuple[float, float]]
    routes: dict[tuple[Key, Key], Array]
    width: float
    height: float


@dataclass(frozen=True)
class Gaps:
    """Room between boxes of a layer, between lines, and between layers."""

    boxes: float = 9.0
    lines: float = 7.0
    layers: float = 44.0


def arrange(graph: nx.DiGraph[Any], sizes: Mapping[Key, tuple[float, float]], gaps: Gaps | None = None) -> Layout:
    """Boxes of those ``(width, height)`` in layers, lines from left to right.

    Parameters
    ----------
    graph : networkx.DiGraph
        Acyclic.
    sizes : mapping
        Of every node.

    Examples
    --------
    >>> import networkx as nx
    >>> from simnet.report.layout import arrange
    >>> layout = arrange(nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")]), dict.fromkeys("abc", (20.0, 10.0)))
    >>> layout.columns, len(layout.routes["a", "c"])
    ({'a': 0, 'b': 1, 'c': 2}, 2)
    """
    gaps = gaps or Gaps()
    columns: dict[Key, int] = {}
    for number, layer in enumerate(nx.topological_generations(graph)):
        columns.update(dict.fromkeys(layer, number))
    columns = {key: columns[key] for key in graph}
    chains, layers = _chains(graph, columns)
    links = [link for chain in chains.values() for link in pairwise(chain)]
    layers = _ordered(layers, links)
    heights = _heights(layers, links, sizes, gaps)
    widths = [max(sizes[key][0] for key in layer if key in sizes) for layer in layers]
    top, bottom = _extent(heights, sizes)
    # steep lines need room
    between = float(np.clip(0.14 * (top - bottom), gaps.layers, 4.0 * gaps.layers))
    lefts = np.concatenate([[0.0], np.cumsum(np.array(widths) + between)])
    centres = {key: (float(lefts[c] + widths[c] / 2.0), heights[key] - bottom) for key, c in columns.items()}
    routes = {
        edge: np.array(
            [
                (float(x), heights[key] - bottom)
                for column, key in enumerate(chain[1:-1], columns[edge[0]] + 1)
                for x in (lefts[column], lefts[column] + widths[column])
            ]
        ).reshape(-1, 2)
        for edge, chain in chains.items()
    }
    return Layout(columns, centres, routes, float(lefts[-1] - between), top - bottom)


def _chains(graph: nx.DiGraph[Any], columns: Mapping[Key, int]) -> tuple[dict[tuple[Key, Key], list[Key]], list[list[Key]]]:
    """Of each edge the box or the point of its own that it has in every layer, and what stands in each layer."""
    layers: list[list[Key]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    for key, column in columns.items():
        layers[column].append(key)
    chains = {}
    for source, target in graph.edges:
        points: list[Key] = [("passes", source, target, c) for c in range(columns[source] + 1, columns[target])]
        for point, column in zip(points, range(columns[source] + 1, columns[target]), strict=True):
            layers[column].append(point)
        chains[source, target] = [source, *points, target]
    return chains, layers


def _ordered(layers: list[list[Key]], links: Sequence[tuple[Key, Key]]) -> list[list[Key]]:
    """An order within layers with few crossings: by the mean place of the neighbours, forwards and backwards in turn."""
    left: dict[Key, list[Key]] = {}
    right: dict[Key, list[Key]] = {}
    for a, b in links:
        right.setdefault(a, []).append(b)
        left.setdefault(b, []).append(a)
    best, fewest = layers, _crossings(layers, links)
    for turn in range(ORDERINGS):
        neighbours = left if turn % 2 == 0 else right
        layers = [list(layer) for layer in layers]
        for layer in layers if turn % 2 == 0 else reversed(layers):
            place = {key: i / max(len(other) - 1, 1) for other in layers for i, key in enumerate(other)}
            means = {key: np.mean([place[n] for n in neighbours.get(key, [key])]) for key in layer}
            layer.sort(key=means.__getitem__)
        crossings = _crossings(layers, links)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _crossings(layers: list[list[Key]], links: Sequence[tuple[Key, Key]]) -> int:
    """How many pairs of links between neighbouring layers cross."""
    place = {key: (c, i) for c, layer in enumerate(layers) for i, key in enumerate(layer)}
    total = 0
    for column in range(len(layers) - 1):
        ends = np.array([(place[a][1], place[b][1]) for a, b in links if place[a][0] == column]).reshape(-1, 2)
        apart = np.sign(ends[:, None] - ends[None])
        total += int(np.sum(apart[..., 0] * apart[..., 1] < 0)) // 2
    return total


def _heights(
    layers: list[list[Key]], links: Sequence[tuple[Key, Key]], sizes: Mapping[Key, tuple[float, float]], gaps: Gaps
) -> dict[Key, float]:
    """The height of every box and point: near its neighbours, in order, with room for each."""
    neighbours: dict[Key, list[Key]] = {}
    for a, b in links:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    offsets: list[Array] = []
    heights: dict[Key, Any] = {}
    for layer in layers:
        halves = [sizes[key][1] / 2.0 if key in sizes else 0.0 for key in layer]
        room = [
            a + b + (gaps.boxes if p in sizes and q in sizes else gaps.lines)
            for (a, b), (p, q) in zip(pairwise(halves), pairwise(layer), strict=True)
        ]
        offset = np.concatenate([[0.0], np.cumsum(room)])
        offsets.append(offset)
        heights.update(zip(layer, offset - offset[-1] / 2.0, strict=True))
    for turn in range(MOVES):
        for layer, offset in list(zip(layers, offsets, strict=True))[:: 1 if turn % 2 == 0 else -1]:
            wanted = np.array([np.mean([heights[n] for n in neighbours.get(key, [key])]) for key in layer])
            weights = np.array([1.0 if key in sizes else STRAIGHT for key in layer])
            # the nearest heights that keep the order and the room
            moved = scipy.optimize.isotonic_regression(wanted - offset, weights=weights).x + offset
            heights.update(zip(layer, moved, strict=True))
    return {key: -float(height) for key, height in heights.items()}  # the first of a layer stands at its top


def _extent(heights: Mapping[Key, float], sizes: Mapping[Key, tuple[float, float]]) -> tuple[float, float]:
    """The highest and the lowest that is drawn."""
    reach = {key: sizes[key][1] / 2.0 if key in sizes else 2.0 for key in heights}
    return max(heights[key] + reach[key] for key in heights), min(heights[key] - reach[key] for key in heights)
