"""`simnet explain`: what a saved sketch contains, from the sketch alone."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("explain")
@click.argument("sketches", type=click.Path(path_type=Path))
@click.option("--sketch", "number", default=0, show_default=True, type=int, help="Which, where the file holds several.")
@click.option(
    "--network", type=click.Path(path_type=Path), help="An execution with the modules, for files that do not hold them."
)
@click.option("--kept", type=int, help="Use only so many coordinates, the first.")
@click.option("--noise", default=0.0, show_default=True, help="Standard deviation of what was added to each coordinate.")
@click.option("--level", default=0.95, show_default=True, help="Of the intervals.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A picture: .svg, .png or .pdf.")
def explain_command(
    sketches: Path, number: int, network: Path | None, kept: int | None, noise: float, level: float, output: Path | None
) -> None:
    """The objects in a sketch, what fills their slots, their attributes, and how sure that is.

    SKETCHES is a file of `simnet encode`: it holds the modules with their slots, the recipe and the seed of the matrices.
    What made which object, and from what, is found in the sketch: nothing else is looked at.
    """
    import simnet
    from simnet.checks import integer, kept_dimension
    from simnet.cli.sketches import maker
    from simnet.cli.terminal import console
    from simnet.report.explained import explained_picture, explained_tree, verdict

    values, made = simnet.load_sketches(sketches)
    sketcher = maker(sketches, made, None if network is None else simnet.Execution.load(network).network)
    many = len(values) if values.ndim == 2 else 1
    if many == 0:
        raise ValueError(f"{sketches}: holds no sketch")
    which = integer("sketch", number, maximum=many - 1)
    sketch = values[which] if values.ndim == 2 else values
    kept = kept_dimension(kept, sketch.shape[-1])
    found = sketcher.unroll(sketch[:kept], noise=noise)
    out = console()
    part = "" if kept == sketcher.sketch_dim else f"the first {kept} of "
    made_by = f"{part}{sketcher.sketch_dim} coordinates, {sketcher.family.name} matrices"
    click.echo(f"{sketches}, sketch {which} of {many}: {made_by}")
    for line in verdict(found, kept, noise):
        out.print(line)
    if len(found):
        out.print(explained_tree(found, level))
    if output is not None:
        from simnet.report.drawing import write_drawing

        write_drawing(explained_picture(found, kept, sketches.name, noise), output)
        click.echo(output)
