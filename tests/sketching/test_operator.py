"""The sketch as a linear operator: its matrix, its adjoint, and the checker that holds it to both."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator, lsqr

import simnet
from simnet.matrices import FAMILIES
from simnet.testing import LawViolation, check_operator
from tests import oracle

UNEVEN = simnet.Recipe(0.9, 0.3, 0.7, 0.4, 0.6, 0.2)
RECIPES = pytest.mark.parametrize("recipe", ["prototype_a", "prototype_b", "recursive", UNEVEN], ids=str)


@RECIPES
@pytest.mark.parametrize("family", FAMILIES)
def test_the_operator_has_the_entries_of_the_dense_definition_both_ways(family, recipe, execution):
    sketcher = simnet.Sketcher(execution.network, 20, family, recipe, seed=1)
    op, dense = sketcher.operator(execution), oracle.operator(execution, sketcher)
    tolerance = 1e-13 * max(np.abs(dense).max(), 1e-3)
    assert op.shape == dense.shape == (20, execution.structure.size)
    np.testing.assert_allclose(op @ np.eye(op.shape[1]), dense, rtol=0, atol=20 * tolerance)
    np.testing.assert_allclose(op.rmatmat(np.eye(20)), dense.T, rtol=0, atol=20 * tolerance)


@RECIPES
def test_the_operator_applied_to_the_vector_of_a_run_is_its_sketch(recipe, execution):
    sketcher = simnet.Sketcher(execution.network, 64, recipe=recipe, seed=1)
    for given in (execution, execution.structure):
        np.testing.assert_allclose(
            sketcher.operator(given) @ execution.vector(), sketcher.encode(execution), rtol=0, atol=1e-15
        )


def test_a_run_with_its_own_weights_has_its_own_operator():
    runs = simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0).run(2, seed=1, weight_jitter=0.5)
    sketcher = simnet.Sketcher(runs[0].network, 64, seed=1)
    first, second = (sketcher.operator(runs[i]) for i in range(2))
    np.testing.assert_allclose(first @ runs[0].vector(), sketcher.encode(runs)[0], rtol=0, atol=1e-15)
    assert np.abs(second @ runs[0].vector() - sketcher.encode(runs)[0]).max() > 1e-5


def test_columns_are_object_by_object_attributes_then_presence(portrait):
    sketcher = simnet.Sketcher(portrait.network, 64, seed=1)
    op, z = sketcher.operator(portrait), portrait.vector()
    assert len(op.columns) == len(portrait.objects)
    for k, obj in enumerate(portrait.objects):
        assert np.array_equal(z[op.columns[k]], obj.attributes)
        assert z[op.presence[k]] == 1.0
    assert sorted(np.concatenate([*(np.arange(c.start, c.stop) for c in op.columns), op.presence])) == list(range(len(z)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_public_checker_passes_the_operator(family, dtype, execution):
    check_operator(simnet.Sketcher(execution.network, 16, family, seed=1, dtype=dtype).operator(execution))


def test_products_with_blocks_vectors_and_the_adjoint_agree(execution):
    op = simnet.Sketcher(execution.network, 32, seed=1).operator(execution)
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((op.shape[1], 5)), draw.standard_normal((32, 4))
    np.testing.assert_allclose(op @ x, np.stack([op @ v for v in x.T], axis=1), rtol=0, atol=1e-14)
    np.testing.assert_allclose(op.H @ y, np.stack([op.rmatvec(v) for v in y.T], axis=1), rtol=0, atol=1e-14)
    np.testing.assert_allclose(y.T @ (op @ x), (op.T @ y).T @ x, rtol=0, atol=1e-12)


def test_a_solver_finds_every_attribute_from_one_sketch(portrait):
    sketcher = simnet.Sketcher(portrait.network, 64, "gaussian", simnet.Recipe(0.8, 0.8), seed=1)
    op = sketcher.operator(portrait)
    solution = lsqr(op, sketcher.encode(portrait), atol=1e-15, btol=1e-15, conlim=0, iter_lim=2000)[0]
    np.testing.assert_allclose(solution, portrait.vector(), atol=1e-6)


def test_a_single_precision_operator_stays_in_single_precision(portrait):
    op = simnet.Sketcher(portrait.network, 16, seed=1, dtype="float32").operator(portrait)
    assert op.dtype == np.float32
    assert (op @ portrait.vector()).dtype == np.float32
    assert op.rmatvec(np.ones(16)).dtype == np.float32


DENSE = np.random.default_rng(0).standard_normal((12, 7))


class Wrong(LinearOperator):
    """A right operator, but for the methods that are handed in."""

    def __init__(self, matvec=None, rmatvec=None, matmat=None):
        super().__init__(np.float64, DENSE.shape)
        self.wrong = {"matvec": matvec, "rmatvec": rmatvec, "matmat": matmat}

    def _matvec(self, x):
        return (self.wrong["matvec"] or (lambda v: DENSE @ v))(np.ravel(x))

    def _rmatvec(self, y):
        return (self.wrong["rmatvec"] or (lambda v: DENSE.T @ v))(np.ravel(y))

    def _matmat(self, x):
        return (self.wrong["matmat"] or (lambda v: np.stack([self._matvec(c) for c in v.T], axis=1)))(x)


def _one_entry_off(v):
    wrong = DENSE.T.copy()
    wrong[3, 5] *= 1.0 + 1e-6
    return wrong @ v


def _drifting():
    calls = iter(range(10**6))
    return lambda v: DENSE @ v * (1.0 + 1e-13 * next(calls))


def test_the_checker_passes_a_right_operator():
    check_operator(Wrong())
    check_operator(aslinearoperator(DENSE))


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        ({"rmatvec": lambda v: DENSE.T @ v * 1.001}, "adjoint"),
        ({"rmatvec": lambda v: DENSE.T @ v * -1}, "adjoint"),
        ({"rmatvec": lambda v: DENSE.T @ np.roll(v, 1)}, "adjoint"),
        ({"rmatvec": _one_entry_off}, "adjoint"),
        ({"matvec": lambda v: DENSE @ v * 1.001}, "adjoint"),
        ({"matvec": lambda v: DENSE @ np.abs(v)}, "linearity"),
        ({"matvec": lambda v: 0.0 * (DENSE @ v), "rmatvec": lambda v: 0.0 * (DENSE.T @ v)}, "zero"),
        ({"matmat": lambda x: DENSE @ x, "matvec": lambda v: 1.001 * DENSE @ v}, "matmat is matvec"),
        ({"matvec": lambda v: (DENSE @ v).astype(np.float32)}, "dtype"),
        ({"matvec": _drifting()}, "determinism"),
    ],
    ids=[
        "adjoint scaled",
        "adjoint negated",
        "adjoint shuffled",
        "adjoint one entry off",
        "forward scaled",
        "nonlinear",
        "zero",
        "matvec unlike matmat",
        "dtype",
        "not deterministic",
    ],
)
def test_the_checker_rejects_a_wrong_operator(wrong, law):
    with pytest.raises(LawViolation, match=law):
        check_operator(Wrong(**wrong))


def test_only_the_dense_definition_tells_an_operator_of_wrong_scale(portrait):
    right = simnet.Sketcher(portrait.network, 24, seed=1)
    wrong = simnet.testing.DEFECTS["matrices too large"](portrait.network, 24, seed=1).operator(portrait)
    check_operator(wrong)  # forward and adjoint are wrong alike: an adjoint test cannot tell
    dense = oracle.operator(portrait, right)
    assert np.abs(wrong @ np.eye(wrong.shape[1]) - dense).max() > 1e-2 * np.abs(dense).max()
