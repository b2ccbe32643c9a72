"""Non-negative estimates: ridge among the attribute vectors that can be."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.decoding.estimate import Estimate, Fit
from simnet.decoding.linear import LinearSystem
from simnet.decoding.ridge import read_prior, shrunken_estimate, solve_directly
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation

Array = NDArray[np.float64]

#: Without noise the equations are held to this much of what the weakest column brings to a coordinate.
TIGHTNESS = 1e-4


def nonnegative(
    encoder: Encoder,
    observation: Observation,
    structure: Structure,
    *,
    prior: tuple[float, float] | None = None,
) -> Estimate:
    """``argmin ‖s' − B x‖²/σ² + ‖x − μ‖²/v`` over ``x ≥ 0``, by the active-set method of Lawson and Hanson.

    Fewer coordinates than unknowns are enough where many attributes are 0: each of those is a constraint that is met with
    equality.  A least-squares solution that is not negative anywhere is taken as it is.  Intervals are those of ridge, cut
    to ``[0, 1]``.

    Parameters
    ----------
    prior : (mean, variance), optional
        As for :func:`~simnet.decoding.ridge.ridge`.

    Notes
    -----
    The dictionary is formed, and the time grows with the cube of the number of unknowns: for up to a few thousand.
    """
    system = LinearSystem(encoder, observation, structure)
    solution = solve_directly(system, None if prior is None else read_prior(prior))
    values = solution.values
    if values.min(initial=0.0) < 0.0:
        mean, variance = solution.prior
        live = system.lengths[system.lengths > 0.0]
        weakest = float(live.min(initial=np.inf)) * np.sqrt(variance / observation.kept)
        noise = max(system.noise, TIGHTNESS * weakest if np.isfinite(weakest) else 0.0)
        # columns of length 1, so that the smallest are not taken for rounding
        scale = 1.0 / np.sqrt(system.lengths**2 / noise**2 + 1.0 / variance)
        stacked = np.concatenate([system.columns / noise, np.eye(system.unknowns) / np.sqrt(variance)]) * scale
        prior_rows = np.full(system.unknowns, mean / np.sqrt(variance))
        sides = [np.concatenate([target / noise, prior_rows]) for target in system.targets]
        values = np.stack([scale * scipy.optimize.nnls(stacked, side, maxiter=30 * system.unknowns)[0] for side in sides])
    fit = Fit("direct", system.unknowns, observation.kept, 0, 0.0, system.relative_residual(values))
    return shrunken_estimate(system, "nonnegative", values, solution, fit, (0.0, 1.0))
