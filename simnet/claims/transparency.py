"""Claim of a study: how much of a transparent matrix should be identity.

With ``T = αI + βR`` the matched decoder goes along the identities and its error falls with ``α``, while two sketches are
told apart by the random part: ``β`` spreads what is similar, and the variance of a similarity falls and rises with it.
``rule`` says what the rest is: ``"norm"`` keeps lengths, ``β = √(1 − α²)``, and ``"convex"`` is the paper's, ``β = 1 − α``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Sample, prepared
from simnet.claims.parameters import Integer, Real, common, family_of, recipe_of
from simnet.claims.recovery import RecoveryClaim, encoded, prepare_recovery, recovery_samples
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import kernel_matrix, transparent_variance


def constants(parameters: Mapping[str, Any]) -> dict[str, float]:
    """The recipe: the paper's shares, ``α`` as given, ``β`` by the rule."""
    alpha = parameters["identity"]
    return {"identity": alpha, "mixing": math.sqrt(1.0 - alpha**2) if parameters["rule"] == "norm" else 1.0 - alpha}


class Transparency(RecoveryClaim):
    """Law 1 and the variance of a layer, and the spread of similarities, against ``α``."""

    name = "transparency"
    title = "error of recovery and of similarity against α"
    statement = (
        "The more of a transparent matrix is identity, the smaller the error of matched decoding; the random part makes "
        "a similarity stray from its kernel.  ν is the noise of inner products of the family."
    )
    formula = "MSE_j = (K(s,s) − c²‖x‖²) / (d c²) + v_j / d,   d · Var⟨Tu, Tv⟩ = 2α²β² (‖u‖²‖v‖² + ⟨u, v⟩²) + β⁴ ν(u, v)"
    parameters = common(
        network={"family": "tree", "height": 2, "branching": 2, "attribute_dim": 16, "seed": 7},
        runs=2,
        run_seed=1,
        sketch_dim=1024,
        matrices="trig",
    ) | {
        "identity": Real(0.5, minimum=0.01, maximum=1.0),
        "rule": ("norm", "convex"),
        "vectors": Integer(32, minimum=1),
    }

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        full = {**parameters, "recipe": constants(parameters), "mean": False}
        setting = prepare_recovery(full)
        return full, setting, kernel_matrix(setting.group, recipe=recipe_of(full))

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        full, setting, kernel = prepared(self, parameters)
        maker, sketches = encoded(setting, full, seed, sketcher)
        samples = recovery_samples(setting, full, seed, maker, sketches)
        scale = float(np.sqrt(kernel[0, 0] * kernel[1, 1]))
        deviation = (float(sketches[0] @ sketches[1]) - float(kernel[0, 1])) / scale
        samples.append(Sample("(⟨s, s̄⟩ − K)² / K_ss K_s̄s̄", deviation**2, math.nan))
        return [*samples, self._layer(full, seed, maker)]

    @staticmethod
    def _layer(parameters: Mapping[str, Any], seed: int, maker: Sketcher) -> Sample:
        """The variance of ``⟨Tu, Tu'⟩`` over one layer, in units of ``(τ ‖u‖ ‖u'‖)²``."""
        recipe, d = maker.recipe, parameters["sketch_dim"]
        u, v = stream(seed, "vectors").standard_normal((2, parameters["vectors"], d))
        matrix = maker.matrix(maker.network.modules[0].name, "object")
        tu, tv = (recipe.identity * w + recipe.mixing * matrix.matvec(w) for w in (u, v))
        unit = (recipe.transparency * np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)) ** 2
        squares = (np.sum(tu * tv, 1) - recipe.transparency * np.sum(u * v, 1)) ** 2 / unit
        law = float(np.mean(transparent_variance(u, v, matrices=family_of(parameters), recipe=recipe) / unit))
        zero = 1.0 / d if recipe.mixing == 0.0 else math.nan
        return Sample("Var⟨Tu, Tu'⟩ / (τ‖u‖‖u'‖)²", float(np.mean(squares)), law, slack=2.0 / d, zero_scale=zero)
