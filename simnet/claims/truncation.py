"""Claim: Law 4.  Every answer survives the loss of coordinates: ``d'`` in the place of ``d``, prefix or random subset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Case, Sample, named, prepared, reduced
from simnet.claims.parameters import recipe_of
from simnet.claims.recovery import PARAMETERS, RecoveryClaim, encoded, prepare_recovery, recovery_samples
from simnet.sketcher import Sketcher
from simnet.theory import kernel_matrix


class Truncation(RecoveryClaim):
    """Attribute recovery and similarity from a quarter and a sixteenth of the coordinates."""

    name = "truncation"
    title = "d' for d, prefix or random"
    statement = (
        "Every answer can be had from d′ of the d coordinates, a prefix or a random part, with the error of a sketch of "
        "size d′."
    )
    formula = "MSE_j = (K(s,s) − c²‖x‖²) / (d′ c²) + v_j / d′,   E (d/d′)⟨s′, s̄′⟩ = K"
    parameters = PARAMETERS

    def cases(self, *, quick: bool) -> Sequence[Case]:
        tree = {"family": "tree", "height": 2, "branching": 2, "attribute_dim": 128, "seed": 31}
        cases = []
        for matrices, d in (("trig", 4096), ("gaussian", 256)):
            parts = [[kind, d // share] for share in (4, 16) for kind in ("prefix", "random")]
            cases.append(
                Case(
                    f"tree, {matrices}, d = {d}",
                    {
                        "network": tree,
                        "mean": False,
                        "runs": 4,
                        "recipe": "recursive",
                        "matrices": matrices,
                        "sketch_dim": d,
                        "parts": parts,
                    },
                    trials=60 if quick else 250,
                    batch=20,
                )
            )
        for matrices in ("trig", "gaussian", "rademacher", "haar", "block", "packet"):
            parts = [["prefix", 128], ["random", 128], ["prefix", 32]]
            if matrices == "packet":  # in natural order: a random part has less noise than the law of a prefix
                parts.remove(["random", 128])
            cases.append(
                Case(
                    f"heavy pair, prototype_b, {matrices}, d = 512",
                    {
                        "heavy": 8,
                        "mean": True,
                        "recipe": "prototype_b",
                        "matrices": matrices,
                        "sketch_dim": 512,
                        "parts": parts,
                    },
                    trials=600 if quick else 1500,
                    batch=200,
                )
            )
        return cases

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        setting = prepare_recovery(parameters)
        return setting, kernel_matrix(setting.group, recipe=recipe_of(parameters))

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        setting, law = prepared(self, parameters)
        maker, sketches = encoded(setting, parameters, seed, sketcher)
        samples = recovery_samples(setting, parameters, seed, maker, sketches)
        if len(setting.group) > 1:  # several runs: the similarity of the first with each other
            expected = float(np.mean(law[0, 1:]))
            for kind, kept in setting.laws:
                part, mask = reduced(sketches, kind, kept, seed)
                values = [float(maker.similarity(part[0], row, erased=mask)) for row in part[1:]]
                samples.append(Sample(named("⟨s, s̄⟩", parameters, kind, kept), float(np.mean(values)), expected))
        return samples
