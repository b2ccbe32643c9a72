"""Query by example: the sketches of a store most like a given one.

**Exactly**: the store is streamed a block at a time, in single precision, and the best are compared again in double.
**By an index**: candidates come from the prefixes that the index holds, and are compared exactly on the whole sketches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice, integer
from simnet.memory.selection import Selection
from simnet.memory.vectors import units

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

Array = NDArray[Any]

MEASURES = ("cosine", "similarity")
METHODS = ("auto", "exact", "index")

#: So many more than asked for are compared again in double precision.
SPARE = 8


class Match(NamedTuple):
    """A sketch that was found.

    Attributes
    ----------
    id : int
    cosine : float
        ``⟨s, s̄⟩ / (‖s‖ ‖s̄‖)``, 0 for a sketch of nothing.
    similarity : float
        ``(d/d') ⟨s', s̄'⟩``, unbiased for the kernel (Law 0).
    """

    id: int
    cosine: float
    similarity: float


def nearest(
    store: SketchStore,
    sketch: Any,
    k: int = 10,
    where: Selection | Mapping[str, Any] | None = None,
    *,
    by: str = "cosine",
    method: str = "auto",
) -> Any:
    """The ``k`` sketches of a store most like an example, best first.

    Parameters
    ----------
    store : SketchStore
    sketch : (d',) or (n, d') array
        A sketch by the sketcher of the store, or a prefix: then prefixes are compared (Law 4).
    k : int
    where : Selection, or a mapping of its conditions
        Only among these.
    by : {"cosine", "similarity"}
        Angle, or inner product.
    method : {"auto", "exact", "index"}
        ``"index"`` takes candidates from the index of the store (:meth:`SketchStore.index`), which knows cosines of whole
        sketches, among all sketches; ``"auto"`` does so where there is one that can.

    Returns
    -------
    list of Match, or a list of them for each sketch of a batch

    Raises
    ------
    ValueError
        If the sketch does not fit the store, or the index cannot answer.
    """
    queries = _read_queries(store, sketch)
    k = integer("k", k, minimum=1)
    choice("by", by, MEASURES)
    choice("method", method, METHODS)
    able = where is None and by == "cosine" and queries.shape[1] == store.sketch_dim
    if method == "index" and not able:
        raise ValueError("method = 'index': the index knows cosines of whole sketches, among all; use method='exact'")
    index = store.index() if method == "index" or (method == "auto" and able and _can_index()) else None
    if method == "index" and index is None:
        raise ValueError("method = 'index': the store has no index, make one by store.build_index()")
    if index is None:
        candidates = _scan(store, queries, k + SPARE, where, by)
    else:
        recent = _scan(store, queries, k + SPARE, None, by, beyond=index.last)
        candidates = [np.union1d(*pair) for pair in zip(index.candidates(queries, k), recent, strict=True)]
    found = [_ranked(store, query, ids, k, by) for query, ids in zip(queries, candidates, strict=True)]
    return found if np.ndim(sketch) == 2 else found[0]


def _can_index() -> bool:
    from importlib.util import find_spec

    return find_spec("lancedb") is not None


def _read_queries(store: SketchStore, sketch: Any) -> Array:
    values = np.asarray(sketch)
    if values.dtype.kind != "f" or values.ndim not in (1, 2) or not 1 <= values.shape[-1] <= store.sketch_dim:
        raise ValueError(
            f"sketch: has shape {values.shape} and dtype {values.dtype}, must be floats of shape (d',) or (n, d'), "
            f"d' at most {store.sketch_dim}"
        )
    if not np.isfinite(values).all():
        raise ValueError("sketch: has a coordinate that is NaN or infinite")
    return np.atleast_2d(values).astype(float)


def _scan(
    store: SketchStore, queries: Array, k: int, where: Selection | Mapping[str, Any] | None, by: str, beyond: int = 0
) -> list[Array]:
    """The numbers of the best ``k`` for each query, in no order."""
    kept = queries.shape[1]
    # of unit length, so that single precision has room for them
    wanted = np.ascontiguousarray(units(queries).T, dtype=np.float32)
    best_scores = np.zeros((0, len(queries)), np.float32)
    best_ids = np.zeros((0, len(queries)), np.int64)
    for block in store.blocks(where, dtype=np.float32, beyond=beyond):
        part = block.sketches[:, :kept]
        scores = part @ wanted
        if by == "cosine":
            lengths = np.sqrt(np.einsum("ni,ni->n", part, part))
            scores /= np.where(lengths > 0.0, lengths, np.float32(1.0))[:, None]
        scores = np.concatenate([best_scores, scores])
        ids = np.concatenate([best_ids, np.broadcast_to(block.ids[:, None], (len(block.ids), len(queries)))])
        if len(scores) > k:
            top = np.argpartition(scores, -k, axis=0)[-k:]
            scores, ids = np.take_along_axis(scores, top, axis=0), np.take_along_axis(ids, top, axis=0)
        best_scores, best_ids = scores, ids
    return list(best_ids.T)


def _ranked(store: SketchStore, query: Array, ids: Array, k: int, by: str) -> list[Match]:
    """Candidates compared exactly; those that were removed in the meantime are left out."""
    blocks = list(store.blocks_of(ids))
    if not blocks:
        return []
    found = np.concatenate([block.ids for block in blocks])
    part = np.concatenate([block.sketches[:, : len(query)] for block in blocks])
    similarity = store.sketch_dim / len(query) * (part @ query)
    cosine = units(part) @ units(query)
    order = np.lexsort((found, -(cosine if by == "cosine" else similarity)))[:k]
    return [Match(int(found[i]), float(cosine[i]), float(similarity[i])) for i in order]
