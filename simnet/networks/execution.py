"""Executions: the objects that one run of a network made, with their attribute vectors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import sequence, shown
from simnet.files import written_whole
from simnet.networks.description import describe_network, read_network
from simnet.networks.network import ROUNDING, ModularNetwork, Module, Name, Slot, check_name, check_weights
from simnet.networks.structure import Structure

Array = NDArray[Any]
FORMAT, VERSION = "simnet-execution", 1


@dataclass(frozen=True, eq=False)
class SimObject:
    """One object of an execution.

    ``depth`` is the number of slot edges on the shortest path from ``root`` (1 for an output), ``effective_weight`` the
    product of the weights along a path, summed over the paths.
    """

    name: Name
    module: Name
    attributes: Array
    inputs: tuple[Name | None, ...]
    weights: tuple[float, ...]
    depth: int
    effective_weight: float


@dataclass(frozen=True, eq=False)
class Execution:
    """One run: a structure and an attribute vector for each of its objects.  Build one with :meth:`from_objects`."""

    structure: Structure
    attributes: tuple[Array, ...]

    @property
    def network(self) -> ModularNetwork:
        """The modules and slots that the execution uses."""
        return self.structure.network

    @cached_property
    def objects(self) -> tuple[SimObject, ...]:
        """The objects, in the order in which they were given."""
        s = self.structure
        return tuple(
            SimObject(
                s.names[k],
                s.modules[k],
                self.attributes[k],
                s.inputs[k],
                s.weights[k],
                s.depths[k],
                float(s.effective_weights[k]),
            )
            for k in range(len(s))
        )

    def vector(self) -> Array:
        """``z``: object by object, the attributes and then a 1 for its presence.  A sketch is ``B z``."""
        parts = [np.append(x, 1.0) for x in self.attributes]
        return np.concatenate(parts) if parts else np.zeros(0)

    @classmethod
    def from_objects(
        cls,
        objects: Iterable[Sequence[Any]],
        outputs: Mapping[Name, float] | Sequence[tuple[Name | None, float]],
        *,
        network: ModularNetwork | None = None,
    ) -> Execution:
        """An execution by hand, validated.

        Parameters
        ----------
        objects : iterable of (name, module, attributes, inputs, weights)
            ``attributes`` is a vector of length at most 1.  ``inputs`` are names of other objects, slot by slot, with
            ``None`` for an empty slot, and ``weights`` their importance: none negative, sum at most 1.
        outputs : mapping from name to weight, or sequence of (name or None, weight)
            The slots of ``root``, in order.
        network : ModularNetwork, optional
            Modules to check against; without it they are read off the objects.

        Raises
        ------
        ValueError
            For duplicate names, unknown inputs, cycles, objects that reach no output, negative weights, weights that
            sum past 1, attribute vectors longer than 1, NaN and infinity, and attribute vectors of one module that
            differ in dimension.  The message names the object and the field.

        Examples
        --------
        >>> import simnet
        >>> ex = simnet.Execution.from_objects(
        ...     [("left eye", "eye", [0.6, 0.0], [], []),
        ...      ("right eye", "eye", [0.0, 0.6], [], []),
        ...      ("face", "face", [0.5, 0.5, 0.5], ["left eye", "right eye"], [0.5, 0.5])],
        ...     outputs={"face": 1.0})
        >>> [(o.name, o.depth, o.effective_weight) for o in ex.objects]
        [('left eye', 2, 0.5), ('right eye', 2, 0.5), ('face', 1, 1.0)]
        """
        if network is not None and not isinstance(network, ModularNetwork):
            raise ValueError(f"network = {shown(network)}: must be a ModularNetwork")
        entries = [_read_object(i, entry) for i, entry in enumerate(sequence("objects", objects, "objects"))]
        names = tuple(entry[0] for entry in entries)
        seen: set[Name] = set()
        for i, name in enumerate(names):
            if name in seen:
                raise ValueError(f"objects[{i}]: the name {name!r} is given twice, names must be unique")
            seen.add(name)
        for name, _, _, inputs, _ in entries:
            for slot, source in enumerate(inputs):
                if source is not None and source not in seen:
                    raise ValueError(f"object {name!r}: inputs[{slot}] = {source!r} is not the name of an object")
        output_names, output_weights = _read_outputs(outputs, seen)
        _check_object_cycles({name: inputs for name, _, _, inputs, _ in entries})
        _check_dimensions(entries)
        if network is None:
            network = _network_of(entries, output_names, output_weights)
        else:
            _check_against(network, entries, output_names)
        structure = Structure(
            network,
            names,
            tuple(entry[1] for entry in entries),
            tuple(entry[3] for entry in entries),
            tuple(entry[4] for entry in entries),
            output_names,
            output_weights,
        )
        for name, depth in zip(names, structure.depths, strict=True):
            if depth == 0:
                raise ValueError(f"object {name!r}: reaches no output, every object must")
        return cls(structure, tuple(entry[2] for entry in entries))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the execution as JSON, exactly: numbers are read back bit for bit.

        The file is one object with ``format`` (``"simnet-execution"``), ``version`` (1), ``network`` (as
        :func:`simnet.networks.description.describe_network` has it), ``objects`` (each with ``name, module, attributes,
        inputs, weights``) and ``outputs`` (pairs of name and weight).  Functions are not stored.  The file appears whole or
        not at all.
        """
        s = self.structure
        document = {
            "format": FORMAT,
            "version": VERSION,
            "network": describe_network(s.network),
            "objects": [
                {
                    "name": s.names[k],
                    "module": s.modules[k],
                    "attributes": [float(x) for x in self.attributes[k]],
                    "inputs": list(s.inputs[k]),
                    "weights": list(s.weights[k]),
                }
                for k in range(len(s))
            ],
            "outputs": [list(pair) for pair in zip(s.outputs, s.output_weights, strict=True)],
        }
        with written_whole(path) as file:
            file.write(json.dumps(document, indent=1, allow_nan=False).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Execution:
        """Read what :meth:`save` wrote, or a file by hand in that format; ``network`` may be left out.

        Raises
        ------
        ValueError
            If the file is not of the format, with the place; what it describes is validated like
            :meth:`from_objects`.
        """
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, an integer of too many digits
            raise ValueError(f"{path}: not a JSON file: {error}") from None
        if not isinstance(document, dict) or document.get("format", FORMAT) != FORMAT:
            raise ValueError(f"{path}: format must be {FORMAT!r}")
        if document.get("version", VERSION) != VERSION:
            raise ValueError(f"{path}: version = {document['version']!r}: must be {VERSION}")
        try:
            network = None
            if document.get("network") is not None:
                network = read_network(document["network"])
            keys = ("name", "module", "attributes", "inputs", "weights")
            objects = [tuple(entry[key] for key in keys) for entry in document["objects"]]
            outputs = document["outputs"]
        except KeyError as error:
            raise ValueError(f"{path}: the key {error} is missing") from None
        except (TypeError, IndexError) as error:
            raise ValueError(f"{path}: not laid out as an execution: {error}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        try:
            return cls.from_objects(objects, outputs, network=network)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


Entry = tuple[Name, Name, Array, tuple[Name | None, ...], tuple[float, ...]]


def _read_object(i: int, entry: Any) -> Entry:
    """One validated ``(name, module, attributes, inputs, weights)``."""
    if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != 5:
        raise ValueError(f"objects[{i}] = {shown(entry)}: must be (name, module, attributes, inputs, weights)")
    name = check_name(f"objects[{i}].name", entry[0])
    module = check_name(f"object {name!r}: module", entry[1])
    attributes = read_attributes(f"object {name!r}: attributes", entry[2])
    for field, value in (("inputs", entry[3]), ("weights", entry[4])):
        if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)):
            raise ValueError(f"object {name!r}: {field} = {shown(value)}: must be a list")
    inputs = tuple(
        None if source is None else check_name(f"object {name!r}: inputs[{slot}]", source)
        for slot, source in enumerate(entry[3])
    )
    if len(entry[4]) != len(inputs):
        raise ValueError(
            f"object {name!r}: weights has {len(entry[4])} entries, must have one for each of {len(inputs)} inputs"
        )
    return name, module, attributes, inputs, check_weights(f"object {name!r}: weights", entry[4])


