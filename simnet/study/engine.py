"""Runs a study: what is cached is taken from there, the rest is run, here, by worker processes or on a Dask cluster.

Every trial goes into the cache by itself, in the process that ran it, as soon as it ends.  A run that is interrupted, even
by ``kill -9``, therefore loses the trials in flight and nothing else; the next call goes on.  Tables are put together in
the order of the study, never in the order in which trials end: they do not depend on who ran them.

The cache is a folder of ``joblib.Memory``, ``.simnet`` in the working directory unless told otherwise, shared by all
studies; on a cluster it must be on a file system that all workers share.  It holds pickles, so it is nothing to take from
others; results folders hold none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import threadpool_limits

from simnet.checks import integer
from simnet.claims.loading import claim_file
from simnet.study import tables
from simnet.study.provenance import now, provenance
from simnet.study.study import Study, canonical, check_timeout
from simnet.study.trial import OK, Outcome, Trial, attempt, cached, noted_failure, recall

CACHE = Path(".simnet")
RESULTS = Path("results")

#: Called with the trials that are done, of how many, and the parameters of one that is running.
Progress = Callable[[int, int, str], None]


class WorkerDied(RuntimeError):
    """The system ended a worker, for want of memory most likely.  What was finished is in the cache."""


class Status(NamedTuple):
    """How many trials of a study are in the cache, failed when last tried, and are still to be run."""

    points: int
    trials: int
    done: int
    failed: int
    missing: int


class Estimate(NamedTuple):
    """How long a study would take; ``seconds`` of one worker, for what is not in the cache."""

    status: Status
    seconds: float
    measured: int


def plan(study: Study) -> list[Trial]:
    """All trials, the first of every point before the second: partial tables have all points, batches cost the same."""
    claim, path = study.source, claim_file(study.claim, study.folder)
    kind = study.claim if path is None else f"{path}:{study.claim.rpartition(':')[2]}"
    trials = []
    for number in range(study.trials):
        for i, point in enumerate(study.points):
            seed = study.trial_seed(point, number)
            handed = {name: value for name, value in point.parameters.items() if name != "label"}
            trials.append(Trial(i, number, seed, kind, canonical({"parameters": handed, "seed": seed}), claim.version))
    return trials


def _is_cached(cache: str, trial: Trial) -> bool:
    return bool(cached(cache).check_call_in_cache(trial.kind, trial.params, trial.version))


def _place(cache: Path | str | None) -> str:
    return str(Path(CACHE if cache is None else cache).resolve())


def recalled(study: Study, cache: Path | str | None = None) -> tuple[list[Trial], dict[Trial, Outcome]]:
    """All trials, and the outcomes of those that were run: from the cache, or failed."""
    place, trials = _place(cache), plan(study)
    outcomes = {}
    for trial in trials:
        outcome = recall(place, trial) if _is_cached(place, trial) else noted_failure(place, trial)
        if outcome is not None:
            outcomes[trial] = outcome
    return trials, outcomes


def status(study: Study, cache: Path | str | None = None) -> Status:
    """How much of a study has been run; runs nothing."""
    place, trials = _place(cache), plan(study)
    done = [_is_cached(place, trial) for trial in trials]
    failed = sum(not there and noted_failure(place, trial) is not None for trial, there in zip(trials, done, strict=True))
    return Status(len(study.points), len(trials), sum(done), failed, len(trials) - sum(done) - failed)


def collect(study: Study, output: Path | str | None = None, cache: Path | str | None = None) -> tables.Results:
    """Write the tables of what there is, in mid-run too; runs nothing."""
    trials, outcomes = recalled(study, cache)
    return _written(study, output, trials, outcomes, provenance(study, workers=0, started=now()))


def run_study(
    study: Study,
    *,
    output: Path | str | None = None,
    cache: Path | str | None = None,
    workers: int = 1,
    cluster: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> tables.Results:
    """Run what is missing of a study and write its tables.

    Parameters
    ----------
    study : Study
    output : path, optional
        The folder for the tables; ``results/NAME`` when not given.
    cache : path, optional
        The folder of the cache; ``.simnet`` when not given.
    workers : int
        Processes on this machine.
    cluster : str, optional
        The address of a Dask scheduler, to run there; then ``workers`` is not used.
    timeout : float, optional
        Seconds a trial, in place of the study's.
    progress : callable, optional

    Returns
    -------
    Results
        The same tables, byte for byte, whoever ran the trials and however often the run was interrupted.

    Raises
    ------
    ValueError
        If an argument is out of range or the cluster cannot be reached.
    WorkerDied
        If the system ends a worker.
    """
    workers, place, started = integer("workers", workers, minimum=1), _place(cache), now()
    limit = study.timeout if timeout is None else check_timeout(timeout)
    trials, outcomes = recalled(study, cache)
    # a trial that failed is tried again; two points that differ only in their label share their trials
    missing = list(
        {trial.params: trial for trial in trials if trial not in outcomes or outcomes[trial].status != OK}.values()
    )
    finished: dict[str, Outcome] = {}
    running: dict[Trial, None] = {}

    def dispatched() -> Iterator[Any]:
        parent = None if cluster is not None else os.getpid()
        for trial in missing:
            running[trial] = None
            yield joblib.delayed(_numbered)(place, trial, limit, parent)

    with _backend(workers, cluster) as parallel:
        for trial, outcome in parallel(dispatched()):
            running.pop(trial, None)
            finished[trial.params] = outcome
            if progress is not None:
                now_running = next(iter(list(running)), trial)
                done = len(trials) - len(missing) + len(finished)
                progress(done, len(trials), describe(study, now_running))
    outcomes |= {trial: finished[trial.params] for trial in trials if trial.params in finished}
    facts = provenance(study, workers=workers if cluster is None else "cluster", started=started)
    return _written(study, output, trials, outcomes, facts)


def _numbered(cache: str, trial: Trial, timeout: float | None, parent: int | None) -> tuple[Trial, Outcome]:
    return trial, attempt(cache, trial, timeout, parent)


@contextmanager
def _backend(workers: int, cluster: str | None) -> Iterator[joblib.Parallel]:
    """One way to run tasks: here, in worker processes, or on a cluster.  Short tasks are sent several at a time."""
    options: dict[str, Any] = {"n_jobs": workers, "return_as": "generator_unordered"}
    if cluster is None:
        try:
            with threadpool_limits(limits=1), joblib.parallel_config(backend="loky", inner_max_num_threads=1):
                yield joblib.Parallel(**options)
        except TerminatedWorkerError as error:
            raise WorkerDied("a worker was ended from outside, for want of memory most likely") from error
        return
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise ValueError(f"cluster = {cluster!r}: needs Dask, install the extra `cluster`") from error
    try:
        client = Client(cluster, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(f"cluster = {cluster!r}: cannot be reached ({error or type(error).__name__})") from error
    try:
        with client, joblib.parallel_config(backend="dask", client=client):
            yield joblib.Parallel(**options | {"n_jobs": -1})
    except KilledWorker as error:
        raise WorkerDied("workers of the cluster were ended from outside, for want of memory most likely") from error


def describe(study: Study, trial: Trial) -> str:
    """What varies, at the point of a trial."""
    row = study.columns[trial.point]
    return ", ".join(f"{name.rpartition('.')[2]} = {row[name]}" for name in study.varying if name in row)


def estimate(study: Study, cache: Path | str | None = None, budget: float = 10.0) -> Estimate:
    """How long it would take: up to two trials of as many points as ``budget`` seconds allow, in random order.

    They go into the cache.  The second of a point is the measure, for the first also makes what all of them share.
    """
    place, trials, before = _place(cache), plan(study), status(study, cache)
    per_point: dict[int, float] = {}
    spent = 0.0
    for i in np.random.default_rng(0).permutation(len(study.points)):
        if spent > budget:
            break
        mine = [trial for trial in trials if trial.point == i][:2]
        seconds = [attempt(place, trial, study.timeout).seconds for trial in mine]
        per_point[int(i)], spent = seconds[-1], spent + sum(seconds)
    mean = sum(per_point.values()) / len(per_point)
    left = [trial for trial in trials if not _is_cached(place, trial)]
    total = sum(per_point.get(trial.point, mean) for trial in left)
    return Estimate(before, total, len(per_point))


def _written(
    study: Study, output: Path | str | None, trials: Sequence[Trial], outcomes: dict[Trial, Outcome], facts: dict[str, Any]
) -> tables.Results:
    ordered = sorted(trials, key=lambda trial: (trial.point, trial.number))
    made = tables.tabulate(study, [(trial, outcomes[trial]) for trial in ordered if trial in outcomes], facts)
    tables.write_results(made, RESULTS / study.name if output is None else Path(output))
    return made
