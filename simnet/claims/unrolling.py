"""Claim: Law 6.  One sketch unrolls into its objects, wiring and attributes: matrices known, wiring unknown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Case, Claim, Sample, make_sketcher
from simnet.claims.parameters import Integer, Real, common, network_of
from simnet.decoding.unrolling import Unrolled
from simnet.networks import Execution
from simnet.randomness import stream
from simnet.sketcher import Sketcher

#: How often unrolling may fail at so many coordinates for each unknown of each place.
ALLOWED = {2.0: 0.01, 1.5: 0.05, 1.25: 0.1}

#: A sketch of nothing may yield an object this often.
FALSE_ALARM = 0.001

EXACT = 1e-6


def is_right(found: Unrolled, ex: Execution) -> bool:
    """Whether every object, every slot and every attribute is as it was, for executions with one object a module."""
    truth = ex.structure
    label = {name: str(module) for name, module in zip(truth.names, truth.modules, strict=True)}

    def renamed(inputs: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(None if name is None else label[name] for name in inputs)

    if set(found.structure.names) != set(label.values()) or found.structure.outputs != renamed(truth.outputs):
        return False
    return all(
        found.structure[label[name]].module == truth[name].module
        and found.structure[label[name]].inputs == renamed(truth[name].inputs)
        and bool(np.abs(found.attributes[label[name]] - x).max() < EXACT)
        for name, x in zip(truth.names, ex.attributes, strict=True)
    )


class Unrolling(Claim):
    """Success of unrolling against ``d/p``, false objects, and false alarms."""

    name = "unrolling"
    title = "s ↦ objects"
    statement = (
        "One sketch comes apart into its objects, wiring and attributes, all exactly, with the matrices known and nothing "
        "else; p counts the unknowns of all places."
    )
    formula = "P(all right) ≥ 0.99 at d = 2p,   0.95 at 1.5p,   0.90 at 1.25p"
    parameters = common(sketch_dim=128, matrices="trig") | {
        "kind": ("allowed", "share"),
        "size_ratio": Real(None, minimum=0.01, maximum=100.0),
        "modules": Integer(None, minimum=1),
        "attribute_dim": Integer(4, minimum=1),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        trials = {2.0: 8, 1.5: 5, 1.25: 3} if quick else {2.0: 24, 1.5: 12, 1.25: 5}
        cases = [
            Case(f"random_dag, trig, d = {ratio:g} p", {"size_ratio": ratio, "matrices": "trig"}, many, 5)
            for ratio, many in trials.items()
        ]
        nothing = {"matrices": "trig", "sketch_dim": 128}
        return [*cases, Case("nothing, trig, d = 128", nothing, 30 if quick else 100, 20)]

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        modules, a = parameters.get("modules", 8 + seed % 5), parameters.get("attribute_dim", 4)
        dag = {"family": "random_dag", "modules": modules, "attribute_dim": a, "seed": seed % 100_000}
        network = network_of({"network": dag})
        if "size_ratio" not in parameters:
            return _of_nothing(make_sketcher(network, parameters, seed, sketcher), seed)
        ex = network.run(1, seed % 100_000)[0]
        ratio = parameters["size_ratio"]
        d = math.ceil(ratio * (a + 1) * ex.structure.places)
        maker = make_sketcher(network, {**parameters, "sketch_dim": d}, seed, sketcher)
        found = maker.unroll(maker.encode(ex))
        right = is_right(found, ex)
        certain = _bounded("wrong, but certain", found.certain and not right, 1e-4)
        if parameters.get("kind") == "share":
            return [_share(right, ex, d), certain]
        return [_bounded("wiring or attributes wrong", not right, ALLOWED[ratio]), certain]


def _share(right: bool, ex: Execution, sketch_dim: int) -> Sample:
    """Whether it came out exactly right; at most where there are more coordinates than numbers to be found.

    An object in several places has one attribute vector, so that those are ``Σ a`` and a weight for each edge.
    """
    unknowns = sum(ex.structure.attribute_dims) + len(ex.structure.edge_weights)
    possible = unknowns < sketch_dim
    return Sample(
        "exactly right",
        float(right),
        math.nan,
        bound=float(possible),
        violations=int(right and not possible),
        tries=1,
        failure_probability=1e-9,
    )


def _of_nothing(maker: Sketcher, seed: int) -> list[Sample]:
    """A sketch of noise, and one by the matrices of another sketcher."""
    noise = stream(seed, "nothing").standard_normal(maker.sketch_dim)
    other = type(maker)(maker.network, maker.sketch_dim, maker.family, seed=seed + 1)
    foreign = other.encode(maker.network.run(1, seed % 100_000)[0])
    return [
        _bounded("objects in noise", len(maker.unroll(noise)) > 0, FALSE_ALARM),
        _bounded("objects in a foreign sketch", len(maker.unroll(foreign)) > 0, FALSE_ALARM),
    ]


def _bounded(quantity: str, failed: bool, allowed: float) -> Sample:
    """A quantity without a law: it fails no more often than allowed."""
    return Sample(quantity, 1.0, 1.0, bound=0.0, violations=int(failed), tries=1, failure_probability=allowed)
