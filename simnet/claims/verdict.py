"""From the samples of many trials to a row with a verdict.

Every threshold comes from a budget.  ``verify`` may be wrong about software that is right with probability at most
``failure_probability``; each test gets an equal part of it.

* A **law** holds if the ratio of the two means deviates from 1 by no more than the quantile of Student's t times its
  standard error over the trials, plus the slack that the law states for itself.
* A **bound** holds if it was violated no more often than the quantile of the binomial distribution allows.
* **Coverage** holds if it lies within its window; trials must be enough for chance not to leave it.

``resolution`` is the smallest relative deviation that the row would have noticed with probability 99 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats

from simnet.claims.base import Case, Claim, Sample

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

    @property
    def holds(self) -> bool:
        """Whether the row says that its law holds."""
        return self.verdict == HOLDS

    @property
    def deviations(self) -> float:
        """The deviation from the law in units of what is allowed: above 1 the row fails."""
        return abs(self.ratio - 1.0) / self.allowed if self.allowed > 0.0 else math.inf


def judge(claim: Claim, case: Case, samples: Sequence[Sample], failure_probability: float) -> Row:
    """The verdict on one quantity from its samples, one for each trial, at a failure probability for this row."""
    first = samples[0]
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
    allowed = first.slack + z * error + 1e-12 if math.isnan(first.window) else first.window / scale
    holds = abs(ratio - 1.0) <= allowed
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
        verdict=HOLDS if holds and math.isfinite(ratio) else FAILS,
        parameters=case.parameters,
    )
