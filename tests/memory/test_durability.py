"""A store that is killed, damaged, foreign, or written by several processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from simnet.memory import SketchStore
from simnet.memory.sqlite import APPLICATION_ID, SCHEMA
from tests.memory.adder import sketch_of

ADDER = Path(__file__).parent / "adder.py"
#: ``SIMNET_KILLS=50`` makes as many; the suite has fewer.
KILLS = int(os.environ.get("SIMNET_KILLS", "3"))


def adder(path, seed):
    return subprocess.Popen([sys.executable, ADDER, path, str(seed)], stdout=subprocess.PIPE, text=True)


def test_no_acknowledged_sketch_is_lost_and_none_is_damaged_when_the_process_is_killed(empty):
    acknowledged = {}
    for seed in range(KILLS):
        with adder(empty.path, seed) as process:
            first = process.stdout.readline()
            time.sleep(float(np.random.default_rng(seed).uniform(0.0, 0.3)))
            process.kill()
            lines = [first, *process.stdout.readlines()]
        pairs = [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
        assert pairs
        acknowledged |= {key: (seed, i) for key, i in pairs}
        with SketchStore(empty.path) as store:
            assert len(acknowledged) <= store.check() <= len(acknowledged) + seed + 1  # one may be kept and not yet told
            for key, (maker, i) in acknowledged.items():
                if maker == seed:
                    record = store.get(key)
                    assert record.metadata == {"seed": maker, "i": i}
                    np.testing.assert_array_equal(record.sketch, sketch_of(maker, i, 2048).astype(np.float32))
    with SketchStore(empty.path) as store:
        assert set(acknowledged) <= set(store.ids().tolist())
        store.add(sketch_of(0, 0, 2048))  # a journal that was left behind is taken away by the next who writes
    assert sorted(os.listdir(empty.path.parent)) == [empty.path.name]


def test_a_transaction_that_was_cut_short_is_rolled_back(filled, sketches):
    """The journal of an unfinished transaction stays behind, with half of its pages in the file."""
    script = (
        "import os, sys, numpy as np\nfrom simnet.memory import SketchStore\n"
        "store = SketchStore(sys.argv[1])\n"
        "with store._database.transaction() as connection:\n"
        "    connection.execute('PRAGMA cache_size=1')\n"
        "    connection.execute('PRAGMA cache_spill=1')\n"
        "    connection.execute('UPDATE sketches SET noise = 7.0')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, filled.path], check=False).returncode == -9
    assert os.path.getsize(f"{filled.path}-journal") > 0
    with SketchStore(filled.path) as store:
        assert store.check() == 60
        np.testing.assert_array_equal(store.get(60).sketch, sketches[59].astype(np.float32))


def test_two_processes_write_one_store(empty):
    processes = [adder(empty.path, seed) for seed in (0, 1)]
    found = []
    for process in processes:
        for _ in range(5):
            found.append(process.stdout.readline())
    for process in processes:
        process.kill()
        found += process.communicate()[0].splitlines()
    keys = [int(line.split()[0]) for line in found]
    assert len(set(keys)) == len(keys) >= 10
    with SketchStore(empty.path) as store:
        assert set(keys) <= set(store.ids().tolist())
        store.check()
        seeds = {record["seed"] for record in (store.get(key).metadata for key in keys)}
    assert seeds == {0, 1}


def test_a_store_that_is_locked_for_too_long_is_one_clear_error(empty, sketches):
    with SketchStore(empty.path, timeout=0.05) as other, empty._database.transaction():
        with pytest.raises(TimeoutError, match=r"rooms\.sketches: another process kept the store locked"):
            other.add(sketches[0])
        assert len(other) == 0
    with SketchStore(empty.path, timeout=0.05) as other:
        assert other.add(sketches[0]) == 1


def test_a_connection_is_not_used_in_another_process(filled):
    child = os.fork()
    if child == 0:
        try:
            len(filled)
        except ValueError as error:
            os._exit(0 if "opened by another process" in str(error) else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


# -- damaged and foreign files ------------------------------------------------------------------------------------------


def refused(path, message="not a store|damaged|version"):
    before, folder = path.read_bytes(), sorted(os.listdir(path.parent))
    with pytest.raises(ValueError, match=message) as caught:
        SketchStore(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    assert path.read_bytes() == before
    assert sorted(os.listdir(path.parent)) == folder


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(84), b"PK" + bytes(200)]
)
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "other.sketches"
    path.write_bytes(content)
    refused(path, "not a store of sketches")


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        SketchStore(tmp_path / "none")
    assert not os.listdir(tmp_path)


def changed(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["PRAGMA application_id=7"], "not a store of sketches"),
        (["PRAGMA user_version=2"], "version 2, this software reads version 1"),
        (["CREATE TRIGGER t AFTER INSERT ON sketches BEGIN DELETE FROM sketches; END"], "its tables are not those"),
        (["CREATE VIEW v AS SELECT load_extension('x')"], "its tables are not those"),
        (["CREATE TABLE more (x)"], "its tables are not those"),
        (["DROP INDEX by_time"], "its tables are not those"),
        (["DELETE FROM header WHERE key = 'storage'"], "has no 'storage'"),
        (["UPDATE header SET value = 'int4' WHERE key = 'storage'"], "storage = 'int4'"),
        (["UPDATE header SET value = '{' WHERE key = 'description'"], "does not say how"),
        (["UPDATE header SET value = '[]' WHERE key = 'description'"], "does not say how"),
        (
            ["UPDATE header SET value = '{\"sketch_dim\": 99999999999}' WHERE key = 'description'"],
            "sketch_dim = 99999999999",
        ),
        (["UPDATE header SET value = x'80' WHERE key = 'description'"], "damaged"),
        (["UPDATE header SET value = hex(zeroblob(20000000)) WHERE key = 'description'"], "too big"),
        (["PRAGMA journal_mode=WAL"], "write-ahead"),
    ],
)
def test_a_store_that_was_tampered_with_is_refused(filled, statements, message):
    filled.close()
    changed(filled.path, *statements)
    refused(filled.path, message)


def test_a_foreign_database_with_the_mark_of_a_store_runs_nothing(tmp_path):
    path = tmp_path / "trap.sketches"
    changed(path, f"PRAGMA application_id={APPLICATION_ID}", "PRAGMA user_version=1", "CREATE TABLE header (key, value)")
    refused(path, "its tables are not those")
    trap = tmp_path / "view.sketches"
    tables = [sql for name, sql in SCHEMA.items() if name not in ("header", "sqlite_sequence")]
    view = "CREATE VIEW header AS SELECT 'description' AS key, writefile('owned', 'x') AS value"
    changed(trap, f"PRAGMA application_id={APPLICATION_ID}", "PRAGMA user_version=1", *tables, view)
    refused(trap, "its tables are not those")


def test_a_store_whose_tables_have_names_that_are_no_text_is_refused(filled):
    filled.close()
    content = filled.path.read_bytes()
    assert content.count(b"KEY, value TEXT") == 1
    filled.path.write_bytes(content.replace(b"KEY, value TEXT", b"KEY,\xf4value TEXT"))
    refused(filled.path, "damaged")


@pytest.mark.parametrize("share", [0.0001, 0.3, 0.7, 0.999])
def test_a_file_that_was_cut_off_is_refused(filled, share):
    filled.close()
    content = filled.path.read_bytes()
    filled.path.write_bytes(content[: int(share * len(content))])
    refused(filled.path)


def test_flipped_bits_are_told_and_never_answered_from(filled, sketches):
    """Each damage is either in what nobody reads, or ends in one clear line."""
    filled.close()
    content = bytearray(filled.path.read_bytes())
    draw = np.random.default_rng(0)
    told = []
    for place in draw.integers(0, len(content), 60):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(draw.integers(8))
        filled.path.write_bytes(damaged)
        try:
            with SketchStore(filled.path) as store:
                store.check()
                found = {key: store.get(key) for key in store.ids().tolist()}
                assert len(found) == 60
                for key, record in found.items():
                    np.testing.assert_array_equal(record.sketch, sketches[key - 1].astype(np.float32))
                    assert record.metadata == {"i": key - 1, "odd": key % 2 == 0}
        except (ValueError, OSError) as error:
            told.append(str(error))
    assert len(told) > 30
    assert not any("\n" in message for message in told)
    filled.path.write_bytes(content)
    with SketchStore(filled.path) as store:
        assert store.check() == 60


def test_a_record_longer_than_a_sketch_is_told_before_memory_is_taken(filled):
    changed(filled.path, "UPDATE sketches SET codes = zeroblob(100000000) WHERE id = 7")
    before = peak()
    for ask in (lambda: filled.get(7), lambda: list(filled.blocks()), filled.check):
        with pytest.raises(ValueError, match="too big"):
            ask()
    assert peak() - before < 50e6
    assert filled.get(8).id == 8


def peak():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_records_that_were_exchanged_are_told(filled):
    columns = "(scale, noise, checksum, codes)"
    changed(
        filled.path,
        f"UPDATE sketches SET {columns} = (SELECT scale, noise, checksum, codes FROM sketches WHERE id = 3) WHERE id = 4",
    )
    with pytest.raises(ValueError, match="damaged: sketch 4 is not as it was written"):
        filled.get(4)
    with pytest.raises(ValueError, match="damaged: sketch 4"):
        list(filled.blocks())


def test_a_store_that_is_opened_twice_keeps_its_lock(empty, sketches):
    """The system drops all locks of a process on a file when it closes any handle of it."""
    script = (
        "import sys\nfrom simnet.memory import SketchStore\n"
        "with SketchStore(sys.argv[1], timeout=0.05)._database.transaction():\n    pass\n"
    )
    with empty._database.transaction():
        SketchStore(empty.path).close()
        other = subprocess.run([sys.executable, "-c", script, empty.path], capture_output=True, text=True, check=False)
    assert "another process kept the store locked" in other.stderr
    assert subprocess.run([sys.executable, "-c", script, empty.path], check=False).returncode == 0
