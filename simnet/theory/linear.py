"""Law 5, linear decoders of a known structure: what least squares and ridge have left as error, at every size.

**Statement.**  Let ``G`` be the expected Gram of the columns of ``B`` for the attributes of one coordinate of the objects of
a module (``(d'/d) ξ_x² A``), ``σ²`` the variance of the noise of a coordinate of the sketch, ``v`` the prior variance of an
attribute.  An attribute is estimated as if everything else in the sketch were noise of
variance ``κ`` in each coordinate, the *effective noise*, with

    κ = σ² / (1 − Σ_j h_j/d'),      h = diag G (G + κ/v)^{-1},

and the mean square errors are

    least squares    κ diag G^{-1}              κ = σ² / (1 − m/d'),  m = Σ_θ a_θ < d'
    ridge            diag (1/v + G/κ)^{-1}

Without noise least squares is exact from ``d' = m`` on, and ridge has an error only below it, where ``Σ_j h_j = d'``.

**Assumptions.**  Columns of independent, nearly Gaussian entries, up to the correlations in ``G``.  That is so in one layer,
with errors of ``O(1/d')``.  Below transparent matrices the columns of one object share what stands above it, whose
spectrum is not flat: ``E tr (TᵀT)²/(d τ²)`` is ``7/4`` for Gaussian ``R``, ``3/2`` for orthogonal, with ``α = β``.  Their
inner products then have ``(7/4)^{3h}`` times the variance of independent ones, and the error of the law is
``O(a (7/4)^{3h}/d')``: :func:`shared_path_excess`.  Ridge: attributes independent, with mean and variance as in the prior.

**Why.**  With ``K = v B Bᵀ + σ² I``, leaving column ``j`` out makes it independent of the rest, so that
``b_jᵀ K_{−j}^{-1} b_j = G_jj tr K^{-1} / d' = G_jj/κ`` up to fluctuations; ``tr K^{-1} K = d'`` is the equation for ``κ``.

Source: the deterministic equivalent of Marchenko and Pastur (1967), with the expected Gram of Law 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from simnet.checks import integer, kept_dimension, real
from simnet.networks import Execution, Structure
from simnet.recipes import Recipe, as_recipe
from simnet.theory.kernel import place_gram

Array = NDArray[Any]


def _grams(structure: Structure, recipe: Recipe, share: float) -> list[tuple[Array, int, Array]]:
    """For each module its objects, its attribute dimension and ``G``."""
    gram = share * recipe.value_share**2 * place_gram(structure, structure, recipe=recipe)
    dims = structure.attribute_dims
    return [(mine, dims[mine[0]], gram[np.ix_(mine, mine)]) for mine in structure.objects_of.values()]


def effective_noise(
    structure: Structure | Execution,
    *,
    sketch_dim: int,
    kept: int | None = None,
    noise: float = 0.0,
    attribute_variance: float = np.inf,
    recipe: str | Recipe = "recursive",
) -> float:
    """``κ``: the variance, in each coordinate, of all that a linear decoder has to take for noise.

    Parameters
    ----------
    structure : Structure
    sketch_dim, kept : int
        ``d`` and ``d'``.
    noise : float
        ``σ``, the standard deviation of the noise of a coordinate.
    attribute_variance : float
        ``v``; infinite for least squares.
    recipe : str or Recipe

    Returns
    -------
    float
        ``inf`` for least squares with fewer coordinates than unknowns.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.networks.tree(height=2, branching=2, attribute_dim=4, seed=0).run(1)[0]  # 12 unknowns
    >>> simnet.theory.effective_noise(ex, sketch_dim=24, noise=0.5)  # 24 coordinates, half of them for the unknowns
    0.5
    """
    s = structure.structure if isinstance(structure, Execution) else structure
    recipe = as_recipe(recipe)
    d = integer("sketch_dim", sketch_dim, minimum=1)
    kept = kept_dimension(kept, d)
    energy = real("noise", noise, minimum=0.0) ** 2
    grams = _grams(s, recipe, kept / d)
    values = np.concatenate([np.repeat(np.linalg.eigvalsh(gram), dim) for _, dim, gram in grams])
    values = values[values > 1e-13 * values.max(initial=0.0)]
    if np.isinf(attribute_variance):
        free = kept - len(values)
        return energy / (1.0 - len(values) / kept) if free > 0 else float("inf")
    strengths = real("attribute_variance", attribute_variance, minimum=0.0) * values
    if energy == 0.0 and len(strengths) <= kept:
        return 0.0

    def excess(logarithm: float) -> float:
        kappa = np.exp(logarithm)
        return float(kept - np.sum(strengths / (strengths + kappa)) - kept * energy / kappa)

    top = np.log(energy + strengths.sum() / kept) + 1.0
    bottom = np.log(energy if energy > 0.0 else 1e-12 * strengths.min()) - 1e-9
    return float(np.exp(scipy.optimize.brentq(excess, bottom, top, xtol=1e-12)))


def linear_mse(
    structure: Structure | Execution,
    *,
    sketch_dim: int,
    kept: int | None = None,
    noise: float = 0.0,
    attribute_variance: float = np.inf,
    recipe: str | Recipe = "recursive",
) -> Array:
    """Mean square error of a coordinate of each object: of ridge, or of least squares for an infinite variance.

    Parameters and errors are those of :func:`effective_noise`.

    Returns
    -------
    (objects,) array

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.networks.tree(height=2, branching=2, attribute_dim=4, seed=0).run(1)[0]
    >>> simnet.theory.linear_mse(ex, sketch_dim=24).tolist()
    [0.0, 0.0, 0.0]
    """
    s = structure.structure if isinstance(structure, Execution) else structure
    recipe = as_recipe(recipe)
    kappa = effective_noise(
        s, sketch_dim=sketch_dim, kept=kept, noise=noise, attribute_variance=attribute_variance, recipe=recipe
    )
    share = kept_dimension(kept, sketch_dim) / sketch_dim
    result = np.full(len(s), float(attribute_variance))
    for mine, _, gram in _grams(s, recipe, share):
        values, vectors = np.linalg.eigh(gram)
        seen = values > 1e-13 * max(float(values.max()), 1e-300)
        left = np.full(len(values), float(attribute_variance))
        if np.isinf(kappa):
            continue
        left[seen] = kappa / (values[seen] + kappa / attribute_variance)
        mixed = vectors**2
        result[mine] = np.where(mixed > 1e-12, mixed, 0.0) @ np.where(np.isfinite(left), left, 0.0)
        lost = (mixed[:, ~np.isfinite(left)] > 1e-12).any(axis=1)
        result[mine[lost]] = np.inf
    return result


def shared_path_excess(structure: Structure | Execution, *, kept: int, recipe: str | Recipe = "recursive") -> float:
    """By how much, relative, the columns of one object being alike can add to :func:`linear_mse` of least squares.

    ``(a − 1) ((7/4)^{3h} − 1)/d'`` with ``α = β``, averaged over the objects; in general
    ``E tr (TᵀT)²/(d τ²) = (α⁴ + 4 α² β² + 2 β⁴)/τ²`` in the place of ``7/4``.  The leading term, for Gaussian matrices.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.networks.tree(height=2, branching=2, attribute_dim=4, seed=0).run(1)[0]
    >>> simnet.theory.shared_path_excess(ex, kept=10_000) < 0.01
    True
    """
    s = structure.structure if isinstance(structure, Execution) else structure
    recipe = as_recipe(recipe)
    a, b = recipe.identity**2, recipe.mixing**2
    spread = (a**2 + 4.0 * a * b + 2.0 * b**2) / recipe.transparency**2
    depths, dims = np.array(s.depths), np.array(s.attribute_dims)
    return float(np.mean((dims - 1) * (spread ** (3 * depths) - 1.0) / kept)) if len(s) else 0.0
