"""Unrolling: the objects of a sketch, put together from the places that pursuit found."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.checks import choice, probability
from simnet.decoding.estimate import PerObject, normal_quantile
from simnet.decoding.places import Place
from simnet.decoding.pursuit import Hypothesis, Pursuit
from simnet.decoding.shared import SharedPursuit, Wiring
from simnet.networks import ModularNetwork, Structure
from simnet.networks.network import Name
from simnet.sketching import Encoder, Observation

Array = NDArray[Any]

#: Attributes of two places agree when they differ by no more than this many standard errors, or by the second number.
AGREEMENT, ROUNDING = 5.0, 1e-9

#: Places are only merged where their attributes are known this well: else agreement says nothing.
KNOWN = 0.05


@dataclass(frozen=True, eq=False)
class Unrolled:
    """What pursuit found in a sketch, or in several of one wiring.

    Attributes
    ----------
    structure : Structure
        ``structure[name].module``, ``.inputs`` and ``.weights`` of every object, ``structure.outputs`` slot by slot.
        Weights are means over the sketches.  An object has the name of its module, with a number where there are several.
    attributes : PerObject
        ``(a,)`` each, or ``(sketches, a)``.
    standard_errors : PerObject
        Of the same shapes.
    significance : dict from name to float
        For each object the probability that a false one would explain as much of the sketch (F statistic, not corrected for
        the number of candidates).
    residual : float or (sketches,) array
        ``‖s − B z‖ / ‖s‖``.
    certain : bool
        Whether the residual is no more than the noise, or rounding, with degrees of freedom to spare: then nothing is
        missing.
    places : int
        How many places the objects stand in.
    unknowns : int
        The numbers that were fitted: ``p = Σ (a + 1)`` over the places, or ``Σ a + edges`` where each module was taken to
        make one object.
    """

    structure: Structure
    attributes: PerObject
    standard_errors: PerObject
    significance: dict[Name, float]
    residual: Any
    certain: bool
    places: int
    unknowns: int
    freedom: float = math.inf

    def __len__(self) -> int:
        return len(self.structure)

    def interval(self, level: float = 0.95) -> PerObject:
        """``(a, 2)`` for each object, or ``(sketches, a, 2)``: Student's, with the degrees of freedom that are left."""
        z = normal_quantile(level, self.freedom)
        pairs = zip(self.attributes, self.standard_errors, strict=True)
        return PerObject(self.structure, [np.stack([x - z * e, x + z * e], axis=-1) for x, e in pairs])


@dataclass(frozen=True, eq=False)
class _Standing:
    """One place with what was fitted there: ``(n, a)`` attributes and errors, ``(n,)`` path weights."""

    place: Place
    attributes: Array
    errors: Array
    weight: Array
    chance: float
    children: tuple[_Standing | None, ...]
    inner: Array  # (n, slots) weights of the inputs

    @property
    def precision(self) -> float:
        """How much it counts when places are merged."""
        return 1.0 / max(float(np.mean(self.errors**2)), 1e-300)


def unroll(
    encoder: Encoder, observation: Observation, *, wiring: str = "any", failure_probability: float = 0.001
) -> Unrolled:
    """See :meth:`simnet.Sketcher.unroll`."""
    choice("wiring", wiring, ("any", "network"))
    probability("failure_probability", failure_probability)
    recipe = encoder.recipe
    for share in ("value_share", "presence_share", "attribute_share", "mixing"):
        if getattr(recipe, share) == 0.0:
            raise ValueError(f"recipe.{share} = 0: places cannot be told apart, such a sketch cannot be unrolled")
    pursuit = Pursuit(encoder, observation, wiring, failure_probability)
    start = pursuit.significant(Hypothesis.of((), pursuit.targets))
    if start.taken and not pursuit.explained(start) and len(observation.values) == 1:
        # too few coordinates for a fit place by place; objects that stand in several places may need fewer
        shared = SharedPursuit(pursuit)
        found = shared.run()
        if found is not None:
            return _of_wiring(shared, found)
    hypothesis, certain = pursuit.run(start)
    tops = _standings(pursuit, hypothesis)
    groups = _merge(tops)
    if certain and len(observation.values) == 1 and _repeats(groups):
        # noise can hide that two places hold one object: one object a module is tried, and must explain as much
        shared = SharedPursuit(pursuit)
        found = _one_each(shared, groups)
        if found is not None:
            return _of_wiring(shared, found)
    lengths = np.linalg.norm(pursuit.targets, axis=0)
    residual = np.linalg.norm(hypothesis.residual, axis=0) / np.where(lengths > 0.0, lengths, 1.0)
    structure, merged = _structure(encoder.network, tops, groups)

    def each(arrays: list[Array]) -> PerObject:
        return PerObject(structure, [x.reshape(*observation.batch, -1) for x in arrays])

    return Unrolled(
        structure,
        each([x for x, _, _ in merged]),
        each([e for _, e, _ in merged]),
        {name: chance for name, (_, _, chance) in zip(structure.names, merged, strict=True)},
        residual.reshape(observation.batch) if observation.batch else float(residual[0]),
        certain,
        len(hypothesis.taken),
        hypothesis.basis.shape[1],
        float(max(hypothesis.free * pursuit.targets.shape[1], 1)),
    )


