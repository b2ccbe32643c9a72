"""`simnet demo`: a story on the terminal, with the figure it made."""

from __future__ import annotations

from pathlib import Path

import click

from simnet.cli.completion import demos


@click.command("demo")
@click.argument("name", shell_complete=demos)
@click.option("--seed", default=0, show_default=True, type=int, help="Of the network, its runs and the matrices.")
@click.option(
    "-o",
    "--output",
    default=Path(),
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the figure, demo-NAME.png; the current one when not given.",
)
def demo_command(name: str, seed: int, output: Path) -> None:
    """Tell a story whose numbers all come from the run, some seconds long.

    \b
        room          a year of rooms: how often a cat, when, how large, which rooms were alike
        unroll        one sketch to its wiring, step by step
        truncation    how answers widen as the end of a sketch is dropped
        wiring        who feeds whom, by matrices that nobody knows
    """
    from simnet.checks import choice, integer
    from simnet.cli.terminal import console
    from simnet.demos import DEMOS
    from simnet.report.drawing import write_drawing

    tell = DEMOS[choice("demo", name, DEMOS)]
    integer("seed", seed)
    if not output.is_dir():
        raise ValueError(f"output = {str(output)!r}: must be a folder that exists")
    story = tell(seed, console().print)
    path = output / f"demo-{name}.png"
    write_drawing(story.figure, path)
    click.echo(path)
