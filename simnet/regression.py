"""The regression run: the quick grid of ``verify`` with fixed seeds, against the rows that were kept as the reference.

``verify`` asks whether the laws hold, within what chance allows; this asks whether anything moved at all.  With fixed seeds
every number is determined but for rounding: sums in BLAS and FFT are added up in another order on another processor, with
other vector instructions or by another number of threads.  :data:`TOLERANCE` leaves room for that and for nothing else.

Measured on the whole quick grid: one thread or two, one worker or two, differ by up to 2·10⁻¹⁵ of a value; kernels of BLAS
and of numpy for another kind of processor (no AVX2, no FMA) by up to 1·10⁻¹³, but for the error of rounding to ``float32``,
where a small difference of large numbers is measured, by 5·10⁻¹⁰.
"""

from __future__ import annotations

import builtins
import datetime
import io
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy

import simnet
from simnet.checks import real
from simnet.claims import CLAIMS
from simnet.claims.verdict import Row
from simnet.claims.verify import table
from simnet.files import written_whole

#: Where the reference is kept, seen from the top of the repository.
REFERENCE = Path("results/reference")
ROWS, LOG = "quick.csv", "LOG.md"

#: The seed of all trials.
SEED = 0

#: How far a number may move, relative to its size: rounding and nothing else.
TOLERANCE = 1e-8

#: What tells a row from all others, numbers that may round, and what must be the same.
KEY = ["property", "case", "quantity"]
ROUNDED = ["measured", "law", "ratio", "ratio_error", "bound"]
COUNTED = ["trials", "violations", "tries"]


@dataclass(frozen=True)
class Moved:
    """A number of a row that is not what it was.

    ``old`` is ``None`` for a row that is new, ``new`` for one that is missing.
    """

    property: str
    case: str
    quantity: str
    field: str
    old: Any
    new: Any

    @builtins.property  # the field of that name hides the decorator
    def difference(self) -> float:
        """Relative to the old value, where both are numbers."""
        if not (isinstance(self.old, float) and isinstance(self.new, float)):
            return math.nan
        return (self.new - self.old) / abs(self.old) if self.old else math.copysign(math.inf, self.new)


def reference_rows(rows: Sequence[Row]) -> pd.DataFrame:
    """What is kept of the rows of ``verify``."""
    return table(rows)[KEY + ROUNDED + COUNTED]


def read_reference(folder: str | os.PathLike[str] = REFERENCE) -> pd.DataFrame:
    """The rows of the reference.

    Raises
    ------
    OSError
        If there is none.
    ValueError
        If the file is not one.
    """
    path = Path(folder) / ROWS
    with open(path, "rb") as file:
        try:
            # as text first: pandas itself may read the last digit of a number differently
            rows = pd.read_csv(file, dtype=str, keep_default_na=False)[KEY + ROUNDED + COUNTED]
            if rows.empty:
                raise ValueError("it has no rows")
            return rows.replace({name: {"": "nan"} for name in ROUNDED}).astype(
                dict.fromkeys(ROUNDED, "float64") | dict.fromkeys(COUNTED, "int64")
            )
        except (ValueError, KeyError, OverflowError) as error:
            raise ValueError(f"{path}: not a reference of `simnet regress`: {' '.join(str(error).split())}") from None


def compare(old: pd.DataFrame, new: pd.DataFrame, tolerance: float = TOLERANCE) -> list[Moved]:
    """Everything that moved by more than the tolerance, row by row; then the rows that are missing and those that are new.

    A number moved if it differs by more than ``tolerance`` times the larger of the two.  Ratios to a law and their errors
    are compared on the scale of the law, on which 1 is the law: a law of 0 has a scale of its own there, and so a measured
    value is compared through its ratio where its law is 0.

    Raises
    ------
    ValueError
        If the tolerance is negative.
    """
    real("tolerance", tolerance, minimum=0.0)
    before, after = _by_key(old), _by_key(new)
    moved = []
    for key, was in before.items():
        if key not in after:
            moved.append(Moved(*key, "row", "there", None))
            continue
        now = after[key]
        moved += [Moved(*key, name, was[name], now[name]) for name in ROUNDED if _differs(name, was, now, tolerance)]
        moved += [Moved(*key, name, was[name], now[name]) for name in COUNTED if was[name] != now[name]]
    return moved + [Moved(*key, "row", None, "there") for key in after if key not in before]


