"""Trigonometric matrices: a random rotation in ``d log d`` time and ``3d`` signs of storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import isqrt, log2, prod, sqrt
from typing import Any, ClassVar

import numpy as np
import scipy.fft

from simnet.matrices.base import Array, MatrixFamily, RandomMatrix, slices_of
from simnet.matrices.passes import Finish, flipped, reads_bits, signed, signs_of
from simnet.matrices.rademacher import random_bits

#: Up to so many columns, and from so many rows for each, meet the cosine transform as a small matrix product.
NARROW, ROWS_A_COLUMN = 16, 256

#: Those products are of so many multiply-adds each: more would wake the threads of BLAS (``simnet.threads``).
SMALL = 1 << 17

#: From so many rows, signs are kept as bits even where these cost two passes over a row of bytes for each use.
PACKED = 1 << 17

#: Rows of so many bytes and more are transformed one by one: of several at once, the library would hold too many.
ALONE = 1 << 20


@lru_cache(maxsize=32)
def _cosine_tables(rows: int, columns: int, dtype: str) -> tuple[Array, Array]:
    """Two factors of the first columns of the DCT-II, orthonormal: ``(chunks, chunk, 2 columns)``, ``(2 columns, length)``.

    Row ``k = i·length + j`` of column ``n`` is ``√(2/d) cos(φ_n k)``, ``φ_n = π(2n + 1)/(2d)``, and
    ``cos(φ(i·length + j)) = cos(φ i·length) cos(φ j) − sin(φ i·length) sin(φ j)``.  Row 0 lacks its factor ``1/√2``.
    """
    length = 1 << (isqrt(rows).bit_length() - 1)
    blocks = -(-rows // length)
    # a power of two, so that the blocks of a power of two are shared out without rest
    chunks = 1 << (-(-blocks // max(1, SMALL // (2 * columns * length))) - 1).bit_length()
    chunk = -(-blocks // chunks)
    blocks = chunks * chunk
    odd = 2 * np.arange(columns)[:, None] + 1

    def angles(k: Array) -> Array:
        return (odd * k % (4 * rows)) * (np.pi / (2 * rows))  # the remainder is exact: no angle loses digits

    outer, inner = angles(np.arange(blocks) * length), angles(np.arange(length))
    left = sqrt(2.0 / rows) * np.concatenate([np.cos(outer), -np.sin(outer)])
    left = np.ascontiguousarray(left.T).reshape(chunks, chunk, 2 * columns)
    return left.astype(dtype), np.concatenate([np.cos(inner), np.sin(inner)]).astype(dtype)


def _narrow_dct(vectors: Array, out: Array) -> None:
    """The orthonormal DCT-II of vectors with nothing but their first coordinates: ``(n, columns)`` to ``(n, rows)``."""
    left, right = _cosine_tables(out.shape[-1], vectors.shape[-1], vectors.dtype.name)
    scaled = np.concatenate([vectors, vectors], axis=-1)[:, None, None, :] * left
    shape = (*scaled.shape[:-1], right.shape[1])
    if out.size == prod(shape) and out.flags.c_contiguous:
        np.matmul(scaled, right, out=out.reshape(shape))
    else:
        out[...] = (scaled @ right).reshape(len(vectors), -1)[:, : out.shape[-1]]
    out[:, 0] *= sqrt(0.5)


def _narrow_idct(vectors: Array, columns: int) -> Array:
    """The first coordinates of the inverse: ``(n, rows)`` to ``(n, columns)``; writes to ``vectors``."""
    left, right = _cosine_tables(vectors.shape[-1], columns, vectors.dtype.name)
    vectors[:, 0] *= sqrt(0.5)
    shape = (len(vectors), *left.shape[:2], right.shape[1])
    if prod(shape) > vectors.size:
        padded = np.zeros((len(vectors), prod(shape[1:])), vectors.dtype)
        padded[:, : vectors.shape[1]] = vectors
        vectors = padded
    both = np.einsum("nkbc,kbc->nc", vectors.reshape(shape) @ right.T, left)
    return both[:, :columns] + both[:, columns:]


class TrigMatrix(RandomMatrix):
    """``D_k C … D₁ C D₀``, ``C`` the orthonormal DCT-II, one row of ``bits`` for each ``D``: 1 where its sign is minus.

    A few columns meet the first ``C`` as a small matrix product, at a fraction of a transform.
    """

    def __init__(self, bits: Array, rows: int, columns: int, dtype: np.dtype[Any]) -> None:
        self.packed = rows >= PACKED or reads_bits(rows)
        self._kept = bits if self.packed else signs_of(bits, rows)
        self.shape, self.dtype = (rows, columns), dtype
        self.rounds = len(bits) - 1
        self.narrow = columns <= NARROW and columns * ROWS_A_COLUMN <= rows

    @property
    def signs(self) -> Array:
        """``(rounds + 1, rows)``: the diagonals of all ``D``."""
        return signs_of(self._kept, self.shape[0]) if self.packed else self._kept

    @property
    def _first(self) -> Array:
        """The signs of ``D₀`` that vectors meet."""
        return signs_of(self._kept[0], self.shape[1]) if self.packed else self._kept[0, : self.shape[1]]

    def matvec(self, vectors: Array) -> Array:
        return self._alone(self.products, np.ascontiguousarray(vectors, self.dtype), self.shape[0])

    def rmatvec(self, vectors: Array) -> Array:
        return self._alone(self.adjoint_products, np.ascontiguousarray(vectors, self.dtype), self.shape[1])

    def _alone(self, products: Any, vectors: Array, length: int) -> Array:
        """The products of this matrix, for a batch of any shape."""
        expected = sum(self.shape) - length
        if vectors.shape[-1] != expected:
            raise ValueError(f"vectors: the last axis must have the length {expected}, not {vectors.shape[-1]}")
        out = np.empty((*vectors.shape[:-1], length), self.dtype)
        products([self], [vectors.reshape(-1, vectors.shape[-1])], out.reshape(-1, length))
        return out

    @staticmethod
    def products(
        matrices: Sequence[RandomMatrix], batches: Sequence[Array], out: Array, finish: Finish | None = None
    ) -> None:
        trig = [matrix for matrix in matrices if isinstance(matrix, TrigMatrix)]
        slices, rounds = slices_of(batches), trig[0].rounds
        if any(matrix.shape[1] < matrix.shape[0] for matrix in trig):
            for _, members in groupby(range(len(trig)), key=lambda i: trig[i].shape[1]):
                few = list(members)
                vectors = [np.asarray(batches[i], trig[i].dtype) * trig[i]._first for i in few]
                rows = out[slices[few[0]].start : slices[few[-1]].stop]
                trig[few[0]]._transformed(np.concatenate(vectors), rows)
        else:
            for matrix, batch, part in zip(trig, batches, slices, strict=True):
                signed(batch, matrix._kept[0], out[part])
            _in_place(scipy.fft.dct, out)
        for k in range(1, rounds):
            _signed(trig, slices, out, k)
            _in_place(scipy.fft.dct, out)
        _signed(trig, slices, out, rounds, finish)

    @staticmethod
    def adjoint_products(
        matrices: Sequence[RandomMatrix], batches: Sequence[Array], out: Array, finish: Finish | None = None
    ) -> None:
        trig = [matrix for matrix in matrices if isinstance(matrix, TrigMatrix)]
        slices, rounds = slices_of(batches), trig[0].rounds
        if any(matrix.shape[1] < matrix.shape[0] for matrix in trig):
            for matrix, batch, part in zip(trig, batches, slices, strict=True):
                matrix._first_columns(batch, out[part])
            if finish is not None:
                finish(out, slices)
            return
        for matrix, batch, part in zip(trig, batches, slices, strict=True):
            signed(batch, matrix._kept[rounds], out[part])
        for k in range(rounds - 1, 0, -1):
            _in_place(scipy.fft.idct, out)
            _signed(trig, slices, out, k)
        _in_place(scipy.fft.idct, out)
        _signed(trig, slices, out, 0, finish)

    def _transformed(self, vectors: Array, out: Array) -> None:
        """``C v`` of vectors with nothing but their first coordinates."""
        if self.narrow:
            _narrow_dct(vectors, out)
            return
        out[:, : self.shape[1]] = vectors
        out[:, self.shape[1] :] = 0.0
        _in_place(scipy.fft.dct, out)

    def _first_columns(self, vectors: Array, out: Array) -> None:
        """``Rᵀ y`` for a matrix of fewer columns than rows."""
        columns = self.shape[1]
        rows = np.empty(vectors.shape, self.dtype)
        signed(vectors, self._kept[self.rounds], rows)
        for k in range(self.rounds - 1, 0, -1):
            _in_place(scipy.fft.idct, rows)
            flipped(rows, self._kept[k])
        if self.narrow:
            rows = _narrow_idct(rows, columns)
        else:
            _in_place(scipy.fft.idct, rows)
        np.multiply(rows[:, :columns], self._first, out=out)

    @property
    def nbytes(self) -> int:
        return int(self._kept.nbytes)


def _in_place(transform: Any, rows: Array) -> None:
    """A transform of rows, which the library may leave where they are."""
    if len(rows) > 1 and rows[0].nbytes >= ALONE:
        for row in rows:
            _in_place(transform, row[None])
        return
    made = transform(rows, norm="ortho", overwrite_x=True)
    if made is not rows and not np.may_share_memory(made, rows):
        rows[...] = made


def _signed(
    matrices: Sequence[TrigMatrix], slices: Sequence[slice], rows: Array, k: int, finish: Finish | None = None
) -> None:
    """Every batch meets a row of signs of its own matrix, and on the same pass what comes after the product."""
    if finish is not None:
        finish(rows, slices, (matrix._kept[k] for matrix in matrices))
        return
    for matrix, part in zip(matrices, slices, strict=True):
        flipped(rows[part], matrix._kept[k])


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
        return TrigMatrix(random_bits(stream, self.rounds + 1, rows), rows, columns, dtype)

    def cache_bytes(self, rows: int) -> int:
        """Drawing signs takes a fraction of a transform: few large ones are not worth their room."""
        return 1 << 28 if rows < 1 << 20 else 0

    def product_cost(self, rows: int) -> float:
        """``2 · 6.5 d log₂ d``, as measured: a transform does not keep a processor as busy as a matrix product does."""
        return self.rounds * 6.5 * rows * log2(rows)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return (1.0 - kept / sketch_dim) * (squares + inner)
