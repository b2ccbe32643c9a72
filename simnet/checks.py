"""Checks of what a user hands in.  Every message names the field, the value and what is allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np


def integer(field: str, value: Any, *, minimum: int = 0, maximum: int | None = None) -> int:
    """``value`` as an ``int`` in ``[minimum, maximum]``; booleans are refused."""
    allowed = f">= {minimum}" if maximum is None else f"between {minimum} and {maximum}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise ValueError(f"{field} = {value!r}: must be an integer {allowed}")
    number = int(value)
    if number < minimum or (maximum is not None and number > maximum):
        raise ValueError(f"{field} = {value!r}: must be an integer {allowed}")
    return number


def real(
    field: str,
    value: Any,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    open_ends: bool = False,
) -> float:
    """``value`` as a finite ``float`` in ``[minimum, maximum]``, or inside it with ``open_ends``."""
    left, right = ("(", ")") if open_ends else ("[", "]")
    bounded = math.isfinite(minimum) or math.isfinite(maximum)
    allowed = f"a finite number in {left}{minimum:g}, {maximum:g}{right}" if bounded else "a finite number"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{field} = {value!r}: must be {allowed}")
    number = float(value)
    inside = minimum < number < maximum if open_ends else minimum <= number <= maximum
    if not inside:
        raise ValueError(f"{field} = {value!r}: must be {allowed}")
    return number


def probability(field: str, value: Any) -> float:
    """A failure probability or a confidence level: strictly between 0 and 1."""
    return real(field, value, minimum=0.0, maximum=1.0, open_ends=True)


def choice(field: str, value: Any, options: Iterable[Any]) -> Any:
    """``value`` if it is one of ``options``; otherwise the nearest valid name is suggested."""
    options = list(options)
    if value in options:
        return value
    near = difflib.get_close_matches(str(value), [str(option) for option in options], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(map(repr, options[:20])) + (", …" if len(options) > 20 else "")
    raise ValueError(f"{field} = {value!r}: must be one of {listed}{hint}")


def kept_dimension(kept: Any, sketch_dim: int) -> int:
    """The number of kept coordinates ``d'``, the whole sketch when ``None``."""
    return sketch_dim if kept is None else integer("kept", kept, minimum=1, maximum=sketch_dim)
