"""How answers widen as the end of a sketch is dropped, and which of them fall off an edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.table import Table

import simnet
from simnet.claims.unrolling import is_right
from simnet.demos.story import LEVEL, Say, Story, Told, score
from simnet.networks import Execution
from simnet.report.style import BLUE, GREEN, GREY, VERMILION

Array = NDArray[np.float64]

SKETCH_DIM, ATTRIBUTE_DIM, WIDTHS = 8192, 4, (3, 2)

#: How many coordinates are kept.
KEPT = (8192, 2048, 512, 128, 64, 24, 12)

#: Unrolling is tried from this many coordinates for each unknown of each place: below it may take long.
TRIED = 2.0

#: What is called exact: some thousand times rounding.
EXACT = 1e-9


@dataclass(frozen=True, eq=False)
class Prefix:
    """What so many coordinates say.

    Attributes
    ----------
    kept : int
    estimate, intervals : (a,) and (a, 2) array
        Of the attributes of one output, by the matched decoder.
    law : float
        The root mean square error of the first of them by Law 1.
    exact : float or None
        The largest error of any attribute of any object by least squares; ``None`` with fewer coordinates than attributes.
    unrolled : bool or None
        Whether the whole wiring came out; ``None`` where it was not tried.
    """

    kept: int
    estimate: Array
    intervals: Array
    law: float
    exact: float | None
    unrolled: bool | None


def measure(seed: int) -> tuple[Execution, Sequence[Prefix]]:
    """One execution, and what each prefix of its sketch says of it."""
    network = simnet.networks.layered(widths=WIDTHS, attribute_dim=ATTRIBUTE_DIM, seed=seed)
    ex = network.run(1, seed)[0]
    sketcher = simnet.Sketcher(network, SKETCH_DIM, seed=seed)
    sketch = sketcher.encode(ex)
    attributes = sum(ex.structure.attribute_dims)
    unknowns = (ATTRIBUTE_DIM + 1) * ex.structure.places
    output = len(ex.objects) - 1
    prefixes = []
    for kept in KEPT:
        part = sketch[:kept]
        matched = sketcher.decode(part, ex.structure)
        exact, unrolled = None, None
        if kept >= attributes:
            solved = sketcher.decode(part, ex.structure, "least_squares")
            exact = max(float(np.abs(a - b).max()) for a, b in zip(solved.attributes, ex.attributes, strict=True))
        if kept >= TRIED * unknowns:
            unrolled = is_right(sketcher.unroll(part), ex)
        law = simnet.theory.attribute_mse(ex, output, sketch_dim=SKETCH_DIM, kept=kept)
        intervals = matched.interval(LEVEL)[output]
        prefixes.append(Prefix(kept, matched.attributes[output], intervals, float(law[0]) ** 0.5, exact, unrolled))
    return ex, prefixes


def tell(seed: int, say: Say) -> Story:
    """One sketch, cut shorter and shorter."""
    ex, prefixes = measure(seed)
    truth, output = ex.attributes[-1], ex.objects[-1]
    attributes = sum(ex.structure.attribute_dims)
    unknowns = (ATTRIBUTE_DIM + 1) * ex.structure.places
    say(
        f"[bold]A network of {len(ex.structure)} modules ran once; its sketch has {SKETCH_DIM} numbers.[/bold] Any "
        f"beginning of it is a sketch of the same run, by the beginnings of the same matrices. Asked are the attributes "
        f"of object {output.name}, an output: {', '.join(f'{x:.3f}' for x in truth)}."
    )
    table = Table(title=f"the first attribute of object {output.name}, truth {truth[0]:.3f}", title_justify="left")
    for name in (
        "numbers kept",
        "matched",
        f"{LEVEL:.0%} interval",
        "half of it",
        "Law 1: ±",
        "least squares, all objects",
        "unrolled",
    ):
        table.add_column(name, justify="right")
    for p in prefixes:
        low, high = p.intervals[0]
        table.add_row(
            str(p.kept),
            f"{p.estimate[0]:.3f}",
            f"{low:.3f} to {high:.3f}",
            f"{(high - low) / 2.0:.3f}",
            f"{1.96 * p.law:.3f}",
            f"[red]fewer than {attributes} numbers[/red]" if p.exact is None else f"wrong by {p.exact:.0e}",
            "not tried" if p.unrolled is None else "all right" if p.unrolled else "[red]not right[/red]",
        )
    say(table)
    say(
        f"[bold]Matched[/bold] needs nothing but the place of the object: a quarter of the numbers, twice the interval, "
        f"and no edge. [bold]Least squares[/bold] knows which objects there are: exact down to as many numbers as there "
        f"are attributes, {attributes}, and nothing below. [bold]Unrolling[/bold] knows only the modules: it has "
        f"{unknowns} unknowns here, and was tried from {TRIED:g} numbers for each."
    )
    told = tuple(
        Told(f"attribute {j} from {p.kept}", float(p.estimate[j]), float(low), float(high), float(truth[j]))
        for p in prefixes
        for j, (low, high) in enumerate(p.intervals)
    )
    say(score(told))
    return Story(told, draw(prefixes, float(truth[0]), attributes))


def draw(prefixes: Sequence[Prefix], truth: float, attributes: int) -> Figure:
    """Intervals around the truth, and errors against what is kept."""
    kept = np.array([p.kept for p in prefixes])
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    fan, errors = figure.subplots(1, 2)
    laws = np.array([p.law for p in prefixes])
    fan.fill_between(kept, truth - 1.96 * laws, truth + 1.96 * laws, color=GREY, alpha=0.2, lw=0, label="Law 1, 95 %")
    values = np.array([p.estimate[0] for p in prefixes])
    ends = np.array([p.intervals[0] for p in prefixes])
    fan.errorbar(
        kept, values, np.abs(ends - values[:, None]).T, fmt="o", ms=4, lw=1.2, color=BLUE, label="matched, 95 % interval"
    )
    fan.axhline(truth, color="black", lw=1, label="truth")
    fan.set_ylabel("first attribute")
    fan.set_title("The interval widens as numbers are dropped")
    fan.legend(frameon=False, loc="lower left")
    errors.plot(kept, laws, color=BLUE, lw=1, label="matched: Law 1")
    rms = [float(np.ptp(p.intervals, axis=1).mean()) / 3.92 for p in prefixes]
    errors.plot(kept, rms, "o", ms=4, color=BLUE, label="matched: by its intervals")
    solved = [(p.kept, max(p.exact, 1e-17)) for p in prefixes if p.exact is not None]
    errors.plot(*zip(*solved, strict=True), "s-", ms=4, lw=1, color=GREEN, label="least squares: largest error")
    errors.axvline(attributes, color=VERMILION, lw=1, ls="--", label=f"all attributes: {attributes}")
    errors.set_yscale("log")
    errors.set_ylabel("error of an attribute")
    errors.set_title("Exact down to an edge, or blurred without one")
    errors.legend(frameon=False, loc="center left")
    for axes in (fan, errors):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("numbers kept")
        axes.invert_xaxis()
    return figure
