"""A year of rooms: how often there was a cat, when, how large, and which rooms were like the last one.

Twice a day a room is looked at.  What is kept of it is the beginning of its sketch, in 8 bits a number, and the sum of the
whole sketches of the mornings and of the evenings of each month.  All answers come from these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import simnet
from simnet.decoding import Answer
from simnet.demos.story import LEVEL, Say, Story, Told, answers, score
from simnet.networks import Executions
from simnet.networks.functions import ThingFunction
from simnet.randomness import stream
from simnet.report.style import BLUE, GREY, ORANGE, VERMILION

Array = NDArray[Any]

KINDS = ("cat", "person", "table", "chair")
PLACES, COLOURS = 4, 4

#: With which probability a cat may come in, in the morning and in the evening.
MORNING, EVENING = 0.35, 0.75

#: Of a whole sketch; of what is kept of each room.
SKETCH_DIM, KEPT = 16384, 2048

#: What kinds of things are like is the same in every story: sizes, colours, how the room sees them.
WORLD = 0

DAYS, MONTHS = 365, 12
NEIGHBOURS = 5

#: One layer of mixing, so that counts need no large sketches, and every thing as heavy as the room that it is in.
RECIPE = simnet.Recipe(
    identity=1.0, mixing=0.0, attribute_share=1.0, input_share=float(PLACES), value_share=0.5, presence_share=0.5
)

#: Sizes are stored divided by this.
UNIT = ThingFunction.SCALE


@dataclass(frozen=True, eq=False)
class Year:
    """What happened, and what was kept.

    Attributes
    ----------
    runs : Executions
        Room by room, a morning and an evening each day.
    sketcher : Sketcher
    rooms : (rooms, kept) array
        The beginning of each sketch, as it comes back from 8 bits.
    sums : (months, 2, d) array
        Of the whole sketches, of mornings and of evenings.
    month : (rooms,) int array
    """

    runs: Executions
    sketcher: simnet.Sketcher
    rooms: Array
    sums: Array
    month: Array

    @property
    def bytes(self) -> int:
        """What all this takes: one byte a coordinate and a scale a room, and the sums in single precision."""
        return self.rooms.size + 8 * len(self.rooms) + 4 * self.sums.size

    @cached_property
    def counts(self) -> Array:
        """The truth: how many things of each kind there were, ``(rooms, kinds)``."""
        counts = np.zeros((len(self.runs), len(KINDS)))
        for group in self.runs:
            for k, kind in enumerate(KINDS):
                counts[group.runs, k] = group.structure.modules.count(kind)
        return counts

    @cached_property
    def totals(self) -> Array:
        """The truth: their attribute vectors added up, ``(kinds, a)``."""
        totals = np.zeros((len(KINDS), 3 + COLOURS))
        for group in self.runs:
            for module, x in zip(group.structure.modules, group.attributes, strict=True):
                if module in KINDS:
                    totals[KINDS.index(module)] += x.sum(axis=0)
        return totals


def live(seed: int, days: int = DAYS) -> Year:
    """Run a year and keep its sketches."""
    rooms = 2 * days
    network = simnet.networks.scene(kinds=KINDS, places=PLACES, colours=COLOURS, attribute_dim=6, seed=WORLD)
    may_come = np.tile([MORNING, EVENING], days)
    activity = np.ones((rooms, len(KINDS)), dtype=bool)
    activity[:, 0] = stream(seed, "cat").random(rooms) < may_come
    runs = network.run(rooms, seed, activity=activity)
    sketcher = simnet.Sketcher(network, SKETCH_DIM, recipe=RECIPE, seed=seed, dtype="float32")
    sketches = sketcher.encode(runs)
    month = np.minimum(np.arange(rooms) * MONTHS // rooms, MONTHS - 1)
    sums = np.array([[sketches[part::2][month[part::2] == m].sum(axis=0) for part in range(2)] for m in range(MONTHS)])
    return Year(runs, sketcher, simnet.store(sketches[:, :KEPT], "int8").restore(), sums, month)


def ask(question: str, answer: Answer, truth: float, index: Any = (), *, unit: float = 1.0, at_least: bool = False) -> Told:
    """One number of an answer, beside the truth."""
    low, high = unit * answer.interval(LEVEL)[index]
    return Told(question, unit * float(answer.value[index]), float(low), float(high), truth, at_least)


def how_many(year: Year) -> list[Told]:
    """Cats in the year, in its mornings and in its evenings."""
    cats = year.counts[:, 0]
    parts = {
        "cats in the year": (year.sums.sum(axis=(0, 1)), cats),
        "cats in the mornings": (year.sums[:, 0].sum(axis=0), cats[::2]),
        "cats in the evenings": (year.sums[:, 1].sum(axis=0), cats[1::2]),
    }
    return [ask(q, year.sketcher.count(s, "cat"), float(truth.sum())) for q, (s, truth) in parts.items()]


def monthly(year: Year) -> list[Told]:
    """Cats of the mornings and of the evenings, month by month."""
    found = []
    for month in range(MONTHS):
        for part, name in enumerate(("mornings", "evenings")):
            here = (year.month == month) & (np.arange(len(year.month)) % 2 == part)
            answer = year.sketcher.count(year.sums[month, part], "cat")
            found.append(ask(f"cats, {name} of month {month + 1}", answer, float(year.counts[here, 0].sum())))
    return found


def how_often(year: Year) -> Told:
    """In how many rooms there was a cat.

    The interval of each room is at a level so high that with the level of all stories every one of them holds the truth: a
    room has a cat for certain where its interval is above 0, and none where it is below 1.
    """
    low, high = year.sketcher.count(year.rooms, "cat").interval(1.0 - (1.0 - LEVEL) / len(year.rooms)).T
    sure, possible = int(np.sum(low > 0.0)), int(np.sum(high >= 1.0))
    truth = float(np.sum(year.counts[:, 0] > 0))
    return Told("rooms with a cat", (sure + possible) / 2.0, sure, possible, truth, at_least=True)


def how_large(year: Year) -> list[Told]:
    """The mean size of each kind of thing."""
    whole = year.sums.sum(axis=(0, 1))
    found = []
    for k, kind in enumerate(KINDS):
        truth = float(year.totals[k, 0] / year.counts[:, k].sum())
        found.append(ask(f"mean size of a {kind}", year.sketcher.mean_attribute(whole, kind), UNIT * truth, 0, unit=UNIT))
    return found


def what_colour(year: Year) -> list[Told]:
    """How many cats there were of each colour."""
    colours = range(1, 1 + COLOURS)
    bins = year.sketcher.histogram(year.sums.sum(axis=(0, 1)), "cat", coordinates=list(colours), unit=1.0 / UNIT)
    return [ask(f"cats of colour {j - 1}", bins, float(UNIT * year.totals[0, j]), j - 1) for j in colours]


def last_room(year: Year) -> list[Told]:
    """What is in the last room, from the beginning of its sketch."""
    return [
        ask(f"{kind}s in the last room", year.sketcher.count(year.rooms[-1], kind), float(year.counts[-1, k]))
        for k, kind in enumerate(KINDS)
    ]


def distances(year: Year) -> tuple[Answer, Array]:
    """The squared distance of every other room to the last: from the sketches, and by the kernel.

    ``‖s − s̄‖²`` is an inner product of two sketches, so the bound on similarity covers it; its mean is that of the kernel
    ``K(s, s) + K(s̄, s̄) − 2 K(s, s̄)``.
    """
    gaps = year.rooms[:-1] - year.rooms[-1]
    last = year.runs[len(year.runs) - 1]
    own = simnet.theory.kernel(last, last, recipe=RECIPE)
    truth = np.zeros(len(year.runs))
    for group in year.runs:
        for i, run in enumerate(group.runs):
            ex = group.execution(i)
            itself, cross = (simnet.theory.kernel(ex, other, recipe=RECIPE) for other in (ex, last))
            truth[run] = own + itself - 2.0 * cross
    return year.sketcher.similarity(gaps, gaps), truth[:-1]


def contents(year: Year, room: int) -> str:
    """What was in a room, in words."""
    there = [f"{int(n)} {kind}{'s' if n > 1 else ''}" for kind, n in zip(KINDS, year.counts[room], strict=True) if n]
    return ", ".join(there) or "nothing"


def when(room: int) -> str:
    """The day and the time of a room."""
    return f"day {room // 2 + 1}, {('morning', 'evening')[room % 2]}"


def tell(seed: int, say: Say, days: int = DAYS) -> Story:
    """The year and its questions."""
    year = live(seed, days)
    rooms = 2 * days
    say(
        f"[bold]{days} days, a room in the morning and one in the evening.[/bold] Each holds up to {PLACES} things: "
        f"{', '.join(KINDS)}, each with a size, a colour and a pose. A room becomes a sketch of {SKETCH_DIM} numbers. "
        f"What is kept: its first {KEPT} numbers in 8 bits each, and the sums of the whole sketches of the mornings and "
        f"of the evenings of every month; {year.bytes / 1e6:.1f} MB for all {rooms} rooms. From now on only these are "
        f"asked."
    )
    many = [*how_many(year), how_often(year)]
    say(answers(many, "How often was there a cat?", 0))
    morning, evening = many[1], many[2]
    rates = [f"{2 * t.value / rooms:.2f} a room" for t in (morning, evening)]
    apart = morning.high < evening.low or evening.high < morning.low
    more = "evenings" if evening.value > morning.value else "mornings"
    say(
        f"Mornings {rates[0]}, evenings {rates[1]}: more in the {more}"
        + (", the intervals are apart." if apart else ", but the intervals meet: the sketches do not say for certain.")
        + " The number of rooms with a cat comes from the rooms one by one: each is asked so strictly that all of them are "
        "right together. The matrices are the same every day, so errors repeat and do not average out over a year."
    )
    sizes = how_large(year)
    say(answers(sizes, "How large were they?"))
    colours = what_colour(year)
    say(answers(colours, "Of which colour were the cats?", 0))
    last = last_room(year)
    say(answers(last, f"What is in the last room ({when(rooms - 1)})?"))
    measured, truth = distances(year)
    order = np.argsort(measured.value)[:NEIGHBOURS]
    near = [ask(f"{when(r)}: {contents(year, r)}", measured, float(truth[r]), r, at_least=True) for r in map(int, order)]
    say(answers(near, f"Which rooms were like it ({contents(year, rooms - 1)})? The nearest, by squared distance", 3))
    really = set(np.argsort(truth)[:NEIGHBOURS].tolist())
    say(f"{len(really & set(order.tolist()))} of them are among the {NEIGHBOURS} that are nearest in truth.")
    by_month = monthly(year)
    told = (*many, *sizes, *colours, *last, *near, *by_month)
    say(score(told))
    return Story(told, draw(year, by_month, sizes, measured, truth))


def draw(year: Year, by_month: list[Told], sizes: list[Told], measured: Answer, truth: Array) -> Figure:
    """Cats by month, sizes, cats room by room, distances to the last room."""
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    ((months, size), (room, distance)) = figure.subplots(2, 2)
    for part, (name, colour) in enumerate((("mornings", ORANGE), ("evenings", BLUE))):
        _points(months, np.arange(1, MONTHS + 1) + 0.2 * part - 0.1, by_month[part::2], colour, name)
    months.set_xlabel("month")
    months.set_ylabel("cats")
    months.set_ylim(0.0, 1.25 * max(t.high for t in by_month))
    months.set_title("How many cats, from the sum of the sketches of a month")
    months.legend(frameon=False, loc="upper left", ncols=3)
    _points(size, np.arange(len(KINDS)), sizes, BLUE, "from the sum of all sketches")
    size.set_xticks(range(len(KINDS)), KINDS)
    size.set_ylim(0.0, 1.0)
    size.set_ylabel("mean size")
    size.set_title("How large they are")
    size.legend(frameon=False, loc="best")
    found = year.sketcher.count(year.rooms, "cat")
    edges = np.arange(-0.625, PLACES + 0.75, 0.0625)
    for cats, colour in zip(range(int(year.counts[:, 0].max()) + 1), (GREY, BLUE, ORANGE, VERMILION, "black"), strict=False):
        room.hist(found.value[year.counts[:, 0] == cats], bins=edges, color=colour, label=f"{cats} in truth")
    room.set_xlabel(f"cats in a room, from the first {KEPT} of {SKETCH_DIM} numbers")
    room.set_yscale("log")
    room.set_ylabel("rooms")
    room.set_title("Each room by itself")
    room.legend(frameon=False)
    reach = measured.interval(LEVEL)[:, 1] - measured.value
    distance.errorbar(truth, measured.value, reach, fmt="none", color=BLUE, alpha=0.15, lw=0.8)
    distance.plot(truth, measured.value, ".", color=BLUE, ms=3, label="a room, with its interval")
    line = [0.0, float(truth.max())]
    distance.plot(line, line, color="black", lw=1, label="truth")
    distance.set_xlabel("squared distance to the last room, by the kernel")
    distance.set_ylabel("from the sketches")
    distance.set_title("Which rooms are like the last one")
    distance.legend(frameon=False, loc="upper left")
    return figure


def _points(axes: Axes, x: Array, told: list[Told], colour: str, label: str) -> None:
    """Answers with their intervals, and the truth as short lines."""
    values = np.array([t.value for t in told])
    ends = np.array([[t.low, t.high] for t in told])
    finite = np.isfinite(ends).all(axis=1)
    reach = np.abs(ends[finite] - values[finite, None]).T
    axes.errorbar(x[finite], values[finite], reach, fmt="o", ms=4, lw=1.2, color=colour, label=label)
    truths = [t.truth for t in told]
    axes.plot(x, truths, "_", color="black", ms=11, mew=1.5, zorder=3, label="truth" if colour == BLUE else None)
