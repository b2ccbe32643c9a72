"""One trial of attribute recovery, shared by the claims that vary the network and those that vary what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.claims.base import Claim, Sample, make_sketcher, named, parts_of, reduced, runs_of
from simnet.claims.parameters import Integer, Parameter, Real, common, family_of, network_of, recipe_of
from simnet.networks import Execution, Executions
from simnet.networks.executions import Group
from simnet.sketcher import Sketcher
from simnet.theory import coefficients, gaussian_bound, kernel_diagonal, matched_mse

Array = NDArray[Any]

#: Bounds are tried at this failure probability.
DELTA = 0.05


#: What a trial of attribute recovery takes: a network, or in its place a pair of objects of ``heavy`` coordinates.
PARAMETERS: dict[str, Parameter | bool] = {
    **common(
        network={"family": "tree", "height": 3, "branching": 2, "attribute_dim": 16, "seed": 7},
        runs=4,
        run_seed=1,
        weight_jitter=0.0,
        sketch_dim=1024,
        matrices="trig",
        recipe="recursive",
        dtype="float64",
        kept=1.0,
        erasure="prefix",
        parts=None,
    ),
    "heavy": Integer(None, minimum=2),
    "weight": Real(None, minimum=1e-3, maximum=1.0),
    "mean": False,
}


class RecoveryClaim(Claim):
    """A claim that has the samples of :func:`recovery_samples`."""

    bound_label = "bound, max error²"

    @classmethod
    def bound_lines(cls, law: Array, bound: Array) -> Sequence[Array]:
        """The bound is on an error, the quantity a mean of square errors."""
        return (bound**2,)


class Setting(NamedTuple):
    """Runs of one structure, and Law 1 for each of their objects: ``(runs, a)`` for each way to truncate."""

    group: Group
    laws: dict[tuple[str, int], list[Array]]
    measured: range


def heavy_pair(attribute_dim: int, weight: float) -> Executions:
    """One layer of two objects that share the weight, each with most of its length in the second coordinate.

    Self-noise is as large as crosstalk here, and both vectors lie along one of the first columns of their matrices: this
    is where a matrix that is almost right shows.
    """
    x = np.full(attribute_dim, 0.3 / np.sqrt(attribute_dim - 1))
    x[1] = 0.95
    objects: list[Any] = [("a", "a", x, [], []), ("b", "b", x, [], [])]
    return Executions.gather([Execution.from_objects(objects, outputs={"a": weight, "b": 1.0 - weight})])


def prepare_recovery(parameters: Mapping[str, Any]) -> Setting:
    """The runs of a case, the law for every object and every way to truncate, and the objects to measure.

    Of a heavy pair with a ``weight``, that is the object of this weight; otherwise all of them.
    """
    heavy, weight = parameters.get("heavy"), parameters.get("weight")
    runs = runs_of(network_of(parameters), parameters) if heavy is None else heavy_pair(heavy, weight or 0.5)
    (group,) = runs.groups
    measured = range(len(group.structure) if weight is None else 1)
    recipe, d = recipe_of(parameters), parameters["sketch_dim"]
    norms = kernel_diagonal(group, recipe=recipe)
    strengths = np.broadcast_to(
        coefficients(group.structure, recipe=recipe, weights=group.weights), (len(group), len(group.structure))
    )
    laws = {}
    for kind, kept in parts_of(parameters):
        laws[kind, kept] = [
            matched_mse(x, strengths[:, k], norms, sketch_dim=d, kept=kept, family=family_of(parameters))
            for k, x in zip(measured, group.attributes, strict=False)
        ]
    return Setting(group, laws, measured)


def _decode(maker: Sketcher, part: Array, group: Group, mask: Array | None) -> Sequence[Array]:
    """The matched estimate of every object of every run, with the weights of that run: ``(runs, a)`` each."""
    if len(group.weights) == 1:
        return maker.decode(part, group.structure, "matched", erased=mask).attributes
    single = [maker.decode(row, group.structure_of(i), "matched", erased=mask).attributes for i, row in enumerate(part)]
    return [np.stack(rows) for rows in zip(*single, strict=True)]


def encoded(setting: Setting, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> tuple[Sketcher, Array]:
    """The sketcher of a trial, and the sketches that it makes of the runs."""
    maker = make_sketcher(setting.group.structure.network, parameters, seed, sketcher)
    return maker, maker.encode(setting.group)


def recovery_samples(
    setting: Setting, parameters: Mapping[str, Any], seed: int, maker: Sketcher, sketches: Array
) -> list[Sample]:
    """Decode every object from each part of the sketch; one sample for each depth and part.

    *Error*: the square error over Law 1, averaged over objects of one depth, coordinates and runs.  *Mean*: how much of
    an object's own vector is in its estimate, 1 by the law (where noise leaves it visible: ``parameters["mean"]``).
    *Bound*: the largest error of the first run's first object.
    """
    group = setting.group
    s = group.structure
    samples = []
    for (kind, kept), laws in setting.laws.items():
        part, mask = reduced(sketches, kind, kept, seed)
        estimates = _decode(maker, part, group, mask)
        errors = [x - truth for x, truth in zip(estimates, group.attributes, strict=True)]
        for depth in sorted({s.depths[k] for k in setting.measured}):
            mine = [k for k in setting.measured if s.depths[k] == depth]
            ratio = float(np.mean([np.mean(errors[k] ** 2 / laws[k]) for k in mine]))
            law = float(np.mean([laws[k].mean() for k in mine]))
            first = mine[0]
            bound = float(gaussian_bound(laws[first][0], failure_probability=DELTA))
            samples.append(
                Sample(
                    named(f"MSE, depth {depth}", parameters, kind, kept),
                    ratio * law,
                    law,
                    bound=bound,
                    violations=int(np.abs(errors[first][0]).max() > bound),
                    tries=1,
                    failure_probability=DELTA,
                )
            )
            if depth == 1 and parameters["mean"]:
                projected = sum(float(np.sum(estimates[k] * group.attributes[k])) for k in mine)
                length = sum(float(np.sum(group.attributes[k] ** 2)) for k in mine)
                samples.append(Sample(named(f"mean, depth {depth}", parameters, kind, kept), projected / length, 1.0))
    return samples
