"""The similarity of two sketches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.decoding.estimate import Answer
from simnet.sketching import Encoder, Observation
from simnet.theory import random_layers, similarity_bound

Array = NDArray[Any]


def similarity(left: Any, right: Any, *, sketch_dim: int | None = None) -> Any:
    """``(d/d') ⟨s', s̄'⟩``: unbiased for the kernel ``K`` (Law 0).

    Parameters
    ----------
    left, right : (..., d') arrays
        Sketches by one sketcher, or the same coordinates of both; leading axes broadcast.
    sketch_dim : int, optional
        ``d``, when only ``d'`` coordinates are given.

    Returns
    -------
    float, or an array for a batch

    Raises
    ------
    ValueError
        If the two differ in length, are longer than ``sketch_dim``, or are not real and finite.

    Examples
    --------
    >>> import simnet
    >>> runs = simnet.networks.layered(widths=(3, 2), seed=0).run(2, seed=1)
    >>> s = simnet.Sketcher(runs[0].network, sketch_dim=4096, seed=3).encode(runs)
    >>> simnet.similarity(s[0], s[1]), simnet.theory.kernel(runs[0], runs[1])  # doctest: +SKIP
    (0.01146..., 0.01144...)
    """
    u, v = np.asarray(left), np.asarray(right)
    if u.ndim == 0 or v.ndim == 0 or u.shape[-1] != v.shape[-1] or u.shape[-1] == 0:
        raise ValueError(f"similarity: sketches have shapes {u.shape} and {v.shape}, must have the same last axis")
    if u.dtype.kind not in "biuf" or v.dtype.kind not in "biuf":
        raise ValueError(f"similarity: sketches have dtypes {u.dtype} and {v.dtype}, must be real numbers")
    if not (np.isfinite(u).all() and np.isfinite(v).all()):
        raise ValueError("similarity: a sketch has a coordinate that is NaN or infinite")
    kept = u.shape[-1]
    d = kept if sketch_dim is None else integer("sketch_dim", sketch_dim, minimum=kept)
    result = d / kept * np.einsum("...i,...i->...", u, v, dtype=float)
    return float(result) if np.ndim(result) == 0 else result


def similarity_with_interval(encoder: Encoder, left: Observation, right: Observation) -> Answer:
    """``(d/d') ⟨s', s̄'⟩`` with an interval from the bound of Law 3, which covers the kernel at least that often.

    The two kernels of the bound are estimated by the squared norms, the number of random layers is the most that the
    network has.  The standard error is what a normal law with the same scale would have, ``√2 · √(K_ss K_s̄s̄ L/d')``.
    """
    if left.kept != right.kept:
        raise ValueError(f"similarity: {left.kept} and {right.kept} coordinates are left, must be the same ones")
    if 1 not in (len(left.values), len(right.values)) and len(left.values) != len(right.values):
        raise ValueError(f"similarity: batches of {len(left.values)} and {len(right.values)} sketches cannot be paired")
    value = left.scale * np.einsum("ni,ni->n", left.values, right.values, dtype=float)
    layers = random_layers(max(max(d) for d in encoder.network.depths.values()), recipe=encoder.recipe)
    shape = np.broadcast_shapes(left.batch, right.batch)

    def reach(level: float) -> Array:
        return similarity_bound(
            left.norm_squared,
            right.norm_squared,
            layers=layers,
            sketch_dim=left.sketch_dim,
            kept=left.kept,
            failure_probability=1.0 - level,
        )

    def interval(level: float) -> Array:
        return np.stack([value - reach(level), value + reach(level)], axis=-1).reshape(*shape, 2)

    error = np.sqrt(2.0 * left.norm_squared * right.norm_squared * layers / left.kept)
    return Answer(value.reshape(shape), error.reshape(shape), interval)
