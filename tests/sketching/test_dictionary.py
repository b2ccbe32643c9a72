"""The dictionary is the operator, column by column, whatever the graph."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.sketching.dictionary import dictionary
from tests import oracle

RECIPES = ["recursive", "prototype_b", simnet.Recipe(0.3, 0.8, 0.6, 0.7, 0.9, 0.4)]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("family", ["gaussian", "trig"])
def test_it_equals_the_dense_definition(family, recipe):
    for seed in range(4):
        ex = simnet.networks.random_dag(7, 3, seed=seed).run(1)[0]
        sketcher = simnet.Sketcher(ex.network, 24, family, recipe, seed=seed)
        rows = dictionary(sketcher, ex.structure)
        np.testing.assert_allclose(sketcher.to_stored(rows).T, oracle.operator(ex, sketcher), atol=1e-14)


def test_several_objects_of_a_module_and_several_slots_for_one_object():
    scene = simnet.networks.scene(places=5, seed=0).run(3, seed=2)
    twice = simnet.Execution.from_objects(
        [("a", "a", [0.3, 0.4], [], []), ("b", "b", [0.5], ["a", None, "a"], [0.2, 0.1, 0.6])], outputs={"b": 0.5, "a": 0.4}
    )
    for ex in (scene[0], scene[1], twice):
        sketcher = simnet.Sketcher(ex.network, 32, "gaussian", seed=1)
        rows = dictionary(sketcher, ex.structure)
        np.testing.assert_allclose(sketcher.to_stored(ex.vector() @ rows), sketcher.encode(ex), atol=1e-14)
        np.testing.assert_allclose(sketcher.to_stored(rows).T, oracle.operator(ex, sketcher), atol=1e-14)
