"""Drawings of networks, executions and wirings: boxes in layers, lines as wide as weights, attributes as bars.

A :class:`Diagram` says what is to be seen, :func:`draw` lays it out and draws it: one diagram, or several side by side.
Everything is measured in points, text by its outline, so that no label meets another at any size of the figure.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cbook import is_math_text
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from simnet.checks import shown
from simnet.files import written_whole
from simnet.late import networkx as nx
from simnet.networks import Execution, ModularNetwork, Structure
from simnet.networks.network import ROOT, Name
from simnet.report.layout import Layout, arrange
from simnet.report.style import BLUE, GREY, VERMILION

Array = NDArray[Any]
Key = Hashable

#: More boxes than this are no drawing that anyone can read.
MOST_BOXES = 400

#: Of text, in points: labels, what is written beside them, titles.
LABEL, NOTE, TITLE = 8.0, 6.5, 10.0

#: Of lines: without any weight, what a weight of 1 adds, and where the weight is not known.
THIN, WIDE, PLAIN = 0.5, 5.0, 1.5

#: Panels that together are wider than this stand below each other.
MOST_WIDE = 640.0

MARGIN, PAD, STRIP, BETWEEN, LEADING = 14.0, 4.0, 13.0, 34.0, 3.5

#: Longer labels are cut.
LETTERS = 26


@dataclass(frozen=True)
class Box:
    """A module or an object: what it is called, the attribute vectors in it, each with a label, and what else is said.

    ``doubtful`` boxes have a broken outline, ``marked`` ones another colour.
    """

    label: str
    strips: tuple[tuple[str, Array], ...] = ()
    note: str = ""
    doubtful: bool = False
    marked: bool = False


@dataclass(frozen=True)
class Line:
    """From an input to its consumer, by a weight where one is known; a line that is only ``possible`` is broken."""

    source: Key
    target: Key
    weight: float | None
    possible: bool = False


@dataclass(frozen=True)
class Diagram:
    """Boxes by key, and the lines between them: no cycle, and one line at most from one box to another."""

    boxes: Mapping[Key, Box]
    lines: Sequence[Line] = field(default_factory=tuple)

    @property
    def graph(self) -> nx.DiGraph[Any]:
        """Of the keys."""
        graph: nx.DiGraph[Any] = nx.DiGraph()
        graph.add_nodes_from(self.boxes)
        graph.add_edges_from((line.source, line.target) for line in self.lines)
        return graph


def network_diagram(network: ModularNetwork, run: Execution | None = None) -> Diagram:
    """The modules of a network and its slots, and in each module the objects that a run made.

    The width of a line is the weight of the slots that the source may fill, added up; with a run it is the weight with
    which its objects stand in an object of the consumer, in the mean over these.  A line is broken where several modules may
    fill a slot or, with a run, where this one did not.

    Parameters
    ----------
    network : ModularNetwork
    run : Execution, optional
        Of that network, or of some of its modules.

    Examples
    --------
    >>> import simnet
    >>> from simnet.report.drawing import network_diagram
    >>> net = simnet.networks.tree(height=2, branching=2, attribute_dim=3)
    >>> [(line.source, line.target) for line in network_diagram(net, net.run(1)[0]).lines]
    [(1, 0), (2, 0), (0, 'root')]
    """
    made: dict[Name, list[tuple[str, Array]]] = {}
    used: dict[tuple[Name, Name], float] = {}
    if run is not None:
        s = run.structure
        for name, module, x in zip(s.names, s.modules, run.attributes, strict=True):
            made.setdefault(module, []).append((str(name), x))
        filled = [*zip(s.modules, s.inputs, s.weights, strict=True), (ROOT, s.outputs, s.output_weights)]
        for module, inputs, weights in filled:
            for source, weight in zip(inputs, weights, strict=True):
                if source is not None:
                    ends = s.modules[s.position(source)], module
                    used[ends] = used.get(ends, 0.0) + weight / (1 if module == ROOT else len(made[module]))
    boxes: dict[Key, Box] = {}
    for m in network.modules:
        strips = made.get(m.name, [])
        own = len(strips) == 1 and strips[0][0] == str(m.name)
        named = tuple(("" if own else label, x) for label, x in strips)
        boxes[m.name] = Box(str(m.name), named, doubtful=run is not None and not strips)
    boxes[ROOT] = Box(ROOT, marked=True)
    lines = []
    for consumer, slots in [*((m.name, m.slots) for m in network.modules), (ROOT, network.outputs)]:
        possible: dict[Name, float] = {}
        alone: set[Name] = set()
        for slot in slots:
            for source in slot.sources:
                possible[source] = possible.get(source, 0.0) + slot.weight
            alone |= set(slot.sources) if len(slot.sources) == 1 else set()
        for source, weight in possible.items():
            if run is None:
                lines.append(Line(source, consumer, weight, source not in alone))
            else:
                share = used.get((source, consumer), 0.0)
                lines.append(Line(source, consumer, share, (source, consumer) not in used))
    return Diagram(boxes, tuple(lines))


def object_diagram(
    structure: Structure,
    attributes: Sequence[Array] | None = None,
    *,
    notes: Mapping[Name, str] | None = None,
    doubtful: Iterable[Name] = (),
) -> Diagram:
    """The objects of an execution, or those found in a sketch, what fills their slots, and their attributes.

    Parameters
    ----------
    structure : Structure
    attributes : sequence of (a,) arrays, optional
        One for each object.
    notes : mapping from name to str, optional
        What else is written in a box.
    doubtful : names
        Objects that are drawn with a broken outline.
    """
    unsure, notes = set(doubtful), notes or {}
    boxes: dict[Key, Box] = {}
    lines: list[Line] = []
    for k, name in enumerate(structure.names):
        strips = () if attributes is None else (("", np.asarray(attributes[k])),)
        boxes["object", name] = Box(str(name), strips, notes.get(name, ""), doubtful=name in unsure)
    boxes[ROOT] = Box(ROOT, marked=True)
    ends: list[tuple[Key, Any, Any]] = [
        *((("object", n), i, w) for n, i, w in zip(structure.names, structure.inputs, structure.weights, strict=True)),
        (ROOT, structure.outputs, structure.output_weights),
    ]
    for consumer, inputs, weights in ends:
        total: dict[Name, float] = {}
        for name, weight in zip(inputs, weights, strict=True):
            if name is not None:
                total[name] = total.get(name, 0.0) + weight
        lines += [Line(("object", name), consumer, weight) for name, weight in total.items()]
    return Diagram(boxes, tuple(lines))


def draw(
    panels: Diagram | Mapping[str, Diagram],
    title: str = "",
    *,
    caption: str = "",
    broken: str = "not certain",
    possible: str = "may fill the slot, did not here",
) -> Figure:
    """A figure of one diagram, or of several under their titles: side by side, or below each other where they are wide.

    Parameters
    ----------
    panels : Diagram, or mapping from title to Diagram
    title : str
    caption : str
        Below; what line widths and bars mean is always said.
    broken : str
        What a broken outline means.
    possible : str
        What a broken line means.

    Raises
    ------
    ValueError
        If a diagram has no boxes, or more than can be read.

    Examples
    --------
    >>> import simnet
    >>> from simnet.report.drawing import draw, network_diagram
    >>> net = simnet.networks.layered(widths=(6, 4, 2))
    >>> figure = draw(network_diagram(net, net.run(1, seed=1)[0]), "layered")
    """
    named = {"": panels} if isinstance(panels, Diagram) else dict(panels)
    for diagram in named.values():
        if not 1 <= len(diagram.boxes) <= MOST_BOXES:
            raise ValueError(f"diagram: has {len(diagram.boxes)} boxes, must have between 1 and {MOST_BOXES} to be readable")
    values = [x for d in named.values() for box in d.boxes.values() for _, x in box.strips]
    scale = max((float(np.max(np.abs(x), initial=0.0)) for x in values), default=0.0) or 1.0
    signed = any(bool((x < -0.02 * scale).any()) for x in values)  # not by rounding or a little noise
    layouts = [
        arrange(diagram.graph, {key: size_of(box) for key, box in diagram.boxes.items()}) for diagram in named.values()
    ]
    above = LABEL + 10.0 if any(named) else 0.0
    corners, width, tall = _places(layouts, [text_width(heading, LABEL, bold=True) for heading in named], above)
    width = max(width, 300.0, text_width(title, TITLE, bold=True))
    lines = [line for diagram in named.values() for line in diagram.lines]
    weighted = any(line.weight is not None for line in lines)
    said = [
        "Lines: width is weight." if weighted else "",
        f"Broken lines: {possible}." if any(line.possible for line in lines) else "",
        f"Bars: attributes, {'up and down' if signed else 'full height'} {scale:.2g}." if values else "",
        f"Broken outlines: {broken}." if any(box.doubtful for d in named.values() for box in d.boxes.values()) else "",
    ]
    below = [*_wrapped(caption, width), *_wrapped(" ".join(said), width)]
    step, key = NOTE + LEADING, 22.0 if weighted else 10.0
    head, foot = TITLE + 12.0 if title else 0.0, step * len(below) + key
    figure = Figure(figsize=((width + 2 * MARGIN) / 72.0, (tall + head + foot + 2 * MARGIN) / 72.0), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-MARGIN, width + MARGIN)
    axes.set_ylim(-MARGIN - foot, tall + head + MARGIN)
    for (heading, diagram), layout, (x, y, top) in zip(named.items(), layouts, corners, strict=True):
        _text(axes, x, top - LABEL, heading, LABEL, weight="bold")
        _draw_diagram(axes, diagram, layout, (x, y), scale, signed)
    _text(axes, 0.0, tall + head, title, TITLE, weight="bold", va="top")
    for i, text in enumerate(below):
        _text(axes, 0.0, -foot + step * (len(below) - 1 - i), text, NOTE, color=GREY, va="bottom")
    if weighted:
        _width_key(axes, -foot + step * len(below) + 7.0)
    return figure


def _places(
    layouts: Sequence[Layout], headings: Sequence[float], above: float
) -> tuple[list[tuple[float, float, float]], float, float]:
    """Of each panel its lower left corner and its top, ``above`` its boxes; then the width and the height of all."""
    widths = [max(layout.width, heading) for layout, heading in zip(layouts, headings, strict=True)]
    across = sum(widths) + BETWEEN * (len(widths) - 1)
    if across <= MOST_WIDE:
        tall = max(layout.height for layout in layouts)
        lefts = np.cumsum([0.0, *(wide + BETWEEN for wide in widths[:-1])])
        corners = [(float(x), (tall - layout.height) / 2.0, tall + above) for x, layout in zip(lefts, layouts, strict=True)]
        return corners, across, tall + above
    corners, bottom = [], 0.0
    for layout in reversed(layouts):
        corners.append((0.0, bottom, bottom + layout.height + above))
        bottom += layout.height + above + BETWEEN / 2.0
    return corners[::-1], max(widths), bottom - BETWEEN / 2.0


def _wrapped(text: str, width: float) -> list[str]:
    """Lines of notes no wider than that, but for single words that are."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, NOTE) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]


