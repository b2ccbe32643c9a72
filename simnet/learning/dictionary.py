"""Baselines: dictionary learning that knows nothing of packets.

``s = Σ_j x_j r_j`` with sparse ``x`` and unknown columns ``r_j`` of any matrix family.  Both methods are told how many
columns there are and return them with unit length, in any order, up to the sign.  They need no structure of the columns, as
:func:`simnet.learning.learn_packets` does, but more samples; they come near the columns only, and do not say when they are
wrong.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.randomness import stream

Array = NDArray[Any]


def independent_columns(sketches: Array, columns: int, *, sweeps: int = 100, restarts: int = 4, seed: int = 0) -> Array:
    """The columns of matrices of any family, where attributes are independent and sparse: by fourth moments.

    The span of the samples has one dimension a column.  In coordinates in which the second moments of the samples are the
    identity, the columns are orthonormal up to the means of the attributes, and the rotation onto them has the largest
    fourth moments, since what is sparse is far from normal.  It is the fixed point of ``R ← polar(E[(R y)³ yᵀ])``; the best
    of several random starts is kept.  With more independent attributes than ``d`` there is no such rotation.

    Parameters
    ----------
    sketches : (n, d) array
    columns : int
        How many columns there are.
    sweeps, restarts : int
    seed : int

    Returns
    -------
    (columns, d) array
        Unit length.

    Raises
    ------
    ValueError
        If there are fewer samples that are not zero, or fewer independent ones, than columns.

    Examples
    --------
    >>> import numpy as np
    >>> from simnet.learning.dictionary import independent_columns
    >>> draw = np.random.default_rng(0)
    >>> samples = np.eye(3)[draw.integers(3, size=30)] @ draw.standard_normal((3, 8))
    >>> independent_columns(samples, 3).shape
    (3, 8)
    """
    values, count = _check(sketches, columns)
    _, sizes, span = np.linalg.svd(values, full_matrices=False)
    rank = int(np.sum(sizes > sizes[0] * max(values.shape) * np.finfo(float).eps))
    if rank < count:
        raise ValueError(f"columns = {count}: the samples span {rank} dimensions only, fewer columns can be told apart")
    span, scale = span[:count], sizes[:count] / np.sqrt(len(values))
    white = values @ span.T / scale
    best, largest = np.zeros((count, count)), 0.0
    for restart in range(integer("restarts", restarts, minimum=1)):
        found, moment = _rotate(white, integer("sweeps", sweeps, minimum=1), stream(seed, "dictionary", restart))
        if moment > largest:
            best, largest = found, moment
    result = (best * scale) @ span
    return result / np.linalg.norm(result, axis=1, keepdims=True)


def _rotate(white: Array, sweeps: int, draw: np.random.Generator) -> tuple[Array, float]:
    """A rotation of white samples onto coordinates with large fourth moments, and the mean of these."""
    count = white.shape[1]
    rotation = np.linalg.qr(draw.standard_normal((count, count)))[0]
    for _ in range(sweeps):
        left, _, right = np.linalg.svd((white @ rotation.T).T ** 3 @ white / len(white))
        rotation = left @ right
    return rotation, float(np.mean((white @ rotation.T) ** 4))


def scikit_columns(sketches: Array, columns: int, *, seed: int = 0, **options: Any) -> Array:
    """The columns by ``sklearn.decomposition.MiniBatchDictionaryLearning``: the extra ``baselines``.

    Parameters
    ----------
    sketches : (n, d) array
    columns : int
    seed : int
    **options
        Those of the class.

    Returns
    -------
    (columns, d) array
        Unit length.

    Raises
    ------
    ImportError
        If scikit-learn is not there.
    """
    values, count = _check(sketches, columns)
    try:
        decomposition = importlib.import_module("sklearn.decomposition")
    except ImportError:
        raise ImportError("scikit_columns: needs scikit-learn, which comes with the extra 'baselines'") from None
    scale = float(np.linalg.norm(values, axis=1).max())
    settings = {"alpha": 0.05, "max_iter": 100, "batch_size": 64, "transform_algorithm": "lasso_lars"} | options
    learner = decomposition.MiniBatchDictionaryLearning(count, random_state=seed, **settings)
    found = np.asarray(learner.fit(values / scale).components_)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.finfo(float).tiny)


def _check(sketches: Any, columns: Any) -> tuple[Array, int]:
    values = np.asarray(sketches, float)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"sketches: has shape {values.shape}, must be (n, d) and finite")
    count = integer("columns", columns, minimum=1)
    values = values[values.any(axis=1)]
    if len(values) < count:
        raise ValueError(f"columns = {count}: there are {len(values)} samples that are not zero")
    return values, count
