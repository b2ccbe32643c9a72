"""Figures of a study, drawn from its summary table and from nothing else.

A :class:`~simnet.study.FigureSpec` says what is on the axes, which parameters tell series apart and which one gets a panel
each; one row of the summary is one point.  The law is a line, a bound a dashed line, what was measured are points with the
band of their bootstrap intervals.  Where both axes are logarithmic, the legend says with which power each series falls.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from simnet.checks import choice, shown
from simnet.claims import Claim
from simnet.report.slopes import fitted_slope
from simnet.report.style import COLUMN, GREY, PAGE, dress, fitted_legend, series_look
from simnet.report.tables import is_numeric

if TYPE_CHECKING:
    from simnet.study import FigureSpec

Array = NDArray[Any]

#: The height of a panel in inches, without the legend.
PANEL = 2.1

#: A slope is stated if its standard error is below this: what is no line has none.
STRAIGHT = 0.2

#: So many characters of a label fit in an inch.
CHARACTERS = 13.0

SCALES: dict[str, dict[str, Any]] = {
    "log2": {"value": "log", "base": 2, "nonpositive": "mask"},
    "log": {"value": "log", "nonpositive": "mask"},
    "linear": {"value": "linear"},
}


class Drawing(NamedTuple):
    """What a figure is drawn from: its description, the summary of its study, and its claim where that is known."""

    spec: FigureSpec
    summary: pd.DataFrame
    claim: type[Claim] | Claim | None = None


def draw(drawing: Drawing, *, width: float = COLUMN) -> Figure:
    """One figure, as high as its panels and its legend need.

    Parameters
    ----------
    drawing : Drawing
    width : float
        Inches: :data:`~simnet.report.style.COLUMN` puts panels below each other, :data:`~simnet.report.style.PAGE` up to
        three of them side by side.

    Raises
    ------
    ValueError
        If the description names a column, quantity or scale that is not there, or two rows of the summary would be the same
        point of the same series.
    """
    figure = plt.figure(figsize=(width, PANEL), layout="constrained")
    try:
        panels = _draw_on(figure, drawing, width)
    except BaseException:
        plt.close(figure)
        raise
    legend = sum(part.get_window_extent().height for part in figure.legends) / figure.dpi
    figure.set_size_inches(width, PANEL * panels + legend + 0.1)
    return figure


def gallery(drawings: Sequence[Drawing], *, width: float = PAGE, columns: int = 2) -> Figure:
    """Several figures in one, row by row, each with its own legend; text has the size that it has in one alone."""
    if not drawings:
        raise ValueError("drawings = []: a gallery needs at least one figure")
    alone = [draw(drawing, width=width / columns) for drawing in drawings]
    sizes = [one.get_figheight() for one in alone]
    for one in alone:
        plt.close(one)
    rows = [sizes[i : i + columns] for i in range(0, len(sizes), columns)]
    heights = [max(row) for row in rows]
    figure = plt.figure(figsize=(width, sum(heights)), layout="constrained")
    grid = np.atleast_2d(figure.subfigures(len(rows), columns, height_ratios=heights, squeeze=False))
    for part, drawing in zip(grid.flat, drawings, strict=False):
        _draw_on(part, drawing, width / columns)
    return figure


def panel_count(drawing: Drawing) -> int:
    """How many panels the figure has."""
    spec, rows = _shown(drawing)
    return rows[spec.panel].nunique(dropna=False) if spec.panel else 1


def _shown(drawing: Drawing) -> tuple[FigureSpec, pd.DataFrame]:
    """The rows of the summary that the figure shows, with what it needs to know of them checked.

    A parameter that does not vary is no column of the summary and tells no series apart: it is taken off the description.
    """
    summary = drawing.summary
    varying = [name for name in drawing.spec.series if name in summary.columns]
    panel = drawing.spec.panel if drawing.spec.panel in summary.columns else None
    spec = replace(drawing.spec, series=tuple(varying), panel=panel)
    choice("figure: x", spec.x, summary.columns)
    for field in ("x_scale", "y_scale"):
        choice(f"figure: {field}", getattr(spec, field), SCALES)
    choice("figure: y", spec.y, ("measured", "ratio"))
    quantities = summary["quantity"].fillna("")  # of a point where nothing came out there is none
    wanted = [name != "" and any(name == p or fnmatchcase(name, p) for p in spec.quantity) for name in quantities]
    rows = summary[wanted]
    if rows.empty:
        known = ", ".join(repr(name) for name in quantities.unique() if name)
        raise ValueError(f"figure: quantity = {list(spec.quantity)}: must match one of {known or 'no quantity at all'}")
    rows = rows[rows[spec.x].notna()]  # a point without that parameter has no place on the axis
    if rows.empty:
        raise ValueError(f"figure: x = {spec.x!r}: no row of {list(spec.quantity)} has a value of it")
    point = list(dict.fromkeys([spec.x, *spec.series, *([spec.panel] if spec.panel else [])]))
    twice = rows.duplicated(point)
    if twice.any():
        where = ", ".join(f"{name} = {rows.loc[twice, name].iloc[0]}" for name in point)
        raise ValueError(f"figure: several rows at {where}: name what tells them apart in series or panel")
    return spec, rows


class _Panel(NamedTuple):
    """One panel, and how it shows the rows of a series."""

    axes: Axes
    spec: FigureSpec
    claim: type[Claim] | Claim
    categories: list[Any]  # of an x without numbers

    def show(self, places: pd.Series[float], rows: pd.DataFrame, look: dict[str, Any]) -> None:
        """A series: band, bound, law, points, and a cross on every point that fails."""
        places = places[rows.index].sort_values()
        rows, x = rows.loc[places.index], places.to_numpy()
        y, low, high, law, bounds = self._heights(rows)
        colour = look["color"]
        if self.categories:
            self.axes.vlines(x, low, high, color=colour, lw=1.0)
            for line, style in ((law, "-"), *((bound, "--") for bound in bounds)):
                self.axes.hlines(line, x - 0.12, x + 0.12, color=colour, ls=style, lw=1.2)
        else:
            drawn = np.isfinite(low) & ((low > 0.0) | (self.spec.y_scale == "linear"))
            self.axes.fill_between(x, low, high, where=drawn, color=colour, alpha=0.25, lw=0)
            for bound in bounds:
                self.axes.plot(x, bound, color=colour, lw=0.9, ls="--")
            self.axes.plot(x, law, color=colour, lw=1.2)
        self.axes.plot(x, y, ls="", **look)
        fails = ~rows["holds"].fillna(True).to_numpy(dtype=bool)  # what has neither law nor bound cannot fail
        self.axes.plot(x[fails], y[fails], "x", color="black", ms=7, mew=1.2)

    def places(self, rows: pd.DataFrame, series: pd.Series[int]) -> pd.Series[float]:
        """Where each row stands on the axis; in a category its series stand side by side."""
        if not self.categories:
            return rows[self.spec.x].astype(float)
        middle = rows[self.spec.x].map({value: i for i, value in enumerate(self.categories)}).astype(float)
        together = series[rows.index].groupby(middle)
        return middle + 0.6 * ((together.rank(method="dense") - 0.5) / together.transform("nunique") - 0.5)

    def _heights(self, rows: pd.DataFrame) -> tuple[Array, Array, Array, Array, list[Array]]:
        """Measured, the ends of its interval, the law, and the bounds; a ratio has none, they are far from it."""
        law, bound = rows["law"].to_numpy(dtype=float), rows["bound"].to_numpy(dtype=float)
        y, low, high = (rows[f"{self.spec.y}{end}"].to_numpy(dtype=float) for end in ("", "_low", "_high"))
        if self.spec.y == "ratio":  # the law is 1 for all series
            return y, low, high, np.full_like(law, np.nan), []
        if np.isnan(bound).all():
            return y, low, high, law, []
        # what has no law has its bound alone, on the quantity itself
        return y, low, high, law, [bound] if np.isnan(law).all() else list(self.claim.bound_lines(law, bound))


def _draw_on(figure: Figure | SubFigure, drawing: Drawing, width: float) -> int:
    """The panels and the legend; returns in how many rows the panels stand."""
    (spec, rows), claim = _shown(drawing), drawing.claim or Claim
    values = list(rows[spec.panel].unique()) if spec.panel else [None]
    columns = max(1, min(len(values), int(width / 2.2)))
    lines = -(-len(values) // columns)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    categories = [] if is_numeric(rows[spec.x]) else list(rows[spec.x].unique())
    series, common = _series(spec, rows)
    for axes, value in zip(grid.flat, values, strict=False):
        panel = _Panel(axes, spec, claim, categories)
        mine = rows if value is None else rows[_equal(rows[spec.panel], value)]
        if spec.y == "ratio":
            axes.axhline(1.0, color="black", lw=1.2)
        numbers = pd.Series({index: number for number, members in enumerate(series.values()) for index in members})
        places = panel.places(mine, numbers)
        for number in range(len(series)):
            part = mine[numbers[mine.index] == number]
            if not part.empty:
                panel.show(places, part, series_look(number, len(series)))
        if value is not None:
            axes.set_title(_wrapped(_named(spec.panel, value), width / columns))
        dress(axes)
    for axes in grid.flat[len(values) :]:
        axes.remove()
    _label(grid, spec, rows, categories, common, width)
    handles, labels = _legend(spec, rows, series, claim)
    fitted_legend(figure, handles, labels)
    return lines


def _label(grid: Any, spec: FigureSpec, rows: pd.DataFrame, categories: list[Any], common: str, width: float) -> None:
    """Scales, ticks and the names of the axes."""
    axes = grid[0, 0]
    if categories:
        axes.set_xticks(range(len(categories)), [str(value) for value in categories])
        axes.set_xlim(-0.5, len(categories) - 0.5)
        if sum(len(str(value)) for value in categories) > CHARACTERS * width * 0.6 / grid.shape[1]:
            axes.set_xticks(range(len(categories)), [str(value) for value in categories], fontsize="small")
            for text in (text for one in grid.flat for text in one.get_xticklabels()):
                text.set(rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xscale(**SCALES[spec.x_scale])
        if spec.x_scale == "log" and rows[spec.x].max() < 30.0 * rows[spec.x].min():
            # too few powers of ten to read values off
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
    if spec.y_scale != "linear" and not (rows[spec.y] > 0.0).any():
        raise ValueError(f"figure: y_scale = {spec.y_scale!r}: no {spec.y} value of {shown(spec.quantity)} is above 0")
    axes.set_yscale(**SCALES[spec.y_scale])
    name = spec.y_label or ("measured / law" if spec.y == "ratio" else common)
    for one in grid[:, 0]:
        one.set_ylabel(_wrapped(name, 0.8 * PANEL))
    for column in grid.T:
        last = [one for one in column if one.figure is not None][-1]  # the others of the last row are taken away
        last.set_xlabel(_wrapped(spec.x_label or spec.x, 0.85 * width / grid.shape[1]))
        last.tick_params(axis="x", labelbottom=True)


def _series(spec: FigureSpec, rows: pd.DataFrame) -> tuple[dict[str, pd.Index], str]:
    """The rows of each series by its label, in the order of the table; and the words that all quantities share."""
    words = [name.split(", ") for name in rows["quantity"].unique()]
    shared = [word for word in words[0] if all(word in others for others in words)]
    found: dict[str, list[Any]] = {}
    for index, row in rows.iterrows():
        parts = []
        for name in spec.series:
            if name == "quantity":
                own = [word for word in row[name].split(", ") if word not in shared]
                parts.append(", ".join(own) or row[name])
            else:
                parts.append(_named(name, row[name]))
        found.setdefault(", ".join(parts) or "measured", []).append(index)
    return {label: pd.Index(members) for label, members in found.items()}, ", ".join(shared) or "measured"


def _legend(
    spec: FigureSpec, rows: pd.DataFrame, series: dict[str, pd.Index], claim: type[Claim] | Claim
) -> tuple[list[Any], list[str]]:
    """The series with their slopes, then what lines, bands and crosses mean."""
    handles: list[Any] = []
    labels: list[str] = []
    for number, (label, members) in enumerate(series.items()):
        handles.append(Line2D([], [], lw=1.2, **series_look(number, len(series))))
        labels.append(label + _slope_text(spec, rows.loc[members]))
    bounded, lawful = spec.y == "measured" and bool(rows["bound"].notna().any()), bool(rows["law"].notna().any())
    keys: list[tuple[Any, str, bool]] = [
        (Line2D([], [], color="black", lw=1.2), "law", lawful),
        (Line2D([], [], color="black", lw=0.9, ls="--"), claim.bound_label if lawful else "bound", bounded),
        (Patch(color=GREY, alpha=0.35, lw=0), "95 % interval", True),
        (Line2D([], [], color="black", marker="x", ls="", ms=6), "fails", not rows["holds"].fillna(True).all()),
    ]
    for handle, label, present in keys:
        if present:
            handles.append(handle)
            labels.append(label)
    return handles, labels


def _slope_text(spec: FigureSpec, rows: pd.DataFrame) -> str:
    """``: slope −0.50 ± 0.01``, the range of the slopes where there are panels, nothing where a slope means nothing."""
    if spec.y != "measured" or "linear" in (spec.x_scale, spec.y_scale) or not is_numeric(rows[spec.x]):
        return ""
    panels: Iterable[Any] = (part for _, part in rows.groupby(spec.panel, dropna=False)) if spec.panel else [rows]
    usable = [part[part["measured"] > 0.0] for part in panels]
    fits = [fitted_slope(part[spec.x], part["measured"]) for part in usable if part[spec.x].nunique() > 2]
    if not fits or max(fit.error for fit in fits) > STRAIGHT:
        return ""
    digits = 2 if len(fits) > 1 or fits[0].error > 0.01 else 3
    ends = dict.fromkeys(f"{end(fit.value for fit in fits):.{digits}f}" for end in (min, max))
    text = " to ".join(ends) + (f" ± {fits[0].error:.{digits}f}" if len(fits) == 1 and np.isfinite(fits[0].error) else "")
    return f": slope {text}".replace("-", "−")


def _named(name: str | None, value: Any) -> str:
    """``sketch_dim = 256``; words speak for themselves."""
    if isinstance(value, str):
        return value
    return f"{name} = {value:g}" if isinstance(value, (float, np.floating)) else f"{name} = {value}"


def _equal(column: pd.Series[Any], value: Any) -> pd.Series[bool]:
    """Where a column has the value; ``nan`` is one."""
    return column.isna() if pd.isna(value) else column == value


def _wrapped(text: str, inches: float) -> str:
    """On lines of about one length, which is at most so many inches."""
    most = max(12, int(inches * CHARACTERS))
    lines = -(-len(text) // most)
    return textwrap.fill(text, most if lines < 2 else min(most, -(-len(text) // lines) + 4))
