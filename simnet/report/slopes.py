"""The slope of a measurement in a plot of logarithms: the power of the size that an error falls with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.checks import shown


class Slope(NamedTuple):
    """A fitted power, and its standard error: ``nan`` where two points leave none."""

    value: float
    error: float


def fitted_slope(x: NDArray[Any], y: NDArray[Any]) -> Slope:
    """The least squares line through ``(log x, log y)``.

    Parameters
    ----------
    x, y : (n,) arrays
        Points that have no logarithm, and ``nan``, are left out.

    Returns
    -------
    Slope
        Of ``y ∝ x^slope``; the standard error comes from the scatter around the line.

    Raises
    ------
    ValueError
        If fewer than two different ``x`` are left.

    Examples
    --------
    >>> import numpy as np
    >>> from simnet.report.slopes import fitted_slope
    >>> slope, error = fitted_slope(np.array([64.0, 256.0, 1024.0]), np.array([0.8, 0.4, 0.2]))
    >>> round(slope, 12), error < 1e-12
    (-0.5, True)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    usable = np.isfinite(x) & np.isfinite(y) & (x > 0.0) & (y > 0.0)
    u, v = np.log(x[usable]), np.log(y[usable])
    if len(set(u)) < 2:
        raise ValueError(f"x = {shown(x)}: a slope needs two different positive values with a positive y")
    u -= u.mean()
    slope = float(u @ v / (u @ u))
    rest = v - v.mean() - slope * u
    error = float(np.sqrt(rest @ rest / (len(u) - 2) / (u @ u))) if len(u) > 2 else float("nan")
    return Slope(slope, error)
