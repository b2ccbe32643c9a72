"""Ridge: the linear minimum mean square error estimate, for sketches with noise or with fewer coordinates than unknowns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import NDArray

from simnet.checks import choice, real
from simnet.decoding.estimate import Estimate, Fit, PerObject, Pivots
from simnet.decoding.least_squares import SOLVERS
from simnet.decoding.linear import LEAST_ERROR, LinearSystem
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation
from simnet.theory.linear import linear_mse

Array = NDArray[np.float64]

#: What is assumed of attributes where nothing can be estimated: an empty structure, or a sketch of zeros.
FALLBACK = (0.0, 1.0)

#: Logarithms of the variances among which the most likely one is looked for, before it is refined.
GRID_STEP = 0.5
LOGARITHMS = tuple(np.arange(-30.0, 3.0 + GRID_STEP, GRID_STEP))


class Prior(NamedTuple):
    """Mean and variance of an attribute."""

    mean: float
    variance: float


class RidgeSolution(NamedTuple):
    """How far estimates are from the mean of the prior, ``(n, m)``; how much of the truth each holds and how much is
    missing, ``(m,)``: the diagonal of the hat matrix, and one minus it; and the degrees of freedom of the variance that
    the prior has.

    Each by itself: where noise hides everything the shifts and what is held are far below the rounding of the rest.
    """

    prior: Prior
    shifts: Array
    held: Array
    missing: Array
    freedom: float
    iterations: int

    @property
    def values(self) -> Array:
        """The estimates."""
        return self.prior.mean + self.shifts


def ridge(
    encoder: Encoder,
    observation: Observation,
    structure: Structure,
    *,
    prior: tuple[float, float] | None = None,
    solver: str = "auto",
    tolerance: float = 1e-12,
    iterations: int = 5000,
) -> Estimate:
    """``x̂ = μ + v Bᵀ (v B Bᵀ + σ² I)^{-1} (s' − B μ)``, the best linear one for attributes of mean ``μ``, variance ``v``.

    Parameters
    ----------
    prior : (mean, variance), optional
        Of an attribute.  When not given they are estimated: those under which the sketch is the most likely among
        Gaussian ones.
    solver, tolerance, iterations
        As for :func:`~simnet.decoding.least_squares.least_squares`.

    Notes
    -----
    ``standard_errors`` are root mean square errors under the prior (Law 5).  Intervals do not lean on it: an estimate that
    holds the share ``h`` of its truth is divided by it, ``μ + (x̂ − μ)/h``, and what is left, ``v (1 − h)/h``, is the noise
    that all the other unknowns make, cut to ``[−1, 1]`` where every attribute lies.
    """
    choice("solver", solver, SOLVERS)
    system = LinearSystem(encoder, observation, structure)
    directly = solver == "direct" or (solver == "auto" and system.direct)
    given = None if prior is None else read_prior(prior)
    if directly:
        solution = solve_directly(system, given)
    else:
        solution = _iteratively(system, given, real("tolerance", tolerance, minimum=0.0, maximum=1.0), iterations)
    spent = 0.0 if directly else tolerance
    name = "direct" if directly else "iterative"
    fit = Fit(name, system.unknowns, observation.kept, solution.iterations, spent, system.relative_residual(solution.values))
    return shrunken_estimate(system, "ridge", solution.values, solution, fit, (-1.0, 1.0))


def read_prior(prior: tuple[float, float]) -> Prior:
    """A prior that a user gave."""
    try:
        mean, variance = prior
    except (TypeError, ValueError):
        raise ValueError(f"prior = {prior!r}: must be (mean, variance)") from None
    if real("prior[1]", variance, minimum=0.0) == 0.0:
        raise ValueError("prior[1] = 0.0: the variance must be positive")
    return Prior(real("prior[0]", mean), float(variance))


def shrunken_estimate(
    system: LinearSystem, method: str, values: Array, ridge: RidgeSolution, fit: Fit, limits: tuple[float, float]
) -> Estimate:
    """An estimate whose intervals are those of the ridge solution, whatever the values are."""
    s, (mean, variance) = system.structure, ridge.prior
    missing, told = np.clip(ridge.missing, 0.0, 1.0), ridge.held > 0.0
    held = np.where(told, ridge.held, 1.0)
    pivots = mean + np.where(told, ridge.shifts / held, 0.0)
    # an error under the prior can be as small as the prior is narrow; an interval, which does not lean on it, cannot
    errors = np.broadcast_to(np.sqrt(variance * missing), values.shape)
    spread = np.where(told, np.maximum(np.sqrt(variance * missing / held), LEAST_ERROR), np.inf)
    spread = np.broadcast_to(spread, values.shape)

    def each(array: Array) -> PerObject:
        return PerObject(s, system.split(array))

    return Estimate(
        s,
        method,
        each(values),
        each(errors),
        (0.0,) * len(s),
        fit,
        Pivots(each(pivots), each(spread), limits),
        ridge.freedom,
    )


def solve_directly(system: LinearSystem, prior: Prior | None) -> RidgeSolution:
    """By the singular values of the dictionary, which serve every variance at once."""
    columns, targets, noise = system.columns, system.targets, system.noise
    left, singular, right = graded_svd(columns)
    mixed, ones = targets @ left, columns.sum(axis=1) @ left
    freedom = np.inf
    if prior is None:
        prior, freedom = _most_likely(singular, mixed, ones, noise), max(mixed.size - 1.0, 1.0)
    spread = prior.variance * singular**2 + noise**2 + 1e-300
    shifts = ((mixed - prior.mean * ones) * prior.variance * singular / spread) @ right
    squares = right**2
    held = np.sum(squares * (prior.variance * singular**2 / spread)[:, None], axis=0)
    missing = np.sum(squares * (noise**2 / spread)[:, None], axis=0)
    if len(singular) < columns.shape[1]:  # what the columns do not see at all
        missing += 1.0 - np.sum(squares, axis=0)
    return RidgeSolution(prior, shifts, held, missing, freedom, 0)


def graded_svd(columns: Array) -> tuple[Array, Array, Array]:
    """The thin singular value decomposition, with small columns as accurate as large ones.

    Columns of deep objects are many orders of magnitude shorter than those at the top, and what is wrong by the rounding of
    the longest would drown them.  QR with pivoting sorts them and keeps each to its own rounding; the triangle is then
    graded, and QR iteration keeps it so.
    """
    left, triangle, order = scipy.linalg.qr(columns, mode="economic", pivoting=True, check_finite=False)
    inner, singular, right = scipy.linalg.svd(triangle, full_matrices=False, check_finite=False, lapack_driver="gesvd")
    unsorted = np.empty_like(right)
    unsorted[:, order] = right
    return left @ inner, singular, unsorted


def _most_likely(singular: Array, mixed: Array, ones: Array, noise: float) -> Prior:
    """Mean and variance under which the sketch is the most likely, less one degree of freedom for the mean.

    Along the singular vectors the sketch has independent coordinates of mean ``μ 1ᵀu_i`` and variance ``v s_i² + σ²``,
    the smallest ones, which noise or a light weight made so, like any.
    """
    if not singular.any() or not mixed.any():
        return Prior(*FALLBACK)
    n, power = len(mixed), singular**2

    def profile(logarithm: float) -> tuple[float, float]:
        spread = np.exp(logarithm) * power + noise**2 + 1e-300
        precision = n * float(np.sum(ones**2 / spread))
        mean = float(np.sum(mixed * ones / spread)) / precision if precision > 0.0 else 0.0
        mean = min(max(mean, -1.0), 1.0)  # as all attributes are: noise can take it anywhere
        misfit = float(np.sum((mixed - mean * ones) ** 2 / spread))
        return misfit + n * float(np.sum(np.log(spread))) + np.log(max(precision, 1e-300)), mean

    # flat for variances that noise hides and with more than one valley: the lowest of a grid, and from there
    lowest = min(LOGARITHMS, key=lambda t: profile(t)[0])
    around = lowest - GRID_STEP, lowest + GRID_STEP
    found = scipy.optimize.minimize_scalar(lambda t: profile(t)[0], bounds=around, method="bounded")
    return Prior(profile(found.x)[1], float(np.exp(found.x)))


def _iteratively(system: LinearSystem, prior: Prior | None, tolerance: float, iterations: int) -> RidgeSolution:
    """By damped LSMR, with the prior from the energy of the sketch and the shares from Law 5."""
    observation, structure = system.observation, system.structure
    n = len(system.targets)
    if prior is None:
        energy = np.sum(system.targets**2) / n - observation.kept * system.noise**2
        total = float(np.sum(system.lengths**2))
        prior = Prior(0.0, float(energy / total)) if energy > 0.0 and total > 0.0 else Prior(*FALLBACK)
    scale = np.full(system.unknowns, np.sqrt(prior.variance))
    operator = system.operator(scale)
    shift = system.operator(np.ones(system.unknowns)).matvec(np.full(n * system.unknowns, prior.mean))
    solution = scipy.sparse.linalg.lsmr(
        operator,
        system.targets.ravel() - shift,
        damp=system.noise,
        atol=tolerance,
        btol=tolerance,
        conlim=0.0,
        maxiter=iterations,
    )
    shifts = system.scaled(solution[0].reshape(n, -1), scale)
    law = linear_mse(
        structure,
        sketch_dim=observation.sketch_dim,
        kept=observation.kept,
        noise=system.noise,
        attribute_variance=prior.variance,
        recipe=system.encoder.recipe,
    )
    missing = np.repeat(law / prior.variance, structure.attribute_dims)
    return RidgeSolution(prior, shifts, 1.0 - missing, missing, np.inf, int(solution[2]))
