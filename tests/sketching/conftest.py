"""Executions to hold the encoder to."""

from __future__ import annotations

import pytest

import simnet


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


@pytest.fixture(params=list(EXECUTIONS))
def execution(request):
    """One execution of each kind."""
    return EXECUTIONS[request.param]()


@pytest.fixture
def portrait():
    """The execution by hand."""
    return family_portrait()
