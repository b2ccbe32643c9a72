"""Sparse estimates: a variance of its own for every attribute, most of which turn out to be 0."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.decoding.estimate import Estimate, Fit
from simnet.decoding.linear import LinearSystem
from simnet.decoding.ridge import shrunken_estimate, solve_directly
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation

Array = NDArray[np.float64]

#: A variance this far below that of the prior is 0.
NEGLIGIBLE = 1e-10


def sparse(
    encoder: Encoder,
    observation: Observation,
    structure: Structure,
    *,
    iterations: int = 200,
) -> Estimate:
    """Ridge with a variance for every attribute, re-estimated until the sketch is the most likely: sparse Bayesian learning.

    For attributes of both signs of which many are 0.  With ``V`` the diagonal matrix of the variances and
    ``K = B V Bᵀ + σ² I`` each round sets ``x̂ = V Bᵀ K^{-1} s'`` and ``v_j = |x̂_j| / √(b_jᵀ K^{-1} b_j)``, which shrinks what
    the sketch can do without.  Intervals are those of ridge.

    Parameters
    ----------
    iterations : int
        The most rounds; each costs about one ridge estimate.

    Notes
    -----
    Source: D. Wipf, S. Nagarajan, *A new view of automatic relevance determination*, NIPS 2007 (the convex-bounding
    update).
    """
    rounds = integer("iterations", iterations, minimum=1)
    system = LinearSystem(encoder, observation, structure)
    solution = solve_directly(system, None)
    outcomes = [_one(system, target, solution.prior.variance, rounds) for target in system.targets]
    values = np.stack([values for values, _ in outcomes])
    made = max(made for _, made in outcomes)
    fit = Fit("direct", system.unknowns, observation.kept, made, NEGLIGIBLE, system.relative_residual(values))
    return shrunken_estimate(system, "sparse", values, solution, fit, (-1.0, 1.0))


def _one(system: LinearSystem, target: Array, variance: float, rounds: int) -> tuple[Array, int]:
    columns, noise = system.columns, system.noise
    variances = np.full(system.unknowns, variance)
    values = np.zeros(system.unknowns)
    made = 0
    while made < rounds:
        made += 1
        live = variances > NEGLIGIBLE * variance
        roots = np.sqrt(variances[live])
        left, singular, right = scipy.linalg.svd(columns[:, live] * roots, full_matrices=False, check_finite=False)
        seen = singular > 1e-13 * singular.max(initial=0.0)
        left, singular, right = left[:, seen], singular[seen], right[seen]
        new = np.zeros(system.unknowns)
        new[live] = roots * (right.T @ (singular / (singular**2 + noise**2) * (left.T @ target)))
        shares = np.sum((right * (singular / np.sqrt(singular**2 + noise**2))[:, None]) ** 2, axis=0)
        variances[live] = np.abs(new[live]) * roots / np.sqrt(np.maximum(shares, 1e-300))
        settled = np.max(np.abs(new - values), initial=0.0) <= 1e-12
        values = new
        if settled:
            break
    return values, made
