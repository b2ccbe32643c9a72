"""Public checkers: hold a matrix family, an operator or a network to what it owes.

Each raises :class:`LawViolation` with the law, what was measured and what was allowed, and returns its measurements
otherwise.  An adjoint test alone passes wrong operators, and a variance test with an absolute tolerance passes the zero
matrix: these compare with definitions, and take their thresholds from a failure probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from simnet.checks import integer, probability
from simnet.matrices import MatrixBank, MatrixFamily, as_family
from simnet.networks import FunctionReport, ModularNetwork
from simnet.networks.inspection import inspect_network
from simnet.randomness import stream

Array = NDArray[Any]


class LawViolation(AssertionError):
    """Something does not do what its definition says."""


@dataclass(frozen=True)
class Measurement:
    """One measured number beside its law; ``allowed`` is the largest deviation of chance."""

    law: str
    measured: float
    expected: float
    allowed: float

    def require(self) -> Measurement:
        """Itself, or a :class:`LawViolation`."""
        if not abs(self.measured - self.expected) <= self.allowed:
            raise LawViolation(
                f"{self.law}: measured {self.measured:.6g}, law {self.expected:.6g}, allowed deviation {self.allowed:.3g}"
            )
        return self


def _require(holds: bool, law: str, detail: str = "") -> None:
    if not holds:
        raise LawViolation(f"{law}{': ' if detail else ''}{detail}")


def check_matrices(
    family: str | MatrixFamily,
    *,
    sketch_dim: int = 256,
    trials: int = 3000,
    seed: int = 0,
    failure_probability: float = 1e-6,
) -> tuple[Measurement, ...]:
    """Hold a matrix family to its two facts, isotropy and inner-product noise, and its operators to their form.

    Sampled as a sketcher samples them, coordinates in the order of the family: shapes, both dtypes, linearity, adjoint,
    determinism, the first columns, the prefix bit for bit; then over ``trials`` matrices the mean of ``R`` and of
    ``(d/d') ⟨(Ru)', (Rv)'⟩``, and the variance of the latter, for the whole sketch, a quarter and a sixteenth.

    Raises
    ------
    LawViolation
        With the law that fails.  A correct family raises it with probability at most ``failure_probability``.

    Examples
    --------
    >>> import simnet
    >>> len(simnet.testing.check_matrices("trig", trials=500)) > 5
    True
    """
    family = as_family(family)
    d = integer("sketch_dim", sketch_dim, minimum=64)
    trials = integer("trials", trials, minimum=100)
    delta = probability("failure_probability", failure_probability)
    _check_form(family, d, seed)
    columns = 4
    u = np.array([0.8, 0.5, 0.2, 0.0])  # one heavy coordinate, as an attribute vector may have
    v = np.array([1.0, 0.0, 0.0, 0.0])
    kept_sizes = (d, d // 4, d // 16)
    inner = {kept: np.empty(trials) for kept in kept_sizes}
    entries = np.empty(trials)
    for t in range(trials):
        bank = MatrixBank(family, d, seed + t)
        matrix = bank.stored(("check",), columns)
        ru, rv = matrix.matvec(np.stack([u, v]))
        entries[t] = ru.sum()
        for kept in kept_sizes:
            inner[kept][t] = d / kept * ru[:kept] @ rv[:kept]
    tests = 1 + 2 * len(kept_sizes)
    z = float(scipy.stats.norm.isf(delta / tests / 2.0))
    root = math.sqrt(trials)
    measured = [Measurement("E[R] = 0", entries.mean(), 0.0, z * entries.std() / root)]
    for kept, values in inner.items():
        measured.append(
            Measurement(
                f"E[(d/d')⟨(Ru)', (Rv)'⟩] = ⟨u, v⟩ for d' = {kept} of {d}",
                float(values.mean()),
                float(u @ v),
                z * float(values.std()) / root + 1e-12,
            )
        )
        squares = (values - u @ v) ** 2
        law = float(family.inner_noise(u, v, sketch_dim=d, kept=kept)) / kept
        measured.append(
            Measurement(
                f"Var[(d/d')⟨(Ru)', (Rv)'⟩] = ν(u, v)/d' for d' = {kept} of {d}",
                float(squares.mean()),
                law,
                # the law itself holds up to O(1/d) of the noise of an unstructured matrix
                z * float(squares.std()) / root + 8.0 / d * 2.0 / kept,
            )
        )
    return tuple(m.require() for m in measured)


def _check_form(family: MatrixFamily, d: int, seed: int) -> None:
    """Everything about a sampled matrix that needs no statistics."""
    draw = stream(seed, "check", "vectors")
    for dtype, tolerance in (("float64", 1e-11), ("float32", 1e-3)):
        for columns in (None, 5):
            where = f"{family.name}, {dtype}, {columns or d} columns"
            bank, again = MatrixBank(family, d, seed, dtype), MatrixBank(family, d, seed, dtype)
            matrix = bank.stored(("form",), columns)
            width = columns or d
            _require(matrix.shape == (d, width), f"{where}: shape", f"{matrix.shape} is not {(d, width)}")
            x = draw.standard_normal((3, width)).astype(dtype)
            y = draw.standard_normal((3, d)).astype(dtype)
            rx, ry = matrix.matvec(x), matrix.rmatvec(y)
            for result, shape in ((rx, (3, d)), (ry, (3, width))):
                _require(result.dtype == np.dtype(dtype), f"{where}: dtype", f"a product is {result.dtype}")
                _require(result.shape == shape, f"{where}: shape of a product", f"{result.shape} is not {shape}")
            dense = matrix.todense()
            scale = max(float(np.abs(rx).max()), 1.0)
            _require(np.allclose(rx, x @ dense.T, atol=tolerance * scale), f"{where}: linearity, R x = (R e_j)_j x")
            scale = max(float(np.abs(ry).max()), 1.0)
            _require(np.allclose(ry, y @ dense, atol=tolerance * scale), f"{where}: adjoint, rmatvec is the transpose")
            _require(np.array_equal(rx, again.stored(("form",), columns).matvec(x)), f"{where}: determinism")
            prefix = matrix.prefix(d // 3)
            _require(np.array_equal(prefix.matvec(x), rx[:, : d // 3]), f"{where}: prefix, bit for bit")
            padded = np.zeros_like(y)
            padded[:, : d // 3] = y[:, : d // 3]
            _require(
                np.array_equal(prefix.rmatvec(y[:, : d // 3]), matrix.rmatvec(padded)),
                f"{where}: prefix of the transpose, bit for bit",
            )
    bank = MatrixBank(family, d, seed)
    wide, narrow = bank.matrix(("form",), 6).todense(), bank.matrix(("form",), 4).todense()
    _require(np.allclose(wide[:, :4], narrow, atol=1e-12), f"{family.name}: the first columns do not depend on their number")


def check_operator(op: LinearOperator, *, seed: int = 0, tolerance: float | None = None) -> None:
    """Hold a linear operator to its form: shapes, dtype, linearity, batches, adjoint entry by entry, determinism.

    Entry by entry means that the matrix built by ``matvec`` is compared with the matrix built by ``rmatvec``; it costs
    ``min(shape)`` products each way.  ``tolerance`` is relative to the largest entry.

    Raises
    ------
    LawViolation

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.networks.tree(height=2, attribute_dim=3, seed=0).run(1)[0]
    >>> simnet.testing.check_operator(simnet.Sketcher(ex.network, sketch_dim=32).operator(ex))
    """
    rows, columns = op.shape
    single = np.dtype(op.dtype).itemsize < 8
    tolerance = tolerance or (1e-4 if single else 1e-12)
    draw = stream(seed, "check", "operator")
    forward = np.asarray(op @ np.eye(columns, dtype=op.dtype))
    backward = np.asarray(op.rmatmat(np.eye(rows, dtype=op.dtype)))
    _require(forward.shape == (rows, columns), "shape of matmat", f"{forward.shape} is not {(rows, columns)}")
    _require(backward.shape == (columns, rows), "shape of rmatmat", f"{backward.shape} is not {(columns, rows)}")
    _require(forward.dtype == op.dtype and backward.dtype == op.dtype, "dtype of the products")
    scale = float(np.abs(forward).max())
    _require(scale > 0.0, "the operator is zero")
    worst = float(np.abs(forward - backward.T).max()) / scale
    _require(worst <= tolerance, "adjoint", f"entries differ by {worst:.3g} of the largest")
    x = draw.standard_normal((columns, 3)).astype(op.dtype)
    product = np.asarray(op @ x)
    reach = float(np.abs(product).max())
    _require(np.allclose(product, forward @ x, atol=tolerance * columns * reach), "linearity: B x = (B e_j)_j x")
    single_products = np.stack([np.asarray(op @ column) for column in x.T], axis=1)
    _require(np.allclose(product, single_products, atol=tolerance * columns * reach), "matmat is matvec by columns")
    _require(np.array_equal(product, np.asarray(op @ x)), "determinism")


def check_network(net: ModularNetwork, *, runs: int | None = None, seed: int = 0) -> tuple[FunctionReport, ...]:
    """Hold the functions of a network to what a module owes: non-negative, at most unit length, nonlinear, full rank.

    Every module is measured on what it sees in ``runs`` runs, by default six times the widest input or attribute vector.

    Raises
    ------
    LawViolation
        With the module and all that is wrong with it.

    Examples
    --------
    >>> import simnet
    >>> [report.rank for report in simnet.testing.check_network(simnet.networks.tree(height=2, attribute_dim=3, seed=0))]
    [3, 3, 3]
    """
    reports = inspect_network(net, runs=None if runs is None else integer("runs", runs, minimum=2), seed=seed)
    for report in reports:
        _require(not report.problems, f"module {report.module!r}", "; ".join(report.problems))
    return reports
