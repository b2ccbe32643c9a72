"""Haar matrices: uniform over the orthogonal group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.linalg

from simnet.matrices.base import Array, DenseMatrix, MatrixFamily, RandomMatrix


@dataclass(frozen=True)
class Haar(MatrixFamily):
    """An orthogonal matrix, uniform in Haar measure; a product costs ``d²``, the sample ``d`` times the columns squared.

    Noise: ``ν(u, v) = (1 − d'/d)(‖u‖² ‖v‖² + ⟨u, v⟩²)``; the whole sketch has none, since ``RᵀR = I``.

    The Q of a Gaussian matrix is Haar once the diagonal of its triangular factor is made positive (Mezzadri 2007), and
    its first columns need the first Gaussian columns only.
    """

    name: ClassVar[str] = "haar"

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        gauss = stream.standard_normal((columns, rows)).T
        q, r = scipy.linalg.qr(gauss, mode="economic", overwrite_a=True, check_finite=False)
        signs = np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
        return DenseMatrix(np.ascontiguousarray((q * signs).T, dtype=dtype))

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return (1.0 - kept / sketch_dim) * (squares + inner)
