"""Blind wiring: the supports of the modules behind an unknown sketch function, from activity and sketches alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, probability, real
from simnet.late import networkx as nx
from simnet.learning.marks import Marks, Support, find_marks, presence
from simnet.learning.modules import FoundModule, Target, recover_modules, unknown
from simnet.learning.ranks import BULK, ActivityRanks, Coordinates, coordinates
from simnet.learning.supports import Ranked, less_group_means, ranked_supports
from simnet.learning.units import Readings

Array = NDArray[Any]

#: Pairs that are needed: so many for each dimension, and so many more.
PAIRS, EXTRA = 1.3, 20


@dataclass(frozen=True, eq=False)
class BlindWiring:
    """What the pairs say of the modules, and what they do not.

    Attributes
    ----------
    supports : tuple of frozenset of int
        For each module found the inputs below it, as columns of ``active_inputs``; small ones first.  Modules with one
        support cannot be told apart by rank: it is listed once, or once a module where ``attribute_dim`` was given.
    dimensions : tuple of (int or None)
        The attributes of each entry of ``supports``, marks of presence not counted; ``None`` where the runs do not say.
    margins : tuple of float
        For each support how clear it is: the ratio of the nearest that was rejected to what was accepted.
    evidence : {"marks", "ranks", "none"}
        Whether supports were read off the marks of presence, or from ranks alone.
    rank : int
        Of all sketches: attributes and marks that vary.
    noise : float
        Standard deviation of the noise in each coordinate of a sketch: given, or estimated; 0 where only rounding was seen.
    undetermined : tuple of str
        What could not be decided, and why.
    messages : tuple of str
        What else there is to know.
    """

    supports: tuple[Support, ...]
    dimensions: tuple[int | None, ...]
    margins: tuple[float, ...]
    evidence: str
    rank: int
    noise: float
    undetermined: tuple[str, ...]
    messages: tuple[str, ...]
    data: Data | None = field(default=None, repr=False)

    @cached_property
    def modules(self) -> tuple[FoundModule, ...]:
        """The modules in the order of ``supports``, with attributes, direct sources and functions where these were found.

        A module stands for each entry of ``supports``.  See :mod:`simnet.learning.modules`; this takes seconds.
        In noise, beyond rounding, a source is stated where the others inside the support cannot make up for it
        (:mod:`simnet.learning.needed`), and none where noise may hide a module.
        """
        if self.data is None or not self.supports:
            return ()
        if self.noise and not self.data.space.clear:
            return tuple(unknown(support, "noise may hide modules that feed it") for support in self.supports)
        return tuple(self.data.recover(self.supports))

    def graph(self) -> nx.DiGraph[int]:
        """The wiring: nodes are positions in ``supports``, edges lead from a module to those that it feeds.

        Nodes carry ``support``, ``score`` (the share of the variance in held-out runs that the function explains) and
        ``problem`` (why there are no edges into it, where they could not be found); edges carry ``significance`` in standard
        errors.
        """
        graph: nx.DiGraph[int] = nx.DiGraph()
        for k, module in enumerate(self.modules):
            graph.add_node(k, support=module.support, score=module.score, problem=module.problem)
        for k, module in enumerate(self.modules):
            graph.add_edges_from((source, k, {"significance": z}) for source, z in module.sources.items())
        return graph

    @cached_property
    def dictionary(self) -> tuple[Array, float]:
        """The effective sketch function, by least squares: a row for each attribute, then one for the mark of each support.

        With the share of the energy of the sketches that it does not explain.  Rows of attributes are in the order of
        ``modules``, where those were recovered.
        """
        if self.data is None or not self.supports:
            return np.zeros((0, 0)), 1.0
        columns = [module.attributes for module in self.modules if module.attributes is not None]
        columns += [] if self.data.marks is None else [self.data.marks]
        design = np.hstack(columns)
        rows = np.linalg.lstsq(design, self.data.sketches, rcond=1e-10)[0]
        rest = float(np.sum((self.data.sketches - design @ rows) ** 2))
        return rows, rest / float(np.sum(self.data.sketches**2))


@dataclass(frozen=True, eq=False)
class Data:
    """What the supports were found in."""

    active: Array
    sketches: Array
    marks: Array | None
    space: Coordinates
    directions: dict[Support, Array]
    dimensions: dict[Support, int]
    attribute_dim: int | None

    def recover(self, supports: tuple[Support, ...]) -> list[FoundModule]:
        """The modules of those supports."""
        distinct = list(dict.fromkeys(supports))
        coordinates = self.sketches @ self.space.functionals
        values = np.hstack([coordinates, presence(self.active, distinct)])
        readings = Readings(values, coordinates.shape[1], self.space.noise)
        return recover_modules(self.active, readings, distinct, [self._target(support, supports) for support in distinct])

    def _target(self, support: Support, supports: tuple[Support, ...]) -> Target:
        copies = supports.count(support)
        size = self.dimensions.get(support) if self.attribute_dim is None else copies * self.attribute_dim
        nothing = np.zeros((self.space.functionals.shape[1], 0))
        if self.space.noise and support not in self.dimensions:  # there may be more modules of this support
            return Target(support, nothing, size, copies)
        return Target(support, self.directions.get(support, nothing), size, copies)


def blind_wiring(
    active_inputs: Any,
    sketches: Any,
    *,
    attribute_dim: int | None = None,
    noise: float | None = None,
    failure_probability: float = 1e-3,
) -> BlindWiring:
    """The supports of all modules of a network, from pairs of input activity and sketch with matrices unknown.

    A sketch is ``s = Σ_M (R_M x_M + r_M o_M)``, with an object of ``M`` there, ``o_M = 1``, when any of the input modules
    ``supp(M)`` below it is active.  The matrices, how many modules there are and what they compute are unknown; the weights
    of the slots do not vary from run to run.

    * *Marks.*  ``A`` is the support of a module if and only if the function ``[A ∩ active ≠ ∅]`` lies in the span of the
      coordinates of the sketches (:mod:`simnet.learning.marks`).
    * *Ranks.*  With ``S`` silent the attributes that still vary have rank ``r(S) = Σ_M a_M [supp(M) ⊄ S]``, so that
      ``r(∅) − r(S)`` adds up the modules inside ``S`` (:mod:`simnet.learning.supports`).  They give the dimensions, and the
      supports themselves where a recipe leaves out the marks.

    Parameters
    ----------
    active_inputs : (n, inputs) bool array
        Which input modules saw something in each run.
    sketches : (n, d) array
    attribute_dim : int, optional
        The attribute dimension of all modules, where it is known: modules with one support are then counted.
    noise : float, optional
        Standard deviation of the noise in each coordinate; estimated from the directions without signal if not given.
    failure_probability : float
        That a direction of noise passes for a signal, in each decision.

    Returns
    -------
    BlindWiring
        Without supports, and with the reason in ``undetermined``, where the pairs do not suffice.

    Raises
    ------
    ValueError
        If the arrays do not fit each other or an option is out of range.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.layered(widths=(3, 2), attribute_dim=2, seed=0)
    >>> active = np.random.default_rng(1).random((400, 3)) < 0.5
    >>> sketches = simnet.Sketcher(net, 64, matrices="gaussian", seed=2).encode(net.run(400, seed=1, activity=active))
    >>> found = simnet.learning.blind_wiring(active, sketches)
    >>> [sorted(support) for support in found.supports], found.dimensions
    ([[0], [1], [2], [0, 1], [0, 2]], (2, 2, 2, 2, 2))
    """
    active, values = _checked(active_inputs, sketches)
    if attribute_dim is not None:
        integer("attribute_dim", attribute_dim, minimum=1)
    if noise is not None:
        noise = real("noise", noise, minimum=0.0)
    failure = probability("failure_probability", failure_probability)
    if noise is None and np.asarray(sketches).dtype.itemsize < 8:
        # rounding to fewer bits is no white noise: its largest stands for all
        largest = float(np.sqrt(np.max(np.mean(values**2, axis=1))))
        noise = float(np.finfo(np.asarray(sketches).dtype).eps) / 2.0 * largest
    messages = _remarks(active, values)
    space = coordinates(values, len(values), noise=noise, failure_probability=failure)
    rank = space.values.shape[1]
    problem = _unusable(active, values, space)
    if problem:
        return BlindWiring((), (), (), "none", rank, space.noise, (problem,), tuple(messages))
    marks = find_marks(active, space, failure)
    _, patterns = np.unique(active, axis=0, return_inverse=True)
    patterns = patterns.reshape(-1)
    if marks.supports:
        ranks = ActivityRanks(active, space, presence(active, marks.supports), patterns, failure)
        ranked = ranked_supports(ranks, marks.supports)
        data = Data(active, values, ranks.marks, space, ranked.directions, ranked.dimensions, attribute_dim)
        return _result(marks, ranked, attribute_dim, rank, space.noise, messages, data)
    messages.append(f"marks of presence: {marks.problem}")
    different = int(patterns.max()) + 1
    freedom = len(values) - different
    varying = coordinates(less_group_means(values, patterns), freedom, noise=noise, failure_probability=failure)
    if freedom < PAIRS * varying.values.shape[1] + EXTRA:
        problem = f"too few pairs: {len(values)} in {different} patterns of activity leave {freedom} degrees of freedom"
    elif varying.spare < BULK:
        problem = f"d = {values.shape[1]}: must be above the number of attributes and marks"
    elif varying.noise:
        problem = (
            f"noise too high: σ = {varying.noise:.2g} as estimated from what {rank} dimensions leave, or d = "
            f"{values.shape[1]} is below the number of attributes and marks; ranks alone are not safe with noise"
        )
    if problem:
        return BlindWiring((), (), (), "none", rank, space.noise, (problem,), tuple(messages))
    ranked = ranked_supports(ActivityRanks(active, varying, None, patterns, failure))
    data = Data(active, values, None, varying, ranked.directions, ranked.dimensions, attribute_dim)
    return _result(None, ranked, attribute_dim, rank, varying.noise, messages, data)


def _checked(active_inputs: Any, sketches: Any) -> tuple[Array, Array]:
    active = np.asarray(active_inputs)
    if active.ndim != 2 or active.dtype != bool or not active.shape[1]:
        raise ValueError(
            f"active_inputs: has shape {active.shape} and dtype {active.dtype}, must be a boolean array (n, inputs)"
        )
    values = np.asarray(sketches)
    if values.ndim != 2 or len(values) != len(active) or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(
            f"sketches: has shape {values.shape} and dtype {values.dtype}, must be an array of floats ({len(active)}, d)"
        )
    if not len(values) or not values.shape[1]:
        raise ValueError(f"sketches: has shape {values.shape}, must not be empty")
    if not np.isfinite(values).all():
        raise ValueError("sketches: has entries that are not finite, must be finite")
    return active, values.astype(np.float64)


def _remarks(active: Array, sketches: Array) -> list[str]:
    """What the user should know of the data, whatever comes out."""
    messages = []
    always, never = np.flatnonzero(active.all(axis=0)), np.flatnonzero(~active.any(axis=0))
    if len(always):
        messages.append(f"inputs {always.tolist()} are always active: what lies above them cannot be seen to vanish")
    if len(never):
        messages.append(f"inputs {never.tolist()} are never active: what they feed cannot be known")
    repeated = len(sketches) - len(np.unique(np.column_stack([active, sketches]), axis=0))
    silent_runs = int((~active.any(axis=1)).sum())
    repeated -= max(silent_runs - 1, 0) if repeated >= silent_runs - 1 else 0
    if repeated:
        messages.append(f"{repeated} pairs are copies of others: they say nothing new")
    return messages


def _unusable(active: Array, sketches: Array, space: Coordinates) -> str:
    """Why nothing can be learnt, in words; empty when it can be tried."""
    nothing = sketches[~active.any(axis=1)]
    scale = float(np.sqrt(np.mean(sketches**2)))
    if scale == 0.0:
        return "all sketches are zero"
    if len(nothing) and np.sqrt(np.mean(nothing**2)) > max(1e-6 * scale, 2.0 * space.noise):
        return "sketches of runs without any active input are not zero: activity and sketches do not belong together"
    n, d = sketches.shape
    if n < PAIRS * space.values.shape[1] + EXTRA:
        return f"too few pairs: {n} for {space.values.shape[1]} dimensions"
    if space.spare < BULK:
        return f"d = {d}: sketches have rank {space.values.shape[1]}, d must be above the number of attributes and marks"
    return ""


def _result(
    marks: Marks | None,
    ranked: Ranked,
    attribute_dim: int | None,
    rank: int,
    noise: float,
    messages: list[str],
    data: Data,
) -> BlindWiring:
    undetermined = list(ranked.undetermined.values()) if marks is None else []
    supports: list[tuple[Support, int | None, float]] = []
    found: Sequence[Support] = list(ranked.dimensions) if marks is None else marks.supports
    for k, support in enumerate(found):
        size = ranked.dimensions.get(support)
        margin = ranked.margins[support] if marks is None else marks.margins[k]
        odd = attribute_dim is not None and size is not None and size % attribute_dim
        if marks is None and (odd or (size == 1 and attribute_dim != 1)):
            undetermined.append(f"{size} dimensions vanish with {sorted(support)}: no module, or one with dead units")
            continue
        if odd or support in ranked.undetermined:
            why = ranked.undetermined.get(support, f"no multiple of attribute_dim = {attribute_dim}")
            messages.append(f"dimensions of {sorted(support)}: {size}, {why}")
        copies = 1 if odd or size is None or attribute_dim is None else size // attribute_dim
        supports += [(support, size if size is None else size // copies, margin)] * copies
    if not data.space.clear:
        undetermined.append("noise hides directions: attributes and supports may be missing")
    if ranked.left and not ranked.undetermined:
        undetermined.append(f"{ranked.left} dimensions belong to no support that was found")
    if marks is not None and supports:
        inputs = max(max(support) for support, _, _ in supports) + 1
        if marks.largest < inputs:
            undetermined.append(f"supports of more than {marks.largest} inputs were not tried")
    supports.sort(key=lambda entry: (len(entry[0]), sorted(entry[0])))
    return BlindWiring(
        tuple(support for support, _, _ in supports),
        tuple(size for _, size, _ in supports),
        tuple(margin for _, _, margin in supports),
        ("ranks" if marks is None else "marks") if supports else "none",
        rank,
        noise,
        tuple(undetermined),
        tuple(messages),
        data,
    )
