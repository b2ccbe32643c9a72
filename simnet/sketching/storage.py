"""Sketches in fewer bits: how they are stored, and what that adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice
from simnet.theory.storage import LEVELS, STORAGES, storage_noise

Array = NDArray[Any]

#: Scales are not below this, the smallest normal number: a sketch that is smaller still is stored as zeros.
TINY = float(np.finfo(np.float64).tiny)

#: Coordinates past this are refused: the nearest code of a format might stand for infinity.
HUGE = 1e300

#: The largest coordinate of a sketch is brought into the binade from 2¹⁴, just below the largest number of ``float16``: its
#: normal numbers then reach down to 2⁻²⁸ of it.  All formats of floats have room for that.
TOP_BINADE = 15


@dataclass(frozen=True, eq=False)
class StoredSketches:
    """One sketch or a batch as it is stored: ``s_i ≈ scale · code_i``.

    Attributes
    ----------
    storage : {"float64", "float32", "float16", "int8"}
    codes : (runs, d) or (d,) array of that type
    scales : (runs,) or () array of float64
        A power of two for the types of floats, ``Δ = max_i |s_i| / 127`` for ``int8``.
    noise : (runs,) or () array
        The standard deviation of the rounding error of one coordinate by :func:`simnet.theory.storage_noise`; 0 where the
        sketch is held exactly.
    """

    storage: str
    codes: Array
    scales: Array
    noise: Array

    def restore(self) -> Array:
        """The sketches as they can be decoded, in ``float64``."""
        return restored(self.codes, self.scales)

    @property
    def bytes(self) -> int:
        """How many bytes the codes and scales take."""
        return int(self.codes.nbytes + self.scales.nbytes)


def restored(codes: Array, scales: Array) -> Array:
    """``scale · code``."""
    return codes.astype(np.float64) * scales[..., None]


def store(sketches: Any, storage: str) -> StoredSketches:
    """Round sketches to a type of fewer bits.

    ``float32`` and ``float16`` keep each coordinate to a relative error of at most ``2⁻²⁴`` and ``2⁻¹¹``.  A sketch of
    ``d`` coordinates has entries about ``1/(8√d)``, for which ``float16`` is short of normal numbers; so each sketch is
    first scaled by a power of two, which itself rounds nothing.  ``int8`` is a uniform symmetric quantiser with one step for
    each sketch, ``Δ = max_i |s_i| / 127``: rounding to the nearest of ``−127Δ, …, 127Δ``, without dither.  Zero stays
    zero, the largest coordinate stays itself, and nothing is clipped.

    Parameters
    ----------
    sketches : (runs, d) or (d,) array of floats
    storage : {"float64", "float32", "float16", "int8"}

    Returns
    -------
    StoredSketches
        ``.restore()`` gives what to decode, ``.noise`` the standard deviation of the error, ``.bytes`` the size.

    Raises
    ------
    ValueError
        If the storage is unknown, or the sketches are not a non-empty array of finite floats.

    Examples
    --------
    >>> import numpy as np, simnet
    >>> s = np.random.default_rng(0).standard_normal((3, 4096)) / 512
    >>> stored = simnet.store(s, "int8")
    >>> stored.bytes, bool(np.allclose((stored.restore() - s).std(axis=1), stored.noise, rtol=0.05))
    (12312, True)
    """
    choice("storage", storage, STORAGES)
    given = np.asarray(sketches)
    if given.dtype.kind != "f" or given.ndim not in (1, 2) or given.shape[-1] == 0:
        raise ValueError(f"sketches: has shape {given.shape} and dtype {given.dtype}, must be floats, (d,) or (runs, d)")
    values = given.astype(np.float64)
    largest = np.abs(values).max(axis=-1)
    if not (largest <= HUGE).all():
        raise ValueError(f"sketches: has a coordinate that is NaN, infinite or past {HUGE:g}, must be finite")
    if storage == "int8":
        scales = np.maximum(largest / LEVELS, TINY)
        codes = np.rint(values / scales[..., None]).astype(np.int8)
    elif storage == "float64":
        scales, codes = np.ones_like(largest), values
    else:
        scales = np.maximum(np.ldexp(1.0, np.frexp(largest)[1] - TOP_BINADE), TINY)
        codes = (values / scales[..., None]).astype(storage)
    squares = np.sum((values / np.maximum(largest, TINY)[..., None]) ** 2, axis=-1)  # no overflow, whatever the size
    unit = storage_noise(storage, squares, sketch_dim=values.shape[-1], largest=1.0)
    exact = (restored(codes, scales) == values).all(axis=-1)
    return StoredSketches(storage, codes, scales, np.where(exact, 0.0, unit * largest))
