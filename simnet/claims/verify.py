"""Verify: every claim on its grid, in parallel, to a table of verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import joblib
import pandas as pd

from simnet.checks import choice, integer, probability, sequence
from simnet.claims import CLAIMS
from simnet.claims.base import Case, Claim, Sample
from simnet.claims.verdict import Row, judge
from simnet.randomness import stream
from simnet.sketcher import Sketcher

#: ``verify`` condemns software that is right with at most this probability.
FAILURE_PROBABILITY = 0.001

Progress = Callable[[int, int, str], None]
#: The samples of each quantity, one a trial, by name of the claim, number of the case and quantity.
Collected = dict[tuple[str, int, str], tuple[Case, list[Sample]]]


class Task(NamedTuple):
    """Some trials of one case, run in one go by one worker."""

    claim: str
    number: int
    case: Case
    start: int
    stop: int


def trial_seed(master: int, claim: Claim, case: Case, trial: int) -> int:
    """The seed of one trial: from names, so that no other trial, case or claim changes it."""
    return int(stream(master, "trial", claim.name, case.label, trial).integers(1 << 62))


def run_task(place: int, task: Task, master: int, sketcher: type[Sketcher]) -> tuple[int, list[list[Sample]]]:
    """The samples of each trial of a task, with the task's place in the plan: tasks end in any order."""
    claim = CLAIMS[task.claim]
    return place, [
        list(claim.trial(task.case.parameters, trial_seed(master, claim, task.case, t), sketcher))
        for t in range(task.start, task.stop)
    ]


def plan(claims: Sequence[Claim], *, quick: bool) -> list[Task]:
    """All tasks, the long ones first, so that no worker is left with one at the end."""
    tasks = []
    for claim in claims:
        for number, case in enumerate(claim.cases(quick=quick)):
            for start in range(0, case.trials, case.batch):
                stop = min(start + case.batch, case.trials)
                tasks.append(Task(claim.name, number, case, start, stop))
    return sorted(tasks, key=lambda task: task.case.batch)


def verify(
    properties: Sequence[str] | None = None,
    *,
    quick: bool = False,
    seed: int = 0,
    workers: int = 1,
    failure_probability: float = FAILURE_PROBABILITY,
    sketcher: type[Sketcher] = Sketcher,
    progress: Progress | None = None,
) -> list[Row]:
    """Run claims against their laws and bounds.

    Parameters
    ----------
    properties : sequence of str, optional
        Names of claims; all of them when not given.
    quick : bool
        Fewer trials: seconds, and coarser resolution.
    seed : int
        Same seed, same table, whatever the number of workers.
    workers : int
        Processes.
    failure_probability : float
        Of the whole table: the chance that a row fails although its law holds.
    sketcher : type
        :class:`simnet.Sketcher`, or one with a planted defect from ``simnet.testing``.
    progress : callable, optional
        Called with the tasks done, the tasks in all and the name of the claim whose task was done.

    Returns
    -------
    list of Row
        In the order of claims, cases and quantities.

    Examples
    --------
    >>> from simnet.claims.verify import verify
    >>> rows = verify(["matrices"], quick=True)
    >>> all(row.holds for row in rows)
    True
    """
    budget = probability("failure_probability", failure_probability)
    collected = measure(properties, quick=quick, seed=seed, workers=workers, sketcher=sketcher, progress=progress)
    return judged(collected, budget)


def measure(
    properties: Sequence[str] | None = None,
    *,
    quick: bool = False,
    seed: int = 0,
    workers: int = 1,
    sketcher: type[Sketcher] = Sketcher,
    progress: Progress | None = None,
) -> Collected:
    """The samples that :func:`verify` judges, by claim, case and quantity; parameters as there."""
    wanted = sequence("properties", properties or CLAIMS.keys(), of="names")
    chosen = [CLAIMS[choice("property", name, CLAIMS)] for name in dict.fromkeys(wanted)]
    integer("seed", seed, maximum=None)
    workers = integer("workers", workers, minimum=1)
    tasks = plan(chosen, quick=quick)
    results: dict[int, list[list[Sample]]] = {}
    for place, samples in _run(tasks, seed, sketcher, workers):
        results[place] = samples
        if progress is not None:
            progress(len(results), len(tasks), tasks[place].claim)
    # back to the order of claims, cases and trials, whatever the order in which tasks were planned and ended
    names = [claim.name for claim in chosen]
    ordered = sorted(enumerate(tasks), key=lambda pair: (names.index(pair[1].claim), pair[1].number, pair[1].start))
    collected: Collected = {}
    for place, task in ordered:
        for trial in results[place]:
            for sample in trial:
                collected.setdefault((task.claim, task.number, sample.quantity), (task.case, []))[1].append(sample)
    return collected


def judged(collected: Collected, failure_probability: float) -> list[Row]:
    """A verdict for each quantity; each gets an equal part of the failure probability of them all."""
    share = failure_probability / len(collected)
    return [judge(CLAIMS[name], case, samples, share) for (name, _, _), (case, samples) in collected.items()]


def _run(tasks: list[Task], seed: int, sketcher: type[Sketcher], workers: int) -> Iterator[tuple[int, list[list[Sample]]]]:
    """The results of tasks as they end."""
    if workers == 1:
        for place, task in enumerate(tasks):
            yield run_task(place, task, seed, sketcher)
        return
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
        yield from parallel(joblib.delayed(run_task)(place, task, seed, sketcher) for place, task in enumerate(tasks))


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as a data frame; every parameter of a case is a column ``parameters.…``."""
    records: list[dict[str, Any]] = []
    for row in rows:
        record = asdict(row)
        parameters = record.pop("parameters")
        records.append(record | {f"parameters.{key}": value for key, value in parameters.items()})
    return pd.DataFrame.from_records(records)
