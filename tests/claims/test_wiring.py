"""The claim on blind wiring holds, and fails where pairs do not belong together or supports are made up."""

from __future__ import annotations

import dataclasses

import pytest

import simnet.claims.wiring as claim
from simnet.claims.verify import verify
from simnet.sketcher import Sketcher


@pytest.fixture
def one_case(monkeypatch):
    cases = claim.Wiring().cases(quick=True)
    monkeypatch.setattr(claim.Wiring, "cases", lambda self, quick: cases[:1])


def test_right_software_holds():
    # noise passes for a signal with probability 1e-3 in each of a few decisions, of 2 trials
    assert all(row.holds for row in verify(["wiring"], quick=True))


@pytest.mark.usefixtures("one_case")
def test_activity_of_other_runs_fails(monkeypatch):
    right = claim.blind_wiring
    monkeypatch.setattr(claim, "blind_wiring", lambda active, sketches, **options: right(active[::-1], sketches, **options))
    assert "supports found" in {row.quantity for row in verify(["wiring"], quick=True) if not row.holds}


@pytest.mark.usefixtures("one_case")
def test_a_support_too_many_fails(monkeypatch):
    right = claim.blind_wiring

    def wrong(active, sketches, **options):
        found = right(active, sketches, **options)
        return dataclasses.replace(found, supports=(*found.supports, frozenset(range(6))))

    monkeypatch.setattr(claim, "blind_wiring", wrong)
    failed = {row.quantity for row in verify(["wiring"], quick=True) if not row.holds}
    assert failed == {"false supports", "supports, shuffled"}


@pytest.mark.parametrize(("share", "supports"), [(0.4, 1.0), (8.0, 0.0)])
def test_noise_breaks_the_supports_where_the_law_says(share, supports):
    """Below the noise that hides the weakest direction all are found, above it none; edges need a clear one."""
    network = {"family": "layered", "widths": [4, 2, 1], "attribute_dim": 2, "seed": 2}
    given = {"network": network, "runs": 1500, "sketch_dim": 48, "matrices": "gaussian", "recipe": "recursive"}
    options = {"kind": "noise", "noise": 0.0, "noise_share": share, "dtype": "float64"}
    samples = claim.Wiring().trial(given | options, 0, Sketcher)
    measured = {sample.quantity: sample.measured for sample in samples}
    assert measured == {
        "share of supports found": supports,
        "share of edges found": 0.0,
        "false edges": 0,
        "false supports": 0,
    }
