"""What a study is: one claim over a grid of parameters, described by a TOML file and checked before anything runs.

.. code-block:: toml

    title = "Attribute recovery against sketch size"
    question = "Does the matched decoder err by what Law 1 says?"
    claim = "attribute_recovery"      # or a class of a file beside this one: "my_law.py:MyClaim"
    trials = 20
    seed = 0
    failure_probability = 0.001       # of the whole table, if the law holds
    timeout = 60                      # seconds a trial; may be left out

    [parameters]                      # the same at every point
    network = {family = "tree", height = 3}

    [grid]                            # every combination
    matrices = ["trig", "gaussian"]
    sketch_dim = {powers_of_two = [8, 12]}
    network.branching = [1, 2]        # into a table

    [[zip]]                           # lists that vary together
    label = ["paper", "no marks"]
    recipe = ["recursive", {presence_share = 0.0}]

    [[figure]]
    x = "sketch_dim"
    quantity = "MSE, depth *"         # a pattern, or a list of them
    series = "quantity"               # one colour each
    panel = "matrices"                # one panel each
    x_scale = "log2"
    y_scale = "log"

Every claim takes two parameters besides its own: ``label``, a text for tables and figures, and ``defect``, the name of a
planted defect (``simnet.testing.DEFECTS``).  Points with one are negative controls: a row of theirs must fail.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from simnet.checks import choice, integer, probability, real, sequence, shown
from simnet.claims import Claim, Sample
from simnet.claims.loading import find_claim
from simnet.claims.parameters import Choice, Parameter, Text
from simnet.limits import TimeIsUp, at_most, within
from simnet.randomness import stream
from simnet.testing import DEFECTS

#: Taken by every claim.
ALWAYS: Mapping[str, Parameter] = {"label": Text(None), "defect": Choice("none", ("none", *DEFECTS))}

#: Columns of the trials before the parameters, and after them: from :class:`simnet.claims.Sample`.
HEAD = ("claim", "point", "trial", "seed", "status", "error", "seconds")
MEASURED = tuple(entry.name for entry in dataclasses.fields(Sample))

#: Columns of the summary after the parameters.
SUMMARY = (
    "quantity", "trials", "failed", "measured", "measured_low", "measured_high", "law", "ratio", "ratio_low", "ratio_high",
    "bound", "violations", "tries", "allowed_violations", "holds", "expected", "point",
)  # fmt: skip

RESERVED = frozenset((*HEAD, *MEASURED, *SUMMARY))

#: To check a study, its networks are made: no more memory than this is taken for it, whatever the file says.
CHECK_BYTES = 1 << 31

#: To check a study takes no longer: a file may ask for a network of so many modules that it would never end.
CHECK_SECONDS = 300.0

#: Of one point.
MOST_TRIALS = 1_000_000

SCALES = ("linear", "log", "log2")


class StudyError(ValueError):
    """All mistakes in the description of a study, one line each."""

    def __init__(self, source: str, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(f"{source}: {mistake}" for mistake in dict.fromkeys(mistakes))
        super().__init__("\n".join(self.mistakes))


class Mistakes(list[str]):
    """Collects mistakes, so that all of them can be told at once."""

    def catch(self, check: Callable[..., Any], *arguments: Any, otherwise: Any = None, **options: Any) -> Any:
        """What ``check`` returns, or ``otherwise`` if it finds a mistake."""
        try:
            return check(*arguments, **options)
        except ValueError as error:
            self.extend(str(error).splitlines())
            return otherwise


@dataclass(frozen=True)
class FigureSpec:
    """One figure of a study: what is drawn against what."""

    x: str
    quantity: tuple[str, ...]
    series: tuple[str, ...] = ("quantity",)
    panel: str | None = None
    y: str = "measured"
    x_scale: str = "linear"
    y_scale: str = "linear"
    x_label: str = ""
    y_label: str = ""
    caption: str = ""


class Point(NamedTuple):
    """One setting of the grid.

    Attributes
    ----------
    parameters : dict
        All parameters of the claim, defaults filled in.
    name : str
        What is not at its default, as JSON: the seeds of a point come from it.
    """

    parameters: dict[str, Any]
    name: str


@dataclass(frozen=True)
class Study:
    """A claim, a grid, trials and figures; see :mod:`simnet.study.study` for the file."""

    name: str
    folder: Path
    text: str
    title: str
    question: str
    claim: str
    trials: int
    seed: int = 0
    failure_probability: float = 0.001
    timeout: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    zips: tuple[Mapping[str, tuple[Any, ...]], ...] = ()
    figures: tuple[FigureSpec, ...] = ()

    def settings(self) -> Iterator[dict[str, Any]]:
        """The parameters of each point as the file gives them: every combination, the last list fastest."""
        axes = [[{name: value} for value in values] for name, values in self.grid.items()]
        axes += [
            [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)] for table in self.zips
        ]
        for combination in itertools.product(*axes):
            parameters = copy.deepcopy(dict(self.parameters))
            for part in combination:
                for name, value in part.items():
                    _put(parameters, name, value)
            yield parameters

    @cached_property
    def source(self) -> Claim:
        """Its claim; a claim from a file is code that runs here."""
        return find_claim(self.claim, self.folder)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """All points of the grid, defaults filled in."""
        defaults = {name: p.default for name, p in {**self.source.declared(), **ALWAYS}.items()}
        points = []
        for given in self.settings():
            chosen = {name: value for name, value in given.items() if value != defaults[name] and name != "label"}
            full = {name: value for name, value in {**defaults, **given}.items() if value is not None}
            points.append(Point(full, canonical(chosen)))
        return tuple(points)

    @cached_property
    def columns(self) -> tuple[dict[str, Any], ...]:
        """The parameters of each point as columns."""
        return tuple(flattened(point.parameters) for point in self.points)

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The columns that are not the same at every point: the label first, then in the order of the file."""
        names = dict.fromkeys(name for row in self.columns for name in row)
        order = ["label", *(name for axes in (self.grid, *self.zips) for name in axes)]

        def place(name: str) -> int:
            return min(i for i, axis in enumerate(order) if name == axis or name.startswith(f"{axis}."))

        changing = [name for name in names if len({repr(row.get(name)) for row in self.columns}) > 1]
        return tuple(sorted(changing, key=place))

    def trial_seed(self, point: Point, trial: int) -> int:
        """The seed of one trial: from names, so that no other point, trial or order changes it."""
        return int(stream(self.seed, "study", self.source.name, point.name, trial).integers(1 << 62))


