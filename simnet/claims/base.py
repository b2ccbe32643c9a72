"""What a claim is: one property, the cases it is tried on, one trial, and the law beside each measurement.

A trial draws one sketcher and returns :class:`Sample`\\ s; over the trials of a case the samples of one quantity become a
row with a verdict (``simnet.claims.verdict``).  A trial takes the class of its sketcher as an argument, so that a planted
defect can stand in its place and the suite be shown to reject it.

To add a claim, write one file with a :class:`Claim` and list it in ``simnet/claims/__init__.py``.  A study can
also name a file of its own (``simnet.study``).
"""

from __future__ import annotations

import functools
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simnet.claims.parameters import Parameter, as_parameter, family_of, network_of, recipe_of
from simnet.networks import Executions, ModularNetwork
from simnet.randomness import stream
from simnet.sketcher import Sketcher

Array = NDArray[Any]


@dataclass(frozen=True)
class Sample:
    """What one trial measured of one quantity.

    Attributes
    ----------
    quantity : str
    measured : float
        The mean of it over the trials is compared with the mean of ``law``.
    law : float
        NaN where there is none: the quantity is then shown, and judged by its bound alone.
    slack : float
        How far the law itself may be off, relative to it: 0 where it is exact, the stated ``O(1/d)`` where it is not.
    bound, violations, tries : float, int, int
        A bound that may be violated with ``failure_probability``, how often it was, of how many independent tries.
    failure_probability : float
    zero_scale : float
        For a law of 0: the scale that deviations are expressed in.
    window : float
        For coverage: the deviation that is acceptable, in place of one from a failure probability.
    """

    quantity: str
    measured: float
    law: float
    slack: float = 0.0
    bound: float = float("nan")
    violations: int = 0
    tries: int = 0
    failure_probability: float = float("nan")
    zero_scale: float = float("nan")
    window: float = float("nan")


@dataclass(frozen=True)
class Case:
    """One setting of a claim: what the table calls it, its parameters, how many trials, how many to a task."""

    label: str
    parameters: Mapping[str, Any]
    trials: int
    batch: int = 20


class Claim(ABC):
    """A property, with the law or bound that it is held against.

    Attributes
    ----------
    name, title : str
        What commands and studies call it, and a few words for a table.
    statement, formula : str
        What it says, in a sentence or two, and the law in symbols, with ``_j`` and ``^{n−1}`` for what is lowered or raised.
    bound_label : str
        What a figure calls the lines of :meth:`bound_lines`.
    parameters : mapping from str to Parameter
        What it takes, with defaults (``simnet.claims.parameters``): a study is checked against it before anything runs.
    version : int
        Raised when a trial gives other numbers than before: studies then compute their trials anew.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    statement: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    bound_label: ClassVar[str] = "bound"
    parameters: ClassVar[Mapping[str, Any]] = {}
    version: ClassVar[int] = 1

    def cases(self, *, quick: bool) -> Sequence[Case]:
        """The grid of ``verify``: ``quick`` for seconds, otherwise with trials for most ratios that are 8 % off."""
        return ()

    @abstractmethod
    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        """Draw the matrices of one seed and measure."""

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        """What all trials of a case share: the network, its runs and their laws; made once a process."""
        return None

    @classmethod
    def bound_lines(cls, law: Array, bound: Array) -> Sequence[Array]:
        """Where the bound lies on an axis that shows the measured quantity; it may be on a deviation from it, or a root."""
        return (bound,)

    def check(self, parameters: Mapping[str, Any]) -> None:
        """A ``ValueError`` if parameters that are right one by one do not go together."""
        if {"network", "sketch_dim", "matrices"} <= parameters.keys():
            make_sketcher(network_of(parameters), parameters, 0, Sketcher)

    def declared(self) -> dict[str, Parameter]:
        """Its parameters, short forms written out."""
        return {name: as_parameter(name, value) for name, value in self.parameters.items()}


@functools.lru_cache(maxsize=256)
def _prepared(claim: Claim, key: str) -> Any:
    return claim.prepare(json.loads(key))


def prepared(claim: Claim, parameters: Mapping[str, Any]) -> Any:
    """:meth:`Claim.prepare`, kept for the next trial of the case in this process."""
    return _prepared(claim, json.dumps(parameters, sort_keys=True))


def runs_of(network: ModularNetwork, parameters: Mapping[str, Any]) -> Executions:
    """The runs that ``parameters`` describe: ``runs``, ``run_seed`` and ``weight_jitter``."""
    return network.run(parameters["runs"], parameters.get("run_seed", 1), weight_jitter=parameters.get("weight_jitter", 0.0))


#: A recipe by name, or its constants: what a case can say in JSON.  ``balanced`` keeps norms and shares them equally, so
#: that what is wrong far below the top shows at the top.
BALANCED = dict.fromkeys(
    ("identity", "mixing", "attribute_share", "input_share", "value_share", "presence_share"), math.sqrt(0.5)
)


def make_sketcher(network: ModularNetwork, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sketcher:
    """The sketcher that ``parameters`` describe: ``sketch_dim``, ``matrices``, ``recipe``, ``dtype``."""
    return sketcher(
        network,
        parameters["sketch_dim"],
        family_of(parameters),
        recipe=recipe_of(parameters),
        seed=seed,
        dtype=parameters.get("dtype", "float64"),
    )


def erasure(kind: str, sketch_dim: int, kept: int, seed: int) -> Array | None:
    """A mask of what is missing: all but a random ``kept`` coordinates, or ``None`` for a prefix."""
    if kind == "prefix" or kept == sketch_dim:
        return None
    mask = np.ones(sketch_dim, dtype=bool)
    mask[stream(seed, "erasure").permutation(sketch_dim)[:kept]] = False
    return mask


def reduced(sketches: Array, kind: str, kept: int, seed: int) -> tuple[Array, Array | None]:
    """The sketch and the mask to hand to a decoder: a prefix, or the whole with a random part erased."""
    mask = erasure(kind, sketches.shape[-1], kept, seed)
    return (sketches[..., :kept], None) if mask is None else (sketches, mask)


def describe(kind: str, sketch_dim: int, kept: int) -> str:
    """``whole``, ``prefix 1/16`` or ``random 1/16``."""
    return "whole" if kept == sketch_dim else f"{kind} 1/{sketch_dim // kept}"


def parts_of(parameters: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The ways to truncate: ``parts``, otherwise the one of ``erasure`` and the share ``kept`` of the coordinates."""
    if "parts" in parameters:
        return [(kind, kept) for kind, kept in parameters["parts"]]
    d = parameters["sketch_dim"]
    return [(parameters.get("erasure", "prefix"), math.ceil(d * parameters.get("kept", 1.0)))]


def named(quantity: str, parameters: Mapping[str, Any], kind: str, kept: int) -> str:
    """The quantity, with the part that it is read from where a case has several."""
    return f"{quantity}, {describe(kind, parameters['sketch_dim'], kept)}" if "parts" in parameters else quantity
