"""Storage: what it costs to keep a sketch in fewer bits.

**Statement.**  Rounding adds an error of mean 0 that is spread evenly over one step, so a coordinate whose neighbours in the
format are ``u`` apart gets the variance ``u²/12``.

* ``int8``, steps of ``Δ = max_i |s_i| / 127`` for the whole sketch: ``σ² = Δ²/12`` for every coordinate.
* ``float16`` and ``float32``, ``t = 10`` and ``23`` bits of fraction: in the binade ``2^k ≤ |s_i| < 2^{k+1}`` the step is
  ``2^{k−t}``.  With ``s_i = 2^k m`` that is ``(s_i/m)² 4^{−t}/12``, and with ``log₂ m`` uniform on ``[0, 1)``, which makes
  ``E[m^{−2}] = 3/(4 ln 4)``,

      σ² = 4^{−t} / (32 ln 2) · ‖s‖²/d

* ``float64``: 0.  It is what a sketch is computed in.

**What it does to an estimate.**  Noise of variance ``σ²`` for every coordinate, uncorrelated with the matrices, adds ``dσ²``
to ``E‖s‖² = K_ss``, and that is all: the matched estimate from ``d'`` coordinates gets the further variance

    (d/d')² σ² E[Σ_{i ≤ d'} R_ij²] / c² = (d/d') σ² / c²

which is what ``K_ss + dσ²`` in the place of ``K_ss`` brings to Law 1, and likewise to Laws 2 and 3.  Intervals read
``‖s'‖² d/d'`` off the sketch as it was stored, so the noise is in them already: they stay valid with nothing to be told.

**Assumptions.**  For the binades: coordinates spread over several of them.  Normal coordinates have a constant within 0.5 %
of the one given, wherever their standard deviation stands in its binade.  For ``Δ`` without the sketch at hand: independent
normal coordinates.

Source: ``paper_checks/storage_noise.py``; the error of a uniform quantiser is that of Bennett, *Spectra of Quantized
Signals*, Bell System Technical Journal 27 (1948) 446-472.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.checks import choice, integer

Array = NDArray[Any]

#: The formats that keep a fraction, with its bits; ``float64`` is what a sketch is computed in, nothing is lost.
FRACTION_BITS = {"float32": 23, "float16": 10}

#: ``int8`` uses the codes from ``−127`` to ``127``.
LEVELS = 127

STORAGES = ("float64", "float32", "float16", "int8")


def largest_square(sketch_dim: int) -> float:
    """``E[max_i z_i²]`` of ``d`` independent standard normal coordinates: ``∫ 2t (1 − P(|z| ≤ t)^d) dt``.

    Examples
    --------
    >>> from simnet.theory import largest_square
    >>> round(largest_square(1), 6), round(largest_square(1024), 2)
    (1.0, 11.96)
    """
    d = integer("sketch_dim", sketch_dim, minimum=1)

    def tail(t: float) -> float:
        beyond = math.erfc(t / math.sqrt(2.0))
        return 2.0 * t if beyond == 1.0 else -2.0 * t * math.expm1(d * math.log1p(-beyond))

    edge = -float(scipy.special.ndtri(0.25 / d))  # about where the largest coordinate lies: the integrand falls there
    value = scipy.integrate.quad(tail, 0.0, edge)[0] + scipy.integrate.quad(tail, edge, np.inf)[0]
    return float(value)


def storage_noise(
    storage: str, norm_squared: Array | float, *, sketch_dim: int, largest: Array | float | None = None
) -> Array:
    """The standard deviation ``σ`` of the rounding error of one coordinate: the shape of ``norm_squared``.

    Parameters
    ----------
    storage : {"float64", "float32", "float16", "int8"}
    norm_squared : float or array
        ``‖s‖²``, or ``K_ss`` for its mean.
    sketch_dim : int
        ``d``.
    largest : float or array, optional
        ``max_i |s_i|``, which sets the step of ``int8``; without it, the root of its mean square for normal coordinates.

    Raises
    ------
    ValueError
        For an unknown storage, a size out of range, and a ``norm_squared`` or ``largest`` that is negative or not finite.

    Examples
    --------
    >>> from simnet.theory import storage_noise
    >>> [f"{storage_noise(kind, 1.0, sketch_dim=1024):.2g}" for kind in ("float32", "float16", "int8")]
    ['7.9e-10', '6.5e-06', '0.00025']
    """
    choice("storage", storage, STORAGES)
    d = integer("sketch_dim", sketch_dim, minimum=1)
    square = _lengths("norm_squared", norm_squared) / d
    if storage == "float64":
        return np.zeros_like(square)
    if storage == "int8":
        top = np.sqrt(square * largest_square(d)) if largest is None else _lengths("largest", largest)
        return top / (LEVELS * math.sqrt(12.0))
    return np.sqrt(square / (32.0 * math.log(2.0))) * 2.0 ** -FRACTION_BITS[storage]


def _lengths(field: str, values: Array | float) -> Array:
    lengths = np.asarray(values, float)
    if not (np.isfinite(lengths) & (lengths >= 0.0)).all():
        raise ValueError(f"{field} = {values!r}: must be finite and not negative")
    return lengths
