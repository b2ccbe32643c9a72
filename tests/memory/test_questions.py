"""Questions about many sketches against the planted truth: intervals cover as often as they say, joint and matched."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.memory.questions import asked
from tests.memory.conftest import NET
from tests.statistical import covers, scaled

UNIT = 1.0 / np.sqrt(3.5)
COLOURS = slice(1, 5)
RUNS = NET.run(60, seed=1)
THINGS = {
    m.name: np.stack([o.attributes for i in range(60) for o in RUNS[i].objects if o.module == m.name]) for m in NET.modules
}
COUNTS = {name: len(x) for name, x in THINGS.items()}
BINS = np.round(THINGS["cat"][:, COLOURS] / UNIT).sum(axis=0)
SHARES = np.array(list(COUNTS.values())) / sum(COUNTS.values())
ENTROPY = float(-np.sum(SHARES * np.log(SHARES)))


def planted_quantile(q):
    bins = np.repeat(np.arange(4), BINS.astype(int))
    return bins[int(np.ceil(q * len(bins))) - 1]


def questions(method, seeds, sketch_dim, recipe="prototype_b", storage=None):
    """The sums of the sketches of all runs, by many sketchers."""
    for seed in range(seeds):
        sketcher = simnet.Sketcher(NET, sketch_dim, recipe=recipe, seed=seed)
        sketches, noise = sketcher.encode(RUNS), 0.0
        if storage:
            stored = simnet.store(sketches, storage)
            sketches, noise = stored.restore(), float(np.sqrt(np.sum(stored.noise**2)))
        yield asked(sketcher, sketches.sum(axis=0), noise, np.ones(3), method)


@pytest.fixture(scope="module")
def by_law():
    return list(questions("matched", 200, 1024))


@pytest.fixture(scope="module")
def by_all_places():
    return list(questions("joint", 150, 256, storage="int8"))


@pytest.mark.parametrize("way", ["by_law", "by_all_places"])
def test_intervals_of_linear_questions_and_means_cover_as_often_as_they_say(way, request):
    many = request.getfixturevalue(way)
    answers = {
        "count": ([a.count("cat").interval(0.9) for a in many], COUNTS["cat"]),
        "frequency": ([a.frequency("chair").interval(0.9) for a in many], COUNTS["chair"] / 4),
        "sum": ([a.sum_attribute("cat").interval(0.9)[0] for a in many], THINGS["cat"][:, 0].sum() / 4),
        "mean": ([a.mean_attribute("cat").interval(0.9)[0] for a in many], THINGS["cat"][:, 0].mean()),
        "histogram": ([a.histogram("cat", COLOURS, unit=UNIT).interval(0.9)[2] for a in many], BINS[2]),
    }
    for name, (pairs, truth) in answers.items():
        assert covers(pairs, truth, 0.9), name
        assert not covers(scaled(pairs, 0.5), truth, 0.9), name


@pytest.mark.parametrize("way", ["by_law", "by_all_places"])
def test_intervals_of_quantiles_and_of_all_modules_cover_at_least_as_often(way, request):
    many = request.getfixturevalue(way)
    options = {"coordinates": COLOURS, "unit": UNIT}
    for q in (0.25, 0.5, 0.75):
        assert covers([a.quantile("cat", q, **options).interval(0.9) for a in many], planted_quantile(q), 0.9, at_least=True)
    spread = planted_quantile(0.75) - planted_quantile(0.25)
    assert covers([a.interquartile_range("cat", **options).interval(0.9) for a in many], spread, 0.9, at_least=True)
    assert covers([a.entropy().interval(0.9) for a in many], ENTROPY, 0.9, at_least=True)
    assert covers([a.distinct().interval(0.9) for a in many], 5, 0.9, at_least=True)
    assert not covers([a.entropy().interval(0.9) for a in many], ENTROPY - 0.5, 0.9, at_least=True)


def test_where_counts_are_certain_a_quantile_is_one_bin(by_all_places):
    pairs = [a.quantile("cat", 0.5, COLOURS, unit=UNIT, values=[1, 2, 4, 8]).interval(0.9) for a in by_all_places]
    assert {tuple(pair) for pair in pairs} == {(float(2 ** planted_quantile(0.5)),) * 2}


def test_where_counts_are_certain_the_entropy_has_the_error_that_it_states(by_all_places):
    pairs = [a.entropy().interval(0.9) for a in by_all_places]
    assert covers(pairs, ENTROPY, 0.9)
    assert not covers(scaled(pairs, 0.5), ENTROPY, 0.9)


def test_errors_of_matched_statistics_have_the_covariance_that_is_stated():
    """Of the number of rooms, and of the sum of their attributes along its own direction."""
    total = THINGS["room"].sum(axis=0)
    along = np.append(total / np.linalg.norm(total), 0.0)
    stated, products = [], []
    for a in questions("matched", 300, 64):
        sums = a.reading.module_sums("room", counted=True)
        error = sums.values - np.append(total, COUNTS["room"])
        products.append(along @ error * error[-1])
        stated.append(along @ sums.covariance[:, -1])
    allowed = 5 * np.std(products, ddof=1) / np.sqrt(300)  # fails by chance less than once in a million times
    assert abs(np.mean(products) - np.mean(stated)) < allowed
    assert np.mean(stated) > allowed


def test_all_places_together_answer_exactly_where_there_is_no_noise():
    for recipe in ("prototype_b", "recursive"):
        (a,) = questions("auto", 1, 256, recipe)
        assert a.reading.method == "joint"
        assert {m: round(float(c), 6) for m, c in a.counts.items()} == COUNTS
        np.testing.assert_allclose(a.mean_attribute("cat"), THINGS["cat"].mean(axis=0), atol=1e-8)
        assert a.distinct().interval(0.99).tolist() == [5, 5]
        assert [r.module for r in a.most_frequent(2)] == ["room", "table"]
        assert a.most_frequent(2)[1].certainty == 1.0


def test_too_few_coordinates_are_read_module_by_module():
    (a,) = questions("auto", 1, 64, "recursive")
    assert a.reading.method == "matched"
    assert a.most_frequent(1)[0].certainty < 1.0
    (b,) = questions("joint", 1, 64, "recursive")
    with pytest.raises(ValueError, match="64 coordinates do not tell the 137 sums of all places apart"):
        b.count("cat")


def test_places_of_other_weights_are_counted_each_by_its_own():
    net = simnet.networks.layered(widths=(4, 3, 2), fan_in=2, attribute_dim=4, seed=0)
    runs = net.run(30, seed=1, activity=0.5)
    sketcher = simnet.Sketcher(net, 512, seed=3)
    a = asked(sketcher, sketcher.encode(runs).sum(axis=0), 0.0, np.ones(3), "auto")
    for module in net.modules:
        frequency, total = simnet.theory.module_sums(runs, module.name)
        assert float(a.frequency(module.name)) == pytest.approx(frequency, abs=1e-8)
        np.testing.assert_allclose(a.sum_attribute(module.name), total, atol=1e-8)


def test_a_store_is_asked_by_selection(filled, rooms):
    everything = filled.ask()
    assert everything.runs == 60
    assert round(float(everything.count("cat"))) == COUNTS["cat"]
    mornings, evenings = {"hours": (0, 12)}, {"hours": (12, 24)}
    first = [i for i in range(60) if i % 24 < 12]
    part = filled.ask(mornings)
    planted = sum(o.module == "cat" for i in first for o in rooms[i].objects)
    assert (part.runs, round(float(part.count("cat")))) == (len(first), planted)
    more = filled.contrast(mornings, evenings).count("cat")
    assert float(more) == pytest.approx(planted / len(first) - (COUNTS["cat"] - planted) / (60 - len(first)), abs=1e-3)
    by_law = filled.contrast(mornings, evenings, method="matched").count("cat")
    assert by_law.standard_error < 0.2 * filled.ask(method="matched").count("cat").standard_error / 60 * 10
    assert abs(by_law - more) < 5 * by_law.standard_error


def test_the_mean_norm_is_that_of_the_kernel(filled, sketcher):
    law = simnet.theory.kernel_diagonal(RUNS, recipe="prototype_b").mean()
    assert float(filled.ask().norm()) == pytest.approx(law, rel=0.05)
    low, high = filled.ask().norm().interval(0.99)
    assert low < law < high


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.ask({"tags": ["none"]}), "where: no sketch in the store is selected"),
        (lambda s: s.contrast({}, {"tags": ["none"]}), "right: no sketch"),
        (lambda s: s.ask(method="fast"), "method = 'fast'"),
        (lambda s: s.ask().count("dog"), "module = 'dog'"),
        (lambda s: s.ask().histogram("cat", [9]), r"coordinates = \[9\]"),
        (lambda s: s.ask().histogram("cat", unit=0), "unit = 0"),
        (lambda s: s.ask().quantile("cat", 1.0), "q = 1.0"),
        (lambda s: s.ask().quantile("cat", 0.5, COLOURS, values=[1, 2]), r"values = \[1, 2\]: must be 4 ascending"),
        (lambda s: s.ask().quantile("cat", 0.5, COLOURS, values=[1, 2, 1, 4]), "ascending"),
        (lambda s: s.ask().most_frequent(0), "k = 0"),
        (lambda s: s.ask().count("cat").interval(1.5), "level = 1.5"),
    ],
)
def test_a_question_that_cannot_be_put_is_refused(filled, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(filled)
