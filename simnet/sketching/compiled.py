"""Runs that share an object graph: what they have in common is formed once, and every run is a row times a matrix.

How far columns go is a :class:`~simnet.sketching.cuts.Cut`; what they are is in :mod:`simnet.sketching.dictionary`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks import Structure
from simnet.networks.network import Name
from simnet.sketching.cuts import Cut
from simnet.sketching.dictionary import Columns, Paths, column_blocks, scatter

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]


class Compiled:
    """What the runs of a group have in common: columns, as far as a cut hands them on."""

    def __init__(self, encoder: Encoder, structure: Structure, way: Cut) -> None:
        self.way, self.size = way, sum(structure.attribute_dims) + 1
        self.paths = None if way.shared else Paths()
        self.arriving, self.own = column_blocks(
            encoder, structure, one_mark=True, kept=way.kept, own=way.own, paths=self.paths
        )
        finish = self._final if way.whole else self._joined
        self.arriving = {k: finish(encoder, columns) for k, columns in self.arriving.items()}

    @property
    def nbytes(self) -> int:
        """The memory that the columns take, in bytes."""
        blocks = [*self.own.values(), *(columns.blocks[0] for columns in self.arriving.values())]
        return sum(block.nbytes for block in blocks)

    def _final(self, encoder: Encoder, columns: Columns) -> Columns:
        """As sketches store coordinates, and where each has one path in the order of ``z``, so that this is no copy."""
        blocks = tuple(encoder.to_stored(block) for block in columns.blocks)
        if self.paths is not None:
            return columns._replace(blocks=(np.concatenate(blocks),))
        rows = np.zeros((self.size, encoder.sketch_dim), encoder.dtype)
        scatter(columns._replace(blocks=blocks), rows)
        return Columns(np.arange(self.size), np.zeros(self.size, dtype=np.intp), (rows,))

    def _joined(self, encoder: Encoder, columns: Columns) -> Columns:
        """In one piece, which does not hold what it was made with."""
        return columns._replace(blocks=(np.concatenate(columns.blocks),))


class Batch:
    """Some runs of a group: the coefficients of columns, and rows that are their products.

    Parameters
    ----------
    compiled : Compiled
    values : list of (n, a) arrays
        The attributes of every object.
    weights : (n, edges) or (1, edges) array
    """

    def __init__(self, compiled: Compiled, values: Sequence[Array], weights: Array, dtype: Any) -> None:
        self.compiled, self._values = compiled, values
        self._z = np.ones((len(values[0]), compiled.size), dtype)
        np.concatenate(values, axis=1, out=self._z[:, :-1], casting="same_kind")
        self._along = None if compiled.paths is None else compiled.paths.weights(weights.T.astype(dtype))

    def coefficients(self, columns: Columns) -> Array:
        """Of columns that arrive somewhere: ``(n, columns)``."""
        if self._along is None and self.compiled.way.whole:  # they are in the order of z
            return self._z
        chosen = self._z[:, columns.names]
        if self._along is not None:
            chosen *= self._along[columns.paths].T
        return chosen

    def arrived(self, k: int) -> Array | None:
        """``s_in`` as far as it comes from objects that hand on columns, if it does: ``(n, d)``."""
        columns = self.compiled.arriving.get(k)
        return None if columns is None else self.coefficients(columns) @ columns.blocks[0]

    def own_part(self, module: Name, objects: Array) -> Array:
        """``η_a T_a s_attr`` of objects of a module: ``(objects, n, d)``."""
        columns = self.compiled.own[module]
        known = np.ones((len(objects), len(self._z), len(columns)), columns.dtype)
        np.stack([self._values[k] for k in objects], out=known[..., :-1], casting="same_kind")
        made = known.reshape(-1, len(columns)) @ columns
        return made.reshape(*known.shape[:2], -1)
