"""Film: one run of a modular network, from its inputs up, with the sketch of every object as it is made.

Objects light up level by level.  What an object takes in flows along its edges, a dot as large as the weight; beside it
stand the first coordinates of its own sketch ``s_obj``, and above all of them those of the sketch of the run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from simnet.networks import Execution, layered
from simnet.report.animation import Film
from simnet.report.style import BLUE, GREY, ORANGE, PAGE
from simnet.sketcher import Sketcher

Array = NDArray[Any]

#: Coordinates shown of an object's sketch, and of the sketch of the run.
STRIP, LONG_STRIP = 8, 32

#: Frames that a level takes: the dots travel, then the objects light up.
TRAVEL, LIGHT = 10, 4


class Edge(NamedTuple):
    """From an object to what takes it in; ``root`` stands behind the last object."""

    source: int
    target: int
    slot: int
    weight: float


class Run(NamedTuple):
    """A run with the sketches of its objects, its edges, and where each object stands, ``root`` at the top."""

    sketcher: Sketcher
    execution: Execution
    sketches: Array  # (objects, d)
    sketch: Array  # (d,)
    edges: list[Edge]
    levels: Array  # (objects + 1,)
    places: Array  # (objects + 1, 2)


def run_of(seed: int, sketch_dim: int = 1024) -> Run:
    """One run of a layered network, and all its sketches."""
    net = layered(widths=(5, 4, 3, 2), attribute_dim=6, fan_in=2, seed=seed)
    execution = net.run(1, seed=seed + 1)[0]
    sketcher, s = Sketcher(net, sketch_dim, seed=seed), execution.structure
    inner = sketcher.object_sketches(s, [x[None] for x in execution.attributes], np.ones((1, len(s))), s.edge_weights[None])
    slots = [*zip(s.inputs, s.weights, strict=True), (s.outputs, s.output_weights)]
    edges = [
        Edge(s.positions[name], target, slot, weight)
        for target, (names, weights) in enumerate(slots)
        for slot, (name, weight) in enumerate(zip(names, weights, strict=True))
        if name is not None
    ]
    levels = np.append(s.height - np.array(s.longest_depths), s.height)
    places = standing(levels, edges)
    return Run(sketcher, execution, sketcher.to_stored(inner[:, 0]), sketcher.encode(execution), edges, levels, places)


def standing(levels: Array, edges: list[Edge]) -> Array:
    """Where objects stand, level by level from the top: below what takes them in, so that few edges cross."""
    places = np.zeros((len(levels), 2))
    for level in range(int(levels[-1]), -1, -1):
        mine = np.flatnonzero(levels == level)
        above = [np.mean([places[e.target, 0] for e in edges if e.source == k] or [0.5]) for k in mine]
        places[mine[np.argsort(above, kind="stable")], 0] = (np.arange(len(mine)) + 0.5) / len(mine)
        places[mine, 1] = level
    return places


def film(seed: int) -> Film:
    """The film."""
    run = run_of(seed)
    top = int(run.levels[-1])
    # how many levels shine, and how far the dots are on their way to the next
    times = [(0, 0.0)] * LIGHT
    for level in range(top + 1):
        times += [(level, i / (TRAVEL + 1)) for i in range(1, TRAVEL + 1) if level]
        times += [(level + 1, 0.0)] * LIGHT
    titles = {0: "a run of a modular network", 1: "every input object has a sketch of its own"}
    titles[top + 1] = f"the sketch of the run: {LONG_STRIP} of {len(run.sketch)} coordinates, {STRIP} of every object's"
    figure, axes = plt.subplots(figsize=(PAGE, 4.6), layout="constrained")

    def draw(frame: int) -> None:
        lit, way = times[frame]
        axes.clear()
        axes.set_axis_off()
        for edge in run.edges:
            _edge(axes, run, edge, lit, way)
        for k in range(len(run.levels)):
            _node(axes, run, k, bool(run.levels[k] < lit))
        axes.set(xlim=(0.0, 1.04), ylim=(-0.45, top + 0.55))
        flowing = "sketches flow up, each times its weight, through the matrix of its slot"
        axes.set_title(titles.get(lit, flowing) if way == 0.0 else flowing)

    return Film(figure, draw, len(times), rest=3.0)


def _edge(axes: Axes, run: Run, edge: Edge, lit: int, way: float) -> None:
    """An edge as thick as its weight; the weight in figures, and a dot on it, while it carries something."""
    ends = run.places[[edge.source, edge.target]]
    done, carries = run.levels[edge.target] < lit, way > 0.0 and run.levels[edge.target] == lit
    colour, alpha = (BLUE, 0.7) if done or carries else (GREY, 0.35)
    axes.plot(*ends.T, lw=0.5 + 3.0 * edge.weight, zorder=1, color=colour, alpha=alpha)
    if carries:
        # near its end, the second slot nearer than the first: there the figures of two edges are apart
        text, dot = (ends[0] + part * (ends[1] - ends[0]) for part in (0.6 + 0.18 * edge.slot, way))
        box = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"}
        axes.text(text[0], text[1], f"{edge.weight:.2f}", fontsize=7, ha="center", va="center", bbox=box, zorder=2)
        axes.plot(*dot, "o", color=ORANGE, mec="black", mew=0.5, ms=3.0 + 9.0 * edge.weight, zorder=4)


def _node(axes: Axes, run: Run, k: int, shines: bool) -> None:
    """An object, and the strip of its sketch once it shines: each strip on a scale of its own."""
    x, y = run.places[k]
    root = k == len(run.sketches)
    axes.plot(x, y, "s" if root else "o", ms=13, mfc=ORANGE if shines else "white", mec="black", mew=0.8, zorder=5)
    axes.text(x, y, "s" if root else str(run.execution.structure.names[k]), fontsize=7, ha="center", va="center", zorder=6)
    if shines:
        strip = run.sketch[:LONG_STRIP] if root else run.sketches[k, :STRIP]
        left, width, height, peak = x + 0.022, 0.011 * len(strip), 0.22, np.abs(strip).max()
        box = (left, left + width, y - height / 2, y + height / 2)
        axes.imshow(strip[None], extent=box, aspect="auto", cmap="PuOr", vmin=-peak, vmax=peak, zorder=3)
        axes.add_patch(Rectangle((left, y - height / 2), width, height, fill=False, lw=0.6, zorder=3))
