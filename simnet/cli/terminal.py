"""What commands print to."""

from __future__ import annotations

import os
import sys

from rich.console import Console

#: The width of what is printed to a file or a pipe.
WIDTH = 140


def console() -> Console:
    """As wide as the terminal, or of a width of its own where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
