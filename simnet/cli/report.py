"""`simnet report` and `animate`: results to look at."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="FOLDER/report.html when not given.")
@click.option(
    "--figures", is_flag=True, help="Also write every figure as SVG, PDF and PNG, in a folder `figures` by its study."
)
@click.option("--open", "show", is_flag=True, help="Show the page in a browser.")
def report_command(folder: Path, output: Path | None, figures: bool, show: bool) -> None:
    """Make one self-contained page of HTML from the results in FOLDER: one study, or a folder of several."""
    from simnet.files import file_to_write, written_whole
    from simnet.report.page import page, result_folders, write_figures
    from simnet.study import read_results

    if output is not None:
        file_to_write("--output", output)
    studies = [(path, read_results(path)) for path in result_folders(folder)]
    text = page(studies)
    for path, results in studies if figures else ():
        for file in write_figures(path, results):
            click.echo(file)
    output = folder / "report.html" if output is None else output
    with written_whole(output) as stream:
        stream.write(text.encode())
    click.echo(f"{output}: {len(studies)} stud{'y' if len(studies) == 1 else 'ies'}, {len(text.encode()) / 1e3:.0f} kB")
    if show:
        webbrowser.open(output.resolve().as_uri())


@click.command("animate")
@click.argument("name", metavar="similarity|flow")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .gif, or an .mp4.")
@click.option("--seed", default=0, show_default=True, type=int)
def animate_command(name: str, output: Path, seed: int) -> None:
    """Film real runs: the sketches of related runs gathering in the plane, or data flowing up through a network."""
    from simnet.checks import integer
    from simnet.files import file_to_write
    from simnet.report.animation import check_ending, film, write_film

    check_ending(file_to_write("--output", output))
    write_film(film(name, integer("seed", seed, maximum=None)), output)
    click.echo(f"{output}: {output.stat().st_size / 1e3:.0f} kB")
