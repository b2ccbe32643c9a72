"""Running a network: first which objects there are, then their attributes, module by module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, probability, real
from simnet.networks.executions import Executions, Group
from simnet.networks.network import ModularNetwork, Name
from simnet.networks.structure import Structure
from simnet.randomness import stream

Array = NDArray[Any]
Batch = tuple[Array, Structure]


class Layout(ABC):
    """Decides which objects the runs of a network make, and from what."""

    @abstractmethod
    def groups(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Group]:
        """Groups that cover each run once.

        ``activity`` is ``(runs, input modules)``, or ``None`` when every input sees something.  A run must not depend on
        how many runs there are.
        """


class Plan(Layout):
    """A layout that knows the objects of a run before anything is computed; their attributes then follow from inputs."""

    @abstractmethod
    def draw(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Batch]:
        """Batches ``(run indices, structure)`` that cover each run once; as for :meth:`groups`."""

    def groups(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Group]:
        """The planned objects, with attributes from normal variables that the input modules see."""
        batches = self.draw(network, runs, seed, activity)
        most: dict[Name, int] = {}
        for _, structure in batches:
            for step in structure.steps:
                most[step.module] = max(most.get(step.module, 0), len(step.objects))
        outside = {}
        for name in network.inputs:
            if name in most:
                function = network.module(name).function
                assert function is not None
                # one stream for each place, so that neither more runs nor a busier run changes another draw
                places = [
                    stream(seed, "input", name, place).standard_normal((runs, function.input_dims[0]))
                    for place in range(most[name])
                ]
                outside[name] = np.stack(places, axis=1)
        return [
            Group(
                structure,
                members,
                evaluate(structure, {name: draws[members] for name, draws in outside.items()}, len(members)),
                structure.edge_weights[None],
            )
            for members, structure in batches
        ]


def patterns(rows: Array) -> list[tuple[Array, Array]]:
    """The distinct rows of an integer array, each with the indices at which it stands."""
    distinct, which = np.unique(rows, axis=0, return_inverse=True)
    which = which.reshape(-1)
    return [(np.flatnonzero(which == i), row) for i, row in enumerate(distinct)]


@dataclass(frozen=True)
class OneObjectEach(Plan):
    """Every module makes one object, named like the module, if any of its inputs is there."""

    def draw(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Batch]:
        if activity is None:
            everything = dict.fromkeys(network.inputs, True)
            return [(np.arange(runs), self.structure(network, everything))]
        batches = []
        for members, row in patterns(activity):
            seen = dict(zip(network.inputs, map(bool, row), strict=True))
            batches.append((members, self.structure(network, seen)))
        return batches

    @staticmethod
    def structure(network: ModularNetwork, seen: dict[Name, bool]) -> Structure:
        """The structure of a run in which those input modules see something."""
        there = dict(seen)
        for name in network.order:
            slots = network.module(name).slots
            if slots:
                there[name] = any(there[slot.sources[0]] for slot in slots)
        label = {name: str(name) for name in network.order}

        def fill(source: Name) -> Name | None:
            return label[source] if there[source] else None

        made = [module for module in network.modules if there[module.name]]
        return Structure(
            network,
            tuple(label[module.name] for module in made),
            tuple(module.name for module in made),
            tuple(tuple(fill(slot.sources[0]) for slot in module.slots) for module in made),
            tuple(tuple(slot.weight for slot in module.slots) for module in made),
            tuple(fill(slot.sources[0]) for slot in network.outputs),
            tuple(slot.weight for slot in network.outputs),
        )


def run_network(
    network: ModularNetwork, runs: int, seed: int, *, activity: Any = None, weight_jitter: float = 0.0
) -> Executions:
    """See :meth:`ModularNetwork.run`."""
    runs = integer("runs", runs, minimum=1)
    integer("seed", seed, maximum=None)
    jitter = real("weight_jitter", weight_jitter, minimum=0.0, maximum=1.0)
    if jitter == 1.0:
        raise ValueError("weight_jitter = 1.0: must be below 1, weights stay positive")
    if network.layout is None or any(module.function is None for module in network.modules):
        raise ValueError("network: has no functions to run; take one of the families, or from_objects for a run by hand")
    active = _read_activity(activity, runs, len(network.inputs), seed)
    groups = network.layout.groups(network, runs, seed, active)
    return Executions(tuple(_jittered(group, seed, jitter) for group in groups) if jitter else tuple(groups))


def _jittered(group: Group, seed: int, jitter: float) -> Group:
    """The same runs, every weight multiplied by a factor of its own."""
    edges = group.weights.shape[1]
    shrink = [stream(seed, "jitter", int(run)).uniform(1.0 - jitter, 1.0, edges) for run in group.runs]
    return replace(group, weights=group.weights * np.stack(shrink))


def _read_activity(activity: Any, runs: int, inputs: int, seed: int) -> Array | None:
    if activity is None:
        return None
    if isinstance(activity, Real) and not isinstance(activity, bool):
        chance = probability("activity", activity)
        return stream(seed, "activity").random((runs, inputs)) < chance
    active = np.asarray(activity)
    if active.dtype != bool or active.shape != (runs, inputs):
        raise ValueError(
            f"activity: has shape {active.shape} and dtype {active.dtype}, must be a probability or a boolean array of "
            f"shape ({runs}, {inputs})"
        )
    return active


def evaluate(structure: Structure, outside: Mapping[Name, Array], runs: int) -> tuple[Array, ...]:
    """The attribute vectors of every object, ``(runs, a)`` each, from ``(runs, places, inputs)`` for every input module."""
    network = structure.network
    found: list[Array] = [np.zeros((runs, dim)) for dim in structure.attribute_dims]
    for step in structure.steps:
        function = network.module(step.module).function
        assert function is not None
        for place, k in enumerate(step.objects):
            if step.module in outside:
                inputs: list[Array | None] = [outside[step.module][:, place]]
            else:
                names = structure.inputs[k]
                inputs = [None if name is None else found[structure.positions[name]] for name in names]
            found[k] = function(inputs)
    return tuple(found)
