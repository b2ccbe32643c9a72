"""The dictionary is the operator, column by column, whatever the graph."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.sketching import dictionary as module
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


@pytest.mark.parametrize("one_mark", [False, True])
@pytest.mark.parametrize("family", ["gaussian", "trig"])
def test_it_does_not_depend_on_how_many_modules_go_together(family, one_mark, monkeypatch):
    for net in (simnet.networks.layered(widths=(6, 4, 2), attribute_dim=3, seed=0), simnet.networks.scene(places=5, seed=0)):
        structure, sketcher = net.run(1, seed=1)[0].structure, simnet.Sketcher(net, 32, family, seed=1)
        whole = dictionary(sketcher, structure, one_mark=one_mark)
        for most in (1, 10 * 32 * 8, 25 * 32 * 8):  # of about 24 columns in the first level
            monkeypatch.setattr(module, "TOGETHER_BYTES", most)
            np.testing.assert_allclose(dictionary(sketcher, structure, one_mark=one_mark), whole, rtol=0, atol=1e-14)


def test_the_objects_of_a_module_meet_its_matrices_together(monkeypatch):
    ex = simnet.networks.scene(places=5, seed=0).run(1, seed=2)[0]
    assert len(set(ex.structure.modules)) < len(ex.structure)
    sketcher, asked = simnet.Sketcher(ex.network, 32, "gaussian", seed=1), []
    drawn = sketcher.bank.matrix
    monkeypatch.setattr(sketcher.bank, "matrix", lambda key, *a: asked.append(key) or drawn(key, *a))
    dictionary(sketcher, ex.structure)
    assert len(asked) == len(set(asked))
