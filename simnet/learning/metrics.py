"""How well something was learnt, up to what no learner can know: order, names, signs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import subspace_angles as _subspace_angles
from scipy.optimize import linear_sum_assignment

Array = NDArray[Any]


class ColumnAgreement(NamedTuple):
    """Which learnt column stands for which planted one, and how well.

    Attributes
    ----------
    cosines : (planted,) array
        ``|cos|`` of each planted column and the learnt one that was given to it, 0 where there is none.
    match : (planted,) int array
        The position of that learnt column, −1 where there is none.
    signs : (planted,) array of ±1
        The sign that turns it.
    """

    cosines: Array
    match: Array
    signs: Array


class Scores(NamedTuple):
    """Of what was found, the share that is true; of what is true, the share that was found; their harmonic mean."""

    precision: float
    recall: float
    f1: float


def column_agreement(learnt: Array, planted: Array) -> ColumnAgreement:
    """Match learnt with planted columns, one to one, so that the sum of ``|cos|`` is largest.

    Parameters
    ----------
    learnt : (k, d) array
    planted : (p, d) array
        One column a row.

    Examples
    --------
    >>> from simnet.learning.metrics import column_agreement
    >>> found = column_agreement([[0, -2, 0], [3, 0, 0]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> found.cosines.tolist(), found.match.tolist(), found.signs.tolist()
    ([1.0, 1.0, 0.0], [1, 0, -1], [1, -1, 1])
    """
    a, b = _rows("learnt", learnt), _rows("planted", planted)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"learnt: columns have {a.shape[1]} entries, those planted {b.shape[1]}")
    lengths = np.linalg.norm(b, axis=1)[:, None] * np.linalg.norm(a, axis=1)
    products = b @ a.T
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0.0)
    rows, columns = linear_sum_assignment(-np.abs(cosines))
    best, match, signs = np.zeros(len(b)), np.full(len(b), -1), np.ones(len(b), dtype=np.int64)
    best[rows], match[rows] = np.minimum(np.abs(cosines[rows, columns]), 1.0), columns
    signs[rows] = np.where(cosines[rows, columns] < 0.0, -1, 1)
    return ColumnAgreement(best, match, signs)


def group_agreement(found: Iterable[Any], planted: Iterable[Any]) -> float:
    """The share of the pairs that both groupings put together, among those that either does: 1 if they are the same.

    Parameters
    ----------
    found, planted : sequences of labels
        Of the same things in the same order.

    Examples
    --------
    >>> from simnet.learning.metrics import group_agreement
    >>> group_agreement([5, 5, 2, 2], ["a", "a", "b", "b"]), group_agreement([0, 0, 0, 0], [0, 0, 1, 1])
    (1.0, 0.3333333333333333)
    """
    labels = [list(found), list(planted)]
    if len(labels[0]) != len(labels[1]):
        raise ValueError(f"found: has {len(labels[0])} labels, planted {len(labels[1])}")
    numbers = [np.array([list(dict.fromkeys(side)).index(label) for label in side], dtype=np.int64) for side in labels]
    one, two = (np.equal.outer(x, x)[np.triu_indices(len(x), 1)] for x in numbers)
    either = int(np.sum(one | two))
    return float(np.sum(one & two) / either) if either else 1.0


def set_scores(found: set[Any], planted: set[Any]) -> Scores:
    """Precision, recall and F1 of things that were found; nothing found is all true, and nothing planted is all found.

    Examples
    --------
    >>> from simnet.learning.metrics import set_scores
    >>> set_scores({1, 2, 3}, {2, 3})
    Scores(precision=0.6666666666666666, recall=1.0, f1=0.8)
    """
    hits = len(found & planted)
    precision = hits / len(found) if found else 1.0
    recall = hits / len(planted) if planted else 1.0
    return Scores(precision, recall, 2.0 * hits / (len(found) + len(planted)) if found or planted else 1.0)


def edge_scores(found: nx.DiGraph[Any], planted: nx.DiGraph[Any]) -> Scores:
    """Precision, recall and F1 of directed edges; nodes must have the same names.

    Examples
    --------
    >>> import networkx as nx
    >>> from simnet.learning.metrics import edge_scores
    >>> edge_scores(nx.DiGraph([(0, 1), (2, 1)]), nx.DiGraph([(0, 1), (1, 2)]))
    Scores(precision=0.5, recall=0.5, f1=0.5)
    """
    return set_scores(set(found.edges), set(planted.edges))


def support_scores(found: Iterable[Iterable[Any]], planted: Iterable[Iterable[Any]]) -> Scores:
    """Precision, recall and F1 of sets, such as the supports of modules; each counts as often as it is there.

    Examples
    --------
    >>> from simnet.learning.metrics import support_scores
    >>> support_scores([{0, 1}, {2}], [{1, 0}, {1, 0}, {3}, {2}])
    Scores(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    return set_scores(_counted(found), _counted(planted))


def subspace_angles(found: Array, planted: Array) -> Array:
    """The principal angles between the spans of two sets of vectors, one a row, in radians, largest first.

    Examples
    --------
    >>> from simnet.learning.metrics import subspace_angles
    >>> subspace_angles([[1, 0, 0], [0, 2, 0]], [[1, 1, 0], [0, 0, 1]]).round(4).tolist()
    [1.5708, 0.0]
    """
    a, b = _rows("found", found), _rows("planted", planted)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"found: vectors have {a.shape[1]} entries, those planted {b.shape[1]}")
    return np.asarray(_subspace_angles(_basis(a), _basis(b)))


def held_out_r2(predicted: Array, truth: Array) -> float:
    """``1 − Σ‖ŷ − y‖² / Σ‖y − ȳ‖²`` over samples that were not learnt from, ``(n, a)`` each.

    Examples
    --------
    >>> from simnet.learning.metrics import held_out_r2
    >>> held_out_r2([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]]), held_out_r2([[2.0], [2.0], [2.0]], [[1.0], [2.0], [3.0]])
    (1.0, 0.0)
    """
    y, guess = _rows("truth", truth), _rows("predicted", predicted)
    if y.shape != guess.shape:
        raise ValueError(f"predicted: has shape {guess.shape}, truth {y.shape}")
    spread = float(np.sum((y - y.mean(axis=0)) ** 2)) if len(y) else 0.0
    if spread == 0.0:
        raise ValueError("truth: is constant, there is nothing to explain")
    return 1.0 - float(np.sum((guess - y) ** 2)) / spread


def _rows(field: str, values: Any) -> Array:
    rows = np.asarray(values, float)
    if rows.ndim != 2:
        raise ValueError(f"{field}: has shape {rows.shape}, must have two dimensions")
    if not np.isfinite(rows).all():
        raise ValueError(f"{field}: must be finite")
    return rows


def _basis(rows: Array) -> Array:
    """An orthonormal basis of the span of rows, as columns."""
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return basis[sizes > max(rows.shape) * np.finfo(float).eps * sizes.max(initial=0.0)].T


def _counted(sets: Iterable[Iterable[Any]]) -> set[tuple[frozenset[Any], int]]:
    """The sets, each with a number for its every occurrence."""
    seen: dict[frozenset[Any], int] = {}
    counted = set()
    for one in map(frozenset, sets):
        seen[one] = seen.get(one, 0) + 1
        counted.add((one, seen[one]))
    return counted
