"""The ``capsules`` family: parts predict wholes, and agreement between the predictions decides what goes where.

Capsules are modules.  A capsule ``i`` of the layer below, with the vector ``u_i``, predicts the vector of each capsule ``j``
above: ``û_{j|i} = W_ij u_i``.  Routing by agreement starts from ``b_ij = 0`` and repeats

    c_ij = softmax_j(b_ij),   s_j = Σ_i c_ij û_{j|i},   v_j = squash(s_j),   b_ij ← b_ij + ⟨û_{j|i}, v_j⟩

The coupling coefficients ``c_ij`` of the last round, over the number ``n`` of capsules below, are the weights of the edges:
they differ from run to run, and those of a capsule sum to at most 1.

Source: S. Sabour, N. Frosst, G. E. Hinton, *Dynamic Routing Between Capsules*, NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simnet.checks import integer, real, sequence
from simnet.networks.executions import Group
from simnet.networks.functions import Array, ModuleFunction
from simnet.networks.inspection import inspected
from simnet.networks.network import ModularNetwork, Module, Name, Slot
from simnet.networks.running import Layout, OneObjectEach, patterns
from simnet.randomness import stream

#: The length of the vector of a part before squashing: about 0.85 after it.
PART_LENGTH = 2.4
#: How far the vector of a part strays, relative to its length, from what the whole says.
STRAY = 0.3
#: The main entry of a row of ``W_ij``, and how large beside it the others may be: long predictions agree more clearly.
GAIN, LEAK = 2.5, 0.1


def squash(s: Array) -> Array:
    """``‖s‖² / (1 + ‖s‖²) · s/‖s‖`` along the last axis: the direction is kept, the length ends below 1.

    Examples
    --------
    >>> from simnet.networks.capsules import squash
    >>> squash([0.0, 1.0]).tolist()
    [0.0, 0.5]
    """
    s = np.asarray(s, dtype=float)
    length = np.linalg.norm(s, axis=-1, keepdims=True)
    return s * (length / (1.0 + length**2))


def routing(predictions: Array, iterations: int = 3) -> tuple[Array, Array]:
    """Routing by agreement.

    Parameters
    ----------
    predictions : (..., n, m, a) array
        ``û_{j|i}`` of ``n`` capsules for ``m`` capsules above.
    iterations : int
        Rounds, at least 1.

    Returns
    -------
    couplings : (..., n, m) array
        ``c_ij``: over the capsules above they sum to 1.
    capsules : (..., m, a) array
        ``v_j``.

    Examples
    --------
    Two parts agree about the first whole and contradict each other about the second:

    >>> import numpy as np
    >>> from simnet.networks.capsules import routing
    >>> predictions = np.array([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    >>> couplings, wholes = routing(predictions, iterations=3)
    >>> bool((couplings[:, 0] > couplings[:, 1]).all())
    True
    """
    integer("iterations", iterations, minimum=1)
    predictions = np.asarray(predictions, dtype=float)
    agreement = np.zeros(predictions.shape[:-1])
    for _ in range(iterations):
        raised = np.exp(agreement - agreement.max(axis=-1, keepdims=True))
        couplings = raised / raised.sum(axis=-1, keepdims=True)
        above = squash(np.einsum("...ij,...ija->...ja", couplings, predictions))
        agreement = agreement + np.einsum("...ija,...ja->...ij", predictions, above)
    return couplings, above


@dataclass(frozen=True, eq=False)
class PartFunction(ModuleFunction):
    """A part: ``squash`` of what it sees, which is not negative."""

    attribute_dim: int

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.attribute_dim,)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        (seen,) = inputs
        if seen is None:
            raise ValueError("inputs[0] = None: a part needs what it sees")
        return squash(seen)


@dataclass(frozen=True, eq=False)
class CapsuleFunction(ModuleFunction):
    """One capsule above: ``v = squash(Σ_i c_i W_i u_i)``.

    Parameters
    ----------
    weights : (n, a, a') array
        ``W_i``, one for each slot.
    shared : int
        How many capsules share the layer below: in the first round of routing ``c_i`` is 1 over it.
    """

    weights: Array
    shared: int

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.weights.shape[2],) * len(self.weights)

    def predictions(self, inputs: Sequence[Array | None]) -> Array:
        """``û_i = W_i u_i``, ``(runs, n, a)``; zero for a slot that is empty."""
        (runs,) = {len(u) for u in inputs if u is not None}
        found = np.zeros((runs, *self.weights.shape[:2]))
        for i, u in enumerate(inputs):
            if u is not None:
                found[:, i] = u @ self.weights[i].T
        return found

    def __call__(self, inputs: Sequence[Array | None], couplings: Array | None = None) -> Array:
        """The capsule at given coupling coefficients ``(runs, n)``; at those of the first round when not given."""
        predictions = self.predictions(inputs)
        if couplings is None:
            couplings = np.full(predictions.shape[:2], 1.0 / self.shared)
        return squash(np.einsum("ri,ria->ra", couplings, predictions))


@dataclass(frozen=True, eq=False)
class RoutedLayout(Layout):
    """Draws a whole and its pose, shows some of its parts, and routes them upward, layer by layer."""

    widths: tuple[int, ...]
    presence: float
    iterations: int

    def groups(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Group]:
        parts = network.inputs
        dim = network.module(parts[0]).attribute_dim
        there = stream(seed, "presence").random((runs, len(parts))) < self.presence
        if activity is not None:
            there &= activity
        whole = stream(seed, "whole").integers(self.widths[1], size=runs)
        pose = np.abs(stream(seed, "pose").standard_normal((runs, dim)))
        pose *= PART_LENGTH / np.linalg.norm(pose, axis=1, keepdims=True)
        seen = []
        for i, part in enumerate(parts):
            # a part shows the pose of the whole from where it stands: with this whole its predictions agree
            stray = np.abs(stream(seed, "stray", part).standard_normal((runs, dim))) * (STRAY * PART_LENGTH / dim**0.5)
            views = np.stack([capsule.weights[i] for capsule in self._functions(network, 1)])
            seen.append(np.einsum("rba,rb->ra", views[whole], pose) / GAIN + stray)
        found = []
        for members, row in patterns(there.astype(int)):
            structure = OneObjectEach.structure(network, dict(zip(parts, map(bool, row), strict=True)))
            below: list[Array | None] = [
                self._part(network, part)([values[members]]) if shown else None
                for part, values, shown in zip(parts, seen, row, strict=True)
            ]
            attributes = [x for x in below if x is not None]
            weights = []
            for layer in range(1, len(self.widths) if attributes else 0):
                present = [i for i, u in enumerate(below) if u is not None]
                capsules = self._functions(network, layer)
                predictions = np.stack([capsule.predictions(below)[:, present] for capsule in capsules], axis=2)
                couplings, above = routing(predictions, self.iterations)
                weights += list(np.moveaxis(couplings / len(below), 2, 0))
                attributes += list(np.moveaxis(above, 1, 0))
                below = list(attributes[-len(capsules) :])
            outputs = [
                slot.weight for name, slot in zip(structure.outputs, network.outputs, strict=True) if name is not None
            ]
            weights.append(np.tile(outputs, (len(members), 1)))
            found.append(Group(structure, members, tuple(attributes), np.concatenate(weights, axis=1)))
        return found

    def _functions(self, network: ModularNetwork, layer: int) -> list[CapsuleFunction]:
        functions = [network.module(capsule_name(layer, j)).function for j in range(self.widths[layer])]
        assert all(isinstance(function, CapsuleFunction) for function in functions)
        return functions  # type: ignore[return-value]

    @staticmethod
    def _part(network: ModularNetwork, name: Name) -> ModuleFunction:
        function = network.module(name).function
        assert function is not None
        return function


def capsule_name(layer: int, number: int) -> str:
    """``"part 0"`` in the lowest layer, above it ``"capsule 1.0"``: layer and number."""
    return f"capsule {layer}.{number}" if layer else f"part {number}"


def capsules(
    widths: Sequence[int] = (6, 3),
    attribute_dim: int = 8,
    iterations: int = 3,
    presence: float = 0.8,
    seed: int = 0,
) -> ModularNetwork:
    """Layers of capsules, routed by agreement, which gives the edges their weights run by run.

    In every run one whole, a capsule of the first layer above the parts, is there in a pose ``p``; part ``i`` shows
    ``u_i = squash(W_iyᵀ p + noise)`` of the whole ``y``, up to a factor.  The ``W_ij`` are scaled permutations and a little
    more, so that with ``y`` the predictions agree and with other wholes they do not.  They are not negative, and so no
    attribute is.  The weight of an edge is the coupling coefficient over the number of capsules in the layer below, present
    or not.

    Parameters
    ----------
    widths : sequence of int
        Capsules to a layer, the parts first; two layers at least.
    attribute_dim : int
        Of all capsules.
    iterations : int
        Rounds of routing.
    presence : float
        The probability that a part is there.
    seed : int

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Source: S. Sabour, N. Frosst, G. E. Hinton, *Dynamic Routing Between Capsules*, NeurIPS 2017.  The convolutions below the
    parts are left out, and nothing is trained.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.capsules(widths=(4, 2), attribute_dim=4, seed=0)
    >>> runs = net.run(2, seed=1)
    >>> [round(w, 3) for w in runs[0].structure["capsule 1.0"].weights]
    [0.117, 0.128, 0.139, 0.25]
    """
    widths = tuple(integer(f"widths[{i}]", w, minimum=1) for i, w in enumerate(sequence("widths", widths, "integers")))
    if len(widths) < 2:
        raise ValueError(f"widths = {list(widths)}: must have at least two layers, there is nothing to route in one")
    dim = integer("attribute_dim", attribute_dim, minimum=1)
    iterations = integer("iterations", iterations, minimum=1)
    if real("presence", presence, minimum=0.0, maximum=1.0) == 0.0:
        raise ValueError("presence = 0.0: must be positive, nothing would ever be there")
    made = [Module(capsule_name(0, i), dim, function=PartFunction(dim)) for i in range(widths[0])]
    for layer in range(1, len(widths)):
        below, above = widths[layer - 1], widths[layer]
        slots = tuple(Slot((capsule_name(layer - 1, i),), 1.0 / below) for i in range(below))
        for j in range(above):
            name = capsule_name(layer, j)
            matrices = np.stack([_transformation(stream(seed, "transformation", name, i), dim) for i in range(below)])
            made.append(Module(name, dim, slots, CapsuleFunction(matrices, above)))
    outputs = tuple(Slot((capsule_name(len(widths) - 1, j),), 1.0 / widths[-1]) for j in range(widths[-1]))
    return inspected(ModularNetwork(tuple(made), outputs, RoutedLayout(widths, float(presence), iterations)))


def _transformation(draw: np.random.Generator, dim: int) -> Array:
    """A permutation, and small entries beside it."""
    return GAIN * (np.eye(dim)[draw.permutation(dim)] + draw.uniform(0.0, LEAK, (dim, dim)))
