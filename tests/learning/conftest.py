"""Pairs of activity and sketch, with the planted supports."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import simnet


class Pairs(NamedTuple):
    network: object
    active: np.ndarray
    sketches: np.ndarray
    executions: object
    truth: list


def planted_supports(network):
    """The inputs below each module, as columns of the activity; sorted, one entry a module."""
    below = {}
    for name in network.order:
        slots = network.module(name).slots
        own = [below[slot.sources[0]] for slot in slots] if slots else [{network.inputs.index(name)}]
        below[name] = frozenset().union(*own)
    return sorted(map(sorted, below.values()))


def make_pairs(network, runs, sketch_dim, *, activity=0.5, seed=1, jitter=0.0, **options):
    """Runs with random activity, or that of a mask, and their sketches by matrices that nobody will be told of."""
    width = len(network.inputs)
    mask = activity
    if not isinstance(activity, np.ndarray):
        mask = np.random.default_rng(seed).random((runs, width)) < activity
    executions = network.run(runs, seed=seed, activity=mask, weight_jitter=jitter)
    sketches = simnet.Sketcher(network, sketch_dim, **{"matrices": "gaussian", "seed": seed + 7} | options).encode(
        executions
    )
    return Pairs(network, mask, sketches, executions, planted_supports(network))


@pytest.fixture(scope="session")
def three_levels():
    """14 modules on 6 inputs, no dead units."""
    network = simnet.networks.layered(widths=(6, 5, 3), attribute_dim=4, fan_in=2, seed=0)
    return make_pairs(network, 2000, 128)
