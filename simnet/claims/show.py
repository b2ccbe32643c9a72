"""The verdicts as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from simnet.claims import CLAIMS
from simnet.claims.verdict import Row


def _verdict(holds: bool) -> str:
    return "[green]holds[/green]" if holds else "[bold red]FAILS[/bold red]"


def rows_table(rows: Sequence[Row]) -> Table:
    """Every row: measured, law, their ratio with its standard error, bound, violations against what is allowed."""
    table = Table(title="property by property", title_justify="left", expand=False)
    table.add_column("property")
    table.add_column("case")
    table.add_column("quantity")
    for name in ("trials", "measured", "law", "ratio ± se", "allowed", "resolves", "bound", "violations"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in rows:
        bounded = row.bound == row.bound
        table.add_row(
            row.property,
            row.case,
            row.quantity,
            str(row.trials),
            f"{row.measured:.4g}",
            f"{row.law:.4g}",
            f"{row.ratio:.4f} ± {row.ratio_error:.4f}",
            f"{row.allowed:.2%}",
            f"{row.resolution:.2%}",
            f"{row.bound:.3g}" if bounded else "",
            f"{row.violations}/{row.tries} (≤ {row.allowed_violations})" if bounded else "",
            _verdict(row.holds),
        )
    return table


def summary_table(rows: Sequence[Row]) -> Table:
    """One line a property: rows, the ratio farthest from its law in units of what is allowed, resolution, bounds."""
    table = Table(title="verdicts", title_justify="left", expand=False)
    table.add_column("property")
    table.add_column("law")
    for name in ("rows", "farthest ratio ± se", "allowed", "resolves (median, worst)", "bound violations"):
        table.add_column(name, justify="right")
    table.add_column("verdict", no_wrap=True)
    for name in dict.fromkeys(row.property for row in rows):
        mine = [row for row in rows if row.property == name]
        worst = max(mine, key=lambda row: row.deviations)
        bounded = [row for row in mine if row.bound == row.bound]
        resolution = sorted(row.resolution for row in mine)
        tried, violated = sum(row.tries for row in bounded), sum(row.violations for row in bounded)
        table.add_row(
            name,
            CLAIMS[name].title,
            str(len(mine)),
            f"{worst.ratio:.4f} ± {worst.ratio_error:.4f}",
            f"{worst.allowed:.2%}",
            f"{resolution[len(mine) // 2]:.1%}, {resolution[-1]:.1%}",
            f"{violated} of {tried}" if bounded else "",
            _verdict(all(row.holds for row in mine)),
        )
    return table
