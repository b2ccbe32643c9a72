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
    finally:
        partial.unlink(missing_ok=True)


def file_to_write(field: str, path: Path) -> Path:
    """``path`` if its folder is there: a mistake that is best told before the work begins."""
    if not path.parent.is_dir():
        raise ValueError(f"{field} = {str(path)!r}: the folder {str(path.parent)!r} does not exist")
    return path
