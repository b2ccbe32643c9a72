"""The claim on holographic traces holds, and fails for encoders that are wrong in one way each."""

from __future__ import annotations

import pytest

import simnet.claims.holographic as claim
from simnet.baselines import HolographicEncoder
from simnet.claims.verify import verify


class SharedSlots(HolographicEncoder):
    """One vector for a slot number: convolution commutes, so places with the same numbers on their path are one."""

    def _slot(self, module, slot):
        return super()._slot("shared", slot)


class NeverUnitary(HolographicEncoder):
    """Normal vectors whatever is asked for."""

    def __init__(self, network, sketch_dim, seed=0, *, unitary=False):
        super().__init__(network, sketch_dim, seed, unitary=False)


def failures():
    return [row for row in verify(["holographic"], quick=True) if not row.holds]


def test_right_software_holds():
    # fails with probability 1e-3 if the software is right: the budget of verify
    assert not failures()


@pytest.mark.parametrize(("wrong", "kind"), [(SharedSlots, "depth 3"), (NeverUnitary, "unitary")])
def test_a_wrong_encoder_fails(wrong, kind, monkeypatch):
    monkeypatch.setattr(claim, "HolographicEncoder", wrong)
    failed = failures()
    assert failed
    assert all("traces" in row.case for row in failed)
    assert any(kind in row.quantity for row in failed)
