"""The sketch as a linear operator of the attributes, with its adjoint."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from simnet.networks import Structure

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]


class SketchOperator(LinearOperator):
    """``B`` in ``s = B z`` for one structure: ``z`` is, object by object, the attributes and then the presence.

    Attributes
    ----------
    structure : Structure
    columns : tuple of slice
        Where the attributes of each object stand in ``z``; its presence is at ``columns[k].stop``.
    """

    def __init__(self, encoder: Encoder, structure: Structure) -> None:
        self.encoder, self.structure = encoder, structure
        starts = np.concatenate([[0], np.cumsum(np.array(structure.attribute_dims, dtype=np.intp) + 1)])
        self.columns = tuple(slice(int(a), int(b) - 1) for a, b in pairwise(starts))
        self.presence = np.array([column.stop for column in self.columns], dtype=np.intp)
        super().__init__(encoder.dtype, (encoder.sketch_dim, structure.size))  # type: ignore[call-arg]

    def _matmat(self, vectors: Array) -> Array:
        rows = np.asarray(vectors).T
        values = [rows[:, column] for column in self.columns]
        weights = self.structure.edge_weights[None]
        return self.encoder.to_stored(self.encoder.forward(self.structure, values, rows[:, self.presence], weights)).T

    def _matvec(self, vector: Array) -> Array:
        return self._matmat(np.reshape(vector, (-1, 1)))[:, 0]

    def _rmatmat(self, vectors: Array) -> Array:
        encoder, recipe = self.encoder, self.encoder.recipe
        sketches = encoder.to_natural(np.ascontiguousarray(np.asarray(vectors, encoder.dtype).T))
        result = np.empty((self.shape[1], len(sketches)), encoder.dtype)
        weights = self.structure.edge_weights[None]
        for module, objects, parts in encoder.backward(self.structure, sketches, weights):
            values = recipe.value_share * encoder.value_matrix(module).rmatvec(parts)
            marks = recipe.presence_share * (parts @ encoder.presence_column(module))
            for i, k in enumerate(objects):
                result[self.columns[k]] = values[i].T
                result[self.presence[k]] = marks[i]
        return result

    def _rmatvec(self, vector: Array) -> Array:
        return self._rmatmat(np.reshape(vector, (-1, 1)))[:, 0]
