"""Supports from ranks: which inputs lie below the attributes that vanish with a set of inputs.

Sets ``T`` are taken small ones first.  The directions of the sketches that vanish with ``T`` silent belong to the modules
with ``supp ⊆ T``; what is left over from the supports found inside ``T`` has the support ``T`` itself: Möbius inversion,
one step at a time.

A unit of a module with more inputs may be dead while ``T`` is silent and be taken for one of ``T``.  It is found out where
it is dead, too, while inputs outside ``T`` are silent, as no unit of a module with inputs in ``T`` alone can be; and where
what it does while ``T`` is active depends on other inputs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.learning.marks import MOST, Support
from simnet.learning.ranks import MARGIN, SPARE, ActivityRanks, Rank, silent

Array = NDArray[Any]

#: Sets that are tried at most: each costs a rank over the runs.
RANKS = MOST // 32
#: Runs in which an input outside the set is active, to see that its modules are then there.
SEEN = 4


@dataclass(frozen=True)
class Ranked:
    """What ranks say.

    Attributes
    ----------
    dimensions : dict of frozenset to int
        Attributes of the modules with that support.
    margins : dict of frozenset to float
        The clearness of the rank behind it.
    undetermined : dict of frozenset to str
        Sets of which nothing can be said, and why.
    directions : dict of frozenset to (r, k) array
        Of all modules with that support or one inside it; where nothing can be said, maybe others among them.
    left : int
        Attributes that belong to no support found.
    tried : int
        Sets up to this size were tried.
    """

    dimensions: dict[Support, int]
    margins: dict[Support, float]
    undetermined: dict[Support, str]
    directions: dict[Support, Array]
    left: int
    tried: int


def ranked_supports(ranks: ActivityRanks, known: Sequence[Support] | None = None) -> Ranked:
    """The attributes of each support: of all sets that may be one, or of those that are known to be."""
    inputs = ranks.active.shape[1]
    left = total = ranks.space.values.shape[1] - (0 if ranks.marks is None else ranks.marks.shape[1])
    result = Ranked({}, {}, {}, {}, left, 0)
    tried, count = 0, 0
    for size in range(1, inputs + 1):
        sets = [frozenset(c) for c in itertools.combinations(range(inputs), size)] if known is None else known
        sets = [T for T in sets if len(T) == size]
        count += len(sets)
        if not left or count > RANKS:
            break
        tried = size
        for T in sets:
            blocked = [A for A in result.undetermined if A < T]
            excess, reason = _one(ranks, T, total, result)
            if excess is None or (blocked and excess):
                result.undetermined[T] = reason or f"{sorted(blocked[0])} inside it is not determined"
                result.dimensions.pop(T, None)
            elif excess:
                left -= excess
    return replace(result, left=left, tried=tried)


def _one(ranks: ActivityRanks, T: Support, total: int, result: Ranked) -> tuple[int | None, str]:
    """Attributes with the support ``T``, entered in the result; or ``None`` and a reason."""
    below = sum(n for A, n in result.dimensions.items() if A < T)
    quiet = silent(ranks.active, T)
    if not quiet.any():
        return None, f"no pair with all of {sorted(T)} silent"
    if len(T) == ranks.active.shape[1]:  # those sketches are known to be zero
        rank = Rank(0, math.inf, True, np.eye(ranks.space.values.shape[1]))
    else:
        rank = ranks.over(quiet)
        if rank.rank == total - below and _everything_seen(ranks, T, quiet):
            return 0, ""  # what is there already accounts for all that vanishes
    close = (
        "" if rank.clear else f"{int(quiet.sum())} pairs with all of {sorted(T)} silent are too few, or too close to call"
    )
    if close and (ranks.marks is None or ranks.freedom(quiet) < MARGIN * rank.rank + SPARE):
        return None, close
    if not _everything_seen(ranks, T, quiet):
        return None, f"some other input is never active while all of {sorted(T)} are silent"
    absent = _without_marks(ranks, rank.absent)
    # with noise what is weak would be taken for absent in the few runs that this looks at
    own, margin = (absent, math.inf) if ranks.space.noise else _own(ranks, T, absent)
    if own is None:
        return None, f"too few pairs with only {sorted(T)} active"
    result.directions[T] = own
    excess = own.shape[1] - below
    if close or excess < 0:
        return None, close or "ranks contradict each other"
    if excess:
        lower = [result.directions[A] for A in result.dimensions if A < T]
        fresh = complement(own, orthonormal(np.hstack(lower), below)) if lower else own
        if _depends_on_others(ranks, T, fresh, result.directions):
            return None, f"{excess} dimensions vanish with {sorted(T)} but depend on other inputs: dead units"
        result.dimensions[T], result.margins[T] = excess, min(margin, rank.margin)
    return excess, ""


def _everything_seen(ranks: ActivityRanks, T: Support, quiet: Array) -> bool:
    others = [j for j in range(ranks.active.shape[1]) if j not in T]
    return bool(np.all(ranks.active[quiet][:, others].sum(axis=0) >= SEEN))


def _without_marks(ranks: ActivityRanks, absent: Array) -> Array:
    """Directions in which attributes vary at all: so many marks as are projected out leave some in which nothing does."""
    if ranks.marks is None or not absent.shape[1]:
        return absent
    whole = np.ones(len(ranks.active), dtype=bool)
    if not ranks.space.noise:
        return complement(absent, ranks.over(whole, absent).absent)
    # the weakest attribute may be fainter than a limit that is safe; how many marks there are is known
    values = ranks.residual(whole) @ absent
    _, vectors = np.linalg.eigh(values.T @ values)
    return np.asarray(absent @ vectors[:, min(ranks.marks.shape[1], absent.shape[1]) :])


def _own(ranks: ActivityRanks, T: Support, absent: Array) -> tuple[Array | None, float]:
    """Of directions that vanish with ``T`` silent, those that stay when as many others as the runs allow are silent."""
    if not absent.shape[1]:
        return absent, math.inf
    others = [j for j in range(ranks.active.shape[1]) if j not in T]
    needed = math.ceil(1.3 * absent.shape[1]) + SPARE
    for size in range(len(others), 0, -1):
        chosen = [silent(ranks.active, S) for S in itertools.islice(itertools.combinations(others, size), 64)]
        chosen = [runs for runs in chosen if ranks.freedom(runs) >= needed]
        if chosen:
            margin = math.inf
            for runs in chosen:
                if absent.shape[1]:
                    rank = ranks.over(runs, absent)
                    margin = min(margin, rank.margin)
                    if not rank.clear:
                        return None, margin
                    absent = complement(absent, rank.absent)
            return absent, margin
    return (absent, math.inf) if not others else (None, 0.0)


def orthonormal(columns: Array, rank: int) -> Array:
    """An orthonormal basis of the span of columns of which so many are independent."""
    return np.linalg.svd(columns, full_matrices=False)[0][:, :rank]


def complement(whole: Array, part: Array) -> Array:
    """An orthonormal basis of what of a subspace is orthogonal to another one: as many directions as that leaves."""
    if not part.shape[1]:
        return whole
    left, _, _ = np.linalg.svd(whole - part @ (part.T @ whole), full_matrices=False)
    return left[:, : whole.shape[1] - part.shape[1]]


def _depends_on_others(ranks: ActivityRanks, T: Support, fresh: Array, known: dict[Support, Array]) -> bool:
    """Whether what those directions carry while ``T`` is active depends on any other input.

    On whether it is active: Welch's test of the energy; and on what it sees: correlation with its own attributes.  What
    the inputs see is taken to be independent.
    """
    active, members = ranks.active, sorted(T)
    others = [j for j in range(active.shape[1]) if j not in T]
    if not others:
        return False
    on = np.asarray(active[:, members].any(axis=1))
    values = ranks.residual(on)
    mine = values @ fresh
    _, key = np.unique(active[on][:, members], axis=0, return_inverse=True)
    energies = less_group_means(mine**2, key.reshape(-1))
    tests = 2.0 * len(others) * fresh.shape[1]
    limit = float(scipy.stats.norm.isf(ranks.failure_probability / tests / 4.0))
    for j in others:
        there = active[on][:, j]
        if min(there.sum(), (~there).sum()) < 30:
            continue
        a, b = energies[there], energies[~there]
        error = np.sqrt(a.var(axis=0) / len(a) + b.var(axis=0) / len(b))
        if np.any(np.abs(a.mean(axis=0) - b.mean(axis=0)) > limit * np.maximum(error, 1e-300)):
            return True
        if frozenset((j,)) in known:
            his = values[there] @ known[frozenset((j,))]
            left, right = (x / np.maximum(np.linalg.norm(x, axis=0), 1e-300) for x in (mine[there], his))
            bound = limit * math.sqrt(max(1.0, math.log(his.shape[1] + 1.0)) / there.sum())
            if np.any(np.abs(left.T @ right) > bound):
                return True
    return False


def less_group_means(values: Array, groups: Array) -> Array:
    """Each row without the mean of the rows of its group."""
    sums = np.zeros((groups.max() + 1, values.shape[1]))
    np.add.at(sums, groups, values)
    return values - (sums / np.bincount(groups)[:, None])[groups]
