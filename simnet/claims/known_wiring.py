"""Claim: Law 7.  The wiring comes from many sketches by known matrices, at sizes and noise where the law says so.

* *Exact*: every edge with its weight, from as many coordinates as the law asks for; no edge that is not there; sketches by
  other matrices say nothing.
* *Limit*: the noise at which the first edge is lost, over the noise that the law predicts.
* *Many sketches*, *one sketch*: how much of the wiring is found at any size, from all runs or by unrolling one: for studies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.claims.base import Case, Claim, Sample, make_sketcher
from simnet.claims.parameters import Integer, Real, common, network_of
from simnet.decoding.unrolling import Unrolled
from simnet.learning import WiringEvidence, find_wiring
from simnet.learning.metrics import set_scores
from simnet.learning.wiring import failure_of_a_try
from simnet.networks import ModularNetwork
from simnet.networks.network import ROOT, Name
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import wiring_coordinates, wiring_noise

Array = NDArray[Any]

#: Consumer, slot, source.
Edge = tuple[Name, int, Name]

#: A weight this near to the planted one is exact.
EXACT = 1e-6

#: Between these shares of the predicted noise the limit is looked for, in so many halvings.
LOW, HIGH, HALVINGS = 0.25, 4.0, 6


def planted_edges(network: ModularNetwork) -> dict[Edge, float]:
    """The weights of a network in which one module fills each slot."""
    owners = [(ROOT, network.outputs), *((module.name, module.slots) for module in network.modules)]
    return {(name, i, slot.sources[0]): slot.weight for name, slots in owners for i, slot in enumerate(slots)}


def evident_edges(found: WiringEvidence) -> dict[Edge, float]:
    """The weights that were found."""
    return {(edge.consumer, edge.slot, edge.source): edge.weight for edge in found.edges}


def unrolled_edges(found: Unrolled) -> set[Edge]:
    """The edges of objects, as those of their modules."""
    s = found.structure
    owners = [(ROOT, s.outputs), *zip(s.modules, s.inputs, strict=True)]
    return {(owner, i, s[name].module) for owner, names in owners for i, name in enumerate(names) if name is not None}


class KnownWiring(Claim):
    """Edges found and false ones, weights, and the noise at which the first edge is lost."""

    name = "known_wiring"
    title = "wiring from many sketches"
    statement = (
        "With known matrices every edge of the wiring, with its weight, follows from many sketches: from little more "
        "coordinates than all modules have attributes, however many places their objects stand in, and up to the noise that "
        "hides the weakest direction of the sketches.  γ is the number of coordinates over that of sketches."
    )
    formula = "d ≥ Σ a + (√K + z)²/a;   σ² ≈ λ / √γ"
    parameters = common(
        network={"family": "layered", "widths": [4, 3, 2], "attribute_dim": 4, "fan_in": 3, "seed": 2},
        runs=200,
        matrices="trig",
        recipe="recursive",
    ) | {
        "kind": ("many sketches", "one sketch", "exact", "limit"),
        "spare": Integer(None, minimum=1),
        "noise_share": Real(0.0, minimum=0.0),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        layered = {"family": "layered", "widths": [5, 4, 2], "attribute_dim": 5, "fan_in": 3, "seed": 1}
        dag = {"family": "random_dag", "modules": 9, "attribute_dim": 5, "seed": 2}

        def case(label: str, network: Mapping[str, Any], **parameters: Any) -> Case:
            return Case(label, {"network": network, "matrices": "trig", "runs": 200} | parameters, trials=4, batch=2)

        cases = [case("layered, exact", layered, kind="exact"), case("random DAG, exact", dag, kind="exact")]
        if not quick:
            cases.append(case("random DAG, gaussian, exact", dag, kind="exact", matrices="gaussian"))
        return [*cases, case("layered, noise", layered, kind="limit", spare=55, runs=500)]

    def check(self, parameters: Mapping[str, Any]) -> None:
        make_sketcher(network_of(parameters), {**parameters, "sketch_dim": self.sketch_dim(parameters)}, 0, Sketcher)

    def sketch_dim(self, parameters: Mapping[str, Any]) -> int:
        """``spare`` coordinates beyond the attributes of all modules; as many as the law asks for when not given."""
        network = network_of(parameters)
        dims = [module.attribute_dim for module in network.modules]
        if "spare" in parameters:
            return sum(dims) + int(parameters["spare"])
        return wiring_coordinates(
            attributes=sum(dims),
            attribute_dim=min(dims),
            slots=len(planted_edges(network)),
            failure_probability=failure_of_a_try(network, 1e-3),
        )

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        network, runs = network_of(parameters), parameters["runs"]
        truth = planted_edges(network)
        maker = make_sketcher(network, {**parameters, "sketch_dim": self.sketch_dim(parameters)}, seed, sketcher)
        sketches = maker.encode(network.run(runs, seed))
        attributes = sum(module.attribute_dim for module in network.modules)
        share = parameters.get("noise_share", 0.0)
        limit = noise_limit(sketches, attributes) if share or parameters["kind"] == "limit" else 0.0
        noise = stream(seed, "noise").standard_normal(sketches.shape)
        if parameters["kind"] == "limit":
            share = measured_limit(maker, sketches, limit, noise, set(truth))
            return [Sample("noise limit over the law", share, 1.0, window=0.5)]
        sketches = sketches + share * limit * noise
        if parameters["kind"] == "one sketch":
            found = unrolled_edges(maker.unroll(sketches[0], noise=share * limit))
            return [Sample("F1 of the edges", set_scores(found, set(truth)).f1, math.nan)]
        evidence = find_wiring(maker, sketches)
        weights = evident_edges(evidence)
        false = Sample("false edges", len(weights.keys() - truth.keys()), 0.0, zero_scale=1.0)
        if parameters["kind"] == "many sketches":
            return [Sample("F1 of the edges", set_scores(set(weights), set(truth)).f1, math.nan), false]
        other = make_sketcher(network, {**parameters, "sketch_dim": maker.sketch_dim}, seed + 1, sketcher)
        exact = sum(abs(weights.get(edge, 0.0) - weight) < EXACT for edge, weight in truth.items())
        return [
            Sample("edges found", len(weights.keys() & truth.keys()), len(truth)),
            false,
            Sample("edges, other matrices", len(find_wiring(other, sketches).edges), 0.0, zero_scale=1.0),
            Sample("weights exact", exact, len(truth)),
        ]


def noise_limit(sketches: Array, attributes: int) -> float:
    """The predicted noise at which the weakest direction of these sketches is lost."""
    runs, kept = sketches.shape
    singular = np.linalg.svd(sketches - sketches.mean(axis=0), compute_uv=False)
    return wiring_noise(variance=float(singular[attributes - 1] ** 2 / runs), pairs=runs, kept=kept)


def measured_limit(maker: Sketcher, sketches: Array, predicted: float, noise: Array, truth: set[Edge]) -> float:
    """The noise at which the first edge is lost, over the predicted one: by bisection on a logarithmic scale."""
    low, high = math.log(LOW), math.log(HIGH)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        whole = set(evident_edges(find_wiring(maker, sketches + math.exp(middle) * predicted * noise))) == truth
        low, high = (middle, high) if whole else (low, middle)
    return math.exp((low + high) / 2.0)
