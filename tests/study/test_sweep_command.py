"""`simnet sweep`: what it prints, and its exit status."""

import pytest

from simnet.cli import cli


@pytest.fixture
def sweep(place, capsys):
    """Call the command in this process, and return its status with what it printed."""

    def sweep(*arguments):
        status = cli.main(["sweep", *map(str, arguments)], prog_name="simnet", standalone_mode=False)
        return status, *capsys.readouterr()

    return sweep


def test_a_study_runs_to_its_tables(place, sweep):
    status, out, _ = sweep(place.write(trials=40, grid='defect = ["none", "one round"]'), "--workers", 1)
    assert status == 0
    assert "3 of 3 rows hold; 1 of 1 planted defects are noticed; 0 trials failed" in out
    assert (place.folder / "results" / "squares" / "summary.tex").is_file()


def test_a_law_that_fails_is_shown_and_status_1(place, sweep):
    status, out, _ = sweep(place.write(trials=200, grid="truth = [1.7]"), "--workers", 1)
    assert status == 1
    assert "0 of 3 rows hold" in out
    assert "1.7" in out


def test_a_trial_that_fails_is_status_1(place, sweep):
    status, out, _ = sweep(place.write(trials=2, grid='how = ["failing"]'), "--workers", 1)
    assert status == 1
    assert "6 trials failed" in out


def test_a_dry_run_says_how_much_there_is_to_do(place, sweep):
    status, out, _ = sweep(place.write(trials=30), "--dry-run", "--workers", 2)
    assert status == 0
    assert "3 points, 90 trials, 0 of them done before" in out
    assert "with 2 workers" in out
    assert len(place.begun) == 6
    assert not (place.folder / "results").exists()


def test_status_and_collect_run_nothing(place, sweep):
    path = place.write(trials=4)
    assert "0 done, 0 failed, 12 missing" in sweep(path, "--status")[1]
    sweep(path, "--workers", 1)
    before = len(place.begun)
    path = place.write(trials=6)
    assert "12 done, 0 failed, 6 missing" in sweep(path, "--collect", "--output", "here")[1]
    assert (place.folder / "here" / "summary.csv").is_file()
    assert len(place.begun) == before


def test_every_mistake_is_a_line_and_status_2(place, sweep):
    status, out, err = sweep(place.write(trials=0, grid='how = ["badly"]\nlw = [1.0]'))
    assert status == 2
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("simnet: error: ") and "squares.toml" in line for line in lines)


def test_two_things_at_a_time_are_refused(place, sweep):
    with pytest.raises(ValueError, match="--status"):
        sweep(place.write(), "--status", "--collect")


def test_a_changed_claim_of_the_same_version_is_told(place, sweep):
    path = place.write(trials=2)
    assert "version" not in sweep(path, "--workers", 1)[2]
    claim = place.folder / "claim.py"
    claim.write_text(claim.read_text() + "\n# changed\n")
    status, _, err = sweep(path, "--workers", 1)
    assert status == 0
    assert "claim.py has changed" in err
    assert "version = 1" in err


def test_a_worker_that_dies_is_one_line_and_what_is_done_is_kept(place, sweep):
    sweep(place.write(trials=3), "--workers", 1)
    status, out, err = sweep(place.write(trials=3, grid='how = ["well", "dying"]'), "--workers", 2)
    assert status == 1
    assert out == ""
    assert "a worker was ended from outside" in err
    assert "9 done" in err
    assert "Traceback" not in err
