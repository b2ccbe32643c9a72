"""`simnet regress`: has anything moved?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simnet.cli.completion import properties

if TYPE_CHECKING:
    from rich.table import Table

    from simnet.regression import Moved

#: So many numbers are printed; the rest are counted.
SHOWN = 60


@click.command("regress")
@click.option(
    "--property",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=properties,
    help="Only this property; may be repeated.",
)
@click.option(
    "--reference", default=Path("results/reference"), show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
@click.option("--tolerance", type=float, help="Relative; rounding of other processors when not given.")
@click.option("--workers", default=None, type=int, help="Processes; as many as there are cores when not given.")
@click.option("--update", "updated", is_flag=True, help="Take what comes out as the new reference.")
@click.option("--reason", help="Why the reference changes; for its log.")
def regress_command(
    names: tuple[str, ...],
    reference: Path,
    tolerance: float | None,
    workers: int | None,
    updated: bool,
    reason: str | None,
) -> int:
    """Run the quick grid with fixed seeds and compare every number with the reference; exit status 1 if one moved."""
    from simnet import regression
    from simnet.checks import real
    from simnet.cli.progress import verified
    from simnet.cli.terminal import console

    tolerance = regression.TOLERANCE if tolerance is None else real("tolerance", tolerance, minimum=0.0)
    if updated and not (reason or "").strip():
        raise ValueError("reason: must be given with --update, it goes into the log of the reference")
    if reason is not None and not updated:
        raise ValueError("reason: is for --update, which is not given")
    old = None if updated else regression.read_reference(reference)  # before the run: it may be missing
    chosen = [name.replace("-", "_") for name in dict.fromkeys(names)] or None
    rows = regression.reference_rows(verified(chosen, quick=True, seed=regression.SEED, workers=workers))
    out = console()
    if old is None:
        moved = regression.update(rows, reason or "", reference, properties=chosen)
        changed = len({(m.property, m.case, m.quantity) for m in moved})
        out.print(f"{reference}: {len(rows)} rows, {changed} of them changed, new or missing; the reason is in its log")
        return 0
    if chosen is not None:
        old = old[old["property"].isin(chosen)]
    moved = regression.compare(old, rows, tolerance)
    if not moved:
        out.print(f"{len(rows)} rows are as in {reference}, to {tolerance:.0e} of each number")
        return 0
    out.print(moved_table(moved[:SHOWN]))
    if len(moved) > SHOWN:
        out.print(f"… and {len(moved) - SHOWN} more numbers")
    rows_moved = len({(m.property, m.case, m.quantity) for m in moved})
    out.print(
        f"{rows_moved} of {max(len(rows), len(old))} rows moved by more than {tolerance:.0e}, are missing or are new. "
        f"If that is as it should be: simnet regress --update --reason TEXT"
    )
    return 1


def moved_table(moved: Sequence[Moved]) -> Table:
    """Old, new and difference of every number that moved."""
    from rich.table import Table

    table = Table(title="what moved", title_justify="left", expand=False)
    for name in ("property", "case", "quantity", "number"):
        table.add_column(name)
    for name in ("old", "new", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    for m in moved:
        if m.old is None or m.new is None:
            verdict = "new" if m.old is None else "missing"
            table.add_row(m.property, m.case, m.quantity, m.field, "", "", f"[bold]{verdict}[/bold]")
            continue
        relative = f"{m.difference:+.2e}" if m.difference == m.difference else f"{m.new - m.old:+d}"
        table.add_row(m.property, m.case, m.quantity, m.field, f"{m.old:.10g}", f"{m.new:.10g}", relative)
    return table
