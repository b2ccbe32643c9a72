"""Wiring from many sketches by known matrices: who fills which slot, with what weight, and how sure that is.

Modules are found from ``root`` down.  One whose consumers are all known can be tested: with the right weights its columns
lie in the space that the sketches fill (:mod:`simnet.learning.evidence`).  Once it is found, its own slots open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.checks import probability
from simnet.decoding.places import Places
from simnet.late import networkx as nx
from simnet.learning.evidence import Fit, SketchSpace, fit, sketch_space
from simnet.learning.ranks import MARGIN, SPARE
from simnet.networks import ModularNetwork
from simnet.networks.network import ROOT, Name
from simnet.sketching import Encoder, observe

Array = NDArray[Any]

#: A slot of a module, or of root (``None``).
Socket = tuple[Name | None, int]

#: A module with more misfit than this is not stated: it is fed by something that is not known.
TOLERATED = 4.0
#: One that has more than the noise explains needs edges so many times as significant.
STRICTER = 2.0
#: All is found when the energy left in the sketches is below this many times that of the noise, or this share of their own.
COMPLETE, ROUNDED = 1.3, 1e-20
#: Groups of runs left out in turn, for standard errors.
GROUPS = 10


@dataclass(frozen=True)
class FoundEdge:
    """``source`` fills ``slot`` of ``consumer``.

    Attributes
    ----------
    consumer : str or int
        A module, or ``"root"``.
    slot : int
    source : str or int
    weight : float
        Where ``WiringEvidence.scaled`` is false, up to a factor for each consumer and each source.
    error : float
        Standard error of the weight, by the jackknife; ``nan`` where something is missing or the runs are too few for it.
    significance : float
        In standard errors: how much worse the best explanation without this edge is.
    """

    consumer: Name
    slot: int
    source: Name
    weight: float
    error: float
    significance: float


@dataclass(frozen=True, eq=False)
class WiringEvidence:
    """What the sketches of one wiring say of it.

    Attributes
    ----------
    edges : tuple of FoundEdge
        Those that are significant, from root down.
    misfit : dict from name to float
        For each module found, what sticks out of the space of the sketches over what the noise makes: 1 on the average.
    rank : int
        Dimensions that the sketches fill.
    noise : float
        Of each coordinate: given, estimated, or the rounding.
    scaled : bool
        Whether the marks of presence gave the scale of the weights.
    certain : bool
        Whether every module found fits, and all sketches lie in the span of what was found: then nothing is missing.
    undetermined : tuple of str
        What could not be decided, and why.
    """

    edges: tuple[FoundEdge, ...]
    misfit: dict[Name, float]
    rank: int
    noise: float
    scaled: bool
    certain: bool
    undetermined: tuple[str, ...]

    def graph(self) -> nx.DiGraph[Name]:
        """The wiring, from source to consumer, in the form of :attr:`simnet.networks.ModularNetwork.graph`.

        Edges carry ``slot``, ``weight``, ``error`` and ``significance``, and, since a module may fill several slots of
        another, ``slots`` and ``weights``; ``graph.graph["outputs"]`` holds the edges to root.
        """
        tops = tuple(edge for edge in self.edges if edge.consumer == ROOT)
        graph: nx.DiGraph[Name] = nx.DiGraph(outputs=tops)
        graph.add_nodes_from((name, {"misfit": value}) for name, value in self.misfit.items())
        for edge in self.edges:
            if edge.consumer == ROOT:
                continue
            if graph.has_edge(edge.source, edge.consumer):
                known = graph.edges[edge.source, edge.consumer]
                known["slots"] += (edge.slot,)
                known["weights"] += (edge.weight,)
                known["significance"] = max(known["significance"], edge.significance)
            else:
                graph.add_edge(
                    edge.source,
                    edge.consumer,
                    slot=edge.slot,
                    weight=edge.weight,
                    error=edge.error,
                    significance=edge.significance,
                    slots=(edge.slot,),
                    weights=(edge.weight,),
                )
        return graph


def find_wiring(
    sketcher: Encoder,
    sketches: Any,
    *,
    erased: Any = None,
    noise: float | None = None,
    failure_probability: float = 1e-3,
) -> WiringEvidence:
    """The wiring behind many sketches by known matrices, with weights and the significance of every edge.

    Known are the matrices, the modules and how many slots each has; nothing of what fills the slots, of the inputs or of
    the attributes.  In all runs a module makes at most one object, and the weights are the same.

    It takes ``d' > Σ_M a_M`` coordinates for the modules that are there, however many places their objects stand in, and
    more runs than that: one sketch suffices only from about ``p = Σ (a + 1)`` over all *places*.

    Parameters
    ----------
    sketcher : Sketcher
    sketches : (n, d') array
    erased : (d',) bool array, optional
        True where a coordinate is missing.
    noise : float, optional
        Standard deviation of what was added to each coordinate; estimated where it is not given.
    failure_probability : float
        That a module or an edge is stated that is not there.

    Returns
    -------
    WiringEvidence

    Raises
    ------
    ValueError
        If the sketches are no array ``(n, d')``, or an option is out of range.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.layered(widths=(3, 2), attribute_dim=4, fan_in=2, seed=0)
    >>> sketcher = simnet.Sketcher(net, sketch_dim=40, seed=2)
    >>> found = simnet.learning.find_wiring(sketcher, sketcher.encode(net.run(100, seed=1)))
    >>> set(found.graph().edges) == set(net.graph.edges), found.certain
    (True, True)
    >>> [(edge.consumer, edge.slot, edge.source, round(edge.weight, 3)) for edge in found.edges[:3]]
    [('root', 0, 3, 0.329), ('root', 1, 4, 0.671), (3, 1, 2, 0.357)]
    """
    failure = probability("failure_probability", failure_probability)
    observation = observe(sketcher, sketches, erased, 0.0 if noise is None else noise)
    if not observation.batch or len(observation.values) < 2:
        raise ValueError(f"sketches: has shape {np.shape(sketches)}, must be (n, d') with several runs")
    values = observation.remaining
    space = sketch_space(values, noise=noise, failure_probability=failure)
    problem = _unusable(space, len(values))
    if problem:
        return WiringEvidence((), {}, space.loud.shape[1], space.noise, False, False, (problem,))
    search = _Search(Places(sketcher, observation.rows), space, failure)
    search.run()
    return _answer(search, values, noise)


def failure_of_a_try(network: ModularNetwork, failure_probability: float) -> float:
    """The share of a failure probability for each module, alone and in each slot that there is."""
    slots = len(network.outputs) + sum(len(module.slots) for module in network.modules)
    return failure_probability / (len(network.modules) * (slots + 1))


def _unusable(space: SketchSpace, runs: int) -> str:
    rank = space.loud.shape[1]
    if not rank:
        return "the sketches do not vary beyond the noise: nothing can be told from their mean"
    if not space.left:
        return f"d' = {space.size}: the sketches fill all dimensions, it must be above the number of attributes"
    if rank >= runs - 1:
        return f"too few pairs: {runs} sketches have rank {rank}, there must be more of them than attributes"
    return ""


@dataclass(frozen=True, eq=False)
class _Found:
    """A module with the slots that it fills and the fit of their weights."""

    fit: Fit
    sockets: tuple[Socket, ...]
    significance: Array
    columns: tuple[int, ...]


class _Search:
    """Modules from root down.

    ``inner`` is what reaches the input of a module, or root, from the basis of the space: its adjoint way up.  ``blocks``
    are, for each open slot, the columns that each module would bring through it, in that basis.
    """

    def __init__(self, places: Places, space: SketchSpace, failure_probability: float) -> None:
        self.places, self.encoder, self.space = places, places.encoder, space
        self.total_failure = failure_probability
        self.failure = failure_of_a_try(self.encoder.network, failure_probability)
        self.own: dict[Name, Array] = dict(zip(places.modules, places.blocks, strict=True))
        self.found: dict[Name, _Found] = {}
        self.inner: dict[Name | None, Array] = {}
        self.blocks: dict[Socket, dict[Name, Array]] = {}
        # of a module in some slots; what these bring does not change before `follow`
        self.tries: dict[tuple[Name, tuple[Socket, ...]], _Found | None] = {}
        whole = np.zeros((len(space.basis), self.encoder.sketch_dim), self.encoder.dtype)
        whole[:, places.rows] = space.basis
        self._open(None, whole)

    def _open(self, owner: Name | None, inner: Array) -> None:
        self.inner[owner] = inner
        for slot in range(len(self.encoder.network.slots_of(owner))):
            seen = self._down((owner, slot)).astype(float)
            self.blocks[owner, slot] = {module: seen @ own.T for module, own in self.own.items()}

    def _down(self, socket: Socket) -> Array:
        owner, slot = socket
        return self.encoder.transparent_adjoint(ROOT if owner is None else owner, slot, self.inner[owner])

    def _enter(self, module: Name, found: _Found) -> None:
        """Take a module for found, and open its slots."""
        self.found[module] = found
        if not self.encoder.network.module(module).slots:
            return
        pairs = zip(found.fit.weights, found.sockets, strict=True)
        above = sum(float(weight) * self._down(socket) for weight, socket in pairs)
        mixed = self.encoder.transparent_adjoint(module, "object", np.asarray(above))
        self._open(module, self.encoder.recipe.input_share * self.encoder.transparent_adjoint(module, "input", mixed))

    def run(self) -> None:
        """Find all modules; then look at each once more, with the slots that opened after it was found."""
        while True:
            options = {name: found for name in self.own if name not in self.found and (found := self._tried(name))}
            if not options:
                break
            # what fits has no other consumers; of what does not fit, the clearest may still open the way
            chosen = [name for name, found in options.items() if found.fit.good(self.failure)]
            for name in chosen or [min(options, key=lambda name: options[name].fit.outside)]:
                self._enter(name, options[name])
        for module in list(self.found):
            again = self._tried(module)
            if again is not None and set(again.sockets) != set(self.found[module].sockets):
                self.found[module] = again
        self.follow(self)

    def _tried(self, module: Name) -> _Found | None:
        """The module in the slots that are open and not below it, if it is there."""
        below = self._below(module)
        sockets = tuple(socket for socket in self.blocks if socket[0] not in below)
        if (module, sockets) not in self.tries:
            self.tries[module, sockets] = self._tried_in(module, sockets)
        return self.tries[module, sockets]

    def _tried_in(self, module: Name, sockets: tuple[Socket, ...]) -> _Found | None:
        columns = tuple(range(self.own[module].shape[0] - 1))  # without the mark: it may be constant, and not in the space
        found = self._weighed(module, sockets, columns)
        if found is None or not found.fit.good(self.failure):  # so are units that are constant
            single = {j: self._weighed(module, sockets, (j,)) for j in columns}
            alive = [j for j, one in single.items() if one is not None and one.fit.good(self.failure)]
            if alive and len(alive) < len(columns):
                found = self._weighed(module, sockets, tuple(alive)) or found
        return found

    def _columns(self, module: Name, sockets: Sequence[Socket], columns: tuple[int, ...]) -> Array:
        return np.stack([self.blocks[socket][module][:, columns] for socket in sockets])

    def _fit(self, module: Name, sockets: Sequence[Socket], columns: tuple[int, ...]) -> Fit | None:
        found = fit(self.space, self._columns(module, sockets, columns), self.failure)
        return found if found is not None and found.there and found.misfit < TOLERATED else None

    def _weighed(self, module: Name, sockets: Sequence[Socket], columns: tuple[int, ...]) -> _Found | None:
        """The significant ones among those slots, weighed again without the others."""
        several = self._fit(module, sockets, columns)
        if several is None:
            return None
        # what is left where the fit is bad is not normal: more is asked for
        least = -float(scipy.special.ndtri(self.failure)) * (1.0 if several.good(self.failure) else STRICTER)
        kept = (several.significance > least) & (several.weights > 0.0)
        left = tuple(socket for socket, keep in zip(sockets, kept, strict=True) if keep)
        few = self._fit(module, left, columns) if left else None
        return None if few is None else _Found(few, left, several.significance[kept], columns)

    def _below(self, module: Name) -> set[Name | None]:
        """The module, and what feeds it so far: these cannot be its consumers."""
        below: set[Name | None] = {module}
        for other, found in self.found.items():  # consumers before what feeds them
            if any(owner in below for owner, _ in found.sockets):
                below.add(other)
        return below

    def follow(self, other: _Search) -> None:
        """Weigh the edges that another search found, consumers before what feeds them."""
        graph: nx.DiGraph[Name] = nx.DiGraph()
        graph.add_nodes_from(other.found)
        above = ((owner, source) for source, found in other.found.items() for owner, _ in found.sockets)
        graph.add_edges_from((owner, source) for owner, source in above if owner is not None)
        planned, self.found = other.found, {}
        for module in nx.topological_sort(graph):
            again = fit(self.space, self._columns(module, planned[module].sockets, planned[module].columns), self.failure)
            self._enter(module, planned[module] if again is None else replace(planned[module], fit=again))

    def design(self) -> Array:
        """All columns of the modules found, with their marks, in the basis of the space."""
        columns = []
        for module, found in self.found.items():
            pairs = zip(found.fit.weights, found.sockets, strict=True)
            columns.append(np.asarray(sum(weight * self.blocks[socket][module] for weight, socket in pairs)))
        return np.hstack(columns)

    def scales(self, values: Array) -> tuple[dict[Name, float], float]:
        """By which each module's weights are too small, and the energy that is left of a coordinate of the sketches.

        A mark of presence is 1 where the object is there and 0 where it is not: its least squares estimate shows the
        scale.  Without enough coordinates for all marks, or without marks, there is none.
        """
        design = self.design() if self.found else np.zeros((len(self.space.basis), 0))
        spare = len(design) - design.shape[1]
        if not self.found or not self.encoder.recipe.presence_share or spare <= 0:
            return {}, math.inf
        lengths = np.linalg.norm(design, axis=0)
        readings = self.space.basis @ values.T
        unknowns = np.linalg.lstsq(design / lengths, readings, rcond=1e-12)[0]
        left = float(np.mean((readings - design / lengths @ unknowns) ** 2)) * len(design) / spare
        ends = np.cumsum([self.own[module].shape[0] for module in self.found])
        marks = unknowns[ends - 1] / lengths[ends - 1][:, None]
        return dict(zip(self.found, np.sum(marks**2, axis=1) / np.sum(marks, axis=1), strict=True)), left

    def weights(self, scales: dict[Name, float]) -> Array:
        """Of all edges, in the order in which they were found."""
        found = []
        for source, module in self.found.items():
            above = [1.0 if owner is None else scales.get(owner, 1.0) for owner, _ in module.sockets]
            found.append(module.fit.weights * scales.get(source, 1.0) / above)
        return np.concatenate(found)


def _jackknife(search: _Search, values: Array, noise: float | None) -> Array:
    """Standard errors of the weights, from what they are without each of some groups of runs in turn."""
    groups = np.arange(len(values)) % GROUPS
    found = []
    for group in range(GROUPS):
        part = values[groups != group]
        space = sketch_space(part, noise=noise, failure_probability=search.total_failure)
        without = _Search(search.places, space, search.total_failure)
        without.follow(search)
        found.append(without.weights(without.scales(part)[0]))
    return np.asarray(np.sqrt((GROUPS - 1) * np.var(found, axis=0)))


def _answer(search: _Search, values: Array, noise: float | None) -> WiringEvidence:
    """Edges with weights in true units, and whether anything is missing."""
    space, found = search.space, search.found
    undetermined = []
    bad = [name for name, module in found.items() if not module.fit.good(search.failure)]
    scales, left = search.scales(values)
    complete = not bad and left < max(COMPLETE * space.noise**2, ROUNDED * float(np.mean(values**2)))
    rank = space.loud.shape[1]
    missing = [name for name in search.own if name not in found]
    if missing:
        undetermined.append(f"modules {missing}: not seen, because absent, constant, or too faint")
    if bad:
        undetermined.append(f"modules {bad}: more is left than the noise explains; edges may be missing")
    if not complete and not space.exact and noise is None:
        size, runs = space.size, len(values)
        undetermined.append(
            f"noise: σ = {space.noise:.2g} as estimated from what {rank} dimensions leave, or else d' = {size} coordinates "
            f"or {runs} runs are too few for all attributes"
        )
    if not space.clear:
        undetermined.append("noise hides directions of the sketches: modules may be missing")
    if found and not scales:
        undetermined.append("scale of the weights: there are no marks of presence, or too few coordinates for them")
    enough = len(values) * (1.0 - 1.0 / GROUPS) > (rank + 1 if space.exact else MARGIN * rank + SPARE)
    if found and scales and not complete:
        undetermined.append("errors of the weights: their scale leans on the marks of what was not found")
    edges = []
    for source, module in found.items():
        edges += [(source, *socket, z) for socket, z in zip(module.sockets, module.significance, strict=True)]
    weights = search.weights(scales) if found else np.zeros(0)
    errors = _jackknife(search, values, noise) if complete and enough else np.full(len(edges), math.nan)
    return WiringEvidence(
        tuple(
            FoundEdge(ROOT if owner is None else owner, slot, source, float(weight), float(error), float(z))
            for (source, owner, slot, z), weight, error in zip(edges, weights, errors, strict=True)
        ),
        {name: module.fit.misfit for name, module in found.items()},
        rank,
        space.noise,
        bool(scales),
        complete,
        tuple(undetermined),
    )
