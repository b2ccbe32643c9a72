"""In which order an encode goes through an object graph, and what it does together.

Objects whose inputs are complete do not wait for each other, whatever their modules: their transforms are the same, and
only the signs differ.  A *task* is a set of such objects with the edges from them to their consumers.  By *levels*, a task
holds as many as a cache-sized batch allows; *depth first*, it holds the next few that are ready, so that few are under way.
Every object hands its sketch on at once and is forgotten, so that what is in memory is what consumers have received.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.networks import Structure
from simnet.networks.network import ROOT, Name
from simnet.threads import threads

Array = NDArray[Any]

#: Pieces of about this size go through a transform and what comes before and after it together.  Smaller ones stay nearer to
#: the processor, and cost as much in calls (measured from 1 to 8 MB).
PIECE_BYTES = 1 << 22

#: Depth first, company for an object is looked for among the next so many: early objects wait for their consumers in memory.
AHEAD = 8


class Part(NamedTuple):
    """Consecutive rows of a task that meet one matrix: its module and role, and the rows."""

    module: Name
    role: str | int
    rows: slice


class Task(NamedTuple):
    """Some objects, module by module; those among them that have inputs; and the edges from them to their consumers."""

    objects: Array
    modules: tuple[Part, ...]
    fed: Array  # positions among the objects
    inputs: tuple[Part, ...]
    edges: Array  # positions in the list of edges
    children: Array  # positions among the objects
    parents: Array  # objects; the number of objects stands for root
    slots: tuple[Part, ...]
    turns: tuple[int, ...]  # edges of the task, child by child: sums whose order does not depend on what a task holds


class Piece(NamedTuple):
    """Some rows of several batches: which they are among all rows, and which of each batch."""

    rows: slice
    parts: list[tuple[int, slice]]


def pieces(lengths: Sequence[int], row: int, itemsize: int) -> list[Piece]:
    """Batches of rows of so many numbers, cut into pieces for the cache, and for as many threads as there are."""
    total = sum(lengths)
    most = max(1, min(PIECE_BYTES // (row * itemsize), -(-total // threads())))
    if total <= most:
        return [Piece(slice(0, total), [(i, slice(0, length)) for i, length in enumerate(lengths)])]
    found: list[Piece] = []
    i = used = 0  # which batch is next, and how many of its rows have a piece
    for start in range(0, total, most):
        stop, parts = min(start + most, total), []
        left = stop - start
        while left:
            taken = min(left, lengths[i] - used)
            parts.append((i, slice(used, used + taken)))
            left, used = left - taken, used + taken
            if used == lengths[i]:
                i, used = i + 1, 0
        found.append(Piece(slice(start, stop), parts))
    return found


def plan(
    structure: Structure, most: int, *, depth_first: bool = False, done: Array | None = None, apart: bool = False
) -> tuple[Task, ...]:
    """The tasks of a structure, of at most ``most`` objects each; made once and kept with the structure.

    ``done`` says which objects have no task: nothing below them has one either.  ``apart`` makes a task of each object, in
    the same order: sums are the same bits, and fewer sketches are in memory.
    """
    key = (most, depth_first, None if done is None else done.tobytes(), apart)
    if key not in structure.plans:
        left = range(len(structure)) if done is None else np.flatnonzero(~done).tolist()
        order = _together(structure, most, left) if depth_first else _levels(structure, most, left)
        tasks = ([k] for objects in order for k in objects) if apart else order
        structure.plans[key] = tuple(_task(structure, objects) for objects in tasks)
    return structure.plans[key]


def products(structure: Structure) -> int:
    """Products of one encode: for each value, for ``T_a`` and ``T_0``, for ``T_b`` of those with inputs, for each edge."""
    fed = sum(any(name is not None for name in inputs) for inputs in structure.inputs)
    return 3 * len(structure) + fed + len(structure.edge_weights)


def _levels(structure: Structure, most: int, left: Iterable[int]) -> Iterator[list[int]]:
    """Objects by the longest path below them, module by module, cut into pieces."""
    heights = _heights(structure)
    order = structure.network.order
    by_level = sorted(left, key=lambda k: (heights[k], order[structure.modules[k]], k))
    for _, members in groupby(by_level, key=heights.__getitem__):
        level = list(members)
        for start in range(0, len(level), most):
            yield level[start : start + most]


def _heights(structure: Structure) -> list[int]:
    heights = [0] * len(structure)
    for step in structure.steps:
        for _, _, _, parents, children in step.slots:
            for parent, child in zip(parents, children, strict=True):
                heights[parent] = max(heights[parent], heights[child] + 1)
    return heights


def _depth_first(structure: Structure) -> Iterator[int]:
    """Objects right before the first consumer that has all it needs; of two inputs the one with more below it first.

    Objects that nothing consumes come first: they have no part in the sketch.
    """
    heights = _heights(structure)
    below = _below(structure)
    outputs = {structure.positions[name] for name in structure.outputs if name is not None}
    idle = set(range(len(structure))) - outputs - {child for children in below for child in children}
    seen: set[int] = set()
    waiting = [(k, False) for ends in (outputs, idle) for k in sorted(ends, key=lambda k: (heights[k], k))]
    while waiting:
        k, ready = waiting.pop()
        if ready:
            yield k
        elif k not in seen:
            seen.add(k)
            waiting.append((k, True))
            waiting.extend((child, False) for child in sorted(below[k], key=heights.__getitem__))


def _below(structure: Structure) -> list[list[int]]:
    """What fills the slots of every object."""
    return [[structure.positions[name] for name in names if name is not None] for names in structure.inputs]


def _together(structure: Structure, most: int, left: Iterable[int]) -> Iterator[list[int]]:
    """The objects depth first, each with the next few that are ready too."""
    below, wanted = _below(structure), set(left)
    order, done = [k for k in _depth_first(structure) if k in wanted], set(range(len(structure))) - wanted
    while order:
        task = [k for k in order[:AHEAD] if done.issuperset(below[k])][:most]
        yield task
        done.update(task)
        order = [k for k in order[:AHEAD] if k not in task] + order[AHEAD:]


def _task(structure: Structure, objects: list[int]) -> Task:
    parents, slots, children = structure.edge_ends
    names = [*structure.modules, ROOT]
    row_of = {k: row for row, k in enumerate(objects)}
    fed = [row for row, k in enumerate(objects) if any(name is not None for name in structure.inputs[k])]
    edges = np.flatnonzero(np.isin(children, objects))
    keys = [(structure.network.order.get(names[parents[e]], -1), slots[e]) for e in edges]
    edges = edges[sorted(range(len(edges)), key=keys.__getitem__)].astype(np.intp)
    modules = [names[k] for k in objects]
    givers = [row_of[int(children[e])] for e in edges]
    return Task(
        np.array(objects, dtype=np.intp),
        _parts((name, "") for name in modules),
        np.array(fed, dtype=np.intp),
        _parts((modules[row], "") for row in fed),
        edges,
        np.array(givers, dtype=np.intp),
        parents[edges],
        _parts((names[parents[e]], int(slots[e])) for e in edges),
        tuple(sorted(range(len(edges)), key=lambda i: (givers[i], slots[edges[i]]))),
    )


def _parts(keys: Iterable[tuple[Name, str | int]]) -> tuple[Part, ...]:
    """Runs of equal keys."""
    parts, start = [], 0
    for (module, role), members in groupby(keys):
        stop = start + sum(1 for _ in members)
        parts.append(Part(module, role, slice(start, stop)))
        start = stop
    return tuple(parts)
