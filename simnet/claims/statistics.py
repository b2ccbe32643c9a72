"""Claim: Law 2.  How many, their sum, their mean, their histogram, from one sketch or from a sum of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice
from simnet.claims.base import Case, Claim, Sample, make_sketcher, named, parts_of, prepared, reduced, runs_of
from simnet.claims.parameters import common, family_of, network_of, recipe_of
from simnet.decoding import statistics
from simnet.networks import Executions
from simnet.networks.functions import ThingFunction
from simnet.sketcher import Sketcher
from simnet.sketching import Observation
from simnet.theory import expected_norm, frequency_mse, mean_mse, module_sums, sum_mse

Array = NDArray[Any]

#: Intervals are tried at this level.
LEVEL = 0.95

KINDS = ("cat", "person", "table", "chair", "lamp", "vase", "book", "plant", "sofa", "rug", "clock", "mirror")


SCENE = {"family": "scene", "kinds": list(KINDS), "places": 10, "seed": 41}


class Truth(NamedTuple):
    """The planted sums of every kind, and for each way to truncate the laws of their errors."""

    runs: Executions
    kinds: tuple[str, ...]
    frequency: Array  # (kinds,)
    total: Array  # (kinds, a)
    laws: dict[tuple[str, int], tuple[Array, Array, Array]]  # of frequency (kinds,), sum and mean (kinds, a)


class Statistics(Claim):
    """Frequency, sum, mean and histogram of every kind of thing in a room, whole and truncated, one room and many."""

    name = "statistics"
    title = "how many, sum, mean, histogram"
    statement = (
        "From one sketch, or a sum of many: how much of a module there is, the sum and the mean of the attributes of its "
        "objects, and their histogram, each with the error of a matched estimate; κ is the coefficient per unit of "
        "weight."
    )
    formula = "E f̂ = Σ w,   E Ŝ = Σ w x,   MSE_j = (K(s,s) − κ²S²) / (d′ κ²) + v_j / d′"
    parameters = common(
        network=SCENE,
        runs=1,
        run_seed=5,
        sketch_dim=256,
        matrices="trig",
        recipe="recursive",
        kept=1.0,
        erasure="prefix",
        parts=None,
    ) | {"mean": False}

    def cases(self, *, quick: bool) -> Sequence[Case]:
        trials = 120 if quick else 1400
        grid = [
            ("one room", 1, "trig", 256, "recursive", trials // 2),
            ("sum of 4 rooms", 4, "trig", 256, "recursive", trials // 2),
            ("sum of 12 rooms", 12, "trig", 256, "prototype_b", trials),
            ("sum of 12 rooms", 12, "trig", 65536, "prototype_b", max(trials // 12, 20)),
            *(("one room", 1, family, 128, "prototype_b", trials) for family in ("gaussian", "rademacher", "haar", "block")),
        ]
        return [
            Case(
                f"{what}, {recipe}, {matrices}, d = {d}",
                {
                    "network": SCENE,
                    "runs": runs,
                    "run_seed": 5,
                    "recipe": recipe,
                    "matrices": matrices,
                    "sketch_dim": d,
                    "parts": [["prefix", d]] if d == 65536 else [["prefix", d], ["prefix", d // 4], ["random", d // 4]],
                    "mean": d == 65536,
                },
                trials=number,
                batch=125,
            )
            for what, runs, matrices, d, recipe, number in grid
        ]

    def check(self, parameters: Mapping[str, Any]) -> None:
        choice("network.family", parameters["network"]["family"], ["scene"])
        super().check(parameters)

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        network, recipe = network_of(parameters), recipe_of(parameters)
        kinds = tuple(str(module.name) for module in network.modules if module.name != "room")
        runs = runs_of(network, parameters)
        sums = [module_sums(runs, kind) for kind in kinds]
        norm_squared = expected_norm(runs, recipe=recipe)
        laws = {}
        for kind, kept in parts_of(parameters):
            options: dict[str, Any] = {"sketch_dim": parameters["sketch_dim"], "matrices": family_of(parameters)}
            options |= {"recipe": recipe, "kept": kept, "norm_squared": norm_squared}
            laws[kind, kept] = (
                np.array([frequency_mse(runs, module, **options) for module in kinds]),
                np.array([sum_mse(runs, module, **options) for module in kinds]),
                np.array([mean_mse(runs, module, **options) for module in kinds]) if parameters["mean"] else np.zeros(0),
            )
        return Truth(runs, kinds, np.array([f for f, _ in sums]), np.array([total for _, total in sums]), laws)

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        truth, d = prepared(self, parameters), parameters["sketch_dim"]
        kinds = truth.kinds
        maker = make_sketcher(truth.runs[0].network, parameters, seed, sketcher)
        sketch = maker.encode(truth.runs).sum(axis=0)
        samples = []
        for (kind, kept), (f_law, s_law, m_law) in truth.laws.items():
            part, mask = reduced(sketch, kind, kept, seed)
            left = maker.observe(part, mask)  # once for all questions
            f = np.array([float(statistics.frequency(maker, left, module)) for module in kinds])
            s = np.array([statistics.sum_attribute(maker, left, module).value for module in kinds])
            samples += [
                _relative(named("MSE of frequency", parameters, kind, kept), (f - truth.frequency) ** 2, f_law),
                _relative(named("MSE of sum", parameters, kind, kept), (s - truth.total) ** 2, s_law),
                Sample(
                    named("bias of frequency / √MSE", parameters, kind, kept),
                    float(np.mean((f - truth.frequency) / np.sqrt(f_law))),
                    0.0,
                    zero_scale=1.0,
                ),
            ]
            if kept == d:
                samples.append(self._histogram(maker, left, truth, named("histogram covered", parameters, kind, kept)))
            if parameters["mean"]:
                # the law is first order in the relative error of the frequency: next comes 3 times its square
                relative = f_law / truth.frequency**2
                often = relative < 0.006
                means = np.array([statistics.mean_attribute(maker, left, module).value for module in kinds])
                squares = (means - truth.total / truth.frequency[:, None])[often] ** 2
                slack = 3.0 * float(relative[often].mean())
                samples.append(_relative(named("MSE of mean", parameters, kind, kept), squares, m_law[often], slack))
        return samples

    @staticmethod
    def _histogram(maker: Sketcher, left: Observation, truth: Truth, quantity: str) -> Sample:
        """How many things of each colour: the share of bins whose interval covers the truth."""
        inside = []
        for module, total in zip(truth.kinds, truth.total, strict=True):
            bins = statistics.histogram(maker, left, module, coordinates=slice(1, 5), unit=1.0 / ThingFunction.SCALE)
            low, high = np.moveaxis(bins.interval(LEVEL), -1, 0)
            things = total[1:5] * ThingFunction.SCALE * len(truth.runs[0].structure["room"].inputs)
            inside.append((low <= things) & (things <= high))
        return Sample(quantity, float(np.mean(inside)), LEVEL, window=0.02)


def _relative(quantity: str, squares: Array, law: Array, slack: float = 0.0) -> Sample:
    """The mean of square errors, each relative to its law."""
    scale = float(law.mean())
    return Sample(quantity, float(np.mean(squares / law)) * scale, scale, slack=slack)
