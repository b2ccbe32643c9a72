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

from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.checks import integer, kept_dimension, real
from simnet.networks import Execution, Structure
from simnet.recipes import Recipe, as_recipe
from simnet.theory.kernel import place_gram

Array = NDArray[Any]


class _Setting(NamedTuple):
    """What both laws need: the objects of each module with their attribute dimension and ``G``, ``d'`` and ``σ²``."""

    structure: Structure
    grams: list[tuple[Array, int, Array]]
    kept: int
    noise: float


def attribute_gram(structure: Structure, *, sketch_dim: int, kept: int, recipe: str | Recipe = "recursive") -> Array:
    """``G = (d'/d) ξ_x² A``: for one coordinate, the expected inner products of the columns of any two objects."""
    recipe = as_recipe(recipe)
    return kept / sketch_dim * recipe.value_share**2 * place_gram(structure, structure, recipe=recipe)


def _setting(
    structure: Structure | Execution, sketch_dim: int, kept: int | None, noise: float, recipe: str | Recipe
) -> _Setting:
    s = structure.structure if isinstance(structure, Execution) else structure
    d = integer("sketch_dim", sketch_dim, minimum=1)
    kept = kept_dimension(kept, d)
    gram = attribute_gram(s, sketch_dim=d, kept=kept, recipe=recipe)
    grams = [(mine, s.attribute_dims[mine[0]], gram[np.ix_(mine, mine)]) for mine in s.objects_of.values()]
    return _Setting(s, grams, kept, real("noise", noise, minimum=0.0) ** 2)


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
    return _effective_noise(_setting(structure, sketch_dim, kept, noise, recipe), attribute_variance)


def _effective_noise(setting: _Setting, attribute_variance: float) -> float:
    _, grams, kept, energy = setting
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
    setting = _setting(structure, sketch_dim, kept, noise, recipe)
    kappa = _effective_noise(setting, attribute_variance)
    result = np.full(len(setting.structure), float(attribute_variance))
    if np.isinf(kappa):
        return result
    for mine, _, gram in setting.grams:
        values, vectors = np.linalg.eigh(gram)
        seen = values > 1e-13 * max(float(values.max()), 1e-300)
        left = np.full(len(values), float(attribute_variance))
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
