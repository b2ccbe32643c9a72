"""Module functions: what a module makes of its inputs.

Every function is non-negative, at most of unit length, and genuinely nonlinear.  It is called with one array ``(n, a)``
for each slot, ``None`` for an empty one; an input module is called with the outside world as its only slot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ModuleFunction(ABC):
    """A function from the attribute vectors in the slots of a module to its own."""

    input_dims: tuple[int, ...]

    @abstractmethod
    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        """The attribute vectors ``(n, a)`` of ``n`` objects whose slots hold ``inputs``."""


def onto_ball(vectors: Array) -> Array:
    """Vectors longer than 1 shortened to 1."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norms, 1.0)


@dataclass(frozen=True, eq=False)
class RectifiedFunction(ModuleFunction):
    """``x = Π(g · relu(Σ_i (W_i u_i − t_i)))`` over the filled slots ``i``, ``Π`` the projection onto the unit ball.

    The thresholds belong to the slots, so that units neither die nor lock when some slots are empty.

    Parameters
    ----------
    weights : tuple of (a, a_i) arrays
        ``W_i``, one for each slot.
    thresholds : tuple of (a,) arrays
        ``t_i``.
    gain : float
        ``g``.
    """

    weights: tuple[Array, ...]
    thresholds: tuple[Array, ...]
    gain: float

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return tuple(w.shape[1] for w in self.weights)

    def drive(self, inputs: Sequence[Array | None]) -> Array:
        """``Σ_i (W_i u_i − t_i)``, before the rectification."""
        terms = [u @ w.T - t for u, w, t in zip(inputs, self.weights, self.thresholds, strict=True) if u is not None]
        return np.sum(terms, axis=0)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        return onto_ball(self.gain * np.maximum(self.drive(inputs), 0.0))


@dataclass(frozen=True, eq=False)
class ThingFunction(ModuleFunction):
    """A thing in a room: its size, its colour (one-hot) and its pose (a direction), from hidden normal variables.

    ``x = (size, onehot(colour), (1 + cos φ)/2, (1 + sin φ)/2) / √3.5``; the size is a logistic function of a normal
    variable with the mean and spread of the kind, the colour is drawn with the odds of the kind.  Sizes lie in (0, 1).

    Parameters
    ----------
    size_mean, size_spread : float
        On the logistic scale.
    colour_odds : (colours,) array
        Log-odds of the colours.
    """

    size_mean: float
    size_spread: float
    colour_odds: Array

    #: An attribute vector is divided by this, so that it is at most of unit length: a size of 1 is stored as 1/SCALE.
    SCALE = 3.5**0.5

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (len(self.colour_odds) + 3,)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        (hidden,) = inputs
        if hidden is None:
            raise ValueError("inputs[0] = None: a thing needs its hidden variables")
        size = 1.0 / (1.0 + np.exp(-(self.size_mean + self.size_spread * hidden[:, :1])))
        colours = len(self.colour_odds)
        colour = np.eye(colours)[np.argmax(hidden[:, 1 : 1 + colours] + self.colour_odds, axis=1)]
        direction = hidden[:, 1 + colours :]
        direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
        return np.concatenate([size, colour, (1.0 + direction) / 2.0], axis=1) / self.SCALE
