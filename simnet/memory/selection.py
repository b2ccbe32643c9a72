"""Which sketches of a store a question is about: by time, hour of the day, tags, metadata or numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from simnet.checks import choice, integer, real, sequence, shown

#: Years 1 to 9999, in seconds since 1970: what ``datetime`` can hold.
EARLIEST, LATEST = -62135596800.0, 253402300799.0


def read_time(name: str, value: Any) -> float:
    """Seconds since 1970 UTC, of a number, a ``datetime``, a ``date`` or an ISO 8601 text; without a zone it is UTC."""
    moment = value
    if isinstance(value, np.datetime64):
        moment = value.astype("datetime64[us]").item()
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise ValueError(f"{name} = {shown(value)}: must be a time in ISO 8601, such as 2024-07-01T09:30") from None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return real(name, moment, minimum=EARLIEST, maximum=LATEST)


def read_tags(name: str, value: Any) -> tuple[str, ...]:
    """Different tags, in order; a tag is a non-empty text."""
    tags = sequence(name, value, "texts", str)
    if "" in tags:
        raise ValueError(f"{name} = {shown(value)}: a tag must not be empty")
    return tuple(sorted(set(tags)))


@dataclass(frozen=True)
class Selection:
    """The sketches that satisfy every condition given; all of them without any.

    Parameters
    ----------
    after, before : time, optional
        ``after <= time < before``: a ``datetime``, a text in ISO 8601 or seconds since 1970, UTC where no zone is given.
        Sketches without a time satisfy no condition on it.
    hours : (float, float), optional
        The hour of the day in UTC, ``from <= hour < to``; past midnight where ``from > to``.
    tags : sequence of str
        All of them are among those of the sketch.
    metadata : mapping
        Each key has exactly that value in the metadata of the sketch.
    ids : sequence of int, optional
        Only these.

    Examples
    --------
    >>> from simnet.memory import Selection
    >>> mornings = Selection(hours=(6, 12), tags=["kitchen"], after="2024-07-01")
    >>> mornings.after
    1719792000.0
    """

    after: Any = None
    before: Any = None
    hours: tuple[float, float] | None = None
    tags: Any = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    ids: Any = None

    def __post_init__(self) -> None:
        for name in ("after", "before"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, read_time(name, getattr(self, name)))
        if self.hours is not None:
            pair = sequence("hours", self.hours, "two hours")
            if len(pair) != 2:
                raise ValueError(f"hours = {shown(self.hours)}: must be a pair of hours")
            low, high = (real(f"hours[{i}]", x, minimum=0.0, maximum=24.0) for i, x in enumerate(pair))
            object.__setattr__(self, "hours", (low, high))
        object.__setattr__(self, "tags", read_tags("tags", self.tags))
        if not isinstance(self.metadata, Mapping):
            raise ValueError(f"metadata = {shown(self.metadata)}: must map keys to values")
        object.__setattr__(self, "metadata", dict(self.metadata))
        if self.ids is not None:
            ids = tuple(integer(f"ids[{i}]", x, minimum=1) for i, x in enumerate(sequence("ids", self.ids, "numbers")))
            object.__setattr__(self, "ids", ids)

    def sql(self) -> tuple[str, list[Any]]:
        """The conditions on the time, as SQL with its parameters."""
        parts, parameters = ["1"], []
        for name, sign in (("after", ">="), ("before", "<")):
            if getattr(self, name) is not None:
                parts.append(f"time {sign} ?")
                parameters.append(getattr(self, name))
        return " AND ".join(parts), parameters

    @property
    def in_sql_alone(self) -> bool:
        """Whether :meth:`holds` has nothing left to check."""
        return self.hours is None and not self.tags and not self.metadata and self.ids is None

    def holds(self, time: float | None, tags: str, metadata: str) -> bool:
        """The conditions that :meth:`sql` leaves, on one sketch; tags and metadata as they are stored, in JSON."""
        if self.hours is not None:
            if time is None:
                return False
            hour, (low, high) = math.fmod(time, 86400.0) / 3600.0 % 24.0, self.hours
            if not (low <= hour < high if low <= high else hour >= low or hour < high):
                return False
        if self.tags and not set(self.tags) <= set(json.loads(tags)):
            return False
        if self.metadata:
            found = json.loads(metadata)
            return all(key in found and _same(found[key], value) for key, value in self.metadata.items())
        return True


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON values: ``True`` is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def as_selection(where: Any) -> Selection:
    """A selection, whatever is given: one, a mapping of its conditions, or ``None`` for everything."""
    if where is None:
        return Selection()
    if isinstance(where, Selection):
        return where
    if not isinstance(where, Mapping):
        raise ValueError(f"where = {shown(where)}: must be a Selection or a mapping of its conditions")
    known = [f.name for f in fields(Selection)]
    return Selection(**{choice("where", key, known): value for key, value in where.items()})
