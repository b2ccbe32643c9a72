"""Capsules: routing by agreement, and the planted wholes that it finds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.networks import capsules, routing, squash
from simnet.randomness import stream


def routed(u_hat, iterations):
    """Procedure 1 of the source, entry by entry: the couplings of the last round and the capsules."""
    n, m, a = len(u_hat), len(u_hat[0]), len(u_hat[0][0])
    b = [[0.0] * m for _ in range(n)]
    for _ in range(iterations):
        c = [[math.exp(b[i][j]) / sum(map(math.exp, b[i])) for j in range(m)] for i in range(n)]
        v = []
        for j in range(m):
            s = [sum(c[i][j] * u_hat[i][j][x] for i in range(n)) for x in range(a)]
            square = sum(x * x for x in s)
            v.append([square / (1.0 + square) * x / math.sqrt(square) for x in s])
        for i in range(n):
            for j in range(m):
                b[i][j] += sum(u_hat[i][j][x] * v[j][x] for x in range(a))
    return np.array(c), np.array(v)


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
def test_routing_is_the_procedure_of_the_source(iterations):
    predictions = np.random.default_rng(iterations).standard_normal((4, 5, 3, 6))
    couplings, above = routing(predictions, iterations)
    for run in range(4):
        c, v = routed(predictions[run].tolist(), iterations)
        np.testing.assert_allclose(couplings[run], c, rtol=1e-12)
        np.testing.assert_allclose(above[run], v, rtol=1e-12)
    if iterations > 1:  # negative control: another number of rounds is seen
        assert np.abs(couplings - routing(predictions, iterations - 1)[0]).max() > 1e-3


@pytest.mark.parametrize("widths", [(5, 3), (4, 3, 2)])
def test_weights_of_a_run_are_the_couplings_of_the_procedure(widths):
    net = capsules(widths=widths, attribute_dim=4, seed=1)
    runs = net.run(15, seed=2)
    for ex in (runs[i] for i in range(15)):
        found = dict(zip(ex.structure.names, ex.attributes, strict=True))
        for layer in range(1, len(widths) if found else 0):
            wholes = [f"capsule {layer}.{j}" for j in range(widths[layer])]
            slots = [i for i, name in enumerate(ex.structure[wholes[0]].inputs) if name is not None]
            u_hat = [[net.module(w).function.weights[i] @ found[ex.structure[w].inputs[i]] for w in wholes] for i in slots]
            c, v = routed(u_hat, 3)
            weights = np.array([[ex.structure[w].weights[i] for w in wholes] for i in slots])
            np.testing.assert_allclose(weights * widths[layer - 1], c, rtol=1e-10)
            np.testing.assert_allclose([found[w] for w in wholes], v, rtol=1e-10)
            assert weights.sum(axis=0).max() <= 1.0
            # the function of a capsule at these couplings is the capsule
            for j, w in enumerate(wholes):
                inputs = [None if name is None else found[name][None] for name in ex.structure[w].inputs]
                full = np.zeros((1, widths[layer - 1]))
                full[0, slots] = c[:, j]
                np.testing.assert_allclose(net.module(w).function(inputs, full)[0], found[w], rtol=1e-10)


def test_the_whole_that_is_there_is_the_longest_capsule_and_draws_its_parts():
    net, n = capsules(seed=0), 300
    runs, whole = net.run(n, seed=1), stream(1, "whole").integers(3, size=n)
    longest, more, less = 0, [], []
    for i in range(n):
        s = runs[i].structure
        if len(s):
            wholes = [f"capsule 1.{j}" for j in range(3)]
            longest += int(np.argmax([np.linalg.norm(runs[i].attributes[s.position(w)]) for w in wholes]) == whole[i])
            drawn = [sum(w for w, x in zip(s[v].weights, s[v].inputs, strict=True) if x is not None) for v in wholes]
            more.append(drawn[whole[i]] / np.mean(drawn))
            less.append(drawn[(whole[i] + 1) % 3] / np.mean(drawn))
    assert longest > 0.9 * n
    # by six standard errors, 1e-9; negative control: the whole after it draws less than its share
    assert np.mean(more) - 1.0 > 6.0 * np.std(more) / np.sqrt(len(more))
    assert np.mean(less) < 1.0


def test_weights_differ_from_run_to_run_and_parts_are_missing():
    (group, *_) = capsules(presence=1.0, seed=0).run(50, seed=1).groups
    assert len(group) == 50
    assert np.ptp(group.weights[:, :18], axis=0).min() > 1e-3
    sizes = {len(g.structure) for g in capsules(presence=0.5, seed=0).run(200, seed=1)}
    assert {0, 9} <= sizes or len(sizes) > 3


def test_squash_keeps_the_direction_and_shortens():
    s = np.random.default_rng(0).standard_normal((50, 4))
    v = squash(s)
    lengths = np.linalg.norm(s, axis=1)
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), lengths**2 / (1 + lengths**2))
    np.testing.assert_allclose(v / np.linalg.norm(v, axis=1, keepdims=True), s / lengths[:, None])
    assert not squash(np.zeros(3)).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (4,)}, r"widths = \[4\]: must have at least two layers"),
        ({"widths": (4, 0)}, r"widths\[1\] = 0: must be an integer >= 1"),
        ({"presence": 0.0}, r"presence = 0.0: must be positive"),
        ({"iterations": 0}, r"iterations = 0: must be an integer >= 1"),
        ({"attribute_dim": 1.5}, r"attribute_dim = 1.5: must be an integer"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        capsules(**options)
