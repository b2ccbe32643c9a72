"""Gaussian matrices: independent entries of variance ``1/d``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simnet.matrices.base import Array, DenseMatrix, MatrixFamily, RandomMatrix


@dataclass(frozen=True)
class Gaussian(MatrixFamily):
    """``R_ij ~ N(0, 1/d)``, independent; a product costs ``d²``.

    Noise: ``ν(u, v) = ‖u‖² ‖v‖² + ⟨u, v⟩²`` (Isserlis), so ``v_j = ‖x‖² + x_j²``.

    Entries are drawn with the resolution of single precision, so that sketchers of either precision have one and the
    same matrix.

    Examples
    --------
    >>> from simnet.matrices import Gaussian
    >>> from simnet.randomness import stream
    >>> Gaussian().sample(stream(0, "example"), 64, columns=3).shape
    (64, 3)
    """

    name: ClassVar[str] = "gaussian"

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        entries = stream.standard_normal((columns, rows), dtype=np.float32).astype(dtype, copy=False)
        entries *= 1.0 / math.sqrt(rows)
        return DenseMatrix(entries)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return squares + inner
