"""Many executions, grouped so that all runs with one object graph are handled as one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import shown
from simnet.networks.execution import Execution
from simnet.networks.structure import Structure

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that share one object graph.  Its arrays are read-only.

    Attributes
    ----------
    structure : Structure
        The shared graph; its own weights are those of the network.
    runs : (n,) int array
        Which runs these are, among all of the :class:`Executions`.
    attributes : tuple of (n, a) arrays
        One for each object.
    weights : (n, edges) or (1, edges) array
        The weight of every edge in every run, or one row when all runs share it; the order is that of
        ``structure.edge_weights``.
    """

    structure: Structure
    runs: Array
    attributes: tuple[Array, ...]
    weights: Array

    def __post_init__(self) -> None:
        for part in ("runs", "weights"):
            object.__setattr__(self, part, _frozen(getattr(self, part)))
        object.__setattr__(self, "attributes", tuple(map(_frozen, self.attributes)))

    def __len__(self) -> int:
        return len(self.runs)

    def structure_of(self, i: int) -> Structure:
        """The structure of the ``i``-th run of the group, with the weights of that run."""
        row = self.weights[i if len(self.weights) > 1 else 0]
        if np.array_equal(row, self.structure.edge_weights):
            return self.structure
        s, values = self.structure, iter(row.tolist())
        slots = [*zip(s.inputs, s.weights, strict=True), (s.outputs, s.output_weights)]
        filled = [
            tuple(w if name is None else next(values) for name, w in zip(names, ws, strict=True)) for names, ws in slots
        ]
        return Structure(s.network, s.names, s.modules, s.inputs, tuple(filled[:-1]), s.outputs, filled[-1])

    def execution(self, i: int) -> Execution:
        """The ``i``-th run of the group on its own."""
        return Execution(self.structure_of(i), tuple(x[i] for x in self.attributes))

    def subset(self, rows: Array | slice, runs: Array) -> Group:
        """Some of the runs, renumbered."""
        weights = self.weights[rows] if len(self.weights) > 1 else self.weights
        return Group(self.structure, runs, tuple(x[rows] for x in self.attributes), weights)


def _frozen(array: Array) -> Array:
    """A read-only view; whoever made the array may still write to it."""
    view = np.asarray(array).view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, eq=False)
class Executions:
    """Executions of one network: an iterable of groups, and a sequence of runs by index.

    Examples
    --------
    >>> import simnet
    >>> runs = simnet.networks.scene(places=4, seed=0).run(50, seed=1)
    >>> len(runs), sum(len(group) for group in runs), runs[7].objects[-1].name
    (50, 50, 'room')
    """

    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[Group]:
        return iter(self.groups)

    @cached_property
    def _places(self) -> dict[int, tuple[int, int]]:
        return {int(run): (g, i) for g, group in enumerate(self.groups) for i, run in enumerate(group.runs)}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, key: Any) -> Any:
        """One :class:`Execution` for an integer, :class:`Executions` for a slice, a list of integers or a mask."""
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"run = {key}: there are {len(self)} runs")
            g, i = self._places[int(key) % len(self)]
            return self.groups[g].execution(i)
        if not isinstance(key, slice) and (np.ndim(key) != 1 or (np.size(key) and np.asarray(key).dtype.kind not in "iub")):
            raise ValueError(f"run = {shown(key)}: must be an integer, a slice, a list of integers or a mask")
        wanted = np.arange(len(self))[key]
        chosen: dict[int, list[tuple[int, int]]] = {}
        for new, old in enumerate(wanted):
            g, i = self._places[int(old)]
            chosen.setdefault(g, []).append((i, new))
        parts = {g: np.array(pairs, dtype=np.intp) for g, pairs in chosen.items()}
        return Executions(tuple(self.groups[g].subset(rows[:, 0], rows[:, 1]) for g, rows in parts.items()))

    @classmethod
    def gather(cls, executions: Iterable[Execution]) -> Executions:
        """Single executions, grouped by object graph, in the given order."""
        by_graph: dict[Any, list[tuple[int, Execution]]] = {}
        for run, execution in enumerate(executions):
            by_graph.setdefault(execution.structure.graph_key, []).append((run, execution))
        groups = []
        for members in by_graph.values():
            columns = zip(*(execution.attributes for _, execution in members), strict=True)
            groups.append(
                Group(
                    members[0][1].structure,
                    np.array([run for run, _ in members], dtype=np.intp),
                    tuple(np.stack(column) for column in columns),
                    np.stack([execution.structure.edge_weights for _, execution in members]),
                )
            )
        return cls(tuple(groups))


def as_executions(runs: Executions | Group | Execution) -> Executions:
    """Executions, whatever is given: all, one group (in its own order) or a single run."""
    if isinstance(runs, Executions):
        return runs
    if isinstance(runs, Group):
        return Executions((runs.subset(np.arange(len(runs)), np.arange(len(runs))),))
    if isinstance(runs, Execution):
        return Executions.gather([runs])
    raise ValueError(f"runs: must be Executions, a Group or an Execution, not {type(runs).__name__}")
