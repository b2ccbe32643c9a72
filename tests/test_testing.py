"""The public checkers accept what is right and reject what is wrong; the planted defects are what they claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import simnet
from simnet.matrices import FAMILIES, Block, Gaussian, Haar, Rademacher, Trig
from simnet.matrices.base import DenseMatrix, MatrixFamily, RandomMatrix
from simnet.testing import DEFECTS, LawViolation, check_matrices
from simnet.testing.defects import NaturalOrderTrig, OneRoundTrig, ScaledFamily


@pytest.mark.parametrize("seed", [0, 10_000])
@pytest.mark.parametrize("family", [*FAMILIES, Block(block_size=4, density=0.25), Block(block_size=1, density=1.0)], ids=str)
def test_every_family_is_accepted(family, seed):
    measured = check_matrices(family, sketch_dim=128, trials=1000, seed=seed)
    assert len(measured) == 7
    assert all(abs(m.measured - m.expected) <= m.allowed for m in measured)


# -- families that are wrong in one way each ----------------------------------------------------------------------------


class Bent(RandomMatrix):
    """A right matrix with some of its methods replaced."""

    def __init__(self, matrix, matvec=None, rmatvec=None):
        self.matrix, self.shape, self.dtype = matrix, matrix.shape, matrix.dtype
        self.forward, self.backward = matvec or type(matrix).matvec, rmatvec or type(matrix).rmatvec

    def matvec(self, vectors):
        return self.forward(self.matrix, vectors)

    def rmatvec(self, vectors):
        return self.backward(self.matrix, vectors)

    @property
    def nbytes(self):
        return self.matrix.nbytes


@dataclass(frozen=True)
class BentGaussian(Gaussian):
    name: ClassVar[str] = "bent"
    forward: object = None
    backward: object = None

    def _draw(self, stream, rows, columns, dtype):
        return Bent(super()._draw(stream, rows, columns, dtype), self.forward, self.backward)


@dataclass(frozen=True)
class Shifted(Gaussian):
    """A mean that is not 0, with the second moments of the right family."""

    def _draw(self, stream, rows, columns, dtype):
        entries = super()._draw(stream, rows, columns, np.dtype("float64")).transposed
        mean = 0.2 / np.sqrt(rows)
        return DenseMatrix((np.sqrt(0.96) * entries + mean).astype(dtype))


@dataclass(frozen=True)
class Zero(Gaussian):
    def _draw(self, stream, rows, columns, dtype):
        return DenseMatrix(np.zeros((columns, rows), dtype))


@dataclass(frozen=True)
class WrongShape(Gaussian):
    def _draw(self, stream, rows, columns, dtype):
        return super()._draw(stream, rows, max(columns - 1, 1), dtype)


@dataclass(frozen=True)
class AlwaysDouble(Gaussian):
    def _draw(self, stream, rows, columns, dtype):
        return super()._draw(stream, rows, columns, np.dtype("float64"))


@dataclass(frozen=True)
class RowByRow(Gaussian):
    """Its first columns depend on how many are drawn."""

    def _draw(self, stream, rows, columns, dtype):
        entries = stream.standard_normal((rows, columns)).T / np.sqrt(rows)
        return DenseMatrix(np.ascontiguousarray(entries, dtype=dtype))


@dataclass(frozen=True)
class Restless(Gaussian):
    """Draws from a generator of its own, not from the stream."""

    generator: ClassVar = np.random.default_rng(0)

    def _draw(self, stream, rows, columns, dtype):
        return super()._draw(self.generator, rows, columns, dtype)


@dataclass(frozen=True)
class OneColumn(Gaussian):
    """All columns are the same."""

    def _draw(self, stream, rows, columns, dtype):
        column = super()._draw(stream, rows, 1, dtype).transposed
        return DenseMatrix(np.repeat(column, columns, axis=0))


@dataclass(frozen=True)
class QuietGaussian(Gaussian):
    """Claims the noise of a rotation."""

    def noise(self, squares, inner, fourth, *, sketch_dim, kept):
        return Trig().noise(squares, inner, fourth, sketch_dim=sketch_dim, kept=kept)


WRONG = {
    "one round": (OneRoundTrig(), "Var"),
    "natural order": (NaturalOrderTrig(), r"Var.* d' = \d+ of"),
    "gaussian 3 % too large": (ScaledFamily(Gaussian(), 1.03), r"E\[\(d/d'\)"),
    "trig 3 % too large": (ScaledFamily(Trig(), 1.03), r"E\[\(d/d'\)"),
    "haar 3 % too small": (ScaledFamily(Haar(), 0.97), r"E\[\(d/d'\)"),
    "rademacher 3 % too small": (ScaledFamily(Rademacher(), 0.97), r"E\[\(d/d'\)"),
    "zero": (Zero(), r"E\[\(d/d'\)"),
    "shifted mean": (Shifted(), r"E\[R\] = 0"),
    "equal columns": (OneColumn(), r"E\[\(d/d'\)"),
    "noise of another family": (QuietGaussian(), "Var"),
    "wrong shape": (WrongShape(), "shape"),
    "wrong dtype": (AlwaysDouble(), "dtype"),
    "columns by number": (RowByRow(), "first columns do not depend on their number"),
    "not deterministic": (Restless(), "determinism"),
    "not linear": (BentGaussian(forward=lambda m, v: m.matvec(np.abs(v))), "linearity"),
    "adjoint negated": (BentGaussian(backward=lambda m, y: -m.rmatvec(y)), "adjoint"),
    "adjoint 1 % off": (BentGaussian(backward=lambda m, y: m.dtype.type(1.01) * m.rmatvec(y)), "adjoint"),
    "adjoint shuffled": (BentGaussian(backward=lambda m, y: m.rmatvec(np.roll(y, 1, axis=-1))), "adjoint"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_every_wrong_family_is_rejected_for_what_is_wrong_with_it(kind):
    family, law = WRONG[kind]
    with pytest.raises(LawViolation, match=law):
        check_matrices(family, sketch_dim=128, trials=2000)


def test_the_bent_family_is_accepted_when_nothing_is_bent():
    check_matrices(BentGaussian(), sketch_dim=128, trials=1000)


def test_a_violation_says_law_measurement_and_allowance():
    with pytest.raises(LawViolation, match=r"measured 0, law 0\.8, allowed deviation"):
        check_matrices(Zero(), sketch_dim=64, trials=100)
    assert issubclass(LawViolation, AssertionError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"family": "gausian"}, "did you mean 'gaussian'"),
        ({"sketch_dim": 8}, "sketch_dim = 8"),
        ({"trials": 1}, "trials = 1"),
        ({"failure_probability": 0.0}, "failure_probability = 0"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_matrices(**{"family": "gaussian", **arguments})


def test_a_network_is_accepted_and_one_with_a_dead_unit_is_not():
    net = simnet.networks.tree(height=2, attribute_dim=3, seed=0)
    assert len(simnet.testing.check_network(net)) == 3
    module = net.module(0)

    def dead(inputs):
        return module.function(inputs) * np.array([1.0, 1.0, 0.0])

    modules = tuple(_with(m, dead) if m.name == 0 else m for m in net.modules)
    with pytest.raises(LawViolation, match="module 0"):
        simnet.testing.check_network(simnet.networks.ModularNetwork(modules, net.outputs, net.layout))


def _with(module, call):
    class Dead:
        input_dims = module.function.input_dims

        def __call__(self, inputs):
            return call(inputs)

    return simnet.networks.Module(module.name, module.attribute_dim, module.slots, Dead())


# -- the planted defects ------------------------------------------------------------------------------------------------

EX = simnet.Execution.from_objects(
    [
        ("p", "p", [0.5, 0.5], ["a", "b"], [0.5, 0.5]),
        ("q", "q", [0.4, 0.1], ["b"], [0.9]),
        ("a", "a", [0.6, 0.8], [], []),
        ("b", "b", [0.9, 0.1], [], []),
    ],
    outputs={"p": 0.6, "q": 0.4},
)


def makers(name, matrices="trig"):
    return simnet.Sketcher(EX.network, 64, matrices, seed=1), DEFECTS[name](EX.network, 64, matrices, seed=1)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_a_sketcher_that_answers_otherwise(name):
    right, wrong = makers(name)
    assert isinstance(wrong, simnet.Sketcher)
    parts = [maker.decode(maker.encode(EX)[:32], EX.structure).attributes["p"] for maker in (right, wrong)]
    assert np.abs(parts[0] - parts[1]).max() > 1e-3


def test_one_round_has_one_transform_fewer():
    right, wrong = makers("one round")
    assert len(wrong.value_matrix("a").signs) == len(right.value_matrix("a").signs) - 1 == 2
    _, other = makers("one round", "gaussian")
    assert np.array_equal(other.encode(EX), makers("one round", "gaussian")[0].encode(EX))


def test_natural_order_stores_the_same_coordinates_in_another_order():
    right, wrong = makers("natural order")
    assert wrong.bank.order is None
    np.testing.assert_allclose(wrong.encode(EX), right.to_natural(right.encode(EX)), rtol=1e-12)
    assert not np.allclose(wrong.encode(EX), right.encode(EX))


@pytest.mark.parametrize("matrices", FAMILIES)
def test_too_large_is_by_three_percent_in_every_family(matrices):
    right, wrong = makers("matrices too large", matrices)
    for role in ("value", "object", 0):
        np.testing.assert_allclose(wrong.matrix("p", role).todense(), 1.03 * right.matrix("p", role).todense(), rtol=1e-12)


def test_wrong_weight_is_the_right_sketch_with_a_heavier_first_slot():
    right, wrong = makers("wrong slot weight")
    weights = EX.structure.edge_weights * np.array([1.2, 1.0, 1.0, 1.0, 1.0])
    values = [x[None] for x in EX.attributes]
    expected = right.to_stored(right.forward(EX.structure, values, np.ones((1, 4)), weights[None]))[0]
    np.testing.assert_allclose(wrong.encode(EX), expected, rtol=0, atol=1e-15)
    assert EX.structure["p"].weights == (0.5, 0.5)
    assert np.abs(wrong.encode(EX) - right.encode(EX)).max() > 1e-5


def test_shared_slots_use_one_matrix_for_a_slot_number_and_leave_the_rest():
    right, wrong = makers("shared slot matrices")

    def dense(maker, module, role):
        return maker.matrix(module, role).todense()

    assert np.array_equal(dense(wrong, "p", 0), dense(wrong, "q", 0))
    assert np.array_equal(dense(wrong, "p", 1), dense(wrong, "root", 1))
    assert not np.allclose(dense(wrong, "p", 0), dense(wrong, "p", 1))
    assert not np.allclose(dense(right, "p", 0), dense(right, "q", 0))
    for role in ("value", "presence", "object", "attribute", "input"):
        assert np.array_equal(dense(wrong, "p", role), dense(right, "p", role))


def test_unscaled_truncation_lacks_the_factor_and_only_that():
    right, wrong = makers("truncation unscaled")
    s = right.encode(EX)
    assert np.array_equal(wrong.encode(EX), s)
    whole, part = ([m.decode(cut, EX.structure).attributes["p"] for m in (right, wrong)] for cut in (s, s[:16]))
    assert np.array_equal(*whole)
    np.testing.assert_allclose(part[0], 4.0 * part[1], rtol=1e-12)


def test_defects_are_named_once_and_no_family_is_registered_among_the_right_ones():
    assert len(set(DEFECTS.values())) == len(DEFECTS) >= 6
    assert all(issubclass(family, MatrixFamily) for family in FAMILIES.values())
    assert not {OneRoundTrig, NaturalOrderTrig, ScaledFamily} & set(FAMILIES.values())
