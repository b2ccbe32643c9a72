"""The command as users start it: what it prints, and its exit status."""

import subprocess
import sys

import pytest

import simnet


def run(*arguments):
    command = [sys.executable, "-m", "simnet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "run.json"
    simnet.networks.layered(widths=(2, 1), attribute_dim=2, seed=0).run(1, seed=1)[0].save(path)
    return path


def test_verify_prints_a_verdict_and_ends_in_0(tmp_path):
    csv = tmp_path / "rows.csv"
    result = run("verify", "--quick", "--property", "matrices", "--output", csv)
    assert result.returncode == 0, result.stderr
    assert "every property holds" in result.stdout
    assert "self-noise" in csv.read_text()


def test_encode_then_decode_gives_every_attribute_with_its_interval(saved, tmp_path):
    assert run("encode", saved, "-o", tmp_path / "s.npz", "--sketch-dim", 256).returncode == 0
    result = run("decode", tmp_path / "s.npz", saved)
    assert result.returncode == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()[1:]]
    assert len(rows) == 3 * 2
    ex = simnet.Execution.load(saved)
    sketcher = simnet.Sketcher(ex.network, 256)
    estimate = sketcher.decode(sketcher.encode(ex), ex.structure)
    for name, j, *numbers in rows:
        expected = [estimate.attributes[name][int(j)], *estimate.interval(0.95)[name][int(j)]]
        assert [float(x) for x in numbers] == pytest.approx(expected, rel=1e-5)


def test_list_names_what_can_be_named():
    named = run("list").stdout
    assert "random_dag" in named
    assert "attribute_recovery" in named.split("experiments:")[1]


def test_a_mistake_is_one_line_and_status_2():
    result = run("verify", "--seed", "-1")
    assert result.returncode == 2, result.stdout
    assert result.stderr.startswith("simnet: error: ")
    assert result.stderr.count("\n") == 1
    assert "seed" in result.stderr
