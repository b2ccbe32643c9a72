"""The benchmarks run, and write their table: at small sizes, without a threshold on any time."""

from __future__ import annotations

import json

import pandas as pd

from benchmarks import __main__, measure, peers


def test_the_quick_run_measures_everything_and_judges_nothing(tmp_path):
    __main__.main(["--quick", "--output", str(tmp_path)])
    table = pd.read_csv(tmp_path / "benchmarks.csv")
    sections = {"encode", "memory", "dictionary", "kernel", "decoding", "learning", "peers", "scaling", "exponent", "import"}
    assert set(table["section"]) == sections
    measured = table[~table["setting"].str.contains("not installed")]
    assert (measured[measured["section"] != "exponent"]["value"] > 0.0).all()
    assert measured["value"].notna().all()
    assert table["holds"].isna().all()
    lines = (tmp_path / "benchmarks.md").read_text().splitlines()
    assert sum(line.startswith("| ") for line in lines) == len(table) + 2
    assert {"processor", "blas", "threads", "numpy"} <= json.loads((tmp_path / "environment.json").read_text()).keys()
    assert (tmp_path / "benchmarks.svg").stat().st_size > 1000


def test_a_section_alone_has_the_rows_that_it_has_here():
    here, there = list(peers.blocks(True)), measure.alone(peers.blocks, True)
    assert [(row.section, row.work, row.setting) for row in here] == [(row.section, row.work, row.setting) for row in there]


def test_a_ratio_is_of_the_work_over_what_it_is_held_to():
    slow, fast = (lambda: sum(range(200_000))), (lambda: sum(range(2_000)))
    assert measure.compared("", "", "", "", measure.ratios(slow, fast, 5), most=1.25).holds == "no"
    assert measure.compared("", "", "", "", measure.ratios(fast, slow, 5), most=1.25).holds == "yes"
    assert measure.compared("", "", "", "", measure.ratios(fast, slow, 5), least=25.0).holds == "no"
