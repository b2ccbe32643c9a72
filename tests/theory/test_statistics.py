"""Law 2 on cases worked out by hand: frequencies, sums and means of the objects of a module."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simnet
from simnet import theory
from simnet.matrices import Block
from tests import oracle

X, Y = np.array([0.6, 0.8]), np.array([0.0, 0.5])
ROOM = simnet.Execution.from_objects(
    [("tom", "cat", X, [], []), ("kit", "cat", Y, [], []), ("rex", "dog", [1.0], [], [])],
    outputs={"tom": 0.5, "kit": 0.3, "rex": 0.2},
)
FREQUENCY, SUM = 0.8, 0.5 * X + 0.3 * Y
NORM = 0.25 * (SUM @ SUM + 0.64 + 0.04 + 0.04)  # prototype B: ¼ (‖S‖² + f²), cats and dog


def test_module_sums_over_one_run_and_over_many():
    frequency, total = theory.module_sums(ROOM, "cat")
    assert frequency == pytest.approx(FREQUENCY)
    np.testing.assert_allclose(total, SUM)
    runs = simnet.networks.scene(places=5, seed=0).run(30, seed=1, weight_jitter=0.5)
    things = [o for i in range(30) for o in runs[i].objects if o.module == "cat"]
    frequency, total = theory.module_sums(runs, "cat")
    assert frequency == pytest.approx(sum(o.effective_weight for o in things), rel=1e-12)
    np.testing.assert_allclose(total, sum(o.effective_weight * o.attributes for o in things), rtol=1e-12)


def test_a_module_without_objects_sums_to_zero():
    net = simnet.networks.scene(places=1, seed=0)
    ex = net.run(1, seed=1)[0]
    absent = next(kind for kind in ("cat", "person") if kind not in ex.structure.modules)
    frequency, total = theory.module_sums(ex, absent)
    assert frequency == 0.0
    np.testing.assert_array_equal(total, np.zeros(7))
    assert theory.module_depth(ex, absent) == 2  # where the network would put it
    with pytest.raises(ValueError, match=rf"module '{absent}': the runs made no object of it"):
        theory.mean_mse(ex, absent, sketch_dim=64)


def test_expected_norm_is_the_sum_of_all_kernels():
    runs, recipe = [oracle.random_execution(seed) for seed in range(5)], oracle.random_recipe(0)
    expected = sum(oracle.kernel(a, b, recipe) for a in runs for b in runs)
    assert theory.expected_norm(simnet.Executions.gather(runs), recipe=recipe) == pytest.approx(expected, rel=1e-12)
    assert theory.expected_norm(ROOM, recipe="prototype_b") == pytest.approx(NORM, rel=1e-14)


@pytest.mark.parametrize(
    ("matrices", "kept", "one", "noise"),
    [  # ν(f, 1)/f² and ν(S, e_j) by hand; d = 40
        ("gaussian", 40, 2.0, SUM @ SUM + SUM**2),
        ("gaussian", 10, 2.0, SUM @ SUM + SUM**2),
        ("rademacher", 40, 0.0, SUM @ SUM - SUM**2),
        ("haar", 10, 1.5, 0.75 * (SUM @ SUM + SUM**2)),
        ("trig", 40, 0.0, 0.0 * SUM),
        (Block(4, 0.5), 40, 4.0, 2 * (SUM @ SUM - SUM**2) + 4 * SUM**2),
    ],
)
def test_errors_of_frequency_sum_and_mean(matrices, kept, one, noise):
    options = {"sketch_dim": 40, "kept": kept, "matrices": matrices, "recipe": "prototype_b"}
    f_error = ((NORM - 0.25 * FREQUENCY**2) / 0.25 + one * FREQUENCY**2) / kept
    s_error = ((NORM - 0.25 * SUM @ SUM) / 0.25 + noise) / kept
    assert theory.frequency_mse(ROOM, "cat", **options) == pytest.approx(f_error, rel=1e-12)
    np.testing.assert_allclose(theory.sum_mse(ROOM, "cat", **options), s_error, rtol=1e-12)
    mean = SUM / FREQUENCY
    expected = (s_error + mean**2 * f_error) / FREQUENCY**2
    np.testing.assert_allclose(theory.mean_mse(ROOM, "cat", **options), expected, rtol=1e-12)


def test_the_sum_of_a_single_object_is_law_1_times_its_weight():
    ex = simnet.networks.random_dag(modules=7, seed=3).run(1, seed=0)[0]
    for o in ex.objects:
        depths = {len(p) for p in oracle.paths(ex.structure, o.name)}
        if len(depths) == 1:
            law = theory.attribute_mse(ex, o.name, sketch_dim=128, kept=32, matrices="gaussian")
            sums = theory.sum_mse(ex, o.module, sketch_dim=128, kept=32, matrices="gaussian")
            np.testing.assert_allclose(sums, law * o.effective_weight**2, rtol=1e-10)


def test_a_known_norm_is_taken_in_place_of_the_kernels():
    options = {"sketch_dim": 100, "recipe": "prototype_b"}
    for mse in (theory.frequency_mse, theory.sum_mse, theory.mean_mse):
        np.testing.assert_allclose(mse(ROOM, "cat", norm_squared=NORM, **options), mse(ROOM, "cat", **options), rtol=1e-12)
        assert np.all(mse(ROOM, "cat", norm_squared=2 * NORM, **options) > mse(ROOM, "cat", **options))


def test_strength_of_a_mark_of_presence():
    recipe = simnet.Recipe(
        identity=0.5, mixing=0.7, attribute_share=0.3, input_share=0.4, value_share=0.6, presence_share=0.9
    )
    surface, level = 0.3 * 0.125, 0.4 * 0.125
    for depth in (1, 2, 3):
        gain = surface * level ** (depth - 1)
        assert theory.presence_coefficient(depth, recipe=recipe) == pytest.approx(0.9 * gain, rel=1e-14)
        assert theory.unit_coefficient(depth, recipe=recipe) == pytest.approx(0.6 * gain, rel=1e-14)


def test_outside_their_assumptions_the_laws_are_refused():
    assert theory.module_depth(ROOM, "cat") == 1
    mixed = simnet.Execution.from_objects(
        [("kit", "cat", [0.5], [], []), ("tom", "cat", [0.5], [], []), ("box", "box", [0.5], ["kit"], [1.0])],
        outputs={"box": 0.5, "tom": 0.5},
    )
    with pytest.raises(ValueError, match=r"module 'cat': its objects are at depths \[1, 2\]"):
        theory.sum_mse(mixed, "cat", sketch_dim=64)
    shared = simnet.Execution.from_objects(
        [("kit", "cat", [0.5], [], []), ("box", "box", [0.5], ["kit"], [1.0])], outputs={"box": 0.5, "kit": 0.5}
    )
    with pytest.raises(ValueError, match=r"module 'cat': its objects are at depths \[1, 2\]"):
        theory.sum_mse(shared, "cat", sketch_dim=64)
    with pytest.raises(ValueError, match=r"module = 'cow': must be one of 'cat', 'dog'"):
        theory.module_sums(ROOM, "cow")
    with pytest.raises(ValueError, match=r"recipe.presence_share = 0"):
        theory.frequency_mse(ROOM, "cat", sketch_dim=64, recipe="prototype_a")
    for wrong in ({"sketch_dim": 0}, {"kept": 65}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} = .*: must be an integer"):
            theory.frequency_mse(ROOM, "cat", **{"sketch_dim": 64, **wrong})
    assert math.isfinite(theory.frequency_mse(ROOM, "cat", sketch_dim=64, kept=1))
