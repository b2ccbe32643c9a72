"""Records: what a store keeps of a sketch, and how it is written down and checked."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.checks import shown
from simnet.memory.sqlite import TEXT_BYTES

Array = NDArray[Any]

#: Metadata are nested no deeper than this.
DEEPEST = 64

COLUMNS = "id, time, tags, metadata, scale, noise, checksum, codes"


@dataclass(frozen=True, eq=False)
class Record:
    """One sketch with all that the store knows of it.

    Attributes
    ----------
    id : int
    time : datetime or None
        In UTC.
    tags : tuple of str
    metadata : dict
    sketch : (d,) float64 array
        Restored from its storage.
    noise : float
        Standard deviation of what storage added to each coordinate, for the argument ``noise`` of decoders.
    """

    id: int
    time: datetime | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    sketch: Array
    noise: float


class Block(NamedTuple):
    """Some sketches of a store: their numbers, themselves, and what storage added to them."""

    ids: Array  # (n,)
    sketches: Array  # (n, d)
    noise: Array  # (n,)


def checksum_of(key: int, time: float | None, tags: str, metadata: str, scale: float, noise: float, codes: bytes) -> int:
    """CRC-32 of everything in a record, so that no two can be exchanged unnoticed."""
    head = struct.pack("<q?ddd", key, time is not None, time or 0.0, scale, noise)
    words = f"{len(tags)}:{tags}{metadata}".encode()
    return zlib.crc32(codes, zlib.crc32(words, zlib.crc32(head)))


def one_each(field: str, value: Any, count: int, dims: int) -> Sequence[Any]:
    """One value for each sketch of a batch, from a sequence of them or one for all."""
    many = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if dims == 1 or not many:
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{field}: has {len(value)} entries, must have one for each of {count} sketches")
    return list(value)


def metadata_text(metadata: Any) -> str:
    if metadata is None:
        return "{}"
    if not isinstance(metadata, Mapping) or not all(isinstance(key, str) for key in metadata):
        raise ValueError(f"metadata = {shown(metadata)}: must map texts to what JSON can hold")
    if _depth(metadata) > DEEPEST:
        raise ValueError(f"metadata: is nested deeper than {DEEPEST}")
    return json_text("metadata", dict(metadata), TEXT_BYTES)


def _depth(value: Any, so_far: int = 0) -> int:
    """How deep a value is nested; past :data:`DEEPEST` it is not followed further."""
    if so_far > DEEPEST or not isinstance(value, (Mapping, list, tuple)):
        return so_far
    children = value.values() if isinstance(value, Mapping) else value
    return max((_depth(child, so_far + 1) for child in children), default=so_far + 1)


def json_text(field: str, value: Any, most: int) -> str:
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{field}: does not fit into JSON: {error}") from None
    if size > most - 1024:
        raise ValueError(f"{field}: takes {size} bytes as JSON, must take less than {most - 1024}")
    return text
