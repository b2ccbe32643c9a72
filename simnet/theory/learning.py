"""Law 7, learning from packets: which part of an unknown one-layer sketch is learnt from ``n`` samples.

**Statement.**  ``s = Σ_M R_M x_M`` with packet matrices, ``N a`` columns in all.  Each attribute is non-zero with
probability ``π``, independently, and block ``g`` of a column is non-zero with probability ``q``, independently.  A
non-zero cell (column ``j``, block ``g``) is *learnt* if in one of ``n`` samples ``j`` is active and no other column that
is non-zero in ``g`` is: the block then shows the packet alone.  The mean share of non-zero cells that are learnt is,
exactly,

    E_m [ 1 − (1 − π (1 − π)^m)^n ],        m ~ Binomial(N a − 1, q)

**Proof.**  Given the matrices, let ``m`` of the other columns be non-zero in block ``g``.  In one sample the cell is seen
alone if ``j`` is active and these ``m`` are not, with probability ``π (1 − π)^m``; samples are independent given the
matrices, so none of ``n`` shows it with probability ``(1 − π (1 − π)^m)^n``.  ``m`` is binomial since cells are filled
independently.  ∎

**Approximation.**  ``1 − (1 − π (1 − qπ)^{Na−1})^n`` puts the mean ``E_m (1 − π)^m = (1 − qπ)^{Na−1}`` inside.  One
sample on its own has just that probability, so the two agree for ``n = 1``; but all samples meet the same matrices, and
``p ↦ 1 − (1 − p)^n`` is concave, so by Jensen's inequality the approximation is never too small.  To second order it is
too large by ``n (n − 1)/2 · (1 − p)^{n−2} Var_m[p]``, ``Var_m[p] = π² [(1 − q + q(1 − π)²)^{Na−1} − (1 −
qπ)^{2(Na−1)}]``: nothing where ``q = 1``, where ``Na q π²`` is small, and where everything or next to nothing is learnt;
several percent where blocks are crowded, ``Na q π ≈ 1`` and more, with ``π`` above a few percent, at middling coverage.

**Assumptions.**  Packets alone are recognised, and others are not: signs of ``b`` entries do not agree by accident.

Source: ``paper_checks/law_7_packets.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.checks import integer, real

Array = NDArray[Any]


def learnt_fraction(*, samples: int, density: float, sparsity: float, columns: int) -> float:
    """The mean share of the non-zero cells (column, block) that are learnt from ``n`` samples: the exact law.

    Parameters
    ----------
    samples : int
        ``n``.
    density : float
        ``q``, the probability that a block of a column is non-zero.
    sparsity : float
        ``π``, the probability that an attribute is.
    columns : int
        ``N a``, of all matrices together.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from simnet.theory import learnt_fraction, learnt_fraction_independent
    >>> setting = dict(samples=100, density=0.25, sparsity=0.1, columns=64)
    >>> round(learnt_fraction(**setting), 3), round(learnt_fraction_independent(**setting), 3)
    (0.838, 0.871)
    """
    n, q, pi, others = _domain(samples, density, sparsity, columns)
    m = np.arange(others + 1)
    alone = pi * (1.0 - pi) ** m
    return float(scipy.stats.binom.pmf(m, others, q) @ _ever(alone, n))


def learnt_fraction_independent(*, samples: int, density: float, sparsity: float, columns: int) -> float:
    """``1 − (1 − π (1 − qπ)^{Na−1})^n``, as if every sample met other matrices: never below :func:`learnt_fraction`.

    Parameters and errors are those of :func:`learnt_fraction`; the module says where the two differ.

    Examples
    --------
    >>> from simnet.theory import learnt_fraction_independent
    >>> learnt_fraction_independent(samples=1, density=0.5, sparsity=0.5, columns=2)
    0.375
    """
    n, q, pi, others = _domain(samples, density, sparsity, columns)
    return float(_ever(np.array(pi * (1.0 - q * pi) ** others), n))


def _ever(chance: Array, times: int) -> Array:
    """``1 − (1 − p)^n`` without cancellation."""
    with np.errstate(divide="ignore"):
        return -np.expm1(times * np.log1p(-chance)) if times else np.zeros_like(chance)


def _domain(samples: Any, density: Any, sparsity: Any, columns: Any) -> tuple[int, float, float, int]:
    return (
        integer("samples", samples, maximum=None),
        real("density", density, minimum=0.0, maximum=1.0),
        real("sparsity", sparsity, minimum=0.0, maximum=1.0),
        integer("columns", columns, minimum=1) - 1,
    )
