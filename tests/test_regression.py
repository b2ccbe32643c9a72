"""The regression run: rounding is no change, everything else is, and a new reference says why."""

import math
from dataclasses import replace

import pytest
from click.testing import CliRunner

from simnet.claims.verify import verify
from simnet.cli import cli
from simnet.regression import (
    REFERENCE,
    SEED,
    TOLERANCE,
    compare,
    read_reference,
    reference_rows,
    update,
)
from simnet.testing import DEFECTS


@pytest.fixture(scope="module")
def rows():
    """The rows of one fast property, judged."""
    return verify(["matrices"], quick=True, seed=SEED)


@pytest.fixture(scope="module")
def frame(rows):
    """What is kept of them."""
    return reference_rows(rows)


def changed(frame, field, value, row=3):
    other = frame.copy()
    other.loc[row, field] = value(other.loc[row, field])
    return other


def test_the_committed_reference_is_what_this_software_measures(frame):
    old = read_reference(REFERENCE)
    assert compare(old[old["property"] == "matrices"], frame) == []


def test_the_committed_reference_has_every_property():
    from simnet.claims import CLAIMS

    assert list(dict.fromkeys(read_reference(REFERENCE)["property"])) == list(CLAIMS)


def test_a_planted_defect_is_seen_to_move(frame):
    defect = DEFECTS["matrices too large"]
    moved = compare(frame, reference_rows(verify(["matrices"], quick=True, seed=SEED, sketcher=defect)))
    assert moved
    assert max(abs(m.difference) for m in moved) > 1e3 * TOLERANCE


def test_another_seed_moves_measured_values_and_no_law(frame):
    moved = compare(frame, reference_rows(verify(["matrices"], quick=True, seed=SEED + 1)))
    fields = {m.field for m in moved}
    assert "measured" in fields
    assert "law" not in fields


@pytest.mark.parametrize("field", ["measured", "law", "ratio", "ratio_error"])
def test_rounding_is_no_change_and_more_is(frame, field):
    scale = 1.0 if field != "ratio_error" else 1.0 / frame.loc[3, field]
    assert compare(frame, changed(frame, field, lambda x: x * (1.0 + 0.5 * scale * TOLERANCE))) == []
    (moved,) = compare(frame, changed(frame, field, lambda x: x * (1.0 + 2.0 * scale * TOLERANCE)))
    assert (moved.quantity, moved.field) == (frame.loc[3, "quantity"], field)
    assert moved.difference == pytest.approx(2.0 * scale * TOLERANCE, rel=1e-3)
    assert compare(frame, changed(frame, field, lambda x: x * (1.0 + 2.0 * scale * TOLERANCE)), 1e-6) == []


def test_counts_must_be_the_same(frame):
    (moved,) = compare(frame, changed(frame, "trials", lambda n: n + 1))
    assert (moved.old + 1, moved.field) == (moved.new, "trials")


def test_nan_and_infinity_are_changes_and_nan_is_like_itself(frame):
    assert frame["bound"].isna().all()  # a law without a bound
    assert [m.field for m in compare(frame, changed(frame, "bound", lambda _: 1.0))] == ["bound"]
    assert [m.field for m in compare(frame, changed(frame, "measured", lambda _: math.nan))] == ["measured"]
    assert [m.field for m in compare(frame, changed(frame, "ratio_error", lambda _: math.inf))] == ["ratio_error"]


def test_a_law_of_0_is_compared_on_its_own_scale(rows):
    zero = [replace(row, law=0.0, measured=1e-14, ratio=1.0 + 1e-14) for row in rows[:3]]
    old = reference_rows(zero)
    tiny = reference_rows([replace(row, measured=row.measured + 1e-18) for row in zero])
    far = reference_rows([replace(row, ratio=row.ratio + 1e-6) for row in zero])
    assert compare(old, tiny) == []
    assert {m.field for m in compare(old, far)} == {"ratio"}


