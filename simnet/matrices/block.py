"""Block matrices: most row blocks are empty, the rest are random signs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simnet.checks import integer, real
from simnet.matrices.base import Array, MatrixFamily, RandomMatrix
from simnet.matrices.rademacher import random_signs


class BlockMatrix(RandomMatrix):
    """The filled rows of a block matrix, and where they belong."""

    def __init__(self, transposed: Array, filled: Array, rows: int) -> None:
        self.transposed, self.filled = transposed, filled
        self.shape, self.dtype = (rows, transposed.shape[0]), transposed.dtype

    def matvec(self, vectors: Array) -> Array:
        vectors = np.asarray(vectors, self.dtype)
        result = np.zeros((*vectors.shape[:-1], self.shape[0]), self.dtype)
        result[..., self.filled] = vectors @ self.transposed
        return result

    def rmatvec(self, vectors: Array) -> Array:
        return np.asarray(vectors, self.dtype)[..., self.filled] @ self.transposed.T

    @property
    def nbytes(self) -> int:
        return int(self.transposed.nbytes)


@dataclass(frozen=True)
class Block(MatrixFamily):
    """Row blocks of ``block_size`` rows; a block is filled with probability ``density``, then with ``±1/√(d·density)``.

    A product costs ``density · d²``.  With ``b`` the block size, ``q`` the density and ``f = (d' − 1)/(d − 1)``,

        ν(u, v) = [ ‖u‖² ‖v‖² + ⟨u, v⟩² − 2 Σ_i u_i² v_i² + (1 − q) (1 + (b − 1) f) ⟨u, v⟩² ] / q

    The factor ``1 + (b − 1) f`` is the mean number of kept rows that share the block of a kept row: the whole block for
    the whole sketch, one row for a short prefix in random order, where rows of one block seldom meet.  Where the block
    size does not divide ``d``, ``b`` is the mean size of the block of a row, ``Σ size²/d``.

    Parameters
    ----------
    block_size : int
        Rows to a block, ``>= 1``; the last block is shorter when it does not divide ``d``.
    density : float
        The probability of a block to be filled, in ``(0, 1]``.
    """

    name: ClassVar[str] = "block"
    block_size: int = 16
    density: float = 0.5

    def __post_init__(self) -> None:
        integer("block_size", self.block_size, minimum=1)
        if real("density", self.density, minimum=0.0, maximum=1.0) == 0.0:
            raise ValueError("density = 0.0: must be positive, an empty matrix carries nothing")

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        blocks = -(-rows // self.block_size)
        present = np.repeat(stream.random(blocks) < self.density, self.block_size)[:rows]
        filled = np.flatnonzero(present)
        entries = np.ascontiguousarray(random_signs(stream, columns, rows, dtype)[:, filled])
        entries *= 1.0 / math.sqrt(rows * self.density)
        return BlockMatrix(entries, filled, rows)

    def product_cost(self, rows: int) -> float:
        """``density · d²``."""
        return self.density * rows**2

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        full, rest = divmod(sketch_dim, self.block_size)
        size = (full * self.block_size**2 + rest**2) / sketch_dim
        companions = 1.0 + (size - 1.0) * (kept - 1) / max(sketch_dim - 1, 1)
        return (squares + inner - 2.0 * fourth + (1.0 - self.density) * companions * inner) / self.density
