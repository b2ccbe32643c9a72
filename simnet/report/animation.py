"""Animations of real runs: written as GIF, or as MP4 where ffmpeg is there.

``simnet animate NAME -o FILE``; the films are in :mod:`simnet.report.gathering` and :mod:`simnet.report.flow`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.figure import Figure

from simnet.checks import choice, shown
from simnet.files import written_whole

#: Pixels to an inch.
DPI = 100


@dataclass(frozen=True)
class Film:
    """A figure, and how frame ``i`` of it is drawn; the last one stays for a while."""

    figure: Figure
    draw: Callable[[int], None]
    frames: int
    per_second: int = 12
    rest: float = 2.0


def film(name: str, seed: int = 0) -> Film:
    """The film of that name, made from the runs of a seed.

    Raises
    ------
    ValueError
        If there is none.
    """
    from simnet.report import flow, gathering

    return {"similarity": gathering.film, "flow": flow.film}[choice("film", name, FILMS)](seed)


#: The names of the films.
FILMS = ("similarity", "flow")


def check_ending(path: Path) -> None:
    """A ``ValueError`` if a film cannot be written there: it ends in ``.gif``, or in ``.mp4`` where ffmpeg is there."""
    if path.suffix not in (".gif", ".mp4"):
        raise ValueError(f"output = {shown(str(path))}: must end in .gif or .mp4")
    if path.suffix == ".mp4" and not FFMpegWriter.isAvailable():
        raise ValueError(f"output = {shown(str(path))}: an MP4 needs ffmpeg, which is not there; a GIF does not")


def write_film(what: Film, path: Path) -> None:
    """Write a film as ``.gif`` or ``.mp4``; the file appears whole or not at all, and the figure is closed.

    Raises
    ------
    ValueError
        As :func:`check_ending`.
    """
    check_ending(path)
    writer: AbstractMovieWriter = PillowWriter(fps=what.per_second)
    if path.suffix == ".mp4":
        writer = FFMpegWriter(fps=what.per_second, extra_args=["-pix_fmt", "yuv420p"])
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"film{path.suffix}"
        with writer.saving(what.figure, str(draft), DPI):
            for i in range(what.frames):
                what.draw(i)
                for _ in range(1 if i < what.frames - 1 else round(what.rest * what.per_second)):
                    writer.grab_frame()
        plt.close(what.figure)
        with written_whole(path) as file:
            file.write(draft.read_bytes())
