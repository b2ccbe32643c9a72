"""What commands print to."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

#: The width of what is printed to a file or a pipe.
WIDTH = 140


def console() -> Console:
    """As wide as the terminal, or of a width of its own where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def interrupts_kept() -> Iterator[Callable[[], None]]:
    """An interrupt is raised at once, as ever, and again by each call of what this gives.

    What is raised while Python deletes an object, it ignores: a loop that calls this at every step stops all the same.
    Where interrupts are ignored, as in the background of a shell, they still are.
    """
    struck = False

    def strike(number: int, frame: FrameType | None) -> None:
        nonlocal struck
        struck = True
        raise KeyboardInterrupt

    def check() -> None:
        if struck:
            raise KeyboardInterrupt

    ordinary = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ordinary:
        signal.signal(signal.SIGINT, strike)
    try:
        yield check
    finally:
        if ordinary:
            signal.signal(signal.SIGINT, signal.default_int_handler)
