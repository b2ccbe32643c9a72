"""Blind wiring: who feeds whom, from which inputs were active and sketches by matrices that nobody knows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from rich.table import Table

import simnet
from simnet.claims.wiring import planted_supports
from simnet.demos.story import Say, Story
from simnet.late import networkx as nx
from simnet.learning import BlindWiring
from simnet.learning.marks import Support
from simnet.networks import ModularNetwork
from simnet.randomness import stream
from simnet.report.drawing import Box, Diagram, Line, draw

WIDTHS, ATTRIBUTE_DIM, SKETCH_DIM, RUNS = (4, 2, 1), 2, 256, 1500

#: How often an input sees something.
ACTIVE = 0.5


def tell(seed: int, say: Say) -> Story:
    """Pairs of activity and sketch, and what they give away."""
    network = simnet.networks.layered(widths=WIDTHS, attribute_dim=ATTRIBUTE_DIM, seed=seed)
    inputs = len(network.inputs)
    active = stream(seed, "activity").random((RUNS, inputs)) < ACTIVE
    sketches = simnet.Sketcher(network, SKETCH_DIM, "gaussian", seed=seed).encode(network.run(RUNS, seed, activity=active))
    say(
        f"[bold]A network of {len(network.modules)} modules ran {RUNS} times.[/bold] Given are, of every run, which of "
        f"its {inputs} inputs saw something, and a sketch of {SKETCH_DIM} numbers. The matrices, the modules, how many "
        f"there are and what they compute are unknown."
    )
    found = simnet.learning.blind_wiring(active, sketches)
    truth = planted_supports(network)
    planted = set(truth.values())
    say(supports_table(found, planted))
    say(
        "An object is there when any input below it is. So a module leaves a mark that is in the sketch exactly when "
        "one of a set of inputs is active: the sets whose marks lie in the span of the sketches are the modules, each "
        "known by the inputs below it."
    )
    wiring = found.graph()
    edges = {(truth[a], truth[b]) for a, b in network.graph.edges}
    stated = {(found.supports[a], found.supports[b]) for a, b in wiring.edges}
    say(edges_table(wiring, found))
    say(
        "Each function is fitted to what was read of the modules inside its set, and has to predict runs that were held "
        "out; only the modules that it needs for that are its sources."
    )
    problems = {word(found.supports[k]): problem for k, problem in wiring.nodes(data="problem") if problem}
    for module, problem in problems.items():
        say(f"[yellow]Edges into {module} are not stated:[/yellow] {problem}.")
    say(
        f"{len(set(found.supports) & planted)} of {len(planted)} modules found and {len(set(found.supports) - planted)} "
        f"that are not there; {len(stated & edges)} of {len(edges)} edges found and {len(stated - edges)} that are not "
        f"there."
    )
    panels = {
        "planted": planted_diagram(network, truth, stated),
        "recovered, matrices unknown": found_diagram(wiring, found, edges),
    }
    caption = "Braces: the inputs below a module, which is all that a found one is known by."
    missed = "not found if planted, not there if recovered"
    return Story((), draw(panels, "Blind wiring", caption=caption, broken="edges into it were not found", possible=missed))


def word(support: Support) -> str:
    """A set of inputs, as a module is called that is known by nothing else."""
    return "{" + ", ".join(map(str, sorted(support))) + "}"


def supports_table(found: BlindWiring, planted: set[Support]) -> Table:
    """Each module that was found: inputs below it, attributes, and how clear that is."""
    table = Table(title="step 1: which inputs have a module above them?", title_justify="left")
    table.add_column("inputs below")
    for name in ("attributes", "margin", "planted"):
        table.add_column(name, justify="right")
    for support, dimension, margin in zip(found.supports, found.dimensions, found.margins, strict=True):
        there = "[green]yes[/green]" if support in planted else "[red]no[/red]"
        table.add_row(word(support), "unknown" if dimension is None else str(dimension), f"{margin:.0e}", there)
    return table


def edges_table(wiring: nx.DiGraph[int], found: BlindWiring) -> Table:
    """Of each module that is no input: what feeds it directly, and how well its function predicts runs it has not seen."""
    table = Table(title="step 2: what feeds it directly?", title_justify="left")
    for name in ("module", "fed by", "1 − R² on held-out runs"):
        table.add_column(name)
    for k in wiring:
        sources = list(wiring.predecessors(k))
        if sources:
            miss = max(1.0 - wiring.nodes[k]["score"], 0.0)
            table.add_row(word(found.supports[k]), ", ".join(word(found.supports[s]) for s in sources), f"{miss:.0e}")
    return table


def planted_diagram(network: ModularNetwork, truth: Mapping[Any, Support], stated: set[tuple[Support, Support]]) -> Diagram:
    """The network with the inputs below each module; edges without their weights, which are not recovered.

    Those that are not ``stated`` are broken.
    """
    boxes: dict[Hashable, Box] = {
        module.name: Box(f"module {module.name}", note=word(truth[module.name])) for module in network.modules
    }
    return Diagram(boxes, tuple(Line(a, b, None, (truth[a], truth[b]) not in stated) for a, b in network.graph.edges))


def found_diagram(wiring: nx.DiGraph[int], found: BlindWiring, planted: set[tuple[Support, Support]]) -> Diagram:
    """The modules that were found and the edges between them; those that were not ``planted`` are broken."""
    boxes: dict[Hashable, Box] = {
        k: Box(word(found.supports[k]), note=f"{found.dimensions[k]} attributes", doubtful=bool(wiring.nodes[k]["problem"]))
        for k in wiring
    }
    supports = found.supports
    lines = (Line(a, b, None, (supports[a], supports[b]) not in planted) for a, b in wiring.edges)
    return Diagram(boxes, tuple(lines))
