"""The sketch operator written down from its definition, matrix by matrix, and executions to hold the encoder to."""

from __future__ import annotations

import numpy as np
import pytest

import simnet


def dense_operator(sketcher, structure):
    """``B`` as a ``d × p`` array: the recursion of the recipe, on whole matrices, one object at a time."""
    d, p, recipe = sketcher.sketch_dim, structure.size, sketcher.recipe
    ends = np.cumsum([dim + 1 for dim in structure.attribute_dims])
    made = {}

    def matrix(module, role):
        return sketcher.matrix(module, role).todense()

    def transparent(module, role):
        return recipe.identity * np.eye(d) + recipe.mixing * matrix(module, role)

    def inputs(module, names, weights):
        total = np.zeros((d, p))
        for slot, (name, weight) in enumerate(zip(names, weights, strict=True)):
            if name is not None:
                total += weight * transparent(module, slot) @ sketch(name)
        return total

    def sketch(name):
        if name not in made:
            k = structure.names.index(name)
            node, a = structure[name], structure.attribute_dims[k]
            attributes = np.zeros((d, p))
            attributes[:, ends[k] - a - 1 : ends[k] - 1] = recipe.value_share * matrix(node.module, "value")
            attributes[:, [ends[k] - 1]] = recipe.presence_share * matrix(node.module, "presence")
            inside = recipe.attribute_share * transparent(node.module, "attribute") @ attributes
            below = transparent(node.module, "input") @ inputs(node.module, node.inputs, node.weights)
            made[name] = transparent(node.module, "object") @ (inside + recipe.input_share * below)
        return made[name]

    return inputs("root", structure.outputs, structure.output_weights)


def family_portrait():
    """By hand: namesakes, an object in two places and at two depths, empty slots inside and at the output."""
    return simnet.Execution.from_objects(
        [
            ("top", "head", [0.3, 0.4], ["left", None, "right"], [0.5, 0.2, 0.3]),
            ("left", "hand", [0.1, 0.2, 0.3], ["ring", "other ring"], [0.6, 0.4]),
            ("right", "hand", [0.7, 0.0, 0.1], [None, "ring"], [0.5, 0.25]),
            ("ring", "ring", [0.9], [], []),
            ("other ring", "ring", [0.2], [], []),
        ],
        outputs=[("top", 0.6), (None, 0.1), ("ring", 0.3)],
    )


EXECUTIONS = {
    "layered": lambda: simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0).run(1, seed=1)[0],
    "random_dag": lambda: simnet.networks.random_dag(modules=6, attribute_dim=2, seed=3).run(1, seed=1)[0],
    "scene": lambda: simnet.networks.scene(places=4, attribute_dim=3, seed=0).run(3, seed=2)[2],
    "by hand": family_portrait,
}


@pytest.fixture(name="dense_operator", scope="session")
def _dense_operator():
    return dense_operator


@pytest.fixture(params=list(EXECUTIONS))
def execution(request):
    """One execution of each kind."""
    return EXECUTIONS[request.param]()


@pytest.fixture
def portrait():
    """The execution by hand."""
    return family_portrait()
