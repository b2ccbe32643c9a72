"""The claim on storage holds, and fails for a quantiser that is not what it says."""

from __future__ import annotations

import dataclasses

import pytest

import simnet.claims.storage as claim
from simnet.claims.verify import verify
from simnet.testing import DEFECTS


@pytest.fixture
def rounding_only(only):
    """The cases without additive noise."""
    only("storage", lambda label: label.startswith("rounding"))


def test_right_software_holds():
    # fails with probability 1e-3 if the software is right: the budget of verify
    assert all(row.holds for row in verify(["storage"], quick=True))


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.usefixtures("rounding_only")
def test_a_step_a_tenth_off_fails_by_variance(factor, monkeypatch):
    """Codes are read with a scale of their own: the error is then the scale's, for all storages."""
    right = claim.store

    def wrong(sketches, storage):
        stored = right(sketches, storage)
        error = factor * (stored.restore() - sketches)
        return dataclasses.replace(stored, codes=sketches + error, scales=stored.scales * 0.0 + 1.0)

    monkeypatch.setattr(claim, "store", wrong)
    failed = {row.quantity for row in verify(["storage"], quick=True) if not row.holds}
    assert {f"{name}, variance of the error" for name in ("float32", "float16")} <= failed
    assert {f"{name}, added MSE, whole" for name in ("float32", "float16", "int8")} <= failed


@pytest.mark.usefixtures("rounding_only")
def test_a_wrong_statement_of_the_noise_fails(monkeypatch):
    right = claim.store

    def wrong(sketches, storage):
        stored = right(sketches, storage)
        return dataclasses.replace(stored, noise=1.1 * stored.noise)

    monkeypatch.setattr(claim, "store", wrong)
    failed = {row.quantity for row in verify(["storage"], quick=True) if not row.holds}
    assert failed
    assert all("added MSE" in quantity for quantity in failed)


def test_truncation_without_its_factor_fails_where_there_is_truncation():
    failed = [row for row in verify(["storage"], quick=True, sketcher=DEFECTS["truncation unscaled"]) if not row.holds]
    assert failed
    assert all("prefix" in row.quantity for row in failed)
