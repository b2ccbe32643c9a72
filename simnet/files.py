"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to that takes its name when the block ends; nothing is left of it if the block fails."""
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, path)
    except OSError as error:  # a write that fails, for want of space, does not say where
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def file_to_write(field: str, path: Path) -> Path:
    """``path`` if its folder is there and lets a file be made: mistakes that are best told before the work begins."""
    if not path.parent.is_dir():
        raise ValueError(f"{field} = {str(path)!r}: the folder {str(path.parent)!r} does not exist")
    return _probed(field, path, path.parent)


def folder_to_write(field: str, path: Path) -> Path:
    """``path`` if files can be made in it, or in the nearest folder above it that is there."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    return _probed(field, path, there)


def _probed(field: str, path: Path, folder: Path) -> Path:
    """Only a file that was made tells: permissions say little of what the system will allow."""
    probe = folder / f"{path.name}.{os.getpid()}.partial"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"{field} = {str(path)!r}: cannot be written to ({error.strerror})") from None
    return path
