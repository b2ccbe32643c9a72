"""Trials are run once, whoever runs them and whatever happens; and the tables are the same."""

import collections
import ctypes
import os
import random
import signal
import sys
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from simnet.limits import TimeIsUp, within
from simnet.study import collect, estimate, load_study, run_study, status

SAME = ("trials.csv", "trials.parquet", "summary.csv", "summary.md", "summary.tex", "study.toml")


def contents(folder):
    return {name: (folder / name).read_bytes() for name in SAME}


def test_the_tables_are_the_same_from_one_worker_and_from_two(place):
    path = place.write(trials=20, grid='how = ["well", "often failing"]')
    for workers in (1, 2):
        run_study(load_study(path), output=f"out {workers}", cache=f"cache {workers}", workers=workers)
    assert contents(place.folder / "out 1") == contents(place.folder / "out 2")


def test_the_tables_are_the_same_from_a_cluster(place):
    distributed = pytest.importorskip("distributed")
    path = place.write(trials=3, grid='how = ["well", "failing", "tight"]', top="timeout = 0.3", size="[4]")
    here = run_study(load_study(path), output="here", cache="cache of one")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        run_study(load_study(path), output="there", cache="cache of all", cluster=cluster.scheduler_address)
    assert set(here.trials.status) == {"ok", "failed", "timeout"}
    assert contents(place.folder / "here") == contents(place.folder / "there")


def test_a_cluster_that_is_not_there_is_one_line(place):
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match=r"cluster = 'nonsense': cannot be reached"):
        run_study(load_study(place.write()), cluster="nonsense")


def test_a_second_call_runs_nothing_and_more_trials_only_what_is_new(place):
    first = run_study(load_study(place.write(trials=3)))
    assert len(place.begun) == 9
    again = run_study(load_study(place.write(trials=3)))
    assert len(place.begun) == 9
    assert first.summary.equals(again.summary)
    more = run_study(load_study(place.write(trials=5)))
    assert len(place.begun) == len(set(place.begun)) == 15
    assert set(first.trials.seed) < set(more.trials.seed)


def test_a_point_keeps_its_seeds_when_the_grid_grows(place):
    before = run_study(load_study(place.write())).trials
    grown = run_study(load_study(place.write(grid="truth = [1.0, 2.0]"))).trials
    assert set(grown[grown.truth == 1.0].seed) == set(before.seed)
    assert len(place.begun) == len(set(place.begun)) == 48


def test_raising_the_version_of_a_claim_computes_anew_and_a_comment_does_not(place):
    claim, path = place.folder / "claim.py", place.write(trials=2)
    run_study(load_study(path))
    claim.write_text(claim.read_text() + "\n# a remark\n")
    run_study(load_study(path))
    assert len(place.begun) == 6
    claim.write_text(claim.read_text().replace('name = "fast"', 'name = "fast"\n    version = 2'))
    run_study(load_study(path))
    assert len(place.begun) == 12


def test_failures_are_rows_and_are_tried_again(place):
    path = place.write(trials=6, grid='how = ["well", "failing", "often failing"]')
    results = run_study(load_study(path), workers=2)
    trials, summary = results.trials, results.summary
    bad = trials[trials.status == "failed"]
    assert len(trials.drop_duplicates(["point", "trial"])) == 54
    assert set(bad.error) == {"RuntimeError: this one | does not work"}
    assert set(trials[trials.how == "well"].status) == {"ok"}
    assert set(trials[trials.how == "failing"].status) == {"failed"}
    dead = summary[summary.how == "failing"]
    assert dead.failed.tolist() == [6, 6, 6]
    assert not dead.holds.any()
    partly = summary[summary.how == "often failing"]
    assert ((partly.trials + partly.failed) == 6).all()
    counts = status(load_study(path))
    failed = len(bad)
    assert counts[1:] == (54, 54 - failed, failed, 0)
    run_study(load_study(path))
    assert len(place.begun) == 54 + failed
    place.folder.joinpath("claim.py").write_text(place.folder.joinpath("claim.py").read_text().replace("seed % 3", "1"))
    assert status(load_study(path)).failed == failed
    run_study(load_study(path))
    assert status(load_study(path)).failed == 18


@pytest.mark.parametrize("workers", [1, 2])
def test_a_trial_that_takes_too_long_is_a_row(place, workers):
    path = place.write(trials=1, grid='how = ["well", "endless", "tight"]', top="timeout = 0.2")
    results = run_study(load_study(path), workers=workers)
    by_kind = dict(zip(results.trials.how, results.trials.status, strict=True))
    assert by_kind == {"well": "ok", "endless": "timeout", "tight": "timeout"}
    assert set(results.trials.error.dropna()) >= {"longer than 0.2 s"}
    assert status(load_study(path))[1:] == (9, 3, 6, 0)


