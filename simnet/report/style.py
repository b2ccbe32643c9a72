"""The house style of figures: colours, how a measurement and a law look, and where results go."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

RESULTS = Path("results")

#: Okabe and Ito's colours, which differ for every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#e69f00",
    "#cc79a7",
    "#56b4e9",
    "#767676",
)

# a fixed salt: the same numbers give the same svg, byte for byte
plt.rcParams.update({"svg.hashsalt": "simnet", "font.size": 9, "axes.titlesize": 9, "legend.fontsize": 7})


def write_table(table: pd.DataFrame, name: str) -> None:
    """``results/NAME.csv``, and the same on the terminal."""
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))


def write_figure(figure: Figure, name: str) -> None:
    """``results/NAME.svg`` and ``.png``."""
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / f"{name}.svg", metadata={"Date": None})
    figure.savefig(RESULTS / f"{name}.png", dpi=150)
    plt.close(figure)
