"""Stories for the terminal, a file each: what sketches can tell, with the truth beside it and a figure.

The file of a story has ``tell(seed, say) -> Story``; every number in it comes from the run.  To add one, write a file and
list it here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from simnet.checks import choice, integer

if TYPE_CHECKING:
    from simnet.demos.story import Say, Story

#: Each story and what it tells; its file is only imported when it is told.
DEMOS: dict[str, str] = {
    "room": "a year of rooms: how often a cat, when, how large, which rooms were alike",
    "unroll": "one sketch to its wiring, step by step",
    "truncation": "how answers widen as the end of a sketch is dropped",
    "digits": "a trained network reads digits: its activations of a day, its counts of a year",
    "wiring": "who feeds whom, by matrices that nobody knows",
}


def tell(name: str, seed: int, say: Say) -> Story:
    """Tell the story of that name.

    Parameters
    ----------
    name : str
        One of :data:`DEMOS`.
    seed : int
        Of the network, its runs and the matrices: same seed, same story.
    say : callable
        Gets the story piece by piece: text and tables that ``rich`` prints.

    Returns
    -------
    Story
        Its answers, with intervals and the truth, and its figure.

    Raises
    ------
    ValueError
        If there is no such story, or the seed is negative.

    Examples
    --------
    >>> from simnet.demos import tell
    >>> pieces = []
    >>> story = tell("truncation", 0, pieces.append)
    >>> sum(answer.right for answer in story.told), len(story.told)
    (27, 28)
    """
    choice("demo", name, DEMOS)
    integer("seed", seed, maximum=None)
    story: Story = importlib.import_module(f"simnet.demos.{name}").tell(seed, say)
    return story
