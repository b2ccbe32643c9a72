"""The claim on wiring from known matrices holds, and fails where edges are made up, lost or weighed wrong."""

from __future__ import annotations

import dataclasses

import pytest

import simnet.claims.known_wiring as claim
from simnet.claims.base import Sample
from simnet.claims.verify import verify


@pytest.fixture
def one_case(only):
    only("known_wiring", lambda label: label == "random DAG, exact")


def failing():
    return {row.quantity for row in verify(["known_wiring"], quick=True) if not row.holds}


def changed(monkeypatch, edges):
    """Every answer with other edges."""
    right = claim.find_wiring

    def wrong(*arguments):
        found = right(*arguments)
        return dataclasses.replace(found, edges=edges(found.edges))

    monkeypatch.setattr(claim, "find_wiring", wrong)


def test_right_software_holds():
    assert failing() == set()  # false edges with probability 1e-3 in each of 16 answers


@pytest.mark.usefixtures("one_case")
def test_an_edge_too_few_fails(monkeypatch):
    changed(monkeypatch, lambda edges: edges[1:])
    assert failing() == {"edges found", "weights exact"}


@pytest.mark.usefixtures("one_case")
def test_an_edge_too_many_fails(monkeypatch):
    changed(monkeypatch, lambda edges: (*edges, dataclasses.replace(edges[0], slot=99)) if edges else edges)
    assert failing() == {"false edges"}


@pytest.mark.usefixtures("one_case")
def test_weights_that_are_a_little_off_fail(monkeypatch):
    changed(monkeypatch, lambda edges: tuple(dataclasses.replace(e, weight=1.001 * e.weight) for e in edges))
    assert failing() == {"weights exact"}


def test_a_limit_off_by_three_fails(monkeypatch, only):
    only("known_wiring", lambda label: label == "layered, noise")
    right = claim.wiring_noise
    monkeypatch.setattr(claim, "wiring_noise", lambda **options: 3.0 * right(**options))
    assert failing() == {"noise limit over the law"}


@pytest.mark.parametrize("kind", ["many sketches", "one sketch"])
def test_studies_ask_how_much_of_the_wiring_is_found(kind):
    parameters = {"kind": kind, "spare": 20, "matrices": "trig", "runs": 60}
    parameters["network"] = {"family": "tree", "height": 2, "branching": 2, "attribute_dim": 3, "seed": 1}
    samples = claim.KnownWiring().trial(parameters, 3, claim.Sketcher)
    assert isinstance(samples[0], Sample)
    assert samples[0].measured == 1.0
