"""Law 7, known matrices: from how many coordinates, pairs and how little noise the wiring of a network can be told.

**Setting.**  ``n`` sketches of one wiring, ``s_t = Σ_M U_M x_M(t) + b + σ ε_t``: attributes ``x_M(t)`` vary from run to
run, the columns ``U_M = Σ_k w_k V_k`` of a module are what it brings through all its slots, ``V_k`` with unit weight
through one.

**Coordinates.**  Without noise the sketches fill the span of all ``U_M``, of ``m = Σ_M a_M`` dimensions however many places
the objects stand in.  Its complement has ``d' − m`` dimensions, and each module must have no part in it: ``(d' − m) a``
equations for the ``K`` weights of the slots that it might fill.  The columns of a module that is not there keep the share
``(1 − √(K / ((d' − m) a)))²`` of their energy outside even with the best weights (the smallest eigenvalue of a Wishart
matrix).  For this to be safely above 0,

    d' ≥ m + (√K + z)² / a,        z the normal quantile of the failure probability

while one sketch alone needs about ``p = Σ (a + 1)`` over all *places*.  Pairs: ``n > m + 1``, so that they fill the span.

**Noise.**  Let ``λ`` be the variance of the sketches along the weakest direction of their span.  With noise the scatter
matrix has an eigenvalue ``n (λ + σ²)(1 + γ σ²/λ)``, ``γ = d'/n``, and noise alone reaches ``σ² edge²``: the direction is
seen while the first is above the second.  With ``x = σ²/λ`` the two are equal at

    (1 + x)(1 + γ x) = x edge²/n,        to leading order  σ² = λ √(n/d')

When the weakest direction is lost, so is the module that it belongs to; those that stand out more are still found.

**Assumptions.**  Normal noise; ``n`` and ``d'`` large at a fixed ratio; a module is lost with its weakest direction.  One
that is left with other attributes may still be found by these: the law is then on the safe side, by up to about 1.3.

Source: J. Baik, G. Ben Arous, S. Péché, *Phase transition of the largest eigenvalue*, Ann. Probab. 33 (2005) 1643-1697;
``paper_checks/law_7_known_matrices.py``.
"""

from __future__ import annotations

import math

import scipy

from simnet.checks import integer, probability, real


def noise_edge(rows: int, columns: int, failure_probability: float) -> float:
    """What the largest singular value of ``rows × columns`` standard normal entries stays below.

    The Marchenko-Pastur edge ``√m + √n``, with the Tracy-Widom fluctuation whose upper tail is ``exp(−⅔ t^{3/2})``.

    Source: I. Johnstone, *On the distribution of the largest eigenvalue in principal components analysis*,
    Ann. Statist. 29 (2001) 295-327.

    Examples
    --------
    >>> from simnet.theory.wiring import noise_edge
    >>> round(noise_edge(400, 100, 1e-3), 1)
    31.2
    """
    a, b = math.sqrt(max(rows, 1)), math.sqrt(max(columns, 1))
    tail = (1.5 * math.log(1.0 / failure_probability)) ** (2.0 / 3.0)
    return math.sqrt((a + b) ** 2 + tail * (a + b) * (1.0 / a + 1.0 / b) ** (1.0 / 3.0))


def wiring_coordinates(*, attributes: int, attribute_dim: int, slots: int, failure_probability: float = 1e-3) -> int:
    """The coordinates from which the wiring can be told from many sketches without noise: ``m + (√K + z)² / a``, rounded up.

    Parameters
    ----------
    attributes : int
        ``m``, of all modules together.
    attribute_dim : int
        ``a``, of the smallest module.
    slots : int
        ``K``: how many slots a module might fill.
    failure_probability : float
        Of stating a module or an edge that is not there, in each try.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from simnet.theory import wiring_coordinates
    >>> wiring_coordinates(attributes=144, attribute_dim=8, slots=30)
    154
    """
    m, a = integer("attributes", attributes, minimum=1), integer("attribute_dim", attribute_dim, minimum=1)
    z = float(scipy.stats.norm.isf(probability("failure_probability", failure_probability)))
    return m + math.ceil((math.sqrt(integer("slots", slots, minimum=1)) + z) ** 2 / a)


def wiring_noise(
    *, variance: float, pairs: int, kept: int, failure_probability: float = 1e-3, clearness: float = 1.0
) -> float:
    """The noise of a coordinate at which the weakest direction of the sketches is lost: ``σ² ≈ λ √(n/d')``.

    With a ``clearness`` ``C`` above 1 the noise at which it no longer stands ``C`` times above what noise alone reaches:
    ``(1 + x)(1 + γx) = C² x edge²/n``.

    Parameters
    ----------
    variance : float
        ``λ``: the smallest non-zero eigenvalue of the covariance of the sketches without noise.
    pairs, kept : int
        ``n`` and ``d'``.
    failure_probability : float
        That noise passes for a signal.
    clearness : float
        In singular values.

    Examples
    --------
    >>> from simnet.theory import wiring_noise
    >>> wiring_noise(variance=1e-6, pairs=1000, kept=250) < (1e-6 * 2.0) ** 0.5
    True
    """
    scale = real("variance", variance, minimum=0.0)
    n, d = integer("pairs", pairs, minimum=2, maximum=None), integer("kept", kept, minimum=1)
    ratio = d / n
    high = real("clearness", clearness, minimum=1.0) ** 2
    room = high * noise_edge(n, d, probability("failure_probability", failure_probability)) ** 2 / n - 1.0 - ratio
    return math.sqrt(scale * (room - math.sqrt(max(room**2 - 4.0 * ratio, 0.0))) / (2.0 * ratio))
