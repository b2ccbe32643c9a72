"""Claim of a study: an encode takes little longer than the transforms that it cannot do without.

Times are ratios within one trial, each pair taken back to back and the median of several: other work on the machine
slows down both.  There is no law for a time; a bound of twice the transforms may be passed now and then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.fft

from simnet.claims.base import Claim, Sample, make_sketcher, prepared, runs_of
from simnet.claims.parameters import Integer, common, network_of
from simnet.networks import Executions, Structure
from simnet.randomness import stream
from simnet.sketcher import Sketcher

#: How many times the transforms an encode may take, and how often that may be passed.
BOUND, DELTA = 2.0, 0.1

#: Dense matrices are compared up to this size.
DENSE = 1 << 11


def necessary_products(structure: Structure) -> int:
    """Products of one encode: for each value, for ``T_a`` and ``T_0``, for ``T_b`` of those with inputs, for each edge."""
    return 3 * len(structure) + sum(bool(inputs) for inputs in structure.inputs) + len(structure.edge_weights)


def paired(first: Callable[[], object], second: Callable[[], object], repetitions: int) -> float:
    """The median over repetitions of the ratio of two times, each pair taken back to back."""
    ratios = []
    for _ in range(repetitions):
        times = []
        for work in (first, second):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        ratios.append(times[0] / times[1])
    return float(np.median(ratios))


def encode_ratios(maker: Sketcher, runs: Executions, repetitions: int, *, seed: int, dense: bool) -> dict[str, float]:
    """The time of an encode by ``trig`` over that of its transforms, and, if asked for, over as many dense products."""
    d, products = maker.sketch_dim, necessary_products(runs[0].structure)
    maker.encode(runs)
    draw = stream(seed, "batch")
    batch = draw.standard_normal((len(runs), d))

    def transforms() -> None:
        for _ in range(2 * products):
            scipy.fft.dct(batch, norm="ortho", axis=-1)

    ratios = {"encode / transforms": paired(lambda: maker.encode(runs), transforms, repetitions)}
    if dense:
        matrix = draw.standard_normal((d, d))

        def multiplied() -> None:
            for _ in range(products):
                batch @ matrix

        ratios["encode / dense products"] = paired(lambda: maker.encode(runs), multiplied, 3)
    return ratios


class Cost(Claim):
    """The time of an encode by ``trig`` over that of its transforms, and over as many dense products."""

    name = "cost"
    title = "time of an encode over that of its transforms"
    statement = (
        "An encode takes little longer than the fast transforms that it cannot do without: three for each object, one more "
        "where it has inputs, one for each edge."
    )
    formula = "time(encode) ≤ 2 · time(transforms) = O(d log d) for each"
    parameters = common(
        network={"family": "layered", "widths": [6, 4, 2], "attribute_dim": 8, "seed": 0},
        runs=16,
        run_seed=1,
        sketch_dim=1024,
    ) | {"repetitions": Integer(5, minimum=1)}

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        return runs_of(network_of(parameters), parameters)

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        runs = prepared(self, parameters)
        maker = make_sketcher(runs[0].network, {**parameters, "matrices": "trig"}, seed, sketcher)
        ratios = encode_ratios(maker, runs, parameters["repetitions"], seed=seed, dense=maker.sketch_dim <= DENSE)
        least = ratios.pop("encode / transforms")
        return [
            Sample("encode / transforms", least, math.nan, 0.0, BOUND, int(least > BOUND), 1, failure_probability=DELTA),
            *(Sample(name, ratio, math.nan) for name, ratio in ratios.items()),
        ]
