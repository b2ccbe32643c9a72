"""Passes over products, between transforms and after the last: random signs, and what is made of a product in place.

A row of signs is kept as bytes, ``±1``, or as bits, eight to a byte and 1 where the sign is minus.  NumPy goes over memory
once for each operation, and makes numbers of bytes on the way.  Where ``numba`` is installed (the extra ``fast``), long rows
meet bits, and all operations of a pass at once, each rounded as NumPy rounds it: every bit of a result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Rows of so many coordinates and more are worth the import of the compiler, and its machine code that is kept on disk.
LONG = 1 << 10

#: NumPy passes over so many coordinates at a time: they stay where the processor has them at hand.
BLOCK = 1 << 14


class Finish(NamedTuple):
    """``scale · (share · v + ratio · m)`` in the place of products ``m``."""

    others: Sequence[Array]  # for each batch of products the vectors v: one for each product, or one for all
    ratio: float
    share: Array | None  # a number for each product; None stands for 1
    scale: Array | None

    def of(self, rows: slice, parts: Sequence[tuple[int, slice]]) -> Self:
        """For some of the products: which of all, and which of each batch."""
        others = [v if len(v := self.others[i]) == 1 else v[part] for i, part in parts]
        share, scale = (None if x is None else x[rows] for x in (self.share, self.scale))
        return type(self)(others, self.ratio, share, scale)

    def __call__(self, out: Array, slices: Sequence[slice], signs: Iterable[Array] | None = None) -> None:
        """For batches laid out along the first axis, each of which first meets its row of signs, if there are any."""
        for part, v in zip(slices, self.others, strict=True):
            if v.shape[1] != out.shape[1] or len(v) not in (1, part.stop - part.start):  # the loops do not look
                raise ValueError(f"vectors of shape {v.shape} do not fit products of shape {out[part].shape}")
        if signs is not None:
            signs = list(signs)
            machine = _machine(out.shape[1], signs[0]) if signs else None
            if machine is not None:
                ones = np.ones(len(out), out.dtype)
                share, scale = (ones if x is None else x for x in (self.share, self.scale))
                for part, row, v in zip(slices, signs, self.others, strict=True):
                    machine.mix(out[part], row, v, self.ratio, share[part], scale[part])
                return
            for part, row in zip(slices, signs, strict=True):
                _signed(out[part], row, out[part])
        for start in range(0, out.shape[1], BLOCK):
            block, columns = out[:, start : start + BLOCK], slice(start, start + BLOCK)
            if self.ratio != 1.0:
                block *= self.ratio
            for part, v in zip(slices, self.others, strict=True):
                block[part] += v[:, columns] if self.share is None else self.share[part, None] * v[:, columns]
            if self.scale is not None:
                block *= self.scale[:, None]


def signed(vectors: Array, signs: Array, out: Array) -> None:
    """The signed vectors, written to other rows: contiguous and of one dtype; signs are bits where :func:`reads_bits`."""
    if vectors.shape != out.shape:  # the loops do not look where they read
        raise ValueError(f"vectors of shape {vectors.shape} do not fit rows of shape {out.shape}")
    machine = _machine(out.shape[1], signs)
    if machine is None:
        _signed(vectors, signs, out)
    else:
        machine.sign(vectors, signs, out)


def flipped(rows: Array, signs: Array) -> None:
    """Signed rows in the place of rows."""
    machine = _machine(rows.shape[1], signs)
    if machine is None:
        _signed(rows, signs, rows)
    else:
        machine.flip(rows, signs)


def reads_bits(length: int) -> bool:
    """Whether rows of that length meet signs as bits, at no cost."""
    return length >= LONG and _compiled() is not None


def signs_of(bits: Array, length: int) -> Array:
    """``1`` for a bit of 0 and ``-1`` for a bit of 1, a byte each, for the first ``length`` bits along the last axis."""
    signs = np.unpackbits(bits, axis=-1, count=length).view(np.int8)
    signs *= -2
    signs += 1
    return signs


def _signed(vectors: Array, signs: Array, out: Array) -> None:
    if signs.dtype == np.uint8:
        signs = signs_of(signs, out.shape[1])
    np.multiply(vectors, signs if len(out) == 1 else signs.astype(out.dtype), out=out)


class _Machine(NamedTuple):
    """The compiled loops."""

    sign: Callable[[Array, Array, Array], None]
    flip: Callable[[Array, Array], None]
    mix: Callable[[Array, Array, Array, float, Array, Array], None]


def _machine(length: int, signs: Array) -> _Machine | None:
    """The compiled loops, for rows that are long enough and signs of one bit."""
    return _compiled() if length >= LONG and signs.dtype == np.uint8 else None


@cache
def _compiled() -> _Machine | None:
    try:
        import numba
    except Exception:  # not installed, not for this NumPy, broken, or half imported when something struck
        return None

    def kept(loops: Callable[..., None], signatures: list[Any]) -> Any:
        try:
            return numba.njit(signatures, nogil=True, cache=True)(loops)
        except (OSError, RuntimeError):  # there is no folder that can be written to
            return numba.njit(signatures, nogil=True)(loops)

    def read(kind: Any, axes: int) -> Any:
        return numba.types.Array(kind, axes, "C", readonly=True)

    kinds, bits, void = (numba.float32, numba.float64), read(numba.uint8, 1), numba.void
    sign = [void(read(kind, 2), bits, kind[:, ::1]) for kind in kinds]
    flip = [void(kind[:, ::1], bits) for kind in kinds]
    mix = [void(kind[:, ::1], bits, read(kind, 2), kind, read(kind, 1), read(kind, 1)) for kind in kinds]
    return _Machine(kept(_sign, sign), kept(_flip, flip), kept(_mix, mix))


# Eight coordinates to a byte of signs, the highest bit first; those of the last byte, if it has fewer, one by one.  To flip
# in place has a loop of its own: where what is read and what is written may be the same, no compiler takes eight at once.


def _sign(vectors: Array, bits: Array, out: Array) -> None:
    length = out.shape[1]
    for i in range(out.shape[0]):
        for b in range(length >> 3):
            byte = bits[b]
            for k in range(8):
                x = vectors[i, 8 * b + k]
                out[i, 8 * b + k] = -x if byte & (128 >> k) else x
        for j in range(length & ~7, length):
            out[i, j] = -vectors[i, j] if bits[j >> 3] & (128 >> (j & 7)) else vectors[i, j]


def _flip(rows: Array, bits: Array) -> None:
    length = rows.shape[1]
    for i in range(rows.shape[0]):
        for b in range(length >> 3):
            byte = bits[b]
            for k in range(8):
                x = rows[i, 8 * b + k]
                rows[i, 8 * b + k] = -x if byte & (128 >> k) else x
        for j in range(length & ~7, length):
            if bits[j >> 3] & (128 >> (j & 7)):
                rows[i, j] = -rows[i, j]


def _mix(out: Array, bits: Array, others: Array, ratio: float, share: Array, scale: Array) -> None:
    length = out.shape[1]
    for i in range(out.shape[0]):
        a, c, v = share[i], scale[i], others[i if len(others) > 1 else 0]
        for b in range(length >> 3):
            byte = bits[b]
            for k in range(8):
                j = 8 * b + k
                r = -ratio if byte & (128 >> k) else ratio
                out[i, j] = (out[i, j] * r + v[j] * a) * c
        for j in range(length & ~7, length):
            r = -ratio if bits[j >> 3] & (128 >> (j & 7)) else ratio
            out[i, j] = (out[i, j] * r + v[j] * a) * c
