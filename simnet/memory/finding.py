"""Which runs contain a module, or this very part?  Each sketch of a selection is tested, at a stated rate of false alarms.

Two ways, as for questions about sums.  **Joint**: all places of the network are solved for in every sketch, and what stands
in a place is held against what is looked for: exact up to storage and rounding, in any slot, whatever else is in the run.
**Matched**: the frequency estimate of a module, or the inner product with the sub-sketch of a part, against their law where
the module is not there.  The law is over the draw of the matrices: sketches of similar runs by one sketcher err together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg
import scipy.stats
from numpy.typing import NDArray

from simnet.checks import choice, probability
from simnet.decoding.estimate import normal_quantile
from simnet.decoding.joint import ROUNDING_UNITS, JointSystem, solvable
from simnet.decoding.parts import part_evidence
from simnet.decoding.places import Place
from simnet.decoding.statistics import depth_of
from simnet.memory.records import Block
from simnet.memory.selection import Selection
from simnet.memory.sums import METHODS
from simnet.networks import Execution
from simnet.networks.network import Name
from simnet.theory import presence_coefficient

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

Array = NDArray[Any]
Parts = list[tuple[Array, ...]]

#: A part that is there passes the test of its attributes with all but this probability.
MISSES = 1e-4


@dataclass(frozen=True, eq=False)
class Found:
    """What the sketches of a selection say of a module or a part.

    Attributes
    ----------
    ids : (n,) int array
        All sketches that were tested.
    amount : (n,) array
        The frequency of the module, or the share of the part that is there (1 for all of it).
    standard_error : (n,) array
    p_value : (n,) array
        Of so large an amount in a run without the module, or without the modules of the part.
    contains : (n,) bool array
        Where the amount is significant and nothing speaks against it.
    freedom : float
    """

    ids: Array
    amount: Array
    standard_error: Array
    p_value: Array
    contains: Array
    freedom: float = np.inf

    @property
    def matches(self) -> Array:
        """The numbers of the sketches that contain it, most certain first."""
        hits = np.flatnonzero(self.contains)
        z = self.amount[hits] / self.standard_error[hits]
        return self.ids[hits[np.argsort(-z, kind="stable")]]

    def interval(self, level: float = 0.95) -> Array:
        """Of the amounts: ``(n, 2)``."""
        z = normal_quantile(level, self.freedom)
        return np.stack([self.amount - z * self.standard_error, self.amount + z * self.standard_error], axis=-1)


def containing_module(
    store: SketchStore,
    module: Name,
    where: Selection | Mapping[str, Any] | None = None,
    *,
    depth: int | None = None,
    false_alarm: float = 1e-3,
    method: str = "auto",
) -> Found:
    """The runs that made an object of a module.

    Parameters
    ----------
    store : SketchStore
    module : str or int
    where : Selection, or a mapping of its conditions
    depth : int, optional
        Where the network allows several and the method is ``"matched"``.
    false_alarm : float
        The probability of reporting a run without the module.
    method : {"auto", "joint", "matched"}
        ``"auto"`` is joint where the sketches have coordinates for all places of the network.
    """
    alarm = probability("false_alarm", false_alarm)
    sketcher = store.sketcher
    sketcher.network.module(module)
    if _is_joint(store, method):
        system = _system(store)
        mine = [span.stop for span, name in zip(system.spans, system.modules, strict=True) if name == module]
        unit = float(system.unit_covariance[np.ix_(mine, mine)].sum())
        parts: Parts = []
        for block in store.blocks(where):
            values, variance = _solved(store, system, block)
            error = np.sqrt(variance * unit)
            amount = values[:, mine].sum(axis=1)
            p = scipy.stats.t.sf(amount / error, system.freedom)
            parts.append((block.ids, amount, error, p, p <= alarm))
        return _gathered(parts, system.freedom)
    strength = presence_coefficient(depth_of(sketcher, module, depth), recipe=sketcher.recipe)
    if strength == 0.0:
        raise ValueError("recipe.presence_share = 0: the sketches do not mark presence, they say nothing of modules")
    column = sketcher.to_stored(sketcher.presence_column(module)).astype(float)
    parts = []
    for block in store.blocks(where):
        lengths = np.linalg.norm(block.sketches, axis=1)
        error = np.maximum(lengths / np.sqrt(store.sketch_dim), np.finfo(float).tiny)
        product = block.sketches @ column
        p = scipy.stats.norm.sf(product / error)
        parts.append((block.ids, product / strength, error / strength, p, p <= alarm))
    return _gathered(parts)


def containing_part(
    store: SketchStore,
    ex: Execution,
    part: Name,
    where: Selection | Mapping[str, Any] | None = None,
    *,
    false_alarm: float = 1e-3,
    method: str = "auto",
) -> Found:
    """The runs that contain this very part: object ``part`` of ``ex``, with its attributes and with everything below it.

    The joint way looks for it in every place of its module, and tells it from other objects of that module: their attributes
    are tested against those of the part.  The matched way takes the place that it has in ``ex``, and tells it from its
    absence (:mod:`simnet.decoding.parts`).

    Parameters are those of :func:`containing_module`.
    """
    alarm = probability("false_alarm", false_alarm)
    sketcher = store.sketcher
    ex.structure.position(part)
    sketcher.check_structure(ex.structure)
    if not _is_joint(store, method, apart=True):
        parts: Parts = []
        for block in store.blocks(where):
            found = part_evidence(sketcher, sketcher.observe(block.sketches), ex, part)
            parts.append((block.ids, found.share, found.standard_error, found.p_value, found.p_value <= alarm))
        return _gathered(parts)
    system = _system(store)
    candidates = list(_standing(system, ex, part))
    if not candidates:
        raise ValueError(f"object {part!r}: there is no place in the network that has its module and those below it")
    parts = []
    for block in store.blocks(where):
        values, variance = _solved(store, system, block)
        tests = [_test(system, values, variance, places, ex) for places in candidates]
        best = np.argmax([same * (p <= alarm / len(tests)) for _, _, p, same in tests], axis=0)
        amount, error, p, same = (np.take_along_axis(np.stack(x), best[None], axis=0)[0] for x in zip(*tests, strict=True))
        p = np.minimum(p * len(tests), 1.0)
        parts.append((block.ids, amount, error, p, (p <= alarm) & (same >= MISSES)))
    return _gathered(parts, system.freedom)


def _standing(system: JointSystem, ex: Execution, part: Name) -> Iterator[dict[int, Place]]:
    """Each place in which the part could stand: the place of each of its objects, by position."""
    structure = ex.structure
    by_path = {place.path: place for place in system.places}
    top = structure.position(part)
    for place in system.places:
        if place.module != structure.modules[top]:
            continue
        found, todo = {top: place}, [top]
        while todo:
            i = todo.pop()
            for slot, name in enumerate(structure.inputs[i]):
                if name is None:
                    continue
                j = structure.positions[name]
                module = structure.modules[j]
                below = by_path.get((*found[i].path, (slot, module)))
                if below is None:
                    break
                found[j] = below
                todo.append(j)
        if all(j in found for j in _below(ex, top)):
            yield found


def _below(ex: Execution, top: int) -> list[int]:
    found, todo = [top], [top]
    while todo:
        for name in ex.structure.inputs[todo.pop()]:
            if name is not None and (j := ex.structure.positions[name]) not in found:
                found.append(j)
                todo.append(j)
    return found


def _test(
    system: JointSystem, values: Array, variance: Array, places: dict[int, Place], ex: Execution
) -> tuple[Array, Array, Array, Array]:
    """Weight of the part over the one it has, its error, p of absence, and p of attributes so different.

    ``Σ W x − x Σ W`` of each object has mean 0 if it is the one looked for, whatever its weight.
    """
    index = {id(place): i for i, place in enumerate(system.places)}
    rows, top_row = [], 0
    for n, (k, place) in enumerate(places.items()):
        span, x = system.spans[index[id(place)]], ex.attributes[k]
        matrix = np.zeros((len(x), values.shape[1]))
        matrix[np.arange(len(x)), np.arange(span.start, span.stop)] = 1.0
        matrix[:, span.stop] = -x
        rows.append(matrix)
        top_row = span.stop if n == 0 else top_row
    contrast = np.concatenate(rows)
    covariance = contrast @ system.unit_covariance @ contrast.T
    whitened = scipy.linalg.solve_triangular(np.linalg.cholesky(covariance), contrast @ values.T, lower=True)
    size = len(contrast)
    statistic = np.sum(whitened**2, axis=0) / (size * variance)
    same = scipy.stats.f.sf(statistic, size, system.freedom)
    error = np.sqrt(variance * system.unit_covariance[top_row, top_row])
    weight = values[:, top_row]
    absent = scipy.stats.t.sf(weight / error, system.freedom)
    unit = float(ex.structure.effective_weights[next(iter(places))]) or 1.0
    return weight / unit, error / unit, absent, same


def _is_joint(store: SketchStore, method: str, *, apart: bool = False) -> bool:
    """Whether to solve for all places; ``apart`` if objects of one module must be told apart by their places."""
    choice("method", method, METHODS)
    sketcher = store.sketcher
    alike = apart and sketcher.recipe.mixing == 0.0
    if method == "joint" and alike:
        raise ValueError("method = 'joint': with recipe.mixing = 0 all places of a module look alike; use method='matched'")
    return method == "joint" or (method == "auto" and not alike and solvable(sketcher, store.sketch_dim))


def _system(store: SketchStore) -> JointSystem:
    return JointSystem(store.sketcher, np.arange(store.sketch_dim))


def _solved(store: SketchStore, system: JointSystem, block: Block) -> tuple[Array, Array]:
    """The sums of all places in each sketch of a block, and the variance of a coordinate."""
    eps = float(np.finfo(np.float64).eps)
    rounding = ROUNDING_UNITS * eps * np.sqrt(np.mean(block.sketches**2, axis=1))
    return system.solve(store.sketcher.to_natural(block.sketches), np.hypot(block.noise, rounding))


def _gathered(parts: Parts, freedom: float = np.inf) -> Found:
    if not parts:
        nothing = np.zeros(0)
        return Found(np.zeros(0, np.int64), nothing, nothing, nothing, np.zeros(0, bool), freedom)
    ids, amount, error, p, contains = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Found(ids, amount, error, p, contains, freedom)
