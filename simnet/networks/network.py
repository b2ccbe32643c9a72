"""Modular networks: modules, their slots, and what may fill a slot."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx

from simnet.checks import integer, real, sequence, shown

if TYPE_CHECKING:
    from simnet.networks.executions import Executions
    from simnet.networks.functions import ModuleFunction
    from simnet.networks.running import Layout

Name = str | int

#: The name of the output pseudo-object, whose inputs are the outputs of the network; no module may have it.
ROOT = "root"

#: Sums of weights and lengths of vectors may pass 1 by this much, for rounding.
ROUNDING = 1e-9


def check_name(field_name: str, value: Any) -> Name:
    """A name is a non-empty string or an integer."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError(f"{field_name} = {shown(value)}: must be a non-empty string or an integer")
    return value


def check_weights(field_name: str, weights: Iterable[float]) -> tuple[float, ...]:
    """Finite weights, none negative, that sum to at most 1."""
    checked = tuple(real(f"{field_name}[{i}]", w, minimum=0.0, maximum=1.0) for i, w in enumerate(weights))
    total = sum(checked)
    if total > 1.0 + ROUNDING:
        raise ValueError(f"{field_name} = {list(checked)}: sum to {total:g}, must sum to at most 1")
    return checked


@dataclass(frozen=True)
class Slot:
    """A place for one input: which modules may fill it, and the importance weight it has by default.

    Examples
    --------
    >>> from simnet.networks import Slot
    >>> Slot(("left eye", "right eye"), 0.5).sources
    ('left eye', 'right eye')
    """

    sources: tuple[Name, ...]
    weight: float

    def __post_init__(self) -> None:
        sources = sequence("slot.sources", self.sources, "names of modules")
        object.__setattr__(self, "sources", tuple(check_name("slot.sources", source) for source in sources))
        object.__setattr__(self, "weight", real("slot.weight", self.weight, minimum=0.0, maximum=1.0))

    @property
    def plain(self) -> tuple[tuple[Name, ...], float]:
        """``(sources, weight)``, as graphs and files carry a slot."""
        return self.sources, self.weight


def read_slots(field_name: str, slots: Any) -> tuple[Slot, ...]:
    """Slots from pairs ``(sources, weight)``."""
    read = []
    for i, pair in enumerate(sequence(field_name, slots, "slots")):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(f"{field_name}[{i}] = {shown(pair)}: must be a pair of sources and a weight")
        read.append(Slot(*pair))
    return tuple(read)


@dataclass(frozen=True)
class Module:
    """A module: its name, the dimension of its attribute vectors, its slots, and its function when it has one.

    A module without slots is an *input module*: it sees the outside world.
    """

    name: Name
    attribute_dim: int
    slots: tuple[Slot, ...] = ()
    function: ModuleFunction | None = field(default=None, compare=False, repr=False)
    attribute_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if check_name("module.name", self.name) == ROOT:
            raise ValueError(f"module.name = {ROOT!r}: is the name of the output pseudo-object, choose another")
        integer(f"module {self.name!r}: attribute_dim", self.attribute_dim, minimum=1)
        for part, of, kind in (("slots", "slots", Slot), ("attribute_names", "strings", str)):
            object.__setattr__(self, part, sequence(f"module {self.name!r}: {part}", getattr(self, part), of, kind))
        check_weights(f"module {self.name!r}: weights", [slot.weight for slot in self.slots])
        if self.attribute_names and len(self.attribute_names) != self.attribute_dim:
            raise ValueError(
                f"module {self.name!r}: attribute_names has {len(self.attribute_names)} names, "
                f"must have attribute_dim = {self.attribute_dim}"
            )


