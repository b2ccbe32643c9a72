"""Is ``verify`` as reliable as it says?  False alarms of right software, and power against planted defects.

One trial of a point is one run of ``verify --quick`` with a seed of its own; see ``false_alarms.toml`` and ``power.toml``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simnet.claims import CLAIMS, Case, Claim, Sample
from simnet.claims.base import prepared
from simnet.claims.parameters import Text
from simnet.claims.verdict import judge
from simnet.claims.verify import FAILURE_PROBABILITY, Task, judged, measure, run_task
from simnet.sketcher import Sketcher
from simnet.testing import DEFECTS

#: Failure probabilities that a run is judged at: the one of ``verify``, and two that fail often enough to count.
BUDGETS = (FAILURE_PROBABILITY, 0.01, 0.1)


class FalseAlarms(Claim):
    """``P[some row of a property fails | the software is right] ≤`` the failure probability that the run states."""

    name = "false_alarms"
    title = "false alarms ≤ stated"
    statement = "Right software fails a run of verify no more often than the run states."
    formula = "P[a row fails | all laws hold] ≤ failure probability"
    parameters: ClassVar[Mapping[str, Any]] = {"property": tuple(CLAIMS)}

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        """One quick run of one property, judged at each of the budgets."""
        collected = measure([parameters["property"]], quick=True, seed=seed, sketcher=sketcher)
        samples = []
        for budget in BUDGETS:
            alarm = int(any(not row.holds for row in judged(collected, budget)))
            samples.append(
                Sample(
                    f"false alarm at {budget:g}",
                    float(alarm),
                    math.nan,
                    bound=budget,
                    violations=alarm,
                    tries=1,
                    failure_probability=budget,
                )
            )
        return samples


class Power(Claim):
    """``P[verify rejects | a planted defect] ≥ 0.99``, by one case that shows it.

    Its rows get the part of the failure probability that they have in a run of the whole property; other cases can only add
    to the power.  (A study's own ``defect`` marks points that must fail; here all must hold, so it has another name.)
    """

    name = "power"
    title = "defects caught ≥ 99 %"
    statement = "A sketcher with a planted defect is rejected in at least 99 % of the runs."
    formula = "P[a row fails | defect] ≥ 0.99"
    parameters: ClassVar[Mapping[str, Any]] = {"property": tuple(CLAIMS), "case": Text(""), "planted": tuple(DEFECTS)}

    def prepare(self, parameters: Mapping[str, Any]) -> tuple[Case, int]:
        """The first case of the property whose label begins so, and how many rows the whole property has."""
        cases = CLAIMS[parameters["property"]].cases(quick=True)
        case = next(case for case in cases if case.label.startswith(parameters["case"]))
        rows = len(measure([parameters["property"]], quick=True))
        return case, rows

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        """One quick run of the case with the defect in the place of the sketcher."""
        case, rows = prepared(self, parameters)
        task = Task(parameters["property"], 0, case, 0, case.trials)
        quantities: dict[str, list[Sample]] = {}
        for trial in run_task(0, task, seed, DEFECTS[parameters["planted"]])[1]:
            for sample in trial:
                quantities.setdefault(sample.quantity, []).append(sample)
        share = FAILURE_PROBABILITY / rows
        missed = int(all(judge(CLAIMS[task.claim], case, samples, share).holds for samples in quantities.values()))
        return [Sample("missed", float(missed), math.nan, bound=0.01, violations=missed, tries=1, failure_probability=0.01)]
