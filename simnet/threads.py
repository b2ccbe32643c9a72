"""Threads for transforms: as many as ``OMP_NUM_THREADS`` says, or else as there are processors.

Transforms have no threads of their own: batches of runs, or the rows of one batch, are shared out among these.  Matrix
products have some, which are awake for a tenth of a second after each, and keep a core busy that transforms could use: where
both meet, products are shared out here too.  Transforms compute rows alike on any thread and in any company, so that results
are the same bits whatever the number of threads; a product rounds rows as its batch is cut.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock, local
from typing import Any

#: ``_here.most`` is the limit in this thread, where there is one.
_here = local()

#: Held by who limits the threads of BLAS.
_limiting = Lock()


def threads() -> int:
    """How many threads this thread may use.

    Examples
    --------
    >>> from simnet.threads import limited, threads
    >>> with limited(1):
    ...     threads()
    1
    """
    most: int | None = getattr(_here, "most", None)
    if most is None:
        asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
        most = int(asked) if asked.isdecimal() else _processors()
    return max(most, 1)


def _processors() -> int:
    """The processors that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def limited(most: int) -> Iterator[None]:
    """No more threads than ``most`` within, in this thread."""
    before = getattr(_here, "most", None)
    _here.most = most
    try:
        yield
    finally:
        _here.most = before


@contextmanager
def products_on_one_thread() -> Iterator[None]:
    """No matrix product within wakes the threads of BLAS, if this thread may say so (the rules of ``threadpoolctl``).

    They are those of the whole process: products elsewhere have one thread too for that time.  Where several ask for this,
    the first says when it ends: two that put back what they found could leave one thread for good.
    """
    if not _limiting.acquire(blocking=False):
        yield
        return
    try:
        with _blas().limit(limits=1):
            yield
    finally:
        _limiting.release()


@cache
def _blas() -> Any:
    """That of NumPy, and what else is loaded by now."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def spread(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    """``work`` for every item, on this thread and on others; what it calls then uses one."""
    items = list(items)
    if threads() == 1 or len(items) < 2:
        for item in items:
            work(item)
        return
    failed = False

    def alone(item: Any) -> None:
        nonlocal failed
        try:
            with limited(1):
                work(item)
        except BaseException:
            failed = True
            raise

    def queued(item: Any) -> None:
        if not failed:
            alone(item)

    begun: list[tuple[Any, Future[None]]] = []
    try:
        for item in items[1:]:
            begun.append((item, _pool(threads() - 1).submit(queued, item)))
        # this thread is awake: it takes the first item, and from the end what the others have not come to
        alone(items[0])
        while begun and not failed and begun[-1][1].cancel():
            alone(begun.pop()[0])
        for _, done in begun:
            done.result()
    except BaseException:  # an interrupt, or the end of a time limit, too: what has not begun is left
        for _, other in begun:
            other.cancel()
        raise


@cache
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, thread_name_prefix="simnet")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads
