"""The rules by which tensors of a trained network become objects: grouping, pooling, scaling, weighting.

**Grouping.**  A module is a layer or a group of layers: the tensors that its rule names, concatenated after pooling.
**Objects.**  One for each input of the network, or with ``pooling="positions"`` one for each position of a feature map.
**Pooling.**  The activations of an object are one vector ``y``: all entries (``"flatten"``), the mean or the maximum over
positions, or the channels at one position.
**Scaling.**  An attribute vector is ``x = y / f_M`` with one factor ``f_M`` for each module, the longest ``y`` in the runs
that the adapter was fitted to, so that ``‖x‖ ≤ 1``.  The factor is kept: ``y = f_M x`` comes back exactly, sums and means of
many runs too.
**Weighting.**  ``"uniform"`` gives every slot ``1/slots``, empty or not, so that a frequency over the weight is a count.
``"contribution"`` gives an input the share that its length has, ``w_i = (1 − φ) ‖y_i‖ / Σ_j ‖y_j‖ + φ / slots``, with
``φ = FLOOR``: an input that contributes nothing is still seen a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice, integer, real, sequence
from simnet.networks import Executions, Group, ModularNetwork, Module, Slot, Structure
from simnet.networks.network import Name, check_name
from simnet.networks.running import patterns
from simnet.recipes import Recipe

Array = NDArray[Any]

POOLINGS = ("flatten", "mean", "maximum", "positions")
WEIGHTINGS = ("uniform", "contribution")

#: The share of the weight that every slot has whatever its input contributes.
FLOOR = 0.1

#: For networks of many layers: a level costs a tenth of the energy, where the paper's constants cost 31 of 32 parts of it,
#: so that below some ten levels nothing is left in 64 bits.
DEEP = Recipe(0.5**0.5, 0.5**0.5, 0.1**0.5, 0.9**0.5, 0.5**0.5, 0.5**0.5)


@dataclass(frozen=True)
class ModuleRule:
    """Which tensors a module is, and how they become attribute vectors.

    Parameters
    ----------
    name : str or int
    tensors : tuple of str
        Their vectors are concatenated.
    inputs : tuple of names
        The modules that feed it, slot by slot; one that makes several objects fills as many slots.
    pooling : {"flatten", "mean", "maximum", "positions"}
    channels : int
        The axis of the channels, counted with the axis of the runs: 1 for images, -1 for sequences of vectors.  Not used by
        ``"flatten"``.
    most : int, optional
        With ``"positions"``: at most so many objects, those of the longest vectors, in the order of their positions.
        Positions where all channels are 0 make none.

    Raises
    ------
    ValueError
        If there is no tensor or no such pooling, or ``most`` is given with another pooling.
    """

    name: Name
    tensors: tuple[str, ...]
    inputs: tuple[Name, ...] = ()
    pooling: str = "flatten"
    channels: int = 1
    most: int | None = None

    def __post_init__(self) -> None:
        check_name("rule.name", self.name)
        for part, kind in (("tensors", str), ("inputs", object)):
            object.__setattr__(self, part, sequence(f"rule {self.name!r}: {part}", getattr(self, part), "names", kind))
        if not self.tensors:
            raise ValueError(f"rule {self.name!r}: tensors = (): must name at least one")
        choice(f"rule {self.name!r}: pooling", self.pooling, POOLINGS)
        if self.most is not None:
            integer(f"rule {self.name!r}: most", self.most, minimum=1)
            if self.pooling != "positions":
                raise ValueError(f"rule {self.name!r}: most = {self.most}: is for pooling='positions' only")

    def read(self, tensors: Mapping[str, Any]) -> Array:
        """The activations ``(runs, objects, a)``; a row of zeros where a position makes no object.

        Raises
        ------
        ValueError
            If a tensor is missing, has no axis of channels or entries that are not finite, or tensors do not fit together.
        """
        parts = [self._pooled(name, tensors) for name in self.tensors]
        if len({part.shape[:2] for part in parts}) > 1:
            shapes = ", ".join(str(part.shape[:2]) for part in parts)
            raise ValueError(f"rule {self.name!r}: its tensors have (runs, objects) {shapes}, must all have the same")
        found: Array = np.concatenate(parts, axis=2)
        if self.most is None or found.shape[1] <= self.most:
            return found
        lengths = np.linalg.norm(found, axis=2)
        order = np.argsort(-lengths, axis=1, kind="stable")[:, : self.most]
        return np.take_along_axis(found, np.sort(order, axis=1)[:, :, None], axis=1)

    def _pooled(self, name: str, tensors: Mapping[str, Any]) -> Array:
        field = f"tensor {choice(f'rule {self.name!r}: tensor', name, tensors)!r}"
        values = np.asarray(tensors[name])
        if values.dtype.kind not in "biuf" or values.ndim == 0 or values.size == 0:
            raise ValueError(f"{field}: has shape {values.shape} and dtype {values.dtype}, must be real, runs first")
        values = values.astype(float)
        if not np.isfinite(values).all():
            raise ValueError(f"{field}: has an entry that is NaN or infinite")
        if self.pooling == "flatten":
            return values.reshape(len(values), 1, -1)
        if self.channels not in (*range(1, values.ndim), *range(1 - values.ndim, 0)):
            raise ValueError(
                f"{field}: has shape {values.shape}, channels = {self.channels} is not an axis of it after runs"
            )
        places = np.moveaxis(values, self.channels, -1).reshape(len(values), -1, values.shape[self.channels])
        if self.pooling == "positions":
            return places
        pooled = places.mean(axis=1) if self.pooling == "mean" else places.max(axis=1)
        return pooled[:, None]


@dataclass(frozen=True, eq=False)
class Adapter:
    """Rules fitted to the shapes and sizes of some runs: see the module for what they say.

    Attributes
    ----------
    rules : tuple of ModuleRule
    network : ModularNetwork
        Without functions.  Modules that feed no other are the outputs.
    factors : dict from name to float
        ``f_M``, by which the activations of a module were divided.
    weighting : {"uniform", "contribution"}

    Examples
    --------
    >>> import numpy as np, simnet
    >>> from simnet.adapters import Adapter, ModuleRule
    >>> hidden = np.array([[3.0, 4.0], [0.0, 1.0]])
    >>> rules = [ModuleRule("hidden", ("h",)), ModuleRule("answer", ("y",), inputs=("hidden",))]
    >>> tensors = {"h": hidden, "y": hidden @ [[1.0], [2.0]]}
    >>> adapter = Adapter.fit(rules, tensors)
    >>> runs = adapter.executions(tensors)
    >>> sketcher = simnet.Sketcher(adapter.network, sketch_dim=16, seed=3)
    >>> estimate = sketcher.decode(sketcher.encode(runs)[0], runs[0].structure, "least_squares")
    >>> adapter.activations(estimate)["hidden"].round(9).tolist()
    [3.0, 4.0]
    """

    rules: tuple[ModuleRule, ...]
    network: ModularNetwork
    factors: dict[Name, float]
    objects: dict[Name, int]
    weighting: str = "uniform"

    @classmethod
    def fit(
        cls,
        rules: Iterable[ModuleRule],
        tensors: Mapping[str, Any],
        *,
        weighting: str = "uniform",
        headroom: float = 1.0,
    ) -> Adapter:
        """An adapter for runs like those whose tensors are given, ``headroom`` times as large at most.

        Raises
        ------
        ValueError
            If rules do not make a network, tensors do not fit them, or ``headroom`` is below 1.
        """
        rules = sequence("rules", rules, "rules", ModuleRule)
        choice("weighting", weighting, WEIGHTINGS)
        real("headroom", headroom, minimum=1.0, maximum=1e6)
        found = {rule.name: rule.read(tensors) for rule in rules}
        for rule in rules:
            for source in rule.inputs:
                choice(f"rule {rule.name!r}: input", source, found)
        feeding = {source for rule in rules for source in rule.inputs}
        modules = []
        for rule in rules:
            slots = sum(found[source].shape[1] for source in rule.inputs)
            filled = tuple(Slot((source,), 1.0 / slots) for source in rule.inputs for _ in range(found[source].shape[1]))
            modules.append(Module(rule.name, found[rule.name].shape[2], filled))
        ends = [rule.name for rule in rules if rule.name not in feeding for _ in range(found[rule.name].shape[1])]
        network = ModularNetwork(tuple(modules), tuple(Slot((name,), 1.0 / len(ends)) for name in ends))
        factors = {}
        for name, y in found.items():
            longest = float(np.linalg.norm(y, axis=2).max())
            factors[name] = headroom * longest if longest > 0.0 else 1.0
        return cls(rules, network, factors, {name: y.shape[1] for name, y in found.items()}, weighting)

    @cached_property
    def _labels(self) -> dict[Name, list[Name]]:
        """The names of the objects that each module can make."""
        return {name: [name] if n == 1 else [f"{name}.{i}" for i in range(n)] for name, n in self.objects.items()}

    def executions(self, tensors: Mapping[str, Any]) -> Executions:
        """One execution for each run of the tensors.

        Raises
        ------
        ValueError
            If shapes are not those that were fitted, or activations are longer than the factor of their module.
        """
        found = {rule.name: rule.read(tensors) for rule in self.rules}
        runs = len(next(iter(found.values())))
        for name, y in found.items():
            shape = (runs, self.objects[name], self.network.module(name).attribute_dim)
            if y.shape != shape:
                raise ValueError(f"module {name!r}: (runs, objects, attributes) = {y.shape}, must be {shape} as fitted")
            longest = float(np.linalg.norm(y, axis=2).max())
            if longest > self.factors[name] * (1.0 + 1e-12):
                raise ValueError(
                    f"module {name!r}: activations of length {longest:.6g}, must be at most {self.factors[name]:.6g} as "
                    f"fitted; fit to these runs too, or with a larger headroom"
                )
        there = self._there(found)
        groups = []
        for members, row in patterns(np.concatenate([there[rule.name] for rule in self.rules], axis=1)):
            structure = self._structure(row)
            attributes, lengths = [], {}
            for rule in self.rules:
                for i, label in enumerate(self._labels[rule.name]):
                    if label in structure:
                        y = found[rule.name][members, i]
                        attributes.append(y / self.factors[rule.name])
                        lengths[label] = np.linalg.norm(y, axis=1)
            groups.append(Group(structure, members, tuple(attributes), self._weights(structure, lengths)))
        return Executions(tuple(groups))

    def _there(self, found: Mapping[Name, Array]) -> dict[Name, Array]:
        """Which objects there are, ``(runs, objects)``: not the empty positions, nor what feeds none but those."""
        there = {}
        for rule in self.rules:
            y = found[rule.name]
            there[rule.name] = np.any(y != 0.0, axis=2) if rule.pooling == "positions" else np.ones(y.shape[:2], dtype=bool)
        above: dict[Name, list[Name]] = {name: [] for name in there}
        for rule in self.rules:
            for source in rule.inputs:
                above[source].append(rule.name)
        for name in reversed(self.network.order):
            if above[name]:
                there[name] &= np.any([there[owner].any(axis=1) for owner in above[name]], axis=0)[:, None]
        return there

    def _structure(self, row: Array) -> Structure:
        made = dict(zip((label for rule in self.rules for label in self._labels[rule.name]), row.astype(bool), strict=True))
        of = {label: rule for rule in self.rules for label in self._labels[rule.name]}
        names = [label for label in made if made[label]]

        def filled(sources: Iterable[Name]) -> tuple[Name | None, ...]:
            return tuple(label if made[label] else None for source in sources for label in self._labels[source])

        ends = dict.fromkeys(slot.sources[0] for slot in self.network.outputs)
        slots = [tuple(slot.weight for slot in self.network.module(of[label].name).slots) for label in names]
        return Structure(
            self.network,
            tuple(names),
            tuple(of[label].name for label in names),
            tuple(filled(of[label].inputs) for label in names),
            tuple(slots),
            filled(ends),
            tuple(slot.weight for slot in self.network.outputs),
        )

    def _weights(self, structure: Structure, lengths: Mapping[Name, Array]) -> Array:
        """``(1, edges)`` where all runs share them, else ``(runs, edges)``."""
        if self.weighting == "uniform":
            return structure.edge_weights[None]
        columns = []
        for names in structure.inputs:
            inputs = [lengths[name] for name in names if name is not None]
            total = np.sum(inputs, axis=0)
            for length in inputs:
                share = np.divide(length, total, out=np.full_like(total, 1.0 / len(inputs)), where=total > 0.0)
                columns.append((1.0 - FLOOR) * share + FLOOR / len(names))
        runs = len(next(iter(lengths.values()))) if lengths else 1
        ends = [w for name, w in zip(structure.outputs, structure.output_weights, strict=True) if name is not None]
        columns += [np.full(runs, w) for w in ends]
        return np.stack(columns, axis=1) if columns else np.zeros((1, 0))

    def activations(self, estimate: Any) -> dict[Name, Array]:
        """The activations ``y = f_M x`` of every object by name, from an estimate, an execution or what unrolling found."""
        structure = estimate.structure
        pairs = zip(structure.names, structure.modules, estimate.attributes, strict=True)
        return {name: self.factors[module] * np.asarray(x) for name, module, x in pairs}
