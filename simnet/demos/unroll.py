"""From one sketch to the wiring behind it, step by step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

import simnet
from simnet.claims.unrolling import is_right
from simnet.decoding.places import Place
from simnet.decoding.pursuit import Hypothesis, Pursuit
from simnet.decoding.unrolling import Unrolled
from simnet.demos.story import Say, Story
from simnet.networks import Execution
from simnet.networks.network import ROOT
from simnet.report.drawing import Diagram, draw, object_diagram
from simnet.report.explained import explained_tree, verdict

MODULES, ATTRIBUTE_DIM = 7, 4

#: Coordinates for each unknown of each place.
RATIO = 2.0

#: A false object is reported in a sketch of nothing with this probability.
FAILURE_PROBABILITY = 0.001


def where(place: Place) -> str:
    """A place in words: what fills which slot of what."""
    return f"{place.module} in slot {place.slot} of {ROOT if place.parent is None else place.parent.module}"


def tell(seed: int, say: Say) -> Story:
    """A random wiring, its sketch, and the search."""
    network = simnet.networks.random_dag(modules=MODULES, attribute_dim=ATTRIBUTE_DIM, seed=seed)
    ex = network.run(1, seed)[0]
    unknowns = (ATTRIBUTE_DIM + 1) * ex.structure.places
    d = math.ceil(RATIO * unknowns)
    sketcher = simnet.Sketcher(network, d, seed=seed)
    sketch = sketcher.encode(ex)
    edges = len(ex.structure.edge_weights)
    say(
        f"[bold]A network of {MODULES} modules ran once.[/bold] Its {len(ex.structure)} objects stand in "
        f"{ex.structure.places} places, an object in as many as there are paths from it to the output. All of it is in "
        f"one sketch of {d} numbers. Known are the modules, how many slots each has, and the random matrices: not one "
        f"of the {edges} edges."
    )
    steps = search(sketcher, sketch)
    say(steps)
    found = sketcher.unroll(sketch, failure_probability=FAILURE_PROBABILITY)
    for line in verdict(found, d):
        say(line)
    say(explained_tree(found))
    say(compared(found, ex))
    unsure = () if found.certain else found.structure.names
    seen = object_diagram(found.structure, list(found.attributes), doubtful=unsure)
    planted = object_diagram(ex.structure, ex.attributes)
    # boxes in the order of the planted ones, so that both are laid out alike
    order = [key for key in dict.fromkeys([*planted.boxes, *seen.boxes]) if key in seen.boxes]
    seen = Diagram({key: seen.boxes[key] for key in order}, seen.lines)
    panels = {f"planted: {edges} edges": planted, f"found in {d} numbers": seen}
    return Story((), draw(panels, "One sketch, unrolled"))


def compared(found: Unrolled, ex: Execution) -> str:
    """What of it is right, in words."""
    if is_right(found, ex):
        pairs = zip(ex.structure.modules, ex.attributes, strict=True)
        error = max(float(np.abs(found.attributes[str(module)] - x).max()) for module, x in pairs)
        return (
            f"[green]Beside the truth:[/green] every object, every slot and every attribute is right, the largest error "
            f"of an attribute is {error:.0e}."
        )
    there = {str(module) for module in ex.structure.modules}
    right = len(there & set(found.structure.names))
    return f"[red]Beside the truth:[/red] {right} of {len(there)} objects are there, and something is wrong or missing."


def search(sketcher: simnet.Sketcher, sketch: NDArray[Any]) -> Table:
    """The plain pursuit: the best place that is left, again and again, until nothing is left to explain.

    :meth:`simnet.Sketcher.unroll` goes on with several hypotheses side by side where this gets no certificate.
    """
    pursuit = Pursuit(sketcher, sketcher.observe(sketch), "any", FAILURE_PROBABILITY)
    table = Table(title="the search: which module, in which slot, explains most of what is left?", title_justify="left")
    for name in ("step", "candidates"):
        table.add_column(name, justify="right")
    table.add_column("taken")
    table.add_column("depth", justify="right")
    for name in ("chance", "left of the sketch"):
        table.add_column(name, justify="right")
    table.add_column("taken back")
    hypothesis = Hypothesis.of((), pursuit.targets)
    whole = hypothesis.energy
    for step in range(1, len(pursuit.targets) + 1):
        candidates, number = pursuit.candidates(hypothesis)
        if not candidates or pursuit.explained(hypothesis):
            break
        best = candidates[0]
        chance = min(number * hypothesis.chance(best.gained, best.place.columns.shape[1], after=False), 1.0)
        extended = hypothesis.extended(best.place)
        hypothesis = pursuit.pruned(extended)
        gone = [where(place) for place in extended.taken if place.path not in hypothesis.key]
        table.add_row(
            str(step),
            str(number),
            where(best.place),
            str(best.place.depth),
            f"{chance:.0e}" if chance > 0.0 else "< 1e-300",
            f"{math.sqrt(hypothesis.energy / whole):.2e}",
            "; ".join(gone),
        )
    return table
