"""One trial as a worker runs it: on one thread, within its time, and with its failure written down."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
import warnings
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib._store_backends import FileSystemStoreBackend
from threadpoolctl import threadpool_limits

from simnet import threads
from simnet.claims import Sample
from simnet.claims.loading import find_claim
from simnet.files import written_whole
from simnet.limits import TimeIsUp, within
from simnet.sketcher import Sketcher
from simnet.testing import DEFECTS

OK, FAILED, TIMEOUT = "ok", "failed", "timeout"


class Trial(NamedTuple):
    """Which point, which of its trials, and what :func:`execute` is to be called with."""

    point: int
    number: int
    seed: int
    kind: str
    params: str
    version: int


class Outcome(NamedTuple):
    """How a trial ended, and what it measured."""

    status: str
    error: str
    seconds: float
    samples: tuple[Sample, ...]


def execute(kind: str, params: str) -> tuple[float, list[tuple[Any, ...]]]:
    """Run the trial; the seconds it took, and its samples as plain tuples."""
    start = time.perf_counter()
    given = json.loads(params)
    parameters = given["parameters"]
    sketcher = DEFECTS.get(parameters.pop("defect"), Sketcher)
    samples = find_claim(kind).trial(parameters, given["seed"], sketcher)
    plain = [tuple(x.item() if isinstance(x, np.generic) else x for x in dataclasses.astuple(s)) for s in samples]
    return time.perf_counter() - start, plain


class _Store(FileSystemStoreBackend):
    """Files of results, without one about each of them, which would cost as much time again."""

    def store_metadata(self, call_id: Any, metadata: Any) -> None:
        pass


joblib.register_store_backend("simnet", _Store)


@functools.cache
def cached(cache: str) -> Any:
    """:func:`~simnet.study.trampoline.run_trial`, kept under a folder."""
    from simnet.study.trampoline import run_trial

    return joblib.Memory(cache, backend="simnet", verbose=0).cache(run_trial)


@functools.cache
def one_thread() -> None:
    """From now on linear algebra uses one thread: several could round differently, and workers fill the cores."""
    threadpool_limits(limits=1)


def recall(cache: str, trial: Trial) -> Outcome:
    """A trial that is in the cache, or is now run and put there."""
    seconds, samples = cached(cache)(trial.kind, trial.params, trial.version)
    return Outcome(OK, "", seconds, tuple(Sample(*sample) for sample in samples))


def attempt(cache: str, trial: Trial, timeout: float | None, parent: int | None = None) -> Outcome:
    """Run a trial; a failure becomes an outcome and is noted beside the cache, to be tried again by the next call.

    ``parent`` is the process that asked for it: a worker that has outlived it stops.
    """
    if parent is not None and parent not in (os.getpid(), os.getppid()):
        os._exit(1)
    one_thread()
    start = time.perf_counter()
    note = failure_note(cache, trial)
    try:
        with within(timeout), threads.limited(1), warnings.catch_warnings():
            # the cache tells the time by the clock on the wall, which may jump
            warnings.filterwarnings("ignore", "Persisting input arguments took")
            outcome = recall(cache, trial)
    except TimeIsUp:
        outcome = Outcome(TIMEOUT, f"longer than {timeout:g} s", time.perf_counter() - start, ())
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        outcome = Outcome(FAILED, text, time.perf_counter() - start, ())
    if outcome.status == OK:
        note.unlink(missing_ok=True)
    else:
        note.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(note) as file:
            file.write(json.dumps(outcome[:3]).encode())
    return outcome


def failure_note(cache: str, trial: Trial) -> Path:
    """The file that says how a trial failed."""
    name = blake2b(repr(trial[3:]).encode(), digest_size=16).hexdigest()
    return Path(cache) / "failures" / f"{name}.json"


def noted_failure(cache: str, trial: Trial) -> Outcome | None:
    """How a trial failed when it was last tried, if it did."""
    with suppress(OSError, ValueError):
        status, error, seconds = json.loads(failure_note(cache, trial).read_bytes())
        return Outcome(status, error, seconds, ())
    return None
