"""What tests of claims share."""

from __future__ import annotations

import dataclasses

import pytest

from simnet.claims import CLAIMS


@pytest.fixture
def only(monkeypatch):
    """``only(name, pick, trials)``: of the quick cases of a claim those that are picked by their labels, and how often."""

    def narrowed(name, pick, trials=None):
        cases = [case for case in CLAIMS[name].cases(quick=True) if pick(case.label)]
        if trials is not None:
            cases = [dataclasses.replace(case, trials=trials) for case in cases]
        monkeypatch.setattr(type(CLAIMS[name]), "cases", lambda self, quick: cases)

    return narrowed
