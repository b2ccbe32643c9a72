"""Limits on the memory and the time that a file, or a trial, can make this process take."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def at_most(more: int) -> Iterator[None]:
    """No more bytes than that on top of what the process has now: past them there is a ``MemoryError``.

    Where the system has no such limit, there is none.
    """
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = pages * os.sysconf("SC_PAGE_SIZE")
    ceilings = [now + more, *(limit for limit in before if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(ceilings), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


#: After so many seconds an alarm strikes again: what is raised while an object is deleted, Python ignores.
#: The one in other threads does not, so that none is on its way when the block ends.
AGAIN = 1.0


class TimeIsUp(BaseException):
    """A block has had its time.  No ``Exception``: what runs in it must not catch it by accident."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Raise :class:`TimeIsUp` inside the block when it takes longer.

    In the main thread by an alarm, which also ends a wait; in others, as on a Dask worker, by an exception that is raised in
    the thread.  Either comes between two steps of Python: a long call into a library ends first.
    """
    if seconds is None:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        previous = signal.signal(signal.SIGALRM, _on_alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, previous)
    else:
        yield from _limited_thread(seconds)


def _on_alarm(number: int, frame: Any) -> None:
    raise TimeIsUp


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
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeIsUp))

    ended.acquire()
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    except TimeIsUp:
        arrived = True
        raise
    finally:
        with lock:  # from here on it cannot strike
            armed = False
        ended.release()
        for _ in range(100 * (struck and not arrived)):  # few: a block may have swallowed it
            time.sleep(0.001)
