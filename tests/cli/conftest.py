"""The command line in this process."""

import sys
from dataclasses import dataclass

import pytest

import simnet
from simnet.cli import main


@dataclass
class Result:
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command as ``simnet`` does."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["simnet", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Result(ended.value.code or 0, *capsys.readouterr())

    return command


@pytest.fixture
def mistake(run):
    """Run a command that must end in one clear line which says this."""

    def check(*arguments, says):
        result = run(*arguments)
        assert result.status == 2, result.out
        assert result.err.startswith("simnet: error: ")
        assert result.err.count("\n") == 1
        assert says in result.err

    return check


@pytest.fixture
def room(tmp_path):
    """A saved execution of a scene: a room with two cats and two chairs."""
    path = tmp_path / "room.json"
    simnet.networks.scene(places=4, seed=0).run(1, seed=1)[0].save(path)
    return path
