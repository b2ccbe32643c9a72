"""Executions to decode."""

from __future__ import annotations

import pytest

import simnet


@pytest.fixture(scope="session")
def shared():
    """Two levels, one object a module, one of them at two depths."""
    return simnet.Execution.from_objects(
        [
            ("top", "top", [0.6, 0.0, 0.7], ["left", "right"], [0.7, 0.3]),
            ("left", "left", [0.1, 0.5, 0.8], [], []),
            ("right", "right", [0.9, 0.2, 0.0], [], []),
        ],
        outputs={"top": 0.7, "left": 0.3},
    )


@pytest.fixture(scope="session")
def twins():
    """Three objects of one module, two at the output and one below, and an object of another."""
    return simnet.Execution.from_objects(
        [
            ("one", "twin", [0.9, 0.1, 0.0, 0.2], [], []),
            ("two", "twin", [0.0, 0.3, 0.8, 0.4], [], []),
            ("three", "twin", [0.2, 0.6, 0.1, 0.0], [], []),
            ("parent", "parent", [0.5, 0.5], ["three"], [0.8]),
        ],
        outputs=[("one", 0.4), ("two", 0.2), ("parent", 0.4)],
    )
