"""Supports are found from activity and sketches, none is stated that is not there, and reasons are given."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.learning import blind_wiring
from simnet.sketching import encoder
from tests.learning.conftest import make_pairs

NO_MARKS = simnet.Recipe(identity=0.5, mixing=0.5, attribute_share=0.5, input_share=0.5, value_share=0.5, presence_share=0.0)


def sets(found):
    return sorted(map(sorted, found.supports))


def false_ones(found, truth):
    return [s for s in sets(found) if s not in truth]


def test_all_supports_and_dimensions(three_levels):
    found = blind_wiring(three_levels.active, three_levels.sketches, attribute_dim=4)
    assert sets(found) == three_levels.truth
    assert set(found.dimensions) == {4}
    assert found.evidence == "marks"
    assert min(found.margins) > 1e6
    assert found.noise == 0.0
    assert not found.undetermined


@pytest.mark.parametrize("matrices", ["trig", "rademacher", "haar", "block"])
def test_any_family(matrices):
    network = simnet.networks.layered(widths=(4, 3, 2), attribute_dim=2, seed=1)
    pairs = make_pairs(network, 500, 64, matrices=matrices)
    assert set(map(tuple, sets(blind_wiring(pairs.active, pairs.sketches)))) == set(map(tuple, pairs.truth))


def test_ranks_alone_when_there_are_no_marks(three_levels):
    pairs = make_pairs(three_levels.network, 4000, 128, recipe=NO_MARKS)
    found = blind_wiring(pairs.active, pairs.sketches, attribute_dim=4)
    assert found.evidence == "ranks"
    assert sets(found) == pairs.truth
    assert min(found.margins) > 1e3


def test_dead_units_make_no_false_support():
    network = simnet.networks.layered(widths=(6, 5, 4), attribute_dim=4, fan_in=2, seed=5)  # units dead on partial inputs
    with_marks = make_pairs(network, 2000, 128)
    assert sets(blind_wiring(with_marks.active, with_marks.sketches)) == with_marks.truth
    without = make_pairs(network, 4000, 128, recipe=NO_MARKS)
    found = blind_wiring(without.active, without.sketches, attribute_dim=4)
    assert not false_ones(found, without.truth)
    assert any("dead units" in reason for reason in found.undetermined)


def test_more_inputs_than_patterns_can_be_seen():
    """13 inputs: nearly every pair has a pattern of its own, and most patterns never come."""
    network = simnet.networks.layered(widths=(13, 7, 4), attribute_dim=2, fan_in=2, seed=3)
    pairs = make_pairs(network, 500, 128)
    assert set(map(tuple, sets(blind_wiring(pairs.active, pairs.sketches)))) == set(map(tuple, pairs.truth))


def test_modules_of_one_support():
    network = simnet.networks.layered(widths=(2, 2), attribute_dim=3, fan_in=2, seed=0)
    pairs = make_pairs(network, 600, 64)
    assert sets(blind_wiring(pairs.active, pairs.sketches)) == [[0], [0, 1], [1]]
    assert blind_wiring(pairs.active, pairs.sketches).dimensions == (3, 3, 6)
    assert sets(blind_wiring(pairs.active, pairs.sketches, attribute_dim=3)) == [[0], [0, 1], [0, 1], [1]]


@pytest.mark.parametrize("recipe", ["recursive", NO_MARKS])
@pytest.mark.parametrize("silent_runs", [True, False])
def test_shuffled_pairs_say_nothing(three_levels, recipe, silent_runs):
    pairs = make_pairs(three_levels.network, 1500, 128, recipe=recipe)
    there = pairs.active.any(axis=1) | silent_runs
    order = np.random.default_rng(5).permutation(there.sum())
    found = blind_wiring(pairs.active[there], pairs.sketches[there][order])
    assert found.supports == ()
    assert found.undetermined


def test_noise_that_can_be_borne_and_noise_that_cannot(three_levels):
    scale = np.sqrt(np.mean(three_levels.sketches**2))
    draw = np.random.default_rng(3).standard_normal(three_levels.sketches.shape)
    noisy = three_levels.sketches + 1e-4 * scale * draw
    found = blind_wiring(three_levels.active, noisy)
    assert sets(found) == three_levels.truth
    assert found.noise == pytest.approx(1e-4 * scale, rel=0.02)
    assert sets(blind_wiring(three_levels.active, noisy, noise=1e-4 * scale)) == three_levels.truth
    assert set(found.dimensions) <= {4, None}
    lost = blind_wiring(three_levels.active, three_levels.sketches + 0.1 * scale * draw)
    assert lost.supports == ()
    assert "noise" in lost.undetermined[0]


def test_single_precision(three_levels):
    found = blind_wiring(three_levels.active, three_levels.sketches.astype(np.float32))
    assert sets(found) == three_levels.truth


def test_too_few_pairs_and_too_small_sketches(three_levels):
    active, sketches = three_levels.active, three_levels.sketches
    for n in (3, 40, 70, 100):
        found = blind_wiring(active[:n], sketches[:n])
        assert found.supports == ()
        assert any("few" in reason for reason in found.undetermined)
    for d in (10, 40, 57):  # 56 attributes and 14 marks
        found = blind_wiring(active, sketches[:, :d])
        assert not false_ones(found, three_levels.truth)
        assert found.undetermined
    copies = blind_wiring(np.tile(active[:60], (20, 1)), np.tile(sketches[:60], (20, 1)))
    assert not false_ones(copies, three_levels.truth)
    assert any("copies" in message for message in copies.messages)


def test_inputs_that_never_change(three_levels):
    for column in ("always", "never", "twin"):
        active = three_levels.active.copy()
        active[:, 2] = {"always": True, "never": False, "twin": active[:, 3]}[column]
        pairs = make_pairs(three_levels.network, 2000, 128, activity=active)
        found = blind_wiring(pairs.active, pairs.sketches)
        assert not false_ones(found, pairs.truth)
        assert found.undetermined


@pytest.mark.parametrize("one_by_one", [False, True])
def test_weights_that_vary_make_no_false_support(three_levels, one_by_one, monkeypatch):
    """Ranks are those of paths, and small: whether all can be told from rounding depends on how the runs were encoded."""
    if one_by_one:
        monkeypatch.setattr(encoder, "best_cut", lambda *_: None)
    pairs = make_pairs(three_levels.network, 2000, 256, jitter=0.3)
    found = blind_wiring(pairs.active, pairs.sketches)
    assert not false_ones(found, pairs.truth)
    assert found.undetermined or sets(found) == pairs.truth


def test_what_is_refused():
    good, sketches = np.ones((5, 2), dtype=bool), np.ones((5, 3))
    for active, values, text in (
        (good.astype(int), sketches, "active_inputs"),
        (good, sketches[:4], "sketches"),
        (good, sketches * np.nan, "finite"),
        (good, sketches.astype(int), "floats"),
    ):
        with pytest.raises(ValueError, match=text):
            blind_wiring(active, values)
    for option in ({"attribute_dim": 0}, {"noise": -1.0}, {"failure_probability": 0.0}):
        with pytest.raises(ValueError, match=next(iter(option))):
            blind_wiring(good, sketches, **option)
    assert blind_wiring(good, 0.0 * sketches).undetermined == ("all sketches are zero",)
