"""Checks of what a user hands in.  Every message names the field, the value and what is allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Hashable, Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

#: Nothing is counted past this: sums of such numbers fit into a machine word, and each into a float.
MOST = 1 << 53


def shown(value: Any) -> str:
    """``repr(value)`` on one line of at most 200 characters."""
    try:
        text = " ".join(line.strip() for line in repr(value).splitlines())
    except ValueError:  # Python writes no integer of more than some thousand digits
        return f"<{type(value).__name__} with too many digits to show>"
    return text if len(text) <= 200 else f"{text[:199]}…"


def integer(field: str, value: Any, *, minimum: int = 0, maximum: int | None = MOST) -> int:
    """``value`` as an ``int`` in ``[minimum, maximum]``; booleans are refused.

    What is counted ends at :data:`MOST`; ``maximum=None`` is for what is not, such as seeds.
    """
    number = int(value) if isinstance(value, Integral) and not isinstance(value, (bool, np.bool_)) else None
    if number is not None and minimum <= number and (maximum is None or number <= maximum):
        return number
    # the limit of all counts is told to who is past it
    unbounded = maximum is None or (maximum == MOST and (number is None or number < minimum))
    allowed = f">= {minimum}" if unbounded else f"between {minimum} and {maximum}"
    raise ValueError(f"{field} = {shown(value)}: must be an integer {allowed}")


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
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) else math.nan
    except OverflowError:  # an integer or a fraction past the largest float
        number = math.nan
    inside = minimum < number < maximum if open_ends else minimum <= number <= maximum
    if not (inside and math.isfinite(number)):
        raise ValueError(f"{field} = {shown(value)}: must be {allowed}")
    return number


def probability(field: str, value: Any) -> float:
    """A failure probability or a confidence level: strictly between 0 and 1."""
    return real(field, value, minimum=0.0, maximum=1.0, open_ends=True)


def choice(field: str, value: Any, options: Iterable[Any]) -> Any:
    """``value`` if it is one of ``options``; otherwise the nearest valid name is suggested."""
    options = list(options)
    if isinstance(value, Hashable) and value in options:  # an array is not: it would be compared entry by entry
        return value
    near = difflib.get_close_matches(shown(value).strip("'"), [str(option) for option in options], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(map(repr, options[:20])) + (", …" if len(options) > 20 else "")
    raise ValueError(f"{field} = {shown(value)}: must be one of {listed}{hint}")


def sequence(field: str, value: Any, of: str, kind: type = object) -> tuple[Any, ...]:
    """``value`` as a tuple, all its entries of one kind; a string is a single thing and not the letters of it."""
    if isinstance(value, (str, bytes)) or not np.iterable(value):
        raise ValueError(f"{field} = {shown(value)}: must be a sequence of {of}")
    entries = tuple(value)
    for i, entry in enumerate(entries):
        if not isinstance(entry, kind):
            raise ValueError(f"{field}[{i}] = {shown(entry)}: must be a {kind.__name__}")
    return entries


def kept_dimension(kept: Any, sketch_dim: int) -> int:
    """The number of kept coordinates ``d'``, the whole sketch when ``None``."""
    return sketch_dim if kept is None else integer("kept", kept, minimum=1, maximum=sketch_dim)