def _by_key(rows: pd.DataFrame) -> dict[tuple[str, str, str], dict[Any, Any]]:
    records: dict[tuple[str, str, str], dict[Any, Any]] = {}
    for record in rows.to_dict("records"):
        records[record["property"], record["case"], record["quantity"]] = record
    return records


def _differs(name: str, was: dict[Any, Any], now: dict[Any, Any], tolerance: float) -> bool:
    a, b = was[name], now[name]
    if not (math.isfinite(a) and math.isfinite(b)):
        return a != b and not (math.isnan(a) and math.isnan(b))
    if a == b or (name == "measured" and was["law"] == now["law"] == 0.0):
        return False
    scale = max(abs(a), abs(b))
    if name in ("ratio", "ratio_error"):
        scale = max(scale, 1.0)
    return bool(abs(a - b) > tolerance * scale)


def update(
    rows: pd.DataFrame,
    reason: str,
    folder: str | os.PathLike[str] = REFERENCE,
    *,
    properties: Sequence[str] | None = None,
) -> list[Moved]:
    """Take the rows as the new reference, and write down why.

    Parameters
    ----------
    rows : DataFrame
        As :func:`reference_rows` returns them.
    reason : str
        Goes into the log, with the date, the version, the commit and how much moved.
    folder : path
    properties : sequence of str, optional
        The rows are of these properties alone: all others of the reference stay as they are.

    Returns
    -------
    list of Moved
        Against the old reference; everything is new where there was none.

    Raises
    ------
    ValueError
        If there is no reason, or nothing to keep where only some properties are given.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise ValueError("reason = '': must say why the reference changes")
    folder = Path(folder)
    old = read_reference(folder) if (folder / ROWS).exists() else rows.iloc[:0]
    replaced = old if properties is None else old[old["property"].isin(properties)]
    moved = compare(replaced, rows)
    parts = [part for part in (old.drop(replaced.index), rows) if len(part)]
    place = {name: i for i, name in enumerate(CLAIMS)}
    rows = pd.concat(parts).sort_values("property", key=lambda names: names.map(place), kind="stable")
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    rows.to_csv(text, index=False, lineterminator="\n")  # pandas writes the shortest digits that are read back the same
    with written_whole(folder / ROWS) as file:
        file.write(text.getvalue().encode())
    log = folder / LOG
    history = log.read_text(encoding="utf-8") if log.exists() else HEAD
    with written_whole(log) as file:
        file.write((history + entry(reason, moved, len(rows), properties)).encode())
    return moved


HEAD = """# The reference, and why it changed

`quick.csv` holds the rows of `simnet verify --quick` that `simnet regress` compares with. Each entry says when it was
written, by which version after which commit, on what, and why.
"""


def entry(reason: str, moved: Sequence[Moved], rows: int, properties: Sequence[str] | None) -> str:
    """A paragraph of the log."""
    count = {
        "new": sum(m.old is None for m in moved),
        "missing": sum(m.new is None for m in moved),
        "moved": len({(m.property, m.case, m.quantity) for m in moved if m.old is not None and m.new is not None}),
    }
    said = ", ".join(f"{number} {what}" for what, number in count.items() if number) or "none moved"
    which = "all properties" if properties is None else ", ".join(properties)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"\n## {date}, version {simnet.__version__}, {commit()}\n\n{reason}\n\n"
        f"- {which}: {said}; {rows} rows in all\n"
        f"- numpy {np.__version__}, scipy {scipy.__version__}, Python {platform.python_version()}, {platform.machine()}\n"
    )


def commit() -> str:
    """The commit that this software is at, and whether it has changes on top; ``"no commit"`` outside a repository."""
    folder = Path(simnet.__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        name, changes = git("rev-parse", "--short=12", "HEAD"), git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "no commit"
    return f"commit {name}" + (" with changes" if changes else "")
