"""The figure and the table of the README: error of the matched decoder against sketch size, with Law 1 drawn.

``python -m experiments.reference`` (``make results``) writes ``results/attribute_recovery.csv`` and ``.svg``/``.png``.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import simnet
from simnet.report.style import BLUE, GREEN, VERMILION, write_figure, write_table
from simnet.theory import gaussian_bound

SIZES = [2**k for k in range(8, 15)]
TRIALS = 24
DELTA = 0.05
COLOURS = (BLUE, VERMILION, GREEN)


def measure() -> pd.DataFrame:
    """Root mean square error of each depth over ``TRIALS`` seeds, the law, and the bound on the largest coordinate."""
    net = simnet.networks.tree(height=3, branching=2, attribute_dim=16, seed=7)
    ex = net.run(1, seed=1)[0]
    rows = []
    for d in SIZES:
        squares: dict[int, list[float]] = {}
        for seed in range(TRIALS):
            sketcher = simnet.Sketcher(net, sketch_dim=d, seed=seed)
            estimate = sketcher.decode(sketcher.encode(ex), ex.structure, method="matched")
            for k, o in enumerate(ex.objects):
                squares.setdefault(o.depth, []).append(float(np.mean((estimate.attributes[k] - o.attributes) ** 2)))
        for depth, values in sorted(squares.items()):
            mine = [k for k, o in enumerate(ex.objects) if o.depth == depth]
            laws = [simnet.theory.attribute_mse(ex, k, sketch_dim=d) for k in mine]
            means = np.array(values).reshape(TRIALS, -1).mean(axis=1)
            rows.append(
                {
                    "sketch_dim": d,
                    "depth": depth,
                    "trials": TRIALS,
                    "measured_rmse": float(np.sqrt(means.mean())),
                    "rmse_error": float(means.std(ddof=1) / np.sqrt(TRIALS) / 2 / np.sqrt(means.mean())),
                    "law_rmse": float(np.sqrt(np.mean(laws))),
                    "bound_largest": float(np.mean([gaussian_bound(law, failure_probability=DELTA) for law in laws])),
                }
            )
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """Log-log: points are measured, lines are Law 1, dashed lines its bound on the largest error."""
    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    handles: dict[str, list[object]] = {"law": [], "bound": [], "measured": []}
    for colour, (_, part) in zip(COLOURS, table.groupby("depth"), strict=True):
        d = part.sketch_dim
        handles["law"] += axes.plot(d, part.law_rmse, color=colour, lw=1.2)
        handles["bound"] += axes.plot(d, part.bound_largest, color=colour, lw=0.8, ls="--")
        handles["measured"].append(axes.errorbar(d, part.measured_rmse, 2 * part.rmse_error, color=colour, fmt="o", ms=3.5))
    names = ("law, depth {}", "bound, all coordinates", "measured ± 2 se")
    labels = [name.format(depth) for name in names for depth in sorted(set(table.depth))]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("sketch size d")
    axes.set_ylabel("error of a recovered coordinate")
    everything = [*handles["law"], *handles["bound"], *handles["measured"]]
    figure.legend(everything, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def main() -> None:
    """Write the table and the figure."""
    table = measure()
    write_table(table, "attribute_recovery")
    write_figure(draw(table), "attribute_recovery")


if __name__ == "__main__":
    main()
