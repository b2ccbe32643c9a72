"""Every decoder beside every other: error of the attributes against sketch size, with the laws where there are any.

``python -m experiments.decoders`` (``make results``) writes ``results/decoders.csv`` and ``.svg``/``.png``.

Sizes are in units of ``p = Σ (a + 1)``, the size of a structure.  The presences are known to the decoders here, so the
unknowns are ``m = Σ a``: from there on least squares is exact without noise.  The noise of each network is set such that
least squares has, by its law, an error of ``TARGET`` at ``d = 2p``.  These objects are deep, and the law takes columns that
share a path for independent: what is measured stands above it, by less the larger the sketch.
"""

from __future__ import annotations

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import simnet
from simnet.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, write_figure, write_table

RATIOS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.87, 0.95, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 3.0)
NETWORKS, SKETCHERS = 4, 6
TARGET = 1e-3
# least squares and ridge agree where both are exact: one is drawn large enough to be seen around the other
LOOKS: dict[str, dict[str, Any]] = {
    "matched": {"color": BLUE, "marker": "o", "ms": 4},
    "path_matched": {"color": SKY, "marker": "s", "ms": 4},
    "least_squares": {"color": VERMILION, "marker": "^", "ms": 7},
    "ridge": {"color": GREEN, "marker": "D", "ms": 3},
    "nonnegative": {"color": PURPLE, "marker": "v", "ms": 5},
    "sparse": {"color": ORANGE, "marker": "x", "ms": 4},
}


def law(ex: simnet.Execution, method: str, sketch_dim: int, noise: float) -> float:
    """The mean square error of a coordinate by its law, ``nan`` for a decoder that has none."""
    if method == "matched":
        laws = [simnet.theory.attribute_mse(ex, k, sketch_dim=sketch_dim, noise=noise) for k in range(len(ex.objects))]
        return float(np.mean(laws))
    truth = np.concatenate([o.attributes for o in ex.objects])
    variances = {"least_squares": np.inf, "ridge": float(truth.var())}
    if method not in variances:
        return math.nan
    errors = simnet.theory.linear_mse(ex, sketch_dim=sketch_dim, noise=noise, attribute_variance=variances[method])
    return float(errors.mean())


def measure() -> pd.DataFrame:
    """Mean square errors of every decoder on every network, with and without noise."""
    rows = []
    for i in range(NETWORKS):
        net = simnet.networks.random_dag(modules=9, attribute_dim=8, seed=i)
        ex = net.run(1, seed=1)[0]
        truth = np.stack([o.attributes for o in ex.objects])
        p = ex.structure.size
        unit = math.sqrt(law(ex, "least_squares", 2 * p, 1.0))
        for ratio in RATIOS:
            d = math.ceil(ratio * p)
            squares: dict[tuple[str, float], list[float]] = {}
            for seed in range(SKETCHERS):
                sketcher = simnet.Sketcher(net, sketch_dim=d, seed=seed)
                sketch = sketcher.encode(ex)
                added = np.random.default_rng([i, seed]).standard_normal(d)
                for noise in (0.0, TARGET / unit):
                    for method in LOOKS:
                        estimate = sketcher.decode(sketch + noise * added, ex.structure, method, noise=noise)
                        error = np.stack(list(estimate.attributes)) - truth
                        squares.setdefault((method, noise), []).append(float(np.mean(error**2)))
            for (method, noise), values in squares.items():
                rows.append(
                    {
                        "noisy": noise > 0.0,
                        "method": method,
                        "sketch_dim": d,
                        "d_over_p": d / p,
                        "m_over_p": sum(ex.structure.attribute_dims) / p,
                        "network": i,
                        "measured": float(np.mean(values)),
                        "law": law(ex, method, d, noise),
                    }
                )
    return pd.DataFrame(rows)


def summary(squares: pd.DataFrame) -> pd.DataFrame:
    """Root mean squares over the networks, which all have the same ``m`` and ``p``."""
    groups = squares.groupby(["noisy", "method", "sketch_dim", "d_over_p", "m_over_p"], sort=False)
    table = np.sqrt(groups[["measured", "law"]].mean())
    table.columns = pd.Index(["measured_rmse", "law_rmse"])
    return table.assign(sketches=NETWORKS * SKETCHERS).reset_index()


def draw(table: pd.DataFrame) -> Figure:
    """Points are measured, solid lines are laws; a dotted line only joins the points of a decoder without a law."""
    figure, panels = plt.subplots(2, 1, figsize=(5.2, 6.4), sharex=True, layout="constrained")
    m_over_p = table.m_over_p.iloc[0]
    for axes, (noisy, part) in zip(panels, table.groupby("noisy"), strict=True):
        for x, text in ((m_over_p, "d = m"), (1.0, "d = p")):
            axes.axvline(x, color=GREY, lw=0.8, ls="--")
            axes.annotate(
                text, (x, 0.6), (2, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
                rotation=90, va="center", fontsize=7, color=GREY,
            )  # fmt: skip
        for method, look in LOOKS.items():
            mine = part[part.method == method]
            joined = ":" if mine.law_rmse.isna().all() else ""
            axes.plot(mine.d_over_p, mine.measured_rmse, **look, mfc="none", ls=joined, lw=0.8)
            shown = np.isfinite(mine.law_rmse) & (mine.law_rmse > 0.0)
            wide = method == "least_squares"
            axes.plot(mine.d_over_p[shown], mine.law_rmse[shown], color=look["color"], lw=3.2 if wide else 1.2)
        axes.set_title(f"noise such that the law of least squares is {TARGET:g} at d = 2p" if noisy else "no noise")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylabel("root mean square error")
    note = "least squares and ridge:\nthe law is 0 from d = m on"
    panels[0].annotate(note, (0.97, 0.36), xycoords="axes fraction", ha="right", fontsize=7)
    ticks = (0.4, 0.6, 0.8, 1, 1.5, 2, 3)
    panels[-1].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panels[-1].set_xticks([], minor=True)
    panels[-1].set_xlabel("sketch size over size of the structure, d / p")
    handles = [plt.Line2D([], [], **look, mfc="none", ls="") for look in LOOKS.values()]
    handles += [plt.Line2D([], [], color="black", ls=ls, lw=1) for ls in ("-", ":")]
    labels = [*(method.replace("_", " ") for method in LOOKS), "law", "joins points"]
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def main() -> None:
    """Write the table and the figure."""
    table = summary(measure())
    write_table(table, "decoders")
    write_figure(draw(table), "decoders")


if __name__ == "__main__":
    main()
