"""The claim on learning packets holds, and fails where there is nothing to learn."""

from __future__ import annotations

import dataclasses

import numpy as np

import simnet.claims.dictionary as claim
from simnet.claims.verify import verify


def test_right_software_holds():
    # fails with probability 1e-3 if the software is right: the budget of verify
    assert all(row.holds for row in verify(["dictionary"], quick=True))


def test_nothing_is_learnt_from_shuffled_rows(monkeypatch):
    """Negative control."""
    right = claim.learn_packets

    def shuffled(sketches, **options):
        return right(sketches[:, np.random.default_rng(0).permutation(sketches.shape[1])], **options)

    cases = [dataclasses.replace(c, trials=3) for c in claim.Dictionary().cases(quick=True)]
    monkeypatch.setattr(claim.Dictionary, "cases", lambda self, quick: cases[1:3] + cases[-1:])
    monkeypatch.setattr(claim, "learn_packets", shuffled)
    rows = verify(["dictionary"], quick=True)
    assert not any(row.holds for row in rows if row.quantity in ("cells learnt", "smallest cosine of a column"))
    assert all(row.measured == 0.0 for row in rows if row.quantity == "cells learnt")
