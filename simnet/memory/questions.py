"""Questions about many sketches at once, answered from their sum.

Sketches add, so the sum over any selection answers for all of it, and so does the difference of two means: what both have in
common cancels before the question is put.  Every answer has an interval, for what is *in the sketches selected*; how far
those stand for others is a question of sampling, and not of sketching.

Counts, sums and histograms are linear in the sketch, and their intervals are normal (Student's where the noise was read off
residuals).  A mean is a ratio: Fieller.  A quantile inverts tests of ``Σ_{j≤t} h_j − q Σ_j h_j``, linear again.  Entropy
takes the delta method; its second-order bias is taken off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from simnet.checks import integer, probability, real, shown
from simnet.decoding import Answer
from simnet.decoding.estimate import normal_quantile
from simnet.decoding.statistics import chosen_bins
from simnet.memory.selection import Selection
from simnet.memory.sums import Linear, Reading
from simnet.networks.network import Name
from simnet.randomness import stream
from simnet.sketcher import Sketcher

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

Array = NDArray[Any]

#: Draws from which the certainty of an order is estimated.
DRAWS = 10_000


@dataclass(frozen=True)
class Ranked:
    """A module with the number of its objects, and how certain it is that it stands at its rank or before."""

    module: Name
    count: Answer
    certainty: float


@dataclass(frozen=True, eq=False)
class Asked:
    """A selection of sketches to which questions are put.

    Attributes
    ----------
    runs : int
        How many sketches were selected; for a contrast, in both selections.
    sketch : (d,) array
        Their sum; for a contrast, the difference of the two means.
    noise : float
        Standard deviation of what storage added to each coordinate of it.
    norms : (runs,) array
        ``‖s‖²`` of each sketch, without what storage added to it in the mean.
    reading : Reading
        ``reading.method`` is ``"joint"`` or ``"matched"``.
    """

    runs: int
    sketch: Array
    noise: float
    norms: Array
    reading: Reading

    # -- linear questions -------------------------------------------------------------------------------------------

    def frequency(self, module: Name) -> Answer:
        """The sum of the effective weights of the objects of a module."""
        return _normal(self._of(module, counted=False), slice(-1, None), scalar=True)

    def count(self, module: Name) -> Answer:
        """How many objects of a module there are, each of the weight that its place has in the network."""
        return _normal(self._of(module, counted=True), slice(-1, None), scalar=True)

    def sum_attribute(self, module: Name) -> Answer:
        """The sum of the attribute vectors of a module, each times its effective weight: ``(a,)``."""
        return _normal(self._of(module, counted=False), slice(-1))

    def histogram(self, module: Name, coordinates: Any = None, *, unit: float = 1.0) -> Answer:
        """How many objects of a module fall into each bin of a one-hot attribute.

        Parameters
        ----------
        module : str or int
        coordinates : slice or sequence of int, optional
            Which coordinates are one-hot; all of them when not given.
        unit : float
            What stands in the hot one.
        """
        return _normal(self._bins(module, coordinates, unit), slice(None))

    # -- questions of ratios ----------------------------------------------------------------------------------------

    def mean_attribute(self, module: Name) -> Answer:
        """The mean attribute vector of a module, weighted by effective weights, with Fieller's interval: ``(a,)``."""
        sums = self._of(module, counted=False)
        f, total = float(sums.values[-1]), sums.values[:-1]
        variance, cross = np.diagonal(sums.covariance)[:-1], sums.covariance[:-1, -1]
        own = float(sums.covariance[-1, -1])
        mean = total / (f if f else np.finfo(float).tiny)
        spread = np.maximum(variance - 2.0 * mean * cross + mean**2 * own, 0.0)

        def fieller(level: float) -> Array:
            z = normal_quantile(level, sums.freedom)
            a, b, c = f**2 - z**2 * own, total * f - z**2 * cross, total**2 - z**2 * variance
            if a <= 0.0:
                return np.tile([-np.inf, np.inf], (len(total), 1))
            root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
            return np.stack([(b - root) / a, (b + root) / a], axis=-1)

        return Answer(mean, np.sqrt(spread) / max(abs(f), np.finfo(float).tiny), fieller)

    def quantile(self, module: Name, q: float, coordinates: Any = None, *, values: Any = None, unit: float = 1.0) -> Answer:
        """The ``q``-quantile of a one-hot attribute: the first bin up to which at least that share of the objects falls.

        Its interval holds all bins that the data allow: bin ``t`` is out if significantly less than ``q`` falls up to it, or
        significantly more before it.

        Parameters
        ----------
        module, coordinates, unit
            As for :meth:`histogram`.
        q : float
            In (0, 1).
        values : sequence of float, optional
            What each bin stands for, ascending; ``0, 1, …`` when not given.
        """
        probability("q", q)
        bins = self._bins(module, coordinates, unit)
        marks = _values(values, len(bins.values))

        def interval(level: float) -> Array:
            return marks[_allowed_bins(bins, q, level)]

        low, high = interval(0.6826894921370859)
        return Answer(np.array(marks[_bin_of(bins.values, q)]), np.array((high - low) / 2.0), interval)

    def interquartile_range(self, module: Name, coordinates: Any = None, *, values: Any = None, unit: float = 1.0) -> Answer:
        """The distance of the two quartiles of a one-hot attribute.

        The interval takes both quartiles at half the failure probability, and covers at least as often as it says.
        """
        bins = self._bins(module, coordinates, unit)
        marks = _values(values, len(bins.values))

        def interval(level: float) -> Array:
            (a, b), (c, d) = (marks[_allowed_bins(bins, q, (1.0 + level) / 2.0)] for q in (0.25, 0.75))
            return np.array([max(c - b, 0.0), d - a])

        low, high = interval(0.6826894921370859)
        value = marks[_bin_of(bins.values, 0.75)] - marks[_bin_of(bins.values, 0.25)]
        return Answer(np.array(value), np.array((high - low) / 2.0), interval)

    # -- questions about all modules --------------------------------------------------------------------------------

    @cached_property
    def counts(self) -> dict[Name, Answer]:
        """The number of objects of every module."""
        total = self._counts
        modules = self.reading.sketcher.network.modules
        return {module.name: _normal(total, slice(i, i + 1), scalar=True) for i, module in enumerate(modules)}

    def most_frequent(self, k: int = 5) -> list[Ranked]:
        """The ``k`` modules with the most objects, best first; certainties from draws of the counts within their errors."""
        total = self._counts
        modules = [module.name for module in self.reading.sketcher.network.modules]
        k = integer("k", k, minimum=1)
        order = np.argsort(-total.values, kind="stable")[:k]
        noise = stream(0, "most frequent").multivariate_normal(
            np.zeros(len(modules)), total.covariance, DRAWS, check_valid="ignore", method="eigh"
        )
        ranks = np.argsort(np.argsort(-(total.values + noise), axis=1), axis=1)
        return [
            Ranked(modules[i], self.counts[modules[i]], float(np.mean(ranks[:, i] <= place)))
            for place, i in enumerate(order)
        ]

    def distinct(self) -> Answer:
        """How many different modules have an object in at least one of the runs.

        A module is there if its count is significant, and not there if it is significantly less than one object; the
        interval runs from the number of the first to all but the second, at a level that holds for all modules together.
        """
        total = self._counts
        value = np.array(float(np.sum(total.values > 0.5)))

        def interval(level: float) -> Array:
            reach = normal_quantile(1.0 - (1.0 - level) / len(total.values), total.freedom) * total.errors
            there, possible = np.sum(total.values - reach > 0.0), np.sum(total.values + reach >= 1.0)
            return np.array([float(there), float(max(there, possible))])

        low, high = interval(0.6826894921370859)
        return Answer(value, np.array((high - low) / 2.0), interval)

    def entropy(self) -> Answer:
        """The entropy ``−Σ p ln p`` of module use, ``p`` the share of a module among all objects, in nats.

        Modules whose count is not significant could be there with what their intervals allow: the interval is wider upwards
        by their greatest contribution.
        """
        total = self._counts
        size = len(total.values)
        reach = normal_quantile(1.0 - 0.05 / size, total.freedom) * total.errors
        sure = total.values - reach > 0.0
        if not sure.any():
            most = math.log(size)
            return Answer(np.array(most / 2), np.array(most / 2), lambda level: np.array([0.0, most]))
        counts, covariance = total.values[sure], total.covariance[np.ix_(sure, sure)]
        whole = counts.sum()
        shares = counts / whole
        entropy = float(-np.sum(shares * np.log(shares)))
        gradient = -(np.log(shares) + entropy) / whole
        error = math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))
        # half the trace of the Hessian times the covariance, on the shares: what a concave function loses to noise
        jacobian = (np.eye(len(shares)) - shares[:, None]) / whole
        of_shares = jacobian @ covariance @ jacobian.T
        corrected = entropy + 0.5 * float(np.sum(np.diagonal(of_shares) / shares))
        unseen = np.minimum(np.maximum(total.values[~sure] + reach[~sure], 0.0) / whole, math.exp(-1.0))
        more = float(-np.sum(unseen[unseen > 0.0] * np.log(unseen[unseen > 0.0])))

        def interval(level: float) -> Array:
            z = normal_quantile(level, total.freedom)
            low, high = max(corrected - z * error, 0.0), min(corrected + z * error + more, math.log(size))
            return np.array([min(low, high), high])

        return Answer(np.array(corrected), np.array(error), interval)

    def norm(self) -> Answer:
        """The mean of ``‖s‖²``, which has mean ``K_ss``: how much there is in a run.

        The interval is Student's over the runs selected, for the mean of runs like them.
        """
        n = len(self.norms)
        error = self.norms.std(ddof=1) / math.sqrt(n) if n > 1 else np.inf
        value = np.array(self.norms.mean())

        def interval(level: float) -> Array:
            z = normal_quantile(level, n - 1) if n > 1 else 1.0
            return np.array([value - z * error, value + z * error])

        return Answer(value, np.array(error), interval)

    # -- what they share --------------------------------------------------------------------------------------------

    @cached_property
    def _counts(self) -> Linear:
        return self.reading.frequencies(counted=True)

    def _of(self, module: Name, *, counted: bool) -> Linear:
        return self.reading.module_sums(module, counted=counted)

    def _bins(self, module: Name, coordinates: Any, unit: float) -> Linear:
        """The numbers of objects in the bins of a one-hot attribute."""
        if real("unit", unit, minimum=0.0) == 0.0:
            raise ValueError("unit = 0.0: must be positive")
        sums = self._of(module, counted=True)
        rows = chosen_bins(len(sums.values) - 1, coordinates)
        matrix = np.zeros((len(rows), len(sums.values)))
        matrix[np.arange(len(rows)), rows] = 1.0 / unit
        return sums.of(matrix)


