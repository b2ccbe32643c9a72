"""What decoders return: estimates for every object, or an answer to one question, with an interval on each number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from simnet.checks import probability
from simnet.matrices import MatrixFamily
from simnet.networks import Structure
from simnet.sketching import Observation

Array = NDArray[Any]


def normal_quantile(level: float, freedom: float = math.inf) -> float:
    """``z`` with ``P(|N(0, 1)| ≤ z) = level``, or Student's ``t`` in place of the normal."""
    share = 0.5 + probability("level", level) / 2.0
    # thousands of intervals are asked for: the distributions of scipy.stats take 50 times as long, for their arguments
    return float(scipy.special.stdtrit(freedom, share))


class PerObject(Sequence[Array]):
    """One array for each object of a structure, by position or by name."""

    def __init__(self, structure: Structure, arrays: Sequence[Array]) -> None:
        self.structure, self.arrays = structure, tuple(arrays)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self.arrays[key]
        return self.arrays[self.structure.position(key)]

    def __len__(self) -> int:
        return len(self.arrays)

    def __iter__(self) -> Iterator[Array]:
        return iter(self.arrays)

    def __contains__(self, key: object) -> bool:
        return key in self.structure


@dataclass(frozen=True, eq=False)
class Fit:
    """How a linear decoder solved its equations.

    Attributes
    ----------
    solver : str
        ``"direct"``, with the dictionary formed, or ``"iterative"``, on the operator and its adjoint.
    unknowns, equations : int
        ``Σ_θ a_θ``, and the coordinates ``d'`` of a sketch.
    iterations : int
        Pairs of one product with the operator and one with its adjoint; 0 for a direct solution.
    tolerance : float
        What the iterations were stopped at, relative; 0 for a direct solution.
    residual : (n,) array
        ``‖s − B z‖ / ‖s‖`` of each sketch: rounding where the structure and the sketch belong together.
    """

    solver: str
    unknowns: int
    equations: int
    iterations: int
    tolerance: float
    residual: Array


@dataclass(frozen=True, eq=False)
class Pivots:
    """Unbiased values with their standard errors, and the range in which the truth is known to lie."""

    values: PerObject
    standard_errors: PerObject
    limits: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Estimate:
    """The attributes of every object of a structure, read off one sketch or a batch.

    Attributes
    ----------
    structure : Structure
    method : str
    attributes : PerObject
        ``attributes[k]`` is ``(a,)`` for a single sketch, ``(runs, a)`` for a batch; ``k`` a position or a name.
    standard_errors : PerObject
        Of the same shapes: the square root of the mean square error, estimated from the sketch itself.
    bias_bounds : tuple of float
        How far the mean of an estimate can be from the truth: 0 but for objects whose module made others too.
    fit : Fit or None
        How the equations were solved, for the linear decoders.
    pivots : Pivots or None
        What intervals are built on where an estimate is drawn towards a prior; else on the estimate itself.
    freedom : float
        The degrees of freedom of the standard errors: intervals are Student's.
    """

    structure: Structure
    method: str
    attributes: PerObject
    standard_errors: PerObject
    bias_bounds: tuple[float, ...]
    fit: Fit | None = None
    pivots: Pivots | None = None
    freedom: float = math.inf

    def interval(self, level: float = 0.95) -> PerObject:
        """Intervals that cover each coordinate with probability ``level`` (in the limit of large sketches).

        Returns
        -------
        PerObject
            ``interval(0.95)[k]`` is ``(a, 2)``, or ``(runs, a, 2)``.  Where other objects of the same module blur the
            estimate the interval is widened by the most they can add, and covers at least that often.
        """
        z = normal_quantile(level, self.freedom)
        if self.pivots is not None:
            low, high = self.pivots.limits
            both = zip(self.pivots.values, self.pivots.standard_errors, strict=True)
            ends = [np.clip(np.stack([x - z * e, x + z * e], axis=-1), low, high) for x, e in both]
            return PerObject(self.structure, ends)
        pairs = zip(self.attributes, self.standard_errors, self.bias_bounds, strict=True)
        return PerObject(self.structure, [np.stack([x - z * e - b, x + z * e + b], axis=-1) for x, e, b in pairs])


