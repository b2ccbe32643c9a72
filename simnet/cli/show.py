"""`simnet show`: a network and one of its runs, as a tree and as a picture."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simnet.cli.completion import networks

if TYPE_CHECKING:
    from simnet.networks import Execution


@click.command("show")
@click.argument("network", shell_complete=networks)
@click.option(
    "-O", "--option", "options", multiple=True, metavar="NAME=VALUE", help="Of the family; several values with commas."
)
@click.option("--run-seed", default=0, show_default=True, type=int, help="Which run of the family is shown.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A picture: .svg, .png or .pdf.")
def show_command(network: str, options: tuple[str, ...], run_seed: int, output: Path | None) -> None:
    """Modules, wiring and the objects of one run.

    NETWORK is a family (`simnet list`) or a saved execution (JSON):

    \b
        simnet show layered -O widths=6,4,2 -O seed=1 -o layered.svg
        simnet show run.json
    """
    from simnet.cli.terminal import console
    from simnet.report.trees import network_tree, object_tree

    title, run = read_network(network, options, run_seed)
    net, s = run.network, run.structure
    several = tuple(str(module) for module in s.modules) != tuple(str(name) for name in s.names)
    edges = sum(len(slot.sources) for m in net.modules for slot in m.slots)
    out = console()
    modules = f"{len(net.modules)} modules, {len(net.inputs)} of them inputs, {edges} edges"
    click.echo(f"{title}: {modules}; {len(s)} objects in the run")
    out.print(network_tree(net, run))
    if several:
        click.echo("the objects of the run")
        out.print(object_tree(s, run.attributes))
    if output is not None:
        from simnet.report.drawing import draw, network_diagram, write_drawing

        write_drawing(draw(network_diagram(net, run), title, broken="made no object"), output)
        click.echo(output)


def read_network(name: str, options: tuple[str, ...], run_seed: int) -> tuple[str, Execution]:
    """What is shown, in words, and a run of it: of a family with its options, or a saved one."""
    from simnet.checks import choice
    from simnet.networks import NETWORKS, Execution

    if name in NETWORKS or not (Path(name).exists() or "/" in name or "." in name):
        choice("network", name, NETWORKS)
        chosen = family_options(name, options)
        said = ", ".join(f"{key}={value}" for key, value in chosen.items())
        return f"{name}({said})", NETWORKS[name](**chosen).run(1, run_seed)[0]
    if options:
        raise ValueError(f"option = {options[0]!r}: {name} is a saved execution, options are for families")
    return Path(name).name, Execution.load(name)


def family_options(family: str, options: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of a family from ``NAME=VALUE``, read as what the default of each is."""
    from simnet.checks import choice
    from simnet.networks import NETWORKS

    known = inspect.signature(NETWORKS[family]).parameters
    chosen = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals:
            raise ValueError(f"option = {option!r}: must be NAME=VALUE")
        choice(f"option of {family!r}", name, known)
        several = isinstance(known[name].default, tuple)
        chosen[name] = tuple(scalar(part) for part in text.split(",")) if several else scalar(text)
    return chosen


def scalar(text: str) -> Any:
    """An integer, a number, a truth value, or the text itself."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