def read_attributes(field: str, values: Any) -> Array:
    """A finite vector of length at most 1, frozen."""
    try:
        given = np.array(values)
        kind = given.dtype.kind
        if kind not in "biuf" and not (kind == "O" and all(isinstance(x, Real) for x in given.flat)):
            raise TypeError  # numpy itself reads strings as numbers and drops imaginary parts
        vector = given.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{field} = {shown(values)}: must be a vector of numbers") from None
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{field}: has shape {vector.shape}, must be a vector with at least one entry")
    bad = np.flatnonzero(~np.isfinite(vector))
    if bad.size:
        raise ValueError(f"{field}[{bad[0]}] = {vector[bad[0]]}: must be finite")
    norm = float(np.linalg.norm(vector))
    if norm > 1.0 + ROUNDING:
        raise ValueError(f"{field}: has length {norm:.6g}, must be at most 1")
    vector.setflags(write=False)
    return vector


def _read_outputs(outputs: Any, known: set[Name]) -> tuple[tuple[Name | None, ...], tuple[float, ...]]:
    if isinstance(outputs, Mapping):
        pairs = list(outputs.items())
    elif isinstance(outputs, Sequence) and not isinstance(outputs, str):
        pairs = list(outputs)
    else:
        raise ValueError(f"outputs = {shown(outputs)}: must map names of objects to weights")
    names: list[Name | None] = []
    for i, pair in enumerate(pairs):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(f"outputs[{i}] = {shown(pair)}: must be a pair of a name and a weight")
        name = None if pair[0] is None else check_name(f"outputs[{i}]", pair[0])
        if name is not None and name not in known:
            raise ValueError(f"outputs[{i}] = {name!r}: is not the name of an object")
        names.append(name)
    return tuple(names), check_weights("outputs", [pair[1] for pair in pairs])


