"""From the outcomes of trials to tables: every trial and quantity a row, and a summary of every point and quantity.

A results folder holds ``study.toml`` (the study as it was), ``provenance.json``, ``trials.parquet`` and ``trials.csv``,
``times.csv`` (the seconds of each trial, which no two runs have in common: all else is the same, byte for byte), and
``summary.csv``, ``.md`` and ``.tex``.  They are plain data: :func:`read_results` runs no code that it finds there.
"""

from __future__ import annotations

import functools
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simnet.claims import Case, Sample
from simnet.claims.base import Array
from simnet.claims.verdict import judge
from simnet.files import written_whole
from simnet.randomness import stream
from simnet.study import papers
from simnet.study.study import HEAD, MEASURED, SUMMARY, Study, read_study
from simnet.study.trial import OK, Outcome, Trial

#: Integers, even where a failed trial leaves them empty; and numbers, even where they happen to be whole.
COUNTS = ("violations", "tries", "allowed_violations")
FLOATS = ("seconds", *MEASURED[1:5], *MEASURED[7:], *SUMMARY[3:11])

LEVEL = 0.95
RESAMPLES = 999


@dataclass(frozen=True)
class Results:
    """A study and what came out.

    Attributes
    ----------
    study : Study
    trials : DataFrame
        One row a trial and quantity: ``claim, point, trial, seed, status, error, seconds``, the parameters, the sample.
    summary : DataFrame
        One row a point and quantity.
    provenance : dict
    """

    study: Study
    trials: pd.DataFrame
    summary: pd.DataFrame
    provenance: Mapping[str, Any]

    @property
    def varying(self) -> tuple[str, ...]:
        """The parameters that are not the same at every point: the first columns of the summary."""
        return tuple(self.summary.columns[: self.summary.columns.get_loc("quantity")])

    @property
    def unexpected(self) -> pd.DataFrame:
        """The rows that are not as they should be: a law that fails, a defect with which all rows hold, failed trials."""
        s = self.summary
        holds = s.holds.fillna(True).astype(bool)
        noticed = ~holds.groupby(s.get("defect", s.expected)).transform("all")
        return s[(s.failed > 0) | np.where(s.expected == "holds", ~holds, ~noticed)]


def tabulate(study: Study, outcomes: Sequence[tuple[Trial, Outcome]], provenance: Mapping[str, Any]) -> Results:
    """The tables of some outcomes, in the order in which they are given."""
    return Results(study, _trials(study, outcomes), _summary(study, outcomes), dict(provenance))


def _trials(study: Study, outcomes: Sequence[tuple[Trial, Outcome]]) -> pd.DataFrame:
    """Tidy rows; a trial that failed has one, without a quantity."""
    rows = []
    for trial, outcome in outcomes:
        head = {
            "claim": study.claim,
            "point": trial.point,
            "trial": trial.number,
            "seed": trial.seed,
            "status": outcome.status,
            "error": outcome.error,
            "seconds": outcome.seconds,
            **study.columns[trial.point],
        }
        rows += [head | {name: getattr(sample, name) for name in MEASURED} for sample in outcome.samples] or [head]
    names = [*HEAD, *dict.fromkeys(name for columns in study.columns for name in columns), *MEASURED]
    return _frame(rows, names)


def _summary(study: Study, outcomes: Sequence[tuple[Trial, Outcome]]) -> pd.DataFrame:
    """One row a point and quantity; a point of which nothing succeeded has one, without a quantity."""
    groups: dict[tuple[int, str], list[Sample]] = {}
    failed: dict[int, int] = {}
    for trial, outcome in outcomes:
        failed[trial.point] = failed.get(trial.point, 0) + (outcome.status != OK)
        for sample in outcome.samples:
            groups.setdefault((trial.point, sample.quantity), []).append(sample)
    judged = sum(not _nothing_to_judge(samples[0]) for samples in groups.values())
    measured_points = {point for point, _ in groups}
    rows = []
    for point in sorted(failed):
        columns = {name: study.columns[point].get(name) for name in study.varying}
        last = {"expected": "holds" if study.points[point].parameters["defect"] == "none" else "fails", "point": point}
        if point not in measured_points:
            rows.append({**columns, "quantity": "", "trials": 0, "failed": failed[point], "holds": False, **last})
        for (mine, quantity), samples in groups.items():
            if mine == point:
                share = study.failure_probability / max(judged, 1)
                row = _row(study, study.points[point].parameters, samples, share)
                rows.append(
                    {**columns, "quantity": quantity, "trials": len(samples), "failed": failed[point], **row, **last}
                )
    return _frame(rows, [*study.varying, *SUMMARY])


def _nothing_to_judge(sample: Sample) -> bool:
    """Whether a quantity has neither law nor bound: it is shown."""
    return math.isnan(sample.law) and math.isnan(sample.bound) and math.isnan(sample.zero_scale)


