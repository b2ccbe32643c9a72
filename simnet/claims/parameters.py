"""What a claim takes: names, defaults and what is allowed, so that a study can be checked before anything runs.

A claim declares ``parameters``, a mapping from names to :class:`Parameter`\\ s, or shorter to defaults:

* a name of :data:`COMMON` (``network``, ``matrices``, ``recipe``, ``sketch_dim``, …) keeps its meaning, with that default;
* a tuple of strings is a choice between them, the first by default;
* ``True`` or ``False``, an integer ``>= 0``, a number or a text say their own kind.

A parameter whose default is ``None`` may be left out, and is then not handed to the claim.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simnet.checks import MOST, choice, integer, real, sequence, shown
from simnet.matrices import FAMILIES, MatrixFamily, read_family
from simnet.matrices.base import DTYPES
from simnet.networks import NETWORKS, ModularNetwork
from simnet.recipes import RECIPES, Recipe, read_recipe


@dataclass(frozen=True)
class Parameter(ABC):
    """A default, and what is allowed."""

    default: Any

    @abstractmethod
    def check(self, field: str, value: Any) -> None:
        """A ``ValueError`` with one line for each mistake in ``value``."""


@dataclass(frozen=True)
class Integer(Parameter):
    """An integer in ``[minimum, maximum]``."""

    minimum: int = 0
    maximum: int | None = MOST

    def check(self, field: str, value: Any) -> None:
        integer(field, value, minimum=self.minimum, maximum=self.maximum)


@dataclass(frozen=True)
class Real(Parameter):
    """A number in ``[minimum, maximum]``."""

    minimum: float = -math.inf
    maximum: float = math.inf

    def check(self, field: str, value: Any) -> None:
        real(field, value, minimum=self.minimum, maximum=self.maximum)


@dataclass(frozen=True)
class Fraction(Parameter):
    """A number in ``(0, 1]``."""

    def check(self, field: str, value: Any) -> None:
        if real(field, value, minimum=0.0, maximum=1.0) == 0.0:
            raise ValueError(f"{field} = {shown(value)}: must be positive")


@dataclass(frozen=True)
class Flag(Parameter):
    """True or false."""

    def check(self, field: str, value: Any) -> None:
        if not isinstance(value, bool):
            raise ValueError(f"{field} = {shown(value)}: must be true or false")


@dataclass(frozen=True)
class Text(Parameter):
    """Any text."""

    def check(self, field: str, value: Any) -> None:
        if not isinstance(value, str):
            raise ValueError(f"{field} = {shown(value)}: must be a text")


@dataclass(frozen=True)
class Choice(Parameter):
    """One of some names."""

    options: tuple[str, ...] = ()

    def check(self, field: str, value: Any) -> None:
        choice(field, value, self.options)


@dataclass(frozen=True)
class Names(Parameter):
    """A list of some names."""

    options: tuple[str, ...] = ()

    def check(self, field: str, value: Any) -> None:
        for i, name in enumerate(sequence(field, value, "names")):
            choice(f"{field}[{i}]", name, self.options)


@dataclass(frozen=True)
class Parts(Parameter):
    """Ways to truncate: a list of pairs ``["prefix" or "random", kept coordinates]``."""

    def check(self, field: str, value: Any) -> None:
        for i, part in enumerate(sequence(field, value, 'pairs like ["prefix", 256]')):
            pair = sequence(f"{field}[{i}]", part, 'two things like ["prefix", 256]')
            if len(pair) != 2:
                raise ValueError(f'{field}[{i}] = {shown(part)}: must be a pair like ["prefix", 256]')
            choice(f"{field}[{i}][0]", pair[0], ("prefix", "random"))
            integer(f"{field}[{i}][1]", pair[1], minimum=1)


@dataclass(frozen=True)
class Matrices(Parameter):
    """A matrix family by name, or as a table ``{family = "block", density = 0.25}``."""

    def check(self, field: str, value: Any) -> None:
        if isinstance(value, Mapping):
            _check_table(field, value, FAMILIES)
        else:
            choice(field, value, FAMILIES)


@dataclass(frozen=True)
class NetworkFamily(Parameter):
    """A network family as a table ``{family = "tree", height = 3}``."""

    def check(self, field: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ValueError(f'{field} = {shown(value)}: must be a table like {{family = "tree", height = 3}}')
        _check_table(field, value, NETWORKS, lambda **options: network_of({"network": {**value, **options}}))


@dataclass(frozen=True)
class RecipeConstants(Parameter):
    """A recipe by name, or a table of its six constants."""

    def check(self, field: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            choice(field, value, RECIPES)
            return
        names = [constant.name for constant in dataclasses.fields(Recipe)]
        _check_options(f"constant of {field}", value, names)
        _construct(field, Recipe, value)


def _check_options(field: str, given: Iterable[str], known: Iterable[str]) -> None:
    """One line for each name that is not known."""
    mistakes = []
    for name in given:
        try:
            choice(field, name, known)
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError("\n".join(mistakes))


def _check_table(
    field: str, value: Mapping[str, Any], families: Mapping[str, Callable[..., Any]], make: Callable[..., Any] | None = None
) -> None:
    """A family and its options: names by the signature, values by making one, with ``make`` if it is given."""
    options = dict(value)
    family = families[choice(f"{field}.family", options.pop("family", None), families)]
    _check_options(f"option of {field} {value['family']!r}", options, inspect.signature(family).parameters)
    _construct(field, make or family, options)


def _construct(field: str, make: Callable[..., Any], options: Mapping[str, Any]) -> None:
    try:
        make(**options)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{field}.{' '.join(str(error).split())}") from error


@lru_cache(maxsize=64)
def _network(key: str) -> ModularNetwork:
    options = json.loads(key)
    return NETWORKS[options.pop("family")](**options)


def network_of(parameters: Mapping[str, Any]) -> ModularNetwork:
    """The network that ``parameters["network"]`` describes: the name of a family and its options."""
    return _network(json.dumps(parameters["network"]))


def family_of(parameters: Mapping[str, Any]) -> MatrixFamily:
    """The matrix family that ``parameters["matrices"]`` describes: a name, or a table of a family and its options."""
    return read_family(parameters["matrices"])


def recipe_of(parameters: Mapping[str, Any]) -> Recipe:
    """The recipe that ``parameters["recipe"]`` describes; the paper's where it is not given."""
    return read_recipe(parameters.get("recipe", "recursive"))


