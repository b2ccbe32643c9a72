"""The tables of the report page: columns, and cells that know both how they read and how they sort."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

#: The columns of a summary beside the parameters that vary.
MEASURES = (
    *("quantity", "trials", "failed", "measured", "measured_low", "measured_high", "law"),
    *("ratio", "ratio_low", "ratio_high", "bound", "violations", "tries", "allowed_violations", "holds"),
)

#: At most so many failed trials are listed.
LISTED = 50


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers stand on the right."""

    name: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and what it sorts by; a verdict, or a link to a section of the page."""

    text: str
    value: str = ""
    verdict: bool | None = None
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


def number(value: Any, text: str | None = None) -> Cell:
    """A number with four digits, or another text for it; nothing for ``nan``."""
    if not math.isfinite(float(value)):
        return Cell("" if math.isnan(float(value)) else f"{float(value)}")
    exact = f"{float(value):.9g}"
    short = f"{int(value)}" if float(value).is_integer() and abs(float(value)) < 1e9 else f"{float(value):.4g}"
    return Cell((short if text is None else text).replace("-", "−"), exact)


def verdict(holds: bool) -> Cell:
    """Whether something holds."""
    return Cell("holds" if holds else "fails", verdict=bool(holds))


def parameters_of(summary: pd.DataFrame) -> list[str]:
    """The parameters that vary, the columns that no measurement has."""
    return [name for name in summary.columns if name not in MEASURES]


def summary_table(summary: pd.DataFrame) -> Table:
    """Every row of a summary: where, what, measured and ratio with their intervals, bound, violations, verdict."""
    names = parameters_of(summary)
    numeric = {name: pd.api.types.is_numeric_dtype(summary[name]) for name in names}
    bounded, failed = summary["bound"].notna().any(), (summary["failed"] > 0).any()
    columns = [*(Column(name, numeric[name]) for name in names), Column("quantity"), Column("verdict")]
    columns += [Column(name, True) for name in ("measured", "95 %", "law", "ratio", "95 % of ratio")]
    columns += [Column("bound", True), Column("violations", True)] * bool(bounded)
    columns += [Column("trials", True), *[Column("failed", True)] * bool(failed)]
    rows = []
    for row in summary.to_dict("records"):
        cells = [number(row[name]) if numeric[name] else Cell(_plain(row[name])) for name in names]
        cells += [Cell(row["quantity"]), verdict(row["holds"])]
        cells += [number(row["measured"]), _interval(row, "measured"), number(row["law"])]
        cells += [number(row["ratio"]), _interval(row, "ratio")]
        if bounded:
            cells += [number(row["bound"]), _violations(row)]
        rows.append([*cells, number(row["trials"]), *[number(row["failed"])] * bool(failed)])
    return Table("One row for each point and quantity; press the name of a column to sort by it", columns, rows)


def failure_table(trials: pd.DataFrame) -> Table | None:
    """The trials without a result, if there are any: where, which seed, and why."""
    failed = trials[trials["status"] != "ok"]
    if failed.empty:
        return None
    shown = failed.head(LISTED)
    rows = [
        [number(row["point"]), number(row["trial"]), Cell(str(row["seed"])), Cell(row["status"]), Cell(_plain(row["error"]))]
        for row in shown.to_dict("records")
    ]
    columns = [Column("point", True), Column("trial", True), Column("seed"), Column("status"), Column("error")]
    more = f", the first {LISTED} of {len(failed)}" if len(failed) > LISTED else ""
    return Table(f"Trials that ended without a result{more}", columns, rows)


def _interval(row: dict[str, Any], name: str) -> Cell:
    low, high = number(row[f"{name}_low"]), number(row[f"{name}_high"])
    return replace(low, text=f"{low.text} … {high.text}") if low.text and high.text else Cell("")


def _violations(row: dict[str, Any]) -> Cell:
    if math.isnan(float(row["bound"])):
        return Cell("")
    return number(row["violations"], f"{row['violations']:g} of {row['tries']:g} (≤ {row['allowed_violations']:g})")


def _plain(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)