def size_of(box: Box) -> tuple[float, float]:
    """Width and height of a box with its label, note and strips."""
    text = max(text_width(shortened(box.label), LABEL, bold=True), text_width(shortened(box.note), NOTE))
    strips = max((_name_width(shortened(label)) + bar_width(x) * len(x) for label, x in box.strips), default=-PAD)
    lines = LABEL + (NOTE + LEADING if box.note else 0.0)
    return text + strips + 3.0 * PAD, max(lines, (STRIP + 2.0) * len(box.strips) - 2.0) + 2.0 * PAD


def _name_width(label: str) -> float:
    return text_width(label, NOTE) + PAD if label else 0.0


def bar_width(x: Array) -> float:
    """Of one bar: many are narrow."""
    return float(np.clip(64.0 / max(len(x), 1), 0.8, 5.0))


def shortened(text: str) -> str:
    """A label of no more than :data:`LETTERS` letters, without what matplotlib would take for mathematics."""
    text = text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
    return text.replace("$", r"\$")


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """In points."""
    mathematics = bool(is_math_text(text))  # as matplotlib tells, which writes an escaped dollar as a dollar elsewhere
    written = text if mathematics else text.replace(r"\$", "$")
    outline, _ = text_to_path.get_text_path(FontProperties(weight="bold" if bold else "normal"), written, mathematics)
    if not len(outline):  # of spaces
        return 0.0
    # pixels make letters wider than their outlines by some per cent
    return 1.07 * size / text_to_path.FONT_SCALE * float(np.max(outline, axis=0)[0]) + 1.5