def _repeats(group_of: dict[int, list[_Standing]]) -> bool:
    """Whether a module has several objects."""
    groups = {id(group): group for group in group_of.values()}
    modules = [group[0].place.module for group in groups.values()]
    return len(set(modules)) < len(modules)


def _one_each(pursuit: SharedPursuit, group_of: dict[int, list[_Standing]]) -> Wiring | None:
    """All places of a module as one object, where that explains the sketch; ``None`` where it does not."""
    edges: dict[tuple[Name | None, int], Name] = {}
    attributes: dict[Name, Array] = {}
    weights: dict[tuple[Name | None, int], float] = {}
    every = {id(standing): standing for group in group_of.values() for standing in group}.values()
    # the heaviest place of a module is known best
    for standing in sorted(every, key=lambda standing: -float(standing.weight[0])):
        place = standing.place
        socket = (None if place.parent is None else place.parent.module, place.slot)
        if edges.setdefault(socket, place.module) != place.module:
            return None
        attributes.setdefault(place.module, standing.attributes[0])
        if socket[0] is None:
            weights.setdefault(socket, float(standing.weight[0]))
        for slot, child in enumerate(standing.children):
            if child is not None:
                weights.setdefault((place.module, slot), float(standing.inner[0, slot]))
    found = pursuit.refined(Wiring(pursuit.encoder, edges, attributes, weights))
    return found if pursuit.explained(found) else None


def _of_wiring(pursuit: SharedPursuit, wiring: Wiring) -> Unrolled:
    """The result of a search with one object a module."""
    found = wiring.structure()
    sketch, errors, sockets = pursuit.uncertainty(wiring)
    labels = {module: str(module) for module in found.names}
    names = tuple(labels.values())

    def renamed(inputs: tuple[Name | None, ...]) -> tuple[Name | None, ...]:
        return tuple(None if module is None else labels[module] for module in inputs)

    structure = replace(
        found, names=names, inputs=tuple(renamed(inputs) for inputs in found.inputs), outputs=renamed(found.outputs)
    )
    ends = np.cumsum(found.attribute_dims)
    spreads = np.split(errors[: ends[-1]], ends[:-1])
    chances: dict[Name, float] = dict.fromkeys(names, 1.0)
    for socket, error in zip(sockets, errors[ends[-1] :], strict=True):
        ratio = (wiring.weights[socket] / max(float(error), 1e-300)) ** 2
        label = labels[wiring.edges[socket]]
        chances[label] = min(chances[label], float(scipy.special.fdtrc(1, wiring.free, ratio)))
    size = float(np.linalg.norm(pursuit.target))
    return Unrolled(
        structure,
        PerObject(structure, [wiring.attributes[module] for module in found.names]),
        PerObject(structure, spreads),
        chances,
        float(np.linalg.norm(pursuit.target - sketch)) / size,
        True,
        structure.places,
        wiring.basis.shape[1],
        float(wiring.free),
    )


def _standings(pursuit: Pursuit, hypothesis: Hypothesis) -> tuple[_Standing | None, ...]:
    """What fills the slots of root, with everything below."""
    fitted, inverse, n = hypothesis.coefficients, hypothesis.inverse, pursuit.targets.shape[1]
    level = pursuit.noise_left(np.sum(hypothesis.residual**2, axis=0), hypothesis.free)
    below: dict[Place | None, dict[int, _Standing]] = {}

    def slots(place: Place | None, weight: Array) -> tuple[tuple[_Standing | None, ...], Array]:
        number = len(pursuit.places.slots_of(place))
        filled = tuple(below.get(place, {}).get(slot) for slot in range(number))
        inner = np.zeros((n, number))
        for slot, standing in enumerate(filled):
            if standing is not None:
                inner[:, slot] = standing.weight / np.where(weight == 0.0, 1.0, weight)
        return filled, inner

    found = zip(hypothesis.taken, hypothesis.spans, strict=True)
    for place, span in sorted(found, key=lambda entry: -entry[0].depth):
        weight = fitted[span][-1]
        safe = np.where(weight == 0.0, 1.0, weight)
        x = (fitted[span][:-1] / safe).T
        square = inverse[span] @ inverse[span].T
        # of a quotient y/W: var(y) + x² var(W) − 2 x cov(y, W), over W²
        variance = np.diagonal(square)[:-1] + x**2 * square[-1, -1] - 2.0 * x * square[:-1, -1]
        errors = np.sqrt(np.maximum(variance, 0.0)) * (level / np.abs(safe))[:, None]
        children, inner = slots(place, weight)
        standing = _Standing(place, x, errors, weight, hypothesis.chance_of(place), children, inner)
        below.setdefault(place.parent, {})[place.slot] = standing
    return slots(None, np.ones(n))[0]


