"""Planting functions: random module functions of known quality for a given wiring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks.functions import ModuleFunction, RectifiedFunction
from simnet.networks.inspection import inspect_function
from simnet.networks.network import ModularNetwork, Module, Name, Slot
from simnet.randomness import stream

Array = NDArray[Any]

#: The share of the inputs on which a unit is positive.
FIRING = 0.65
#: The median length of an attribute vector before the projection onto the unit ball.
MEDIAN_LENGTH = 0.8
#: How often a function that came out poor is drawn again; with one or two inputs a kink can miss what it sees.
ATTEMPTS = 20


def slot_weights(draw: np.random.Generator, slots: int) -> tuple[float, ...]:
    """Uneven weights for the slots of a module, none below a third of the greatest; they sum to 1."""
    raw = draw.uniform(0.5, 1.5, slots)
    weights = raw / raw.sum()
    return tuple(float(w) for w in weights / max(1.0, weights.sum()))


def plant(
    network: ModularNetwork,
    seed: int,
    *,
    external: Callable[[Module], ModuleFunction | None] = lambda module: None,
    summed: bool = False,
) -> ModularNetwork:
    """The same network with a random function for every module.

    Functions are :class:`RectifiedFunction` with Gaussian weights, calibrated on a sample of their own inputs: each unit
    fires on about two thirds of what it sees.  ``external`` may give an input module a function of another kind.  With
    ``summed`` the slots of a module have one matrix: what is in them is added before anything else is done.

    Raises
    ------
    ValueError
        If every attempt at a function came out with dead units, without full rank, or affine.
    """
    by_name: dict[Name, Module] = {}
    samples: dict[Name, Array] = {}
    largest = max(
        max(module.attribute_dim, sum(network.module(slot.sources[0]).attribute_dim for slot in module.slots))
        for module in network.modules
    )
    count = max(1024, 6 * largest)
    for name in network.order:
        module = network.module(name)
        draw = stream(seed, "calibration", name)
        given = None if module.slots else external(module)
        if module.slots:
            inputs = [_mixed_sample(draw, slot, samples, count) for slot in module.slots]
        else:
            inputs = [draw.standard_normal((count, given.input_dims[0] if given else module.attribute_dim))]
        for attempt in range(ATTEMPTS):
            function = given or _calibrated(stream(seed, "function", name, attempt), module.attribute_dim, inputs, summed)
            samples[name] = function(inputs)
            report = inspect_function(name, np.concatenate(inputs, axis=1), samples[name])
            if not report.problems:
                break
        else:
            raise ValueError(
                f"module {name!r} (attribute_dim = {module.attribute_dim}, input dimensions "
                f"{list(function.input_dims)}): {'; '.join(report.problems)}"
            )
        by_name[name] = replace(module, function=function)
    return replace(network, modules=tuple(by_name[module.name] for module in network.modules))


def _mixed_sample(draw: np.random.Generator, slot: Slot, samples: dict[Name, Array], count: int) -> Array:
    """What a slot sees: each of its sources equally often, in an order of its own.

    The order makes the slots independent even when one module fills several.
    """
    stacked = np.stack([samples[source] for source in slot.sources])
    return stacked[draw.integers(len(slot.sources), size=count), draw.permutation(count)]


def _calibrated(draw: np.random.Generator, attribute_dim: int, inputs: Sequence[Array], summed: bool) -> RectifiedFunction:
    weights, thresholds = [], []
    for u in inputs[:1] if summed else inputs:
        spread = max(float(np.linalg.norm(u.std(axis=0))), 1e-12)
        w = draw.standard_normal((attribute_dim, u.shape[1])) / spread
        weights.append(w)
        thresholds.append(np.quantile(u @ w.T, 1.0 - FIRING, axis=0))
    if summed:
        weights, thresholds = weights * len(inputs), thresholds * len(inputs)
    raw = RectifiedFunction(tuple(weights), tuple(thresholds), 1.0)
    length = float(np.median(np.linalg.norm(np.maximum(raw.drive(inputs), 0.0), axis=1)))
    return replace(raw, gain=MEDIAN_LENGTH / max(length, 1e-12))
