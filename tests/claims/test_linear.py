"""The claims on least squares and unrolling hold, and fail where they should."""

from __future__ import annotations

import numpy as np
import pytest

import simnet.claims.linear as linear
from simnet.claims.verify import verify
from simnet.decoding import pursuit, shared
from simnet.sketcher import Sketcher
from simnet.theory import linear_mse


@pytest.mark.parametrize("name", ["linear", "unrolling"])
def test_right_software_holds(name, only):
    only(name, lambda label: "coverage" not in label and "1.25" not in label, 6)
    # fails with probability 1e-3 if the software is right: the budget of verify
    assert all(row.holds for row in verify([name], quick=True))


def test_a_wrong_law_fails(monkeypatch, only):
    only("linear", lambda label: "one layer" in label and "trig" in label, 40)
    monkeypatch.setattr(linear, "linear_mse", lambda *a, **k: 1.5 * linear_mse(*a, **k))
    assert not any(row.holds for row in verify(["linear"], quick=True))


class Unfit(Sketcher):
    """Encodes with a little noise that no decoder is told of."""

    def encode(self, runs):
        s = super().encode(runs)
        return s + 1e-3 * np.random.default_rng(0).standard_normal(s.shape)


def test_a_sketch_that_is_not_linear_is_neither_exact_nor_unrolled(monkeypatch, only):
    only("linear", lambda label: label.startswith("exact"), 3)
    assert not any(row.holds for row in verify(["linear"], quick=True, sketcher=Unfit))
    # without a certificate the search goes on to its end: a short one here
    monkeypatch.setattr(pursuit, "BEAMS", (1,))
    monkeypatch.setattr(shared, "SHARED_BEAMS", (1,))
    only("unrolling", lambda label: "d = 2 p" in label, 2)
    rows = {row.quantity: row for row in verify(["unrolling"], quick=True, sketcher=Unfit)}
    assert not rows["wiring or attributes wrong"].holds
    assert rows["wrong, but certain"].holds
