"""The oracle agrees with the encoder, and its two kernels with each other."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.matrices import FAMILIES
from tests import oracle

RECIPES = {"random": oracle.random_recipe(5), **simnet.RECIPES}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("matrices", FAMILIES)
def test_encode_and_operator_are_the_definition(matrices, recipe):
    ex = oracle.random_execution(13, modules=4)
    sketcher = simnet.Sketcher(ex.network, sketch_dim=16, matrices=matrices, recipe=recipe, seed=2)
    s, b = oracle.sketch(ex, sketcher), oracle.operator(ex, sketcher)
    assert np.abs(s).max() > 1e-3
    np.testing.assert_allclose(b @ ex.vector(), s, rtol=0, atol=1e-13)
    np.testing.assert_allclose(sketcher.encode(ex), s, rtol=0, atol=1e-13)
    np.testing.assert_allclose(sketcher.operator(ex) @ np.eye(b.shape[1]), b, rtol=0, atol=1e-13)
    np.testing.assert_allclose(sketcher.operator(ex).rmatmat(np.eye(16)), b.T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", range(8))
def test_the_two_kernels_of_the_oracle_agree(seed):
    left, right, recipe = oracle.random_execution(seed), oracle.random_execution(seed + 500), oracle.random_recipe(seed)
    assert oracle.kernel(left, right, recipe) == pytest.approx(oracle.kernel_by_words(left, right, recipe), rel=1e-12)
