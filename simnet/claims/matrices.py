"""Claim: the matrices are isometries in the mean, desynchronised, and as noisy as their family says.

* *Isometry*: ``E (d/d')‖(Rx)'‖² = ‖x‖²``, whole and from a prefix.
* *Desynchronisation*: ``d E⟨x, Ry⟩² = ‖x‖² ‖y‖²`` and ``d E⟨Rx, R'y⟩² = ‖x‖² ‖y‖²`` for different matrices.
* *Self-noise*: the mean square of ``(d/d') R_jᵀ (Rx)' − x_j`` is ``v_j/d'``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Case, Claim, Sample, make_sketcher, prepared
from simnet.claims.parameters import Integer, common, family_of
from simnet.matrices import FAMILIES
from simnet.networks import Execution
from simnet.randomness import stream
from simnet.sketcher import Sketcher


class Matrices(Claim):
    """Isometry, desynchronisation and self-noise of every matrix family."""

    name = "matrices"
    title = "isometry, desynchronisation, self-noise"
    statement = (
        "Every matrix family is an isometry in the mean, also from a prefix, maps vectors of one matrix and of two in "
        "unrelated directions, and has the self-noise that its family states."
    )
    formula = "E (d/d′)‖(Rx)′‖² = ‖x‖²,   d·E⟨x, Ry⟩² = ‖x‖²‖y‖²,   E[(d/d′) R_jᵀ(Rx)′ − x_j]² = v_j/d′"
    parameters = common(sketch_dim=256, matrices="trig", recipe="prototype_a", dtype="float64") | {
        "vectors": Integer(32, minimum=1),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        return [
            Case(
                f"{name}, d = 256",
                {"matrices": name, "sketch_dim": 256, "recipe": "prototype_a", "vectors": 32},
                trials=150 if quick else 750,
                batch=50,
            )
            for name in FAMILIES
        ]

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        # two modules with heavy attribute vectors give two value matrices, one slot each gives square ones
        x = [0.8, 0.5, 0.2, 0.1, 0.05, *[0.0] * 27]
        objects = [("a", "a", x, [], []), ("b", "b", x, ["a"], [1.0]), ("c", "c", x, ["b"], [1.0])]
        return Execution.from_objects(objects, outputs={"c": 1.0})

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        ex = prepared(self, parameters)
        d, family = parameters["sketch_dim"], family_of(parameters)
        maker = make_sketcher(ex.network, parameters, seed, sketcher)
        x = ex.attributes[0]
        square, other = maker.matrix("b", 0), maker.matrix("c", 0)
        vectors = stream(seed, "vectors").standard_normal((2, parameters["vectors"], d))
        u, v = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
        ru, rv = square.matvec(u), other.matvec(v)
        samples = [
            Sample("desynchronisation ⟨x, Ry⟩", d * np.mean(np.sum(v * ru, 1) ** 2), 1.0),
            Sample("desynchronisation ⟨Rx, R'y⟩", d * np.mean(np.sum(ru * rv, 1) ** 2), 1.0),
        ]
        value = maker.matrix("a", "value")
        rx = value.matvec(x)
        for kept in (d, d // 4):
            part = "whole" if kept == d else "prefix 1/4"
            head = np.zeros(d)
            head[:kept] = rx[:kept]
            samples.append(Sample(f"isometry, {part}", d / kept * float(head @ head), float(x @ x)))
            noise = family.self_noise(x, sketch_dim=d, kept=kept) / kept
            if noise.max() > 0.0:
                error = d / kept * value.rmatvec(head) - x
                # entries of orthogonal matrices are dependent to O(1/d), which the law leaves out
                samples.append(Sample(f"self-noise, {part}", float(np.mean(error**2)), float(noise.mean()), slack=2.0 / d))
        return samples
