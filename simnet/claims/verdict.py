"""From the samples of many trials to a row with a verdict.

Every threshold comes from a budget.  ``verify`` may be wrong about software that is right with probability at most
``failure_probability``; each test gets an equal part of it.

* A **law** holds if the ratio of the two means deviates from 1 by no more than a quantile times its standard error over
  the trials, plus the slack that the law states for itself.  The quantile is Student's, corrected for the skewness of the
  samples: squared errors are skewed, and a mean that comes out low then comes with a standard error that is too small.
* A **bound** holds if it was violated no more often than the quantile of the binomial distribution allows.
  Where there is no law, the bound alone decides.
* **Coverage** holds if it lies within its window; trials must be enough for chance not to leave it.

``resolution`` is the smallest relative deviation that the row would have noticed with probability 99 %.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats

from simnet.claims.base import Array, Case, Claim, Sample

HOLDS, FAILS = "holds", "FAILS"


@dataclass(frozen=True)
class Row:
    """One quantity of one case, judged."""

    property: str
    case: str
    quantity: str
    trials: int
    measured: float
    law: float
    ratio: float
    ratio_error: float
    allowed: float
    resolution: float
    bound: float
    violations: int
    tries: int
    allowed_violations: int
    verdict: str
    parameters: Mapping[str, Any]

    @builtins.property  # the field of that name hides the decorator
    def holds(self) -> bool:
        """Whether the row says that its law holds."""
        return self.verdict == HOLDS

    @builtins.property  # the field of that name hides the decorator
    def deviations(self) -> float:
        """The deviation from the law in units of what is allowed: above 1 the row fails."""
        return abs(self.ratio - 1.0) / self.allowed if self.allowed > 0.0 else math.inf


def skewed_quantiles(samples: Array, z: float) -> tuple[float, float]:
    """Between which values Student's ``t`` of skewed samples lies when that of normal samples lies within ``±z``.

    Hall's monotone cubic ``g(t) = [(1 + a t/3)³ − 1]/a + a/6``, ``a`` the skewness over ``√n``, makes ``t`` normal up to
    ``O(1/n)``; this is its inverse at ``±z``.

    Source: P. Hall, *On the removal of skewness by transformation*, J. R. Statist. Soc. B 54 (1992) 221-228.
    """
    a = float(scipy.stats.skew(samples)) / math.sqrt(len(samples)) if np.ptp(samples) > 0.0 else 0.0
    if abs(a) < 1e-6:
        return -z, z
    low, high = (3.0 / a * (np.cbrt(1.0 + a * (t - a / 6.0)) - 1.0) for t in (-z, z))
    return float(low), float(high)


def judge(claim: Claim, case: Case, samples: Sequence[Sample], failure_probability: float) -> Row:
    """The verdict on one quantity from its samples, one for each trial, at a failure probability for this row."""
    first = samples[0]
    lawless = math.isnan(first.law) and math.isnan(first.zero_scale)
    measured = np.array([sample.measured for sample in samples], float)
    law = np.array([sample.law for sample in samples], float)
    n = len(samples)
    if math.isnan(first.zero_scale):
        ratio = float(measured.mean() / law.mean())
        spread = measured - ratio * law
        scale = float(law.mean())
    else:  # a law of 0: deviations in units of the natural scale, shown as a ratio around 1
        ratio = 1.0 + float(measured.mean()) / first.zero_scale
        spread, scale = measured - measured.mean(), first.zero_scale
    error = float(spread.std(ddof=1) / math.sqrt(n) / scale) if n > 1 else math.inf
    # half of the row's budget for the law, half for the bound; exact laws meet rounding
    z = float(scipy.stats.t.isf(failure_probability / 4.0, n - 1)) if n > 1 else math.inf
    if math.isnan(first.window):
        low, high = skewed_quantiles(spread, z) if n > 1 else (-z, z)
        allowed = first.slack + (high if ratio > 1.0 else -low) * error + 1e-12
    else:
        allowed = first.window / scale
    holds = abs(ratio - 1.0) <= allowed or (lawless and math.isfinite(first.bound) and bool(np.isfinite(measured).all()))
    violations = sum(sample.violations for sample in samples)
    tries = sum(sample.tries for sample in samples)
    allowed_violations = 0
    if math.isfinite(first.bound):
        quantile = scipy.stats.binom.isf(failure_probability / 2.0, tries, first.failure_probability)
        allowed_violations = int(quantile)
        holds = holds and violations <= allowed_violations
    return Row(
        property=claim.name,
        case=case.label,
        quantity=first.quantity,
        trials=n,
        measured=float(measured.mean()),
        law=float(law.mean()),
        ratio=ratio,
        ratio_error=error,
        allowed=allowed,
        resolution=allowed + 2.33 * error,
        bound=float(np.mean([sample.bound for sample in samples])),
        violations=violations,
        tries=tries,
        allowed_violations=allowed_violations,
        verdict=HOLDS if holds and (math.isfinite(ratio) or lawless) else FAILS,
        parameters=case.parameters,
    )
