"""Law 3: similar inputs, norms, and the bounds on the deviation from the kernel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet import theory
from tests import oracle


def moved(ex, epsilon, seed):
    """The execution with every attribute vector turned by a chord of exactly ``epsilon``, each in its own direction."""
    draw, attributes = np.random.default_rng(seed), []
    for x in ex.attributes:
        across = draw.standard_normal(len(x))
        across -= (across @ x) * x
        norm = np.linalg.norm(across)
        if norm < 1e-6:  # a line has nowhere to turn to
            attributes.append(x)
            continue
        cosine = 1.0 - epsilon**2 / 2.0
        attributes.append(cosine * x + math.sqrt(1.0 - cosine**2) * across / norm)
        assert np.linalg.norm(attributes[-1] - x) == pytest.approx(epsilon)
    return simnet.networks.Execution(ex.structure, tuple(attributes))


@pytest.mark.parametrize("seed", range(20))
def test_similar_inputs_bound_is_below_the_kernel(seed):
    ex = oracle.random_execution(seed, modules=7, height=5, unit=True)
    for recipe in (simnet.Recipe(), oracle.random_recipe(seed)):
        for epsilon in (0.01, 0.3, 1.0):
            least = theory.similar_inputs_bound(ex, epsilon, recipe=recipe)
            worst = min(oracle.kernel(ex, moved(ex, epsilon, s), recipe) for s in range(5))
            assert least <= worst * (1 + 1e-12)
        assert theory.similar_inputs_bound(ex, 0.0, recipe=recipe) == pytest.approx(oracle.kernel(ex, ex, recipe), rel=1e-12)


def test_similar_inputs_bound_is_attained_with_one_object_to_a_module():
    ex = simnet.networks.random_dag(modules=6, attribute_dim=3, seed=4).run(1, seed=1)[0]
    raised = [x + 0.1 for x in ex.attributes]
    ex = simnet.networks.Execution(ex.structure, tuple(x / np.linalg.norm(x) for x in raised))
    own, share = theory.kernel(ex, ex), theory.attribute_share_of_norm(ex)
    for epsilon in (0.1, 0.7, 1.4):
        bound = theory.similar_inputs_bound(ex, epsilon)
        assert bound == pytest.approx(oracle.kernel(ex, moved(ex, epsilon, 0), simnet.Recipe()), rel=1e-12)
        assert bound == pytest.approx((1.0 - share * epsilon**2 / 2.0) * own, rel=1e-12)


def test_the_short_form_fails_for_namesakes_that_move_apart():
    """Negative control: without the term of first order the bound is wrong, and the long form is not."""

    def cats(tom, kit):
        turned = [(name, "cat", [math.cos(t), math.sin(t)], [], []) for name, t in (("tom", tom), ("kit", kit))]
        return simnet.Execution.from_objects(turned, outputs={"tom": 0.5, "kit": 0.5})

    angle = 0.2
    epsilon = 2.0 * math.sin(angle / 2.0)
    ex, apart = cats(0.0, math.pi / 2), cats(-angle, math.pi / 2 + angle)
    short = (1.0 - theory.attribute_share_of_norm(ex) * epsilon**2 / 2.0) * theory.kernel(ex, ex)
    assert theory.similar_inputs_bound(ex, epsilon) < theory.kernel(ex, apart) < short


@pytest.mark.parametrize("perturbation", [-0.1, 2.1, math.nan, "0.1", None, True])
def test_a_perturbation_lies_between_0_and_2(perturbation):
    with pytest.raises(ValueError, match=r"perturbation = .*: must be a finite number in \[0, 2\]"):
        theory.similar_inputs_bound(oracle.random_execution(0, unit=True), perturbation)


def test_similar_inputs_need_unit_attributes():
    ex = simnet.Execution.from_objects([("a", "a", [0.5], [], [])], outputs={"a": 1.0})
    with pytest.raises(ValueError, match=r"object 'a': attributes has length 0.5, the bound needs length 1"):
        theory.similar_inputs_bound(ex, 0.1)


@pytest.mark.parametrize("seed", range(15))
def test_norm_bound_is_above_every_norm_and_attained(seed):
    ex, recipe = oracle.random_execution(seed, modules=8, height=7), oracle.random_recipe(seed)
    bound = theory.norm_bound(ex.structure, recipe=recipe)
    assert oracle.kernel(ex, ex, recipe) <= bound * (1 + 1e-12)
    largest = simnet.networks.Execution(ex.structure, tuple(np.eye(len(x))[0] for x in ex.attributes))
    assert oracle.kernel(largest, largest, recipe) == pytest.approx(bound, rel=1e-12)
    assert theory.norm_bound(ex.structure) <= 1 / 62


def test_a_long_chain_reaches_one_over_62_with_the_papers_recipe_only():
    chain = simnet.networks.tree(height=8, branching=1, attribute_dim=2, seed=0).run(1)[0].structure
    assert 1 / 62 * (1 - 1e-10) < theory.norm_bound(chain) <= 1 / 62
    assert theory.norm_bound(chain, recipe=simnet.Recipe(identity=0.51)) > 1 / 62


@pytest.mark.parametrize("seed", range(10))
def test_attribute_share_is_what_is_lost_without_attributes(seed):
    ex, recipe = oracle.random_execution(seed), oracle.random_recipe(seed)
    marks = simnet.Recipe(**{**vars(recipe), "value_share": 0.0})
    share = 1.0 - oracle.kernel(ex, ex, marks) / oracle.kernel(ex, ex, recipe)
    assert theory.attribute_share_of_norm(ex, recipe=recipe) == pytest.approx(share, rel=1e-10)
    assert theory.attribute_share_of_norm(ex, recipe="prototype_a") == 1.0


def test_an_execution_of_weight_0_has_no_shares():
    ex = simnet.Execution.from_objects([("a", "a", [0.5], [], [])], outputs={"a": 0.0})
    with pytest.raises(ValueError, match=r"^attribute_share_of_norm: the kernel .* is 0, it has no shares$"):
        theory.attribute_share_of_norm(ex)


def test_random_layers_count_the_matrices_of_a_path():
    assert [theory.random_layers(h) for h in range(4)] == [1, 4, 7, 10]
    assert [theory.random_layers(h, recipe="prototype_b") for h in range(4)] == [1, 1, 1, 1]
    ex = oracle.random_execution(1)
    assert max(map(len, oracle.words(ex, simnet.Recipe()))) == theory.random_layers(ex.structure.height)


def test_similarity_bound_by_hand_and_its_directions():
    bound = theory.similarity_bound(4.0, np.array([1.0, 9.0]), layers=3, sketch_dim=600, kept=300, failure_probability=0.02)
    np.testing.assert_allclose(bound, np.array([4.0, 12.0]) * math.sqrt(3 * math.log(100) / 300), rtol=1e-14)

    def one(**changed):
        return float(theory.similarity_bound(1.0, 1.0, **{"layers": 2, "sketch_dim": 100, **changed}))

    assert one(kept=50) > one() > one(sketch_dim=200)
    assert one(layers=3) > one() == one(failure_probability=0.01) > one(failure_probability=0.1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layers": 0}, r"layers = 0: must be an integer >= 1"),
        ({"sketch_dim": 0}, r"sketch_dim = 0: must be an integer >= 1"),
        ({"kept": 101}, r"kept = 101: must be an integer between 1 and 100"),
        ({"failure_probability": 1}, r"failure_probability = 1: must be a finite number in \(0, 1\)"),
    ],
)
def test_similarity_bound_checks_its_domain(changed, message):
    with pytest.raises(ValueError, match=message):
        theory.similarity_bound(1.0, 1.0, **{"layers": 2, "sketch_dim": 100, **changed})


def test_transparent_variance_by_hand():
    """u = (1, 1, 0, 0), v = (1, 2, 0, 0): ‖u‖² ‖v‖² = 10, ⟨u, v⟩² = 9, Σ u² v² = 5; d = 4."""
    u, v = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 2.0, 0.0, 0.0])
    recipe = simnet.Recipe(identity=0.5, mixing=2.0)  # 2 α² β² = 2, β⁴ = 16
    expected = {"gaussian": 2 * 19 + 16 * 19, "rademacher": 2 * 19 + 16 * 9, "haar": 2 * 19, "trig": 2 * 19}
    for matrices, four in expected.items():
        assert theory.transparent_variance(u, v, matrices=matrices, recipe=recipe) == pytest.approx(four / 4, rel=1e-14)
    assert theory.transparent_variance(u, v) == pytest.approx(3 / (16 * 4) * 19, rel=1e-14)
    assert theory.transparent_variance(u, v, recipe="prototype_a") == 0.0


@pytest.mark.parametrize("matrices", ["gaussian", "rademacher", "haar", "block"])
def test_transparent_variance_is_that_of_samples(matrices):
    """4,000 draws; the squares' mean is held by Student's t at 1e-6, and 1.3 times the law is rejected."""
    d, draws, recipe = 32, 4000, simnet.Recipe(identity=0.6, mixing=0.9)
    x = np.random.default_rng(1).standard_normal((2, d))
    family, products = simnet.matrices.as_family(matrices), np.empty(draws)
    for i in range(draws):
        mixed = 0.6 * x + 0.9 * family.sample(np.random.Generator(np.random.PCG64([7, i])), d).matvec(x)
        products[i] = mixed[0] @ mixed[1]
    squares = (products - recipe.transparency * x[0] @ x[1]) ** 2
    allowed = scipy.stats.t.isf(5e-7, draws - 1) * squares.std() / math.sqrt(draws)
    law = float(theory.transparent_variance(x[0], x[1], matrices=matrices, recipe=recipe))
    slack = 2.0 / d * law
    assert abs(squares.mean() - law) <= allowed + slack
    assert abs(squares.mean() - 1.3 * law) > allowed
