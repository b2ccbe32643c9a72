"""Statistics of a module against what was planted, from one sketch or a sum of many, and answers as numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.decoding import Answer
from tests.statistical import agrees, covers, scaled

KINDS = ("cat", "person", "table", "chair")
PLACES = 6
NET = simnet.networks.scene(kinds=KINDS, places=PLACES, seed=0)
RUNS = NET.run(12, seed=1)
D = 1 << 16
SKETCHER = simnet.Sketcher(NET, D, recipe="prototype_b", seed=3)
SKETCHES = SKETCHER.encode(RUNS)
COLOURS = slice(1, 5)
UNIT = 1.0 / np.sqrt(3.5)
#: A right decoder is off by more than this many standard errors with probability 1e-6 a number, in the Gaussian limit.
Z = float(scipy.stats.norm.isf(0.5e-6))


def things(module, runs=None):
    """The attribute vectors of all objects of a module in those runs, from the planted truth."""
    found = [
        o.attributes for i in (range(len(RUNS)) if runs is None else runs) for o in RUNS[i].objects if o.module == module
    ]
    return np.stack(found) if found else np.zeros((0, 7))


def near(answer, truth):
    return bool((np.abs(np.asarray(answer) - truth) <= Z * answer.standard_error).all())


# -- against the planted truth ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", KINDS)
def test_statistics_of_the_sum_of_many_sketches_are_the_planted_ones(module):
    total, mine = SKETCHES.sum(axis=0), things(module)
    frequency, count = SKETCHER.frequency(total, module), SKETCHER.count(total, module)
    assert near(frequency, len(mine) / PLACES)
    assert near(count, len(mine))
    assert not near(count, len(mine) + 4)
    assert near(SKETCHER.sum_attribute(total, module), mine.sum(axis=0) / PLACES)
    assert not near(SKETCHER.sum_attribute(total, module), mine.sum(axis=0) / PLACES + 0.4)
    assert near(SKETCHER.mean_attribute(total, module), mine.mean(axis=0))
    bins = np.round(mine[:, COLOURS] / UNIT).sum(axis=0)
    histogram = SKETCHER.histogram(total, module, coordinates=COLOURS, unit=UNIT)
    assert near(histogram, bins)
    assert not near(histogram, bins + np.array([5, 0, 0, 0]))
    assert count.standard_error < 0.6


def test_statistics_of_single_sketches_come_in_one_batch_and_count_to_the_nearest_integer():
    counts = SKETCHER.count(SKETCHES, "cat")
    planted = np.array([len(things("cat", [i])) for i in range(len(RUNS))])
    assert counts.shape == (len(RUNS),)
    assert counts.standard_error.max() < 0.5 / Z
    assert np.array_equal(np.round(counts), planted)
    assert len(set(planted)) > 2


def test_what_is_not_in_the_sketch_has_a_frequency_near_zero():
    absent = [(i, m) for i in range(len(RUNS)) for m in KINDS if not len(things(m, [i]))]
    assert len(absent) > 3
    for i, module in absent:
        assert near(SKETCHER.frequency(SKETCHES[i], module), 0.0)
        assert near(SKETCHER.sum_attribute(SKETCHES[i], module), np.zeros(7))
        assert abs(SKETCHER.frequency(SKETCHES[i], module)) < 0.05


def test_the_mean_of_what_is_not_there_is_unknown():
    small = simnet.Sketcher(NET, 64, recipe="prototype_b", seed=3)
    i, module = next((i, m) for i in range(len(RUNS)) for m in KINDS if not len(things(m, [i])))
    interval = small.mean_attribute(small.encode(RUNS[i]), module).interval(0.9999)
    assert np.array_equal(interval, np.broadcast_to([-np.inf, np.inf], (7, 2)))


@pytest.mark.parametrize("ask", ["frequency", "count", "sum_attribute", "mean_attribute", "histogram"])
def test_a_batch_is_answered_like_its_sketches_one_by_one(ask):
    question = getattr(SKETCHER, ask)
    mask = np.random.default_rng(0).random(D) < 0.5
    for options in ({}, {"erased": mask}):
        batch = question(SKETCHES[:3], "person", **options)
        for i in range(3):
            single = question(SKETCHES[i], "person", **options)
            assert single.shape == batch.shape[1:]
            np.testing.assert_allclose(batch[i], np.asarray(single), rtol=1e-9)
            np.testing.assert_allclose(batch.interval()[i], single.interval(), rtol=1e-9)
            np.testing.assert_allclose(batch.standard_error[i], single.standard_error, rtol=1e-9)


@pytest.mark.parametrize("kept", [D // 4, D // 16])
@pytest.mark.parametrize("kind", ["prefix", "random"])
def test_a_truncated_sketch_answers_with_a_larger_error(kind, kept):
    total, mine = SKETCHES.sum(axis=0), things("cat")
    mask = np.arange(D) >= kept if kind == "prefix" else np.random.default_rng(0).permutation(D) >= kept
    whole, part = SKETCHER.count(total, "cat"), SKETCHER.count(total, "cat", erased=mask)
    assert near(part, len(mine))
    assert near(SKETCHER.sum_attribute(total, "cat", erased=mask), mine.sum(axis=0) / PLACES)
    assert part.standard_error / whole.standard_error == pytest.approx(np.sqrt(D / kept), rel=0.15)


# -- against the law ----------------------------------------------------------------------------------------------------


def over_seeds(seeds, ask, recipe="prototype_b", sketch_dim=512, net=NET, runs=RUNS):
    makers = (simnet.Sketcher(net, sketch_dim, recipe=recipe, seed=seed) for seed in range(seeds))
    return np.stack([ask(maker, np.atleast_2d(maker.encode(runs)).sum(axis=0)) for maker in makers])


def test_frequency_and_sum_are_unbiased_with_the_error_of_the_law():
    def ask(maker, s):
        return np.append(maker.sum_attribute(s, "cat"), maker.frequency(s, "cat"))

    found = over_seeds(400, ask)
    mine = things("cat")
    truth = np.append(mine.sum(axis=0), len(mine)) / PLACES
    assert agrees(found, truth)
    assert not agrees(found, truth * 1.2)
    options = {"sketch_dim": 512, "recipe": "prototype_b"}
    law = np.append(simnet.theory.sum_mse(RUNS, "cat", **options), simnet.theory.frequency_mse(RUNS, "cat", **options))
    ratios = np.stack([np.mean((found - truth)[:, :7] ** 2 / law[:7], axis=1), (found - truth)[:, 7] ** 2 / law[7]], 1)
    assert agrees(ratios, [1.0, 1.0], slack=8 / 512)
    assert not agrees(ratios, [1.6, 1.6], slack=8 / 512)


def test_intervals_cover_as_often_as_they_say():
    few = RUNS[:4]
    mine = things("cat", range(4))
    pairs = over_seeds(
        700,
        lambda maker, s: np.stack(
            [
                maker.frequency(s, "cat").interval(0.9),
                maker.sum_attribute(s, "cat").interval(0.9)[0],
                maker.mean_attribute(s, "cat").interval(0.9)[0],
            ]
        ),
        sketch_dim=2048,
        runs=few,
    )
    truths = [len(mine) / PLACES, mine.sum(axis=0)[0] / PLACES, mine.mean(axis=0)[0]]
    for i, truth in enumerate(truths):
        assert covers(pairs[:, i], truth, 0.9)
        assert not covers(scaled(pairs[:, i], 0.8), truth, 0.9)
        assert not covers(scaled(pairs[:, i], 1.4), truth, 0.9)


def test_where_a_frequency_is_hardly_told_from_zero_the_interval_of_the_mean_covers_at_least_as_often():
    x, rest = [0.9, 0.1], [0.7, 0.7]
    objects = [("cat", "cat", x, [], []), *((f"d{i}", f"dog{i}", rest, [], []) for i in range(3))]
    ex = simnet.Execution.from_objects(objects, outputs={name: 0.25 for name, *_ in objects})
    means = over_seeds(
        1000, lambda maker, s: maker.mean_attribute(s, "cat").interval(0.9)[0], sketch_dim=64, net=ex.network, runs=ex
    )
    told = np.isfinite(means).all(axis=1)
    assert 0.5 < told.mean() < 1.0
    assert np.array_equal(means[~told], np.broadcast_to([-np.inf, np.inf], (np.sum(~told), 2)))
    assert covers(means, 0.9, 0.9, at_least=True)
    means[told] = scaled(means[told], 0.6)
    assert not covers(means, 0.9, 0.9, at_least=True)


def test_fieller_is_the_set_of_means_that_the_two_errors_allow():
    mean = SKETCHER.mean_attribute(SKETCHES[0], "room")
    f, total = SKETCHER.frequency(SKETCHES[0], "room"), SKETCHER.sum_attribute(SKETCHES[0], "room")
    z = scipy.stats.norm.isf(0.05)
    for end in mean.interval(0.9).T:
        gap = np.abs(np.asarray(total) - end * float(f))
        np.testing.assert_allclose(gap, z * np.sqrt(total.standard_error**2 + (end * f.standard_error) ** 2), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(mean), np.asarray(total) / float(f), rtol=1e-12)


def test_the_recursive_recipe_answers_at_its_own_depth():
    recipe = simnet.Recipe(0.95, 0.3, 0.5, 0.5, 0.5, 0.5)
    cats, wrong = over_seeds(200, lambda maker, s: [maker.count(s, "cat"), maker.count(s, "cat", depth=1)], recipe=recipe).T
    assert agrees(cats, len(things("cat")))
    assert not agrees(wrong, len(things("cat")))


# -- what cannot be asked -----------------------------------------------------------------------------------------------


DEEP = simnet.Execution.from_objects(
    [("a", "a", [0.5], [], []), ("b", "b", [0.5], ["a"], [0.8]), ("c", "c", [0.1], [], [])],
    outputs=[("b", 0.5), ("a", 0.3), ("c", 0.2)],
)


@pytest.mark.parametrize("ask", ["frequency", "sum_attribute", "mean_attribute", "count", "histogram"])
def test_a_module_at_several_depths_needs_one_to_be_said(ask):
    sketcher = simnet.Sketcher(DEEP.network, 64)
    question, s = getattr(sketcher, ask), sketcher.encode(DEEP)
    options = {"weight": 0.3} if ask in ("count", "histogram") else {}
    with pytest.raises(ValueError, match=r"depth: module 'a' can occur at depths \[1, 2\]"):
        question(s, "a", **options)
    first, second = (np.asarray(question(s, "a", depth=depth, **options)) for depth in (1, 2))
    if ask != "mean_attribute":
        np.testing.assert_allclose(second, first / simnet.Recipe().level_gain, rtol=1e-12)
    for depth in (0, 1.5, "top", True):
        with pytest.raises(ValueError, match="depth = "):
            question(s, "a", depth=depth, **options)


def test_a_module_of_several_weights_needs_one_to_be_said():
    sketcher = simnet.Sketcher(DEEP.network, 64)
    s = sketcher.encode(DEEP)
    with pytest.raises(ValueError, match=r"weight: places of module 'a' have weights from 0\.3 to 0\.4"):
        sketcher.count(s, "a", depth=1)
    assert float(sketcher.count(s, "c")) == pytest.approx(float(sketcher.frequency(s, "c")) / 0.2)
    assert float(sketcher.count(s, "c", weight=0.1)) == pytest.approx(float(sketcher.frequency(s, "c")) / 0.1)
    for weight in (0.0, -0.1, 1.5, np.nan, "heavy"):
        with pytest.raises(ValueError, match="weight = "):
            sketcher.count(s, "c", weight=weight)


def test_what_has_no_weight_cannot_be_counted():
    ex = simnet.Execution.from_objects([("a", "a", [0.5], [], []), ("b", "b", [0.5], [], [])], outputs={"a": 0.0, "b": 1.0})
    sketcher = simnet.Sketcher(ex.network, 64)
    with pytest.raises(ValueError, match="weight"):
        sketcher.count(sketcher.encode(ex), "a")


@pytest.mark.parametrize("ask", ["frequency", "sum_attribute", "mean_attribute", "count", "histogram"])
def test_an_unknown_module_is_refused_by_name(ask):
    with pytest.raises(ValueError, match="module = 'dog'"):
        getattr(SKETCHER, ask)(SKETCHES[0], "dog")


def test_recipes_that_leave_something_out_cannot_be_asked_for_it():
    without_presence = simnet.Sketcher(NET, 64, recipe="prototype_a")
    for ask in ("frequency", "count", "mean_attribute"):
        with pytest.raises(ValueError, match=r"recipe\.presence_share = 0"):
            getattr(without_presence, ask)(np.zeros(64), "cat")
    without_values = simnet.Sketcher(NET, 64, recipe=simnet.Recipe(value_share=0.0))
    for ask in ("sum_attribute", "histogram", "mean_attribute"):
        with pytest.raises(ValueError, match=r"recipe\.value_share = 0"):
            getattr(without_values, ask)(np.zeros(64), "cat")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": 0.0}, "unit = 0"),
        ({"unit": -1.0}, "unit = -1"),
        ({"coordinates": [0, 7]}, r"coordinates = \[0, 7\]: .*attribute_dim = 7"),
        ({"coordinates": "red"}, "coordinates = 'red'"),
        ({"weight": 2.0}, "weight = 2"),
    ],
)
def test_a_histogram_that_cannot_be_made_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SKETCHER.histogram(SKETCHES[0], "cat", **options)


def test_a_histogram_takes_a_slice_a_list_or_one_coordinate():
    whole = SKETCHER.histogram(SKETCHES[0], "cat", unit=UNIT)
    assert whole.shape == (7,)
    for coordinates in (COLOURS, [1, 2, 3, 4], np.array([1, 2, 3, 4])):
        part = SKETCHER.histogram(SKETCHES[0], "cat", unit=UNIT, coordinates=coordinates)
        assert np.array_equal(np.asarray(part), whole[1:5])
        assert np.array_equal(part.standard_error, whole.standard_error[1:5])
    assert SKETCHER.histogram(SKETCHES[0], "cat", unit=UNIT, coordinates=2).shape == (1,)


# -- answers ------------------------------------------------------------------------------------------------------------


def test_an_answer_computes_like_its_value():
    one, many = Answer(np.array(2.0), np.array(0.5)), Answer(np.array([1.0, 4.0]), np.array([0.1, 0.2]))
    assert float(one) == 2.0
    assert one + 1 == 3.0
    assert 1 - one == -1.0
    assert one * one == 4.0
    assert 1.5 < one < 2.5
    assert abs(-one) == 2.0
    assert round(float(one)) == 2
    assert np.array_equal(many / 2, [0.5, 2.0])
    assert np.array_equal(one * many, [2.0, 8.0])
    assert np.array_equal(np.sqrt(many), [1.0, 2.0])
    assert np.sum(many) == 5.0
    assert np.array_equal(many > 2, [False, True])
    assert (len(many), many.shape, one.shape) == (2, (2,), ())
    assert list(many) == [1.0, 4.0]
    assert many[1] == 4.0
    assert np.asarray(many, dtype=np.float32).dtype == np.float32
    assert sum([one, one]) == 4.0
    assert "2.0 ± 0.5" in repr(one)


def test_an_answer_cannot_be_changed_through_its_array():
    answer = Answer(np.array([1.0, 4.0]), np.array([0.1, 0.2]))
    copy = np.array(answer)
    copy[0] = 9.0
    assert answer[0] == 1.0


def test_an_answer_can_be_added_to_in_place():
    answer = Answer(np.array(2.0), np.array(0.5))
    answer += 1.0
    assert float(answer) == 3.0


def test_an_answer_has_the_normal_interval_of_its_standard_error():
    answer = Answer(np.array([1.0, 4.0]), np.array([0.1, 0.2]))
    np.testing.assert_allclose(answer.interval(0.95), [[0.8040036, 1.1959964], [3.6080072, 4.3919928]], rtol=1e-7)
    assert Answer(np.array(1.0), np.array(0.1)).interval().shape == (2,)
    for level in (0.0, 1.0, 95, None):
        with pytest.raises(ValueError, match="level = "):
            answer.interval(level)
        with pytest.raises(ValueError, match="level = "):
            SKETCHER.mean_attribute(SKETCHES[0], "room").interval(level)
