"""Claim: Law 0.  Sketches have the inner products that the kernel says, exactly, at every size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import (
    BALANCED,
    Case,
    Claim,
    Sample,
    make_sketcher,
    prepared,
    runs_of,
)
from simnet.claims.parameters import common, network_of, recipe_of
from simnet.sketcher import Sketcher
from simnet.theory import kernel_matrix

WIRINGS: dict[str, dict[str, Any]] = {
    "layered": {"family": "layered", "widths": [4, 3, 2], "attribute_dim": 6, "seed": 11},
    "tree": {"family": "tree", "height": 3, "branching": 2, "attribute_dim": 6, "seed": 12},
    "random_dag": {"family": "random_dag", "modules": 9, "attribute_dim": 6, "seed": 13},
    "scene": {"family": "scene", "places": 4, "seed": 14},
}


class Kernel(Claim):
    """The mean of ``‖s‖²`` and of ``⟨s, s̄⟩`` against the kernel."""

    name = "kernel"
    title = "E⟨s, s̄⟩ = K"
    statement = (
        "Sketches of two executions by the same matrices have the inner product of the kernel in the mean: exactly, at "
        "every size and for every isotropic family."
    )
    formula = "E⟨s, s̄⟩ = K(root, root̄),   E‖s‖² = K(root, root)"
    parameters = common(
        network=WIRINGS["layered"],
        runs=6,
        run_seed=1,
        weight_jitter=0.5,
        sketch_dim=256,
        matrices="trig",
        recipe="recursive",
        dtype="float64",
    )

    def cases(self, *, quick: bool) -> Sequence[Case]:
        grid = [
            *((wiring, "trig", 1024, "recursive") for wiring in WIRINGS),
            ("random_dag", "trig", 64, "recursive"),
            ("layered", "trig", 256, BALANCED),
            ("random_dag", "gaussian", 128, BALANCED),
            ("layered", "trig", 1024, "prototype_b"),
            ("layered", "gaussian", 256, "recursive"),
            ("scene", "gaussian", 256, "recursive"),
            ("random_dag", "rademacher", 256, "recursive"),
            ("random_dag", "haar", 128, "recursive"),
            ("random_dag", "block", 256, "recursive"),
        ]
        return [
            Case(
                f"{wiring}, {matrices}, d = {d}"
                + ("" if recipe == "recursive" else f", {recipe if isinstance(recipe, str) else 'balanced'}"),
                {
                    "network": WIRINGS[wiring],
                    "runs": 6,
                    "weight_jitter": 0.5,
                    "matrices": matrices,
                    "sketch_dim": d,
                    "recipe": recipe,
                },
                trials=50 if quick else 200,
                batch=25,
            )
            for wiring, matrices, d, recipe in grid
        ]

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        runs = runs_of(network_of(parameters), parameters)
        return runs, kernel_matrix(runs, recipe=recipe_of(parameters))

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        runs, law = prepared(self, parameters)
        s = make_sketcher(runs[0].network, parameters, seed, sketcher).encode(runs)
        gram = s @ s.T
        off = ~np.eye(len(runs), dtype=bool)
        return [
            Sample("‖s‖²", float(np.mean(np.diagonal(gram))), float(np.mean(np.diagonal(law)))),
            Sample("⟨s, s̄⟩", float(np.mean(gram[off])), float(np.mean(law[off]))),
        ]
