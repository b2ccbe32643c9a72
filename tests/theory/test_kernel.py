"""Law 0 is the kernel of the definitions: two oracles, several wirings, batches, and what the kernel owes by itself."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet import theory
from tests import oracle

EXACT = {"rel": 1e-12, "abs": 1e-18}


def recipes(seed):
    return [oracle.random_recipe(seed), *simnet.RECIPES.values()]


@pytest.mark.parametrize("seed", range(20))
def test_kernel_is_the_sum_over_all_products_of_matrices(seed):
    left, right, recipe = oracle.random_execution(seed), oracle.random_execution(seed + 100), oracle.random_recipe(seed)
    assert theory.kernel(left, right, recipe=recipe) == pytest.approx(oracle.kernel_by_words(left, right, recipe), **EXACT)
    assert theory.kernel(left, left, recipe=recipe) == pytest.approx(oracle.kernel_by_words(left, left, recipe), **EXACT)


@pytest.mark.parametrize("seed", range(30))
def test_kernel_of_deep_executions_of_two_wirings_is_the_recursion(seed):
    left, right = (oracle.random_execution(s, modules=8, height=7) for s in (seed, seed + 100))
    assert left.network != right.network
    for recipe in recipes(seed):
        for a, b in ((left, right), (left, left)):
            assert theory.kernel(a, b, recipe=recipe) == pytest.approx(oracle.kernel(a, b, recipe), **EXACT)


@pytest.mark.parametrize("recipe", recipes(3), ids=["random", *simnet.RECIPES])
def test_kernel_matrix_and_diagonal_of_mixed_wirings_are_the_kernels(recipe):
    runs = [oracle.random_execution(seed, modules=7, height=5) for seed in range(9)]
    expected = np.array([[oracle.kernel(a, b, recipe) for b in runs] for a in runs])
    gathered = simnet.Executions.gather(runs)
    np.testing.assert_allclose(theory.kernel_matrix(gathered, recipe=recipe), expected, rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(theory.kernel_diagonal(gathered, recipe=recipe), np.diag(expected), rtol=1e-12)
    rectangle = theory.kernel_matrix(gathered[:2], gathered[2:], recipe=recipe)
    np.testing.assert_allclose(rectangle, expected[:2, 2:], rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize(
    "net", [simnet.networks.scene(places=4, seed=1), simnet.networks.random_dag(modules=7, seed=2)], ids=["scene", "dag"]
)
def test_kernel_matrix_uses_the_weights_of_every_run(net):
    runs = net.run(8, seed=3, activity=0.7, weight_jitter=0.9)
    assert len(runs.groups) > 1
    expected = np.array([[oracle.kernel(a, b, simnet.Recipe()) for b in each(runs)] for a in each(runs)])
    np.testing.assert_allclose(theory.kernel_matrix(runs), expected, rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(theory.kernel_diagonal(runs), np.diag(expected), rtol=1e-12, atol=1e-18)
    calm = theory.kernel_matrix(net.run(8, seed=3, activity=0.7))
    assert (calm[expected > 0] > expected[expected > 0]).all()  # jitter shrinks weights, and all attributes are positive


def each(runs):
    return [runs[i] for i in range(len(runs))]


@pytest.mark.parametrize("seed", range(10))
def test_kernel_is_symmetric_and_positive_semidefinite(seed):
    runs = simnet.Executions.gather([oracle.random_execution(10 * seed + i, modules=7, height=6) for i in range(6)])
    gram = theory.kernel_matrix(runs, recipe=oracle.random_recipe(seed))
    np.testing.assert_allclose(gram, gram.T, rtol=1e-12, atol=1e-18)
    assert np.linalg.eigvalsh(gram).min() > -1e-14 * np.trace(gram)


def test_kernel_without_a_shared_module_is_zero():
    left = simnet.Execution.from_objects([("p", "p", [1.0], [], [])], outputs={"p": 1.0})
    assert theory.kernel(left, oracle.random_execution(0)) == 0.0


def test_kernel_of_prototype_b_is_the_inner_product_of_the_sums():
    """One layer, two cats and a dog: ¼ (⟨S, S⟩ + f²), module by module."""
    x, y, z = np.array([0.6, 0.8]), np.array([0.0, 0.5]), np.array([1.0])
    ex = simnet.Execution.from_objects(
        [("tom", "cat", x, [], []), ("kit", "cat", y, [], []), ("rex", "dog", z, [], [])],
        outputs={"tom": 0.5, "kit": 0.3, "rex": 0.2},
    )
    cats = 0.5 * x + 0.3 * y
    expected = 0.25 * (cats @ cats + 0.8**2 + 0.2**2 + 0.2**2)
    assert theory.kernel(ex, ex, recipe="prototype_b") == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("seed", range(10))
def test_place_gram_is_the_energy_of_the_columns_of_the_operator(seed):
    """Rotations and no mixture with the identity keep every norm: columns have length ``ξ √A`` in every draw."""
    ex = oracle.random_execution(seed, most=1)
    recipe = simnet.Recipe(identity=0.0, mixing=0.9, value_share=0.7, presence_share=0.4)
    gram = theory.place_gram(ex.structure, ex.structure, recipe=recipe)
    only_path = [len(oracle.paths(ex.structure, name)) == 1 for name in ex.structure.names]
    assert any(only_path)
    b = oracle.operator(ex, simnet.Sketcher(ex.network, sketch_dim=12, matrices="haar", recipe=recipe, seed=seed))
    columns = simnet.Sketcher(ex.network, sketch_dim=12, recipe=recipe).operator(ex)
    for k in np.flatnonzero(only_path):
        squares = np.sum(b**2, axis=0)
        np.testing.assert_allclose(squares[columns.columns[k]], 0.49 * gram[k, k], rtol=1e-10)
        np.testing.assert_allclose(squares[columns.presence[k]], 0.16 * gram[k, k], rtol=1e-10)


def test_cyclic_unions_and_unequal_dimensions_are_refused():
    def chain(lower, upper, dim=1):
        return simnet.Execution.from_objects(
            [("lower", lower, [0.5] * dim, [], []), ("upper", upper, [0.5], ["lower"], [1.0])], outputs={"upper": 1.0}
        )

    with pytest.raises(ValueError, match=r"kernel: the union .* has the cycle .*, it must be acyclic"):
        theory.kernel(chain("a", "b"), chain("b", "a"))
    for law in (theory.kernel, theory.kernel_matrix):
        with pytest.raises(ValueError, match=r"^kernel: module 'a' has attribute_dim 1 in one and 2 in the other$"):
            law(chain("a", "b"), chain("a", "b", dim=2))
    with pytest.raises(ValueError, match=r"recipe = 'recursiv': must be one of .* \(did you mean 'recursive'"):
        theory.kernel(chain("a", "b"), chain("a", "b"), recipe="recursiv")
