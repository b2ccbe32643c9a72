"""One ratio: two pieces of work, timed back to back several times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter

import numpy as np

Work = Callable[[], object]

#: Threads of matrix products are awake for a tenth of a second after each, and keep a core busy.
AWAKE = 0.15


@dataclass(frozen=True)
class Row:
    """What was measured: the time of ``work`` over that of ``against``, or another number, and what it should be."""

    section: str
    work: str
    against: str
    setting: str
    value: float
    low: float = math.nan
    high: float = math.nan
    target: str = ""
    holds: str = ""


def clock(work: Work) -> float:
    """The seconds that a call takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def ratios(work: Work, against: Work, repetitions: int, *, apart: bool = False) -> np.ndarray:
    """Times of one over times of the other, pair by pair; a first call of each is not counted.

    ``apart`` from what came before, with a pause that is spent awake: a processor that has slept is slow for a while.
    """

    def seconds(piece: Work) -> float:
        start = perf_counter() + AWAKE * apart
        while perf_counter() < start:
            pass
        return clock(piece)

    work()
    against()
    return np.array([seconds(work) / seconds(against) for _ in range(repetitions)])


def alone(section: Callable[[bool], Iterable[Row]], quick: bool) -> list[Row]:
    """The rows of a section, by a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_rows, section, quick).result()


def _rows(section: Callable[[bool], Iterable[Row]], quick: bool) -> list[Row]:
    return list(section(quick))


def judged(row: Row, *, most: float = math.inf, least: float = -math.inf) -> Row:
    """The row with its target, and whether the value meets it."""
    target = f"≤ {most:g}" if math.isfinite(most) else f"≥ {least:g}"
    return Row(**vars(row) | {"target": target, "holds": "yes" if least <= row.value <= most else "no"})


def compared(section: str, work: str, against: str, setting: str, values: np.ndarray, **target: float) -> Row:
    """The median of ratios with their quartiles."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    row = Row(section, work, against, setting, float(middle), float(low), float(high))
    return judged(row, **target) if target else row


def missing(section: str, work: str, package: str) -> Row:
    """In the place of a peer that is not there."""
    return Row(section, work, "", f"{package} is not installed", math.nan)
