"""Networks and objects as trees on a terminal: from root down, each thing with what fills its slots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from rich.tree import Tree

from simnet.networks import Execution, ModularNetwork, Structure
from simnet.networks.network import ROOT, Name, Slot

Array = NDArray[Any]

LEVELS = "▁▂▃▄▅▆▇█"

#: A tree stops after so many lines, and below so many levels, and says so.
MOST_LINES, MOST_LEVELS = 400, 40


def bars(values: Array, scale: float) -> str:
    """A vector as small bars: a dot for 0, the full height for ``scale``, a sign before what is negative.

    Examples
    --------
    >>> from simnet.report.trees import bars
    >>> bars([0.0, 0.1, 0.5, 1.0], 1.0)
    '·▁▄█'
    """
    scale = scale or 1.0
    text = ""
    for value in np.asarray(values, float).tolist():
        level = min(int(np.ceil(abs(value) / scale * len(LEVELS) - 1e-9)), len(LEVELS))
        text += "·" if level == 0 else ("-" if value < 0.0 else "") + LEVELS[level - 1]
    return text


class _Lines:
    """A tree that grows to no more than what fits: branches know their level."""

    def __init__(self) -> None:
        self.left, self.dropped = MOST_LINES, 0
        self.level: dict[int, int] = {}

    def add(self, above: Tree, line: Text) -> Tree | None:
        level = self.level.get(id(above), 0) + 1
        if not self.left or level > MOST_LEVELS:
            self.dropped += 1
            return None
        self.left -= 1
        branch = above.add(line)
        self.level[id(branch)] = level
        return branch

    def done(self, tree: Tree) -> Tree:
        if self.dropped:
            tree.add(Text(f"… and {self.dropped} more branches", "dim"))
        return tree


def network_tree(network: ModularNetwork, run: Execution | None = None) -> Tree:
    """The modules of a network below the slots that they may fill, each with the objects that a run made.

    A module that several others look at is unfolded where it first stands.

    Parameters
    ----------
    network : ModularNetwork
    run : Execution, optional
    """
    made: dict[Name, list[Array]] = {}
    if run is not None:
        for name, x in zip(run.structure.modules, run.attributes, strict=True):
            made.setdefault(name, []).append(x)
    scale = max((float(np.abs(x).max()) for each in made.values() for x in each), default=1.0)
    lines = _Lines()
    seen: set[Name] = set()
    tree = Tree(Text(ROOT, "bold"))

    def unfold(above: Tree, slots: Sequence[Slot]) -> None:
        for numbers, slot in _alike(slots):
            which = f"slot {numbers[0]}" if len(numbers) == 1 else f"slots {numbers[0]}–{numbers[-1]}"
            weight = f"{which}, weight {slot.weight:.3g}" + (" each" if len(numbers) > 1 else "")
            if len(slot.sources) == 1:
                module(above, slot.sources[0], weight)
            else:
                inner = lines.add(above, Text(f"{weight}: {'one of' if slot.sources else 'empty'}", "dim"))
                for source in slot.sources if inner is not None else ():
                    module(inner, source, "")

    def module(above: Tree | None, name: Name, where: str) -> None:
        if above is None:
            return
        known = network.module(name)
        line = Text.assemble((str(name), "bold"), (f"  a = {known.attribute_dim}", "dim"))
        if name in seen:
            line = Text.assemble((str(name), "bold"), ("  as above", "dim"))
        elif run is not None:
            objects = made.get(name, [])
            count = "" if len(objects) == 1 else f"  {len(objects)} objects" if objects else "  no object"
            line.append(count, "dim")
            for x in objects:
                line.append("  ").append(bars(x, scale), "yellow")
        if where:
            line = Text.assemble((f"{where}: ", "dim"), line)
        inner = lines.add(above, line)
        if name not in seen and inner is not None:
            seen.add(name)
            unfold(inner, known.slots)

    unfold(tree, network.outputs)
    return lines.done(tree)


def _alike(slots: Sequence[Slot]) -> list[tuple[list[int], Slot]]:
    """Neighbouring slots that may hold the same, by one weight, together."""
    groups: list[tuple[list[int], Slot]] = []
    for number, slot in enumerate(slots):
        if groups and groups[-1][1] == slot and len(slot.sources) != 1:
            groups[-1][0].append(number)
        else:
            groups.append(([number], slot))
    return groups


def object_tree(structure: Structure, attributes: Sequence[Array], describe: Callable[[Name], Text] | None = None) -> Tree:
    """Objects below the slots that they fill, with their attributes as bars.

    An object in several slots is unfolded where it first stands.

    Parameters
    ----------
    structure : Structure
    attributes : sequence of (a,) arrays
        One for each object.
    describe : callable, optional
        What else is said of an object, from its name.
    """
    scale = max((float(np.abs(x).max()) for x in attributes), default=1.0)
    lines = _Lines()
    seen: set[Name] = set()
    tree = Tree(Text(ROOT, "bold"))

    def unfold(above: Tree, inputs: Sequence[Name | None], weights: Sequence[float]) -> None:
        for slot, (name, weight) in enumerate(zip(inputs, weights, strict=True)):
            if name is None:
                continue
            node = structure[name]
            line = Text.assemble((f"slot {slot}, weight {weight:.3g}: ", "dim"), (str(name), "bold"))
            if str(node.module) != str(name):
                line.append(f"  of {node.module}", "dim")
            if name in seen:
                line.append("  as above", "dim")
                lines.add(above, line)
                continue
            seen.add(name)
            line.append("  ").append(bars(attributes[structure.position(name)], scale), "yellow")
            if describe is not None:
                line.append("  ").append_text(describe(name))
            inner = lines.add(above, line)
            if inner is not None:
                unfold(inner, node.inputs, node.weights)

    unfold(tree, structure.outputs, structure.output_weights)
    return lines.done(tree)
