"""How large a sketch must be to come apart by itself: success of unrolling against sketch size over unknowns.

``python -m experiments.unrolling`` (``make results``) writes ``results/unrolling.csv`` and ``.svg``/``.png``, and
``results/unrolling_times.csv``, which alone, with the lower panel, is not the same on every machine.

A success is the whole wiring exactly right, every slot of every object, and every attribute exactly right, from one
sketch of a random DAG of 8 to 12 modules.  Sizes are in units of ``p``, which counts every *place* of an object with all its
attributes and a presence; an object in several places has one attribute vector, so there are fewer numbers to be
found: ``Σ a + edges``.
"""

from __future__ import annotations

import math
import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.stats
from joblib import Parallel, delayed
from matplotlib.figure import Figure

import simnet
from simnet.claims.unrolling import is_right
from simnet.report.style import BLUE, GREY, VERMILION, write_figure, write_table

RATIOS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0)
NETWORKS = 20
ATTRIBUTE_DIM = 4
WORKERS = 2


def trial(i: int, ratio: float) -> dict[str, Any]:
    """Network ``i`` from one sketch of ``ratio`` times as many coordinates as its places have unknowns."""
    net = simnet.networks.random_dag(modules=8 + i % 5, attribute_dim=ATTRIBUTE_DIM, seed=i)
    ex = net.run(1, seed=1)[0]
    edges, places = len(ex.structure.edge_weights), ex.structure.places
    p = (ATTRIBUTE_DIM + 1) * places
    sketcher = simnet.Sketcher(net, sketch_dim=math.ceil(ratio * p), seed=i)
    sketch = sketcher.encode(ex)
    start = time.perf_counter()
    found = sketcher.unroll(sketch)
    seconds = time.perf_counter() - start
    right = is_right(found, ex)
    return {
        "d_over_p": ratio,
        "network": i,
        "modules": len(net.modules),
        "places": places,
        "merged_over_p": (sum(ex.structure.attribute_dims) + edges) / p,
        "right": right,
        "certain_but_wrong": found.certain and not right,
        "seconds": seconds,
    }


def measure() -> pd.DataFrame:
    """A row for each network at each size."""
    grid = [(i, ratio) for ratio in RATIOS for i in range(NETWORKS)]
    return pd.DataFrame(Parallel(n_jobs=WORKERS)(delayed(trial)(i, ratio) for i, ratio in grid))


def success(trials: pd.DataFrame) -> pd.DataFrame:
    """For each size the share of successes with its 95 % interval after Clopper and Pearson."""
    rows = []
    for ratio, part in trials.groupby("d_over_p"):
        right = int(part.right.sum())
        low, high = scipy.stats.binomtest(right, len(part)).proportion_ci(0.95, method="exact")
        rows.append(
            {
                "d_over_p": ratio,
                "networks": len(part),
                "right": right,
                "probability": right / len(part),
                "low": low,
                "high": high,
                "certain_but_wrong": int(part.certain_but_wrong.sum()),
                "enough_coordinates": int((part.merged_over_p < ratio).sum()),
                "mean_merged_over_p": part.merged_over_p.mean(),
            }
        )
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """Above the probability with what counting unknowns allows at most, below the time for one sketch."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(5.2, 5.2), height_ratios=(3, 2), layout="constrained")
    above.fill_between(table.d_over_p, table.low, table.high, color=BLUE, alpha=0.2, lw=0, label="95 % interval")
    above.plot(table.d_over_p, table.probability, "o-", color=BLUE, ms=3.5, lw=1, label="measured")
    shares = np.sort(trials.groupby("network").merged_over_p.first())
    steps = np.arange(len(shares) + 1) / len(shares)
    ends = np.concatenate([[0.0], shares, [max(RATIOS)]])
    above.stairs(steps, ends, baseline=None, color=VERMILION, lw=2, label="at most: Σa + edges < d")
    for x in (shares.mean(), 1.0):
        above.axvline(x, color=GREY, lw=0.8, ls="--")
    above.annotate("mean of\n(Σa + edges) / p", (shares.mean() - 0.02, 0.85), ha="right", fontsize=7, color=GREY)
    above.annotate("d = p", (1.02, 0.5), fontsize=7, color=GREY)
    above.set_xlim(0.0, 2.05)
    above.set_xlabel("sketch size over unknowns of all places, d / p")
    above.set_ylabel("whole wiring and all attributes right")
    above.set_ylim(-0.03, 1.06)
    above.legend(loc="lower right", bbox_to_anchor=(1.0, 0.05), frameon=False)
    halves = (("d < p", trials.d_over_p < 1, VERMILION, "o"), ("d ≥ 1.25 p", trials.d_over_p >= 1.25, BLUE, "s"))
    for label, rows, colour, marker in halves:
        medians = trials[rows].groupby("places").seconds.median()
        below.plot(medians.index, medians, marker, color=colour, ms=4, label=label)
    below.set_yscale("log")
    below.set_xlabel("places of objects in the sketch")
    below.set_ylabel("median seconds")
    below.legend(loc="best", frameon=False)
    return figure


def main() -> None:
    """Write the tables and the figure."""
    trials = measure()
    table = success(trials)
    write_table(table, "unrolling")
    times = trials.groupby(["d_over_p", "places"], as_index=False).seconds.median()
    write_table(times, "unrolling_times")
    write_figure(draw(table, trials), "unrolling")


if __name__ == "__main__":
    main()
