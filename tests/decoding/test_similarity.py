"""The similarity of two sketches: unbiased for the kernel, with an interval that covers it."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from tests.statistical import agrees

D = 128
NET = simnet.networks.scene(places=3, attribute_dim=4, seed=0)
RUNS = NET.run(6, seed=1)
MASK = np.random.default_rng(1).permutation(D) >= D // 4


def pairs_over_seeds(seeds, family, recipe, left=0, right=1):
    for seed in range(seeds):
        maker = simnet.Sketcher(NET, D, family, recipe, seed=seed)
        yield maker, maker.encode(RUNS[left]), maker.encode(RUNS[right])


@pytest.mark.parametrize("family", ["gaussian", "trig"])
@pytest.mark.parametrize("recipe", ["prototype_b", "recursive"])
def test_similarity_is_unbiased_for_the_kernel_whole_and_truncated(recipe, family):
    kernel = simnet.theory.kernel(RUNS[0], RUNS[1], recipe=recipe)
    found = np.array(
        [
            [
                simnet.similarity(s, t),
                simnet.similarity(s[: D // 4], t[: D // 4], sketch_dim=D),
                maker.similarity(s, t, erased=MASK),
                maker.similarity(s[: D // 4], t[: D // 4]),
            ]
            for maker, s, t in pairs_over_seeds(300, family, recipe)
        ]
    )
    assert agrees(found, np.full(4, kernel))
    assert not agrees(found, np.full(4, 1.3 * kernel))
    assert not agrees(found, np.zeros(4))
    np.testing.assert_allclose(found[:, 1], found[:, 3], rtol=1e-9)


def test_runs_without_a_common_module_have_similarity_zero_in_the_mean():
    left, right = (simnet.Execution.from_objects([(m, m, [0.6, 0.8], [], [])], outputs={m: 1.0}) for m in "ab")
    both = simnet.Execution.from_objects(
        [("a", "a", [0.6, 0.8], [], []), ("b", "b", [0.6, 0.8], [], [])], outputs={"a": 0.5, "b": 0.5}
    )
    found = []
    for seed in range(200):
        maker = simnet.Sketcher(both.network, D, recipe="prototype_b", seed=seed)
        found.append([maker.encode(left) @ maker.encode(right), maker.encode(left) @ maker.encode(left)])
    assert agrees(found, [0.0, 0.5])
    assert not agrees(found, [0.05, 0.5])


@pytest.mark.parametrize("recipe", ["prototype_b", "recursive"])
@pytest.mark.parametrize("left_right", [(0, 1), (2, 2)])
@pytest.mark.parametrize("part", ["whole", "prefix", "random"])
def test_the_interval_covers_the_kernel_at_least_as_often_as_it_says(part, left_right, recipe):
    kernel = simnet.theory.kernel(*(RUNS[i] for i in left_right), recipe=recipe)
    hits, far = [], []
    for maker, s, t in pairs_over_seeds(100, "trig", recipe, *left_right):
        cut = slice(D // 4) if part == "prefix" else slice(None)
        answer = maker.similarity(s[cut], t[cut], erased=MASK if part == "random" else None)
        low, high = answer.interval(0.9)
        assert (low + high) / 2 == pytest.approx(float(answer), rel=1e-9)
        hits.append(low <= kernel <= high)
        far.append(low <= kernel + 6.0 * answer.standard_error <= high)
    # 0.9 or more: of 100 tries at 0.9 fewer than 73 hit with probability below 1e-6
    assert sum(hits) >= 73
    assert sum(far) < 73


def test_the_interval_is_the_bound_of_law_3_around_the_value():
    maker = simnet.Sketcher(NET, D, seed=0)
    s, t = maker.encode(RUNS[0]), maker.encode(RUNS[1])
    answer = maker.similarity(s, t)
    layers = simnet.theory.random_layers(2)  # things are at depth 2
    bound = simnet.theory.similarity_bound(s @ s, t @ t, layers=layers, sketch_dim=D, failure_probability=0.05)
    np.testing.assert_allclose(answer.interval(0.95), s @ t + np.array([-bound, bound]), rtol=1e-9)
    assert float(answer) == pytest.approx(s @ t, rel=1e-9)
    wide, narrow = (np.ptp(answer.interval(level)) for level in (0.99, 0.5))
    assert wide > narrow


def test_a_batch_is_compared_row_by_row_and_one_sketch_with_all():
    maker = simnet.Sketcher(NET, D, seed=0)
    s = maker.encode(RUNS)
    rows, ones = maker.similarity(s, s[::-1]), maker.similarity(s, s[2])
    assert rows.interval().shape == ones.interval().shape == (6, 2)
    for i in range(6):
        assert rows[i] == pytest.approx(s[i] @ s[5 - i], rel=1e-9)
        assert ones[i] == pytest.approx(s[i] @ s[2], rel=1e-9)
        np.testing.assert_allclose(ones.interval()[i], maker.similarity(s[i], s[2]).interval(), rtol=1e-9)
    assert maker.similarity(s[0], s[1]).shape == ()


def test_the_function_takes_plain_arrays_and_broadcasts():
    s = np.random.default_rng(0).standard_normal((4, 10))
    assert isinstance(simnet.similarity(s[0], s[1]), float)
    np.testing.assert_allclose(simnet.similarity(s, s[0]), s @ s[0])
    np.testing.assert_allclose(simnet.similarity(s[:, None], s[None]), s @ s.T)
    np.testing.assert_allclose(simnet.similarity(s, s, sketch_dim=40), 4.0 * np.sum(s * s, axis=1))
    assert simnet.similarity(s[0].tolist(), s[1].tolist()) == simnet.similarity(s[0], s[1])
    assert simnet.similarity(s[0].astype(np.float32), s[1]) == pytest.approx(s[0] @ s[1], rel=1e-5)


@pytest.mark.parametrize(
    ("left", "right", "options", "message"),
    [
        (np.ones(3), np.ones(4), {}, r"similarity: .*\(3,\) and \(4,\)"),
        (1.0, np.ones(4), {}, "similarity: .*same last axis"),
        (np.ones(0), np.ones(0), {}, "similarity: "),
        (np.array([1.0, np.nan]), np.ones(2), {}, "similarity: .*NaN"),
        (np.ones(2), np.array([1.0, np.inf]), {}, "similarity: .*infinite"),
        (np.ones(2) * 1j, np.ones(2), {}, "^similarity: sketches have dtypes complex128 and float64, must be real numbers$"),
        (np.ones(2), ["1", "2"], {}, "^similarity: sketches have dtypes float64 and <U1, must be real numbers$"),
        (np.ones(8), np.ones(8), {"sketch_dim": 4}, "^sketch_dim = 4: must be an integer >= 8$"),
        (np.ones(8), np.ones(8), {"sketch_dim": "all"}, "^sketch_dim = 'all': must be an integer >= 8$"),
    ],
)
def test_what_cannot_be_compared_is_refused(left, right, options, message):
    with pytest.raises(ValueError, match=message):
        simnet.similarity(left, right, **options)


def test_sketches_with_other_coordinates_left_are_refused():
    maker = simnet.Sketcher(NET, D, seed=0)
    with pytest.raises(ValueError, match="similarity: 7 and 8 coordinates are left"):
        maker.similarity(np.ones(7), np.ones(8))


def test_batches_of_different_length_are_refused_by_name():
    maker = simnet.Sketcher(NET, D, seed=0)
    with pytest.raises(ValueError, match="similarity: "):
        maker.similarity(np.ones((3, D)), np.ones((2, D)))
