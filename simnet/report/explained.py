"""What unrolling found in a sketch, for people: how sure it is, a tree, a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from rich.text import Text
from rich.tree import Tree

from simnet.decoding.unrolling import Unrolled
from simnet.networks.network import Name
from simnet.report.drawing import draw, object_diagram
from simnet.report.trees import object_tree

#: An object is doubtful where a false one explains as much with a higher probability.
DOUBTFUL = 0.001

#: Intervals narrower than this are rounding, and said once for all coordinates.
EXACT = 1e-6


def verdict(found: Unrolled, coordinates: int, noise: float = 0.0) -> list[Text]:
    """What is certain and what is not: a judgement, then what it means.

    Parameters
    ----------
    found : Unrolled
    coordinates : int
        How many of the sketch were used.
    noise : float
        What was said to have been added to it.
    """
    if not len(found):
        return [
            Text("Nothing was found.", "bold red"),
            Text("Either no object is in it, or it was made by other matrices, or so few coordinates do not tell."),
        ]
    objects = "1 object" if len(found) == 1 else f"{len(found)} objects"
    places = "1 place" if found.places == 1 else f"{found.places} places"
    fitted = f"{objects} in {places}: {found.unknowns} numbers fitted to {coordinates} coordinates"
    if not found.certain:
        return [
            Text(f"Not certain. {fitted}, residual {found.residual:.1%} of the sketch.", "bold yellow"),
            Text(
                "Each object is more than chance explains, by the probability beside it. What is left says that others are "
                "missing, or that something stands in a wrong place; the intervals hold only where the wiring is right."
            ),
        ]
    names = "Only names are not in a sketch: objects are called after their modules."
    if noise:
        return [
            Text(f"Certain up to the noise. {fitted}, residual {found.residual:.1e} of the sketch.", "bold green"),
            Text(
                "No more is left than the noise: nothing that stands out of it is missing. The intervals say how well it "
                f"lets attributes be known, and a chance above {DOUBTFUL:g} that an object itself hides in it. {names}"
            ),
        ]
    return [
        Text(f"Certain. {fitted}, residual {found.residual:.1e} of the sketch.", "bold green"),
        Text(
            "So little does not come to be left by chance: these are the objects, no other is missing, and wiring, weights "
            f"and attributes are right within the intervals. {names}"
        ),
    ]


def doubtful(found: Unrolled) -> tuple[Name, ...]:
    """The objects that may not be there: all of them where the whole is not certain."""
    return tuple(name for name in found.structure.names if not found.certain or found.significance[name] > DOUBTFUL)


def significance(found: Unrolled, name: Name) -> str:
    """The probability that a false object explains as much."""
    chance = found.significance[name]
    return f"chance {chance:.0e}" if chance > 1e-300 else "chance < 1e-300"


def explained_tree(found: Unrolled, level: float = 0.95) -> Tree:
    """Objects with module and weight, attributes with intervals at that level, and significance."""
    intervals, unsure = found.interval(level), set(doubtful(found))

    def describe(name: Name) -> Text:
        x, (low, high) = found.attributes[name], np.moveaxis(intervals[name], -1, 0)
        reach = (high - low) / 2.0
        if reach.max() < EXACT:
            values = [f"{round(float(v), 6) + 0.0:.4g}" for v in x]
            rest = f", each ± {reach.max():.0e}"
        else:
            values = [f"{round(float(v), 3) + 0.0:.3f} ± {r:.3f}" for v, r in zip(x, reach, strict=True)]
            rest = ""
        labels = found.structure.network.module(found.structure[name].module).attribute_names
        if labels:
            values = [f"{label} {value}" for label, value in zip(labels, values, strict=True)]
        text = Text(", ".join(values) + rest)
        return text.append(f"  {significance(found, name)}", "yellow" if name in unsure else "dim")

    return object_tree(found.structure, list(found.attributes), describe)


def explained_picture(found: Unrolled, coordinates: int, title: str, noise: float = 0.0) -> Figure:
    """The objects with attributes and significance, broken outlines around what is doubtful."""
    said = " ".join(line.plain for line in verdict(found, coordinates, noise))
    notes = {name: significance(found, name) for name in found.structure.names}
    diagram = object_diagram(found.structure, list(found.attributes), notes=notes, doubtful=doubtful(found))
    return draw(diagram, title, caption=said)