def _merge(tops: tuple[_Standing | None, ...]) -> dict[int, list[_Standing]]:
    """Places that hold one object: of one module, with the same attributes and the same inputs by the same weights.

    Returns the group of every place, by the ``id`` of what stands there.
    """
    every: list[_Standing] = []
    pending = [standing for standing in tops if standing is not None]
    while pending:
        standing = pending.pop()
        every.append(standing)
        pending += [child for child in standing.children if child is not None]
    group_of: dict[int, list[_Standing]] = {}
    groups: dict[Name, list[list[_Standing]]] = {}

    def same(left: _Standing, right: _Standing) -> bool:
        for a, b in zip(left.children, right.children, strict=True):
            if (a is None) != (b is None) or (a is not None and b is not None and group_of[id(a)] is not group_of[id(b)]):
                return False
        spread = np.hypot(left.errors, right.errors)
        if spread.max(initial=0.0) > KNOWN:
            return False
        gap = np.abs(left.attributes - right.attributes)
        return bool(np.all(gap <= AGREEMENT * spread + ROUNDING))

    # the deepest subtrees first, so that inputs are merged before their consumers are compared
    for standing in sorted(every, key=_height):
        for group in groups.setdefault(standing.place.module, []):
            if same(group[0], standing):
                group.append(standing)
                group_of[id(standing)] = group
                break
        else:
            groups[standing.place.module].append([standing])
            group_of[id(standing)] = groups[standing.place.module][-1]
    return group_of


def _height(standing: _Standing) -> int:
    return 1 + max((_height(child) for child in standing.children if child is not None), default=0)


def _structure(
    network: ModularNetwork, tops: tuple[_Standing | None, ...], group_of: dict[int, list[_Standing]]
) -> tuple[Structure, list[tuple[Array, Array, float]]]:
    """The structure of the merged objects, inputs before consumers, and what each of them is."""
    groups = {id(group): group for group in group_of.values()}
    ordered = sorted(groups.values(), key=lambda group: (_height(group[0]), group[0].place.path.__repr__()))
    counts = Counter(str(group[0].place.module) for group in ordered)
    used: Counter[str] = Counter()
    names: dict[int, Name] = {}
    for group in ordered:
        label = str(group[0].place.module)
        names[id(group)] = label if counts[label] == 1 else f"{label}#{used[label]}"
        used[label] += 1

    def name(standing: _Standing | None) -> Name | None:
        return None if standing is None else names[id(group_of[id(standing)])]

    inputs, weights, merged = [], [], []
    for group in ordered:
        inputs.append(tuple(name(child) for child in group[0].children))
        shares = np.array([standing.precision for standing in group])
        shares = shares / shares.sum()
        weights.append(tuple(float(w) for w in sum(s * m.inner.mean(axis=0) for s, m in zip(shares, group, strict=True))))
        attributes = sum(s * m.attributes for s, m in zip(shares, group, strict=True))
        errors = np.sqrt(sum((s * m.errors) ** 2 for s, m in zip(shares, group, strict=True)))
        merged.append((np.asarray(attributes), np.asarray(errors), min(m.chance for m in group)))
    modules = tuple(group[0].place.module for group in ordered)
    outputs = tuple(name(standing) for standing in tops)
    output_weights = tuple(0.0 if standing is None else float(standing.weight.mean()) for standing in tops)
    wiring = _network(network, dict(zip(names.values(), modules, strict=True)), inputs, modules, outputs)
    structure = Structure(
        wiring, tuple(names[id(group)] for group in ordered), modules, tuple(inputs), tuple(weights), outputs, output_weights
    )
    return structure, merged


def _network(
    network: ModularNetwork,
    module_of: dict[Name, Name],
    inputs: list[tuple[Name | None, ...]],
    modules: tuple[Name, ...],
    outputs: tuple[Name | None, ...],
) -> ModularNetwork:
    """The sketcher's modules and slots, filled by what was found to fill them."""
    if not modules:
        return network
    sources: dict[tuple[Name | None, int], dict[Name, None]] = {}
    owners: list[tuple[Name | None, tuple[Name | None, ...]]] = [*zip(modules, inputs, strict=True), (None, outputs)]
    for owner, filled in owners:
        for slot, source in enumerate(filled):
            if source is not None:
                sources.setdefault((owner, slot), {})[module_of[source]] = None
    return network.rewired(dict.fromkeys(modules), sources)