@dataclass(frozen=True)
class ModularNetwork:
    """A directed acyclic graph of modules, and the slots of the output pseudo-object ``root``.

    Networks are compared by modules, slots and weights; functions are left out of it.

    Parameters
    ----------
    modules : tuple of Module
        In any order; each must reach an output.
    outputs : tuple of Slot
        The slots of ``root``; their weights sum to at most 1.
    layout : Layout, optional
        Which objects a run makes; without one the network cannot be run.

    Raises
    ------
    ValueError
        For duplicate or unknown names, cycles, modules that reach no output, and weights out of range.

    Examples
    --------
    >>> from simnet.networks import ModularNetwork, Module, Slot
    >>> net = ModularNetwork((Module("eye", 3), Module("face", 4, (Slot(("eye",), 1.0),))), (Slot(("face",), 1.0),))
    >>> list(net.graph.edges(data="slot"))
    [('eye', 'face', 0)]
    >>> ModularNetwork.from_networkx(net.graph) == net
    True
    """

    modules: tuple[Module, ...]
    outputs: tuple[Slot, ...]
    layout: Layout | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "modules", sequence("modules", self.modules, "modules", Module))
        object.__setattr__(self, "outputs", sequence("outputs", self.outputs, "slots", Slot))
        if not self.modules:
            raise ValueError("modules = (): a network needs at least one module")
        names: set[Name] = set()
        for module in self.modules:
            if module.name in names:
                raise ValueError(f"modules: the name {module.name!r} is given twice, names must be unique")
            names.add(module.name)
        check_weights("outputs", [slot.weight for slot in self.outputs])
        for owner, slot in self._slots():
            for source in slot.sources:
                if source not in names:
                    raise ValueError(f"{owner}: the source {source!r} is not a module of the network")
        self._check_acyclic()

    def _slots(self) -> Iterable[tuple[str, Slot]]:
        for module in self.modules:
            for i, slot in enumerate(module.slots):
                yield f"module {module.name!r}: slot {i}", slot
        for i, slot in enumerate(self.outputs):
            yield f"outputs: slot {i}", slot

    def _check_acyclic(self) -> None:
        graph = self.graph
        try:
            cycle = nx.find_cycle(graph)
        except nx.NetworkXNoCycle:
            pass
        else:
            loop = " -> ".join(repr(u) for u, *_ in [*cycle, cycle[0]])
            raise ValueError(f"modules: {loop} is a cycle, the graph of modules must be acyclic")
        reached = {source for slot in self.outputs for source in slot.sources}
        for source in list(reached):
            reached |= nx.ancestors(graph, source)
        for module in self.modules:
            if module.name not in reached:
                raise ValueError(f"modules: {module.name!r} reaches no output, every module must")

    @cached_property
    def graph(self) -> nx.DiGraph[Name]:
        """The wiring as a ``networkx.DiGraph`` from source to consumer.

        An edge carries ``slot`` and ``weight``, and ``slots`` and ``weights`` with all of them, since one module may
        fill several slots of another; ``slot`` and ``weight`` are then those of the lowest.  A node carries
        ``attribute_dim``, ``attribute_names`` and all its ``slots``, as ``(sources, weight)``: edges tell neither empty
        slots nor the order of sources.  ``graph.graph["outputs"]`` holds the slots of ``root``.
        """
        graph: nx.DiGraph[Name] = nx.DiGraph(outputs=tuple(slot.plain for slot in self.outputs))
        for module in self.modules:
            graph.add_node(
                module.name,
                attribute_dim=module.attribute_dim,
                attribute_names=module.attribute_names,
                slots=tuple(slot.plain for slot in module.slots),
            )
        for module in self.modules:
            for number, slot in enumerate(module.slots):
                for source in slot.sources:
                    if graph.has_edge(source, module.name):
                        edge = graph.edges[source, module.name]
                        edge["slots"] += (number,)
                        edge["weights"] += (slot.weight,)
                    else:
                        graph.add_edge(
                            source,
                            module.name,
                            slot=number,
                            weight=slot.weight,
                            slots=(number,),
                            weights=(slot.weight,),
                        )
        return nx.freeze(graph)

    @classmethod
    def from_networkx(
        cls, graph: nx.DiGraph[Name], functions: Mapping[Name, ModuleFunction] | None = None
    ) -> ModularNetwork:
        """The network of a graph such as :attr:`graph`; that of ``net.graph`` is ``net`` again, without its functions.

        Without ``graph.graph["outputs"]`` the sinks are the outputs, with equal weights; an edge may carry ``slot`` and
        ``weight`` alone.  A node without ``slots`` has those of its edges, their numbers from 0 without a gap.

        Raises
        ------
        ValueError
            If a node has no ``attribute_dim``, an edge no slot, a slot two weights, or the slots of a node are not those
            of its edges (whoever changes edges takes ``slots`` off the node).
        """
        functions = functions or {}
        modules = []
        for name, data in graph.nodes(data=True):
            if "attribute_dim" not in data:
                raise ValueError(f"graph: the node {name!r} has no attribute_dim")
            names = data.get("attribute_names", ())
            sources: dict[int, list[Name]] = {}
            weights: dict[int, float] = {}
            for source, _, edge in graph.in_edges(name, data=True):
                if "slots" not in edge and "slot" not in edge:
                    raise ValueError(f"graph: the edge {source!r} -> {name!r} has no slot")
                numbers = edge.get("slots", (edge.get("slot"),))
                for number, weight in zip(numbers, edge.get("weights", (edge.get("weight"),)), strict=True):
                    sources.setdefault(number, []).append(source)
                    if weights.setdefault(number, weight) != weight:
                        raise ValueError(f"graph: slot {number} of {name!r} has two weights")
            if "slots" in data:
                slots = read_slots(f"graph: node {name!r}: slots", data["slots"])
                filled = {i: (set(slot.sources), slot.weight) for i, slot in enumerate(slots) if slot.sources}
                if filled != {i: (set(sources[i]), weights[i]) for i in sources}:
                    raise ValueError(f"graph: the slots of the node {name!r} are not those of its edges")
            elif sorted(sources) != list(range(len(sources))):
                raise ValueError(f"graph: the slots of {name!r} are {sorted(sources)}, must run from 0 without a gap")
            else:
                slots = tuple(Slot(tuple(sources[i]), weights[i]) for i in range(len(sources)))
            modules.append(Module(name, data["attribute_dim"], slots, functions.get(name), names))
        sinks = [name for name, degree in graph.out_degree() if degree == 0]
        outputs = graph.graph.get("outputs", tuple(((name,), 1.0 / len(sinks)) for name in sinks))
        return cls(tuple(modules), read_slots("graph: outputs", outputs))

    @cached_property
    def by_name(self) -> dict[Name, Module]:
        """The modules by name."""
        return {module.name: module for module in self.modules}

    def module(self, name: Name) -> Module:
        """The module of that name; an unknown name is a ``ValueError``."""
        if isinstance(name, bool) or not isinstance(name, Hashable) or name not in self.by_name:
            known = ", ".join(repr(module.name) for module in self.modules[:20])
            more = ", …" if len(self.modules) > 20 else ""
            raise ValueError(f"module = {shown(name)}: must be one of {known}{more}")
        return self.by_name[name]

    def slots_of(self, name: Name | None) -> tuple[Slot, ...]:
        """The slots of a module; those of ``root`` for ``None``."""
        return self.outputs if name is None else self.module(name).slots

    def rewired(self, modules: Iterable[Name], sources: Mapping[tuple[Name | None, int], Iterable[Name]]) -> ModularNetwork:
        """Some of the modules, with their slots and those of ``root`` (``None``) filled by other sources.

        ``sources`` says what fills ``(module, slot)``; a slot that it leaves out is empty.
        """

        def filled(owner: Name | None) -> tuple[Slot, ...]:
            return tuple(Slot(tuple(sources.get((owner, i), ())), s.weight) for i, s in enumerate(self.slots_of(owner)))

        return ModularNetwork(tuple(replace(self.module(name), slots=filled(name)) for name in modules), filled(None))

    def grown(
        self,
        modules: Iterable[Module] = (),
        *,
        widths: Mapping[Name, int] | None = None,
        sources: Mapping[tuple[Name | None, int], Iterable[Name]] | None = None,
        slots: Mapping[Name | None, Iterable[Slot]] | None = None,
    ) -> ModularNetwork:
        """This network with more in it, and nothing of it changed: sketches made before stay valid.

        A sketcher of the grown network, with the same sketch dimension, matrices, recipe and seed, has the matrices of the
        old one, bit for bit (``simnet.networks.growing`` says why).

        Parameters
        ----------
        modules : iterable of Module
            New ones.  Each must reach an output: through new sources of an old slot, or a new slot.
        widths : mapping from module to attribute_dim
            Attribute vectors that become wider.
        sources : mapping from (module, slot) to names
            What else may fill a slot; ``(None, slot)`` are the slots of ``root``.
        slots : mapping from module to slots
            New ones after the old; ``None`` is ``root``.  Weights of a module still sum to at most 1.

        Returns
        -------
        ModularNetwork
            Modules that changed have lost their functions.

        Examples
        --------
        >>> import simnet
        >>> from simnet.networks import Module
        >>> net = simnet.networks.scene(kinds=("cat", "chair"), places=2, seed=0)
        >>> more = net.grown([Module("robot", 5)], sources={("room", i): ["robot"] for i in range(2)}, widths={"cat": 9})
        >>> more.module("room").slots[0].sources, more.module("cat").attribute_dim
        (('cat', 'chair', 'robot'), 9)
        """
        from simnet.networks.growing import grown

        return grown(self, modules, widths=widths, sources=sources, slots=slots)

    @cached_property
    def inputs(self) -> tuple[Name, ...]:
        """The names of the input modules, those without slots, in the order of the modules."""
        return tuple(module.name for module in self.modules if not module.slots)

    @cached_property
    def order(self) -> dict[Name, int]:
        """The position of each module in one topological order, sources first, ties as the modules are given."""
        given = {module.name: i for i, module in enumerate(self.modules)}
        ordered = nx.lexicographical_topological_sort(self.graph, key=given.__getitem__)
        return {name: i for i, name in enumerate(ordered)}

    @cached_property
    def depths(self) -> dict[Name, frozenset[int]]:
        """All depths at which a module can occur: the lengths of its paths from ``root``, outputs at depth 1."""
        found: dict[Name, set[int]] = {module.name: set() for module in self.modules}
        for slot in self.outputs:
            for source in slot.sources:
                found[source].add(1)
        for name in reversed(self.order):
            for source in self.graph.predecessors(name):
                found[source] |= {depth + 1 for depth in found[name]}
        return {name: frozenset(depths) for name, depths in found.items()}

    def run(
        self,
        runs: int,
        seed: int = 0,
        *,
        activity: Any = None,
        weight_jitter: float = 0.0,
    ) -> Executions:
        """Run the network on random inputs.

        Parameters
        ----------
        runs : int
            How many executions.
        seed : int
            The first ``k`` of ``n`` runs are the same whatever ``n``: the same objects and weights exactly, the same
            attributes up to rounding, since matrix products of other sizes round differently.
        activity : None, float or (runs, inputs) bool array
            Which input modules see something: all, each with that probability, or as given.  A module makes an object
            when any of its inputs does.
        weight_jitter : float
            In ``[0, 1)``.  Each weight of each run is multiplied by a uniform draw from ``[1 − weight_jitter, 1]``.

        Returns
        -------
        Executions

        Raises
        ------
        ValueError
            If the network has no functions to run, or an argument is out of range.

        Examples
        --------
        >>> import simnet
        >>> runs = simnet.networks.layered(widths=(3, 2), attribute_dim=4, fan_in=2, seed=0).run(5, seed=1)
        >>> len(runs), len(runs[0].objects)
        (5, 5)
        """
        from simnet.networks.running import run_network

        return run_network(self, runs, seed, activity=activity, weight_jitter=weight_jitter)