def _check_object_cycles(inputs: dict[Name, tuple[Name | None, ...]]) -> None:
    from graphlib import CycleError, TopologicalSorter

    graph = {name: [source for source in sources if source is not None] for name, sources in inputs.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        loop = " -> ".join(map(repr, error.args[1]))
        raise ValueError(f"objects: {loop} is a cycle, the graph of objects must be acyclic") from None


def _check_dimensions(entries: list[Entry]) -> None:
    first: dict[Name, tuple[Name, int]] = {}
    for name, module, attributes, _, _ in entries:
        other, dim = first.setdefault(module, (name, attributes.size))
        if attributes.size != dim:
            raise ValueError(
                f"object {name!r}: attributes has {attributes.size} entries, must have {dim} like {other!r} of the same "
                f"module {module!r}"
            )


def _network_of(
    entries: list[Entry], output_names: tuple[Name | None, ...], output_weights: tuple[float, ...]
) -> ModularNetwork:
    """The modules and slots that some objects use; the weight of a slot is the mean over its objects."""
    module_of = {name: module for name, module, *_ in entries}
    dims = {module: attributes.size for _, module, attributes, _, _ in entries}
    used: dict[Name, dict[int, tuple[dict[Name, None], list[float]]]] = {module: {} for module in dims}
    for _, module, _, inputs, weights in entries:
        for number, (source, weight) in enumerate(zip(inputs, weights, strict=True)):
            sources, seen = used[module].setdefault(number, ({}, []))
            seen.append(weight)
            if source is not None:
                sources[module_of[source]] = None
    modules = []
    for module, slots in used.items():
        means = [sum(slots[i][1]) / len(slots[i][1]) for i in range(len(slots))]
        scale = min(1.0, 1.0 / max(sum(means), 1e-300))  # means over different objects can pass 1 together
        filled = tuple(Slot(tuple(slots[i][0]), mean * scale) for i, mean in enumerate(means))
        modules.append(Module(module, dims[module], filled))
    outputs = tuple(
        Slot(() if name is None else (module_of[name],), weight)
        for name, weight in zip(output_names, output_weights, strict=True)
    )
    return ModularNetwork(tuple(modules), outputs)


def _check_against(network: ModularNetwork, entries: list[Entry], output_names: tuple[Name | None, ...]) -> None:
    """Every object must be one that the network can make."""
    module_of = {name: module for name, module, *_ in entries}
    for name, module, attributes, inputs, _ in entries:
        if module not in network.by_name:
            raise ValueError(f"object {name!r}: module = {module!r} is not a module of the network")
        known = network.by_name[module]
        if attributes.size != known.attribute_dim:
            raise ValueError(
                f"object {name!r}: attributes has {attributes.size} entries, module {module!r} makes {known.attribute_dim}"
            )
        if len(inputs) > len(known.slots):
            raise ValueError(f"object {name!r}: has {len(inputs)} inputs, module {module!r} has {len(known.slots)} slots")
        for number, source in enumerate(inputs):
            if source is not None and module_of[source] not in known.slots[number].sources:
                raise ValueError(
                    f"object {name!r}: inputs[{number}] = {source!r} is of module {module_of[source]!r}, the slot takes "
                    f"{list(known.slots[number].sources)}"
                )
    if len(output_names) > len(network.outputs):
        raise ValueError(f"outputs: has {len(output_names)} entries, the network has {len(network.outputs)} output slots")
    for number, output in enumerate(output_names):
        if output is not None and module_of[output] not in network.outputs[number].sources:
            raise ValueError(
                f"outputs[{number}] = {output!r}: is of module {module_of[output]!r}, the slot takes "
                f"{list(network.outputs[number].sources)}"
            )
