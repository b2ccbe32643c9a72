"""How time and memory grow: with the size of the sketch, with objects, depth and runs, and with what exponent.

Runs by their sketches alone: what they have in common is not formed once.
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from unittest import mock

import numpy as np

import simnet
from benchmarks.measure import Row, clock
from simnet.networks import layered
from simnet.sketching import encoder
from simnet.threads import limited

#: The exponents that memory is expected to have.  Objects that are forgotten take none; batches of runs have a limit.
OF_MEMORY = {"d": "1.00", "objects": "at most 1.00", "depth": "0.00", "runs": "at most 1.00"}

#: Something to encode, and what it is expected to cost.
Point = tuple[simnet.Sketcher, simnet.Executions, float]


def scalings(quick: bool) -> dict[str, tuple[Sequence[int], Callable[[int], Point]]]:
    """The values of each parameter, and what is encoded at each."""
    small, big = layered(widths=(6, 4, 2), attribute_dim=8, seed=0), 10 if quick else 17
    d = 1 << (8 if quick else 14)

    def by_size(value: int) -> Point:
        return simnet.Sketcher(small, value, seed=1), small.run(1, seed=1), value * math.log2(value)

    def by_objects(value: int) -> Point:
        net = layered(widths=(value,), attribute_dim=8, seed=0)
        return simnet.Sketcher(net, d, seed=1), net.run(1, seed=1), value

    def by_depth(value: int) -> Point:
        net = layered(widths=(2,) * value, attribute_dim=8, seed=0)
        return simnet.Sketcher(net, d, seed=1), net.run(1, seed=1), value

    def by_runs(value: int) -> Point:
        return simnet.Sketcher(small, d // 4, seed=1), small.run(value, seed=1), value

    powers = partial(lambda low, high: [1 << k for k in range(low, high + 1)])
    return {
        "d": (powers(big - 7 if not quick else 8, big), by_size),
        "objects": (powers(3, 5 if quick else 8), by_objects),
        "depth": (powers(1, 3 if quick else 5), by_depth),
        "runs": (powers(2, 4 if quick else 8), by_runs),
    }


def growth(quick: bool) -> Iterator[Row]:
    """Time and memory over those of the smallest, and the fitted exponent beside the expected one."""
    for name, (values, make) in scalings(quick).items():
        times, peaks, costs = [], [], []
        for value in values:
            sketcher, runs, cost = make(value)
            with mock.patch.object(encoder, "best_cut", return_value=None):
                sketcher.encode(runs)
                with limited(1):
                    times.append(float(np.median([clock(partial(sketcher.encode, runs)) for _ in range(3 if quick else 7)])))
                tracemalloc.start()
                sketcher.encode(runs)
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
            costs.append(cost)
            setting = f"{name} = {value}"
            yield Row("scaling", f"time against {name}", f"time at {values[0]}", setting, times[-1] / times[0])
            yield Row("scaling", f"memory against {name}", f"memory at {values[0]}", setting, peaks[-1] / peaks[0])
        of_time = f"{slope(values, costs):.2f}"
        for quantity, measured, expected in (("time", times, of_time), ("memory", peaks, OF_MEMORY[name])):
            work, setting = f"{quantity} against {name}", f"{name} = {values[0]} … {values[-1]}"
            yield Row("exponent", work, "", setting, slope(values, measured), target=f"{expected} expected")


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The exponent of a power of ``x`` that fits ``y`` best."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
