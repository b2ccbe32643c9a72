"""Recipes: the constants with which a sketch is mixed.

The recursive sketch of an execution, with an independent random matrix ``R`` for each subscript and
``T(R) = αI + βR`` a *transparent* matrix, is

    s_attr(θ) = ξ_x R_{M,1} x_θ + ξ_e R_{M,2} e₁
    s_in(θ)   = Σ_i w_i T(R_{M,in,i}) s_obj(θ_i)
    s_obj(θ)  = T(R_{M,0}) [ η_a T(R_{M,a}) s_attr(θ) + η_in T(R_{M,b}) s_in(θ) ]
    s         = s_in(root)

and a recipe is the six constants.  The one-layer prototypes are recipes too: with ``α = 1, β = 0`` and both shares 1
every transparent matrix is the identity and the recursion collapses to ``s = Σ_θ w_θ s_attr(θ)``, ``w_θ`` the effective
weight.  Nothing downstream needs to know which kind it has.

Source: Ghazi, Panigrahy, Wang, *Recursive Sketches for Modular Deep Learning*, ICML 2019.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from simnet.checks import choice, real


@dataclass(frozen=True)
class Recipe:
    """The constants of a sketch; the default is the paper's, with every constant ½.

    Parameters
    ----------
    identity, mixing : float
        ``α`` and ``β`` of the transparent matrix ``αI + βR``.  ``mixing = 0`` makes it the identity up to scale.
    attribute_share, input_share : float
        ``η_a`` and ``η_in``: how an object's own attributes and its inputs share its sketch.
    value_share, presence_share : float
        ``ξ_x`` and ``ξ_e``: how the attribute vector and the mark of presence share the attribute sketch.

    Raises
    ------
    ValueError
        If a constant is negative, past 10⁶ or not finite, or if both ``identity`` and ``mixing`` are 0.

    Examples
    --------
    >>> from simnet import Recipe
    >>> Recipe().transparency
    0.5
    >>> Recipe(identity=0.8, mixing=0.6).transparency
    1.0
    """

    identity: float = 0.5
    mixing: float = 0.5
    attribute_share: float = 0.5
    input_share: float = 0.5
    value_share: float = 0.5
    presence_share: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = real(f"recipe.{field.name}", getattr(self, field.name), minimum=0.0, maximum=1e6)
            object.__setattr__(self, field.name, value)
        if self.identity == 0.0 and self.mixing == 0.0:
            raise ValueError("recipe.identity = recipe.mixing = 0: one of the two must be positive")

    @property
    def transparency(self) -> float:
        """``τ = α² + β²``, the factor by which a transparent matrix scales a squared norm in the mean."""
        return self.identity**2 + self.mixing**2

    @property
    def surface_gain(self) -> float:
        """``ξ_x η_a α³``: the identity path from the sketch to the attributes of an output object of weight 1."""
        return self.value_share * self.attribute_share * self.identity**3

    @property
    def level_gain(self) -> float:
        """``α³ η_in``: the identity path through one further level, weight 1."""
        return self.identity**3 * self.input_share


RECIPES: dict[str, Recipe] = {
    "prototype_a": Recipe(1.0, 0.0, 1.0, 1.0, 1.0, 0.0),
    "prototype_b": Recipe(1.0, 0.0, 1.0, 1.0, 0.5, 0.5),
    "recursive": Recipe(),
}


def as_recipe(recipe: str | Recipe) -> Recipe:
    """The recipe of that name, or the recipe itself."""
    if isinstance(recipe, Recipe):
        return recipe
    return RECIPES[choice("recipe", recipe, RECIPES)]


def describe_recipe(recipe: Recipe) -> str | dict[str, float]:
    """A recipe as JSON holds it: its name, or its constants where it has none.

    Examples
    --------
    >>> from simnet.recipes import Recipe, describe_recipe, read_recipe
    >>> describe_recipe(Recipe())
    'recursive'
    >>> read_recipe(describe_recipe(Recipe(mixing=0.25))).mixing
    0.25
    """
    return next((name for name, known in RECIPES.items() if known == recipe), asdict(recipe))


def read_recipe(described: Any) -> Recipe:
    """The recipe that :func:`describe_recipe` described; a ``ValueError`` if it is none."""
    if not isinstance(described, dict):
        return as_recipe(described)
    for constant in described:
        choice("recipe: constant", constant, [field.name for field in fields(Recipe)])
    return Recipe(**described)