def canonical(value: Any) -> str:
    """JSON that is the same for what is the same."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _put(parameters: dict[str, Any], name: str, value: Any) -> None:
    """Set ``parameters["network"]["height"]`` for ``"network.height"``."""
    *path, last = name.split(".")
    for i, key in enumerate(path):
        parameters = parameters.setdefault(key, {})
        if not isinstance(parameters, dict):
            raise ValueError(f"{name}: {'.'.join(path[: i + 1])} = {shown(parameters)} is not a table")
    parameters[last] = copy.deepcopy(value)


def load_study(path: str | os.PathLike[str]) -> Study:
    """The study that a TOML file describes, checked in every part.

    Raises
    ------
    StudyError
        A ``ValueError`` with one line for each mistake.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from simnet.study import load_study
    >>> study = load_study("experiments/similarity.toml")
    >>> study.claim, len(study.points) * study.trials
    ('similarity', 4000)
    """
    study, mistakes = read_study(path)
    claim = mistakes.catch(find_claim, study.claim, study.folder) if study.claim else None
    if claim is not None:
        try:
            with at_most(CHECK_BYTES), within(CHECK_SECONDS):
                _check_points(study, claim, mistakes)
        except MemoryError:
            mistakes.append(f"parameters: a network of this study takes more than {CHECK_BYTES >> 30} GB")
        except TimeIsUp:
            mistakes.append(f"parameters: the networks of this study take more than {CHECK_SECONDS:g} s to make")
    if mistakes:
        raise StudyError(os.fspath(path), mistakes)
    return study


def read_study(path: str | os.PathLike[str]) -> tuple[Study, Mistakes]:
    """The study as it is written, and the mistakes that show without its claim; no code of a user's is run."""
    path, mistakes = Path(path), Mistakes()
    text = path.read_bytes().decode("utf-8", errors="replace")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise StudyError(str(path), [f"is not TOML: {error}"]) from error
    known = [f.name for f in dataclasses.fields(Study) if f.name not in ("name", "folder", "text", "zips", "figures")]
    for key in table:
        mistakes.catch(choice, "key", key, [*known, "zip", "figure"])
    for key in ("title", "question", "claim"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            mistakes.append(f"{key} = {shown(table.get(key, 'missing'))}: must be a text")
    axes = _read_grid(table.get("grid", {}), mistakes)
    zips = tuple(_read_zip(i, entry, mistakes) for i, entry in enumerate(_tables("zip", table, mistakes)))
    names = [*axes, *(name for entry in zips for name in entry)]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        mistakes.append(f"{name}: varies in [grid] or [[zip]] twice")
    parameters = table.get("parameters", {})
    if not isinstance(parameters, dict):
        mistakes.append(f"parameters = {shown(parameters)}: must be a table")
        parameters = {}
    timeout = table.get("timeout")
    claim = table.get("claim")
    study = Study(
        name=path.stem if path.name != "study.toml" else path.resolve().parent.name,
        folder=path.resolve().parent,
        text=text,
        title=str(table.get("title", "")),
        question=str(table.get("question", "")),
        claim=claim if isinstance(claim, str) else "",
        trials=mistakes.catch(integer, "trials", table.get("trials"), minimum=1, maximum=MOST_TRIALS, otherwise=1),
        seed=mistakes.catch(integer, "seed", table.get("seed", 0), maximum=None, otherwise=0),
        failure_probability=mistakes.catch(
            probability, "failure_probability", table.get("failure_probability", 0.001), otherwise=0.001
        ),
        timeout=None if timeout is None else mistakes.catch(check_timeout, timeout),
        parameters=parameters,
        grid=axes,
        zips=zips,
        figures=tuple(
            spec
            for i, entry in enumerate(_tables("figure", table, mistakes))
            if (spec := _read_figure(i, entry, mistakes)) is not None
        ),
    )
    return study, mistakes


def check_timeout(value: Any) -> float:
    """A number of seconds."""
    return real("timeout", value, minimum=0.001, maximum=1e6)


def _tables(key: str, table: Mapping[str, Any], mistakes: Mistakes) -> list[dict[str, Any]]:
    """The tables ``[[key]]``."""
    entries = table.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        mistakes.append(f"{key}: must be tables, each under [[{key}]]")
        return []
    return entries


def _read_grid(table: Any, mistakes: Mistakes, prefix: str = "") -> dict[str, tuple[Any, ...]]:
    """Lists, ranges in powers of two, and tables of them."""
    if not isinstance(table, dict):
        mistakes.append(f"grid = {shown(table)}: must be a table")
        return {}
    axes: dict[str, tuple[Any, ...]] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "powers_of_two" not in value:
            axes |= _read_grid(value, mistakes, f"{name}.")
        else:
            axes[name] = mistakes.catch(_values, f"grid.{name}", value, otherwise=())
    return axes


def _values(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, dict):
        ends = sequence(f"{name}.powers_of_two", value["powers_of_two"], "two exponents")
        if len(value) > 1 or len(ends) != 2:
            raise ValueError(f"{name} = {shown(value)}: must be like {{powers_of_two = [8, 12]}}")
        low = integer(f"{name}.powers_of_two[0]", ends[0], maximum=53)
        high = integer(f"{name}.powers_of_two[1]", ends[1], minimum=low, maximum=53)
        return tuple(2**k for k in range(low, high + 1))
    if not isinstance(value, list) or not value:
        raise ValueError(
            f"{name} = {shown(value)}: must be a list that is not empty, or like {{powers_of_two = [8, 12]}}; what does not "
            f"vary belongs into [parameters]"
        )
    return tuple(value)


def _read_zip(i: int, entry: Mapping[str, Any], mistakes: Mistakes) -> dict[str, tuple[Any, ...]]:
    """Lists of one length."""
    own = Mistakes()
    lists = {name: values for name, values in _read_grid(entry, own).items() if values}
    mistakes.extend(mistake.replace("grid.", f"zip[{i}].", 1) for mistake in own)
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        mistakes.append(f"zip[{i}]: lists vary together and must be of one length, not {lengths}")
        return {}
    return lists


def _read_figure(i: int, entry: Mapping[str, Any], mistakes: Mistakes) -> FigureSpec | None:
    """A figure; names of parameters are checked against the claim later."""
    known, before = [f.name for f in dataclasses.fields(FigureSpec)], len(mistakes)
    for key in entry:
        mistakes.catch(choice, f"key in figure[{i}]", key, known)
    for key in ("x", "quantity"):
        if key not in entry:
            mistakes.append(f"figure[{i}].{key}: is missing")
    options: dict[str, Any] = {key: value for key, value in entry.items() if key in known}
    for key in ("quantity", "series"):
        if key in options:
            value = options[key]
            entries = (value,) if isinstance(value, str) else mistakes.catch(sequence, f"figure[{i}].{key}", value, "texts")
            options[key] = entries or ()
    for key, value in options.items():
        for text in value if isinstance(value, tuple) else (value,):
            if not isinstance(text, str):
                mistakes.append(f"figure[{i}].{key} = {shown(text)}: must be a text")
    for key, allowed in (("y", ("measured", "ratio")), ("x_scale", SCALES), ("y_scale", SCALES)):
        if key in options:
            mistakes.catch(choice, f"figure[{i}].{key}", options[key], allowed)
    return FigureSpec(**options) if len(mistakes) == before else None


def _check_points(study: Study, claim: Claim, mistakes: Mistakes) -> None:
    """Every name, every value of every parameter, and every point as a whole."""
    declared = mistakes.catch(claim.declared, otherwise={}) | dict(ALWAYS)
    before = len(mistakes)
    given = [*study.parameters, *study.grid, *(name for entry in study.zips for name in entry)]
    for name in RESERVED.intersection(declared):
        mistakes.append(f"claim {study.claim!r}: a parameter cannot be called {name!r}, which is a column of the tables")
    for name in given:
        mistakes.catch(choice, f"parameter of claim {study.claim!r}", name.split(".")[0], declared)
    if len(mistakes) > before:
        return
    settings = mistakes.catch(lambda: list(study.settings()), otherwise=[])
    checked: set[str] = set()
    for setting in settings:
        for name, value in setting.items():
            if (key := canonical([name, value])) not in checked:
                checked.add(key)
                mistakes.catch(declared[name].check, name, value)
    if len(mistakes) > before:
        return
    for point in study.points:
        if point.name not in checked:
            checked.add(point.name)
            mistakes.catch(claim.check, point.parameters)
    columns = list(dict.fromkeys(column for point in study.points for column in flattened(point.parameters)))
    for i, figure in enumerate(study.figures):
        mistakes.catch(choice, f"figure[{i}].x", figure.x, columns)
        for name in (*figure.series, *([] if figure.panel is None else [figure.panel])):
            mistakes.catch(choice, f"figure[{i}], series or panel", name, [*columns, "quantity"])


def flattened(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Tables become columns with dots in their names; lists become text."""
    columns: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            columns |= flattened(value, f"{prefix}{name}.")
        else:
            columns[f"{prefix}{name}"] = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, tuple)) else value
    return columns
