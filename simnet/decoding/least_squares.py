"""Least squares: the attributes of every object, exactly, once there are as many coordinates as unknowns."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import NDArray

from simnet.checks import choice, real
from simnet.decoding.estimate import Estimate, Fit, PerObject
from simnet.decoding.linear import LEAST_ERROR, LinearSystem
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation
from simnet.theory.linear import linear_mse

Array = NDArray[np.float64]

SOLVERS = ("auto", "direct", "iterative")

#: A direction of the unknowns that the columns see less than this, relative, is not determined.
UNSEEN = 1e-10


def least_squares(
    encoder: Encoder,
    observation: Observation,
    structure: Structure,
    *,
    solver: str = "auto",
    tolerance: float = 1e-15,
    iterations: int = 5000,
) -> Estimate:
    """``argmin ‖s' − B' z‖`` over the attributes, with the marks of presence known.

    With ``d'`` at least the ``m = Σ_θ a_θ`` unknowns (``m < p``) and no noise it is the truth, up to the rounding of the
    sketch; with noise its error is that of Law 5.  With fewer coordinates it is the solution of least length in units of
    the column norms, which says little: its standard errors are infinite, and :func:`~simnet.decoding.ridge.ridge` is the
    decoder to take.

    The direct solver forms the dictionary once for the batch and takes a QR decomposition.  The iterative one is LSMR on
    the operator and its adjoint, for all sketches of the batch at once, with the unknowns whitened by their expected Gram:
    the error falls by about ``√(m/d')`` an iteration.

    Parameters
    ----------
    solver : {"auto", "direct", "iterative"}
        ``"auto"`` is direct where the dictionary fits.
    tolerance : float
        The iterations end when the residual, or what is left of its correlation with the columns, is this small relative
        to the sketch.
    iterations : int
        The most that are made.

    Notes
    -----
    Standard errors come from the residual where it has degrees of freedom to spare, and from the stated noise and the
    rounding of the sketch at the least.

    Source: C.-L. Fong, M. Saunders, *LSMR: an iterative algorithm for sparse least-squares problems*, SIAM J. Sci. Comput.
    33 (2011).
    """
    choice("solver", solver, SOLVERS)
    system = LinearSystem(encoder, observation, structure)
    if solver == "direct" or (solver == "auto" and system.direct):
        name, spent, made = "direct", 0.0, 0
        values, spread = _direct(system)
    else:
        name, spent = "iterative", real("tolerance", tolerance, minimum=0.0, maximum=1.0)
        values, spread, made = _iterative(system, spent, iterations)
    fit = Fit(name, system.unknowns, observation.kept, made, spent, system.relative_residual(values))
    free = observation.kept - system.unknowns
    known = np.isfinite(spread)
    errors = np.where(known, _noise_levels(system, fit.residual)[:, None] * np.where(known, spread, 0.0), np.inf)
    errors = np.maximum(errors, LEAST_ERROR)
    return Estimate(
        structure,
        "least_squares",
        PerObject(structure, system.split(values)),
        PerObject(structure, system.split(errors)),
        (0.0,) * len(structure),
        fit,
        freedom=float(free) if free > 0 else np.inf,
    )


def _noise_levels(system: LinearSystem, residual: Array) -> Array:
    """The standard deviation of a coordinate's noise for each sketch: from its residual, and at least what is known."""
    free = system.observation.kept - system.unknowns
    if free <= 0:
        return np.full(len(residual), system.noise)
    energy = residual**2 * np.sum(system.observation.remaining**2, axis=1)
    return np.maximum(np.sqrt(energy / free), system.noise)


def _direct(system: LinearSystem) -> tuple[Array, Array]:
    """Values, and standard errors for a unit of noise."""
    lengths = system.lengths
    live = lengths > 0.0
    columns = system.columns[:, live] / lengths[live]
    values, spread = np.zeros((len(system.targets), len(lengths))), np.full(len(lengths), np.inf)
    q, r = scipy.linalg.qr(columns, mode="economic", check_finite=False)
    size = np.abs(np.diagonal(r))
    if columns.shape[0] >= columns.shape[1] and size.min(initial=np.inf) > UNSEEN * size.max(initial=0.0):
        inverse = scipy.linalg.solve_triangular(r, np.eye(len(r)), check_finite=False)
        solved = scipy.linalg.solve_triangular(r, q.T @ system.targets.T, check_finite=False)
        spread[live] = np.linalg.norm(inverse, axis=1) / lengths[live]
    else:
        left, singular, right = scipy.linalg.svd(columns, full_matrices=False, check_finite=False)
        seen = singular > UNSEEN * singular.max(initial=0.0)
        rows = right[seen] / singular[seen, None]
        solved = rows.T @ (left[:, seen].T @ system.targets.T)
        # an unknown is determined when no direction that the columns do not see has a part in it
        unseen = np.eye(right.shape[1]) - right[seen].T @ right[seen]
        determined = np.linalg.norm(unseen, axis=0) < UNSEEN
        spread[live] = np.where(determined, np.linalg.norm(rows, axis=0) / lengths[live], np.inf)
    values[:, live] = solved.T / lengths[live]
    return values, spread


def _iterative(system: LinearSystem, tolerance: float, iterations: int) -> tuple[Array, Array, int]:
    """As the direct solution, with the number of iterations; the standard errors are those of Law 5."""
    observation, operator = system.observation, system.operator()
    n = len(system.targets)
    solution = scipy.sparse.linalg.lsmr(
        operator, system.targets.ravel(), atol=tolerance, btol=tolerance, conlim=0.0, maxiter=iterations
    )
    law = linear_mse(
        system.structure, sketch_dim=observation.sketch_dim, kept=observation.kept, noise=1.0, recipe=system.encoder.recipe
    )
    values = system.scaled(solution[0].reshape(n, -1))
    spread = np.sqrt(np.repeat(law, system.structure.attribute_dims))
    return values, spread, int(solution[2])
