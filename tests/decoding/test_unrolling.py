"""Unrolling: from one sketch to objects, wiring and attributes; and to nothing where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simnet
from simnet.claims.unrolling import is_right
from simnet.decoding.places import Places
from simnet.decoding.pursuit import Hypothesis, Pursuit, in_cone
from tests import oracle
from tests.statistical import agrees


def planted(seed, ratio, family="trig", modules=10):
    net = simnet.networks.random_dag(modules=modules, attribute_dim=4, seed=seed)
    ex = net.run(1, seed=seed)[0]
    sketcher = simnet.Sketcher(net, math.ceil(ratio * 5 * ex.structure.places), family, seed=seed + 100)
    return ex, sketcher


def test_a_place_has_the_columns_of_the_operator():
    ex = simnet.networks.tree(height=3, branching=2, attribute_dim=3, seed=1).run(1)[0]
    sketcher = simnet.Sketcher(ex.network, 64, "gaussian", seed=2)
    dense, op = oracle.operator(ex, sketcher), sketcher.operator(ex)
    places = Places(sketcher, np.arange(64))
    top = ex.structure.outputs[0]
    place = places.place(None, 0, ex.structure[top].module)
    child = ex.structure[top].inputs[1]
    below = places.place(place, 1, ex.structure[child].module)
    for name, found in ((top, place), (child, below)):
        k = ex.structure.position(name)
        natural = sketcher.to_natural(dense[:, op.columns[k].start : op.columns[k].stop + 1].T).T
        np.testing.assert_allclose(found.columns * ex.objects[k].effective_weight, natural, atol=1e-14)
    # the probe is its adjoint
    rng = np.random.default_rng(0)
    residual = rng.standard_normal((1, 64))
    openings, probes = places.probes([place], residual)
    at = openings.index((place, 1))
    span = places.spans[places.modules.index(below.module)]
    np.testing.assert_allclose(probes[at] @ places.stacked[span].T, residual @ below.columns, atol=1e-12)


def test_the_gain_of_a_depth_is_the_mean_square_of_a_column_of_unit_share():
    net = simnet.networks.tree(height=3, branching=1, attribute_dim=8, seed=1)
    squares = []
    for seed in range(200):
        sketcher = simnet.Sketcher(net, 64, "gaussian", recipe=simnet.Recipe(0.6, 0.5, 0.7, 0.8, 0.5, 0.4), seed=seed)
        places, place, lengths = Places(sketcher, np.arange(64)), None, []
        for module in reversed(net.order):  # a chain: each module is the input of the one before
            place = places.place(place, 0, module)
            lengths.append(np.sum(place.columns[:, :8] ** 2) / 8 / 0.5**2)
        squares.append(lengths)
    gains = np.array([places.gain(depth) for depth in (1, 2, 3)])
    assert agrees(squares, gains)
    assert not agrees(squares, 1.15 * gains)


def test_what_is_taken_for_noise_is_as_large_as_noise_and_no_larger():
    ex, sketcher = planted(0, 1.0)
    noise, free = 1e-3, 200
    pursuit = Pursuit(sketcher, sketcher.observe(sketcher.encode(ex), noise=noise), "any", 0.001)
    drawn = np.random.default_rng(0).normal(0.0, noise, (200, free))
    energies = np.sum(drawn**2, axis=1)
    assert all(pursuit.is_noise(energy, free) for energy in energies)  # each fails with probability 1e-6
    assert not any(pursuit.is_noise(1.6**2 * energy, free) for energy in energies)
    assert not pursuit.is_noise(0.0, 1)  # one degree of freedom says nothing
    exact = Pursuit(sketcher, sketcher.observe(sketcher.encode(ex)), "any", 0.001)
    assert not exact.is_noise((1e-12 * np.linalg.norm(exact.targets)) ** 2, free)


def test_a_hypothesis_is_fitted_by_least_squares_whichever_way_it_came_about():
    ex, sketcher = planted(0, 2.0)
    pursuit = Pursuit(sketcher, sketcher.observe(sketcher.encode(ex)), "any", 0.001)
    found = pursuit.significant(Hypothesis.of((), pursuit.targets))
    columns = np.concatenate([p.columns for p in found.taken], axis=1)
    solution, *_ = np.linalg.lstsq(columns, pursuit.targets, rcond=None)
    np.testing.assert_allclose(found.coefficients, solution, rtol=1e-5, atol=1e-12)
    for place, lost in list(found.losses.items())[:4]:
        fewer = Hypothesis.of([p for p in found.taken if p is not place], pursuit.targets)
        assert fewer.energy - found.energy == pytest.approx(lost, rel=1e-6)


def test_what_explains_nothing_is_no_evidence():
    hypothesis = Hypothesis.of((), np.random.default_rng(0).standard_normal((40, 1)))
    assert hypothesis.chance(-1e-20, 3, after=False) == hypothesis.chance(0.0, 3, after=False) == 1.0
    assert hypothesis.chance(0.9 * hypothesis.energy, 3, after=False) < 1e-9


def test_the_cone_keeps_what_an_object_could_make_and_little_of_chance():
    u, t = np.array([[0.3, 0.4], [3.0, 4.0], [0.0, 0.0], [3.0, 4.0]]), np.array([1.0, 1.0, -1.0, -6.0])
    np.testing.assert_allclose(in_cone(u, t, 1.0), [1.25, 18.0, 0.0, 0.0])
    chance = np.random.default_rng(0).standard_normal((20_000, 9))
    assert in_cone(chance[:, :8], chance[:, 8], 1.0).mean() < 0.6 * 9


@pytest.mark.parametrize("ratio", [2.0, 1.25, 1.0])
@pytest.mark.parametrize("family", ["trig", "gaussian"])
def test_wiring_and_attributes_are_exactly_right(family, ratio):
    for seed in range(2 if ratio > 1.0 else 1):
        ex, sketcher = planted(seed, ratio, family)
        found = sketcher.unroll(sketcher.encode(ex))
        assert found.certain
        assert found.residual < 1e-13
        assert is_right(found, ex)
        for name in found.structure:
            assert found.structure[name].weights == pytest.approx(ex.structure[name].weights, abs=1e-7)
            assert found.significance[name] < 1e-6
        assert found.places == ex.structure.places


def test_a_wrong_answer_is_told_from_the_right_one():
    """Negative control of ``is_right``."""
    ex, sketcher = planted(0, 2.0)
    found = sketcher.unroll(sketcher.encode(ex))
    other, _ = planted(1, 2.0)
    assert is_right(found, ex)
    assert not is_right(found, other)


def test_fewer_coordinates_than_places_need_are_enough_when_objects_repeat():
    ex, sketcher = planted(1, 0.9)
    found = sketcher.unroll(sketcher.encode(ex))
    assert is_right(found, ex)
    assert found.unknowns < sketcher.sketch_dim < 5 * found.places


def test_several_objects_of_one_module_stay_apart():
    scene = simnet.networks.scene(places=6, seed=0)
    for i in range(3):
        ex = scene.run(5, seed=1)[i]
        sketcher = simnet.Sketcher(scene, 2 * ex.structure.size, seed=1)
        found = sketcher.unroll(sketcher.encode(ex))
        assert found.certain
        assert sorted(found.structure.modules) == sorted(ex.structure.modules)
        room = found.structure["room"]
        for slot, name in enumerate(ex.structure["room"].inputs):
            if name is None:
                assert room.inputs[slot] is None
            else:
                x = ex.attributes[ex.structure.position(name)]
                np.testing.assert_allclose(found.attributes[room.inputs[slot]], x, atol=1e-9)


def test_nothing_is_found_in_noise_or_in_a_foreign_sketch():
    ex, sketcher = planted(0, 1.0)
    rng = np.random.default_rng(0)
    alarms = sum(len(sketcher.unroll(rng.standard_normal(sketcher.sketch_dim))) > 0 for _ in range(60))
    for seed in range(60):
        foreign = simnet.Sketcher(ex.network, sketcher.sketch_dim, seed=seed + 1000)
        alarms += len(sketcher.unroll(foreign.encode(ex))) > 0
    assert alarms <= 2  # at a rate of 1e-3 three alarms of 120 have probability 3e-4
    assert len(sketcher.unroll(sketcher.encode(ex))) > 0


def test_noise_a_prefix_and_an_erased_part():
    ex, sketcher = planted(2, 4.0)
    s = sketcher.encode(ex)
    d = sketcher.sketch_dim
    mask = np.arange(d) % 2 == 0
    assert is_right(sketcher.unroll(s[: d // 2]), ex)
    assert is_right(sketcher.unroll(s, erased=mask), ex)
    noise = 1e-9
    noisy = sketcher.unroll(s + noise * np.random.default_rng(0).standard_normal(d), noise=noise)
    assert noisy.certain
    assert set(noisy.structure.names) == set(ex.structure.names)
    z = [
        (noisy.attributes[n] - x) / noisy.standard_errors[n] for n, x in zip(ex.structure.names, ex.attributes, strict=True)
    ]
    assert 0.5 < np.sqrt(np.mean(np.square(z))) < 1.6


def test_several_sketches_show_what_is_too_faint_in_one():
    net = simnet.networks.tree(height=3, branching=2, attribute_dim=4, seed=1)
    runs = net.run(12, seed=3, weight_jitter=0.3)
    sketcher = simnet.Sketcher(net, 160, seed=1)
    s = sketcher.encode(runs)
    noise = 1e-4
    noisy = s + noise * np.random.default_rng(1).standard_normal(s.shape)
    one, all_of_them = (sketcher.unroll(x, noise=noise) for x in (noisy[0], noisy))
    assert len(one) < len(all_of_them) == 7
    assert all_of_them.attributes[0].shape == (12, 4)
    exact = sketcher.unroll(s)
    for name in exact.structure:
        truth = np.stack([runs[i].attributes[runs[i].structure.position(name)] for i in range(12)])
        np.testing.assert_allclose(exact.attributes[name], truth, atol=1e-9)


def test_the_wiring_of_the_network_can_be_used():
    ex, sketcher = planted(3, 1.25)
    assert is_right(sketcher.unroll(sketcher.encode(ex), wiring="network"), ex)


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("prototype_b", {}, r"^recipe.mixing = 0: "),
        (simnet.Recipe(presence_share=0.0), {}, r"^recipe.presence_share = 0: "),
        ("recursive", {"wiring": "all"}, "^wiring = 'all': must be one of 'any', 'network'"),
        ("recursive", {"failure_probability": 1.5}, "^failure_probability = 1.5: "),
    ],
)
def test_what_cannot_be_unrolled_is_refused_in_one_line(recipe, options, message):
    ex, _ = planted(0, 1.0)
    sketcher = simnet.Sketcher(ex.network, 64, recipe=recipe)
    with pytest.raises(ValueError, match=message):
        sketcher.unroll(np.ones(64), **options)
