"""Command lines from a grammar that click knows: each ends in status 0, 1 or 2, a mistake in one line, none in a traceback.

The grammar is read off the commands: their arguments, options and types.  Values are right ones, nearly right ones, and
strange ones; files are good, of another kind, damaged, missing, or folders.  What takes long when all is right (``verify``,
``regress``, ``demo``, ``animate``) is cut short: there it is the options that are tried.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simnet
import simnet.claims.verify
from simnet.claims import CLAIMS
from simnet.cli import cli, main
from simnet.decoding import DECODERS
from simnet.matrices import FAMILIES
from simnet.memory import SketchStore
from simnet.networks import NETWORKS
from simnet.recipes import RECIPES
from tests import small

NETWORK = simnet.networks.scene(places=2, kinds=("cat", "dog"), seed=0)

STUDY = small.STUDY.format(trials=2)

TEXTS = [
    *(
        "",
        "x",
        "0",
        "-1",
        "1",
        "2",
        "64",
        "3-1",
        "a=b",
        "a=1",
        "widths=2,1",
        "places=0",
        "seed=x",
        "=",
        "nan",
        "inf",
        "1e400",
    ),
    *(
        "99999999999999999999",
        "2024-07-01",
        "2024-13-01",
        "6-12",
        "é",
        "a b",
        "--",
        "\x1b[31m",
        "[red]",
        "{}",
        "int8",
        "float16",
    ),
    *("auto", "joint", "exact", "index", "matched", "bash", "cat", "dog", "room", "flow", "similarity", "count", "mean"),
]
NAMES = [*NETWORKS, *FAMILIES, *RECIPES, *DECODERS, *CLAIMS]

#: Commands that take long when all is right, and the option that must be there, wrong.
LONG = {"demo": ["--seed", "-1"], "animate": ["--seed", "-1"], "regress": ["--tolerance", "-1"]}


@functools.cache
def good_files() -> dict[str, bytes]:
    """Files of every kind that commands read."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        NETWORK.run(1, seed=1)[0].save(place / "run.json")
        sketcher = simnet.Sketcher(NETWORK, 64, seed=3)
        sketches = sketcher.encode(NETWORK.run(4, seed=2))
        simnet.save_sketches(place / "day.npz", sketches, **sketcher.metadata)
        simnet.save_sketches(place / "one.npz", sketches[0], **sketcher.metadata)
        with SketchStore.create(place / "rooms.sketches", sketcher) as store:
            store.add(sketches, time=[0.0, 1e6, 2e6, 3e6], tags=["a"])
        (place / "study.toml").write_text(STUDY)
        (place / "damaged.json").write_bytes((place / "run.json").read_bytes()[:-40])
        (place / "damaged.npz").write_bytes((place / "day.npz").read_bytes()[:-40])
        (place / "empty").write_bytes(b"")
        return {path.name: path.read_bytes() for path in place.iterdir()}


FILES = [
    "run.json",
    "day.npz",
    "rooms.sketches",
    "study.toml",
    "damaged.json",
    "damaged.npz",
    "empty",
    "missing",
    "folder",
    "missing/x.svg",
    "new.npz",
    "new.svg",
    "new.png",
    "new.csv",
    "new.graphml",
    ".",
    "a\x01b",
]


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """All commands by the words that call them."""
    found: dict[tuple[str, ...], click.Command] = {}
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        elif command is not None:
            found[*path, name] = command
    return found


COMMANDS = commands()


def values(parameter: click.Parameter) -> st.SearchStrategy[str]:
    """Texts for a parameter of this type; often right ones."""
    strange = st.sampled_from(TEXTS)
    match parameter.type:
        case click.types.IntParamType():
            return st.one_of(st.integers(0, 70).map(str), st.integers(-(2**70), 2**70).map(str), strange)
        case click.types.FloatParamType():
            return st.one_of(st.floats(0, 1).map(str), st.floats().map(str), strange)
        case click.Path():
            return st.sampled_from(FILES)
        case _:
            return st.one_of(
                st.sampled_from(NAMES), strange, st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
            )


@st.composite
def lines(draw: st.DrawFn, path: tuple[str, ...]) -> list[str]:
    """The words after ``simnet``."""
    command = COMMANDS[path]
    words = list(path)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            for _ in range(draw(st.sampled_from([1, 1, 1, 1, 0, 2]))):
                words.append(draw(values(parameter)))
        elif isinstance(parameter, click.Option) and (parameter.required or draw(st.integers(0, 3)) == 0):
            if parameter.name in ("show", "workers", "cluster"):  # a browser, processes, the network
                continue
            words.append(draw(st.sampled_from(parameter.opts)))
            if not parameter.is_flag:
                words.append(draw(values(parameter)))
    if draw(st.integers(0, 9)) == 0:
        words.insert(draw(st.integers(0, len(words))), draw(st.sampled_from([*TEXTS, "--nonsense", "-h"])))
    return words + LONG.get(path[0], [])


def called(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Status, output and errors of one command, in a folder with good files and bad ones."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "folder").mkdir(parents=True)
    for name, content in good_files().items():
        (folder / name).write_bytes(content)
    out, err, before, here = io.StringIO(), io.StringIO(), sys.argv, Path.cwd()
    os.chdir(folder)
    sys.argv = ["simnet", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("error")
            main()
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    finally:
        sys.argv = before
        os.chdir(here)
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Two trials of one task, in this process: enough for the options of ``verify``."""
    plan = simnet.claims.verify.plan
    monkeypatch.setattr(
        "simnet.claims.verify.plan", lambda claims, quick: [plan(claims, quick=True)[-1]._replace(start=0, stop=2)]
    )
    monkeypatch.setattr("simnet.cli.terminal.cores", lambda: 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("commands") / "here"


@settings(max_examples=max(settings.default.max_examples // 4, 10))
@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@given(data=st.data())
def test_a_command_line_ends_in_an_answer_or_in_one_line(path, data, folder):
    words = data.draw(lines(path))
    status, _, errors = called(words, folder)
    assert status in (0, 1, 2), words
    assert "Traceback" not in errors
    if status == 2 and errors:
        assert errors.startswith(("simnet: error: ", "Usage")), errors
        assert path[0] == "sweep" or errors.count("\n") == 1, errors
    assert not list(folder.rglob("*.partial")), "half a file is left"


def test_every_good_file_is_read(folder):
    """The negative control of the grammar: its good files are good."""
    for words in (
        ["decode", "one.npz", "run.json"],
        ["show", "run.json"],
        ["memory", "info", "rooms.sketches"],
        ["sweep", "study.toml", "--status"],
    ):
        status, out, errors = called(words, folder)
        assert status == 0, errors
        assert out
