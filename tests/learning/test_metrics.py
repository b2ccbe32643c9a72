"""Metrics by hand, and what must not matter: order, names, signs, scale."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from simnet.learning import metrics


def test_columns_are_matched_up_to_order_sign_and_scale():
    draw = np.random.default_rng(0)
    planted = draw.standard_normal((6, 20))
    order, signs = draw.permutation(6), draw.choice([-1, 1], 6)
    learnt = (3.0 * signs[:, None] * planted)[order]
    found = metrics.column_agreement(learnt, planted)
    np.testing.assert_allclose(found.cosines, 1.0)
    np.testing.assert_array_equal(order[found.match], np.arange(6))
    np.testing.assert_array_equal(found.signs, signs)
    turned = learnt[found.match] * found.signs[:, None]
    np.testing.assert_allclose(turned, 3.0 * planted)


def test_matching_is_one_to_one_and_the_best_in_sum():
    planted = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    found = metrics.column_agreement([[0.8, 0.6, 0.0], [1.0, 0.0, 0.0]], planted)
    np.testing.assert_allclose(found.cosines, [1.0, 0.6])
    np.testing.assert_array_equal(found.match, [1, 0])
    greedy = metrics.column_agreement([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], planted)
    np.testing.assert_allclose(sorted(greedy.cosines), [0.0, 1.0])


def test_too_few_and_zero_columns_count_as_not_found():
    planted = np.eye(3)
    np.testing.assert_array_equal(metrics.column_agreement(planted[:1], planted).cosines, [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(metrics.column_agreement(np.zeros((3, 3)), planted).cosines, 0.0)
    empty = metrics.column_agreement(np.zeros((0, 3)), planted)
    np.testing.assert_array_equal(empty.cosines, 0.0)
    np.testing.assert_array_equal(empty.match, -1)


def test_groups_agree_by_pairs():
    assert metrics.group_agreement("aabbc", [3, 3, 1, 1, 2]) == 1.0
    assert metrics.group_agreement([0, 0, 1, 1], [0, 1, 0, 1]) == 0.0
    assert metrics.group_agreement([0, 0, 0], [0, 0, 1]) == pytest.approx(1 / 3)
    assert metrics.group_agreement([0, 1, 2], [2, 1, 0]) == 1.0  # no pair together in either
    assert metrics.group_agreement([], []) == 1.0


def test_edges_have_a_direction():
    planted = nx.DiGraph([(0, 2), (1, 2), (2, 3)])
    assert metrics.edge_scores(planted, planted) == (1.0, 1.0, 1.0)
    assert metrics.edge_scores(planted.reverse(), planted) == (0.0, 0.0, 0.0)
    more = nx.DiGraph([*planted.edges, (0, 3)])
    assert metrics.edge_scores(more, planted) == (0.75, 1.0, pytest.approx(6 / 7))
    assert metrics.edge_scores(nx.DiGraph(), planted) == (1.0, 0.0, 0.0)
    assert metrics.edge_scores(nx.DiGraph(), nx.DiGraph()) == (1.0, 1.0, 1.0)


def test_supports_count_as_often_as_they_are_there():
    planted = [{0, 1}, {0, 1}, {2}]
    assert metrics.support_scores([[1, 0], [2], [0, 1]], planted) == (1.0, 1.0, 1.0)
    assert metrics.support_scores([{0, 1}, {2}, {2}], planted) == (
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    assert metrics.support_scores([{0}], planted) == (0.0, 0.0, 0.0)


def test_subspaces_are_compared_whatever_spans_them():
    draw = np.random.default_rng(0)
    basis = draw.standard_normal((3, 10))
    angles = metrics.subspace_angles(draw.standard_normal((5, 3)) @ basis, basis)  # five vectors of rank 3
    assert angles.shape == (3,)
    assert angles.max() < 1e-7
    angle = 0.3
    turned = [[np.cos(angle), np.sin(angle), 0.0], [0.0, 0.0, 2.0]]
    np.testing.assert_allclose(metrics.subspace_angles(turned, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), [angle, 0.0], atol=1e-12)


def test_r2_is_one_zero_and_below():
    truth = np.random.default_rng(0).standard_normal((50, 3))
    assert metrics.held_out_r2(truth, truth) == 1.0
    assert metrics.held_out_r2(np.tile(truth.mean(axis=0), (50, 1)), truth) == pytest.approx(0.0)
    assert metrics.held_out_r2(-truth, truth) < -1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.column_agreement(np.ones((2, 3)), np.ones((2, 4))),
            "learnt: columns have 3 entries, those planted 4",
        ),
        (lambda: metrics.column_agreement(np.ones(3), np.ones((2, 3))), r"learnt: has shape \(3,\)"),
        (lambda: metrics.column_agreement(np.ones((2, 3)), np.full((2, 3), np.nan)), "planted: must be finite"),
        (lambda: metrics.group_agreement([1], [1, 2]), "found: has 1 labels, planted 2"),
        (lambda: metrics.subspace_angles(np.ones((1, 2)), np.ones((1, 3))), "found: vectors have 2 entries"),
        (lambda: metrics.held_out_r2(np.ones((3, 1)), np.ones((3, 1))), "truth: is constant"),
        (lambda: metrics.held_out_r2(np.ones((3, 1)), np.ones((2, 1))), r"predicted: has shape \(3, 1\)"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
