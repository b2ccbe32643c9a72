"""``simnet demo``, ``list`` and ``completion``."""

import sys

import pytest

from simnet.cli import cli, main
from simnet.cli.completion import SHELLS
from simnet.demos import DEMOS


def test_a_story_ends_with_the_path_of_its_figure(run, tmp_path):
    result = run("demo", "unroll", "--seed", 1, "-o", tmp_path)
    assert result.status == 0, result.err
    assert "every object, every slot" in result.out
    path = tmp_path / "demo-unroll.png"
    assert result.out.splitlines()[-1] == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("unrol",), "did you mean 'unroll'"),
        (("unroll", "--seed", -1), "seed = -1"),
        (("unroll", "-o", "/no/such"), "must be a folder that exists"),
    ],
)
def test_a_mistake_is_one_line(mistake, arguments, says):
    mistake("demo", *arguments, says=says)


def test_list_names_stories(run):
    (line,) = (line for line in run("list").out.splitlines() if line.startswith("demos:"))
    assert line.split(":")[1].strip() == ", ".join(DEMOS)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_completion_script_of_a_shell(run, shell):
    result = run("completion", shell)
    assert result.status == 0, result.err
    assert f"_SIMNET_COMPLETE={shell}_complete" in result.out


def test_another_shell_is_refused(mistake):
    mistake("completion", "fisch", says="did you mean 'fish'")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("simnet e", {"encode", "explain"}),
        ("simnet demo w", {"wiring"}),
        ("simnet show s", {"scene", "sparse_layer"}),
        ("simnet verify --property t", {"truncation"}),
        ("simnet regress --property ma", {"matrices"}),
        ("simnet encode x.json --matrices h", {"haar"}),
        ("simnet decode a b --method least", {"least_squares"}),
        ("simnet completion z", {"zsh"}),
    ],
)
def test_names_are_completed(monkeypatch, capsys, words, found):
    monkeypatch.setenv("_SIMNET_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    monkeypatch.setattr(sys, "argv", ["simnet"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert {line.partition(",")[2] for line in capsys.readouterr().out.split()} == found


def test_a_path_is_left_to_the_shell(monkeypatch, capsys):
    monkeypatch.setenv("_SIMNET_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "simnet show ./r")
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setattr(sys, "argv", ["simnet"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("file,")


def test_every_command_loads_and_has_a_help():
    for name in cli.list_commands(None):
        assert cli.get_command(None, name).help
