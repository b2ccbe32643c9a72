"""``import simnet`` takes what every use of it needs, and nothing that only some do."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: What takes long to import: distributions and solvers (of decoders), graphs, tables and figures (of studies).
LATE = (
    "scipy.stats",
    "scipy.optimize",
    "scipy.integrate",
    "networkx",
    "pandas",
    "matplotlib",
    "sklearn",
    "pyarrow",
    "joblib",
    "click",
    "rich",
)


def loaded(program):
    """The modules among ``LATE`` that a program has imported at its end."""
    listed = f"{program}\nimport sys\nprint(*(m for m in {LATE!r} if m in sys.modules))"
    return subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True).stdout.split()


def test_nothing_that_only_some_need():
    assert loaded("import simnet") == []


@pytest.mark.parametrize(
    ("program", "module"),
    [
        ("import simnet; simnet.networks.tree().graph", "networkx"),
        ("import simnet; simnet.late.networkx.DiGraph", "networkx"),
    ],
)
def test_it_comes_when_it_is_asked_for(program, module):
    assert module in loaded(program)
