"""What a machine does to people: no space, no permission, no memory, no cluster, a clock that jumps: a line, nothing lost.

Limits of the system stand for a full disk (``RLIMIT_FSIZE``: a write past it fails in the middle of the file) and for want
of memory (``RLIMIT_AS``).  Kills, damaged files, locks and several processes at once are in
``tests/memory/test_durability.py`` and ``tests/study/test_engine.py``; the table of all of them is in ``docs/faults.md``.
"""

from __future__ import annotations

import itertools
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import simnet
from simnet.memory import SketchStore
from simnet.study import load_study, run_study
from tests import small

NETWORK = simnet.networks.scene(places=2, kinds=("cat", "dog"), seed=0)
SKETCHER = simnet.Sketcher(NETWORK, 2048, seed=3)

STUDY = small.STUDY.format(trials=4)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and folders of Linux stand for the faults")

#: A folder in which nobody can make a file, not even root.
READ_ONLY = "/sys"


@pytest.fixture
def here(tmp_path):
    """A folder with a run, its sketch and a study."""
    run = NETWORK.run(1, seed=1)[0]
    run.save(tmp_path / "run.json")
    simnet.save_sketches(tmp_path / "one.npz", SKETCHER.encode(run), **SKETCHER.metadata)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def limited(file_bytes=None, memory=None):
    """What a process does before it begins: limits of its own; past the first a write fails, as on a full disk."""

    def set_limits():
        if file_bytes is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    return set_limits


def command(folder, *arguments, **limits):
    return subprocess.run(
        [sys.executable, "-m", "simnet", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=limited(**limits),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def one_line(result, *words):
    """Status 2 and a line with these words."""
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("simnet: error: "), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def test_no_space_for_a_file_of_sketches_leaves_neither_it_nor_half_of_it(here):
    result = command(here, "encode", "run.json", "-o", "new.npz", file_bytes=1000)
    one_line(result, "new.npz")
    assert sorted(path.name for path in here.iterdir()) == ["one.npz", "run.json", "study.toml"]


def test_no_space_leaves_the_old_file_as_it_was(here):
    before = (here / "one.npz").read_bytes()
    one_line(command(here, "encode", "run.json", "-o", "one.npz", "--seed", 1, file_bytes=1000))
    assert (here / "one.npz").read_bytes() == before


def test_no_space_for_a_store_loses_nothing_that_was_acknowledged(here):
    path = here / "rooms.sketches"
    sketches = SKETCHER.encode(NETWORK.run(3, seed=2))
    with SketchStore.create(path, SKETCHER, storage="float64") as store:
        keys = store.add(sketches)
    one_line(command(here, "memory", "add", path, "one.npz", file_bytes=path.stat().st_size), "rooms.sketches")
    with SketchStore(path) as store:
        store.check()
        assert len(store) == 3
        assert np.array_equal([store.get(key).sketch for key in keys], sketches)
    assert command(here, "memory", "add", path, "one.npz").returncode == 0


def test_no_space_for_a_study_is_a_line_and_the_next_call_goes_on(here):
    result = command(here, "sweep", "study.toml", "--workers", 1, file_bytes=200)
    assert result.returncode in (1, 2), result.stdout + result.stderr
    assert "Traceback" not in result.stderr, result.stderr
    assert "too large" in result.stderr, result.stderr
    assert command(here, "sweep", "study.toml", "--workers", 1).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("encode", "run.json", "-o", f"{READ_ONLY}/new.npz"),
        ("memory", "create", f"{READ_ONLY}/rooms.sketches", "run.json"),
        ("show", "run.json", "-o", f"{READ_ONLY}/run.svg"),
        ("sweep", "study.toml", "--workers", "1", "--output", f"{READ_ONLY}/out"),
        ("sweep", "study.toml", "--workers", "1", "--cache", f"{READ_ONLY}/cache"),
        ("verify", "--quick", "--property", "matrices", "--output", f"{READ_ONLY}/rows.csv"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_folder_that_cannot_be_written_to_is_named(here, arguments):
    one_line(command(here, *arguments), READ_ONLY)


def test_no_memory_is_one_line(here):
    one_line(command(here, "encode", "run.json", "-o", "new.npz", "--sketch-dim", 2**26, memory=1 << 30), "memory")
    assert not (here / "new.npz").exists()


def test_an_interrupted_encode_leaves_nothing(here):
    code = "from simnet.cli import main; print('ready', flush=True); main()"
    arguments = [sys.executable, "-c", code, "encode", "run.json", "-o", "new.npz", "--sketch-dim", str(2**24)]
    with subprocess.Popen(
        arguments,
        cwd=here,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    # an encode of so many coordinates takes longer, but on the fastest of machines
    assert process.returncode in (0, 130), errors
    assert "Traceback" not in errors
    assert not list(here.glob("*.partial"))
    assert (here / "new.npz").exists() == (process.returncode == 0)


def test_a_clock_that_jumps_changes_no_table(here, monkeypatch):
    monkeypatch.chdir(here)
    whole = run_study(load_study("study.toml"), output="steady", cache="one cache")
    moments = itertools.cycle(["2030-01-01T00:00:00+00:00", "1970-01-01T00:00:00+00:00"])
    monkeypatch.setattr("simnet.study.engine.now", lambda: next(moments))
    monkeypatch.setattr("time.time", lambda: float(next(moments)[:4]))
    jumped = run_study(load_study("study.toml"), output="jumping", cache="another cache")
    assert set(jumped.trials.status) == {"ok"}, set(jumped.trials.error)
    assert whole.summary.equals(jumped.summary)
    assert (here / "steady" / "summary.csv").read_bytes() == (here / "jumping" / "summary.csv").read_bytes()
    assert len(run_study(load_study("study.toml"), output="jumping", cache="another cache").trials) == len(whole.trials)


SCHEDULER = """
import time
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(100)
"""


def test_a_cluster_that_goes_away_loses_nothing(here, monkeypatch):
    """Either the call ends in a line and the next one goes on, or what was missing is run here; the table is the same."""
    pytest.importorskip("distributed")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "2s")
    (here / "study.toml").write_text(STUDY.replace("trials = 4", "trials = 300"))
    (here / "scheduler.py").write_text(SCHEDULER)
    arguments = {"cwd": here, "env": os.environ | {"PYTHONPATH": os.getcwd()}, "text": True}
    scheduler = subprocess.Popen([sys.executable, "scheduler.py"], stdout=subprocess.PIPE, **arguments)
    sweep = [sys.executable, "-m", "simnet", "sweep", "study.toml", "--cluster", scheduler.stdout.readline().strip()]
    with subprocess.Popen(sweep, stderr=subprocess.PIPE, **arguments) as running:
        deadline = time.monotonic() + 60.0
        while not list(here.glob(".simnet/**/*.pkl")) and time.monotonic() < deadline:
            time.sleep(0.05)
        scheduler.kill()
        scheduler.wait()
        scheduler.stdout.close()
        try:
            _, errors = running.communicate(timeout=100)
        finally:  # or leaving the block would wait for it without end
            running.kill()
    assert "Traceback" not in errors, errors
    if running.returncode:
        assert "the same command goes on" in errors, errors
        assert command(here, "sweep", "study.toml", "--workers", 1).returncode == 0
    assert command(here, "sweep", "study.toml", "--workers", 1, "--output", "again", "--cache", "new").returncode == 0
    assert next(here.glob("results/*/summary.csv")).read_bytes() == (here / "again" / "summary.csv").read_bytes()
