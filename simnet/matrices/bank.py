"""A bank of matrices: one independent matrix for every key, drawn when asked for, from the stream of its name."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache

from simnet.checks import choice, integer
from simnet.matrices.base import DTYPES, Array, MatrixFamily, RandomMatrix, ReorderedMatrix
from simnet.randomness import stream

#: Matrices are kept in memory up to this many bytes, or fewer if the family says so, and drawn again, bit for bit the
#: same, when they are needed later.
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
        self._cache: LRUCache[Any, Any] = LRUCache(min(CACHE_BYTES, family.cache_bytes), getsizeof=lambda kept: kept.nbytes)
        self._lock = Lock()  # a cache is no more than a dictionary: encoders use several threads

    def matrix(self, key: tuple[Any, ...], columns: int | None = None) -> RandomMatrix:
        """The matrix of that key in natural order: ``d × columns``, or ``d × d``."""
        with self._lock:
            cached = self._cache.get((key, columns))
        if cached is not None:
            return cached
        matrix = self.family.sample(stream(self.seed, "matrix", *key), self.sketch_dim, columns, self.dtype)
        self._keep((key, columns), matrix)
        return matrix

    def first_column(self, key: tuple[Any, ...]) -> Array:
        """The first column of the matrix of that key, in natural order: a read-only ``(d,)`` array."""
        with self._lock:
            cached = self._cache.get((key, "first"))
        if cached is not None:
            return cached
        matrix = self.family.sample(stream(self.seed, "matrix", *key), self.sketch_dim, 1, self.dtype)
        column: Array = matrix.matvec(np.ones(1, self.dtype))
        column.setflags(write=False)
        self._keep((key, "first"), column)
        return column

    def _keep(self, name: Any, made: RandomMatrix | Array) -> None:
        with self._lock:
            if made.nbytes <= self._cache.maxsize:
                self._cache[name] = made

    def stored(self, key: tuple[Any, ...], columns: int | None = None) -> RandomMatrix:
        """The matrix of that key as sketches see it: rows, and columns of a square one, in stored order."""
        return ReorderedMatrix(self.matrix(key, columns), self.order, columns_too=columns is None)
