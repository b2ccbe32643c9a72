"""The path-matched decoder: its formula, objects of one module told apart, smaller errors, intervals."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from tests.statistical import agrees, covers, scaled

D = 128
KEPT = {
    "whole": np.zeros(D, dtype=bool),
    "prefix": np.arange(D) >= D // 4,
    "random": np.random.default_rng(1).permutation(D) >= D // 4,
}
#: Paths through different slots are almost orthogonal, objects all but invisible to the matched decoder.
OPAQUE = simnet.Recipe(0.1, 0.99)


def over_seeds(ex, seeds, recipe, ask, sketch_dim=D):
    makers = (simnet.Sketcher(ex.network, sketch_dim, "trig", recipe, seed=seed) for seed in range(seeds))
    return np.stack([ask(maker, maker.encode(ex)) for maker in makers])


@pytest.mark.parametrize("part", KEPT)
@pytest.mark.parametrize("family", ["gaussian", "trig"])
def test_it_is_the_adjoint_over_the_expected_square_of_a_column(family, part, twins, shared):
    mask = KEPT[part]
    for ex in (twins, shared):
        sketcher = simnet.Sketcher(ex.network, D, family, seed=2)
        s, op = sketcher.encode(ex), sketcher.operator(ex)
        dense = op @ np.eye(op.shape[1])
        gram = simnet.theory.place_gram(ex.structure, ex.structure)
        estimate = sketcher.decode(s, ex.structure, "path_matched", erased=mask)
        assert estimate.method == "path_matched"
        for k in range(len(ex.structure)):
            columns = dense[~mask, op.columns[k]]
            expected = D / np.sum(~mask) * columns.T @ s[~mask] / (0.5**2 * gram[k, k])
            np.testing.assert_allclose(estimate.attributes[k], expected, rtol=1e-9)


def test_the_normalisation_is_the_mean_square_of_a_column_and_no_other(shared):
    def lengths(maker, _):
        op = maker.operator(shared)
        return np.array([np.linalg.norm(op @ np.eye(op.shape[1])[c.start]) ** 2 for c in op.columns])

    recipe = simnet.Recipe(0.6, 0.5, 0.5, 0.7, 0.8, 0.5)
    gram = np.diagonal(simnet.theory.place_gram(shared.structure, shared.structure, recipe=recipe))
    squares = over_seeds(shared, 400, recipe, lengths)
    assert agrees(squares, 0.8**2 * gram)
    assert not agrees(squares, 1.1 * 0.8**2 * gram)


def test_the_mean_holds_each_namesake_to_the_share_of_the_path_they_have_in_common(twins):
    vectors = np.stack(twins.attributes[:3])

    def ask(maker, s):
        return np.stack(list(maker.decode(s, twins.structure, "path_matched").attributes)[:3])

    for recipe in (simnet.Recipe(), OPAQUE):
        gram = simnet.theory.place_gram(twins.structure, twins.structure, recipe=recipe)[:3, :3]
        mixture = (gram / np.diagonal(gram)[:, None]) @ vectors
        estimates = over_seeds(twins, 200, recipe, ask, sketch_dim=1024)
        assert agrees(estimates, mixture)
        assert not agrees(estimates, vectors[[1, 0, 2]])
        bounds = simnet.Sketcher(twins.network, 8, recipe=recipe)
        found = bounds.decode(np.ones(8), twins.structure, "path_matched").bias_bounds
        assert (np.abs(mixture - vectors).max(axis=1) <= np.array(found[:3]) + 1e-12).all()
        assert found[3] == pytest.approx(0.0, abs=1e-12)


def test_it_tells_objects_of_one_module_apart_where_the_matched_decoder_cannot(twins):
    d = 1 << 16
    sketcher = simnet.Sketcher(twins.network, d, recipe=OPAQUE, seed=1)
    s = sketcher.encode(twins)
    estimate = sketcher.decode(s, twins.structure, "path_matched")
    for k in range(3):
        assert np.abs(estimate.attributes[k] - twins.attributes[k]).max() < 0.06
        others = [twins.attributes[i] for i in range(3) if i != k]
        assert min(np.abs(estimate.attributes[k] - other).max() for other in others) > 0.3
    mixed = sketcher.decode(s, twins.structure, "matched").attributes
    np.testing.assert_allclose(mixed["one"] * 0.4, mixed["two"] * 0.2, rtol=1e-9)


def test_it_needs_no_identity_path_where_the_matched_decoder_has_nothing_to_read(shared):
    sketcher = simnet.Sketcher(shared.network, 1 << 16, recipe=simnet.Recipe(identity=0.0, mixing=1.0), seed=1)
    s = sketcher.encode(shared)
    estimate = sketcher.decode(s, shared.structure, "path_matched")
    assert max(np.abs(x - y).max() for x, y in zip(estimate.attributes, shared.attributes, strict=True)) < 0.1
    blind = sketcher.decode(s, shared.structure, "matched")
    assert all(np.isinf(e).all() for e in blind.standard_errors)


def test_its_error_is_smaller_by_the_factor_of_the_theory_at_every_depth():
    # several outputs, so that no object is heavy and the crosstalk of the others is what disturbs both decoders
    ex = simnet.networks.layered(widths=(6, 5, 6), attribute_dim=4, seed=0).run(1, seed=1)[0]
    depths = np.array(ex.structure.depths)

    def squares(maker, s):
        both = [
            [maker.decode(s, ex.structure, method, erased=mask).attributes for method in ("matched", "path_matched")]
            for mask in KEPT.values()
        ]
        return [[[np.sum((x - t) ** 2) for x, t in zip(each, ex.attributes, strict=True)] for each in two] for two in both]

    for part, (matched, path) in zip(KEPT, over_seeds(ex, 150, "recursive", squares).mean(axis=0), strict=True):
        for h in (1, 2, 3):
            factor = np.sqrt(matched[depths == h].sum() / path[depths == h].sum())
            # (τ/α²)^{3h/2}, "about"; a depth is a factor of 2.8
            assert factor == pytest.approx(2.0 ** (1.5 * h), rel=0.35), part


@pytest.mark.parametrize("recipe", ["prototype_b", "recursive"])
def test_intervals_cover_as_often_as_they_say(recipe):
    # the tries of one sketch are the coordinates of one object: independent of each other given the rest of the sketch
    ex = simnet.networks.layered(widths=(4, 2), attribute_dim=8, seed=0).run(1, seed=1)[0]

    def ask(maker, s):
        return [maker.decode(s, ex.structure, "path_matched", erased=x).interval(0.95)["1"] for x in KEPT_LARGE.values()]

    found = np.moveaxis(over_seeds(ex, 300, recipe, ask, sketch_dim=8 * D), 1, 0)
    for part, intervals in zip(KEPT_LARGE, found, strict=True):
        assert covers(intervals, ex.attributes[1], 0.95), part
        assert not covers(scaled(intervals, 0.8), ex.attributes[1], 0.95), part
        assert not covers(scaled(intervals, 1.3), ex.attributes[1], 0.95), part


KEPT_LARGE = {
    "whole": np.zeros(8 * D, dtype=bool),
    "prefix": np.arange(8 * D) >= 2 * D,
    "random": np.random.default_rng(1).permutation(8 * D) >= 2 * D,
}


def test_without_mixing_both_decoders_are_one(shared):
    sketcher = simnet.Sketcher(shared.network, D, recipe="prototype_b", seed=0)
    s = sketcher.encode(shared)
    both = [sketcher.decode(s, shared.structure, method) for method in ("matched", "path_matched")]
    for x, y in zip(*(list(e.interval()) for e in both), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9)
