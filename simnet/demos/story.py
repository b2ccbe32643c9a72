"""What a story is: something told on the terminal, answers with the truth beside them, and a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from rich.console import RenderableType
from rich.table import Table

#: Takes a piece of the story: text, a table, a tree.
Say = Callable[[RenderableType], None]

#: Of the intervals of all stories: each misses the truth with probability 1 - LEVEL, some with less.
LEVEL = 0.95


@dataclass(frozen=True)
class Told:
    """An answer from sketches with its interval, and what was planted.

    ``at_least`` marks an interval that is known to cover more often than its level.
    """

    question: str
    value: float
    low: float
    high: float
    truth: float
    at_least: bool = False

    @property
    def right(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


@dataclass(frozen=True, eq=False)
class Story:
    """What is left when a story has been told."""

    told: tuple[Told, ...]
    figure: Figure


def answers(told: Sequence[Told], title: str = "", digits: int = 2) -> Table:
    """Question, answer, interval, truth."""
    table = Table(title=title or None, title_justify="left", expand=False)
    table.add_column("question")
    for name in ("from the sketches", f"{LEVEL:.0%} interval", "truth"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("inside", justify="center")
    for answer in told:
        table.add_row(
            answer.question,
            f"{answer.value:.{digits}f}",
            f"{answer.low:.{digits}f} to {answer.high:.{digits}f}",
            f"{answer.truth:.{digits}f}",
            "[green]yes[/green]" if answer.right else "[red]no[/red]",
        )
    return table


def score(told: Sequence[Told]) -> str:
    """How many intervals hold the truth, in words."""
    inside = sum(answer.right for answer in told)
    return (
        f"{inside} of {len(told)} intervals hold the truth; each misses it with probability {1.0 - LEVEL:.0%} or less, over "
        f"the draw of the matrices."
    )
