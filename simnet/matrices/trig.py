"""Trigonometric matrices: a random rotation in ``d log d`` time and ``3d`` signs of storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.fft

from simnet.matrices.base import Array, MatrixFamily, RandomMatrix
from simnet.matrices.rademacher import random_signs


class TrigMatrix(RandomMatrix):
    """``D_k C … D₁ C D₀``, ``C`` the orthonormal DCT-II, one row of ``signs`` for each ``D``."""

    def __init__(self, signs: Array, columns: int) -> None:
        self.signs = signs
        self.shape, self.dtype = (signs.shape[1], columns), signs.dtype

    def matvec(self, vectors: Array) -> Array:
        vectors = np.asarray(vectors, self.dtype)
        rows, columns = self.shape
        if columns == rows:
            result = vectors * self.signs[0]
        else:
            result = np.zeros((*vectors.shape[:-1], rows), self.dtype)
            np.multiply(vectors, self.signs[0, :columns], out=result[..., :columns])
        for signs in self.signs[1:]:
            result = scipy.fft.dct(result, norm="ortho", overwrite_x=True)
            result *= signs
        return result

    def rmatvec(self, vectors: Array) -> Array:
        columns = self.shape[1]
        result = np.asarray(vectors, self.dtype) * self.signs[-1]
        for signs in self.signs[-2:0:-1]:
            result = scipy.fft.idct(result, norm="ortho", overwrite_x=True)
            result *= signs
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

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        return TrigMatrix(random_signs(stream, self.rounds + 1, rows, dtype), columns)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return (1.0 - kept / sketch_dim) * (squares + inner)
