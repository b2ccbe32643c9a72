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
    """Tell a story whose numbers all come from the run; NAME is one of those in `simnet list`.

    \b
        simnet demo room --seed 3 -o figures
    """
    from simnet.checks import choice
    from simnet.cli.terminal import console
    from simnet.demos import DEMOS, tell
    from simnet.report.drawing import write_drawing

    choice("demo", name, DEMOS)
    if not output.is_dir():  # before the story, which takes some seconds
        raise ValueError(f"output = {str(output)!r}: must be a folder that exists")
    story = tell(name, seed, console().print)
    path = output / f"demo-{name}.png"
    write_drawing(story.figure, path)
    click.echo(path)
