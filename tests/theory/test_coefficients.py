"""Coefficients are sums over paths, walked one by one."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet import theory
from tests import oracle


@pytest.mark.parametrize("seed", range(20))
def test_coefficients_are_the_sum_over_paths(seed):
    ex, recipe = oracle.random_execution(seed, modules=7, height=6), oracle.random_recipe(seed)
    s = ex.structure
    expected = [oracle.coefficient(s, name, recipe) for name in s.names]
    np.testing.assert_allclose(theory.coefficients(s, recipe=recipe), expected, rtol=1e-13)
    assert theory.coefficient(ex, s.names[0], recipe=recipe) == pytest.approx(expected[0], rel=1e-13)
    assert theory.coefficient(s, -1, recipe=recipe) == pytest.approx(expected[-1], rel=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_coefficient_is_the_identity_word_of_the_sketch(seed):
    """The product ``R_{M,1}`` alone carries ``Σ c_θ x_θ`` over the objects of ``M``."""
    ex, recipe = oracle.random_execution(seed), oracle.random_recipe(seed)
    words, c = oracle.words(ex, recipe), theory.coefficients(ex.structure, recipe=recipe)
    for module, mine in ex.structure.objects_of.items():
        np.testing.assert_allclose(words[((module, "value"),)], sum(c[k] * ex.attributes[k] for k in mine), rtol=1e-12)


def test_coefficients_of_a_batch_take_the_weights_of_every_run():
    (group,) = simnet.networks.layered(widths=(4, 3, 2), seed=1).run(6, seed=2, weight_jitter=0.5)
    batch = theory.coefficients(group.structure, weights=group.weights)
    for i in range(6):
        s = group.structure_of(i)
        np.testing.assert_allclose(batch[i], [oracle.coefficient(s, name, simnet.Recipe()) for name in s.names], rtol=1e-13)


def test_the_papers_recipe_loses_four_halves_a_level():
    net = simnet.networks.tree(height=4, branching=1, attribute_dim=2, seed=0)
    ex = net.run(1)[0]
    assert [theory.coefficient(ex, o.name) for o in ex.objects] == [2.0 ** -(4 * o.depth + 1) for o in ex.objects]
    assert [theory.unit_coefficient(h) for h in (1, 2, 3, 4)] == [2.0 ** -(4 * h + 1) for h in (1, 2, 3, 4)]


def test_namesakes_are_the_other_objects_of_the_module_in_proportion():
    ex = simnet.Execution.from_objects(
        [
            ("tom", "cat", [0.5], [], []),
            ("kit", "cat", [0.5], [], []),
            ("rex", "dog", [0.5], [], []),
            ("no one", "cat", [0.5], [], []),
        ],
        outputs={"tom": 0.5, "kit": 0.25, "rex": 0.25, "no one": 0.0},
    )
    expected = [[0.0, 0.5, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4]
    np.testing.assert_allclose(theory.namesakes(ex.structure), expected)


@pytest.mark.parametrize("depth", [0, -1, 1.5, "1", True, None])
def test_a_depth_is_a_positive_integer(depth):
    with pytest.raises(ValueError, match=r"depth = .*: must be an integer >= 1"):
        theory.unit_coefficient(depth)


@pytest.mark.parametrize("name", ["nobody", 99, 1.0, None, True, [0]])
def test_an_object_is_a_name_or_a_position(name):
    with pytest.raises(ValueError, match=r"object = .*: must be one of"):
        theory.coefficient(oracle.random_execution(0), name)
