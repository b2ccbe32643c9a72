"""Threads change how long it takes, and not a bit of what comes out."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import simnet
from simnet import threads
from simnet.sketching import encoder, plan

NET = simnet.networks.layered(widths=(5, 3, 2), attribute_dim=4, seed=0)
RUNS = NET.run(9, seed=1)


@pytest.fixture
def many(monkeypatch):
    """Pieces so small that there are many, batches of two runs, and threads however small the work is."""
    monkeypatch.setattr(encoder, "THREADS_BYTES", 1)
    monkeypatch.setattr(plan, "PIECE_BYTES", 1 << 10)
    monkeypatch.setattr(encoder, "RUN_BYTES", 2 * 64 * 8)


@pytest.mark.parametrize("family", ["trig", "gaussian", "packet"])
def test_sketches_and_adjoints_are_the_same_bits_on_any_number_of_threads(family, many, monkeypatch):
    found = []
    for count in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        sketcher = simnet.Sketcher(NET, 64, family, seed=3)
        operator = sketcher.operator(RUNS[0])
        found.append(
            (
                sketcher.encode(RUNS),
                sketcher.encode(RUNS[4]),
                operator.rmatmat(np.eye(64)),
                operator @ np.eye(operator.shape[1]),
            )
        )
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_little_work_goes_on_one_thread_and_more_on_all(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    allowed, right = [], encoder.spread
    monkeypatch.setattr(encoder, "spread", lambda *a: allowed.append((len(a[1]), threads.threads())) or right(*a))
    for most, expected in ((5 * 64 * 8, 3), (5 * 64 * 8 + 1, 1)):
        monkeypatch.setattr(encoder, "THREADS_BYTES", most)
        allowed.clear()
        simnet.Sketcher(NET, 64, seed=3).encode(RUNS[0])
        assert allowed[:2] == [(1, 3), (expected, expected)]  # one batch of runs, and the values of its five first objects


def test_work_goes_to_as_many_threads_and_each_of_them_takes_one(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    together, seen = threading.Barrier(3, timeout=10), []

    def work(i):
        together.wait()  # passes only if three are at work at once
        seen.append((i, threads.threads()))

    threads.spread(work, range(3))
    assert sorted(seen) == [(0, 1), (1, 1), (2, 1)]
    assert threads.threads() == 3


@pytest.mark.parametrize(("value", "count"), [("4", 4), ("2,1", 2), ("0", 1)])
def test_the_environment_says_how_many(value, count, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads.threads() == count
    with threads.limited(1):
        assert threads.threads() == 1
        with ThreadPoolExecutor(1) as other:
            assert other.submit(threads.threads).result() == count  # the limit is of this thread
    assert threads.threads() == count


def test_without_a_word_there_are_as_many_as_processors(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads.threads() >= 1


def test_a_failure_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def work(i):
        raise ValueError(f"item {i}")

    with pytest.raises(ValueError, match="item 0"):
        threads.spread(work, [0, 1])


def test_a_failure_on_another_thread_is_raised_and_ends_the_rest(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    together, begun = threading.Barrier(2, timeout=10), []

    def work(i):
        begun.append(i)
        if i < 2:
            together.wait()  # one item on each of the threads
        if i == 1:
            raise ValueError("item 1")
        time.sleep(0.2)

    with pytest.raises(ValueError, match="item 1"):
        threads.spread(work, range(20))
    assert sorted(begun) == [0, 1]


def test_the_thread_that_asks_takes_what_the_others_have_not_come_to(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun, done, taken = threading.Event(), threading.Event(), {}

    def work(i):
        taken[i] = threading.get_ident()
        if i == 0:
            begun.wait(10)
        if i == 1:
            begun.set()
            done.wait(10)
        if i == 2:
            done.set()

    threads.spread(work, range(6))
    assert [i for i in range(6) if taken[i] == threading.get_ident()] == [0, 2, 3, 4, 5]


def test_after_a_failure_nothing_more_is_begun(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun = []

    def work(i):
        begun.append(i)
        if i == 0:
            raise ValueError("item 0")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="item 0"):
        threads.spread(work, range(100))
    time.sleep(0.7)  # long enough for all of them
    assert len(begun) < 20


def products():
    """How many threads matrix products have, in libraries that were there when they were first asked for."""
    return [library.num_threads for library in threads._blas().lib_controllers]


def give(counts):
    """So many threads to matrix products; who said so does not matter afterwards."""
    for library, count in zip(threads._blas().lib_controllers, counts, strict=True):
        library.set_num_threads(count)
        getattr(library, "clear_controlling_thread", lambda: None)()


@pytest.fixture
def two_threads():
    before = products()
    give([2] * len(before))
    yield
    give(before)


@pytest.mark.usefixtures("two_threads")
def test_matrix_products_have_one_thread_and_then_as_many_as_before():
    assert set(products()) == {2}
    with threads.products_on_one_thread(), threads.products_on_one_thread():
        assert set(products()) == {1}
    assert set(products()) == {2}
    with pytest.raises(ValueError, match="within"), threads.products_on_one_thread():
        raise ValueError("within")
    assert set(products()) == {2}
    with threads.products_on_one_thread():  # a failure has let go of it
        assert set(products()) == {1}


@pytest.mark.usefixtures("two_threads")
def test_who_leaves_last_puts_back_nothing():
    inside, left = threading.Event(), threading.Event()

    def other():
        with threads.products_on_one_thread():
            inside.set()
            left.wait(10)

    with ThreadPoolExecutor(1) as pool:
        with threads.products_on_one_thread():
            busy = pool.submit(other)
            inside.wait(10)
            assert set(products()) == {1}
        left.set()
        busy.result()
        assert set(products()) == {2}
