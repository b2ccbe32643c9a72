"""`simnet verify`: every property against its law."""

from __future__ import annotations

from pathlib import Path

import click

from simnet.cli.completion import properties


@click.command("verify")
@click.option("--quick", is_flag=True, help="Fewer trials: seconds, and a coarser resolution.")
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="NAME",
    shell_complete=properties,
    help="Only this property; may be repeated.",
)
@click.option("--seed", default=0, show_default=True, type=int, help="Same seed, same table.")
@click.option("--workers", default=None, type=int, help="Processes; as many as there are cores when not given.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table as CSV.")
@click.option("--all", "every", is_flag=True, help="Print every row, not only the summary and what fails.")
def verify_command(
    quick: bool, properties: tuple[str, ...], seed: int, workers: int | None, output: Path | None, every: bool
) -> int:
    """Hold every property against its law and bound; exit status 1 if one fails."""
    from simnet.claims import verify as run
    from simnet.claims.show import rows_table, summary_table
    from simnet.cli.progress import verified
    from simnet.cli.terminal import console
    from simnet.files import file_to_write

    if output is not None:
        file_to_write("--output", output)
    names = [name.replace("-", "_") for name in properties] or None
    rows = verified(names, quick=quick, seed=seed, workers=workers)
    if output is not None:
        run.table(rows).to_csv(output, index=False)
    failed = [row for row in rows if not row.holds]
    out = console()
    if every or failed:
        out.print(rows_table(rows if every else failed))
    out.print(summary_table(rows))
    verdict = "every property holds" if not failed else f"{len(failed)} of {len(rows)} rows FAIL"
    out.print(f"{verdict} (seed {seed}; right software fails with probability {run.FAILURE_PROBABILITY:g})")
    return 1 if failed else 0
