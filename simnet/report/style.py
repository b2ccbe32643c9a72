"""The house style of figures: colours, how a measurement and a law look, and where results go.

A law is a line, a bound a dashed line, a measurement points with a band.  Series differ in colour and in marker.  Text has
one size at every width, so that a figure of one column and one of the whole page can stand side by side.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from simnet.checks import choice
from simnet.files import written_whole

RESULTS = Path("results")

#: The widths of figures in inches: one column of a paper, and its page.
COLUMN, PAGE = 3.4, 7.0

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

#: The looks of the series of a figure, in order; the second round has hollow markers (:func:`series_look`).
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

#: A file ending for each format, with what makes the same figure the same bytes.
FORMATS: dict[str, dict[str, Any]] = {
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None}},
    "png": {"dpi": 150},
}

# a fixed salt: the same numbers give the same svg, byte for byte; text of a pdf stays text
plt.rcParams.update(
    {"svg.hashsalt": "simnet", "pdf.fonttype": 42, "font.size": 9, "axes.titlesize": 9, "legend.fontsize": 7}
)


def series_look(number: int, count: int = 1) -> dict[str, Any]:
    """Colour and marker of a series of so many: the first is the largest, to be seen around others in the same place."""
    place = number % len(COLOURS)
    size = 3.2 + 2.3 * (count - 1 - number) / max(count - 1, 1)
    look: dict[str, Any] = {"color": COLOURS[place], "marker": MARKERS[place], "ms": size}
    return look if number < len(COLOURS) else look | {"mfc": "none"}


def fitted_legend(figure: Figure | SubFigure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend below the axes, in as many columns as the width of the figure holds."""
    for columns in range(min(len(labels), 4), 0, -1):
        legend = figure.legend(
            handles, labels, loc="outside lower center", ncols=columns, frameon=False, columnspacing=1.2, handlelength=1.6
        )
        # text is a few percent wider or narrower at another resolution
        if columns == 1 or legend.get_window_extent().width <= 0.93 * figure.bbox.width:
            return
        legend.remove()


def dress(axes: Axes) -> None:
    """A faint grid, to read values off."""
    axes.grid(which="major", color=GREY, alpha=0.25, lw=0.5)
    axes.set_axisbelow(True)


def write_table(table: pd.DataFrame, name: str) -> None:
    """``results/NAME.csv``, and the same on the terminal."""
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))


def write_figure(figure: Figure, name: str, folder: Path = RESULTS, formats: Sequence[str] = ("svg", "png")) -> list[Path]:
    """``FOLDER/NAME.svg`` and ``.png``, or the given formats: the same numbers give the same svg and pdf, byte for byte."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{choice('format', ending, FORMATS)}" for ending in formats]
    for path, ending in zip(paths, formats, strict=True):
        with written_whole(path) as file:
            figure.savefig(file, format=ending, **FORMATS[ending])
    plt.close(figure)
    return paths


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an ``<svg>`` element to stand in a page of HTML, without a background, black as the colour of the text.

    Parameters
    ----------
    figure : Figure
        It is closed.
    name : str
        A word that no other figure of the page has: identifiers begin with it.
    title : str
        Read out in place of the figure.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    plt.close(figure)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<!--.*?-->\s*|<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"| version="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\b(id|href)="(#?)', rf'\1="\2{name}-', svg).replace("url(#", f"url(#{name}-")
    svg = re.sub(r"#0{6}\b", "currentColor", svg)
    head, rest = svg.split(">", 1)
    return f'{head} role="img" aria-labelledby="{name}-title"><title id="{name}-title">{escape(title)}</title>{rest}'
