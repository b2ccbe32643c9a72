"""Claim: Law 5.  Least squares is exact; noise, and coordinates that are missing, cost what the law says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Case, Claim, Sample, make_sketcher, prepared, reduced, runs_of
from simnet.claims.parameters import Real, common, network_of
from simnet.networks import Execution
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import linear_mse, shared_path_excess

#: What counts as exact.
EXACT = 1e-8

LEVEL = 0.95

DAG = {"family": "random_dag", "modules": 9, "attribute_dim": 8, "seed": 61}
ONE_LAYER = {"family": "layered", "widths": [9], "attribute_dim": 24, "seed": 63}
TWO_LEVELS = {"family": "layered", "widths": [6, 3], "attribute_dim": 8, "seed": 64}
SCENE = {"family": "scene", "places": 6, "seed": 62}


class Linear(Claim):
    """Exactness, the error under noise, the error below as many coordinates as unknowns, and the intervals."""

    name = "linear"
    title = "x̂ = x from d' ≥ Σ a"
    statement = (
        "With the structure known, least squares gives every attribute exactly from as many coordinates as there are "
        "unknowns.  Noise, and coordinates that are missing, cost what the law of the linear estimate says; G is the "
        "expected Gram of the columns."
    )
    formula = "d′ ≥ m = Σ a:  x̂ = x;   in noise  MSE = κ diag G⁻¹,   κ = σ² / (1 − m/d′)"
    parameters = common(
        network=DAG, runs=1, run_seed=1, weight_jitter=0.0, matrices="trig", recipe="recursive", dtype="float64"
    ) | {
        "kind": ("exact", "law", "coverage"),
        "size_ratio": Real(1.05, minimum=0.01, maximum=1e4),
        "noise": Real(0.0, minimum=0.0),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        few, many = (10, 100) if quick else (30, 150)
        cases = [
            Case(
                f"exact, {label}, {matrices}",
                {"kind": "exact", "network": network, "matrices": matrices, "size_ratio": 1.05, "runs": 1},
                few,
            )
            for label, network in (("random_dag", DAG), ("scene", SCENE))
            for matrices in ("trig", "gaussian")
        ]
        grid: list[tuple[str, Any, str, float, float, int]] = [
            ("two levels, d = 16 p", TWO_LEVELS, "recursive", 16.0, 1e-4, many // 5),
            ("one layer, d = 4 p", ONE_LAYER, "prototype_b", 4.0, 1e-3, many // 2),
            ("one layer, d = p/2, no noise", ONE_LAYER, "prototype_b", 0.5, 0.0, many // 2),
            ("one layer, d = p/2", ONE_LAYER, "prototype_b", 0.5, 1e-2, many // 2),
        ]
        for label, network, recipe, ratio, noise, trials in grid:
            settings = {"kind": "law", "network": network, "recipe": recipe, "size_ratio": ratio, "noise": noise, "runs": 1}
            cases += [
                Case(f"error, {label}, {matrices}", settings | {"matrices": matrices}, trials, 20)
                for matrices in (("trig",) if recipe == "recursive" else ("trig", "gaussian"))
            ]
        cases.append(
            Case(
                "coverage, trig",
                {"kind": "coverage", "network": DAG, "matrices": "trig", "noise": 1e-4, "runs": 1},
                many,
                50,
            )
        )
        return cases

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        return runs_of(network_of(parameters), parameters)[0]

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        if parameters["kind"] == "coverage":  # over networks: there is nothing that trials share
            return _coverage(parameters, seed, sketcher)
        ex = prepared(self, parameters)
        return {"exact": _exact, "law": _law}[parameters["kind"]](ex, parameters, seed, sketcher)


def _sized(
    ex: Execution, parameters: Mapping[str, Any], ratio: float, seed: int, sketcher: type[Sketcher]
) -> tuple[Sketcher, int]:
    d = math.ceil(ratio * ex.structure.size)
    return make_sketcher(ex.network, {**parameters, "sketch_dim": d}, seed, sketcher), d


def _errors(estimates: Sequence[Any], ex: Execution) -> list[Any]:
    return [x - truth for x, truth in zip(estimates, ex.attributes, strict=True)]


def _exact(ex: Execution, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> list[Sample]:
    """The share of attributes that come back exactly: whole, and from a part of a sketch twice as long."""
    samples = []
    for kind, factor in (("whole", 1), ("prefix", 2), ("random", 2)):
        maker, d = _sized(ex, parameters, factor * parameters["size_ratio"], seed, sketcher)
        part, mask = reduced(maker.encode(ex), "prefix" if kind == "whole" else kind, d // factor, seed)
        errors = _errors(maker.decode(part, ex.structure, "least_squares", erased=mask).attributes, ex)
        share = float(np.mean(np.abs(np.concatenate(errors)) < EXACT))
        where = f"d' = {parameters['size_ratio']:g} p" + ("" if kind == "whole" else f", {kind} 1/2")
        samples.append(Sample(f"attributes that are exact, {where}", share, 1.0))
    return samples


def _law(ex: Execution, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> list[Sample]:
    """The square error over the law: attributes drawn from the prior, noise added to the sketch."""
    maker, d = _sized(ex, parameters, parameters["size_ratio"], seed, sketcher)
    draw, noise = stream(seed, "attributes"), parameters["noise"]
    variance = 1.0 / (4 * max(ex.structure.attribute_dims))
    drawn = tuple(draw.normal(0.0, math.sqrt(variance), len(x)) for x in ex.attributes)
    ex = Execution(ex.structure, drawn)
    sketch = maker.encode(ex) + noise * draw.standard_normal(d)
    above = parameters["size_ratio"] > 1.0
    method: str = "least_squares" if above else "ridge"
    options = {} if above else {"prior": (0.0, variance)}
    estimate = maker.decode(sketch, ex.structure, method, noise=noise, **options)
    recipe = maker.recipe
    law = linear_mse(ex, sketch_dim=d, noise=noise, attribute_variance=math.inf if above else variance, recipe=recipe)
    squares = np.array([np.mean(e**2) for e in _errors(estimate.attributes, ex)])
    # the law is the leading term: what it leaves out is of the order of one unknown in the coordinates that are free, or of
    # one module where the columns of a module are orthogonal and do not disturb each other
    free = abs(d - sum(ex.structure.attribute_dims))
    slack = (3.0 + max(ex.structure.attribute_dims)) / free + (
        shared_path_excess(ex, kept=d, recipe=recipe) if recipe.mixing else 0.0
    )
    return [Sample(f"MSE of {method}", float(np.mean(squares / law)), 1.0, slack=slack)]


def _coverage(parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> list[Sample]:
    """How often intervals hold the truth; for ridge over networks and runs, as its prior is about many attributes."""
    samples = []
    of_network = seed % 1000
    network = network_of({"network": {**parameters["network"], "seed": of_network}})
    ex = network.run(1, of_network)[0]
    for method, ratio, window in (("least_squares", 2.0, 0.02), ("ridge", 0.6, 0.03), ("nonnegative", 0.6, 0.03)):
        maker, d = _sized(ex, parameters, ratio, seed, sketcher)
        noise = parameters["noise"]
        sketch = maker.encode(ex) + noise * stream(seed, "noise").standard_normal(d)
        intervals = maker.decode(sketch, ex.structure, method, noise=noise).interval(LEVEL)
        inside = [(pair[..., 0] <= x) & (x <= pair[..., 1]) for pair, x in zip(intervals, ex.attributes, strict=True)]
        samples.append(Sample(f"{method}, d = {ratio:g} p", float(np.mean(np.concatenate(inside))), LEVEL, window=window))
    return samples
