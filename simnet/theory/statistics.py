"""Law 2, statistics: how many objects of a module, the sum and the mean of their attributes.

**Statement.**  Let all objects of module ``M`` be at one depth, ``κ = c/w`` their coefficient per unit of effective
weight.  From ``d'`` of the ``d`` coordinates,

    f̂ = (d/d') e₁ᵀ R_{M,2}ᵀ s' / (κ ξ_e/ξ_x)   has mean   f = Σ_θ w_θ
    Ŝ = (d/d') R_{M,1}ᵀ s' / κ                  has mean   S = Σ_θ w_θ x_θ

and ``Ŝ/f̂`` estimates the mean attribute.  With equal weights ``f̂/w`` is the count; one-hot attributes make ``Ŝ`` a
histogram.  Each has the error of Law 1 with ``κ`` for ``c`` and ``f`` or ``S`` for ``x``.  Sketches add: the sum of the
sketches of many executions has the sum of all kernel entries for its ``K_ss``.

**Assumptions.**  As for Law 1, and one depth for all objects of ``M``; for the frequency ``ξ_e > 0``.

Source: ``paper_checks/law_2_statistics.py``, after Ghazi, Panigrahy, Wang (ICML 2019), summary statistics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, kept_dimension
from simnet.matrices import MatrixFamily, as_family
from simnet.networks import Execution, Executions, Group
from simnet.networks.executions import as_executions
from simnet.networks.network import Name
from simnet.recipes import Recipe, as_recipe
from simnet.theory.attributes import matched_mse
from simnet.theory.coefficients import unit_coefficient
from simnet.theory.kernel import kernel_matrix

Array = NDArray[Any]


def presence_coefficient(depth: int, *, recipe: str | Recipe = "recursive") -> float:
    """``κ ξ_e/ξ_x``: how strongly the mark of presence stands in a sketch, per unit of effective weight."""
    recipe = as_recipe(recipe)
    depth = integer("depth", depth, minimum=1)
    return recipe.presence_share * recipe.attribute_share * recipe.identity**3 * recipe.level_gain ** (depth - 1)


def module_sums(runs: Executions | Group | Execution, module: Name) -> tuple[float, Array]:
    """``f = Σ w_θ`` and ``S = Σ w_θ x_θ`` over all objects of ``module`` in all runs: the planted truth."""
    frequency, total = 0.0, np.zeros(0)
    for group in as_executions(runs):
        dim = group.structure.network.module(module).attribute_dim
        total = total if total.size else np.zeros(dim)
        effective = group.structure.path_sums(1.0, group.weights)
        for k in group.structure.objects_of.get(module, ()):
            weights = np.broadcast_to(effective[..., k], (len(group),))
            frequency += float(weights.sum())
            total = total + weights @ group.attributes[k]
    return frequency, total


def module_depth(runs: Executions | Group | Execution, module: Name) -> int:
    """The one depth of all objects of ``module``, or where runs made none, the one that the network gives it.

    Raises
    ------
    ValueError
        If there are several.
    """
    depths: set[int] = set()
    allowed: set[int] = set()
    for group in as_executions(runs):
        s = group.structure
        s.network.module(module)
        for k in s.objects_of.get(module, ()):
            depths |= {s.depths[k], s.longest_depths[k]}  # one object can be in several places
        allowed |= s.network.depths[module]
    depths = depths or allowed
    if len(depths) != 1:
        raise ValueError(f"module {module!r}: its objects are at depths {sorted(depths)}, the law needs exactly one depth")
    return depths.pop()


def expected_norm(runs: Executions | Group | Execution, *, recipe: str | Recipe = "recursive") -> float:
    """``E‖Σ s‖²`` of the sum of the sketches of ``runs``: the sum of all entries of their kernel matrix."""
    return float(kernel_matrix(runs, recipe=recipe).sum())


def frequency_mse(
    runs: Executions | Group | Execution,
    module: Name,
    *,
    sketch_dim: int,
    kept: int | None = None,
    matrices: str | MatrixFamily = "trig",
    recipe: str | Recipe = "recursive",
    norm_squared: float | None = None,
) -> float:
    """The mean square error of ``f̂`` from the (sum of the) sketches of ``runs``.

    ``norm_squared`` is their :func:`expected_norm`, when it is known already.

    Raises
    ------
    ValueError
        If the objects of the module are not at one depth, or the recipe marks no presence (``presence_share = 0``).
    """
    family, recipe = as_family(matrices), as_recipe(recipe)
    sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
    strength = presence_coefficient(module_depth(runs, module), recipe=recipe)
    if strength == 0.0:
        raise ValueError("recipe.presence_share = 0: the sketch does not mark presence, it has no frequencies")
    frequency, _ = module_sums(runs, module)
    mse = matched_mse(
        np.array([frequency]),
        strength,
        expected_norm(runs, recipe=recipe) if norm_squared is None else norm_squared,
        sketch_dim=sketch_dim,
        kept=kept_dimension(kept, sketch_dim),
        family=family,
    )
    return float(mse[0])


def sum_mse(
    runs: Executions | Group | Execution,
    module: Name,
    *,
    sketch_dim: int,
    kept: int | None = None,
    matrices: str | MatrixFamily = "trig",
    recipe: str | Recipe = "recursive",
    norm_squared: float | None = None,
) -> Array:
    """The mean square error of each coordinate of ``Ŝ`` from the (sum of the) sketches of ``runs``: ``(a,)``."""
    family, recipe = as_family(matrices), as_recipe(recipe)
    sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
    _, total = module_sums(runs, module)
    return matched_mse(
        total,
        unit_coefficient(module_depth(runs, module), recipe=recipe),
        expected_norm(runs, recipe=recipe) if norm_squared is None else norm_squared,
        sketch_dim=sketch_dim,
        kept=kept_dimension(kept, sketch_dim),
        family=family,
    )


def mean_mse(
    runs: Executions | Group | Execution,
    module: Name,
    *,
    sketch_dim: int,
    kept: int | None = None,
    matrices: str | MatrixFamily = "trig",
    recipe: str | Recipe = "recursive",
    norm_squared: float | None = None,
) -> Array:
    """The mean square error of the mean attribute ``Ŝ/f̂``, to first order in the error of ``f̂``: ``(a,)``.

    A ``ValueError`` if there is nothing to take the mean of.
    ``(MSE(Ŝ_j) + m_j² MSE(f̂)) / f²`` with ``m = S/f``: the two are uncorrelated, their matrices are independent.
    """
    if norm_squared is None:
        norm_squared = expected_norm(runs, recipe=recipe)
    options: dict[str, Any] = {"sketch_dim": sketch_dim, "kept": kept, "matrices": matrices, "recipe": recipe}
    options["norm_squared"] = norm_squared
    frequency, total = module_sums(runs, module)
    if frequency == 0.0:
        raise ValueError(f"module {module!r}: the runs made no object of it, there is no mean to estimate")
    mean = total / frequency
    return (sum_mse(runs, module, **options) + mean**2 * frequency_mse(runs, module, **options)) / frequency**2
