"""A bank of matrices: one independent matrix for every key, drawn when asked for, from the stream of its name."""

from __future__ import annotations

from typing import Any

from cachetools import LRUCache

from simnet.checks import choice, integer
from simnet.matrices.base import DTYPES, Array, MatrixFamily, RandomMatrix, ReorderedMatrix
from simnet.randomness import stream

#: Matrices are kept in memory up to this many bytes and drawn again, bit for bit the same, when they are needed later.
CACHE_BYTES = 1 << 30


class MatrixBank:
    """All matrices of one sketcher, and the order in which its sketches store their coordinates.

    Parameters
    ----------
    family : MatrixFamily
    sketch_dim : int
        ``d``.
    seed : int
    dtype : {"float64", "float32"}
    """

    def __init__(self, family: MatrixFamily, sketch_dim: int, seed: int, dtype: str = "float64") -> None:
        self.family = family
        self.sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
        self.seed = integer("seed", seed)
        self.dtype = choice("dtype", dtype, DTYPES)
        self.order: Array | None = family.draw_order(stream(seed, "order"), self.sketch_dim)
        self._cache: LRUCache[Any, RandomMatrix] = LRUCache(CACHE_BYTES, getsizeof=lambda matrix: matrix.nbytes)

    def matrix(self, key: tuple[Any, ...], columns: int | None = None) -> RandomMatrix:
        """The matrix of that key in natural order: ``d × columns``, or ``d × d``."""
        cached = self._cache.get((key, columns))
        if cached is not None:
            return cached
        matrix = self.family.sample(stream(self.seed, "matrix", *key), self.sketch_dim, columns, self.dtype)
        if matrix.nbytes <= CACHE_BYTES:
            self._cache[key, columns] = matrix
        return matrix

    def stored(self, key: tuple[Any, ...], columns: int | None = None) -> RandomMatrix:
        """The matrix of that key as sketches see it: rows, and columns of a square one, in stored order."""
        return ReorderedMatrix(self.matrix(key, columns), self.order, columns_too=columns is None)
