"""Real digits: activations come back, and counts of a year are right."""

import numpy as np
import pytest

import simnet
from simnet.adapters.digits import DigitRows
from simnet.memory import SketchStore


@pytest.fixture(scope="module")
def net():
    return DigitRows.train(0)


def test_the_network_reads_digits_and_adds_them(net):
    rows = net.run(500, seed=1)
    assert np.mean(rows.taken == rows.labels) > 0.9
    assert np.mean(np.abs(rows.combined[:, -1] - rows.labels.sum(axis=1)) < 1.0) > 0.7


def test_activations_come_back_exactly(net):
    rows = net.run(20, seed=1)
    sketcher = simnet.Sketcher(net.network, 256, seed=3)
    for run, sketch in enumerate(sketcher.encode(rows.executions)):
        found = sketcher.decode(sketch, rows.executions[run].structure, "least_squares").attributes
        for i in range(3):
            assert np.abs(found[i] * rows.hidden_factor - rows.hidden[run, i]).max() < 1e-8
        assert np.abs(found[3] * rows.combined_factor - rows.combined[run]).max() < 1e-8


def test_the_digits_of_a_year_are_counted(net, tmp_path):
    """Ten intervals that each miss with probability 10⁻⁴; the counts of another year are not in them."""
    rows, other = net.run(365, seed=1), net.run(365, seed=2)
    sketcher = simnet.Sketcher(net.network, 1024, seed=3)
    with SketchStore.create(tmp_path / "year.sketches", sketcher, storage="float16") as store:
        store.add_runs(rows.executions)
        year = store.ask()
        intervals = np.array([year.count(str(digit)).interval(1.0 - 1e-4) for digit in range(10)])
    truth, wrong = (np.bincount(r.taken.ravel(), minlength=10) for r in (rows, other))
    assert np.all((intervals[:, 0] <= truth) & (truth <= intervals[:, 1]))
    assert np.all(np.ptp(intervals, axis=1) < 1.0)
    assert np.any((wrong < intervals[:, 0]) | (wrong > intervals[:, 1]))
