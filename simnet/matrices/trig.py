"""Trigonometric matrices: a random rotation in ``d log d`` time and ``3d`` signs of storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import isqrt, log2, sqrt
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
        trig, slices, result = _laid_out(matrices, batches)
        if any(matrix.shape[1] < matrix.shape[0] for matrix in trig):
            for _, members in groupby(range(len(trig)), key=lambda i: trig[i].shape[1]):
                few = list(members)
                first = trig[few[0]]
                signed = [np.asarray(batches[i], first.dtype) * trig[i].signs[0, : first.shape[1]] for i in few]
                made, start = first._transformed(np.concatenate(signed)), slices[few[0]].start
                for i in few:
                    rows = made[slices[i].start - start : slices[i].stop - start]
                    np.multiply(rows, trig[i].signs[1], out=result[slices[i]])
            return _rounds(scipy.fft.dct, trig, slices, result, range(2, len(trig[0].signs)))
        for matrix, batch, part in zip(trig, batches, slices, strict=True):
            np.multiply(batch, matrix.signs[0], out=result[part])
        return _rounds(scipy.fft.dct, trig, slices, result, range(1, len(trig[0].signs)))

    @staticmethod
    def adjoint_products(matrices: Sequence[RandomMatrix], batches: Sequence[Array]) -> Array:
        if any(matrix.shape[1] < matrix.shape[0] for matrix in matrices):
            return RandomMatrix.adjoint_products(matrices, batches)
        trig, slices, result = _laid_out(matrices, batches)
        for matrix, batch, part in zip(trig, batches, slices, strict=True):
            np.multiply(batch, matrix.signs[-1], out=result[part])
        return _rounds(scipy.fft.idct, trig, slices, result, range(len(trig[0].signs) - 2, -1, -1))

    def _transformed(self, vectors: Array) -> Array:
        """``C v`` of vectors with nothing but their first coordinates."""
        rows, columns = self.shape
        if self.narrow:
            return _narrow_dct(vectors, rows)
        padded = np.zeros((*vectors.shape[:-1], rows), self.dtype)
        padded[..., :columns] = vectors
        return scipy.fft.dct(padded, norm="ortho", overwrite_x=True)

    def rmatvec(self, vectors: Array) -> Array:
        vectors, columns = np.asarray(vectors, self.dtype), self.shape[1]
        if columns == self.shape[0]:
            return self.adjoint_products([self], [vectors[None]])[0]
        result = vectors * self.signs[-1]
        for signs in self.signs[-2:0:-1]:
            result = scipy.fft.idct(result, norm="ortho", overwrite_x=True)
            result *= signs
        if self.narrow:
            return _narrow_idct(result, columns) * self.signs[0, :columns]
        return scipy.fft.idct(result, norm="ortho", overwrite_x=True)[..., :columns] * self.signs[0, :columns]

    @property
    def nbytes(self) -> int:
        return int(self.signs.nbytes)


def _laid_out(matrices: Sequence[RandomMatrix], batches: Sequence[Array]) -> tuple[list[TrigMatrix], list[slice], Array]:
    """The matrices, where the batch of each stands among all rows, and room for all rows."""
    trig = [matrix for matrix in matrices if isinstance(matrix, TrigMatrix)]
    ends = np.cumsum([len(batch) for batch in batches]).tolist()
    slices = [slice(end - len(batch), end) for batch, end in zip(batches, ends, strict=True)]
    return trig, slices, np.empty((ends[-1], *batches[0].shape[1:-1], trig[0].shape[0]), trig[0].dtype)


def _rounds(
    transform: Any, matrices: Sequence[TrigMatrix], slices: Sequence[slice], rows: Array, signs: Iterable[int]
) -> Array:
    """For each row of signs: all rows are transformed at once, then every batch meets the signs of its own matrix."""
    for k in signs:
        rows = transform(rows, norm="ortho", overwrite_x=True)
        for matrix, part in zip(matrices, slices, strict=True):
            rows[part] *= matrix.signs[k]
    return rows


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
    rowwise: ClassVar[bool] = True

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        return TrigMatrix(random_signs(stream, self.rounds + 1, rows, np.dtype(np.int8)), columns, dtype)

    def cache_bytes(self, rows: int) -> int:
        """Drawing signs takes a fraction of a transform: few large ones are not worth their room."""
        return 1 << 27 if rows < 1 << 20 else 0

    def product_cost(self, rows: int) -> float:
        """``2 · 6.5 d log₂ d``, as measured: a transform does not keep a processor as busy as a matrix product does."""
        return self.rounds * 6.5 * rows * log2(rows)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return (1.0 - kept / sketch_dim) * (squares + inner)
