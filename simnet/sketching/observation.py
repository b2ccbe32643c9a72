"""Observations: a sketch of which only some coordinates are left, and the reading and writing of sketches."""

from __future__ import annotations

import json
import math
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import real
from simnet.files import written_whole
from simnet.sketching.encoder import Encoder
from simnet.sketching.storage import restored, store
from simnet.theory.storage import STORAGES

Array = NDArray[Any]

#: What NumPy, zipfile, zlib and json raise on a file that is damaged or something else.
DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OSError, RuntimeError, OverflowError),
    *(MemoryError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error),
)


@dataclass(frozen=True, eq=False)
class Observation:
    """What is left of one sketch or of a batch.

    Attributes
    ----------
    values : (n, sketch_dim) array
        In the natural order of the matrices, 0 where a coordinate is missing.
    kept : int
        ``d'``, how many coordinates are left.
    sketch_dim : int
    batch : tuple of int
        The leading shape that was given: ``()`` for a single sketch.
    rows : (kept,) int array
        Which coordinates are left, in natural order.
    noise : float
        Standard deviation, for each coordinate, of what was added to the sketch after it was made; 0 for nothing.
    """

    values: Array
    kept: int
    sketch_dim: int
    batch: tuple[int, ...]
    rows: Array
    noise: float = 0.0

    @property
    def scale(self) -> float:
        """``d/d'``, which makes inner products of what is left unbiased."""
        return self.sketch_dim / self.kept

    @property
    def remaining(self) -> Array:
        """The coordinates that are left: ``(n, kept)`` in double precision."""
        return self.values[:, self.rows].astype(float, copy=False)

    @cached_property
    def length_squared(self) -> Array:
        """``‖s'‖²``: ``(n,)``."""
        return np.sum(np.square(self.values, dtype=float), axis=-1)

    @property
    def norm_squared(self) -> Array:
        """``(d/d') ‖s'‖²``, the estimate of ``K_ss``: ``(n,)``."""
        return self.scale * self.length_squared

    def noise_with_rounding(self, units: float) -> float:
        """``σ`` with the rounding of so many units in the last place of the root mean square coordinate."""
        scale = float(np.sqrt(np.mean(self.remaining**2)))
        return float(np.hypot(self.noise, units * float(np.finfo(self.values.dtype).eps) * scale))


def observe(encoder: Encoder, sketch: Any, erased: Any = None, noise: float = 0.0) -> Observation:
    """Read a sketch, a prefix of one, or one with some coordinates erased; the last axis holds the coordinates.

    Parameters
    ----------
    encoder : Encoder
    sketch : (d',) or (runs, d') array
    erased : (d',) bool array, optional
        True where a coordinate is missing.
    noise : float
        Standard deviation of what was added to each coordinate.

    Raises
    ------
    ValueError
        If the sketch is longer than the sketcher's, nothing of it is left, or a coordinate that is left is not finite.
    """
    values = np.asarray(sketch)
    d = encoder.sketch_dim
    noise = real("noise", noise, minimum=0.0)
    if values.dtype.kind not in "fiu" or values.ndim not in (1, 2):
        raise ValueError(
            f"sketch: has shape {values.shape} and dtype {values.dtype}, must be real, of shape (d',) or (runs, d')"
        )
    length = values.shape[-1]
    if not 1 <= length <= d:
        raise ValueError(f"sketch: has {length} coordinates, must have between 1 and sketch_dim = {d}")
    present = np.ones(length, dtype=bool)
    if erased is not None:
        mask = np.asarray(erased)
        if mask.dtype != bool or mask.shape != (length,):
            raise ValueError(
                f"erased: has shape {mask.shape} and dtype {mask.dtype}, must be boolean of shape ({length},), true where a "
                f"coordinate is missing"
            )
        present = ~mask
    kept = int(present.sum())
    if kept == 0:
        raise ValueError("erased: every coordinate is erased, at least one must be left")
    left = np.zeros(d, dtype=bool)
    left[:length] = present
    stored = np.zeros((*values.shape[:-1], d), encoder.dtype)
    stored[..., :length][..., present] = values[..., present]
    if not np.isfinite(stored).all():
        raise ValueError("sketch: has a coordinate that is NaN or infinite; pass erased= with the coordinates to ignore")
    rows = np.flatnonzero(encoder.to_natural(left))
    return Observation(encoder.to_natural(np.atleast_2d(stored)), kept, d, values.shape[:-1], rows, noise)