def test_the_limit_ends_a_trial_in_a_thread_and_only_there():
    ended = []

    def work(limit):
        try:
            with within(limit):
                until = time.perf_counter() + 0.3
                while time.perf_counter() < until:
                    pass
        except TimeIsUp:
            ended.append(limit)

    threads = [threading.Thread(target=work, args=(limit,)) for limit in (0.05, 5.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [0.05]


@pytest.mark.parametrize("traced", [False, True])
def test_an_exception_on_its_way_when_the_block_ends_is_waited_for(monkeypatch, traced):
    """It arrives 20 ms after it was sent here; a traced thread, as for coverage, would hang if it were taken back."""
    send, struck, calls, ended = ctypes.pythonapi.PyThreadState_SetAsyncExc, threading.Event(), [], []

    def slowly(thread, exception):
        calls.append(exception)
        struck.set()
        threading.Timer(0.02, send, (thread, exception)).start()

    slow = SimpleNamespace(PyThreadState_SetAsyncExc=slowly)
    stand_in = SimpleNamespace(c_ulong=ctypes.c_ulong, py_object=ctypes.py_object, pythonapi=slow)
    monkeypatch.setattr("simnet.limits.ctypes", stand_in)

    def work():
        sys.settrace((lambda *_: None) if traced else None)
        try:
            try:
                with within(0.01):
                    struck.wait(5.0)
                ended.append("in time")
            except TimeIsUp:
                ended.append("struck")
            time.sleep(0.05)
            sum(range(1000))
        except BaseException:
            ended.append("late")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert ended == ["struck"]
    assert len(calls) == 1


def test_collect_writes_what_is_there_in_mid_run(place):
    path = place.write(trials=3)
    run_study(load_study(path), output="first")
    results = collect(load_study(place.write(trials=5)), output="partial")
    assert len(place.begun) == 9
    assert (results.summary.trials == 3).all()
    assert contents(place.folder / "partial")["trials.csv"] == contents(place.folder / "first")["trials.csv"]
    assert status(load_study(path))[1:] == (15, 9, 0, 6)


def test_an_estimate_of_time_runs_two_trials_a_point_and_keeps_them(place):
    study = load_study(place.write(trials=50, grid="pause = [0.002, 0.02]"))
    guess = estimate(study)
    assert guess.measured == 6
    assert len(place.begun) == 12
    # 48 trials are left at each of 3 points of either kind, and each takes its pause at least
    assert 48 * 3 * 0.022 < guess.seconds < 10 * 48 * 3 * 0.022


#: ``SIMNET_KILLS=100`` makes as many.
KILLS = max(int(os.environ.get("SIMNET_KILLS", "12")), 6)


def wait_until(condition):
    while not condition():
        time.sleep(0.002)


def test_a_sweep_that_is_killed_again_and_again_ends_in_the_same_table(place):
    """A kill loses the trials in flight, one a worker: no trial is begun again but those."""
    trials = 75 * (KILLS // 3)
    path = place.write(trials=trials // 3, grid="pause = [0.008]")
    draw = random.Random(0)
    with place.forks(path) as fork:
        for i in range(KILLS - 2):
            before, process = len(place.begun), fork()
            if i % 3:  # otherwise killed before the first trial, most likely
                wait_until(lambda before=before: len(place.begun) > before or len(set(place.begun)) == trials)
            time.sleep(draw.uniform(0.0, 0.1))
            os.kill(process, signal.SIGKILL)
    for _ in range(2):
        before = len(place.begun)
        sweep = place.begin(path, "--workers", 2)
        wait_until(lambda before=before, sweep=sweep: len(place.begun) > before or sweep.poll() is not None)
        time.sleep(draw.uniform(0.0, 0.1))
        sweep.kill()
        sweep.wait()
        with suppress(ProcessLookupError):
            os.killpg(sweep.pid, signal.SIGKILL)  # a worker that is idle would hold the pipes for minutes
        sweep.communicate()
    assert len(set(place.begun)) < trials, "done before the last kill"
    run_study(load_study(path))
    counts = collections.Counter(place.begun)
    assert len(counts) == trials
    assert counts.total() - trials <= KILLS + 2, counts.most_common(5)
    run_study(load_study(path), output="undisturbed", cache="another")
    assert contents(place.folder / "results" / "squares") == contents(place.folder / "undisturbed")


def test_an_interrupted_sweep_says_how_to_go_on(place):
    path = place.write(trials=400, grid="pause = [0.01]")
    process = place.begin(path, "--workers", 2)
    wait_until(lambda: place.begun)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on" in errors
    assert "Traceback" not in errors


def test_an_interrupt_that_python_ignored_ends_the_sweep_with_the_trial(place):
    process = place.begin(place.write(trials=5, grid='how = ["deaf"]', size="[4]"), "--workers", 1)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors  # what Python says of it when it goes on
    assert process.returncode == 130
    assert "5 trials at 1 points: 1 done, 0 failed, 4 missing; the same command goes on" in errors
    assert len(place.begun) == 1


def test_two_sweeps_of_one_study_at_a_time_do_not_disturb_each_other(place):
    path = place.write(trials=60, grid="pause = [0.002]")
    with place.forks(path) as fork:
        fork(), fork()
    assert len(place.begun) > 180, "they did not meet"
    run_study(load_study(path), output="alone", cache="another")
    assert contents(place.folder / "results" / "squares") == contents(place.folder / "alone")
    assert not list(place.folder.rglob("*.partial"))
