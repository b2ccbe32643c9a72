"""One clear line for each mistake of a user, and exit status 2."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verify", "--property", "trunkation"), "truncation"),
        (("verify", "--seed", "-1"), "seed"),
        (("verify", "--seed", "x"), "seed"),
        (("verify", "--workers", "0"), "workers"),
        (("verify", "--output", "/no/such/folder/x.csv"), "--output"),
        (("encode", "/no/such/file", "-o", "x.npz"), "/no/such/file"),
        (("decode", "/no/such/file", "x.json"), "/no/such/file"),
        (("report", "/no/such/folder"), "/no/such/folder"),
        (("animate", "similarities", "-o", "x.gif"), "did you mean 'similarity'"),
        (("animate", "flow", "-o", "x.webm"), "must end in .gif or .mp4"),
        (("animate", "flow", "-o", "x.gif", "--seed", "-1"), "seed"),
        (("animate", "flow", "-o", "/no/such/folder/x.gif"), "/no/such/folder"),
        (("nonsense",), "nonsense"),
        (("verify", "--nonsense"), "--nonsense"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_status_2(mistake, arguments, says):
    mistake(*arguments, says=says)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--matrices", "gausian"), ("--recipe", "recursiv"), ("--sketch-dim", 0), ("--sketch-dim", 1), ("--seed", -1)],
)
def test_a_bad_option_of_encode(mistake, room, tmp_path, option, value):
    mistake("encode", room, "-o", tmp_path / "s.npz", option, value, says=str(value))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "\x00\x01"])
def test_a_damaged_execution(mistake, tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    mistake("encode", path, "-o", tmp_path / "s.npz", says="bad.json")
