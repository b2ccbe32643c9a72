"""The laws of holographic reduced representations, by hand and against sampled Fourier coefficients."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet import theory
from simnet.theory.holographic import place_paths

X, Y = np.array([0.6, 0.8]), np.array([0.5, 0.1, 0.2])
CHAIN = simnet.Execution.from_objects([("a", "a", X, ["b"], [0.5]), ("b", "b", Y, [], [])], outputs={"a": 0.8})


def two_hands():
    """Namesakes that share an input: the ring is in two places, and once more at the top."""
    return simnet.Execution.from_objects(
        [
            ("left", "hand", [0.3, 0.4], ["ring"], [0.5]),
            ("right", "hand", [0.1, 0.7], ["other", "ring"], [0.2, 0.4]),
            ("ring", "ring", [0.9], [], []),
            ("other", "ring", [0.2], [], []),
        ],
        outputs=[("left", 0.5), ("right", 0.2), ("ring", 0.3)],
    )


def test_a_chain_by_hand():
    """Below ``a`` of weight 0.8 stands ``b`` of weight 0.4; normal vectors double what shares a slot, once for each."""
    own, other = Y @ Y - Y**2 + 1.0, (X @ X + 1.0) / 0.25
    law = {flag: theory.holographic_mse(CHAIN, "b", sketch_dim=10, unitary=flag) for flag in (True, False)}
    np.testing.assert_allclose(law[True], (own + other) / 10, rtol=1e-12)
    np.testing.assert_allclose(law[False], (4.0 * own + 2.0 * other) / 10, rtol=1e-12)
    own, other = X @ X - X**2 + 1.0, (Y @ Y + 1.0) * 0.25
    for flag, factor in ((True, 1.0), (False, 2.0)):
        law_a = theory.holographic_mse(CHAIN, "a", sketch_dim=10, unitary=flag)
        np.testing.assert_allclose(law_a, factor * (own + other) / 10, rtol=1e-12)


def test_unitary_vectors_lose_nothing_with_depth():
    """``(E‖t‖² − w² x_j²)/(d w²)`` along single paths."""
    norm = theory.holographic_norm(CHAIN)
    assert norm == pytest.approx(0.64 * (X @ X + 1.0) + 0.16 * (Y @ Y + 1.0))
    for name, x, w in (("a", X, 0.8), ("b", Y, 0.4)):
        law = theory.holographic_mse(CHAIN, name, sketch_dim=100, unitary=True)
        np.testing.assert_allclose(law, (norm - w**2 * x**2) / (100 * w**2), rtol=1e-12)


def test_namesakes_share_their_vectors():
    ex = simnet.Execution.from_objects(
        [("tom", "cat", [0.6], [], []), ("kit", "cat", [0.5], [], [])], outputs={"tom": 0.5, "kit": 0.25}
    )
    unitary, normal = (theory.holographic_mse(ex, "tom", sketch_dim=1, unitary=flag) for flag in (True, False))
    np.testing.assert_allclose(unitary, [1.0 + 0.25 * (1.0 + 0.25)], rtol=1e-12)
    # |S|⁴ doubles the own presence, |A|⁴ the coordinate of the other
    np.testing.assert_allclose(normal, [2.0 + 0.25 * (1.0 + 2.0 * 0.25)], rtol=1e-12)


def test_all_paths_with_their_weights():
    paths = dict(zip(two_hands().structure, place_paths(two_hands().structure), strict=True))
    assert paths["ring"] == {
        (("root", 0), ("hand", 0)): 0.25,
        (("root", 1), ("hand", 1)): pytest.approx(0.08),
        (("root", 2),): 0.3,
    }
    assert paths["left"] == {(("root", 0),): 0.5}


@pytest.mark.parametrize("unitary", [True, False])
def test_several_paths_against_sampled_coefficients(unitary):
    """``E[|V|² |r|²]/g²`` at one frequency, 200,000 draws: good to a few per cent, where the other kind is far off."""
    ex, draw, n = two_hands(), np.random.default_rng(0), 200_000
    s = ex.structure

    def coefficient():
        if unitary:
            return np.exp(2j * np.pi * draw.random(n))
        return (draw.standard_normal(n) + 1j * draw.standard_normal(n)) / np.sqrt(2.0)

    slots = {key: coefficient() for place in place_paths(s) for path in place for key in path}
    own = {module: [coefficient() for _ in range(dim + 1)] for module, dim in (("hand", 2), ("ring", 1))}
    places = [
        sum(w * np.prod([slots[key] for key in path], axis=0) for path, w in place.items()) for place in place_paths(s)
    ]
    for k, module in enumerate(s.modules):
        for j, law in enumerate(theory.holographic_mse(ex, k, sketch_dim=1, unitary=unitary)):
            rest = 0.0
            for i, (other, x) in enumerate(zip(s.modules, ex.attributes, strict=True)):
                for column, value in enumerate([*x, 1.0]):
                    if (i, column) != (k, j):
                        rest = rest + places[i] * own[other][column] * value
            gain = np.mean(np.abs(places[k]) ** 2)
            sampled = np.mean(np.abs(places[k] * own[module][j] * rest) ** 2) / gain**2
            assert sampled == pytest.approx(law, rel=0.05)
            assert sampled != pytest.approx(theory.holographic_mse(ex, k, sketch_dim=1, unitary=not unitary)[j], rel=0.1)


def test_clean_up_goes_from_chance_to_certainty():
    for unitary in (True, False):
        accuracy = [theory.clean_up_accuracy(CHAIN, "b", sketch_dim=d, unitary=unitary) for d in (1, 4, 16, 64, 1024)]
        assert (np.diff(accuracy) > 0.0).all()
        assert 0.5 < accuracy[0] < 0.7
        assert accuracy[-1] == pytest.approx(1.0, abs=1e-5)
    faint = simnet.Execution.from_objects(
        [(name, name, [0.5], [], []) for name in "abcde"], outputs={"a": 1e-6, **dict.fromkeys("bcde", 0.2)}
    )
    assert theory.clean_up_accuracy(faint, "a", sketch_dim=64, unitary=True) == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize("law", [theory.holographic_mse, theory.clean_up_accuracy])
def test_outside_their_domain_the_laws_are_refused(law):
    with pytest.raises(ValueError, match="sketch_dim = 0"):
        law(CHAIN, "a", sketch_dim=0)
    with pytest.raises(ValueError, match="object = 'c'"):
        law(CHAIN, "c", sketch_dim=8)
    absent = simnet.Execution.from_objects([("a", "a", X, [], []), ("b", "b", Y, [], [])], outputs={"a": 0.0, "b": 1.0})
    with pytest.raises(ValueError, match="object 'a': has weight 0"):
        law(absent, "a", sketch_dim=8)


def test_clean_up_needs_one_path():
    with pytest.raises(ValueError, match="object 'ring': has several paths"):
        theory.clean_up_accuracy(two_hands(), "ring", sketch_dim=8)
