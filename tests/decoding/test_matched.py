"""The matched decoder: its formula, its mean, its error against Law 1, and its intervals."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.matrices import FAMILIES
from tests import oracle
from tests.statistical import agrees, covers, scaled

#: Transparent enough that depth 2 can be seen in a small sketch.
MILD = simnet.Recipe(0.95, 0.3, 0.5, 0.5, 0.8, 0.2)
D = 128
PARTS = {
    "whole": (slice(None), None),
    "prefix": (slice(D // 4), None),
    "random": (slice(None), np.random.default_rng(1).permutation(D) >= D // 4),
}


def kept_rows(part):
    """The stored coordinates that are left."""
    cut, mask = PARTS[part]
    return np.arange(D)[cut] if mask is None else np.flatnonzero(~mask)


def decode(sketcher, sketches, structure, part="whole", method="matched"):
    cut, mask = PARTS[part]
    return sketcher.decode(sketches[..., cut], structure, method, erased=mask)


def over_seeds(ex, seeds, matrices, recipe, ask):
    """What ``ask(sketcher, sketch)`` returns for that many independent sketchers."""
    makers = (simnet.Sketcher(ex.network, D, matrices, recipe, seed=seed) for seed in range(seeds))
    return np.stack([ask(maker, maker.encode(ex)) for maker in makers])


def of_parts(ex, seeds, matrices, recipe, ask):
    """What ``ask(estimate)`` returns for each part of a sketch, over so many independent sketchers."""

    def of_each(maker, s):
        return [ask(decode(maker, s, ex.structure, part)) for part in PARTS]

    return dict(zip(PARTS, np.moveaxis(over_seeds(ex, seeds, matrices, recipe, of_each), 1, 0), strict=True))


# -- formula ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_the_transpose_of_the_own_matrix_over_the_coefficient(family, part, shared, twins):
    for ex in (shared, twins):
        for recipe in (simnet.Recipe(), MILD):
            sketcher = simnet.Sketcher(ex.network, D, family, recipe, seed=5)
            s, rows = sketcher.encode(ex), kept_rows(part)
            estimate = decode(sketcher, s, ex.structure, part)
            assert estimate.method == "matched"
            for obj in ex.objects:
                own = sketcher.matrix(obj.module, "value").todense()[rows]
                expected = D / len(rows) * own.T @ s[rows] / oracle.coefficient(ex.structure, obj.name, recipe)
                np.testing.assert_allclose(estimate.attributes[obj.name], expected, rtol=1e-9)


def test_it_knows_the_weights_of_the_run_it_is_handed():
    runs = simnet.networks.layered(widths=(3, 2), attribute_dim=2, seed=0).run(2, seed=1, weight_jitter=0.5)
    sketcher = simnet.Sketcher(runs[0].network, D, seed=0)
    s = sketcher.encode(runs)[0]
    right, wrong = (sketcher.decode(s, runs[i].structure).attributes["0"] for i in range(2))
    ratio = simnet.theory.coefficient(runs[0], "0") / simnet.theory.coefficient(runs[1], "0")
    np.testing.assert_allclose(wrong, right * ratio, rtol=1e-12)
    assert abs(ratio - 1.0) > 0.05


# -- mean ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["gaussian", "trig"])
def test_it_is_unbiased_and_a_wrong_coefficient_is_not(family, shared):
    truth = np.concatenate(shared.attributes)
    for part, found in of_parts(shared, 400, family, MILD, lambda e: np.concatenate(list(e.attributes))).items():
        assert agrees(found, truth), part
        assert not agrees(found * 1.35, truth), part
        assert not agrees(found * 0.0, truth), part


def test_namesakes_mix_by_the_ratio_of_their_coefficients(twins):
    estimates = over_seeds(
        twins, 300, "trig", MILD, lambda maker, s: np.stack(list(decode(maker, s, twins.structure).attributes)[:3])
    )
    c = np.array([oracle.coefficient(twins.structure, name, MILD) for name in ("one", "two", "three")])
    vectors = np.stack(twins.attributes[:3])
    mixture = (c @ vectors) / c[:, None]
    assert agrees(estimates, mixture)
    assert not agrees(estimates, vectors)


@pytest.mark.parametrize("recipe", [simnet.Recipe(), MILD])
def test_bias_bounds_hold_the_mixture_and_are_zero_without_namesakes(recipe, twins, shared):
    sketcher = simnet.Sketcher(twins.network, D, recipe=recipe)
    bounds = sketcher.decode(sketcher.encode(twins), twins.structure).bias_bounds
    c = np.array([oracle.coefficient(twins.structure, name, recipe) for name in ("one", "two", "three")])
    for k in range(3):
        others = [i for i in range(3) if i != k]
        added = sum(c[i] / c[k] * twins.attributes[i] for i in others)
        assert np.abs(added).max() <= bounds[k]
        assert bounds[k] == pytest.approx(c[others].sum() / c[k])  # reached by equal vectors of one unit entry
    assert bounds[3] == 0.0
    other = simnet.Sketcher(shared.network, D)
    assert other.decode(other.encode(shared), shared.structure).bias_bounds == (0.0, 0.0, 0.0)


# -- error --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "recipe"), [("gaussian", MILD), ("trig", MILD), ("trig", "recursive")], ids=str)
def test_the_mean_square_error_is_law_1(family, recipe, shared):
    truth = np.stack(shared.attributes)
    found = of_parts(shared, 500, family, recipe, lambda e: (np.stack(list(e.attributes)) - truth) ** 2)
    for part, squares in found.items():
        options = {"sketch_dim": D, "kept": len(kept_rows(part)), "matrices": family, "recipe": recipe}
        law = np.stack([simnet.theory.attribute_mse(shared, k, **options) for k in range(3)])
        ratios = np.mean(squares / law, axis=2)
        off = 8.0 / D  # the O(1/d) that the law states for itself
        assert agrees(ratios, np.ones(3), slack=off), part
        assert not agrees(ratios, np.full(3, 1.5), slack=off), part
        assert not agrees(ratios, np.full(3, 0.6), slack=off), part


@pytest.mark.parametrize("family", ["gaussian", "rademacher", "trig"])
def test_the_families_differ_in_their_self_noise_as_law_1_says(family):
    ex = simnet.Execution.from_objects([("a", "a", [0.95, 0.1, 0.1], [], [])], outputs={"a": 1.0})
    options = {"sketch_dim": D, "kept": D // 2, "recipe": "prototype_a"}
    errors = over_seeds(
        ex,
        1500,
        family,
        "prototype_a",
        lambda maker, s: (maker.decode(s[: D // 2], ex.structure).attributes["a"] - ex.attributes[0]) ** 2,
    )
    laws = {f: simnet.theory.attribute_mse(ex, "a", matrices=f, **options) for f in ("gaussian", "rademacher", "trig")}
    for name, law in laws.items():
        assert agrees(errors / laws[family], law / laws[family], slack=8.0 / D) == (name == family)


def test_an_object_with_coefficient_zero_has_no_estimate():
    ex = simnet.Execution.from_objects([("a", "a", [0.5], [], []), ("b", "b", [0.5], [], [])], outputs={"a": 0.0, "b": 1.0})
    sketcher = simnet.Sketcher(ex.network, D)
    estimate = sketcher.decode(sketcher.encode(ex), ex.structure)
    assert estimate.attributes["a"] == [0.0]
    assert np.array_equal(estimate.interval()["a"], [[-np.inf, np.inf]])
    assert np.isfinite(estimate.standard_errors["b"]).all()


# -- intervals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "recipe"), [("gaussian", "prototype_b"), ("trig", "prototype_b"), ("trig", "recursive")])
def test_intervals_cover_as_often_as_they_say(family, recipe):
    # the tries of one sketch are the coordinates of one object: independent of each other given the rest of the sketch
    net = simnet.networks.layered(widths=(4, 2), attribute_dim=8, seed=0)
    ex, levels = net.run(1, seed=1)[0], (0.95, 0.7)
    truth = ex.attributes[1]
    for part, found in of_parts(ex, 300, family, recipe, lambda e: [e.interval(level)["1"] for level in levels]).items():
        for level, intervals in zip(levels, np.moveaxis(found, 1, 0), strict=True):
            assert covers(intervals, truth, level), (part, level)
            assert not covers(scaled(intervals, 0.8), truth, level), (part, level)
            assert not covers(scaled(intervals, 1.3), truth, level), (part, level)


def test_intervals_of_namesakes_cover_at_least_as_often(twins):
    def ask(maker, s):
        return decode(maker, s, twins.structure).interval(0.8)["one"]

    intervals = over_seeds(twins, 200, "trig", MILD, ask)
    hits = (intervals[..., 0] <= twins.attributes[0]) & (twins.attributes[0] <= intervals[..., 1])
    assert hits.mean() > 0.95
    blind = intervals + np.array([1.0, -1.0]) * decode(*_first(twins), twins.structure).bias_bounds[0]
    assert not covers(blind, twins.attributes[0], 0.8)


def _first(ex):
    maker = simnet.Sketcher(ex.network, D, recipe=MILD)
    return maker, maker.encode(ex)


def test_a_higher_level_has_a_wider_interval_around_the_estimate(shared):
    maker, s = _first(shared)
    estimate = maker.decode(s, shared.structure)
    narrow, wide = estimate.interval(0.5)["top"], estimate.interval(0.99)["top"]
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (wide[:, 1] > narrow[:, 1]).all()
    np.testing.assert_allclose(narrow.mean(axis=1), estimate.attributes["top"], rtol=1e-12)
    half = 1.959963984540054 * estimate.standard_errors["top"]
    np.testing.assert_allclose(estimate.interval()["top"][:, 1] - estimate.attributes["top"], half, rtol=1e-12)
    for level in (0.0, 1.0, -1, "high", np.nan):
        with pytest.raises(ValueError, match="level = "):
            estimate.interval(level)


# -- batches and names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["matched", "path_matched"])
@pytest.mark.parametrize("part", PARTS)
def test_a_batch_is_decoded_like_its_sketches_one_by_one(part, method):
    net = simnet.networks.random_dag(modules=6, attribute_dim=3, seed=2)
    runs = net.run(4, seed=1)
    sketcher = simnet.Sketcher(net, D, seed=1)
    sketches, structure = sketcher.encode(runs), runs[0].structure
    batch = decode(sketcher, sketches, structure, part, method)
    for i in range(4):
        single = decode(sketcher, sketches[i], structure, part, method)
        for k in range(len(structure)):
            assert batch.attributes[k].shape == (4, 3)
            np.testing.assert_allclose(batch.attributes[k][i], single.attributes[k], rtol=1e-9)
            np.testing.assert_allclose(batch.interval()[k][i], single.interval()[k], rtol=1e-9)
    one = decode(sketcher, sketches[:1], structure, part, method)
    assert one.attributes[0].shape == (1, 3)


@pytest.mark.parametrize("method", ["matched", "path_matched"])
def test_objects_are_found_by_name_and_by_position(method, twins):
    maker, s = _first(twins)
    estimate = maker.decode(s, twins, method)
    assert len(estimate.attributes) == 4
    for values in (estimate.attributes, estimate.standard_errors, estimate.interval()):
        by_name = [values[name] for name in twins.structure.names]
        for given in (list(values), [values[k] for k in range(4)], [values[k - 4] for k in range(4)], values[:]):
            assert all(x is y for x, y in zip(by_name, given, strict=True))
        for unknown in ("four", 4, -5, 1.0, None, True):
            with pytest.raises(ValueError, match="object = "):
                values[unknown]


def test_a_name_that_is_a_number_goes_before_a_position():
    objects = [(2, "a", [0.1], [], []), (0, "b", [0.9], [], [])]
    ex = simnet.Execution.from_objects(objects, outputs={2: 0.5, 0: 0.5})
    maker, s = _first(ex)
    estimate = maker.decode(s, ex.structure)
    first, second = estimate.attributes
    assert estimate.attributes[2] is first
    assert estimate.attributes[0] is second
    assert estimate.attributes[1] is second


def test_one_can_ask_whether_there_is_an_estimate_of_an_object(twins):
    maker, s = _first(twins)
    estimate = maker.decode(s, twins.structure)
    assert "one" in estimate.attributes
    assert "four" not in estimate.attributes