@dataclass(frozen=True, eq=False)
class Answer(NDArrayOperatorsMixin):
    """The answer to one question: a number or an array that computes like one, with its uncertainty.

    Attributes
    ----------
    value : array
        The estimate; ``float(answer)``, ``numpy.asarray(answer)`` and arithmetic use it.
    standard_error : array
        Of the same shape.
    """

    value: Array
    standard_error: Array
    _interval: Callable[[float], Array] | None = None

    def interval(self, level: float = 0.95) -> Array:
        """Lower and upper end along a last axis of length 2."""
        if self._interval is not None:
            return self._interval(probability("level", level))
        z = normal_quantile(level)
        return np.stack([self.value - z * self.standard_error, self.value + z * self.standard_error], axis=-1)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Answer) for x in kwargs.get("out", ())):
            del kwargs["out"]  # an answer is not changed in place: ``answer += 1`` makes a plain number of it
        plain = [x.value if isinstance(x, Answer) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __float__(self) -> float:
        return float(self.value)

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __len__(self) -> int:
        return len(self.value)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.value)

    def __repr__(self) -> str:
        with np.printoptions(precision=4, threshold=20):
            return f"Answer({self.value} ± {self.standard_error})"


def read_out(
    projection: Array,
    probe_norm_squared: Array,
    gain: float,
    observation: Observation,
    family: MatrixFamily,
    *,
    longest: float = np.inf,
) -> tuple[Array, Array]:
    """An estimate ``x̂`` and its standard errors from ``Rᵀ g``, for a probe ``g`` that holds ``gain · R x`` and the rest.

    ``x̂ = (d/d') Rᵀg / gain``.  ``R`` is independent of the rest of ``g``, so the rest adds ``N(0, ‖g_rest‖²/d)`` to each
    coordinate of ``Rᵀg``, and its length can be read off the probe; the vector's own noise is that of its family:

        MSE_j = [ (d/d')² ‖g‖² / gain² − (d/d') ‖x‖² ]₊ / d + v_j / d'

    With ``g = s'`` and ``gain = c`` this is Law 1.  ``x̂`` stands in for ``x``, without the part of its length that is
    noise.

    Notes
    -----
    Where ``v_j`` holds ``x_j²`` many times, an estimate that is far off widens its own interval, which then covers too
    often.  That is so for ``block``, ``v_j/d' = … + (1 − q) b x_j² / (q d')``, and no other family: 95 % intervals of the
    histogram bins of one room of the claim ``statistics`` (``b = 16``, ``q = ½``; 3,000 sketchers, 48 bins each) cover

    ==============================  =====  =====  =====  =====  =====  =====
    ``d``                              64    128    256    512   1024   2048
    with these standard errors      98.3%  96.4%  95.7%  95.3%  95.2%  95.1%
    with the errors of the law      93.6%  94.2%  94.6%  94.8%  95.0%  94.9%
    kurtosis of the errors            4.3    3.7    3.3    3.2    3.1    3.0
    ==============================  =====  =====  =====  =====  =====  =====

    The second line is below 95 % because few blocks, of which a random number is filled, are far from the Gaussian limit.
    Both excesses fall as ``b/d'``.  The other families cover 94.7 to 95.1 % there at ``d`` = 128 and 256.

    Parameters
    ----------
    projection : (..., n, a) array
        ``Rᵀ g``.
    probe_norm_squared : (..., n) array
        ``‖g‖²``.
    gain : float
        0 for what is not in the sketch: the estimate is then 0 with an infinite error.
    longest : float
        The most that ``‖x‖`` can be.
    """
    kept, d, scale = observation.kept, observation.sketch_dim, observation.scale
    if gain == 0.0:
        return np.zeros(projection.shape), np.full(projection.shape, np.inf)
    estimate = projection.astype(float) * (scale / gain)
    total = (scale / gain) ** 2 * np.asarray(probe_norm_squared, float)[..., None] / d
    seen = np.sum(estimate**2, axis=-1, keepdims=True)
    own = np.clip(seen - estimate.shape[-1] * total, 0.0, longest**2)
    likely = estimate * np.sqrt(own / np.maximum(seen, 1e-300))
    crosstalk = np.maximum(total - own / kept, 0.0)
    noise = family.self_noise(likely, sketch_dim=d, kept=kept) / kept
    return estimate, np.sqrt(crosstalk + noise)
