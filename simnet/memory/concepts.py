"""Emerging concepts: clusters of sketches, what is new among them, and since when.

Runs that made alike objects have sketches at small angles (Law 3), so what runs have in common shows as clusters, without
labels and without the matrices.  HDBSCAN (scikit-learn, an optional extra) finds them among the sketches, brought to unit
length and projected on their leading principal components, and leaves out what belongs to none.

**Novelty.**  A module far below the top is a small part of a sketch, and moves its angle by little.  But whatever runs of a
network do, their sketches stay in one subspace, that of the columns of all its places (:mod:`simnet.decoding.joint`): a few
hundred dimensions.  Enough sketches of a reference time span it, and what a later sketch has outside comes from something
that was not there: a new module, or an old one in a new place.  A run is novel if far more of it lies outside than of most
runs of the reference that were held out.  Novel runs are clustered by what they have outside, at a known scale of angles
(DBSCAN), the others by what they are.

**Onset.**  In the order of time, a run is of the concept with one probability before the onset and another after.  With
Jeffreys' prior ``Beta(½, ½)`` on both and every place of the onset equally likely, its posterior is

    P(k) ∝ B(m_k + ½, k − m_k + ½) B(m − m_k + ½, n − k − m + m_k + ½)      m_k of the first k runs are of the concept

and against no change at all, ``B(m + ½, n − m + ½)``, the ratio of the marginal likelihoods says whether there was one.

Source: R. Campello, D. Moulavi, J. Sander, *Density-based clustering based on hierarchical density estimates*, PAKDD 2013.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special
from numpy.typing import NDArray

from simnet.checks import integer, probability
from simnet.memory.selection import Selection
from simnet.memory.vectors import units

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

Array = NDArray[Any]

#: All pairs of sketches are compared: for more than so many, select some.
MOST = 20_000

#: Principal components that are looked at, where there are so many.
COMPONENTS = 20

#: The earliest sketches are the reference, so large a share of them.
REFERENCE = 0.25

#: Every so many of the reference are held out; a run is novel past so many times what the median of those has outside, which
#: is storage noise and rounding.
HELD_OUT, NOVEL_FACTOR = 4, 4.0

#: Novel runs closer than this, as unit vectors, are of one concept: an angle of 50 degrees.  A module in another place is
#: further away, and its objects in one place are nearer unless their attributes are opposite.
REACH = 0.85

#: How many neighbours make a dense place.
SAMPLES = 5

#: The reference has closed on a subspace if the median has less than this outside.
CLOSED = 0.05

#: Directions of the reference that are weaker than this, relative to the strongest, are rounding.
FAINT = 1e-6

#: The part of a change in the share of a concept: a rise with at least these odds, from below this share of the later one,
#: is an onset.
ODDS, BEFORE = 100.0, 0.1


@dataclass(frozen=True)
class Onset:
    """Since when there is something.

    Attributes
    ----------
    time : datetime
        The most likely: between the last run before and the first after.
    low, high : datetime
        The interval that holds it with probability ``level``.
    before, after : float
        The share of the runs that are of the concept.
    odds : float
        Of a change against none.
    """

    time: datetime
    low: datetime
    high: datetime
    before: float
    after: float
    odds: float

    @property
    def is_new(self) -> bool:
        """Whether there was next to nothing before, and surely a change."""
        return self.odds >= ODDS and self.before <= BEFORE * self.after


@dataclass(frozen=True, eq=False)
class Concept:
    """A cluster of sketches.

    Attributes
    ----------
    name : int
        0 for the largest.
    ids : (n,) int array
    exemplar : int
        The number of the sketch nearest to their mean.
    novel : bool
        Whether its runs have something that the reference had not.
    onset : Onset or None
        ``None`` where fewer than two of the sketches that were looked at have a time.
    """

    name: int
    ids: Array
    exemplar: int
    novel: bool
    onset: Onset | None

    @property
    def is_new(self) -> bool:
        """Whether it was not there at first."""
        return self.onset is not None and self.onset.is_new


def concepts(
    store: SketchStore,
    where: Selection | Mapping[str, Any] | None = None,
    *,
    reference: Selection | Mapping[str, Any] | None = None,
    smallest: int | None = None,
    components: int = COMPONENTS,
    level: float = 0.95,
) -> list[Concept]:
    """The clusters of a selection, largest first, each with its onset; needs the extra ``memory``.

    Parameters
    ----------
    store : SketchStore
    where : Selection, or a mapping of its conditions
    reference : Selection, or a mapping of its conditions
        The sketches of the selection that hold nothing new; the earliest quarter when not given.
    smallest : int, optional
        The fewest sketches that make a concept; 1 % of the selection, at least 5, when not given.
    components : int
        Principal components that are looked at.
    level : float
        Of the interval of the onset.

    Raises
    ------
    ValueError
        If scikit-learn is not installed, or more than 20,000 sketches are selected.
    """
    if find_spec("sklearn") is None:
        raise ValueError("concepts need scikit-learn: install the extra 'memory'")
    components = integer("components", components, minimum=1)
    probability("level", level)
    ids = store.ids(where)
    n = len(ids)
    if n > MOST:
        raise ValueError(f"where: selects {n} sketches, concepts compare all pairs of at most {MOST}")
    fewest = max(5, n // 100) if smallest is None else integer("smallest", smallest, minimum=2)
    if n <= fewest:
        return []
    vectors = units(np.concatenate([block.sketches for block in store.blocks({"ids": ids.tolist()})]))
    times = store.times(ids)
    if reference is None:
        known = np.argsort(times, kind="stable")[: max(2, int(REFERENCE * n))]
    else:
        known = np.flatnonzero(np.isin(ids, store.ids(reference)))
    outside = _outside(vectors, known)
    novel = outside is not None
    groups = [np.zeros(0, dtype=np.intp)] if outside is None else [outside[0]]
    groups.append(np.setdiff1d(np.arange(n), groups[0]))
    found = []
    for is_novel, rows in zip((True, False), groups, strict=True):
        of = outside[1][rows] if is_novel and outside is not None else vectors[rows]
        found += [(rows[c], e, is_novel) for c, e in _clusters(units(of), fewest, components, REACH if is_novel else 0.0)]
    timed = np.isfinite(times)
    result = []
    for name, (mine, exemplar, is_novel) in enumerate(sorted(found, key=lambda c: (-len(c[0]), c[0][0]))):
        member = np.isin(np.arange(n), mine)
        onset = onset_of(times[timed], member[timed], level) if timed.sum() > 1 else None
        result.append(Concept(name, ids[mine], int(ids[mine[exemplar]]), novel and is_novel, onset))
    return result


def _outside(vectors: Array, known: Array) -> tuple[Array, Array] | None:
    """Which vectors have more outside the span of those known than those held out, and what all have outside."""
    known = known[vectors[known].any(axis=1)]  # runs that made nothing say nothing
    held = known[::HELD_OUT]
    basis = np.setdiff1d(known, held)
    if len(held) < 2 or len(basis) < 2:
        return None
    _, sizes, directions = np.linalg.svd(vectors[basis], full_matrices=False)
    # directions of storage noise are about alike, and weaker than this
    noise = np.median(sizes) * NOVEL_FACTOR if sizes[-1] > FAINT * sizes[0] else 0.0
    span = directions[sizes > max(FAINT * sizes[0], noise)]
    outside = vectors - (vectors @ span.T) @ span
    lengths = np.linalg.norm(outside, axis=1)
    usual = float(np.median(lengths[held]))
    if usual > CLOSED:
        return None
    novel = np.flatnonzero(lengths > NOVEL_FACTOR * max(usual, FAINT))
    return np.setdiff1d(novel, known), outside


def _clusters(vectors: Array, fewest: int, components: int, reach: float) -> list[tuple[Array, int]]:
    """Groups of rows, with the row nearest to the middle of each."""
    from sklearn.cluster import DBSCAN, HDBSCAN
    from sklearn.decomposition import PCA

    if len(vectors) <= fewest:
        return []
    size = min(components, len(vectors) - 1, vectors.shape[1])
    points = PCA(size, svd_solver="randomized", random_state=0).fit_transform(vectors)
    if reach:
        finder: Any = DBSCAN(eps=reach, min_samples=min(fewest, SAMPLES))
    else:
        finder = HDBSCAN(min_cluster_size=fewest, min_samples=min(fewest, SAMPLES), allow_single_cluster=True, copy=True)
    labels = np.asarray(finder.fit_predict(points))
    found = []
    for label in range(int(labels.max()) + 1):
        mine = np.flatnonzero(labels == label)
        if len(mine) < fewest:
            continue
        distances = np.linalg.norm(points[mine] - points[mine].mean(axis=0), axis=1)
        found.append((mine, int(np.argmin(distances))))
    return found


def onset_of(times: Any, member: Any, level: float = 0.95) -> Onset:
    """When the share of runs that are of a concept changed most likely.

    Parameters
    ----------
    times : (n,) array
        Of all runs, in seconds since 1970, at least two.
    member : (n,) bool array
        Which runs are of the concept.
    level : float

    Examples
    --------
    >>> import numpy as np
    >>> from simnet.memory.concepts import onset_of
    >>> days = 86400.0 * np.arange(365)
    >>> member = (np.arange(365) >= 182) & (np.arange(365) % 3 == 0)
    >>> onset = onset_of(days, member)
    >>> onset.is_new, onset.time.month, onset.before
    (True, 7, 0.0)
    """
    probability("level", level)
    order = np.argsort(np.asarray(times, float), kind="stable")
    moments, hits = np.asarray(times, float)[order], np.asarray(member, bool)[order]
    n, m = len(hits), int(hits.sum())
    if n < 2:
        raise ValueError(f"times: has {n} entries, an onset needs at least 2")
    k = np.arange(1, n)  # the onset is after the first k runs
    inside = np.cumsum(hits)[:-1]
    evidence = scipy.special.betaln(inside + 0.5, k - inside + 0.5)
    evidence += scipy.special.betaln(m - inside + 0.5, n - k - m + inside + 0.5)
    total = scipy.special.logsumexp(evidence)
    # of no change, and π for each of the normalisations B(½, ½) of the prior: one there, two here
    against = scipy.special.betaln(m + 0.5, n - m + 0.5) + math.log(math.pi) + math.log(n - 1)
    odds = math.exp(min(total - against, 700.0))
    posterior = np.exp(evidence - total)
    best = int(np.argmax(posterior))
    upto = np.cumsum(posterior)
    first = int(np.searchsorted(upto, (1.0 - level) / 2.0))
    last = min(int(np.searchsorted(upto, (1.0 + level) / 2.0)), n - 2)
    middle = (moments[best] + moments[best + 1]) / 2.0
    time, low, high = (datetime.fromtimestamp(float(t), UTC) for t in (middle, moments[first], moments[last + 1]))
    return Onset(
        time,
        low,
        high,
        before=float(inside[best] / k[best]),
        after=float((m - inside[best]) / (n - k[best])),
        odds=odds,
    )
