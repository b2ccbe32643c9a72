"""What a family of random matrices is, and what a sampled matrix can do.

A *family* is a frozen description; ``family.sample(stream, ...)`` draws a *matrix* from a named stream.  The laws use
only two facts about a family, and every family owes both:

* it is **isotropic**: ``E[R] = 0`` and ``E[RᵀR] = I``;
* its **inner-product noise** ``ν(u, v)``, in ``Var[(d/d') ⟨(Ru)', (Rv)'⟩] = ν(u, v) / d'`` for the first ``d'`` of the
  ``d`` coordinates in random order, up to ``O(1/d)`` of itself.

To add a family, write one file with a frozen :class:`MatrixFamily` and the matrix it samples, and list it in
``simnet/matrices/__init__.py``.  ``simnet.testing.check_matrices`` then holds it to both facts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice, integer
from simnet.matrices.passes import Finish

Array = NDArray[Any]
DTYPES = ("float32", "float64")


def slices_of(batches: Sequence[Array]) -> list[slice]:
    """Where each batch stands when all of them are laid out one after the other."""
    ends = list(accumulate(map(len, batches)))
    return [slice(end - len(batch), end) for batch, end in zip(batches, ends, strict=True)]


class RandomMatrix(ABC):
    """A sampled ``rows × columns`` matrix that is applied to batches of vectors, laid out along the last axis.

    ``matvec`` maps ``(..., columns)`` to ``(..., rows)`` and ``rmatvec`` maps back by the transpose; both return the
    dtype of the matrix.  A square matrix that needs no storage of its entries (``trig``) never forms them.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    @abstractmethod
    def matvec(self, vectors: Array) -> Array:
        """``R v`` for each vector of the batch."""

    @abstractmethod
    def rmatvec(self, vectors: Array) -> Array:
        """``Rᵀ y`` for each vector of the batch."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """The memory that the matrix holds, in bytes."""

    @staticmethod
    def products(
        matrices: Sequence[RandomMatrix], batches: Sequence[Array], out: Array, finish: Finish | None = None
    ) -> None:
        """``matvec`` of each matrix with a batch of its own, written to ``out`` one after the other along the first axis.

        For a family whose matrices share their costly part, such as a transform, which then takes all batches at once, or
        whose last pass can take ``finish`` along.
        """
        slices = slices_of(batches)
        for matrix, batch, part in zip(matrices, batches, slices, strict=True):
            out[part] = matrix.matvec(batch)
        if finish is not None:
            finish(out, slices)

    @staticmethod
    def adjoint_products(
        matrices: Sequence[RandomMatrix], batches: Sequence[Array], out: Array, finish: Finish | None = None
    ) -> None:
        """``rmatvec`` of each matrix, laid out and finished as by :meth:`products`."""
        slices = slices_of(batches)
        for matrix, batch, part in zip(matrices, batches, slices, strict=True):
            out[part] = matrix.rmatvec(batch)
        if finish is not None:
            finish(out, slices)

    def prefix(self, kept: int) -> RandomMatrix:
        """The first ``kept`` rows, bit for bit: its products are those of the whole matrix, cut off."""
        return PrefixMatrix(self, integer("kept", kept, minimum=1, maximum=self.shape[0]))

    def todense(self) -> Array:
        """The entries, column by column.  For tests and small sizes."""
        return np.ascontiguousarray(self.matvec(np.eye(self.shape[1], dtype=self.dtype)).T)


class PrefixMatrix(RandomMatrix):
    """The first ``kept`` rows of a matrix.

    Products go through the whole matrix, and that is the point: a shorter BLAS call or transform would round
    differently, so that a truncated sketch would not be the prefix of the sketch.
    """

    def __init__(self, whole: RandomMatrix, kept: int) -> None:
        self.whole, self.shape, self.dtype = whole, (kept, whole.shape[1]), whole.dtype

    def matvec(self, vectors: Array) -> Array:
        return self.whole.matvec(vectors)[..., : self.shape[0]]

    def rmatvec(self, vectors: Array) -> Array:
        vectors = np.asarray(vectors)
        padded = np.zeros((*vectors.shape[:-1], self.whole.shape[0]), self.dtype)
        padded[..., : self.shape[0]] = vectors
        return self.whole.rmatvec(padded)

    @property
    def nbytes(self) -> int:
        return self.whole.nbytes


class ReorderedMatrix(RandomMatrix):
    """A matrix as the sketch stores it: the rows, and with ``columns_too`` the columns, in the order ``order``."""

    def __init__(self, natural: RandomMatrix, order: Array | None, *, columns_too: bool) -> None:
        self.natural, self.order, self.columns_too = natural, order, columns_too
        self.shape, self.dtype = natural.shape, natural.dtype
        self.inverse = None if order is None else np.argsort(order)

    def matvec(self, vectors: Array) -> Array:
        if self.order is None:
            return self.natural.matvec(vectors)
        if self.columns_too:
            vectors = np.asarray(vectors)[..., self.inverse]
        return self.natural.matvec(vectors)[..., self.order]

    def rmatvec(self, vectors: Array) -> Array:
        if self.order is None:
            return self.natural.rmatvec(vectors)
        result = self.natural.rmatvec(np.asarray(vectors)[..., self.inverse])
        return result[..., self.order] if self.columns_too else result

    @property
    def nbytes(self) -> int:
        return self.natural.nbytes


class DenseMatrix(RandomMatrix):
    """A matrix held entry by entry, stored transposed so that a batch meets it in one matrix product."""

    def __init__(self, transposed: Array) -> None:
        self.transposed = transposed
        self.shape = (transposed.shape[1], transposed.shape[0])
        self.dtype = transposed.dtype

    def matvec(self, vectors: Array) -> Array:
        return np.asarray(vectors, self.dtype) @ self.transposed

    def rmatvec(self, vectors: Array) -> Array:
        return np.asarray(vectors, self.dtype) @ self.transposed.T

    @property
    def nbytes(self) -> int:
        return int(self.transposed.nbytes)


@dataclass(frozen=True)
class MatrixFamily(ABC):
    """The description of a distribution over matrices.  Subclasses are frozen and carry their scale conventions."""

    name: ClassVar[str]

    #: Whether a batch may be cut between any two vectors, at no cost and to the same bits: true of transforms, not of BLAS.
    rowwise: ClassVar[bool] = False

    def sample(
        self,
        stream: np.random.Generator,
        rows: int,
        columns: int | None = None,
        dtype: str | np.dtype[Any] = "float64",
    ) -> RandomMatrix:
        """Draw the first ``columns`` columns of a ``rows × rows`` matrix; all of them when ``columns`` is ``None``.

        The same stream gives the same columns whatever their number, up to rounding.  ``float32`` is the rounding of
        ``float64``.

        Raises
        ------
        ValueError
            If a size is not a positive integer, ``columns > rows``, or the dtype is not ``float32`` or ``float64``.
        """
        rows = integer("rows", rows, minimum=1)
        columns = rows if columns is None else integer("columns", columns, minimum=1, maximum=rows)
        try:
            name: Any = dtype if isinstance(dtype, str) and dtype in DTYPES else np.dtype(dtype).name
        except TypeError:
            name = dtype
        return self._draw(stream, rows, columns, np.dtype(choice("dtype", name, DTYPES)))

    @abstractmethod
    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        """Sample without further checks."""

    def cache_bytes(self, rows: int) -> int:
        """How many bytes of matrices are kept in memory; what is not kept is drawn again."""
        return 1 << 30

    def product_cost(self, rows: int) -> float:
        """What ``R v`` costs, in multiply-adds of a large matrix product: ``d²`` for a matrix held entry by entry."""
        return float(rows) ** 2

    @abstractmethod
    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        """``ν(u, v)`` from ``squares = ‖u‖² ‖v‖²``, ``inner = ⟨u, v⟩²`` and ``fourth = Σ_i u_i² v_i²``."""

    def inner_noise(self, left: Array, right: Array, *, sketch_dim: int, kept: int) -> Array:
        """``ν(u, v) = d' Var[(d/d') ⟨(Ru)', (Rv)'⟩]`` over the last axis of ``left`` and ``right``."""
        u, v = np.asarray(left, float), np.asarray(right, float)
        squares = np.sum(u**2, -1) * np.sum(v**2, -1)
        fourth = np.sum(u**2 * v**2, -1)
        return self.noise(squares, np.sum(u * v, -1) ** 2, fourth, sketch_dim=sketch_dim, kept=kept)

    def self_noise(self, attributes: Array, *, sketch_dim: int, kept: int) -> Array:
        """``v_j = ν(x, e_j)`` for every coordinate ``j``: what an attribute vector of weight 1 adds to its own error."""
        squares = np.square(np.asarray(attributes, float))
        own = np.sum(squares, axis=-1, keepdims=True)
        return self.noise(own, squares, squares, sketch_dim=sketch_dim, kept=kept)

    def draw_order(self, stream: np.random.Generator, sketch_dim: int) -> Array | None:
        """The order in which a sketch stores its coordinates; ``None`` stands for the natural one."""
        return stream.permutation(sketch_dim)
