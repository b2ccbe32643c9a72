"""Emerging concepts: clusters of sketches, and since when there are any of each.

Runs that made alike objects have sketches at small angles (Law 3), so what runs have in common shows as clusters, without
labels and without the matrices; a module that did not exist before shows as a cluster that did not.  Sketches are brought to
unit length and projected on their leading principal components; HDBSCAN (scikit-learn, an optional extra) finds the clusters
and leaves out what belongs to none.

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
    onset : Onset or None
        ``None`` where fewer than two of the sketches that were looked at have a time.
    """

    name: int
    ids: Array
    exemplar: int
    onset: Onset | None

    @property
    def is_new(self) -> bool:
        """Whether it was not there at first."""
        return self.onset is not None and self.onset.is_new


def concepts(
    store: SketchStore,
    where: Selection | Mapping[str, Any] | None = None,
    *,
    smallest: int | None = None,
    components: int = COMPONENTS,
    level: float = 0.95,
) -> list[Concept]:
    """The clusters of a selection, largest first, each with its onset; needs the extra ``memory``.

    Parameters
    ----------
    store : SketchStore
    where : Selection, or a mapping of its conditions
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
    try:
        from sklearn.cluster import HDBSCAN
        from sklearn.decomposition import PCA
    except ImportError:
        raise ValueError("concepts need scikit-learn: install the extra 'memory'") from None
    components = integer("components", components, minimum=1)
    probability("level", level)
    ids = store.ids(where)
    n = len(ids)
    if n > MOST:
        raise ValueError(f"where: selects {n} sketches, concepts compare all pairs of at most {MOST}")
    fewest = max(5, n // 100) if smallest is None else integer("smallest", smallest, minimum=2)
    if n <= max(fewest, 2):
        return []
    vectors = np.concatenate([units(block.sketches) for block in store.blocks(where, dtype=np.float32)])
    size = min(components, n - 1, store.sketch_dim)
    points = PCA(size, svd_solver="randomized", random_state=0).fit_transform(vectors)
    labels = HDBSCAN(min_cluster_size=fewest, copy=True).fit_predict(points)
    times = store.times(ids)
    clusters = sorted((np.flatnonzero(labels == label) for label in range(labels.max() + 1)), key=lambda c: (-len(c), c[0]))
    found = []
    for name, mine in enumerate(clusters):
        middle = points[mine].mean(axis=0)
        exemplar = mine[np.argmin(np.linalg.norm(points[mine] - middle, axis=1))]
        member = np.zeros(n, dtype=bool)
        member[mine] = True
        timed = np.isfinite(times)
        onset = onset_of(times[timed], member[timed], level) if timed.sum() > 1 else None
        found.append(Concept(name, ids[mine], int(ids[exemplar]), onset))
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
    last = int(min(np.searchsorted(upto, (1.0 + level) / 2.0), n - 2))
    middle = (moments[best] + moments[best + 1]) / 2.0
    return Onset(
        *(datetime.fromtimestamp(float(t), UTC) for t in (middle, moments[first], moments[last + 1])),
        before=float(inside[best] / k[best]),
        after=float((m - inside[best]) / (n - k[best])),
        odds=odds,
    )
