"""Coefficients: how strongly an object stands in a sketch.

The **identity path** of an object takes ``αI`` out of every transparent matrix on its way up.  Along all its paths from
``root``, of weight ``Π w`` and depth ``h``, it arrives with

    c_θ = ξ_x η_a α³ Σ_paths (α³ η_in)^{h−1} Π_edges w

with the paper's recipe ``w 2^{−(4h+1)}`` for one path.  The matched estimate divides by it.

Source: Ghazi, Panigrahy, Wang (ICML 2019), attribute recovery; their ``2^{3h}`` with the halves of the shares in ``w``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.networks import Execution, Structure
from simnet.networks.network import Name
from simnet.recipes import Recipe, as_recipe

Array = NDArray[Any]


def coefficients(structure: Structure, *, recipe: str | Recipe = "recursive", weights: Array | None = None) -> Array:
    """``c_θ`` of every object: ``(..., objects)``, for weights ``(..., edges)`` when given."""
    recipe = as_recipe(recipe)
    return recipe.surface_gain * structure.path_sums(recipe.level_gain, weights)


def coefficient(ex: Execution | Structure, k: Name, *, recipe: str | Recipe = "recursive") -> float:
    """``c_θ`` of object ``k``, given by name or position.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects(
    ...     [("eye", "eye", [0.6], [], []), ("face", "face", [0.8], ["eye"], [0.5])], outputs={"face": 1.0})
    >>> simnet.theory.coefficient(ex, "face") == 2**-5, simnet.theory.coefficient(ex, "eye") == 0.5 * 2**-9
    (True, True)
    """
    structure = ex.structure if isinstance(ex, Execution) else ex
    return float(coefficients(structure, recipe=recipe)[structure.position(k)])


def unit_coefficient(depth: int, *, recipe: str | Recipe = "recursive") -> float:
    """``κ = c/w``: the coefficient of an object per unit of its effective weight, at that depth."""
    recipe = as_recipe(recipe)
    return recipe.surface_gain * recipe.level_gain ** (integer("depth", depth, minimum=1) - 1)


def namesakes(structure: Structure, *, recipe: str | Recipe = "recursive") -> Array:
    """``B_θθ' = c_θ'/c_θ`` for the other objects of the module of ``θ``, else 0: ``(objects, objects)``.

    The matched estimate has mean ``x_θ + Σ_θ' B_θθ' x_θ'``.  Objects with coefficient 0 have a row of zeros.
    """
    c = coefficients(structure, recipe=recipe)
    result = np.zeros((len(structure), len(structure)))
    for mine in structure.objects_of.values():
        present = mine[c[mine] > 0.0]
        result[present[:, None], mine] = c[mine] / c[present][:, None]
    np.fill_diagonal(result, 0.0)
    return result


def blur(structure: Structure, *, recipe: str | Recipe = "recursive") -> Array:
    """``Σ_θ' B_θθ'``, by how much others of its module can move the matched estimate of each object: ``(objects,)``."""
    c = coefficients(structure, recipe=recipe)
    result = np.zeros(len(structure))
    for mine in structure.objects_of.values():
        present = mine[c[mine] > 0.0]
        if len(mine) > 1:
            result[present] = (c[mine].sum() - c[present]) / c[present]
    return result