def test_missing_and_new_rows_are_told(frame):
    moved = compare(frame.iloc[1:], frame.iloc[:-1])
    assert [(m.quantity, m.old, m.new) for m in moved] == [
        (frame.iloc[-1]["quantity"], "there", None),
        (frame.iloc[0]["quantity"], None, "there"),
    ]


def test_a_reference_is_read_back_bit_for_bit(frame, tmp_path):
    assert len(update(frame, "first", tmp_path)) == len(frame)
    assert read_reference(tmp_path).equals(frame)
    assert compare(read_reference(tmp_path), frame, 0.0) == []


def test_the_log_says_when_why_and_how_much(frame, tmp_path):
    update(frame, "first", tmp_path)
    moved = update(changed(frame, "measured", lambda x: 1.1 * x), "a better\n estimate", tmp_path)
    assert len(moved) == 1
    first, second = (tmp_path / "LOG.md").read_text().split("\n## ")[1:]
    assert f"first\n\n- all properties: {len(frame)} new; {len(frame)} rows in all" in first
    assert "a better estimate\n\n- all properties: 1 moved;" in second
    assert "version 0.1.0, commit " in second


def test_an_update_of_one_property_leaves_the_others(frame, tmp_path):
    other = frame.iloc[:4].assign(property="kernel")
    update(other, "of another", tmp_path)
    moved = update(frame, "of one", tmp_path, properties=["matrices"])
    assert {m.old for m in moved} == {None}
    kept = read_reference(tmp_path)
    assert list(kept["property"]) == ["matrices"] * len(frame) + ["kernel"] * 4


def test_a_reason_must_be_given(frame, tmp_path):
    with pytest.raises(ValueError, match="reason"):
        update(frame, " \n", tmp_path)
    assert list(tmp_path.iterdir()) == []


def run(*arguments):
    # in this process: a mistake comes out as its exception, of which `main` makes one line
    return CliRunner().invoke(cli, ["regress", *map(str, arguments)], standalone_mode=False)


@pytest.fixture
def measured(monkeypatch, rows):
    """The command gets these rows, which are measured already."""
    monkeypatch.setattr("simnet.cli.progress.verified", lambda names, **_: rows if names == ["matrices"] else None)


@pytest.mark.usefixtures("measured")
def test_the_command_says_that_nothing_moved():
    result = run("--property", "matrices")
    assert result.return_value == 0, result.output
    assert "34 rows are as in results/reference, to 1e-08" in result.output


@pytest.mark.usefixtures("measured")
def test_the_command_shows_what_moved_and_takes_it_with_a_reason(frame, tmp_path):
    update(changed(frame, "measured", lambda x: 1.1 * x), "wrong on purpose", tmp_path)
    arguments = ["--property", "matrices", "--reference", tmp_path]
    result = run(*arguments)
    assert result.return_value == 1
    assert "what moved" in result.output
    assert "-9.09e-02" in result.output
    assert run(*arguments, "--update", "--reason", "right again").return_value == 0
    assert run(*arguments).return_value == 0
    assert "right again" in (tmp_path / "LOG.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--update",), ValueError, "reason: must be given"),
        (("--update", "--reason", " "), ValueError, "reason: must be given"),
        (("--reason", "x"), ValueError, "reason: is for --update"),
        (("--tolerance", "-1"), ValueError, "tolerance"),
        (("--property", "matrises"), ValueError, "did you mean 'matrices'"),
        (("--reference", "/no/such/folder"), OSError, "No such file"),
    ],
)
def test_a_mistake_is_named(arguments, error, message):
    result = run(*arguments)
    assert isinstance(result.exception, error)
    assert message in str(result.exception)


HEADER = "property,case,quantity,measured,law,ratio,ratio_error,bound,trials,violations,tries\n"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "property,case,quantity,measured\nx,y,z,word\n", HEADER])
def test_another_file_is_no_reference(text, tmp_path):
    (tmp_path / "quick.csv").write_text(text)
    with pytest.raises(ValueError, match=r"quick\.csv: not a reference"):
        read_reference(tmp_path)