def save_sketches(path: str | os.PathLike[str], sketches: Any, *, storage: str | None = None, **metadata: Any) -> None:
    """Write sketches and a note on their making to a ``.npz`` file without pickle; it appears whole or not at all.

    The file holds the array ``sketches`` and ``metadata``, a JSON object as a UTF-8 byte array.  With ``storage`` the array
    ``sketches`` is of that type, and the file also holds ``scales``, one ``float64`` a sketch: ``s = scale · code``.

    Parameters
    ----------
    path : path
    sketches : (runs, d) or (d,) array of floats
    storage : {"float64", "float32", "float16", "int8"}, optional
        Round to that type by :func:`simnet.store`; without it the array is written as it is.
    **metadata
        Anything that JSON can hold.  ``**sketcher.metadata`` says how the sketches were made, network and all:
        ``Sketcher.from_metadata`` then makes the sketcher again from the file alone.

    Raises
    ------
    ValueError
        If the sketches are not an array of floats, or not finite and to be rounded, if the storage is unknown, or the
        metadata does not fit into JSON.

    Examples
    --------
    >>> import os, tempfile, numpy as np, simnet
    >>> path = os.path.join(tempfile.mkdtemp(), "day.npz")
    >>> simnet.save_sketches(path, np.ones((2, 8)), seed=3)
    >>> sketches, metadata = simnet.load_sketches(path)
    >>> sketches.shape, metadata
    ((2, 8), {'seed': 3})
    """
    values = np.asarray(sketches)
    if values.dtype.kind != "f" or values.ndim not in (1, 2):
        raise ValueError(f"sketches: has shape {values.shape} and dtype {values.dtype}, must be floats, (d,) or (runs, d)")
    try:
        note = json.dumps(metadata, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ValueError(f"metadata: does not fit into JSON: {error}") from None
    arrays: dict[str, Any] = {"sketches": values}
    if storage is not None:
        stored = store(values, storage)
        arrays = {"sketches": stored.codes, "scales": stored.scales}
    with written_whole(path) as file:
        np.savez(file, **arrays, metadata=np.frombuffer(note, dtype=np.uint8))


def check_members(file: IO[bytes]) -> None:
    """A ``ValueError`` if an array in an archive says to be larger than the archive: NumPy would take the memory first."""
    size = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
                raise ValueError(f"{info.filename}: is compressed, or longer than the file")
            with archive.open(info) as member:
                version = np.lib.format.read_magic(member)
                read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(
                    version
                )
                if read is None:
                    raise ValueError(f"{info.filename}: is no array of version 1 or 2")
                shape, _, dtype = read(member)
            if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > info.file_size:
                raise ValueError(f"{info.filename}: an array of shape {shape} and dtype {dtype} is not in it")
    file.seek(0)


def load_sketches(path: str | os.PathLike[str]) -> tuple[Array, dict[str, Any]]:
    """Read what :func:`save_sketches` wrote: the sketches, restored to ``float64`` if they were rounded, and the metadata.

    Raises
    ------
    ValueError
        If the file is not of that format.
    """
    # the file is opened here, so that what cannot be opened is an OSError, and what cannot be read is closed again
    with open(path, "rb") as file:
        try:
            check_members(file)
            archive = np.load(file, allow_pickle=False)
            sketches, note = archive["sketches"], archive["metadata"]
            scales = archive["scales"] if "scales" in archive.files else None
            metadata = json.loads(note.tobytes())
        except DAMAGE as error:
            raise ValueError(f"{path}: not a file of sketches: {error}") from None
    floats = sketches.dtype.kind == "f" if scales is None else sketches.dtype.name in STORAGES
    if not floats or sketches.ndim not in (1, 2) or not isinstance(metadata, dict):
        raise ValueError(f"{path}: not a file of sketches: array of shape {sketches.shape} and dtype {sketches.dtype}")
    if scales is None:
        return sketches, metadata
    if scales.dtype != np.float64 or scales.shape != sketches.shape[:-1] or not (np.isfinite(scales) & (scales > 0.0)).all():
        raise ValueError(f"{path}: not a file of sketches: scales must be positive, one for each sketch")
    return restored(sketches, scales), metadata