def ask(store: SketchStore, where: Selection | Mapping[str, Any] | None = None, *, method: str = "auto") -> Asked:
    """The sum over a selection, to put questions to.

    Parameters
    ----------
    store : SketchStore
    where : Selection, or a mapping of its conditions
    method : {"auto", "joint", "matched"}
        ``"joint"`` reads all places of the network together, exactly but for storage and rounding, and needs coordinates for
        all of them; ``"matched"`` reads each module alone, by Law 2; ``"auto"`` is joint where that can be.

    Raises
    ------
    ValueError
        If nothing is selected.
    """
    total, noise, norms = _summed(store, where, "where")
    return asked(store.sketcher, total, noise, norms, method)


def contrast(
    store: SketchStore,
    left: Selection | Mapping[str, Any] | None,
    right: Selection | Mapping[str, Any] | None,
    *,
    method: str = "auto",
) -> Asked:
    """The mean sketch of one selection minus that of another: what linear questions say is *per run, left minus right*.

    What both have in common is not in the difference, and does not disturb the answers.
    """
    (a, noise, norms), (b, other, more) = (_summed(store, w, name) for w, name in ((left, "left"), (right, "right")))
    n, m = len(norms), len(more)
    return asked(store.sketcher, a / n - b / m, math.hypot(noise / n, other / m), np.concatenate([norms, more]), method)


