"""Rademacher matrices: independent random signs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simnet.matrices.base import Array, DenseMatrix, MatrixFamily, RandomMatrix
from simnet.matrices.passes import signs_of


def random_bits(stream: np.random.Generator, count: int, length: int) -> Array:
    """Independent fair bits, eight to a byte: ``count`` rows of at least ``length``, each ``⌈length/64⌉`` raw words."""
    words = -(-length // 64)
    raw = stream.bit_generator.random_raw(count * words).astype("<u8", copy=False)
    return raw.view(np.uint8).reshape(count, words * 8)


def random_signs(stream: np.random.Generator, count: int, length: int, dtype: np.dtype[Any]) -> Array:
    """A ``(count, length)`` array of independent ``±1``."""
    return signs_of(random_bits(stream, count, length), length).astype(dtype, copy=False)


@dataclass(frozen=True)
class Rademacher(MatrixFamily):
    """``R_ij = ±1/√d``, independent fair signs; a product costs ``d²``.

    Noise: ``ν(u, v) = ‖u‖² ‖v‖² + ⟨u, v⟩² − 2 Σ_i u_i² v_i²``, so ``v_j = ‖x‖² − x_j²``: a coordinate does not disturb
    itself, since the columns have exactly unit length.
    """

    name: ClassVar[str] = "rademacher"

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        entries = random_signs(stream, columns, rows, dtype)
        entries *= 1.0 / math.sqrt(rows)
        return DenseMatrix(entries)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return squares + inner - 2.0 * fourth