#: Parameters that mean the same wherever a claim takes them.
COMMON: Mapping[str, Parameter] = {
    "network": NetworkFamily({"family": "layered"}),
    "runs": Integer(1, minimum=1),
    "run_seed": Integer(1, maximum=None),
    "weight_jitter": Real(0.0, minimum=0.0, maximum=1.0),
    "sketch_dim": Integer(1024, minimum=1),
    "matrices": Matrices("trig"),
    "recipe": RecipeConstants("recursive"),
    "dtype": Choice("float64", DTYPES),
    "kept": Fraction(1.0),
    "erasure": Choice("prefix", ("prefix", "random")),
    "parts": Parts(None),
}


def common(**defaults: Any) -> dict[str, Parameter]:
    """Parameters of :data:`COMMON` with defaults of a claim's own."""
    return {name: dataclasses.replace(COMMON[name], default=value) for name, value in defaults.items()}


def as_parameter(name: str, value: Any) -> Parameter:
    """A parameter from the short form, its default."""
    match value:
        case Parameter():
            return value
        case _ if name in COMMON:
            return dataclasses.replace(COMMON[name], default=value)
        case bool():
            return Flag(value)
        case int():
            return Integer(value)
        case float():
            return Real(value)
        case str():
            return Text(value)
        case tuple() | list() if value and all(isinstance(option, str) for option in value):
            return Choice(value[0], tuple(value))
    raise ValueError(f"parameters[{name!r}] = {shown(value)}: must be a Parameter, a default or a tuple of names")
