"""Film: the sketches of related runs gather in the plane as what they share grows.

Every run is a picture of ``THINGS`` things, of equal weight.  In frame ``k`` all runs of a group have ``k`` things in
common, and the rest are each run's own; no two groups have a thing in common.  The sketches alone are looked at: their
inner products, and the points in the plane that keep these best.  Beside them stands the law,
:func:`simnet.theory.kernel`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simnet.networks import Execution, Executions, ModularNetwork, Module, Slot
from simnet.randomness import stream
from simnet.report.animation import Film
from simnet.report.style import COLOURS, GREY, MARKERS, PAGE, dress
from simnet.sketcher import Sketcher
from simnet.theory import kernel

Array = NDArray[Any]

GROUPS, RUNS, THINGS = 3, 8, 36
ATTRIBUTE_DIM = 4


def thing(group: int, run: int, place: int, shared: int) -> str:
    """The module of what stands in a place of a run."""
    return f"thing {place} of group {group}" + ("" if place < shared else f", run {run}")


def network() -> ModularNetwork:
    """All things that there are, and a slot for each place of a picture."""
    kinds = [(g, r, shared) for g in range(GROUPS) for r in range(RUNS) for shared in (0, THINGS)]
    sources = [tuple(dict.fromkeys(thing(g, r, i, shared) for g, r, shared in kinds)) for i in range(THINGS)]
    modules = tuple(Module(name, ATTRIBUTE_DIM) for names in sources for name in names)
    return ModularNetwork(modules, tuple(Slot(names, 1.0 / THINGS) for names in sources))


def pictures(of: ModularNetwork, shared: int, seed: int) -> Executions:
    """The runs, group by group, when the runs of a group have that many things in common."""

    def picture(group: int, run: int) -> Execution:
        names = [thing(group, run, place, shared) for place in range(THINGS)]
        draws = [np.abs(stream(seed, "thing", name).standard_normal(ATTRIBUTE_DIM)) for name in names]
        objects: list[Any] = [(name, name, x / np.linalg.norm(x), [], []) for name, x in zip(names, draws, strict=True)]
        return Execution.from_objects(objects, outputs=[(name, 1.0 / THINGS) for name in names], network=of)

    return Executions.gather(picture(group, run) for group in range(GROUPS) for run in range(RUNS))


def in_the_plane(sketches: Array, like: Array) -> Array:
    """Classical scaling: the points ``(n, 2)`` whose inner products are nearest to those of the centred sketches.

    Any rotation of them is as good; the one nearest to the points ``like`` is returned.
    """
    centred = sketches - sketches.mean(axis=0)
    values, vectors = scipy.linalg.eigh(centred @ centred.T, subset_by_index=[len(centred) - 2, len(centred) - 1])
    points = vectors * np.sqrt(values)
    rotation, _ = scipy.linalg.orthogonal_procrustes(points, like)
    return points @ rotation


class Scenes(NamedTuple):
    """Of every frame: the points in the plane, the mean inner products within groups and between them, and their laws."""

    points: Array  # (frames, runs, 2)
    within: Array
    between: Array
    law: Array


def scenes(seed: int, sketch_dim: int = 2048) -> Scenes:
    """Run, encode and embed: lengths are in units of the length that a sketch has by its law."""
    of = network()
    sketcher = Sketcher(of, sketch_dim, seed=seed)
    group = np.repeat(np.arange(GROUPS), RUNS)
    same = (group[:, None] == group) & ~np.eye(len(group), dtype=bool)
    sketches, within, between, law = [], [], [], []
    for shared in range(THINGS + 1):
        runs = pictures(of, shared, seed)
        length = kernel(runs[0], runs[0])
        encoded = sketcher.encode(runs) / np.sqrt(length)
        gram = encoded @ encoded.T
        sketches.append(encoded)
        within.append(gram[same].mean())
        between.append(gram[group[:, None] != group].mean())
        law.append(kernel(runs[0], runs[1]) / length)
    angles = np.pi / 2 + 2 * np.pi * group / GROUPS
    # back from the last frame, where groups are clear, each frame turned like the one after it
    points = [np.stack([np.cos(angles), np.sin(angles)], axis=1)]
    for encoded in reversed(sketches):
        points.append(in_the_plane(encoded, points[-1]))
    return Scenes(np.array(points[:0:-1]), np.array(within), np.array(between), np.array(law))


def film(seed: int) -> Film:
    """The film: the plane on the left, the inner products on their law on the right."""
    seen = scenes(seed)
    figure, (plane, curve) = plt.subplots(1, 2, figsize=(PAGE, 3.4), width_ratios=(1, 1), layout="constrained")
    share = np.arange(THINGS + 1) / THINGS

    def draw(frame: int) -> None:
        plane.clear()
        curve.clear()
        for g in range(GROUPS):
            mine = seen.points[frame, g * RUNS : (g + 1) * RUNS].T
            plane.plot(*mine, ls="", color=COLOURS[g], marker=MARKERS[g], ms=6, alpha=0.8, mec="white", mew=0.5)
        reach = 1.1 * np.abs(seen.points).max()
        plane.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        plane.set_title(f"{frame} of {THINGS} things in common")
        plane.set_xlabel(f"{GROUPS} groups of {RUNS} runs: their sketches, in the plane")
        curve.plot(share, seen.law, color="black", lw=1.2, label="law, one group")
        curve.plot(share, 0.0 * seen.law, color=GREY, lw=1.2, label="law, two groups")
        shown = slice(0, frame + 1)
        curve.plot(share[shown], seen.within[shown], "o", color=COLOURS[0], ms=3.5, label="measured, one group")
        curve.plot(share[shown], seen.between[shown], "s", color=COLOURS[1], ms=3.5, label="measured, two groups")
        curve.set(xlim=(-0.03, 1.03), ylim=(-0.1, 1.1), xlabel="shared part", ylabel="⟨s, s̄⟩ / K(s, s)")
        curve.legend(loc="upper left", frameon=False)
        dress(curve)

    return Film(figure, draw, THINGS + 1)