def _text(axes: Axes, x: float, y: float, text: str, size: float, **style: Any) -> None:
    if text:
        axes.text(x, y, text, fontsize=size, **({"va": "center", "ha": "left"} | style))


def _draw_diagram(
    axes: Axes, diagram: Diagram, layout: Layout, shift: tuple[float, float], scale: float, signed: bool
) -> None:
    ports = _ports(diagram, layout)
    for line in diagram.lines:
        style: dict[str, Any] = {"edgecolor": GREY, "linestyle": (0, (2, 2)), "lw": 0.7, "alpha": 0.8}
        if not line.possible:
            width = PLAIN if line.weight is None else THIN + WIDE * min(line.weight, 1.0)
            style = {"edgecolor": BLUE, "alpha": 0.45, "lw": width}
        first, last = ports[line.source, line.target]
        points = np.array([first, *layout.routes[line.source, line.target], last]) + np.array(shift)
        axes.add_patch(PathPatch(_smooth(points), facecolor="none", capstyle="butt", zorder=1, **style))
    bars: list[Rectangle] = []
    for key, box in diagram.boxes.items():
        x, y = (float(a + b) for a, b in zip(layout.centres[key], shift, strict=True))
        bars += _draw_box(axes, box, (x, y), scale, signed)
    axes.add_collection(PatchCollection(bars, facecolor=VERMILION, edgecolor="none", zorder=3))


