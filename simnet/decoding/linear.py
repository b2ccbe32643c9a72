"""A sketch of known structure as a system of linear equations for the attributes: what the linear decoders share.

The structure says which objects there are and how much each weighs, so their marks of presence are known and are taken
off first: ``s − B_e 1 = B_x x + noise``, with one unknown for each attribute.  Everything here is in units in which the
expected length of a column is 1 and in which the columns of one module are uncorrelated in the mean:
``E[B_xᵀB_x] = (d'/d) ξ_x² A ⊗ I`` is known exactly (Law 0), and its Cholesky factor is what the unknowns are scaled by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import NDArray

from simnet.networks import Structure
from simnet.sketching import Encoder, Observation
from simnet.sketching.dictionary import dictionary
from simnet.theory.linear import attribute_gram

Array = NDArray[Any]

#: The dictionary is formed, and the system solved directly, up to this many unknowns and this many bytes.
DIRECT_UNKNOWNS, DIRECT_BYTES = 2500, 1 << 29

#: Encoding rounds each coordinate to about this many units in the last place of the root mean square one.
ROUNDING_UNITS = 4.0

#: Decoding is done in double precision: forming the columns and solving for what weighs least rounds as if the coordinates
#: had so much noise, measured where intervals are as wide as that, with room to spare.
DECODING_UNITS = 12.0

#: What is solved for is rounded itself, whatever the columns: attributes have lengths up to 1.
LEAST_ERROR = 16.0 * float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class LinearSystem:
    """``targets = columns @ attributes + noise``: one structure, a batch of sketches with the same coordinates left."""

    encoder: Encoder
    observation: Observation
    structure: Structure

    def __post_init__(self) -> None:
        if self.encoder.recipe.value_share == 0.0:
            raise ValueError("recipe.value_share = 0: the sketch does not hold attribute values")

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """Where the attributes of each object stand among the unknowns."""
        ends = np.cumsum(self.structure.attribute_dims)
        return tuple(slice(int(end) - dim, int(end)) for end, dim in zip(ends, self.structure.attribute_dims, strict=True))

    @property
    def unknowns(self) -> int:
        """``Σ_θ a_θ``."""
        return self.structure.size - len(self.structure)

    @cached_property
    def targets(self) -> Array:
        """What the sketches hold beside the known marks: ``(n, d')``."""
        nothing = [np.zeros((1, dim)) for dim in self.structure.attribute_dims]
        marks = self.encoder.forward(
            self.structure, nothing, np.ones((1, len(self.structure))), self.structure.edge_weights[None]
        )
        return self.observation.remaining - marks[:, self.observation.rows].astype(float)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of each coordinate: what was added, as the user says, and the rounding of encode and decode."""
        decoding = DECODING_UNITS * float(np.finfo(float).eps) * float(np.sqrt(np.mean(self.observation.remaining**2)))
        return float(np.hypot(self.observation.noise_with_rounding(ROUNDING_UNITS), decoding))

    @cached_property
    def gram(self) -> Array:
        """``(d'/d) ξ_x² A``: the expected inner products of the columns of any two objects, ``(objects, objects)``."""
        kept, d = self.observation.kept, self.observation.sketch_dim
        return attribute_gram(self.structure, sketch_dim=d, kept=kept, recipe=self.encoder.recipe)

    @cached_property
    def lengths(self) -> Array:
        """The expected length of the column of each unknown; 0 for an object that is not in the sketch."""
        return np.repeat(np.sqrt(np.diagonal(self.gram)), self.structure.attribute_dims)

    @cached_property
    def direct(self) -> bool:
        """Whether the dictionary is formed."""
        size = self.structure.size * self.observation.sketch_dim * self.encoder.dtype.itemsize
        return self.unknowns <= DIRECT_UNKNOWNS and size <= DIRECT_BYTES

    @cached_property
    def columns(self) -> Array:
        """``B_x``, the coordinates that are left only: ``(d', unknowns)``."""
        rows = dictionary(self.encoder, self.structure)[:, self.observation.rows]
        presence = np.cumsum(np.array(self.structure.attribute_dims) + 1) - 1
        return np.ascontiguousarray(np.delete(rows, presence, axis=0).T.astype(float, copy=False))

    @cached_property
    def _whitening(self) -> list[tuple[Array, Array]]:
        """For each module its objects and the inverse Cholesky factor of their block of the Gram, transposed."""
        factors = []
        for mine in self.structure.objects_of.values():
            block = self.gram[np.ix_(mine, mine)]
            sizes = np.sqrt(np.diagonal(block))
            safe = np.where(sizes > 0.0, sizes, 1.0)
            # objects that no sketch can tell apart have correlation 1: a little is added, so that the factor exists
            correlation = block / np.outer(safe, safe) + 1e-9 * np.eye(len(mine)) + np.diag(sizes == 0.0)
            inverse = scipy.linalg.solve_triangular(np.linalg.cholesky(correlation), np.eye(len(mine)), lower=True)
            factors.append((mine, (inverse * np.where(sizes > 0.0, 1.0 / safe, 0.0)).T))
        return factors

    def operator(self, scale: Array | None = None) -> scipy.sparse.linalg.LinearOperator:
        """``B_x`` for all sketches of the batch at once, block after block, in scaled unknowns.

        ``scale`` multiplies each unknown; without it they are whitened.  All blocks have the singular values of ``B_x``,
        so that an iterative solver needs no more iterations for many sketches than for one.
        """
        n, rows = len(self.targets), self.observation.rows
        encoder, structure = self.encoder, self.structure
        presence = np.zeros((n, len(structure)))
        weights = structure.edge_weights[None]

        def forward(vector: Array) -> Array:
            unknowns = self.scaled(vector.reshape(n, self.unknowns), scale)
            values = [unknowns[:, span] for span in self.spans]
            return encoder.forward(structure, values, presence, weights)[:, rows].astype(float).ravel()

        def backward(vector: Array) -> Array:
            sketches = np.zeros((n, encoder.sketch_dim), encoder.dtype)
            sketches[:, rows] = vector.reshape(n, -1)
            result = np.empty((n, self.unknowns))
            for module, objects, parts in encoder.backward(structure, sketches, weights):
                values = encoder.recipe.value_share * encoder.value_matrix(module).rmatvec(parts)
                for i, k in enumerate(objects):
                    result[:, self.spans[k]] = values[i]
            return self.scaled(result, scale, transposed=True).ravel()

        shape = (n * len(rows), n * self.unknowns)
        return scipy.sparse.linalg.LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=np.float64)

    def scaled(self, vectors: Array, scale: Array | None = None, *, transposed: bool = False) -> Array:
        """The unknowns of scaled ones, ``(n, unknowns)`` each; or the transpose of that map."""
        if scale is not None:
            return vectors * scale
        result = np.empty_like(vectors)
        for mine, factor in self._whitening:
            stacked = np.stack([vectors[:, self.spans[k]] for k in mine])
            mixed = np.tensordot(factor.T if transposed else factor, stacked, axes=1)
            for k, values in zip(mine, mixed, strict=True):
                result[:, self.spans[k]] = values
        return result

    def relative_residual(self, values: Array) -> Array:
        """``‖s − B z‖ / ‖s‖`` of each sketch, from the dictionary where it was formed."""
        if "columns" in vars(self):
            left = self.targets - values @ self.columns.T
        else:
            fitted = self.operator(np.ones(self.unknowns)).matvec(values.ravel())
            left = self.targets - fitted.reshape(self.targets.shape)
        lengths = np.linalg.norm(self.observation.remaining, axis=1)
        return np.linalg.norm(left, axis=1) / np.where(lengths > 0.0, lengths, 1.0)

    def split(self, unknowns: Array) -> Sequence[Array]:
        """Per object, in the shape of the batch that was given."""
        return [unknowns[..., span].reshape(*self.observation.batch, -1) for span in self.spans]
