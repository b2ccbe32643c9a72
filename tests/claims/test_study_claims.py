"""The claims of studies hold and fail as they should, and what other claims take for studies does what it says."""

import collections
import math

import numpy as np
import pytest

import simnet
from simnet.claims import CLAIMS, STUDY_CLAIMS, Case
from simnet.claims.verdict import judge
from simnet.sketcher import Sketcher
from simnet.sketching.plan import products
from simnet.testing import DEFECTS
from tests.counting import counted_products

#: Of one verdict, if the software is right.
FAILURE = 1e-6


def verdicts(name, trials, sketcher=Sketcher, **parameters):
    """Whether each quantity holds, for a claim at its defaults but for some parameters."""
    claim = (CLAIMS | STUDY_CLAIMS)[name]
    full = {key: p.default for key, p in claim.declared().items() if p.default is not None} | parameters
    claim.check(full)
    samples = collections.defaultdict(list)
    for seed in range(trials):
        for sample in claim.trial(full, seed, sketcher):
            samples[sample.quantity].append(sample)
    case = Case("", full, trials)
    judged = [name for name, (first, *_) in samples.items() if not (math.isnan(first.law) and math.isnan(first.bound))]
    return {name: judge(claim, case, samples[name], FAILURE) for name in judged}


@pytest.mark.parametrize("rule", ["norm", "convex"])
@pytest.mark.parametrize("identity", [0.3, 1.0])
def test_transparency_holds_with_either_rule_and_without_mixing(rule, identity):
    rows = verdicts("transparency", 40, rule=rule, identity=identity, sketch_dim=256)
    assert len(rows) == 3
    assert all(row.holds for row in rows.values())


def test_transparency_fails_with_matrices_that_are_too_large():
    wrong = DEFECTS["matrices too large"]
    rows = verdicts("transparency", 150, wrong, rule="norm", identity=0.1, matrices="gaussian", sketch_dim=64)
    assert not all(row.holds for row in rows.values())


@pytest.mark.parametrize("parameters", [{"size_ratio": 1.5}, {"size_ratio": 2.0, "target": 1e-3}, {"size_ratio": 0.6}])
def test_decoders_have_the_errors_of_their_laws(parameters):
    rows = verdicts("decoders", 8, **parameters, methods=["matched", "least_squares", "ridge"])
    assert len(rows) == (2 if parameters["size_ratio"] < 1.0 else 3)
    assert all(row.holds for row in rows.values())


def test_decoders_fail_with_a_wrong_weight():
    for sketcher, holds in ((Sketcher, True), (DEFECTS["wrong slot weight"], False)):
        rows = verdicts("decoders", 8, sketcher, size_ratio=1.5, methods=["least_squares", "ridge"])
        assert [row.holds for row in rows.values()] == [holds, holds]


def test_an_encode_makes_as_many_products_as_cost_counts(monkeypatch):
    net = simnet.networks.layered(widths=(4, 3, 2), attribute_dim=3, seed=0)
    sketcher, runs = Sketcher(net, 1024), net.run(2, seed=1)
    for module in net.modules:
        sketcher.presence_column(module.name)  # once a sketcher: no part of an encode
    made = counted_products(monkeypatch)
    sketcher.encode(runs)
    assert sum(made) == len(runs) * products(runs[0].structure)


def test_cost_gives_ratios_of_times():
    rows = verdicts("cost", 1, sketch_dim=512, repetitions=1)
    assert 0.1 < rows["encode / transforms"].measured < 100.0


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_recovery_of_an_object_by_weight_is_of_that_object_alone(weight):
    (row,) = verdicts("attribute_recovery", 200, heavy=8, weight=weight, recipe="prototype_b", sketch_dim=256).values()
    assert row.holds
    law = CLAIMS["attribute_recovery"].prepare(row.parameters).laws["prefix", 256]
    assert len(law) == 1
    assert row.law == pytest.approx(float(np.mean(law[0])))


@pytest.mark.parametrize(("kept", "erasure"), [(0.3, "prefix"), (0.3, "random"), (1.0, "prefix")])
def test_what_is_kept_is_a_share_of_the_coordinates(kept, erasure):
    rows = verdicts("truncation", 20, kept=kept, erasure=erasure, sketch_dim=512, runs=2)
    assert set(rows) == {"MSE, depth 1", "MSE, depth 2", "MSE, depth 3", "⟨s, s̄⟩"}
    assert all(row.holds for row in rows.values())
    whole = verdicts("truncation", 1, sketch_dim=512, runs=2)
    growth = rows["MSE, depth 3"].law / whole["MSE, depth 3"].law
    assert growth == pytest.approx(512 / math.ceil(512 * kept), rel=0.01)


@pytest.mark.parametrize("recipe", ["recursive", {"identity": 0.8, "mixing": 0.6}])
def test_similarity_follows_the_recipe(recipe):
    for kind in ("deviation", "layer"):
        rows = verdicts("similarity", 60, kind=kind, recipe=recipe, sketch_dim=256, matrices="gaussian")
        assert all(row.holds for row in rows.values())
    wrong = verdicts("similarity", 60, DEFECTS["matrices too large"], kind="layer", recipe={"identity": 0.1, "mixing": 1.0})
    assert not wrong["Var⟨Tu, Tu'⟩"].holds


def test_families_are_taken_with_their_options():
    sparse = {"family": "block", "density": 0.25, "block_size": 8}
    for name in ("matrices", "statistics"):
        rows = verdicts(name, 100, matrices=sparse)
        assert all(row.holds for row in rows.values()), name


def test_shares_of_unrolling_and_wiring_are_shown_beside_what_is_possible():
    row = verdicts("unrolling", 4, kind="share", size_ratio=1.5, modules=5)["exactly right"]
    assert (row.measured, row.bound, row.holds) == (1.0, 1.0, True)
    none = verdicts("unrolling", 4, kind="share", size_ratio=0.2, modules=5)["exactly right"]
    assert (none.measured, none.bound, none.holds) == (0.0, 0.0, True)
