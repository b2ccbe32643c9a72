"""Recipes: the named constants, what is derived from them, and what is refused."""

from __future__ import annotations

import dataclasses
import math

import pytest

from simnet import RECIPES, Recipe
from simnet.recipes import as_recipe

FIELDS = [field.name for field in dataclasses.fields(Recipe)]


def test_the_papers_recipe_is_the_default_and_all_halves():
    assert dataclasses.astuple(Recipe()) == (0.5,) * 6
    assert as_recipe("recursive") == Recipe()


def test_prototypes_are_one_layer():
    for name, shares in {"prototype_a": (1.0, 0.0), "prototype_b": (0.5, 0.5)}.items():
        recipe = as_recipe(name)
        assert (recipe.identity, recipe.mixing, recipe.attribute_share, recipe.input_share) == (1.0, 0.0, 1.0, 1.0)
        assert (recipe.value_share, recipe.presence_share) == shares
        assert recipe.transparency == recipe.level_gain == 1.0


def test_derived_constants_by_hand():
    recipe = Recipe(identity=2.0, mixing=3.0, attribute_share=5.0, input_share=7.0, value_share=11.0, presence_share=13.0)
    assert (recipe.transparency, recipe.surface_gain, recipe.level_gain) == (13.0, 11.0 * 5.0 * 8.0, 8.0 * 7.0)


def test_numbers_become_floats_and_recipes_are_frozen_and_hashable():
    recipe = Recipe(identity=1, mixing=0)
    assert type(recipe.identity) is float
    assert len({recipe, Recipe(1.0, 0.0), Recipe()}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.identity = 0.5
    assert as_recipe(recipe) is recipe


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [-0.1, 1e7, math.nan, math.inf, "0.5", None, True, 1j, [0.5]])
def test_a_constant_is_a_finite_number_that_is_not_negative(field, value):
    with pytest.raises(ValueError, match=rf"recipe\.{field} = .*: must be a finite number in \[0, 1e\+06\]"):
        Recipe(**{field: value})


def test_a_transparent_matrix_is_not_zero():
    with pytest.raises(ValueError, match=r"recipe\.identity = recipe\.mixing = 0"):
        Recipe(identity=0.0, mixing=0.0)


@pytest.mark.parametrize("name", ["prototype_c", "", None, 3, [Recipe()]])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match=f"recipe = .*: must be one of {', '.join(map(repr, RECIPES))}"):
        as_recipe(name)
