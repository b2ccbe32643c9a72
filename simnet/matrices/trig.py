"""Trigonometric matrices: a random rotation in ``d log d`` time and ``3d`` signs of storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt, sqrt
from typing import Any, ClassVar

import numpy as np
import scipy.fft

from simnet.matrices.base import Array, MatrixFamily, RandomMatrix
from simnet.matrices.rademacher import random_signs

#: Up to so many columns, and from so many rows for each, meet the cosine transform as a small matrix product.
NARROW, ROWS_A_COLUMN = 16, 256


@lru_cache(maxsize=32)
def _cosine_tables(rows: int, columns: int, dtype: str) -> tuple[Array, Array]:
    """Two factors of the first columns of the orthonormal DCT-II: ``(2 columns, blocks)`` and ``(2 columns, length)``.

    Row ``k = i·length + j`` of column ``n`` is ``√(2/d) cos(φ_n k)``, ``φ_n = π(2n + 1)/(2d)``, and
    ``cos(φ(i·length + j)) = cos(φ i·length) cos(φ j) − sin(φ i·length) sin(φ j)``.  Row 0 lacks its factor ``1/√2``.
    """
    length = 1 << (isqrt(rows).bit_length() - 1)
    blocks = -(-rows // length)
    odd = 2 * np.arange(columns)[:, None] + 1

    def angles(k: Array) -> Array:
        return (odd * k % (4 * rows)) * (np.pi / (2 * rows))  # the remainder is exact: no angle loses digits

    outer, inner = angles(np.arange(blocks) * length), angles(np.arange(length))
    left = sqrt(2.0 / rows) * np.concatenate([np.cos(outer), -np.sin(outer)])
    return left.astype(dtype), np.concatenate([np.cos(inner), np.sin(inner)]).astype(dtype)


def _narrow_dct(vectors: Array, rows: int) -> Array:
    """The orthonormal DCT-II of vectors with nothing but their first coordinates: ``(..., columns)`` to ``(..., rows)``."""
    left, right = _cosine_tables(rows, vectors.shape[-1], vectors.dtype.name)
    twice = np.concatenate([vectors, vectors], axis=-1)
    scaled = (twice[..., None, :] * left.T).reshape(-1, len(left))
    result = (scaled @ right).reshape(*vectors.shape[:-1], -1)[..., :rows]
    result[..., 0] *= sqrt(0.5)
    return result


def _narrow_idct(vectors: Array, columns: int) -> Array:
    """The first coordinates of the inverse: ``(..., rows)`` to ``(..., columns)``; writes to ``vectors``."""
    rows = vectors.shape[-1]
    left, right = _cosine_tables(rows, columns, vectors.dtype.name)
    vectors[..., 0] *= sqrt(0.5)
    blocks, length = left.shape[1], right.shape[1]
    if blocks * length > rows:
        padded = np.zeros((*vectors.shape[:-1], blocks * length), vectors.dtype)
        padded[..., :rows] = vectors
        vectors = padded
    parts = (vectors.reshape(-1, length) @ right.T).reshape(*vectors.shape[:-1], blocks, 2 * columns)
    both = np.einsum("...bc,cb->...c", parts, left)
    return both[..., :columns] + both[..., columns:]


class TrigMatrix(RandomMatrix):
    """``D_k C … D₁ C D₀``, ``C`` the orthonormal DCT-II, one row of ``signs`` for each ``D``, a byte a sign.

    A few columns meet the first ``C`` as a small matrix product, at a fraction of a transform.
    """

    def __init__(self, signs: Array, columns: int, dtype: np.dtype[Any]) -> None:
        self.signs = signs
        self.shape, self.dtype = (signs.shape[1], columns), dtype
        self.narrow = columns <= NARROW and columns * ROWS_A_COLUMN <= signs.shape[1]

    def matvec(self, vectors: Array) -> Array:
        return self.products([self], [np.asarray(vectors, self.dtype)[None]])[0]

    @staticmethod
    def products(matrices: Sequence[RandomMatrix], batches: Sequence[Array]) -> Array:
        trig = [matrix for matrix in matrices if isinstance(matrix, TrigMatrix)]
        rows, dtype = trig[0].shape[0], trig[0].dtype
        ends = np.cumsum([len(batch) for batch in batches]).tolist()
        slices = [slice(end - len(batch), end) for batch, end in zip(batches, ends, strict=True)]
        result = np.empty((ends[-1], *batches[0].shape[1:-1], rows), dtype)
        square = all(matrix.shape[1] == rows for matrix in trig)
        for matrix, batch, part in zip(trig, batches, slices, strict=True):
            if square:
                np.multiply(batch, matrix.signs[0], out=result[part])
            else:
                matrix._first_round(batch, result[part])
        for k in range(1 if square else 2, len(trig[0].signs)):
            result = scipy.fft.dct(result, norm="ortho", overwrite_x=True)
            for matrix, part in zip(trig, slices, strict=True):
                rows_of = result[part]
                rows_of *= matrix.signs[k]
        return result

    def _first_round(self, vectors: Array, result: Array) -> None:
        """``D₁ C D₀ v`` into ``result``."""
        rows, columns = self.shape
        signed = np.asarray(vectors, self.dtype) * self.signs[0, :columns]
        if self.narrow:
            np.multiply(_narrow_dct(signed, rows), self.signs[1], out=result)
        else:
            result[..., columns:] = 0.0
            result[..., :columns] = signed
            np.multiply(scipy.fft.dct(result, norm="ortho", overwrite_x=True), self.signs[1], out=result)

    def rmatvec(self, vectors: Array) -> Array:
        columns = self.shape[1]
        result = np.asarray(vectors, self.dtype) * self.signs[-1]
        for signs in self.signs[-2:0:-1]:
            result = scipy.fft.idct(result, norm="ortho", overwrite_x=True)
            result *= signs
        if self.narrow:
            return _narrow_idct(result, columns) * self.signs[0, :columns]
        result = scipy.fft.idct(result, norm="ortho", overwrite_x=True)
        return result[..., :columns] * self.signs[0, :columns]

    @property
    def nbytes(self) -> int:
        return int(self.signs.nbytes)


@dataclass(frozen=True)
class Trig(MatrixFamily):
    """``R = D₂ C D₁ C D₀``: two rounds of random signs and an orthonormal DCT-II; never formed as ``d × d``.

    Noise as for Haar: ``ν(u, v) = (1 − d'/d)(‖u‖² ‖v‖² + ⟨u, v⟩²)``.

    Both rounds are needed, and so is the random order of the coordinates in a sketch: the first rows of a DCT hardly
    tell its first columns apart, so a prefix in natural order sees a heavy object about half as well again.

    Examples
    --------
    >>> import numpy as np
    >>> from simnet.matrices import Trig
    >>> from simnet.randomness import stream
    >>> matrix = Trig().sample(stream(0, "example"), 1 << 10)
    >>> v = np.ones(1 << 10)
    >>> bool(np.allclose(matrix.rmatvec(matrix.matvec(v)), v))
    True
    """

    name: ClassVar[str] = "trig"
    rounds: ClassVar[int] = 2
    cache_bytes: ClassVar[int] = 1 << 26  # drawing the signs again takes less time than a transform

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        return TrigMatrix(random_signs(stream, self.rounds + 1, rows, np.dtype(np.int8)), columns, dtype)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return (1.0 - kept / sketch_dim) * (squares + inner)
