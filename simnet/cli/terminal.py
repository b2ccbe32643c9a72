"""What commands print to, how many cores they have, and the interrupts that end them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

#: How far a long command is: steps that are done, of how many, and what is running.
Progress = Callable[[int, int, str], None]

#: The width of what is printed to a file or a pipe.
WIDTH = 140


def console() -> Console:
    """As wide as the terminal, or of a width of its own where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def interrupts_kept(progress: Progress) -> Iterator[Progress]:
    """That call, for a loop that makes it at every step: where an interrupt has struck before, it is raised again.

    It is raised at once, as ever; but what is raised while Python deletes an object, it ignores.  Where interrupts are
    ignored, as in the background of a shell, they still are.
    """
    struck = False

    def strike(number: int, frame: FrameType | None) -> None:
        nonlocal struck
        struck = True
        raise KeyboardInterrupt

    def checked(done: int, total: int, running: str) -> None:
        if struck:
            raise KeyboardInterrupt
        progress(done, total, running)

    ordinary = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ordinary:
        signal.signal(signal.SIGINT, strike)
    try:
        yield checked
    finally:
        if ordinary:
            signal.signal(signal.SIGINT, signal.default_int_handler)
