"""Rooms in a store, shared by the tests."""

from __future__ import annotations

import pytest

import simnet
from simnet.memory import SketchStore

NET = simnet.networks.scene(places=4, seed=0)


@pytest.fixture(scope="session")
def rooms():
    return NET.run(60, seed=1)


@pytest.fixture(scope="session")
def sketcher():
    return simnet.Sketcher(NET, 2048, recipe="prototype_b", seed=3)


@pytest.fixture(scope="session")
def sketches(sketcher, rooms):
    return sketcher.encode(rooms)


@pytest.fixture
def empty(tmp_path, sketcher):
    with SketchStore.create(tmp_path / "rooms.sketches", sketcher) as store:
        yield store


@pytest.fixture
def filled(empty, sketches):
    empty.add(sketches, time=[3600 * i for i in range(60)], metadata=[{"i": i, "odd": i % 2 == 1} for i in range(60)])
    return empty
