"""One store and its index, used by several processes at once: nothing is lost, and what goes wrong is said in one line."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from simnet.memory import SketchStore
from tests.memory.adder import sketch_of

FOLDER = Path(__file__).parent

#: Without the lock so many rounds of each leave rows twice, or fail.
ROUNDS = 25


def started(script, *arguments):
    return subprocess.Popen([sys.executable, FOLDER / script, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def ended(process):
    """What a process has written until it is killed: lines that are whole."""
    process.kill()
    return [line for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]


def test_one_process_reads_what_another_adds(empty):
    with started("adder.py", empty.path, 0) as process:
        told = [process.stdout.readline()]
        seen, deadline = 0, time.monotonic() + 60.0
        while seen < 10 and time.monotonic() < deadline:
            ids = empty.ids()
            # all that was there before and more, none half
            assert ids.tolist() == list(range(1, len(ids) + 1))
            assert empty.check() >= len(ids) >= seen
            seen = len(ids)
            newest = empty.get(seen)
            np.testing.assert_array_equal(newest.sketch, sketch_of(0, newest.metadata["i"], 2048).astype(np.float32))
            assert empty.nearest(newest.sketch.astype(float), 1, method="exact")[0].id == seen
        told += ended(process)
    assert seen > 1
    assert {int(line.split()[0]) for line in told} <= set(empty.ids().tolist())


def test_one_process_removes_while_another_adds(empty):
    with started("adder.py", empty.path, 0) as process:
        told, removed = [process.stdout.readline()], []
        while len(removed) < 10:
            removed.append(int(empty.ids()[0]))
            empty.remove(removed[-1])
            told.append(process.stdout.readline())
        told += ended(process)
    left = set(empty.ids().tolist())
    assert {int(line.split()[0]) for line in told} - set(removed) <= left
    assert not left & set(removed)  # a number is not given twice
    assert empty.check() == len(left)


@pytest.fixture
def indexed(filled):
    pytest.importorskip("lancedb")
    filled.build_index(prefix=128)
    return filled


@pytest.mark.parametrize(("one", "other"), [("update", "update"), ("update", "build")])
def test_two_processes_write_the_index_while_one_adds_and_one_asks(indexed, one, other):
    with (
        started("adder.py", indexed.path, 0) as adder,
        started("indexer.py", indexed.path, one, ROUNDS) as first,
        started("indexer.py", indexed.path, other, ROUNDS) as second,
    ):
        found = 0
        while first.poll() is None or second.poll() is None:
            key = int(adder.stdout.readline().split()[0])
            query = indexed.get(key).sketch.astype(float)
            assert indexed.nearest(query, 1, method="index")[0].id == key
            found += 1
        ended(adder)
    assert (first.returncode, second.returncode) == (0, 0)
    assert found > 0
    indexed.update_index()
    rows = indexed.index().table.to_arrow()["id"].to_pylist()
    assert sorted(rows) == indexed.ids().tolist()
    assert len(list(indexed.path.with_name("rooms.sketches.index").glob("*.lance"))) == 1


def test_an_index_that_is_replaced_while_it_is_asked_is_asked_again(indexed, sketches):
    asked = []

    def question(index):
        if not asked:
            with SketchStore(indexed.path) as other:
                other.build_index(prefix=64)
            index.__dict__["held"] = None  # as of one that is too large for memory: it is read when it is asked
        asked.append(index.prefix)
        return index.candidates(sketches[:1], 5)[0]

    assert 1 in indexed.ask_index(question)
    assert asked == [128, 64]


def test_an_index_that_is_damaged_is_asked_once(indexed, sketches):
    asked = []

    def question(index):
        asked.append(index)
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        indexed.ask_index(question)
    assert len(asked) == 1


def test_a_build_that_was_cut_short_leaves_the_index_as_it_was(indexed, sketches, monkeypatch):
    from simnet.memory import lance

    with monkeypatch.context() as patched:
        patched.setattr(lance, "_write_about", lambda *about: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            indexed.build_index(prefix=64)
    assert indexed.index().prefix == 128
    assert indexed.nearest(sketches[3], 1, method="index")[0].id == 4
    indexed.build_index(prefix=32)  # and takes away what was left behind
    assert len(list(indexed.path.with_name("rooms.sketches.index").glob("*.lance"))) == 1


def test_an_index_that_is_locked_for_too_long_is_one_clear_error(indexed, sketches):
    lock = sqlite3.connect(indexed.path.with_name("rooms.sketches.index") / "lock", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with SketchStore(indexed.path, timeout=0.05) as other:
        for write in (other.update_index, other.build_index):
            with pytest.raises(
                TimeoutError, match=r"rooms\.sketches\.index: another process kept the index locked"
            ) as caught:
                write()
            assert "\n" not in str(caught.value)
        # who asks and who adds does not wait for it
        assert other.nearest(sketches[3], 1, method="index")[0].id == 4
        assert other.add(sketches[0]) == 61
    lock.close()
    indexed.update_index()
    assert indexed.index().last == 61
