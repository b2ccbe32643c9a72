"""The tables of the report page: columns, and cells that know both how they read and how they sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from simnet.study import Results

#: At most so many failed trials are listed.
LISTED = 50


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers stand on the right."""

    name: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and what it sorts by; whether it says something good or bad; a link to a section of the page."""

    text: str
    value: str = ""
    good: bool | None = None
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


def number(value: Any, text: str | None = None) -> Cell:
    """A number with four digits, or another text for it; nothing for ``nan``."""
    if pd.isna(value):
        return Cell("")
    whole = float(value).is_integer() and abs(float(value)) < 1e9
    short = f"{int(value)}" if whole else f"{float(value):.4g}"
    return Cell((short if text is None else text).replace("-", "−"), f"{float(value):.9g}")


def row_verdict(holds: Any, expected: str, is_expected: bool) -> Cell:
    """The verdict of a row, beside what it should be: a planted defect must make its point fail."""
    if pd.isna(holds):
        return Cell("")
    if expected == "holds":
        return Cell("holds" if holds else "fails", good=bool(holds))
    if not holds:
        return Cell("fails, as it must", good=True)
    return Cell("holds", good=None if is_expected else False)


def summary_table(results: Results) -> Table:
    """Every row of a summary: where, what, measured and ratio with their intervals, bound, violations, verdict."""
    summary, names = results.summary, list(results.varying)
    bounded, failed = summary["bound"].notna().any(), (summary["failed"] > 0).any()
    columns = [*(Column(name, is_numeric(summary[name])) for name in names), Column("quantity"), Column("verdict")]
    columns += [Column(name, True) for name in ("measured", "95 %", "law", "ratio", "95 % of ratio")]
    columns += [Column("bound", True), Column("violations", True)] * bool(bounded)
    columns += [Column("trials", True), *[Column("failed", True)] * bool(failed)]
    unexpected = set(results.unexpected.index)
    rows = []
    for index, row in zip(summary.index, summary.to_dict("records"), strict=True):
        cells = _parameters(row, columns[: len(names)])
        cells += [Cell(_plain(row["quantity"])), row_verdict(row["holds"], row["expected"], index not in unexpected)]
        cells += [number(row["measured"]), _interval(row, "measured"), number(row["law"])]
        cells += [number(row["ratio"]), _interval(row, "ratio")]
        if bounded:
            cells += [number(row["bound"]), _violations(row)]
        rows.append([*cells, number(row["trials"]), *[number(row["failed"])] * bool(failed)])
    return Table("One row for each point and quantity", columns, rows)


def failure_table(results: Results) -> Table | None:
    """The trials without a result, if there are any: where, which seed, and why."""
    trials = results.trials
    failed = trials[trials["status"] != "ok"] if len(trials) else trials
    if failed.empty:
        return None
    columns = [Column(name, is_numeric(trials[name])) for name in results.varying]
    rows = [
        [
            *_parameters(row, columns),
            number(row["trial"]),
            *(Cell(_plain(row[name])) for name in ("seed", "status", "error")),
        ]
        for row in failed.head(LISTED).to_dict("records")
    ]
    columns += [Column("trial", True), Column("seed"), Column("status"), Column("error")]
    more = f", the first {LISTED} of {len(failed)}" if len(failed) > LISTED else ""
    return Table(f"Trials that ended without a result{more}", columns, rows)


def is_numeric(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers; truth values are words."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _parameters(row: dict[Any, Any], columns: Sequence[Column]) -> list[Cell]:
    return [number(row[column.name]) if column.number else Cell(_plain(row[column.name])) for column in columns]


def _interval(row: dict[Any, Any], name: str) -> Cell:
    low, high = number(row[f"{name}_low"]), number(row[f"{name}_high"])
    return replace(low, text=f"{low.text} … {high.text}") if low.text and high.text else Cell("")


def _violations(row: dict[Any, Any]) -> Cell:
    if pd.isna(row["bound"]):
        return Cell("")
    return number(row["violations"], f"{row['violations']} of {row['tries']} (≤ {row['allowed_violations']})")


def _plain(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
