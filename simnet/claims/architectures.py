"""Claim: the laws do not ask how a network is built.  Four architectures of modular networks are held to three of them.

Neural module networks assemble modules for a question, capsules are routed by agreement, PathNet uses a few modules of each
layer, and the strongest places of a convolutional network are its objects: runs differ in their objects, in their weights,
and in how many objects a module makes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simnet.claims.base import Array, Case, Claim, Sample, make_sketcher, prepared, runs_of
from simnet.claims.parameters import common, family_of, network_of, recipe_of
from simnet.networks import Execution, Executions
from simnet.networks.network import Name
from simnet.sketcher import Sketcher
from simnet.theory import coefficients, kernel_matrix, matched_mse

#: What counts as exact.
EXACT = 1e-6

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "neural modules": {"family": "neural_modules", "seed": 71},
    "capsules": {"family": "capsules", "seed": 72},
    "pathnet": {"family": "pathnet", "seed": 73},
    "convolutional": {"family": "convolutional", "seed": 74},
}


class Sum(NamedTuple):
    """What matched decoding finds of one module in one run, ``Σ c x / Σ c`` over its objects, and the law of its error."""

    object: int
    expected: Array
    law: Array


class Setting(NamedTuple):
    """The runs, the kernel between them, and for each run what is expected of each of its modules."""

    runs: Executions
    kernel: Array
    sums: list[dict[Name, Sum]]


def expected_sums(ex: Execution, norm: float, parameters: Mapping[str, Any]) -> dict[Name, Sum]:
    """Law 1 for the objects of each module together: they meet one matrix, so that they act like one object."""
    strengths = coefficients(ex.structure, recipe=recipe_of(parameters))
    found = {}
    for module, objects in ex.structure.objects_of.items():
        c = strengths[objects]
        x = c @ np.stack([ex.attributes[k] for k in objects]) / c.sum()
        law = matched_mse(
            x[None],
            np.array([c.sum()]),
            np.array([norm]),
            sketch_dim=parameters["sketch_dim"],
            kept=parameters["sketch_dim"],
            family=family_of(parameters),
        )
        found[module] = Sum(int(objects[0]), x, law[0])
    return found


class Architectures(Claim):
    """Inner products, the error of the matched decoder, and the exactness of least squares, on four architectures."""

    name = "architectures"
    title = "laws on real architectures"
    statement = (
        "The laws hold whatever the modules do and however runs differ: inner products are those of the kernel, the objects "
        "of a module come back together with the error of one object of their summed coefficient c, and least squares gives "
        "the attributes of every object exactly."
    )
    formula = "E⟨s, s̄⟩ = K;   MSE of Σ c x / c, c = Σ c_θ:  (K(s,s) − ‖Σ c x‖²) / (d c²) + v_j / d;   x̂ = x from d ≥ Σ a"
    parameters = common(
        network=ARCHITECTURES["neural modules"], runs=4, run_seed=1, sketch_dim=1024, matrices="trig", recipe="recursive"
    )

    def cases(self, *, quick: bool) -> Sequence[Case]:
        return [
            Case(
                f"{label}, trig, d = 1024",
                {"network": network, "runs": 4, "matrices": "trig", "sketch_dim": 1024},
                trials=30 if quick else 80,
                batch=10,
            )
            for label, network in ARCHITECTURES.items()
        ]

    def prepare(self, parameters: Mapping[str, Any]) -> Setting:
        runs = runs_of(network_of(parameters), parameters)
        kernel = kernel_matrix(runs, recipe=recipe_of(parameters))
        sums = [expected_sums(runs[i], float(kernel[i, i]), parameters) for i in range(len(runs))]
        return Setting(runs, kernel, sums)

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        setting = prepared(self, parameters)
        runs = setting.runs
        maker = make_sketcher(runs[0].network, parameters, seed, sketcher)
        s = maker.encode(runs)
        gram = s @ s.T
        off = ~np.eye(len(runs), dtype=bool)
        samples = [Sample("⟨s, s̄⟩", float(np.mean(gram[off])), float(np.mean(setting.kernel[off])))] if len(runs) > 1 else []
        ratios: dict[int, list[float]] = {}
        for i, sums in enumerate(setting.sums):
            ex = runs[i]
            strengths = coefficients(ex.structure, recipe=recipe_of(parameters))
            estimates = maker.decode(s[i], ex.structure, "matched").attributes
            for module, (k, expected, law) in sums.items():
                share = strengths[k] / strengths[ex.structure.objects_of[module]].sum()
                error = share * estimates[k] - expected
                ratios.setdefault(ex.structure.depths[k], []).append(float(np.mean(error**2 / law)))
        samples += [
            Sample(f"MSE over its law, depth {depth}", float(np.mean(ratios[depth])), 1.0) for depth in sorted(ratios)
        ]
        return [*samples, self._exact(parameters, setting.runs[0], seed, sketcher)]

    @staticmethod
    def _exact(parameters: Mapping[str, Any], ex: Execution, seed: int, sketcher: type[Sketcher]) -> Sample:
        """The share of the attributes of the first run that least squares gives exactly, from ``d = 1.05 p``."""
        d = math.ceil(1.05 * ex.structure.size)
        maker = make_sketcher(ex.network, {**parameters, "sketch_dim": d}, seed, sketcher)
        estimates = maker.decode(maker.encode(ex), ex.structure, "least_squares").attributes
        right = [np.abs(x - truth) < EXACT for x, truth in zip(estimates, ex.attributes, strict=True)]
        return Sample("attributes that are exact, d = 1.05 p", float(np.mean(np.concatenate(right))), 1.0)
