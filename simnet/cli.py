"""The command line.  It reads arguments, calls the library and prints; a user's mistake ends in one line and status 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def fail(message: str) -> None:
    """One line on standard error, exit status 2."""
    click.echo(f"simnet: error: {' '.join(message.split())}", err=True)
    sys.exit(2)


def main() -> None:
    """Run the command; no mistake of a user ends in a traceback."""
    try:
        status = cli.main(prog_name="simnet", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("simnet: interrupted", err=True)
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message())
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError as error:
        fail(f"sketch_dim: not enough memory ({error})")
    else:
        sys.exit(status if isinstance(status, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recursive-sketch-testbed", prog_name="simnet")
def cli() -> None:
    """Simulate modular networks, sketch their executions recursively, and hold every answer against its law."""


@cli.command()
@click.option("--quick", is_flag=True, help="Fewer trials: seconds, and a coarser resolution.")
@click.option("--property", "properties", multiple=True, metavar="NAME", help="Only this property; may be repeated.")
@click.option("--seed", default=0, show_default=True, type=int, help="Same seed, same table.")
@click.option("--workers", default=None, type=int, help="Processes; as many as there are cores when not given.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table as CSV.")
@click.option("--all", "every", is_flag=True, help="Print every row, not only the summary and what fails.")
def verify(
    quick: bool, properties: tuple[str, ...], seed: int, workers: int | None, output: Path | None, every: bool
) -> int:
    """Hold every property against its law and bound; exit status 1 if one fails."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from simnet.claims import verify as run
    from simnet.claims.show import rows_table, summary_table

    if output is not None and not output.parent.is_dir():
        raise ValueError(f"--output = {str(output)!r}: the folder {str(output.parent)!r} does not exist")
    names = [name.replace("-", "_") for name in properties] or None
    console = Console(width=None if sys.stdout.isatty() else 140)
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    job = bar.add_task("starting")

    def progress(done: int, total: int, claim: str) -> None:
        bar.start()  # with the first result: a mistake in the arguments is then a line of its own
        bar.update(job, completed=done, total=total, description=claim)

    try:
        rows = run.verify(names, quick=quick, seed=seed, workers=cores() if workers is None else workers, progress=progress)
    finally:
        if bar.live.is_started:
            bar.stop()
    if output is not None:
        run.table(rows).to_csv(output, index=False)
    failed = [row for row in rows if not row.holds]
    if every or failed:
        console.print(rows_table(rows if every else failed))
    console.print(summary_table(rows))
    verdict = "every property holds" if not failed else f"{len(failed)} of {len(rows)} rows FAIL"
    console.print(f"{verdict} (seed {seed}; right software fails with probability {run.FAILURE_PROBABILITY:g})")
    return 1 if failed else 0


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def sketcher_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that describe a sketcher."""
    for option in (
        click.option("--sketch-dim", default=4096, show_default=True, type=int),
        click.option("--matrices", default="trig", show_default=True),
        click.option("--recipe", default="recursive", show_default=True),
        click.option("--seed", default=0, show_default=True, type=int),
    ):
        command = option(command)
    return command


@cli.command()
@click.argument("execution", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@sketcher_options
def encode(execution: Path, output: Path, **options: Any) -> None:
    """Sketch a saved EXECUTION (JSON) into a .npz file."""
    import simnet

    run = simnet.Execution.load(execution)
    simnet.save_sketches(output, simnet.Sketcher(run.network, **options).encode(run), **options)
    click.echo(f"{output}: {options['sketch_dim']} coordinates for {len(run.structure)} objects")


@cli.command()
@click.argument("sketch", type=click.Path(path_type=Path))
@click.argument("execution", type=click.Path(path_type=Path))
@click.option("--method", default="matched", show_default=True)
@click.option("--level", default=0.95, show_default=True, type=float, help="Of the intervals.")
def decode(sketch: Path, execution: Path, method: str, level: float) -> None:
    """Attributes and intervals from a SKETCH made by `encode`, with the structure of EXECUTION."""
    import simnet

    values, made = simnet.load_sketches(sketch)
    run = simnet.Execution.load(execution)
    options = {key: made[key] for key in ("sketch_dim", "matrices", "recipe", "seed") if key in made}
    if len(options) < 4 or values.ndim != 1:
        raise ValueError(f"{sketch}: does not say how one sketch was made; use `simnet encode`")
    estimate = simnet.Sketcher(run.network, **options).decode(values, run.structure, method)
    intervals = estimate.interval(level)
    click.echo("object\tcoordinate\testimate\tlow\thigh")
    for k, name in enumerate(run.structure.names):
        for j, (x, (low, high)) in enumerate(zip(estimate.attributes[k], intervals[k], strict=True)):
            click.echo(f"{name}\t{j}\t{x:.6g}\t{low:.6g}\t{high:.6g}")


@cli.command("list")
def list_names() -> None:
    """What can be named: networks, matrices, recipes, decoders, properties."""
    from simnet.claims import CLAIMS
    from simnet.decoding import DECODERS
    from simnet.matrices import FAMILIES
    from simnet.networks import NETWORKS
    from simnet.recipes import RECIPES

    kinds: dict[str, Any] = {
        "networks": NETWORKS,
        "matrices": FAMILIES,
        "recipes": RECIPES,
        "decoders": DECODERS,
        "properties": CLAIMS,
    }
    for kind, names in kinds.items():
        click.echo(f"{kind + ':':<12}{', '.join(names)}")
