"""The run of `verify` with a bar, for the commands that need its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simnet.claims.verdict import Row


def verified(properties: Sequence[str] | None, *, quick: bool, seed: int, workers: int | None) -> list[Row]:
    """The rows of :func:`simnet.claims.verify.verify`; by as many workers as there are cores when not given."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from simnet.claims.verify import verify
    from simnet.cli.terminal import cores, interrupts_kept

    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    job = bar.add_task("starting")

    def show(done: int, total: int, claim: str) -> None:
        bar.start()  # with the first result: a mistake in the arguments is then a line of its own
        bar.update(job, completed=done, total=total, description=claim)

    count = cores() if workers is None else workers
    try:
        with interrupts_kept(show) as progress:
            return verify(properties, quick=quick, seed=seed, workers=count, progress=progress)
    finally:
        if bar.live.is_started:
            bar.stop()
