"""Claim: noise in a sketch, and fewer bits for each coordinate, cost just what their law says.

* *Noise* as strong as the sketch itself: the error of the matched decoder is Law 1 with ``σ``, and intervals that know
  nothing of the noise cover as they should.
* *Rounding* to ``float32``, ``float16`` and ``int8``: the variance of the error, and what it adds to matched estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simnet.claims.base import Array, Case, Claim, Sample, describe, make_sketcher, parts_of, prepared, reduced, runs_of
from simnet.claims.parameters import common, family_of, network_of
from simnet.networks.executions import Group
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.sketching import store
from simnet.theory import coefficients, kernel_diagonal, matched_mse, storage_noise

#: Intervals are tried at this level.
LEVEL = 0.95

TREE = {"family": "tree", "height": 2, "branching": 2, "attribute_dim": 64, "seed": 61}

#: How far the constant of rounded floats may be off for normal coordinates; ``int8`` is nearer, by ``1/d``.
SLACK = 0.005


class Setting(NamedTuple):
    """Runs of one structure, the coefficient of each object, ``K_ss`` of each run, and the noise of each run."""

    group: Group
    strengths: Array  # (objects,)
    norms: Array  # (runs,)
    sigma: Array  # (runs,)


class Storage(Claim):
    """Additive noise, and the rounding of sketches to 32, 16 and 8 bits."""

    name = "storage"
    title = "noise and rounding add (d/d')σ²/c²"
    statement = (
        "Noise in a sketch, and the rounding of its coordinates to fewer bits, add their own term to the error and "
        "nothing else; σ² is the variance of what was added to one coordinate."
    )
    formula = "MSE_j → MSE_j + (d/d′) σ² / c²"
    parameters = common(network=TREE, runs=6, run_seed=1, sketch_dim=1024, matrices="trig", parts=None) | {
        "kind": ("noise", "rounding"),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        cases = []
        for kind, trials in (("noise", 60 if quick else 180), ("rounding", 40 if quick else 90)):
            for matrices, d in (("trig", 1024), ("gaussian", 256)):
                parameters = {
                    "kind": kind,
                    "network": TREE,
                    "runs": 6,
                    "matrices": matrices,
                    "sketch_dim": d,
                    "parts": [["prefix", d], ["prefix", d // 4]],
                }
                cases.append(Case(f"{kind}, {matrices}, d = {d}", parameters, trials, batch=20))
        return cases

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        (group,) = runs_of(network_of(parameters), parameters).groups
        norms = kernel_diagonal(group)
        return Setting(group, coefficients(group.structure), norms, np.sqrt(norms / parameters["sketch_dim"]))

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        setting = prepared(self, parameters)
        maker = make_sketcher(setting.group.structure.network, parameters, seed, sketcher)
        sketches = maker.encode(setting.group)
        return (self._noise if parameters["kind"] == "noise" else self._rounding)(parameters, seed, setting, maker, sketches)

    @staticmethod
    def _noise(parameters: Mapping[str, Any], seed: int, setting: Setting, maker: Sketcher, sketches: Array) -> list[Sample]:
        """The error over its law and the coverage of intervals, with as much noise as there is sketch."""
        group, d, family = setting.group, parameters["sketch_dim"], family_of(parameters)
        noisy = sketches + setting.sigma[:, None] * stream(seed, "noise").standard_normal(sketches.shape)
        samples = []
        for kind, kept in parts_of(parameters):
            part, mask = reduced(noisy, kind, kept, seed)
            where = describe(kind, d, kept)
            estimate = maker.decode(part, group.structure, "matched", erased=mask)
            ratios, laws = [], []
            for k, x in enumerate(group.attributes):
                norms = setting.norms + d * setting.sigma**2
                law = matched_mse(x, float(setting.strengths[k]), norms, sketch_dim=d, kept=kept, family=family)
                ratios.append(float(np.mean((estimate.attributes[k] - x) ** 2 / law)))
                laws.append(float(law.mean()))
            scale = float(np.mean(laws))
            samples.append(Sample(f"MSE, {where}", float(np.mean(ratios)) * scale, scale))
            for method in ("matched", "path_matched"):
                intervals = maker.decode(part, group.structure, method, erased=mask).interval(LEVEL)
                pairs = zip(intervals, group.attributes, strict=True)
                inside = [(pair[..., 0] <= x) & (x <= pair[..., 1]) for pair, x in pairs]
                share = float(np.mean(np.concatenate(inside, axis=1)))
                tries = sum(x.size for x in inside)
                samples.append(Sample(f"{method} covered, {where}", share, LEVEL, tries=tries, window=0.01))
        return samples

    @staticmethod
    def _rounding(
        parameters: Mapping[str, Any], seed: int, setting: Setting, maker: Sketcher, sketches: Array
    ) -> list[Sample]:
        """The variance of the rounding error, and the mean square of what it moves the matched estimates by.

        The first against the law for a sketch of that length, the second against the noise that the stored sketch states.
        """
        group, d = setting.group, parameters["sketch_dim"]
        samples = []
        for storage in ("float32", "float16", "int8"):
            stored = store(sketches, storage)
            rounded = stored.restore()
            expected = storage_noise(storage, np.sum(sketches**2, axis=1), sketch_dim=d) ** 2
            variance = float(np.mean(np.mean((rounded - sketches) ** 2, axis=1) / expected))
            scale = float(expected.mean())
            samples.append(Sample(f"{storage}, variance of the error", variance * scale, scale, slack=SLACK))
            for kind, kept in parts_of(parameters):
                before, after = (
                    maker.decode(reduced(s, kind, kept, seed)[0], group.structure).attributes for s in (sketches, rounded)
                )
                ratios, laws = [], []
                for k, strength in enumerate(setting.strengths):
                    law = d / kept * stored.noise**2 / strength**2
                    ratios.append(float(np.mean((after[k] - before[k]) ** 2 / law[:, None])))
                    laws.append(float(law.mean()))
                scale = float(np.mean(laws))
                quantity = f"{storage}, added MSE, {describe(kind, d, kept)}"
                samples.append(Sample(quantity, float(np.mean(ratios)) * scale, scale, slack=SLACK))
        return samples
