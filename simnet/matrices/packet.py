"""Packet matrices: sparse columns made of signed packets that say which matrix and which column they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from simnet.checks import integer, real
from simnet.matrices.base import Array, MatrixFamily, RandomMatrix
from simnet.matrices.rademacher import random_signs

#: Up to this many signs the names of columns are drawn without repetition; longer ones hardly ever repeat.
PERMUTED_SIGNS = 12


class PacketMatrix(RandomMatrix):
    """The non-zero entries of a packet matrix, stored transposed."""

    def __init__(self, transposed: sparse.csr_array[Any, tuple[int, int]]) -> None:
        self.transposed = transposed
        self.shape = (transposed.shape[1], transposed.shape[0])
        self.dtype = transposed.dtype

    def matvec(self, vectors: Array) -> Array:
        return self._apply(self.transposed.T, np.asarray(vectors, self.dtype))

    def rmatvec(self, vectors: Array) -> Array:
        return self._apply(self.transposed, np.asarray(vectors, self.dtype))

    @staticmethod
    def _apply(matrix: Any, vectors: Array) -> Array:
        flat = vectors.reshape(-1, vectors.shape[-1]) if vectors.size else np.zeros((0, vectors.shape[-1]), vectors.dtype)
        return np.ascontiguousarray((matrix @ flat.T).T).reshape(*vectors.shape[:-1], matrix.shape[0])

    @property
    def nbytes(self) -> int:
        return int(self.transposed.data.nbytes + self.transposed.indices.nbytes + self.transposed.indptr.nbytes)


@dataclass(frozen=True)
class Packet(MatrixFamily):
    """Row blocks of ``b`` rows; block ``g`` of column ``j`` is non-zero with probability ``q``, and is then a packet

        (1/√(dq)) · (ρ ‖ ς σ ‖ ς κ_j)

    three parts of ``m = b/3`` signs: ``ρ`` fresh, ``σ`` the signature of the matrix, ``κ_j`` that of the column, ``ς`` a
    fresh sign.  All signs are fair; ``σ`` is drawn for the matrix, and the ``κ_j`` of a matrix are drawn without repetition
    as long as there are names left, ``M = 2^m`` of them.  A sketch of few active columns can be taken apart without knowing
    the matrices (:func:`simnet.learning.learn_packets`).  A product costs ``q d²``; only non-zero entries are stored.

    Two matrices have one signature up to the sign, and cannot be told apart by it, with probability ``2^{1−m}``, 1 in 128
    for ``b = 24``: take longer blocks for more than a few modules.

    **Noise.**  ``Σ_t (Ru)_t (Rv)_t`` over ``n`` rows of a block is ``Σ_ij u_i v_j B_i B_j ⟨p_i, p_j⟩ / (dq)``, ``B`` saying
    which columns are there and ``p`` their signs.  The terms of different pairs are uncorrelated, since each has its own
    signs ``ς``; ``⟨p_i, p_i⟩ = n``; and ``F(n) = E⟨p_i, p_j⟩²`` for ``i ≠ j`` is ``n₁ + E(n₂ + c)²`` for ``n₁``, ``n₂``,
    ``n₃`` rows of the three parts, where ``c`` is the inner product of ``n₃`` signs of two names: ``E c = −n₃/(M − 1)``
    and ``E c² = (n₃ M − n₃²)/(M − 1)`` for different ones.  Summed over blocks, ``n_g`` of the first ``d'`` rows in block
    ``g``,

        ν(u, v) = (1/d') Σ_g [ F(n_g) (‖u‖² ‖v‖² + ⟨u, v⟩² − 2 Σ_i u_i² v_i²) + n_g² ((1 − q)/q) Σ_i u_i² v_i² ]

    exactly, at every ``d'`` (for the first ``M`` columns).  For whole blocks ``F(b)/b ≈ (m + 2)/3``: columns of one matrix
    disturb each other more than independent signs would, since they share a signature.

    **Order.**  Sketches keep the natural order of the coordinates: row blocks are independent and alike, so a prefix of
    whole blocks is as good as any other choice of blocks, and packets stay whole.  A random subset of as many rows spreads
    over more blocks and has less noise than this; the law is then an upper bound.

    Parameters
    ----------
    block_size : int
        ``b``, a positive multiple of 3; the last block is cut off when it does not divide ``d``.
    density : float
        ``q`` in ``(0, 1]``.

    Examples
    --------
    >>> from simnet.matrices import Packet
    >>> from simnet.randomness import stream
    >>> column = Packet(block_size=6, density=0.5).sample(stream(0, "example"), 24, 1).todense()[:, 0]
    >>> sorted(set(abs(column.round(3)).tolist()))
    [0.0, 0.289]
    """

    name: ClassVar[str] = "packet"
    block_size: int = 24
    density: float = 0.25

    def __post_init__(self) -> None:
        if integer("block_size", self.block_size, minimum=3) % 3:
            raise ValueError(f"block_size = {self.block_size}: must be a multiple of 3, a packet has three equal parts")
        if real("density", self.density, minimum=0.0, maximum=1.0) == 0.0:
            raise ValueError("density = 0.0: must be positive, an empty matrix carries nothing")

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        part, blocks = self.block_size // 3, -(-rows // self.block_size)
        # a stream for each kind of draw, so that more columns change none of those before them
        signature_stream, names_stream, place_stream, sign_stream, fresh_stream = stream.spawn(5)
        signature = random_signs(signature_stream, 1, part, dtype)
        names = _names(names_stream, columns, part, dtype)
        present = place_stream.random((columns, blocks)) < self.density
        column, block = np.nonzero(present)
        sign = random_signs(sign_stream, len(column), 1, dtype)
        fresh = random_signs(fresh_stream, len(column), part, dtype)
        packets = np.concatenate([fresh, sign * signature, sign * names[column]], axis=1)
        packets *= 1.0 / math.sqrt(rows * self.density)
        indices = block[:, None] * self.block_size + np.arange(self.block_size)
        inside = indices < rows
        counts = np.bincount(column, weights=inside.sum(axis=1), minlength=columns)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return PacketMatrix(sparse.csr_array((packets[inside], indices[inside], starts), shape=(columns, rows)))

    def product_cost(self, rows: int) -> float:
        """``5 · density · d²``, as measured: a sparse product goes entry by entry."""
        return 5.0 * self.density * rows**2

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        whole, rest = divmod(kept, self.block_size)
        pair = (whole * self._pair(self.block_size) + self._pair(rest)) / kept
        own = (whole * self.block_size**2 + rest**2) / kept
        return pair * (squares + inner - 2.0 * fourth) + own * (1.0 - self.density) / self.density * fourth

    def _pair(self, rows: int) -> float:
        """``F(n)``: the mean square of the inner product of two packets of one matrix over their first ``n`` rows."""
        part = self.block_size // 3
        fresh, shared, named = (min(max(rows - i * part, 0), part) for i in range(3))
        if part > PERMUTED_SIGNS:
            return fresh + shared**2 + named
        others = 2.0**part - 1.0
        return fresh + shared**2 - 2.0 * shared * named / others + named * (others + 1.0 - named) / others

    def draw_order(self, stream: np.random.Generator, sketch_dim: int) -> Array | None:
        """Natural: row blocks are independent and alike, and a prefix of whole blocks keeps packets whole."""
        return None


def _names(stream: np.random.Generator, columns: int, length: int, dtype: np.dtype[Any]) -> Array:
    """``(columns, length)`` signs: all different names in random order, then all of them again, as often as needed."""
    if length > PERMUTED_SIGNS:
        return random_signs(stream, columns, length, dtype)
    rounds = [stream.permutation(1 << length) for _ in range(-(-columns >> length))]
    codes = np.concatenate(rounds)[:columns]
    return np.where(codes[:, None] >> np.arange(length) & 1, 1.0, -1.0).astype(dtype)
