"""Pursuit: which objects are in a sketch, and where, when the matrices are known and the wiring is not.

One hypothesis is a tree of places.  Every place adds ``a + 1`` columns to a least-squares problem, and what is not yet
explained is the residual.  A candidate is a slot of a place that was taken, or of root, filled by a module.

* **Score.**  The adjoint brings the residual to every open slot, and one product with the blocks of all modules scores all
  candidates.  The best few are then scored exactly, on their columns without what the hypothesis already spans.  Only the
  part of a fit that an object could make counts: a place has ``W > 0`` and ``‖W x‖ ≤ W``, a cone that leaves a false
  candidate a small part of its chance energy.
* **Forward.**  The best candidate is taken and everything is fitted anew.  Slots that are filled stay open to others.
* **Backward.**  A leaf that the sketch could do without (F statistic) is removed: a false place mostly dies when the
  true one beside it is found.
* **Certificate.**  A residual at the level of the noise, or of rounding, with degrees of freedom to spare, cannot come about
  by chance: the hypothesis then holds every object.  Until there is one the search goes on with more hypotheses side by
  side.

Source: orthogonal least squares (S. Chen, S. Billings, W. Luo, 1989), on the tree of a recursive sketch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy
import scipy.linalg
from numpy.typing import NDArray

from simnet.decoding.places import Place, Places
from simnet.late import networkx as nx
from simnet.networks.network import Name
from simnet.sketching import Encoder, Observation

Array = NDArray[Any]

#: How many candidates of a hypothesis are scored exactly, and how many of them it may be continued with.
SHORTLIST, BRANCHES = 12, 4

#: A leaf that chance explains with at least this probability is removed.
REMOVABLE = 0.01

#: How many hypotheses are kept side by side, in turn, until one has a certificate; and the most, times coordinates.
BEAMS, EFFORT = (1, 4, 16), 1 << 12

#: A search is given up this many rounds after as many as the sketch has room for places.
PATIENCE = 10

#: Rounding, of the sketch and of the fit, leaves up to this many units in the last place of the root mean square coordinate.
ROUNDING_UNITS = 64.0

#: With fewer degrees of freedom than this a small residual says nothing.
SPARE = 2

#: A residual that noise exceeds with this probability is still taken for noise.
CERTIFICATE = 1e-6


class Hypothesis:
    """Some places, and the least-squares fit of the sketches by their columns: ``[columns] = basis @ triangle``."""

    def __init__(self, taken: tuple[Place, ...], targets: Array, basis: Array, triangle: Array, residual: Array) -> None:
        self.taken, self.targets, self.basis, self.triangle, self.residual = taken, targets, basis, triangle, residual
        self.energy = float(np.sum(residual**2))

    @classmethod
    def of(cls, taken: Iterable[Place], targets: Array) -> Hypothesis:
        """The fit of ``targets``, ``(d', n)``, by those places."""
        taken = tuple(taken)
        columns = np.concatenate([np.zeros((len(targets), 0)), *(place.columns for place in taken)], axis=1)
        basis, triangle = scipy.linalg.qr(columns, mode="economic", check_finite=False)
        return cls(taken, targets, basis, triangle, targets - basis @ (basis.T @ targets))

    @cached_property
    def key(self) -> frozenset[Any]:
        """The paths of the places."""
        return frozenset(place.path for place in self.taken)

    @property
    def free(self) -> int:
        """Degrees of freedom of the residual of one sketch."""
        return self.basis.shape[0] - self.basis.shape[1]

    def news(self, place: Place) -> tuple[Array, Array]:
        """The columns of a place without what is spanned, and their components along it."""
        along = self.basis.T @ place.columns
        return place.columns - self.basis @ along, along

    def extended(self, place: Place) -> Hypothesis:
        """With one more place."""
        fresh, along = self.news(place)
        again = self.basis.T @ fresh  # twice is enough
        own, small = np.linalg.qr(fresh - self.basis @ again)
        m, k = len(self.triangle), len(small)
        triangle = np.zeros((m + k, m + k))
        triangle[:m, :m], triangle[:m, m:], triangle[m:, m:] = self.triangle, along + again, small
        residual = self.residual - own @ (own.T @ self.residual)
        basis = np.concatenate([self.basis, own], axis=1)
        return Hypothesis((*self.taken, place), self.targets, basis, triangle, residual)

    def without(self, gone: set[Place]) -> Hypothesis:
        """Without some places."""
        return Hypothesis.of([place for place in self.taken if place not in gone], self.targets)

    @cached_property
    def spans(self) -> list[slice]:
        """Where the columns of each place stand."""
        ends = np.cumsum([place.columns.shape[1] for place in self.taken])
        return [slice(int(e) - p.columns.shape[1], int(e)) for e, p in zip(ends, self.taken, strict=True)]

    @cached_property
    def inverse(self) -> Array:
        """Of the triangle."""
        return scipy.linalg.solve_triangular(self.triangle, np.eye(len(self.triangle)), check_finite=False)

    @cached_property
    def coefficients(self) -> Array:
        """The least-squares coefficients: ``(m, n)``."""
        return self.inverse @ (self.basis.T @ self.targets)

    @cached_property
    def leaves(self) -> list[Place]:
        """The places that no other stands below."""
        parents = {place.parent for place in self.taken}
        return [place for place in self.taken if place not in parents]

    @cached_property
    def losses(self) -> dict[Place, float]:
        """How much energy the fit would lose without each place, the others fitted anew."""
        lost = {}
        for place, span in zip(self.taken, self.spans, strict=True):
            rows, fitted = self.inverse[span], self.coefficients[span]
            lost[place] = float(np.sum(fitted * np.linalg.solve(rows @ rows.T, fitted)))
        return lost

    def chance_of(self, place: Place) -> float:
        """The probability that a false place explains as much as this one, which was taken."""
        return self.chance(self.losses[place], place.columns.shape[1], after=True)

    def chance(self, gained: float, columns: int, *, after: bool) -> float:
        """The probability that ``columns`` false ones explain so much: of the residual, or ``after`` they were taken."""
        n = self.residual.shape[1]
        free = self.free if after else self.free - columns
        left = self.energy if after else self.energy - gained
        if free < 1 or left <= 0.0:
            return 0.0 if free >= 1 else 1.0
        gained = max(gained, 0.0)  # rounding may leave it below
        ratio = gained / (columns * n) / (left / (free * n))
        return float(scipy.special.fdtrc(columns * n, free * n, ratio))


@dataclass(frozen=True)
class Candidate:
    """A place that may be taken: the energy that it would explain as an object, and in all."""

    place: Place
    score: float
    gained: float


def in_cone(values: Array, marks: Array, slope: float) -> Array:
    """``‖P(u, t)‖²`` for the projection ``P`` to the cone ``‖u‖ ≤ slope · t``, over the last axis of ``values``."""
    lengths = np.linalg.norm(values, axis=-1)
    whole = lengths**2 + marks**2
    edge = (slope * lengths + marks) ** 2 / (1.0 + slope**2)
    return np.where(lengths <= slope * marks, whole, np.where(slope * lengths <= -marks, 0.0, edge))


class Pursuit:
    """The search, for a batch of sketches of one wiring.

    Parameters
    ----------
    encoder : Encoder
    observation : Observation
    wiring : {"any", "network"}
        Whether any module may fill a slot, or only those that the network says.
    failure_probability : float
        That an object is reported in a sketch of nothing.
    """

    def __init__(self, encoder: Encoder, observation: Observation, wiring: str, failure_probability: float) -> None:
        self.encoder, self.wiring, self.failure_probability = encoder, wiring, failure_probability
        self.places = Places(encoder, observation.rows)
        self.targets = observation.remaining.T
        self.noise = observation.noise_with_rounding(ROUNDING_UNITS)
        self._seen: set[frozenset[Any]] = set()

    def is_noise(self, energy: float, free: int) -> bool:
        """Whether an energy that is left with so many degrees of freedom a sketch is no more than noise."""
        if free < SPARE:
            return False
        return energy <= self.noise**2 * float(scipy.special.chdtri(free * self.targets.shape[1], CERTIFICATE))

    def explained(self, hypothesis: Hypothesis) -> bool:
        """Whether what is left is no more than noise."""
        return self.is_noise(hypothesis.energy, hypothesis.free)

    def noise_left(self, energies: Any, free: int) -> Any:
        """The standard deviation of a coordinate's noise from what is left; at least an eighth of what is allowed for."""
        return np.maximum(np.sqrt(energies / max(free, 1)), self.noise / 8.0)

    def candidates(self, hypothesis: Hypothesis) -> tuple[list[Candidate], int]:
        """The best candidates, best first, and among how many they were chosen."""
        free = hypothesis.free
        openings, probes = self.places.probes(hypothesis.taken, hypothesis.residual.T)
        products = probes @ self.places.stacked.T
        recipe, d = self.encoder.recipe, self.encoder.sketch_dim
        slope = recipe.value_share / recipe.presence_share
        depths = np.array([1 if place is None else place.depth + 1 for place, _ in openings])
        lengths = np.sqrt(np.array([self.places.gain(h) for h in range(1, depths.max() + 1)]) * (max(free, 1) / d))[
            depths - 1
        ]
        allowed = self._allowed(hypothesis, openings)
        scores = np.zeros(allowed.shape)
        for j, span in enumerate(self.places.spans):
            y = products[:, :, span] / lengths[:, None, None]
            part = in_cone(y[..., :-1] / recipe.value_share, y[..., -1] / recipe.presence_share, slope)
            scores[:, j] = np.sum(part, axis=1)
        scores = np.where(allowed, scores, 0.0)
        found = []
        for flat in np.argsort(-scores, axis=None)[:SHORTLIST]:
            i, j = divmod(int(flat), len(self.places.modules))
            if scores[i, j] > 0.0:
                place = self.places.place(*openings[i], self.places.modules[j])
                if place.columns.shape[1] + SPARE <= free:
                    found.append(self._exactly(hypothesis, place, slope))
        return sorted(found, key=lambda c: -c.score), int(np.sum(allowed))

    def _exactly(self, hypothesis: Hypothesis, place: Place, slope: float) -> Candidate:
        recipe, size = self.encoder.recipe, np.sqrt(self.places.gain(place.depth))
        fresh, _ = hypothesis.news(place)
        own, small = np.linalg.qr(fresh)
        along = own.T @ hypothesis.residual
        fitted = np.linalg.solve(small, along)
        energies = np.sum(along**2, axis=0)
        values, marks = fitted[:-1].T * (size * recipe.value_share), fitted[-1] * (size * recipe.presence_share)
        whole = np.maximum(np.sum(values**2, axis=-1) + marks**2, 1e-300)
        score = float(np.sum(energies * in_cone(values, marks, slope) / whole))
        return Candidate(place, score, float(np.sum(energies)))

    def _allowed(self, hypothesis: Hypothesis, openings: list[tuple[Place | None, int]]) -> Array:
        """Which module may fill which opening: none that is there already, and none that closes a cycle of modules."""
        modules = self.places.modules
        number = {module: j for j, module in enumerate(modules)}
        graph: nx.DiGraph[Name] = nx.DiGraph((p.parent.module, p.module) for p in hypothesis.taken if p.parent is not None)
        allowed = np.ones((len(openings), len(modules)), dtype=bool)
        above: dict[Name, list[int]] = {}
        for i, (place, slot) in enumerate(openings):
            if self.wiring == "network":
                sources = self.places.slots_of(place)[slot].sources
                allowed[i] = [module in sources for module in modules]
            if place is not None:
                if place.module not in above:
                    consumers = nx.ancestors(graph, place.module) if place.module in graph else set()
                    above[place.module] = [number[m] for m in (*consumers, place.module)]
                allowed[i, above[place.module]] = False
        at = {opening: i for i, opening in enumerate(openings)}
        for p in hypothesis.taken:
            allowed[at[p.parent, p.slot], number[p.module]] = False
        return allowed

    def pruned(self, hypothesis: Hypothesis) -> Hypothesis:
        """Without the leaves that the sketch could do without; the last one that was taken stays."""
        while len(hypothesis.taken) > 1:
            leaves = [place for place in hypothesis.leaves if place is not hypothesis.taken[-1]]
            for place in sorted(leaves, key=hypothesis.losses.__getitem__):
                if hypothesis.chance_of(place) < REMOVABLE:
                    return hypothesis
                key = hypothesis.key - {place.path}
                if key not in self._seen:
                    self._seen.add(key)
                    hypothesis = hypothesis.without({place})
                    break
            else:
                return hypothesis
        return hypothesis

    def significant(self, hypothesis: Hypothesis) -> Hypothesis:
        """Take the best candidate as long as it is significant among all that there are."""
        while True:
            found, number = self.candidates(hypothesis)
            if not found:
                return hypothesis
            best = found[0]
            if number * hypothesis.chance(best.gained, best.place.columns.shape[1], after=False) > self.failure_probability:
                return hypothesis
            hypothesis = self.pruned(hypothesis.extended(best.place))

    def widened(self, beam: int) -> Hypothesis | None:
        """From nothing, ``beam`` side by side, until one has a certificate; ``None`` if none gets one."""
        self._seen = set()
        beams = [Hypothesis.of((), self.targets)]
        room = len(self.targets) // min(block.shape[0] for block in self.places.blocks)
        for _ in range(room + PATIENCE):
            options: dict[frozenset[Any], tuple[float, Hypothesis, Place]] = {}
            for hypothesis in beams:
                found, _ = self.candidates(hypothesis)
                for candidate in found[: BRANCHES if beam > 1 else 1]:
                    key = hypothesis.key | {candidate.place.path}
                    options.setdefault(key, (hypothesis.energy - candidate.score, hypothesis, candidate.place))
            if not options:
                return None
            chosen = sorted(options.values(), key=lambda option: option[0])[:beam]
            beams = [self.pruned(hypothesis.extended(place)) for _, hypothesis, place in chosen]
            best = min(beams, key=lambda hypothesis: hypothesis.energy)
            if self.explained(best):
                return self.significant(best)
        return None

    def run(self, start: Hypothesis) -> tuple[Hypothesis, bool]:
        """The best hypothesis, ``start`` where no search ends in a certificate; and whether it has one."""
        found: Hypothesis | None = start
        if start.taken and not self.explained(start):
            for beam in [beam for beam in BEAMS if beam == 1 or beam * len(self.targets) <= EFFORT]:
                found = self.widened(beam)
                if found is not None:
                    break
        certain = found is not None and self.explained(found)
        return self.settled(start if found is None else found), certain

    def settled(self, hypothesis: Hypothesis) -> Hypothesis:
        """Without what is not significant, has no weight, or shares a slot with something greater."""
        while hypothesis.taken:
            marks = {
                p: hypothesis.coefficients[span][-1].mean()
                for p, span in zip(hypothesis.taken, hypothesis.spans, strict=True)
            }
            gone = {p for p in hypothesis.leaves if hypothesis.chance_of(p) > self.failure_probability or marks[p] <= 0.0}
            if not gone:
                rivals: dict[Any, list[Place]] = {}
                for place in sorted(hypothesis.taken, key=hypothesis.losses.__getitem__):
                    rivals.setdefault((place.parent, place.slot), []).append(place)
                gone = {place for group in rivals.values() for place in group[:-1]}
            if not gone:
                return hypothesis
            below = {p for p in hypothesis.taken if any(p.path[: len(g.path)] == g.path for g in gone)}
            hypothesis = hypothesis.without(below)
        return hypothesis
