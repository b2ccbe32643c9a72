"""Law 1, attribute recovery: the error of the matched estimate, and its bounds.

**Statement.**  The matched estimate of object ``θ`` of module ``M`` from ``d'`` of the ``d`` coordinates of a sketch,

    x̂_θ = (d/d') R_{M,1}ᵀ s' / c_θ,

with ``s'`` the sketch with its other coordinates set to 0, has mean ``x_θ`` if no other object comes from ``M``, and its
coordinate ``j`` has, up to ``O(1/d')`` of itself, the mean square error

    MSE_j = (K_ss − c² ‖x‖²) / (d' c²) + v_j / d'

crosstalk of everything else in the sketch, then the noise that the vector makes itself (``family.self_noise``).  It holds
for a prefix and for a random subset alike, since coordinates are stored in random order.

**Assumptions.**  An isotropic family, independent matrices, ``θ`` the only object of its module with a positive
coefficient.

**Noise** of standard deviation ``σ`` in every coordinate, uncorrelated with the matrices, adds ``dσ²`` to ``K_ss``, hence
``(d/d') σ²/c²`` to ``MSE_j`` (``simnet.theory.storage`` has ``σ`` for sketches in fewer bits).  An interval takes
``K_ss`` from the sketch as it is, noise and all, and needs no correction.

**Bounds on all coordinates of an object.**  ``max_j |x̂_j − x_j| ≤ √(2 ln(2a/δ) MSE)`` with probability ``→ 1 − δ``
(Gaussian limit); ``≤ √(a MSE/δ)`` by Chebyshev wherever MSE is exact.  The paper's form is
``O(2^{3h} h log N / w · √(log d / d))``.

Source: ``paper_checks/law_1_attributes.py``, after Ghazi, Panigrahy, Wang (ICML 2019), attribute recovery.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, kept_dimension, probability, real
from simnet.matrices import MatrixFamily, as_family
from simnet.networks import Execution
from simnet.networks.network import Name
from simnet.recipes import Recipe, as_recipe
from simnet.theory.coefficients import coefficients
from simnet.theory.kernel import kernel

Array = NDArray[Any]


def matched_mse(
    values: Array,
    coefficient: Array | float,
    norm_squared: Array | float,
    *,
    sketch_dim: int,
    kept: int,
    family: MatrixFamily,
) -> Array:
    """Law 1 as a formula: ``(K_ss − c² ‖x‖²)/(d' c²) + v_j/d'`` for ``values = x`` of shape ``(..., a)``.

    ``coefficient`` and ``norm_squared`` (``K_ss``) broadcast over the leading axes.
    """
    c, k = np.asarray(coefficient, float)[..., None], np.asarray(norm_squared, float)[..., None]
    x = np.asarray(values, float)
    own = np.sum(x**2, axis=-1, keepdims=True)
    noise = family.self_noise(x, sketch_dim=sketch_dim, kept=kept)
    return (k - c**2 * own) / (kept * c**2) + noise / kept


def attribute_mse(
    ex: Execution,
    k: Name,
    *,
    sketch_dim: int,
    kept: int | None = None,
    matrices: str | MatrixFamily = "trig",
    recipe: str | Recipe = "recursive",
    noise: float = 0.0,
) -> Array:
    """The mean square error of each coordinate of the matched estimate of object ``k``: ``(a,)``.

    Parameters
    ----------
    ex : Execution
    k : str or int
        The object, by name or position.
    sketch_dim, kept : int
        ``d`` and ``d'``; the whole sketch when ``kept`` is ``None``.
    matrices : str or MatrixFamily
    recipe : str or Recipe
    noise : float
        ``σ``, the standard deviation of noise added to each coordinate of the sketch.

    Raises
    ------
    ValueError
        If a size or the noise is out of range, the object has coefficient 0, or its module has other objects in the
        sketch: then the matched estimate is a mixture of all of them, and the law does not apply.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects([("a", "a", [0.6, 0.8], [], [])], outputs={"a": 1.0})
    >>> simnet.theory.attribute_mse(ex, "a", sketch_dim=1024, matrices="trig").round(6)  # (1/64 − 1/1024)·1024/1024
    array([0.014648, 0.014648])
    """
    family, recipe = as_family(matrices), as_recipe(recipe)
    sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
    sigma = real("noise", noise, minimum=0.0)
    structure = ex.structure
    position = structure.position(k)
    strengths = coefficients(structure, recipe=recipe)
    if strengths[position] == 0.0:
        raise ValueError(f"object {structure.names[position]!r}: has coefficient 0, nothing of it is in the sketch")
    others = [i for i in structure.objects_of[structure.modules[position]] if i != position and strengths[i] > 0.0]
    if others:
        raise ValueError(
            f"object {structure.names[position]!r}: module {structure.modules[position]!r} also made "
            f"{structure.names[others[0]]!r}; the law needs the only object of its module"
        )
    return matched_mse(
        ex.attributes[position],
        strengths[position],
        kernel(ex, ex, recipe=recipe) + sketch_dim * sigma**2,
        sketch_dim=sketch_dim,
        kept=kept_dimension(kept, sketch_dim),
        family=family,
    )


def gaussian_bound(mse: Array, *, failure_probability: float) -> Array:
    """``√(2 ln(2a/δ) MSE)``, with the largest MSE of the coordinates: for ``mse`` of shape ``(..., a)``, ``(...)``."""
    delta = probability("failure_probability", failure_probability)
    mse = np.asarray(mse, float)
    return np.sqrt(2.0 * math.log(2.0 * mse.shape[-1] / delta) * mse.max(axis=-1))


def chebyshev_bound(mse: Array, *, failure_probability: float) -> Array:
    """``√(Σ_j MSE_j / δ)``, at most ``√(a MSE/δ)``; needs no limit.  For ``mse`` of shape ``(..., a)``, ``(...)``."""
    delta = probability("failure_probability", failure_probability)
    return np.sqrt(np.asarray(mse, float).sum(axis=-1) / delta)


def attribute_bound(
    ex: Execution,
    k: Name,
    *,
    sketch_dim: int,
    kept: int | None = None,
    matrices: str | MatrixFamily = "trig",
    recipe: str | Recipe = "recursive",
    noise: float = 0.0,
    failure_probability: float = 0.01,
) -> float:
    """A bound on ``max_j |x̂_j − x_j|`` that holds with probability ``→ 1 − failure_probability``.

    Parameters are those of :func:`attribute_mse`; the bound is :func:`gaussian_bound` of its result.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects([("a", "a", [0.6, 0.8], [], [])], outputs={"a": 1.0})
    >>> round(simnet.theory.attribute_bound(ex, "a", sketch_dim=1024, failure_probability=0.01), 3)
    0.419
    """
    mse = attribute_mse(ex, k, sketch_dim=sketch_dim, kept=kept, matrices=matrices, recipe=recipe, noise=noise)
    return float(gaussian_bound(mse, failure_probability=failure_probability))