def _summed(store: SketchStore, where: Any, field: str) -> tuple[Array, float, Array]:
    total, variance, norms = np.zeros(store.sketch_dim), 0.0, []
    for block in store.blocks(where):
        total += block.sketches.sum(axis=0)
        variance += float(np.sum(block.noise**2))
        squares = np.einsum("ni,ni->n", block.sketches, block.sketches)
        norms.append(np.maximum(squares - store.sketch_dim * block.noise**2, 0.0))
    if not norms:
        raise ValueError(f"{field}: no sketch in the store is selected, there is nothing to ask")
    return total, math.sqrt(variance), np.concatenate(norms)


def asked(sketcher: Sketcher, sketch: Array, noise: float, norms: Array, method: str) -> Asked:
    """A sum of sketches, to put questions to."""
    reading = Reading(sketcher, sketcher.observe(sketch, noise=noise), method)
    return Asked(len(norms), sketch, noise, norms, reading)


def _normal(linear: Linear, part: slice, *, scalar: bool = False) -> Answer:
    values, errors = linear.values[part], linear.errors[part]
    if scalar:
        values, errors = values[0], errors[0]
    values, errors = np.asarray(values), np.asarray(errors)

    def interval(level: float) -> Array:
        z = normal_quantile(level, linear.freedom)
        return np.stack([values - z * errors, values + z * errors], axis=-1)

    return Answer(values, errors, interval)


def _values(values: Any, bins: int) -> Array:
    if values is None:
        return np.arange(float(bins))
    marks = np.asarray(values, dtype=float)
    if marks.shape != (bins,) or not np.isfinite(marks).all() or (np.diff(marks) < 0.0).any():
        raise ValueError(f"values = {shown(values)}: must be {bins} ascending numbers, one for each bin")
    return marks


def _bin_of(counts: Array, q: float) -> int:
    """The first bin up to which a share ``q`` falls; negative counts are noise."""
    upto = np.cumsum(np.maximum(counts, 0.0))
    return int(min(np.searchsorted(upto, q * upto[-1] * (1.0 - 1e-12)), len(counts) - 1))


def _allowed_bins(bins: Linear, q: float, level: float) -> Array:
    """The first and the last bin that can be the quantile: each is tested one-sidedly on either side."""
    size = len(bins.values)
    upto = bins.of(np.tril(np.ones((size, size))) - q)  # D_t = Σ_{j≤t} h_j − q Σ h
    z = float(scipy.stats.t.ppf((1.0 + level) / 2.0, bins.freedom))
    slack = 1e-9 * max(float(np.abs(bins.values).sum()), 1e-300)
    enough = upto.values + z * upto.errors >= -slack
    before = np.concatenate([[-np.inf], (upto.values - z * upto.errors)[:-1]])
    allowed = np.flatnonzero(enough & (before <= slack))
    return np.array([allowed[0], allowed[-1]]) if len(allowed) else np.array([0, size - 1])
