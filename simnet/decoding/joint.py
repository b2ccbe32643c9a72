"""Statistics of all modules together: least squares over every place of the network.

A sketch, and a sum of sketches of any runs of one network, is linear in the sums of weights and of weighted attributes of
each *place*, a path of slots from ``root`` (:mod:`simnet.decoding.places`):

    Σ_runs s = Σ_places C_place (Σ_runs W x, Σ_runs W)

whatever objects the runs made.  With more coordinates than places have unknowns the sums of all places follow, exactly up to
the noise of storage and rounding, where the matched statistics of Law 2 keep the crosstalk of everything else.  Their
covariance is ``σ² (CᵀC)⁻¹``, with ``σ`` from the residual, and intervals are Student's.

Where nothing mixes (``recipe.mixing = 0``) slots look alike, and the places of a module are one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simnet.decoding.places import Place, Places
from simnet.networks.network import Name
from simnet.sketching import Encoder, Observation

Array = NDArray[Any]

#: The columns of all places are formed up to this many unknowns.
MOST_UNKNOWNS = 4000

#: Of the coordinates, so large a share may be unknowns: the rest tells the noise.
LARGEST_SHARE = 0.9

#: Sketches are rounded to about this many units in the last place of the root mean square coordinate.
ROUNDING_UNITS = 4.0


def unknowns_of(encoder: Encoder) -> int:
    """How many sums all places have together: ``Σ_places (a + 1)``."""
    network = encoder.network
    if encoder.recipe.mixing == 0.0:
        return sum(module.attribute_dim + 1 for module in network.modules)
    paths = dict.fromkeys(network.by_name, 0)
    for owner in (None, *reversed(network.order)):
        above = 1 if owner is None else paths[owner]
        for slot in network.slots_of(owner):
            for source in slot.sources:
                paths[source] += above
    return sum(paths[module.name] * (module.attribute_dim + 1) for module in network.modules)


def solvable(encoder: Encoder, kept: int) -> bool:
    """Whether that many coordinates tell all places apart."""
    recipe = encoder.recipe
    if not recipe.value_share or not recipe.presence_share or not recipe.attribute_share:
        return False
    deep = max(max(depths) for depths in encoder.network.depths.values())
    if deep > 1 and not recipe.input_share:
        return False
    if recipe.mixing == 0.0 and recipe.level_gain != 1.0 and any(len(d) > 1 for d in encoder.network.depths.values()):
        return False
    return unknowns_of(encoder) <= min(MOST_UNKNOWNS, LARGEST_SHARE * kept)


class JointSystem:
    """The columns of all places of a network, and their pseudo-inverse.

    Attributes
    ----------
    places : tuple of Place
    spans : tuple of slice
        Where the attributes of each place stand among the unknowns; its presence is at ``span.stop``.
    weights : tuple of float
        The weight of the path of each place in the network; NaN where one place stands for several.
    unit_covariance : (unknowns, unknowns) array
        Of the sums, for noise of variance 1.

    Raises
    ------
    ValueError
        If the coordinates are too few to tell all places apart.
    """

    def __init__(self, encoder: Encoder, rows: Array) -> None:
        if not solvable(encoder, len(rows)):
            raise ValueError(
                f"sketch: {len(rows)} coordinates do not tell the {unknowns_of(encoder)} sums of all places apart; "
                f"use method='matched'"
            )
        known = Places(encoder, rows)
        merged = encoder.recipe.mixing == 0.0
        self.places = tuple(_one_each(known) if merged else _all_places(known))
        sizes = [place.columns.shape[1] for place in self.places]
        scales = [1.0 / math.sqrt(known.gain(place.depth)) for place in self.places]
        columns = np.concatenate([c * place.columns for c, place in zip(scales, self.places, strict=True)], axis=1)
        self._q, r = scipy.linalg.qr(columns, mode="economic", check_finite=False)
        inverse = scipy.linalg.solve_triangular(r, np.eye(len(r)), check_finite=False)
        self._inverse = np.repeat(scales, sizes)[:, None] * inverse
        self.unit_covariance = self._inverse @ self._inverse.T
        ends = np.cumsum(sizes)
        self.spans = tuple(slice(int(end) - size, int(end) - 1) for end, size in zip(ends, sizes, strict=True))
        self.weights = tuple(math.nan if merged else _weight(known, place) for place in self.places)
        self.freedom = float(len(rows) - len(r))

    @property
    def modules(self) -> tuple[Name, ...]:
        """The module of each place."""
        return tuple(place.module for place in self.places)

    def solve(self, sketches: Array, noise: Array) -> tuple[Array, Array]:
        """The sums of each sketch, and the variance of the noise of its coordinates.

        Parameters
        ----------
        sketches : (n, d') array
        noise : (n,) array
            The standard deviation that is known; the residual may tell more.

        Returns
        -------
        (n, unknowns) array, (n,) array
        """
        projected = sketches @ self._q
        residual = sketches - projected @ self._q.T
        variance = np.maximum(np.einsum("ni,ni->n", residual, residual) / self.freedom, noise**2)
        return projected @ self._inverse.T, variance


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of all places from one sketch, with their covariance and the degrees of freedom of its scale."""

    system: JointSystem
    values: Array
    covariance: Array


def joint_sums(encoder: Encoder, observation: Observation) -> Sums:
    """The sums of all places from the first sketch of an observation.

    Raises
    ------
    ValueError
        If its coordinates are too few to tell all places apart.
    """
    system = JointSystem(encoder, observation.rows)
    known = observation.noise_with_rounding(ROUNDING_UNITS)
    values, variance = system.solve(observation.remaining[:1], np.array([known]))
    return Sums(system, values[0], float(variance[0]) * system.unit_covariance)


def _all_places(places: Places) -> list[Place]:
    found: list[Place] = []
    level: list[Place | None] = [None]
    while level:
        below = [
            places.place(parent, i, source)
            for parent in level
            for i, slot in enumerate(places.slots_of(parent))
            for source in slot.sources
        ]
        found += below
        level = list(below)
    return found


def _one_each(places: Places) -> list[Place]:
    """For each module one place, any: without mixing they are all alike."""
    known: dict[Name, Place] = {}
    for owner in (None, *reversed(places.encoder.network.order)):
        parent = None if owner is None else known[owner]
        for i, slot in enumerate(places.slots_of(parent)):
            for source in slot.sources:
                if source not in known:
                    known[source] = places.place(parent, i, source)
    return list(known.values())


def _weight(places: Places, place: Place) -> float:
    weight, here = 1.0, place
    while True:
        weight *= places.slots_of(here.parent)[here.slot].weight
        if here.parent is None:
            return weight
        here = here.parent