def _draw_box(axes: Axes, box: Box, centre: tuple[float, float], scale: float, signed: bool) -> list[Rectangle]:
    """The box with its texts; its bars are returned, for all of a diagram to be drawn at once."""
    (x, y), (w, h) = centre, size_of(box)
    outline = {"linestyle": (0, (3, 2)), "edgecolor": GREY} if box.doubtful else {"edgecolor": "black"}
    outline |= {"facecolor": "#eeeeee"} if box.marked else {"facecolor": "white"}
    left, right = x - w / 2.0 + PAD, x + w / 2.0 - PAD
    shape = "round,pad=0,rounding_size=3"
    axes.add_patch(FancyBboxPatch((x - w / 2.0, y - h / 2.0), w, h, shape, lw=0.8, zorder=2, **outline))
    style = {"zorder": 3, "va": "center_baseline"}
    up = (NOTE + LEADING) / 2.0 if box.note else 0.0
    _text(axes, left, y + up, shortened(box.label), LABEL, weight="bold", **style)
    _text(axes, left, y - (LABEL + LEADING) / 2.0, shortened(box.note), NOTE, color=GREY, **style)
    bars = []
    start = right - max((bar_width(values) * len(values) for _, values in box.strips), default=0.0)
    for i, (label, values) in enumerate(box.strips):
        middle = y + ((len(box.strips) - 1) / 2.0 - i) * (STRIP + 2.0)
        _text(axes, start - PAD, middle, shortened(label), NOTE, ha="right", **style)
        base, reach = (middle, STRIP / 2.0) if signed else (middle - STRIP / 2.0, STRIP)
        width = bar_width(values)
        axes.plot([start, start + width * len(values)], [base, base], color=GREY, lw=0.4, zorder=3)
        for j, value in enumerate(np.clip(values / scale, -1.0, 1.0)):
            bars.append(Rectangle((start + (j + 0.1) * width, base), 0.8 * width, reach * float(value)))
    return bars


def _ports(diagram: Diagram, layout: Layout) -> dict[tuple[Key, Key], tuple[Array, Array]]:
    """Where each line leaves its source and enters its target: along their sides, in the order of the other ends."""
    sizes = {key: size_of(box) for key, box in diagram.boxes.items()}
    ends: dict[tuple[Key, int], list[tuple[float, Line]]] = {}
    for line in diagram.lines:
        route = layout.routes[line.source, line.target]
        first = route[0, 1] if len(route) else layout.centres[line.target][1]
        last = route[-1, 1] if len(route) else layout.centres[line.source][1]
        ends.setdefault((line.source, 1), []).append((float(first), line))
        ends.setdefault((line.target, -1), []).append((float(last), line))
    places: dict[tuple[Key, Key, int], Array] = {}
    for (key, side), lines in ends.items():
        (x, y), (w, h) = layout.centres[key], sizes[key]
        step = min(8.0, (h - 4.0) / max(len(lines), 1))
        ordered = sorted(lines, key=lambda entry: entry[0])
        for i, (_, line) in enumerate(ordered):
            up = (i - (len(lines) - 1) / 2.0) * step
            places[line.source, line.target, side] = np.array([x + side * w / 2.0, y + up])
    return {
        (line.source, line.target): (places[line.source, line.target, 1], places[line.source, line.target, -1])
        for line in diagram.lines
    }


def _smooth(points: Array) -> Path:
    """Straight between the first and second of each pair of passed points, curves with level ends elsewhere."""
    vertices, codes = [points[0]], [Path.MOVETO]
    for i, (a, b) in enumerate(pairwise(points)):
        if i % 2:
            vertices.append(b)
            codes.append(Path.LINETO)
        else:
            bend = np.array([(b[0] - a[0]) / 2.0, 0.0])
            vertices += [a + bend, b - bend, b]
            codes += [Path.CURVE4] * 3
    return Path(np.array(vertices), codes)


def _width_key(axes: Axes, y: float) -> None:
    """Lines of three weights, with these beside them."""
    left = 0.0
    for weight in (0.1, 0.5, 1.0):
        axes.plot([left, left + 16.0], [y, y], color=BLUE, alpha=0.45, lw=THIN + WIDE * weight, solid_capstyle="butt")
        text = f"{weight:g}"
        _text(axes, left + 20.0, y, text, NOTE, color=GREY, va="center_baseline")
        left += 20.0 + text_width(text, NOTE) + 12.0


def write_drawing(figure: Figure, path: Any) -> None:
    """To a file whose ending says which kind: ``.svg``, ``.png`` or ``.pdf``.

    Raises
    ------
    ValueError
        For another ending.
    """
    ending = str(path).rpartition(".")[2].lower()
    if ending not in ("svg", "png", "pdf"):
        raise ValueError(f"output = {shown(str(path))}: must end in .svg, .png or .pdf")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)
    with written_whole(path) as file:
        figure.savefig(file, format=ending, dpi=150, metadata=metadata)
