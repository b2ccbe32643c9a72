"""A bank of matrices: one independent matrix for every key, drawn when asked for, from the stream of its name."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np

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
        self.seed = integer("seed", seed, maximum=None)
        self.dtype = choice("dtype", dtype, DTYPES)
        self.order: Array | None = family.draw_order(stream(seed, "order"), self.sketch_dim)
        self._kept: dict[Any, Any] = {}
        self._room = min(CACHE_BYTES, family.cache_bytes(self.sketch_dim))
        self._lock = Lock()

    def matrix(self, key: tuple[Any, ...], columns: int | None = None) -> RandomMatrix:
        """The matrix of that key in natural order: ``d × columns``, or ``d × d``."""
        kept: RandomMatrix | None = self._kept.get((key, columns))
        if kept is not None:
            return kept
        matrix = self.family.sample(stream(self.seed, "matrix", *key), self.sketch_dim, columns, self.dtype)
        self._keep((key, columns), matrix)
        return matrix

    def first_column(self, key: tuple[Any, ...]) -> Array:
        """The first column of the matrix of that key, in natural order: a read-only ``(d,)`` array."""
        kept: Array | None = self._kept.get((key, "first"))
        if kept is not None:
            return kept
        matrix = self.family.sample(stream(self.seed, "matrix", *key), self.sketch_dim, 1, self.dtype)
        column: Array = matrix.matvec(np.ones(1, self.dtype))
        column.setflags(write=False)
        self._keep((key, "first"), column)
        return column

    def _keep(self, name: Any, made: RandomMatrix | Array) -> None:
        """Keep it if there is room.

        Nothing is thrown out for it: an encode asks for all matrices in turn, and would always find the next one gone.
        """
        with self._lock:
            if name not in self._kept and made.nbytes <= self._room:
                self._kept[name] = made
                self._room -= made.nbytes

    def stored(self, key: tuple[Any, ...], columns: int | None = None) -> RandomMatrix:
        """The matrix of that key as sketches see it: rows, and columns of a square one, in stored order."""
        return ReorderedMatrix(self.matrix(key, columns), self.order, columns_too=columns is None)
