"""Rows of handwritten digits read by a trained network: one row unrolled, and a year of rows counted from one vector.

Needs the extra ``digits``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import simnet
from simnet.adapters.digits import COMBINED, DIGITS, HIDDEN, PLACES, DigitRows, Rows
from simnet.decoding.joint import unknowns_of
from simnet.demos.story import LEVEL, Say, Story, Told, answers, score
from simnet.memory import SketchStore
from simnet.report.style import BLUE, GREY, VERMILION

Array = NDArray[Any]

SKETCH_DIM, DAYS, STORAGE = 1024, 365, "float16"

#: The activations of a row are right if none is off by more.
EXACT = 1e-8


def unrolled(sketcher: simnet.Sketcher, sketch: Array, rows: Rows, day: int) -> tuple[list[Array], float]:
    """The activations in the sketch of a day, place by place, and how far the worst is from the truth."""
    found = sketcher.unroll(sketch)
    top = found.structure.outputs[0]
    places = () if top is None else found.structure[top].inputs
    modules = [found.structure[name].module for name in places if name is not None]
    if modules != [str(digit) for digit in rows.taken[day]]:
        return [], float("inf")
    hidden = [found.attributes[name] * rows.hidden_factor for name in places if name is not None]
    combined = found.attributes[top] * rows.combined_factor
    error = max(np.abs(combined - rows.combined[day]).max(), *np.abs(np.array(hidden) - rows.hidden[day]).max(axis=1))
    return [*hidden, combined], float(error)


def counted(sketcher: simnet.Sketcher, sketches: Array, rows: Rows) -> tuple[list[Told], str]:
    """How many of each digit there were in all days, the mean of the answers, and which way the sum was read."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SketchStore.create(Path(folder) / "year.sketches", sketcher, storage=STORAGE) as store,
    ):
        store.add(sketches)
        year = store.ask()
    truth = np.bincount(rows.taken.ravel(), minlength=DIGITS)
    told = []
    for digit in range(DIGITS):
        answer = year.count(str(digit))
        low, high = answer.interval(LEVEL)
        told.append(Told(f"digits taken for {digit}", float(answer), float(low), float(high), float(truth[digit])))
    mean, factor = year.mean_attribute("sum"), rows.combined_factor
    low, high = factor * mean.interval(LEVEL)[COMBINED]
    true_mean = float(rows.combined[:, COMBINED].mean())
    told.append(Told("mean of the sums", factor * float(mean.value[COMBINED]), float(low), float(high), true_mean))
    return told, year.reading.method


def tell(seed: int, say: Say) -> Story:
    """One row, and the year."""
    net = DigitRows.train(seed)
    rows = net.run(DAYS, seed)
    sketcher = simnet.Sketcher(net.network, SKETCH_DIM, seed=seed)
    sketches = sketcher.encode(rows.executions)
    right = float(np.mean(rows.taken == rows.labels))
    say(
        f"[bold]A network of perceptrons, trained on {DIGITS} handwritten digits, reads a row of {PLACES} every day of a "
        f"year.[/bold] What a place holds goes to the module of the digit that it is taken for, whose {HIDDEN} hidden "
        f"activations are its attributes; a last module adds the digits up. {right:.1%} of the images, none of which it "
        f"was trained on, are taken for what they are. Each day becomes a sketch of {SKETCH_DIM} numbers."
    )
    activations, error = unrolled(sketcher, sketches[0], rows, 0)
    taken = " ".join(str(digit) for digit in rows.taken[0])
    if error < EXACT:
        say(
            f"[green]The first day, from its sketch alone:[/green] digits {taken} in this order, and all "
            f"{PLACES * HIDDEN + COMBINED + 1} activations as they were, the worst off by {error:.0e}. They add up to "
            f"{activations[-1][-1]:.2f}, says the network, and the sketch."
        )
    else:
        say(f"[red]The first day, from its sketch alone:[/red] not what was there, which was {taken}.")
    told, method = counted(sketcher, sketches, rows)
    say(answers(told, f"All {DAYS} days from the sum of their sketches, {STORAGE} each", 3))
    ways = {
        "joint": f"The sum was read jointly: {SKETCH_DIM} numbers for the {unknowns_of(sketcher)} sums of all places of the "
        f"network, so that nothing but the rounding to {STORAGE} is left in the answers.",
        "matched": "The sum was read digit by digit (Law 2), with the crosstalk of all others.",
    }
    say(f"{ways[method]} What is counted is what the network took the images for, right or wrong.")
    say(score(told))
    return Story(tuple(told), draw(rows, activations, told))


def draw(rows: Rows, activations: Sequence[Array], told: Sequence[Told]) -> Figure:
    """The images of the first day over their activations, and the counts of the year."""
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    mosaic: list[Any] = [*([f"image {i}", f"bars {i}", "counts"] for i in range(PLACES))]
    axes: dict[str, Axes] = figure.subplot_mosaic(mosaic, width_ratios=(0.5, 1.5, 2.2))
    for i in range(PLACES):
        image, bars = axes[f"image {i}"], axes[f"bars {i}"]
        image.imshow(rows.images[0, i].reshape(8, 8), cmap="gray_r")
        image.set_axis_off()
        image.set_title(f"taken for {rows.taken[0, i]}")
        bars.bar(np.arange(HIDDEN), rows.hidden[0, i], color=GREY, alpha=0.5, label="activations")
        if activations:
            bars.plot(np.arange(HIDDEN), activations[i], ".", color=BLUE, ms=4, label="from the sketch")
        bars.set_xticks([])
    axes["bars 0"].set_title("hidden activations of the first day")
    axes["bars 0"].legend(frameon=False, ncols=2, loc="upper right")
    axes["bars 0"].set_ylim(0.0, 1.35 * float(rows.hidden[0, 0].max()))
    axes[f"bars {PLACES - 1}"].set_xlabel("unit")
    counts, digits = axes["counts"], np.arange(DIGITS)
    digit_answers = told[:DIGITS]
    counts.bar(digits, [t.truth for t in digit_answers], color=GREY, alpha=0.5, label="truth")
    values = np.array([t.value for t in digit_answers])
    reach = np.abs(np.array([[t.low, t.high] for t in digit_answers]).T - values)
    counts.errorbar(digits, values, reach, fmt="o", ms=4, color=BLUE, label=f"from one vector, {LEVEL:.0%} interval")
    for digit, t in enumerate(digit_answers):
        half = (t.high - t.low) / 2.0
        counts.text(digit, t.value + 4, f"±{half:.2f}", ha="center", fontsize=7, color=BLUE if t.right else VERMILION)
    counts.set_xticks(digits)
    counts.set_xlabel("digit")
    counts.set_ylim(0.0, 1.25 * max(t.truth for t in digit_answers))
    counts.set_title(f"How many of each in {DAYS} days")
    counts.legend(frameon=False, loc="upper center", ncols=2)
    return figure
