"""The claim on holographic traces holds, and fails for encoders that are wrong in one way each."""

from __future__ import annotations

import pytest

import simnet.claims.holographic as claim
from simnet.baselines import HolographicEncoder
from simnet.claims.verify import verify


class SharedSlots(HolographicEncoder):
    """One vector for a slot number: it comes several times on one path, and correlates with itself."""

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


@pytest.fixture
def tree_traces_only(only):
    """The one case that shows all that is wrong here."""
    only("holographic", lambda label: label == "tree, d = 2048, traces")


@pytest.mark.parametrize(("wrong", "kind"), [(SharedSlots, "normal"), (NeverUnitary, "unitary")])
@pytest.mark.usefixtures("tree_traces_only")
def test_a_wrong_encoder_fails(wrong, kind, monkeypatch):
    assert not failures()
    monkeypatch.setattr(claim, "HolographicEncoder", wrong)
    assert any(kind in row.quantity for row in failures())
