"""Pursuit where every module makes one object: far fewer unknowns than places.

An object that stands in several places has one attribute vector, and inputs of its own with weights of their own.  A
hypothesis is then a wiring: which module fills which slot.  Its unknowns are the attributes of each object and the weight
of each edge, ``Σ_M a_M + edges``, however many places there are: a sketch of fewer coordinates than ``p`` is enough.

The sketch is linear in the attributes and in each weight, but not in both together: hypotheses are fitted by Gauss and
Newton, from what they were before their last edge.  A candidate is an open slot filled by a module that is not there yet
(``a + 1`` unknowns) or by one that is (one: the weight).  Whether every module really makes one object is not known
beforehand; a residual at the level of rounding says so afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.decoding.pursuit import BRANCHES, SHORTLIST, SPARE, Pursuit, in_cone
from simnet.late import networkx as nx
from simnet.networks import Structure
from simnet.networks.network import ROOT, Name
from simnet.sketching import Encoder
from simnet.sketching.dictionary import dictionary

Array = NDArray[Any]

#: A slot of a module, or of root.
Socket = tuple[Name | None, int]
Edges = dict[Socket, Name]

#: Gauss-Newton steps after a new edge, and the most at the end.
STEPS, FINAL_STEPS = 2, 30

#: How many hypotheses are kept side by side, in turn.
SHARED_BEAMS = (1, 4)

#: No weight is fitted below this share of what it can be: an edge without weight has no derivative.
LEAST_WEIGHT = 1e-4


class Wiring:
    """Which module fills which slot, with attributes and weights."""

    def __init__(self, encoder: Encoder, edges: Edges, attributes: dict[Name, Array], weights: dict[Socket, float]) -> None:
        self.encoder, self.edges, self.attributes, self.weights = encoder, edges, attributes, weights
        self.residual = np.zeros(0)
        self.energy = np.inf
        self.basis, self.triangle = np.zeros((0, 0)), np.zeros((0, 0))

    @cached_property
    def key(self) -> frozenset[Any]:
        """The edges."""
        return frozenset(self.edges.items())

    @property
    def free(self) -> int:
        """Degrees of freedom of the residual."""
        return self.basis.shape[0] - self.basis.shape[1]

    @cached_property
    def modules(self) -> list[Name]:
        """The modules that are there, in the order of the network."""
        there = set(self.edges.values())
        return [m.name for m in self.encoder.network.modules if m.name in there]

    @cached_property
    def graph(self) -> nx.DiGraph[Name]:
        """The modules that are there, from source to consumer."""
        graph: nx.DiGraph[Name] = nx.DiGraph()
        graph.add_nodes_from(self.modules)
        graph.add_edges_from((source, owner) for (owner, _), source in self.edges.items() if owner is not None)
        return graph

    def structure(self) -> Structure:
        """As a structure."""
        network, modules = self.encoder.network, tuple(self.modules)
        wired = network.rewired(modules, {socket: (source,) for socket, source in self.edges.items()})

        def slots(owner: Name | None) -> tuple[tuple[Name | None, ...], tuple[float, ...]]:
            numbers = range(len(network.slots_of(owner)))
            names = tuple(self.edges.get((owner, i)) for i in numbers)
            return names, tuple(self.weights.get((owner, i), 0.0) for i in numbers)

        filled = [slots(m) for m in modules]
        inputs, weights = tuple(names for names, _ in filled), tuple(w for _, w in filled)
        return Structure(wired, modules, modules, inputs, weights, *slots(None))

    def with_edge(self, socket: Socket, source: Name) -> Wiring:
        """With that edge, of weight 1, in the place of what was there; attributes are those of before."""
        edges, weights = self.edges | {socket: source}, self.weights | {socket: 1.0}
        return Wiring(self.encoder, edges, self.attributes, weights)


def sockets_of(structure: Structure) -> list[Socket]:
    """The sockets of the edges, in the order of ``structure.edge_weights``."""
    owners: list[tuple[Name | None, tuple[Name | None, ...]]] = [
        *zip(structure.names, structure.inputs, strict=True),
        (None, structure.outputs),
    ]
    return [(owner, i) for owner, names in owners for i, name in enumerate(names) if name is not None]


class SharedPursuit:
    """The search for a wiring, for the one sketch of a pursuit over places."""

    def __init__(self, pursuit: Pursuit) -> None:
        self.pursuit, self.encoder, self.places = pursuit, pursuit.encoder, pursuit.places
        self.rows, self.target = pursuit.places.rows, pursuit.targets[:, 0]

    def explained(self, wiring: Wiring) -> bool:
        """Whether what is left is no more than noise."""
        return self.pursuit.is_noise(wiring.energy, wiring.free)

    # -- fitting ------------------------------------------------------------------------------------------------------

    def _sketch(self, structure: Structure, values: list[Array], presence: Array, weights: Array) -> Array:
        return self.encoder.forward(structure, values, presence, weights)[:, self.rows].astype(float)

    def _by_weight(self, structure: Structure, attributes: dict[Name, Array], edges: Sequence[int]) -> Array:
        """What each of those edges brings with weight 1: a sketch is linear in each weight."""
        n = len(edges)
        weights = np.repeat(structure.edge_weights[None], 2 * n, axis=0)
        weights[np.arange(n), edges], weights[n + np.arange(n), edges] = 1.0, 0.0
        values = [np.repeat(attributes[m][None], 2 * n, axis=0) for m in structure.names]
        both = self._sketch(structure, values, np.ones((2 * n, len(structure))), weights)
        return both[:n] - both[n:]

    def _jacobian(self, wiring: Wiring) -> tuple[Array, Array, list[Socket]]:
        """The sketch, and its derivatives by the attributes of every object and by the weight of every edge."""
        structure = wiring.structure()
        sockets = sockets_of(structure)
        by_weight = self._by_weight(structure, wiring.attributes, range(len(sockets)))
        rows = dictionary(self.encoder, structure)[:, self.rows].astype(float)
        presence = np.cumsum(np.array(structure.attribute_dims) + 1) - 1
        vector = np.concatenate([np.append(wiring.attributes[m], 1.0) for m in structure.names])
        return vector @ rows, np.concatenate([np.delete(rows, presence, axis=0), by_weight]).T, sockets

    def fitted(self, wiring: Wiring, steps: int) -> Wiring:
        """After some steps of Gauss and Newton."""
        best: Wiring | None = None
        current = wiring
        for step in range(steps + 1):
            sketch, jacobian, sockets = self._jacobian(current)
            current.residual = self.target - sketch
            lengths = np.linalg.norm(jacobian, axis=0)
            safe = np.where(lengths > 0.0, lengths, 1.0)
            basis, triangle = np.linalg.qr(jacobian / safe)
            current.basis, current.triangle = basis, triangle
            along = basis.T @ current.residual
            current.energy = float(np.sum(current.residual**2))
            if best is None or current.energy < best.energy:
                best = current
            elif step > 2:
                break
            if step == steps or self.explained(current):
                break
            # a little damping, relative to the scaled columns, holds on to what is hardly determined
            damped = np.concatenate([triangle, 1e-8 * np.eye(len(triangle))])
            move = np.linalg.lstsq(damped, np.concatenate([along, np.zeros(len(triangle))]), rcond=None)[0] / safe
            current = self._moved(current, move, sockets)
        assert best is not None
        # what is left after the fit, not before it: candidates are held against that
        best.residual = best.residual - best.basis @ (best.basis.T @ best.residual)
        best.energy = float(np.sum(best.residual**2))
        return best

    @staticmethod
    def _moved(wiring: Wiring, move: Array, sockets: list[Socket]) -> Wiring:
        attributes, start = {}, 0
        for module in wiring.modules:
            x = wiring.attributes[module]
            new = x + move[start : start + len(x)]
            attributes[module] = new / max(1.0, float(np.linalg.norm(new)) / 1.5)
            start += len(x)
        weights = {
            socket: float(np.clip(wiring.weights[socket] + change, LEAST_WEIGHT, 1.5))
            for socket, change in zip(sockets, move[start:], strict=True)
        }
        return Wiring(wiring.encoder, wiring.edges, attributes, weights)

    # -- candidates ---------------------------------------------------------------------------------------------------

    def _probes(self, wiring: Wiring) -> tuple[list[Socket], Array, Array]:
        """For each open socket what the adjoint brings there, and the expected squared length of what it sends up."""
        encoder, recipe = self.encoder, self.encoder.recipe
        # to a slot of root without the module's own share; every level below takes it
        tau, level = recipe.transparency, recipe.transparency**2 * recipe.input_share**2
        whole = np.zeros((1, encoder.sketch_dim))
        whole[:, self.rows] = wiring.residual
        flow: dict[Name | None, Array] = {None: whole}
        power: dict[Name | None, float] = {None: 1.0}
        sockets: list[Socket] = []
        probes: list[Array] = []
        powers: list[float] = []
        for owner in (None, *reversed(list(nx.topological_sort(wiring.graph)))):
            slots = encoder.network.slots_of(owner)
            if not slots or owner not in flow:
                continue
            above, strength = flow[owner], power[owner]
            if owner is not None:
                inner = encoder.transparent_adjoint(owner, "object", above)
                above = recipe.input_share * encoder.transparent_adjoint(owner, "input", inner)
                strength *= level
            for i in range(len(slots)):
                down = encoder.transparent_adjoint(ROOT if owner is None else owner, i, above)
                child = wiring.edges.get((owner, i))
                if child is not None:
                    w = wiring.weights[owner, i]
                    flow[child] = flow.get(child, 0.0) + w * down
                    power[child] = power.get(child, 0.0) + w**2 * strength * tau
                sockets.append((owner, i))
                probes.append(down[0])
                powers.append(strength * tau)
        return sockets, np.stack(probes), np.array(powers)

    def candidates(self, wiring: Wiring) -> list[tuple[float, Wiring]]:
        """Energies that are left after each of the best candidates was taken, and the wirings with it."""
        recipe, d = self.encoder.recipe, self.encoder.sketch_dim
        sockets, probes, powers = self._probes(wiring)
        share = recipe.attribute_share * recipe.transparency
        sizes = share * np.sqrt(powers * max(wiring.free, 1) / d)
        products = probes @ self.places.stacked.T
        slope = recipe.value_share / recipe.presence_share
        there = set(wiring.modules)
        # what stands below a module already must not be fed by it
        below = {module: nx.ancestors(wiring.graph, module) | {module} for module in there}
        objects = self._object_sketches(wiring) if there else {}
        shortlist: list[tuple[float, int, Name]] = []
        for j, module in enumerate(self.places.modules):
            if module in there:
                vector = objects[module]
                along = probes @ vector / (np.sqrt(powers * max(wiring.free, 1) / d) * np.linalg.norm(vector))
                scores = np.maximum(along, 0.0) ** 2
            else:
                y = products[:, self.places.spans[j]] / sizes[:, None]
                scores = in_cone(y[:, :-1] / recipe.value_share, y[:, -1] / recipe.presence_share, slope)
            for i, socket in enumerate(sockets):
                owner, slot = socket
                allowed = self.encoder.network.slots_of(owner)[slot].sources
                banned = self.pursuit.wiring == "network" and module not in allowed
                # an edge from module to owner closes a cycle when the owner is below it already
                cyclic = module in there and owner in below[module]
                if not banned and not cyclic and wiring.edges.get(socket) != module:
                    shortlist.append((float(scores[i]), i, module))
        shortlist.sort(key=lambda option: -option[0])
        options = []
        for score, i, module in shortlist[:SHORTLIST]:
            if score > 0.0:
                option = self._tried(wiring, sockets[i], module, slope)
                if option is not None:
                    options.append(option)
        return sorted(options, key=lambda option: option[0])

    def _object_sketches(self, wiring: Wiring) -> dict[Name, Array]:
        """``s_obj`` of every object as it is fitted now."""
        recipe = self.encoder.recipe
        found: dict[Name, Array] = {}
        structure = wiring.structure()
        for step in structure.steps:
            module = step.module
            total = np.append(wiring.attributes[module], 1.0) @ self.places.own[module]
            if step.slots:
                inputs = np.zeros((1, self.encoder.sketch_dim))
                for slot, *_ in step.slots:
                    child = wiring.edges[module, slot]
                    inputs += wiring.weights[module, slot] * self.encoder.transparent(module, slot, found[child][None])
                total = total + recipe.input_share * self.encoder.transparent(module, "input", inputs)[0]
            found[module] = self.encoder.transparent(module, "object", total[None])[0]
        return found

    def _columns(self, structure: Structure, module: Name) -> Array:
        """What the attributes and the presence of one object bring: ``(d', a + 1)``."""
        dim = self.encoder.network.by_name[module].attribute_dim
        values = [np.zeros((dim + 1, n)) for n in structure.attribute_dims]
        values[structure.positions[module]] = np.eye(dim + 1, dim)
        presence = np.zeros((dim + 1, len(structure)))
        presence[dim, structure.positions[module]] = 1.0
        return self._sketch(structure, values, presence, structure.edge_weights[None]).T

    def _tried(self, wiring: Wiring, socket: Socket, module: Name, slope: float) -> tuple[float, Wiring] | None:
        """The wiring with one more edge, and the energy that it would leave, as far as an object can take it."""
        residual = wiring.residual
        if socket in wiring.edges:  # the slot changes hands: what its old edge brought is to be explained again
            if not _connected({k: v for k, v in wiring.edges.items() if k != socket}, wiring.modules):
                return None
            structure = wiring.structure()
            edge = sockets_of(structure).index(socket)
            residual = residual + wiring.weights[socket] * self._by_weight(structure, wiring.attributes, [edge])[0]
        grown = wiring.with_edge(socket, module)
        structure = grown.structure()
        new = module not in wiring.attributes
        if new:
            columns = self._columns(structure, module)
        else:
            columns = self._by_weight(structure, wiring.attributes, [sockets_of(structure).index(socket)]).T
        if wiring.free - columns.shape[1] < SPARE:
            return None
        own, small = np.linalg.qr(columns - wiring.basis @ (wiring.basis.T @ columns))
        if np.abs(np.diagonal(small)).min() <= 1e-12 * np.linalg.norm(columns):
            return None
        along = own.T @ residual
        fitted = np.linalg.solve(small, along)
        energy = float(np.sum(along**2))
        if new:
            recipe = self.encoder.recipe
            values, mark = fitted[:-1] * recipe.value_share, np.asarray(fitted[-1] * recipe.presence_share)
            energy *= float(in_cone(values, mark, slope)) / max(float(np.sum(values**2) + mark**2), 1e-300)
        if energy <= 0.0 or (not new and fitted[-1] <= 0.0):
            return None
        weight = float(np.clip(fitted[-1], LEAST_WEIGHT, 1.5))
        attributes = dict(wiring.attributes)
        if new:
            x = fitted[:-1] / weight
            attributes[module] = x / max(1.0, float(np.linalg.norm(x)))
        found = Wiring(self.encoder, grown.edges, attributes, grown.weights | {socket: weight})
        return float(np.sum(residual**2)) - energy, found

    # -- search -------------------------------------------------------------------------------------------------------

    def refined(self, wiring: Wiring) -> Wiring:
        """Fitted to the end."""
        return self.fitted(wiring, FINAL_STEPS)

    def uncertainty(self, wiring: Wiring) -> tuple[Array, Array, list[Socket]]:
        """The sketch of a wiring; the standard errors of its attributes and of its weights, and whose weights they are."""
        sketch, jacobian, sockets = self._jacobian(wiring)
        inverse = np.linalg.inv(np.linalg.qr(jacobian)[1])
        level = self.pursuit.noise_left(np.sum((self.target - sketch) ** 2), wiring.free)
        return sketch, level * np.linalg.norm(inverse, axis=1), sockets

    def run(self) -> Wiring | None:
        """A wiring that explains the sketch, or ``None``."""
        for beam in SHARED_BEAMS:
            found = self._widened(beam)
            if found is not None:
                return found
        return None

    def _widened(self, beam: int) -> Wiring | None:
        empty = Wiring(self.encoder, {}, {}, {})
        empty.residual, empty.energy = self.target, float(np.sum(self.target**2))
        empty.basis, empty.triangle = np.zeros((len(self.target), 0)), np.zeros((0, 0))
        current = [empty]
        tried: set[frozenset[Any]] = set()
        network = self.encoder.network
        slots = sum(len(module.slots) for module in network.modules) + len(network.outputs)
        for _ in range(2 * slots):
            options: dict[frozenset[Any], tuple[float, Wiring]] = {}
            for wiring in current:
                for left, option in self.candidates(wiring)[: BRANCHES if beam > 1 else 2]:
                    if option.key not in tried:
                        options.setdefault(option.key, (left, option))
            if not options:
                return None
            chosen = sorted(options.values(), key=lambda option: option[0])[:beam]
            tried |= {option.key for _, option in chosen}
            current = [self.fitted(option, STEPS) for _, option in chosen]
            for wiring in current:
                if wiring.energy < 1e-10 * float(np.sum(self.target**2)) and wiring.free >= SPARE:
                    final = self.refined(wiring)
                    if self.explained(final):
                        return final
        return None


def _connected(edges: Edges, modules: list[Name]) -> bool:
    """Whether every module still reaches root."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from([*modules, "root"])
    graph.add_edges_from((source, "root" if owner is None else owner) for (owner, _), source in edges.items())
    return len(nx.ancestors(graph, "root")) >= len(modules)
