"""The suite judges: right software holds, each planted defect fails, and the verdict's parts do what they say."""

import math

import numpy as np
import pytest

from simnet.claims import CLAIMS, Case, Sample
from simnet.claims.verdict import judge, skewed_quantiles
from simnet.claims.verify import table, verify
from simnet.sketcher import Sketcher
from simnet.testing import DEFECTS

#: The property that shows each defect, and the cases that must show it.
SHOWN_BY = {
    "one round": ("statistics", "sum of 12 rooms, prototype_b, trig, d = 256"),
    "natural order": ("truncation", "heavy pair, prototype_b, trig"),
    "matrices too large": ("matrices", "trig"),
    "wrong slot weight": ("truncation", "heavy pair, prototype_b, trig"),
    "shared slot matrices": ("matrices", "gaussian"),
    "truncation unscaled": ("truncation", "trig"),
}


def rows_of(measured, law=1.0, **options):
    samples = [Sample("q", float(m), law, **options) for m in measured]
    return judge(CLAIMS["kernel"], Case("c", {}, len(samples)), samples, 1e-4)


@pytest.mark.parametrize("name", sorted(DEFECTS.keys() - {"natural order"}))  # which has a test of its own below
def test_verify_rejects_a_planted_defect(name, only):
    prop, cases = SHOWN_BY[name]
    only(prop, lambda label: cases in label)
    rows = verify([prop], quick=True, sketcher=DEFECTS[name])
    assert {row.case for row in rows if not row.holds} == {row.case for row in rows} != set()


#: The claims that no defect above is shown by, each with one that its first case must reject.
REJECTS = {
    "kernel": "matrices too large",
    "attribute_recovery": "matrices too large",
    "similarity": "matrices too large",
    "coverage": "truncation unscaled",
    "architectures": "matrices too large",
}

#: The claims whose negative controls are in test files of their own.
ELSEWHERE = {"linear", "unrolling", "storage", "holographic", "dictionary", "known_wiring", "wiring"}


def test_every_claim_is_shown_to_fail():
    assert {prop for prop, _ in SHOWN_BY.values()} | set(REJECTS) | ELSEWHERE == set(CLAIMS)


@pytest.mark.parametrize("name", REJECTS)
def test_the_first_case_of_a_claim_tells_a_defect_from_the_right_software(name):
    claim = CLAIMS[name]
    case = claim.cases(quick=True)[0]
    verdicts = []
    for sketcher in (Sketcher, DEFECTS[REJECTS[name]]):
        collected = {}
        for seed in range(case.trials):
            for sample in claim.trial(case.parameters, seed, sketcher):
                collected.setdefault(sample.quantity, []).append(sample)
        verdicts.append(all(judge(claim, case, samples, 1e-6).holds for samples in collected.values()))
    assert verdicts == [True, False]


def test_natural_order_fails_nowhere_but_for_heavy_objects_under_prefix_truncation(only):
    only("truncation", lambda label: "trig" in label or "gaussian" in label)
    failed = [row for row in verify(["truncation"], quick=True, sketcher=DEFECTS["natural order"]) if not row.holds]
    assert failed
    assert all("heavy pair, prototype_b, trig" in row.case and "prefix" in row.quantity for row in failed)


@pytest.mark.parametrize("name", ["matrices", "truncation"])
def test_right_software_holds(name):
    # fails with probability 1e-3 if the software is right: the budget of verify
    assert all(row.holds for row in verify([name], quick=True))


def test_the_table_does_not_depend_on_the_number_of_workers(only):
    only("storage", lambda label: "trig" in label)
    one, two = (table(verify(["storage"], quick=True, workers=n)) for n in (1, 2))
    assert one.equals(two)


def test_a_property_named_twice_is_tried_once(only):
    only("storage", lambda label: "rounding, trig" in label)
    once, twice = (table(verify(names, quick=True)) for names in (["storage"], ["storage", "storage"]))
    assert once.equals(twice)


def test_a_law_5_percent_off_is_caught_and_an_exact_one_is_not():
    noise = np.random.default_rng(0).normal(0.0, 0.1, 400)
    assert rows_of(1.0 + noise).holds
    assert not rows_of(1.05 + noise).holds
    assert rows_of(1.05 + noise, slack=0.05).holds


def test_violations_beyond_the_binomial_quantile_fail():
    options = {"bound": 1.0, "tries": 1, "failure_probability": 0.05}
    noise = np.random.default_rng(0).normal(1.0, 0.1, 200)
    few = [Sample("q", float(m), 1.0, violations=int(i < 10), **options) for i, m in enumerate(noise)]
    many = [Sample("q", float(m), 1.0, violations=int(i < 60), **options) for i, m in enumerate(noise)]
    case = Case("c", {}, 200)
    assert judge(CLAIMS["kernel"], case, few, 1e-4).holds
    assert not judge(CLAIMS["kernel"], case, many, 1e-4).holds


def test_without_a_law_the_bound_decides():
    options = {"law": math.nan, "bound": 1.0, "tries": 1, "failure_probability": 0.05}
    assert rows_of([0.5] * 20, **options).holds
    assert not rows_of([0.5] * 20, violations=1, **options).holds
    assert not rows_of([math.nan] * 20, **options).holds
    assert not rows_of([0.5] * 20, law=math.nan).holds, "there is nothing to hold"


def test_nan_fails():
    assert not rows_of([math.nan, 1.0, 1.0]).holds


def test_skewed_samples_get_a_longer_lower_tail():
    low, high = skewed_quantiles(np.random.default_rng(0).exponential(size=100), 4.0)
    assert low < -4.0 < high < 4.0
    assert skewed_quantiles(np.ones(5), 4.0) == (-4.0, 4.0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"properties": ["kernal"]}, "kernel"),
        ({"properties": "kernel"}, "properties = 'kernel': must be a sequence of names"),
        ({"seed": -1}, "seed"),
        ({"workers": 0}, "workers"),
    ],
)
def test_bad_arguments_name_the_field(arguments, field):
    with pytest.raises(ValueError, match=field):
        verify(**arguments)
