"""Claim of a study: every decoder beside every other, on the same sketches, with the laws where there are any.

Sizes are in units of ``p = Σ (a + 1)``, the size of a structure.  The marks of presence are known to the decoders here, so
that the unknowns are ``m = Σ a``: from there on least squares is exact without noise.  ``target`` sets the noise of each
network such that least squares has, by its law, that error at ``d = 2p``.

The objects are deep, and Law 5 takes columns that share a path for independent: what is measured stands above it, by less
the larger the sketch, and the law states that as its slack.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simnet.claims.base import Claim, Sample, make_sketcher, prepared
from simnet.claims.parameters import Integer, Names, Real, common, family_of, network_of, recipe_of
from simnet.decoding import DECODERS
from simnet.networks import Execution
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import attribute_mse, linear_mse, shared_path_excess

#: A mean square error that is rounding.
EXACT = 1e-16


class Setting(NamedTuple):
    """One run of one network, its sketch size, its noise, and the law of each decoder's error."""

    ex: Execution
    sketch_dim: int
    noise: float
    laws: dict[str, float]


class Decoders(Claim):
    """Mean square error of every decoder against ``d/p``."""

    name = "decoders"
    title = "error of each decoder"
    statement = (
        "Every decoder on the same sketches, at sizes in units of p = Σ (a + 1): the matched one errs by Law 1, least "
        "squares and ridge by Law 5, and least squares is exact without noise as soon as there are as many coordinates as "
        "unknowns."
    )
    formula = (
        "matched: MSE_j = (K(s,s) − c²‖x‖²) / (d c²) + v_j / d;   least squares: MSE = κ diag G⁻¹,   κ = σ² / (1 − m/d)"
    )
    parameters = common(
        network={"family": "random_dag", "modules": 9, "attribute_dim": 8, "seed": 0},
        run_seed=1,
        matrices="trig",
        recipe="recursive",
    ) | {
        "networks": Integer(4, minimum=1),
        "size_ratio": Real(1.0, minimum=0.01, maximum=1e4),
        "target": Real(0.0, minimum=0.0),
        "methods": Names(list(DECODERS), tuple(DECODERS)),
    }

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        """A setting for each network: the trials take turns."""
        first = dict(parameters["network"])
        networks = [{**first, "seed": first.get("seed", 0) + i} for i in range(parameters["networks"])]
        return [self._setting({**parameters, "network": network}) for network in networks]

    @staticmethod
    def _setting(parameters: Mapping[str, Any]) -> Setting:
        ex = network_of(parameters).run(1, parameters["run_seed"])[0]
        p, recipe, target = ex.structure.size, recipe_of(parameters), parameters["target"]
        d = math.ceil(parameters["size_ratio"] * p)
        unit = float(linear_mse(ex, sketch_dim=2 * p, noise=1.0, attribute_variance=math.inf, recipe=recipe).mean())
        noise = math.sqrt(target / unit)
        laws = {}
        for method, variance in (("least_squares", math.inf), ("ridge", float(np.concatenate(ex.attributes).var()))):
            law = linear_mse(ex, sketch_dim=d, noise=noise, attribute_variance=variance, recipe=recipe)
            laws[method] = float(law.mean())
        options: dict[str, Any] = {"sketch_dim": d, "matrices": family_of(parameters), "recipe": recipe, "noise": noise}
        laws["matched"] = float(np.mean([attribute_mse(ex, k, **options) for k in range(len(ex.objects))]))
        return Setting(ex, d, noise, laws)

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        settings = prepared(self, parameters)
        ex, d, noise, laws = settings[seed % len(settings)]
        maker = make_sketcher(ex.network, {**parameters, "sketch_dim": d}, seed, sketcher)
        sketch = maker.encode(ex) + noise * stream(seed, "noise").standard_normal(d)
        truth = np.concatenate(ex.attributes)
        free = max(abs(d - len(truth)), 1)
        near = (3.0 + max(ex.structure.attribute_dims)) / free + shared_path_excess(ex, kept=d, recipe=maker.recipe)
        samples = []
        for method in parameters["methods"]:
            estimate = maker.decode(sketch, ex.structure, method, noise=noise)
            error = float(np.mean((np.concatenate(list(estimate.attributes)) - truth) ** 2))
            law = laws.get(method, math.nan)
            if not math.isfinite(law):  # least squares from fewer coordinates than unknowns has none
                law = math.nan
            sample = Sample(f"MSE, {method}", error, law, slack=0.0 if method == "matched" else near)
            if law == 0.0:
                sample = Sample(
                    sample.quantity,
                    error,
                    law,
                    bound=EXACT,
                    violations=int(error > EXACT),
                    tries=1,
                    failure_probability=1e-6,
                    zero_scale=1.0,
                )
            samples.append(sample)
        return samples
