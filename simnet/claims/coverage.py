"""Claim: an interval at 95 % covers the truth in 95 % of the cases, with nothing known but the sketch itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Case, Claim, Sample, make_sketcher, named, parts_of, prepared, reduced, runs_of
from simnet.claims.parameters import common, network_of
from simnet.sketcher import Sketcher

LEVEL = 0.95


class Coverage(Claim):
    """Coverage of the intervals of the matched and path-matched decoders, whole and truncated."""

    name = "coverage"
    title = "95 % intervals cover 95 %"
    statement = "An interval made of nothing but the sketch covers the true attribute as often as it says."
    formula = "P( |x̂_j − x_j| ≤ z √MSE_j ) → 1 − δ,   z = Φ⁻¹(1 − δ/2)"
    parameters = common(
        network={"family": "layered", "widths": [6, 4, 2], "attribute_dim": 8, "seed": 51},
        runs=8,
        run_seed=1,
        sketch_dim=1024,
        matrices="trig",
        recipe="recursive",
        kept=1.0,
        erasure="prefix",
        parts=None,
    )

    def cases(self, *, quick: bool) -> Sequence[Case]:
        layered = {"family": "layered", "widths": [6, 4, 2], "attribute_dim": 8, "seed": 51}
        dag = {"family": "random_dag", "modules": 9, "attribute_dim": 8, "seed": 52}
        grid = [
            ("layered", layered, "trig", 1024, "recursive", 60, 120),
            ("random_dag", dag, "trig", 1024, "recursive", 60, 120),
            ("layered", layered, "gaussian", 256, "recursive", 40, 80),
            ("layered", layered, "trig", 1024, "prototype_b", 60, 120),
        ]
        return [
            Case(
                f"{label}, {matrices}, d = {d}" + (f", {recipe}" if recipe != "recursive" else ""),
                {
                    "network": network,
                    "runs": 8,
                    "matrices": matrices,
                    "sketch_dim": d,
                    "recipe": recipe,
                    "parts": [["prefix", d], ["prefix", d // 4], ["random", d // 4]],
                },
                trials=few if quick else many,
                batch=10,
            )
            for label, network, matrices, d, recipe, few, many in grid
        ]

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        (group,) = runs_of(network_of(parameters), parameters).groups
        return group

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        group = prepared(self, parameters)
        maker = make_sketcher(group.structure.network, parameters, seed, sketcher)
        sketches = maker.encode(group)
        samples = []
        for kind, kept in parts_of(parameters):
            part, mask = reduced(sketches, kind, kept, seed)
            for method in ("matched", "path_matched"):
                intervals = maker.decode(part, group.structure, method, erased=mask).interval(LEVEL)
                inside = [
                    (pair[..., 0] <= x) & (x <= pair[..., 1]) for pair, x in zip(intervals, group.attributes, strict=True)
                ]
                share = float(np.mean(np.concatenate(inside, axis=1)))
                coordinates = sum(x.size for x in inside)
                quantity = named(method, parameters, kind, kept)
                samples.append(Sample(quantity, share, LEVEL, tries=coordinates, window=0.01))
        return samples
