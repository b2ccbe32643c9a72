"""Tables: tidy, judged, with intervals that cover, and read back without running anything."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from simnet.study import load_study, read_results, run_study
from simnet.study.papers import latex, markdown
from simnet.study.tables import _interval, _resamples

CONTROLS = 'defect = ["none", "one round"]'


@pytest.fixture
def results(place):
    return run_study(load_study(place.write(trials=60, grid=CONTROLS)), output="out")


def test_every_trial_and_quantity_is_a_row_with_every_parameter_a_column(results):
    trials = results.trials
    assert len(trials) == 3 * 2 * 60 * 2
    assert list(trials.columns[:7]) == ["claim", "point", "trial", "seed", "status", "error", "seconds"]
    assert {"size", "truth", "law", "how", "pause", "defect", "quantity", "measured", "bound", "tries"} <= set(
        trials.columns
    )
    assert (trials.seconds > 0).all()
    assert not trials.duplicated(["point", "trial", "quantity"]).any()


def test_the_summary_says_what_holds_and_what_must_not(results):
    s = results.summary
    assert results.varying == ("size", "defect")
    judged = s[s.quantity == "mean ⟨square⟩"]
    assert judged[judged.defect == "none"].holds.all()
    assert not judged[judged.defect != "none"].holds.any()
    assert set(s[s.defect == "none"].expected) == {"holds"}
    assert set(s[s.defect != "none"].expected) == {"fails"}
    assert s[s.quantity == "first"].holds.isna().all()
    assert results.unexpected.empty


def test_a_law_that_is_wrong_and_a_defect_that_is_not_noticed_are_unexpected(place):
    wrong = run_study(load_study(place.write(trials=60, grid="truth = [1.0, 1.5]"))).unexpected
    assert set(wrong.truth) == {1.5}
    unnoticed = run_study(load_study(place.write(trials=60, grid=f"{CONTROLS}\ntruth = [2.0]"))).unexpected
    assert set(unnoticed.defect) == {"none", "one round"}


def test_summary_intervals_are_those_of_the_trials_means(results):
    s, t = results.summary, results.trials
    for row in s[s.quantity == "first"].itertuples():
        mine = t[(t.point == row.point) & (t.quantity == "first")].measured
        assert row.measured == pytest.approx(mine.mean())
        assert row.measured_low < row.measured < row.measured_high
        width = (row.measured_high - row.measured_low) / (2 * 1.96 * mine.std() / np.sqrt(len(mine)))
        assert 0.7 < width < 1.3


def test_bootstrap_intervals_cover():
    # 95 % intervals of the mean of 50 normal numbers; percentile intervals cover some 94 %; fails with probability 1e-6
    draws = np.random.default_rng(0).standard_normal((600, 50))
    inside = [low <= 0.0 <= high for low, high in (_interval(_resamples(50) @ row) for row in draws)]
    assert 0.885 < np.mean(inside) < 0.98


def test_what_is_read_is_what_was_written(results, place):
    read = read_results("out")
    pd.testing.assert_frame_equal(read.summary, results.summary, check_dtype=False, rtol=1e-9)
    pd.testing.assert_frame_equal(
        read.trials[results.trials.columns], results.trials, check_dtype=False, rtol=1e-12, atol=1e-6
    )
    assert read.study.name == "out"
    assert read.study.figures == results.study.figures
    assert read.varying == results.varying
    assert read.provenance == json.loads((place.folder / "out" / "provenance.json").read_text())
    assert {"commit", "seed", "python", "processor", "cores", "numpy", "started", "finished", "command"} <= set(
        read.provenance
    )
    assert all(isinstance(value, (str, int, float)) for value in read.provenance.values())


def test_times_and_trials_may_be_left_out_of_a_folder(results, place):
    (place.folder / "out" / "times.csv").unlink()
    assert read_results("out").trials.seconds.isna().all()
    (place.folder / "out" / "trials.parquet").unlink()
    assert len(read_results("out").trials) == 0
    assert len(read_results("out").summary) == len(results.summary)


def test_reading_results_runs_nothing_and_holds_no_pickle(results, place):
    class Trap:
        def __reduce__(self):
            return (print, ("sprung",))

    (place.folder / "out" / "claim.py").write_text("raise SystemExit('sprung')\n")
    (place.folder / "out" / "cache.pkl").write_bytes(pickle.dumps(Trap()))
    assert len(read_results("out").trials)
    assert sorted(path.name for path in (place.folder / "out").iterdir() if path.suffix == ".pkl") == ["cache.pkl"]


@pytest.mark.parametrize("name", ["summary.csv", "study.toml", "trials.parquet", "provenance.json"])
def test_a_damaged_folder_is_one_line(results, place, name):
    (place.folder / "out" / name).write_bytes(b"\x00[")
    with pytest.raises(ValueError, match="out"):
        read_results("out")


def test_a_folder_without_results_is_one_line(place):
    with pytest.raises(ValueError, match="holds no results"):
        read_results(place.folder)


def test_the_latex_table_is_escaped_and_has_rules(results):
    table = latex("50 % of_it & more", results.summary, results.varying)
    assert r"\toprule" in table
    assert r"\bottomrule" in table
    assert r"50 \% of\_it \& more" in table
    assert r"mean $\langle$square$\rangle$" in table
    assert table.isascii()
    assert table.count(r"\\") == len(results.summary) + 1


def test_a_long_table_goes_over_pages(results):
    summary = pd.concat([results.summary] * 10, ignore_index=True)
    assert r"\begin{longtable}" in latex("T", summary, results.varying)
    assert r"\begin{longtable}" not in latex("T", results.summary, results.varying)


def test_the_markdown_table_has_a_row_a_quantity(results):
    lines = markdown("A title", results.summary, results.varying).splitlines()
    assert lines[0] == "# A title"
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(results.summary)
    assert len({line.count("|") for line in rows}) == 1
    assert lines[-1].startswith("Expected to fail")
