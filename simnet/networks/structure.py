"""Structures: the object graph of an execution, without the attribute vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.checks import shown
from simnet.networks.network import ROOT, ModularNetwork, Name

Array = NDArray[Any]


class Node(NamedTuple):
    """One object of a structure; ``inputs`` slot by slot, ``None`` where a slot is empty."""

    module: Name
    inputs: tuple[Name | None, ...]
    weights: tuple[float, ...]


class SlotEdges(NamedTuple):
    """The edges into one slot of one module: where they stand in the edge list, and the two ends of each."""

    slot: int
    edges: Array  # positions in the list of edges
    rows: Array  # the parent, as a position among the objects of its module
    parents: Array  # the parent, as an object; the number of objects stands for root
    children: Array  # the child, as an object


class Step(NamedTuple):
    """All objects of one module, with the edges into them slot by slot."""

    module: Name
    objects: Array
    slots: tuple[SlotEdges, ...]


@dataclass(frozen=True)
class Structure:
    """The objects of an execution, what fills their slots, and with which weights.

    Objects keep the order in which they were given.  They are looked up by name, or by position when the position is
    not itself a name.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects(
    ...     [("eye", "eye", [0.6], [], []), ("face", "face", [0.8], ["eye"], [0.5])], outputs={"face": 1.0})
    >>> ex.structure["face"].inputs, ex.structure.outputs, ex.structure.size
    (('eye',), ('face',), 4)
    """

    network: ModularNetwork
    names: tuple[Name, ...]
    modules: tuple[Name, ...]
    inputs: tuple[tuple[Name | None, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    outputs: tuple[Name | None, ...]
    output_weights: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Name]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.positions

    def __getitem__(self, key: Name) -> Node:
        k = self.position(key)
        return Node(self.modules[k], self.inputs[k], self.weights[k])

    @cached_property
    def positions(self) -> dict[Name, int]:
        """The position of each object by its name."""
        return {name: k for k, name in enumerate(self.names)}

    def position(self, key: Any) -> int:
        """The position of the object with that name, or at that position."""
        if not isinstance(key, bool):
            if isinstance(key, (str, int)) and key in self.positions:
                return self.positions[key]
            if isinstance(key, (int, np.integer)) and -len(self) <= key < len(self):
                return int(key) % len(self)
        known = ", ".join(map(repr, self.names[:12])) + (", …" if len(self) > 12 else "")
        raise ValueError(f"object = {key!r}: must be one of {known}, or a position below {len(self)}")

    @cached_property
    def attribute_dims(self) -> tuple[int, ...]:
        """``a_θ`` of each object."""
        return tuple(self.network.by_name[module].attribute_dim for module in self.modules)

    @cached_property
    def size(self) -> int:
        """``p = Σ_θ (a_θ + 1)``, the number of unknowns of a sketch with this structure."""
        return sum(self.attribute_dims) + len(self)

    @cached_property
    def graph_key(self) -> tuple[Any, ...]:
        """What two executions must share to be run as one batch: everything but the weights."""
        return (self.names, self.modules, self.attribute_dims, self.inputs, self.outputs)

    @cached_property
    def edge_weights(self) -> Array:
        """The weight of every edge: object by object, slot by slot, then the slots of ``root``."""
        slots = [*zip(self.inputs, self.weights, strict=True), (self.outputs, self.output_weights)]
        return np.array([w for names, ws in slots for name, w in zip(names, ws, strict=True) if name is not None])

    @cached_property
    def edge_ends(self) -> tuple[Array, Array, Array]:
        """Parent, slot and child of every edge, in the order of ``edge_weights``."""
        ends = [
            (parent, slot, self.positions[name])
            for parent, names in enumerate([*self.inputs, self.outputs])
            for slot, name in enumerate(names)
            if name is not None
        ]
        parents, slots, children = np.array(ends, dtype=np.intp).reshape(-1, 3).T
        return parents, slots, children

    @cached_property
    def plans(self) -> dict[Any, Any]:
        """What encoders have worked out about the structure: see :mod:`simnet.sketching.plan`."""
        return {}

    def _step(self, module: Name, objects: Array) -> Step:
        parents, slots, children = self.edge_ends
        row_of = {int(k): row for row, k in enumerate(objects)}
        mine = np.flatnonzero(np.isin(parents, objects))
        edges_by_slot = []
        for slot in np.unique(slots[mine]):
            edges = mine[slots[mine] == slot]
            rows = np.array([row_of[int(k)] for k in parents[edges]], dtype=np.intp)
            edges_by_slot.append(SlotEdges(int(slot), edges, rows, parents[edges], children[edges]))
        return Step(module, objects, tuple(edges_by_slot))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The modules that have objects, in the topological order of the network: inputs come before their consumers."""
        objects: dict[Name, list[int]] = {}
        for k, module in enumerate(self.modules):
            objects.setdefault(module, []).append(k)
        ordered = sorted(objects, key=self.network.order.__getitem__)
        return tuple(self._step(module, np.array(objects[module], dtype=np.intp)) for module in ordered)

    @cached_property
    def root(self) -> Step:
        """The output pseudo-object, as a step of its own."""
        return self._step(ROOT, np.array([len(self)], dtype=np.intp))

    @cached_property
    def objects_of(self) -> dict[Name, Array]:
        """The positions of the objects of each module that has any."""
        return {step.module: step.objects for step in self.steps}

    def path_sums(self, level_gain: float, weights: Array | None = None) -> Array:
        """``Σ_paths level_gain^{h−1} Π_edges w`` of every object: ``(..., objects)`` for weights ``(..., edges)``."""
        weights = self.edge_weights if weights is None else weights
        sums = np.zeros((*weights.shape[:-1], len(self) + 1))
        sums[..., -1] = 1.0
        for step in (self.root, *reversed(self.steps)):
            gain = 1.0 if step is self.root else level_gain
            for _, edges, _, parents, children in step.slots:
                contribution = gain * weights[..., edges] * sums[..., parents]
                for i, child in enumerate(children):
                    sums[..., child] += contribution[..., i]
        return sums[..., :-1]

    @cached_property
    def effective_weights(self) -> Array:
        """``w_θ``: the products of the weights along the paths from ``root``, summed."""
        return self.path_sums(1.0)

    @cached_property
    def places(self) -> int:
        """How many places the objects stand in: the paths from ``root``, which an object in several slots has several of."""
        return round(float(self.path_sums(1.0, np.ones(len(self.edge_weights))).sum()))

    def _path_lengths(self, pick: Any) -> tuple[int, ...]:
        lengths: list[int | None] = [None] * len(self) + [0]
        for step in (self.root, *reversed(self.steps)):
            for _, _, _, parents, children in step.slots:
                for parent, child in zip(parents, children, strict=True):
                    above, old = lengths[parent], lengths[child]
                    if above is not None:
                        lengths[child] = above + 1 if old is None else pick(old, above + 1)
        return tuple(length if length is not None else 0 for length in lengths[:-1])

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """``h`` of each object along its shortest path from ``root``; an output object has depth 1."""
        return self._path_lengths(min)

    @cached_property
    def longest_depths(self) -> tuple[int, ...]:
        """The depth of each object along its longest path from ``root``."""
        return self._path_lengths(max)

    @cached_property
    def height(self) -> int:
        """The number of slot edges on the longest path from ``root``."""
        return max(self.longest_depths, default=0)


def check_structure(structure: Structure, network: ModularNetwork) -> None:
    """A ``ValueError`` if a sketcher of ``network`` has no matrices for something in the structure."""
    if not isinstance(structure, Structure):
        raise ValueError(f"structure = {shown(structure)}: must be a Structure or an Execution")
    if structure.network is network:
        return
    if len(structure.outputs) > len(network.outputs):
        raise ValueError(
            f"outputs: the execution fills {len(structure.outputs)} output slots, the sketcher's network has "
            f"{len(network.outputs)}"
        )
    for name, module, inputs, dim in zip(
        structure.names, structure.modules, structure.inputs, structure.attribute_dims, strict=True
    ):
        known = network.by_name.get(module)
        if known is None:
            raise ValueError(f"object {name!r}: module {module!r} is not in the sketcher's network")
        if dim != known.attribute_dim:
            raise ValueError(
                f"object {name!r}: attribute_dim = {dim}, in the sketcher's network it is {known.attribute_dim}"
            )
        if len(inputs) > len(known.slots):
            raise ValueError(
                f"object {name!r}: fills {len(inputs)} slots, module {module!r} of the sketcher's network has "
                f"{len(known.slots)}"
            )
