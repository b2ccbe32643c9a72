"""Stories for the terminal, a file each: what sketches can tell, with the truth beside it and a figure.

A story is ``tell(seed, say) -> Story``; every number in it comes from the run.  To add one, write a file and list it here.
"""

from __future__ import annotations

from collections.abc import Callable

from simnet.demos import room, truncation, unroll, wiring
from simnet.demos.story import Say, Story, Told

DEMOS: dict[str, Callable[[int, Say], Story]] = {
    "room": room.tell,
    "unroll": unroll.tell,
    "truncation": truncation.tell,
    "wiring": wiring.tell,
}

__all__ = ["DEMOS", "Say", "Story", "Told"]
