"""Law 3, similarity: inner products of sketches concentrate around the kernel.

**Statement.**  ``⟨s, s̄⟩`` has mean ``K`` (Law 0) and, with ``L`` the number of random layers on the longest path,

    |⟨s, s̄⟩ − K| ≤ 2 √(K_ss K_s̄s̄) √(L ln(2/δ) / d)     with probability at least 1 − δ

as a bound to test.  Of ``d'`` coordinates, ``(d/d') ⟨s', s̄'⟩`` has the same mean, and ``d'`` takes the place of ``d``.
Through one transparent layer the variance is exact (for ``trig`` up to ``O(1/d)`` of itself):

    Var⟨Tu, Tu'⟩ = [ 2 α²β² (‖u‖² ‖u'‖² + ⟨u, u'⟩²) + β⁴ ν(u, u') ] / d

with ``ν`` the inner-product noise of the family: ``(3/16d)(‖u‖² ‖u'‖² + ⟨u, u'⟩²)`` for ``gaussian`` at ``α = β = ½``.
*Why:* the terms linear and quadratic in ``R`` are uncorrelated, since ``R`` and ``−R`` have one distribution.

**Similar inputs.**  Two executions of one structure with unit attribute vectors that differ by at most ``ε`` each:

    K(s, s̄) ≥ K_ss − ξ_x² ( ε²/2 Σ_θ A_θθ + ε Σ_{θ≠θ'} A_θθ' )

with ``A`` the place Gram.  With one object to a module the second sum is empty, and the bound is
``(1 − ρ ε²/2) K_ss`` with ``ρ`` the attributes' share of ``K_ss``.  Two objects of one module can move apart, which
costs a term of first order: the short form does not hold for them.

Source: ``paper_checks/law_3_similarity.py``, after Ghazi, Panigrahy, Wang (ICML 2019), sketch-to-sketch similarity.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, kept_dimension, probability, real
from simnet.matrices import MatrixFamily, as_family
from simnet.networks import Execution, Structure
from simnet.recipes import Recipe, as_recipe
from simnet.theory.kernel import kernel, place_gram

Array = NDArray[Any]


def random_layers(height: int, *, recipe: str | Recipe = "recursive") -> int:
    """``L``: the random matrices on a path of ``height`` slot edges.

    Each level has the slot, ``T_0`` and ``T_b``, the last one ``T_a`` in place of ``T_b``, then the attribute matrix;
    recipes without mixing have the attribute matrix alone.
    """
    height = integer("height", height, minimum=0)
    return 1 + (3 * height if as_recipe(recipe).mixing > 0.0 else 0)


def similarity_bound(
    left_norm_squared: Array | float,
    right_norm_squared: Array | float,
    *,
    layers: int,
    sketch_dim: int,
    kept: int | None = None,
    failure_probability: float = 0.01,
) -> Array:
    """``2 √(K_ss K_s̄s̄) √(L ln(2/δ)/d')``: how far ``⟨s, s̄⟩`` may be from the kernel.

    Examples
    --------
    >>> import simnet
    >>> float(simnet.theory.similarity_bound(1 / 62, 1 / 62, layers=4, sketch_dim=4096).round(4))
    0.0023
    """
    delta = probability("failure_probability", failure_probability)
    sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
    size = kept_dimension(kept, sketch_dim)
    scale = np.sqrt(np.asarray(left_norm_squared, float) * np.asarray(right_norm_squared, float))
    return 2.0 * scale * math.sqrt(integer("layers", layers, minimum=1) * math.log(2.0 / delta) / size)


def transparent_variance(
    left: Array,
    right: Array,
    *,
    matrices: str | MatrixFamily = "gaussian",
    recipe: str | Recipe = "recursive",
) -> Array:
    """``Var⟨Tu, Tu'⟩`` of one transparent layer over its random matrix, for vectors along the last axis."""
    family, recipe = as_family(matrices), as_recipe(recipe)
    dim = np.shape(left)[-1]
    u, v = np.asarray(left, float), np.asarray(right, float)
    isserlis = np.sum(u**2, -1) * np.sum(v**2, -1) + np.sum(u * v, -1) ** 2
    cross = 2.0 * recipe.identity**2 * recipe.mixing**2 * isserlis
    inner = recipe.mixing**4 * family.inner_noise(left, right, sketch_dim=dim, kept=dim)
    return (cross + inner) / dim


def attribute_share_of_norm(ex: Execution, *, recipe: str | Recipe = "recursive") -> float:
    """``ρ``: the part of ``K_ss`` that comes from attribute vectors, the rest from marks of presence.

    A ``ValueError`` if ``K_ss = 0``: nothing is in the sketch.
    """
    recipe = as_recipe(recipe)
    gram = place_gram(ex.structure, ex.structure, recipe=recipe)
    values = 0.0
    for mine in ex.structure.objects_of.values():
        x = np.stack([ex.attributes[k] for k in mine])
        values += recipe.value_share**2 * float(np.sum(gram[mine[:, None], mine] * (x @ x.T)))
    presence = recipe.presence_share**2 * float(gram.sum())
    if values + presence == 0.0:
        raise ValueError("attribute_share_of_norm: the kernel of the execution with itself is 0, it has no shares")
    return values / (values + presence)


def similar_inputs_bound(ex: Execution, perturbation: float, *, recipe: str | Recipe = "recursive") -> float:
    """The least kernel of ``ex`` with an execution of its structure whose unit attribute vectors differ by at most ``ε``.

    Raises
    ------
    ValueError
        If an attribute vector of ``ex`` is not of unit length, or ``perturbation`` is not in [0, 2].
    """
    recipe = as_recipe(recipe)
    epsilon = real("perturbation", perturbation, minimum=0.0, maximum=2.0)
    for name, x in zip(ex.structure.names, ex.attributes, strict=True):
        if abs(np.linalg.norm(x) - 1.0) > 1e-6:
            raise ValueError(f"object {name!r}: attributes has length {np.linalg.norm(x):.6g}, the bound needs length 1")
    gram = place_gram(ex.structure, ex.structure, recipe=recipe)
    own = float(np.trace(gram))
    loss = recipe.value_share**2 * (epsilon**2 / 2.0 * own + epsilon * (float(gram.sum()) - own))
    return kernel(ex, ex, recipe=recipe) - loss


def norm_bound(structure: Structure, *, recipe: str | Recipe = "recursive") -> float:
    """An upper bound on ``E‖s‖²`` for any attributes of length at most 1: the kernel with all of them equal to 1.

    With the paper's recipe it is at most ``1/62``.
    """
    recipe = as_recipe(recipe)
    gram = place_gram(structure, structure, recipe=recipe)
    return float(gram.sum()) * (recipe.value_share**2 + recipe.presence_share**2)
