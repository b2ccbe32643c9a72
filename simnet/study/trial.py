"""One trial as a worker runs it: on one thread, within its time, and with its failure written down."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import json
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


class TrialTimeout(BaseException):
    """The time of a trial is over.  No ``Exception``: a claim must not catch it by accident."""


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
        with limited(timeout), threads.limited(1), warnings.catch_warnings():
            # the cache tells the time by the clock on the wall, which may jump
            warnings.filterwarnings("ignore", "Persisting input arguments took")
            outcome = recall(cache, trial)
    except TrialTimeout:
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


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise :class:`TrialTimeout` inside the block when it takes longer.

    In the main thread by an alarm, which also ends a wait; in others, as on a Dask worker, by an exception that is raised in
    the thread.  Either comes between two steps of Python: a long call into a library ends first.
    """
    if seconds is None:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        previous = signal.signal(signal.SIGALRM, _on_alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, previous)
    else:
        yield from _limited_thread(seconds)


def _on_alarm(number: int, frame: Any) -> None:
    raise TrialTimeout


def _limited_thread(seconds: float) -> Iterator[None]:
    """A watcher waits for the end of the block, and strikes when it has waited too long.

    The exception may arrive at any step of this thread: the two share no more than plain locks, which it cannot leave in
    disorder.  One that is on its way when the block ends is waited for: to take it back would leave the interpreter looking
    for it (CPython 3.11 for ever, where the thread is traced).
    """
    thread, lock, ended = ctypes.c_ulong(threading.get_ident()), threading.Lock(), threading.Lock()
    armed, struck, arrived = True, False, False

    def watch() -> None:
        nonlocal struck
        if not ended.acquire(timeout=seconds):
            with lock:
                if armed:
                    struck = True
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TrialTimeout))

    ended.acquire()
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    except TrialTimeout:
        arrived = True
        raise
    finally:
        with lock:  # from here on it cannot strike
            armed = False
        ended.release()
        for _ in range(100 * (struck and not arrived)):  # few: a block may have swallowed it
            time.sleep(0.001)
