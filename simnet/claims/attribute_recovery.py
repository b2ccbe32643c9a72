"""Claim: Law 1.  The matched decoder finds every object's attributes, with just the error that the law says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simnet.claims.base import Case, Sample, prepared
from simnet.claims.recovery import PARAMETERS, RecoveryClaim, encoded, prepare_recovery, recovery_samples
from simnet.sketcher import Sketcher


class AttributeRecovery(RecoveryClaim):
    """Error, mean and bound of the matched decoder over networks, families, depths, weights and recipes."""

    name = "attribute_recovery"
    title = "x̂ ≈ x"
    statement = (
        "The matched estimate of an object's attributes has just this mean square error: crosstalk from everything else "
        "in the sketch, then the noise of the object's own matrix. c is the coefficient of the object."
    )
    formula = "MSE_j = (K(s,s) − c²‖x‖²) / (d c²) + v_j / d,   max_j |x̂_j − x_j| ≤ √(2 ln(2a/δ) · MSE)"
    parameters = PARAMETERS

    def cases(self, *, quick: bool) -> Sequence[Case]:
        def case(label: str, trials: int, batch: int = 20, **parameters: Any) -> Case:
            d = parameters["sketch_dim"]
            defaults = {"runs": 4, "recipe": "recursive", "parts": [["prefix", d]], "mean": False}
            return Case(f"{label}, {parameters['matrices']}, d = {d}", defaults | parameters, trials, batch)

        # wide attribute vectors: every coordinate counts towards the error, and a wide vector costs no more to encode
        chain = {"family": "tree", "height": 3, "branching": 1, "attribute_dim": 512, "seed": 21}
        tree = {"family": "tree", "height": 3, "branching": 2, "attribute_dim": 128, "seed": 22}
        layered = {"family": "layered", "widths": [6, 4, 2], "attribute_dim": 64, "seed": 23}
        dag = {"family": "random_dag", "modules": 9, "attribute_dim": 64, "seed": 24}
        deep = {"family": "tree", "height": 5, "branching": 1, "attribute_dim": 256, "seed": 25}
        sixteenth = [["prefix", 4096], ["prefix", 256]]
        many, few = (50, 20) if quick else (200, 250)
        cases = [
            case("chain", 20 if quick else 80, network=chain, matrices="trig", sketch_dim=4096, parts=sixteenth),
            case("tree", many, network=tree, matrices="trig", sketch_dim=4096, parts=sixteenth),
            case("layered", many, network=layered, matrices="trig", sketch_dim=1024, weight_jitter=0.5),
            case("random_dag", many, network=dag, matrices="trig", sketch_dim=1024, weight_jitter=0.5),
            case("five levels", many, network=deep, matrices="trig", sketch_dim=2048),
            *(
                case("tree", few, network=tree, matrices=family, sketch_dim=256, batch=10)
                for family in ("gaussian", "rademacher", "block", "haar")
            ),
        ]
        if not quick:
            cases.insert(
                0,
                case("chain", 8, 2, network=chain, matrices="gaussian", sketch_dim=4096, parts=sixteenth, dtype="float32"),
            )
        cases += [
            case(
                "heavy pair, prototype_b",
                600 if quick else 1500,
                200,
                heavy=8,
                mean=True,
                recipe="prototype_b",
                matrices=m,
                sketch_dim=512,
            )
            for m in ("gaussian", "rademacher", "haar", "trig", "block")
        ]
        return cases

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        return prepare_recovery(parameters)

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        setting = prepared(self, parameters)
        return recovery_samples(setting, parameters, seed, *encoded(setting, parameters, seed, sketcher))
