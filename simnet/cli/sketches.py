"""`simnet encode` and `decode`: from a saved execution to a sketch, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simnet.cli.completion import decoders, matrices, recipes

if TYPE_CHECKING:
    from simnet import ModularNetwork, Sketcher


def sketcher_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that describe a sketcher."""
    for option in (
        click.option("--sketch-dim", default=4096, show_default=True, type=int),
        click.option("--matrices", default="trig", show_default=True, shell_complete=matrices),
        click.option("--recipe", default="recursive", show_default=True, shell_complete=recipes),
        click.option("--seed", default=0, show_default=True, type=int),
    ):
        command = option(command)
    return command


@click.command("encode")
@click.argument("execution", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@sketcher_options
def encode_command(execution: Path, output: Path, **options: Any) -> None:
    """Sketch a saved EXECUTION (JSON) into a .npz file."""
    import simnet

    run = simnet.Execution.load(execution)
    sketcher = simnet.Sketcher(run.network, **options)
    simnet.save_sketches(output, sketcher.encode(run), **sketcher.metadata)
    click.echo(f"{output}: {options['sketch_dim']} coordinates for {len(run.structure)} objects")


@click.command("decode")
@click.argument("sketch", type=click.Path(path_type=Path))
@click.argument("execution", type=click.Path(path_type=Path))
@click.option("--method", default="matched", show_default=True, shell_complete=decoders)
@click.option("--level", default=0.95, show_default=True, type=float, help="Of the intervals.")
def decode_command(sketch: Path, execution: Path, method: str, level: float) -> None:
    """Attributes and intervals from a SKETCH made by `encode`, with the structure of EXECUTION."""
    import simnet

    values, made = simnet.load_sketches(sketch)
    run = simnet.Execution.load(execution)
    if values.ndim != 1:
        raise ValueError(f"{sketch}: holds {len(values)} sketches, must be one; `simnet encode` makes such a file")
    estimate = maker(sketch, made, run.network).decode(values, run.structure, method)
    intervals = estimate.interval(level)
    click.echo("object\tcoordinate\testimate\tlow\thigh")
    for k, name in enumerate(run.structure.names):
        for j, (x, (low, high)) in enumerate(zip(estimate.attributes[k], intervals[k], strict=True)):
            click.echo(f"{name}\t{j}\t{x:.6g}\t{low:.6g}\t{high:.6g}")


def maker(path: Path, metadata: dict[str, Any], network: ModularNetwork | None = None) -> Sketcher:
    """The sketcher that made a file of sketches; its path is part of what is said where the file does not tell."""
    from simnet import Sketcher

    try:
        return Sketcher.from_metadata(metadata, network)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