def _row(study: Study, parameters: Mapping[str, Any], samples: Sequence[Sample], share: float) -> dict[str, Any]:
    """The verdict on one quantity of one point, and the intervals of its mean and of its ratio to the law."""
    verdict = judge(study.source, Case("", parameters, len(samples)), samples, share)
    measured = np.array([sample.measured for sample in samples])
    law = np.array([sample.law for sample in samples])
    weights = _resamples(len(samples))
    means, zero = weights @ measured, samples[0].zero_scale
    low, high = _interval(means)
    ratios = means / (weights @ law) if math.isnan(zero) else 1.0 + means / zero
    ratio_low, ratio_high = _interval(ratios)
    return {
        "measured": verdict.measured,
        "measured_low": low,
        "measured_high": high,
        "law": verdict.law,
        "ratio": verdict.ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "bound": verdict.bound,
        "violations": verdict.violations,
        "tries": verdict.tries,
        "allowed_violations": verdict.allowed_violations,
        "holds": None if _nothing_to_judge(samples[0]) else verdict.holds,
    }


@functools.lru_cache(maxsize=8)
def _resamples(n: int) -> Array:
    """How often each of ``n`` trials is in each resample, over ``n``: always the same draw, so that tables are."""
    return stream(0, "bootstrap", n).multinomial(n, np.full(n, 1.0 / n), size=RESAMPLES) / n


def _interval(resampled: Array) -> tuple[float, float]:
    """The percentile interval of the bootstrap."""
    if not np.isfinite(resampled).all():
        return math.nan, math.nan
    low, high = np.quantile(resampled, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return float(low), float(high)


def _frame(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """A data frame with a kind for each column that does not depend on which rows there are yet."""
    return pd.DataFrame({name: _column(name, [row.get(name) for row in rows]) for name in names})


def _column(name: str, values: Sequence[Any]) -> Any:
    if name == "holds":
        return pd.array(values, dtype="boolean")
    present = [value for value in values if value is not None]
    if name in FLOATS:
        return np.array([math.nan if value is None else value for value in values], float)
    if name in COUNTS or (present and all(type(value) is int for value in present)):
        return pd.array(values, dtype="Int64" if len(present) < len(values) or name in COUNTS else "int64")
    if all(isinstance(value, bool) for value in present):
        return pd.array(values, dtype="boolean")
    if all(isinstance(value, (int, float)) for value in present):
        return np.array([math.nan if value is None else value for value in values], float)
    return pd.array([None if value is None else str(value) for value in values], dtype="str")


def write_results(results: Results, folder: Path) -> None:
    """All files of a results folder, each of them whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    lasting = results.trials.drop(columns="seconds")
    times = results.trials[["point", "trial", "seconds"]].drop_duplicates(["point", "trial"])
    files: dict[str, bytes] = {
        "study.toml": results.study.text.encode(),
        "provenance.json": (json.dumps(dict(results.provenance), indent=2, ensure_ascii=False) + "\n").encode(),
        "trials.csv": lasting.to_csv(index=False).encode(),
        "times.csv": times.to_csv(index=False, float_format="%.6f").encode(),
        "summary.csv": results.summary.to_csv(index=False, float_format="%.10g").encode(),
        "summary.md": papers.markdown(results.study.title, results.summary, results.varying).encode(),
        "summary.tex": papers.latex(results.study.title, results.summary, results.varying).encode(),
    }
    for name, content in files.items():
        with written_whole(folder / name) as file:
            file.write(content)
    with written_whole(folder / "trials.parquet") as file:
        lasting.to_parquet(file, index=False)


def read_results(folder: str | os.PathLike[str]) -> Results:
    """The results in a folder: tables, provenance and the study as it was.

    Nothing in the folder is run: the study is read, its claim is not loaded unless ``results.study.points`` is asked for.
    ``trials`` is empty where the folder has none, and its ``seconds`` are NaN without ``times.csv``.

    Raises
    ------
    ValueError
        If a file is missing or damaged.

    Examples
    --------
    >>> from simnet.study import read_results
    >>> results = read_results("results/similarity")
    >>> results.study.claim, bool(results.unexpected.empty)
    ('similarity', True)
    """
    folder = Path(folder)
    if not (folder / "summary.csv").is_file():
        raise ValueError(f"{folder}: holds no results, there is no summary.csv; `simnet sweep` makes them")
    try:
        study, _ = read_study(folder / "study.toml")
        trials = pd.read_parquet(folder / "trials.parquet") if (folder / "trials.parquet").is_file() else pd.DataFrame()
        kinds: Any = {"holds": "boolean", "quantity": "str", **dict.fromkeys(COUNTS, "Int64")}
        summary = pd.read_csv(folder / "summary.csv", dtype=kinds)
        facts = json.loads((folder / "provenance.json").read_text())
        if missing := set(SUMMARY) - set(summary.columns):
            raise ValueError(f"summary.csv has no columns {', '.join(sorted(missing))}")
        if (folder / "times.csv").is_file() and len(trials):
            trials = trials.merge(pd.read_csv(folder / "times.csv"), on=["point", "trial"], how="left")
        else:
            trials = trials.assign(seconds=math.nan)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: cannot be read ({' '.join(str(error).split())})") from error
    return Results(study, trials, summary, facts)
