"""Claim: Law 7, packets.  The matrices of an unknown one-layer sketch are learnt from sparse samples, as the law says.

* *Learnt*: the share of the non-zero cells that are learnt is :func:`simnet.theory.learnt_fraction`, over a grid of samples,
  density, sparsity and columns; nothing is learnt that is not there.
* *Full coverage*: every column up to order and sign, all of them in the right modules, and the attributes of sketches that
  were not learnt from, exactly; columns also with noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from simnet.claims.base import Array, Case, Claim, Sample
from simnet.claims.parameters import Fraction, Integer, Real
from simnet.learning import learn_packets
from simnet.learning.metrics import column_agreement, group_agreement, held_out_r2
from simnet.matrices import Packet
from simnet.networks.sparse_layer import sparse_layer
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import learnt_fraction

#: The law is the mean over cells; a trial measures a ratio, whose mean differs by one part in the number of cells.
SLACK = 0.005

#: Sketches that nothing was learnt from.
FRESH = 40


class Dictionary(Claim):
    """Learning packet matrices from sketches of sparse attributes."""

    name = "dictionary"
    title = "packets: 1 − (1 − π(1 − π)^m)^n is learnt"
    statement = (
        "The packet matrices of an unknown one-layer sketch are learnt from n sparse samples, cell by cell, as often as "
        "the law says: in one of them at least its column must be active alone."
    )
    formula = "E_m [1 − (1 − π (1 − π)^m)^n],   m ~ Binomial(Na − 1, q)"
    parameters: ClassVar[Mapping[str, Any]] = {
        "modules": Integer(4, minimum=1),
        "attribute_dim": Integer(8, minimum=1),
        "density": Fraction(0.25),
        "sparsity": Fraction(0.1),
        "samples": Integer(60, minimum=1),
        "block": Integer(36, minimum=3),
        "sketch_dim": Integer(864, minimum=1),
        "noise": Real(None, minimum=0.0),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        grid = [  # modules, attributes, density, sparsity, samples
            (2, 4, 0.5, 0.2, 12),
            (4, 8, 0.25, 0.1, 10),
            (4, 8, 0.25, 0.1, 60),
            (4, 8, 0.5, 0.2, 80),
            (8, 8, 0.25, 0.15, 100),
            (8, 16, 0.1, 0.05, 60),
            (2, 4, 1.0, 0.2, 40),
        ]
        cases = []
        for modules, dim, density, sparsity, samples in grid[: 4 if quick else None]:
            label = f"{modules}×{dim}, q = {density}, π = {sparsity}, n = {samples}"
            parameters = self._parameters(modules, dim, density, sparsity, samples, block=36, blocks=24)
            cases.append(Case(label, parameters, trials=25 if quick else 75, batch=25))
        for noise in (0.0, 0.01):
            parameters = self._parameters(3, 4, 0.5, 0.15, 600, block=60, blocks=20, rest=20, noise=noise)
            cases.append(Case(f"full coverage, noise {noise}", parameters, trials=3 if quick else 4, batch=1))
        return cases

    @staticmethod
    def _parameters(
        modules: int,
        attribute_dim: int,
        density: float,
        sparsity: float,
        samples: int,
        *,
        block: int,
        blocks: int,
        rest: int = 0,
        noise: float | None = None,
    ) -> dict[str, Any]:
        """``noise`` relative to the sketch, ``None`` for partial coverage."""
        return {
            "modules": modules,
            "attribute_dim": attribute_dim,
            "density": density,
            "sparsity": sparsity,
            "samples": samples,
            "block": block,
            "sketch_dim": block * blocks + rest,
            "noise": noise,
        }

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        net = sparse_layer(parameters["modules"], parameters["attribute_dim"], parameters["sparsity"])
        family = Packet(parameters["block"], parameters["density"])
        maker = sketcher(net, parameters["sketch_dim"], family, recipe="prototype_a", seed=seed)
        runs = net.run(parameters["samples"] + FRESH, seed=seed)
        sketches = maker.encode(runs)
        planted = np.concatenate([maker.matrix(module.name, "value").todense().T for module in net.modules])
        return (self._part if parameters.get("noise") is None else self._full)(parameters, seed, sketches, planted, runs)

    @staticmethod
    def _part(parameters: Mapping[str, Any], seed: int, sketches: Array, planted: Array, runs: Any) -> list[Sample]:
        """The share of cells that are learnt; and of the cells that are learnt, the share that is right."""
        block = parameters["block"]
        learnt = learn_packets(sketches[: parameters["samples"]], block=block, noise=0.0, nonnegative=True)
        match = column_agreement(learnt.columns, planted).match
        there = planted[:, ::block] != 0.0
        seen = np.zeros_like(there)
        seen[match >= 0] = learnt.mask[match[match >= 0], ::block]
        columns = parameters["modules"] * parameters["attribute_dim"]
        law = learnt_fraction(
            samples=parameters["samples"], density=parameters["density"], sparsity=parameters["sparsity"], columns=columns
        )
        return [
            Sample("cells learnt", float(np.mean(seen[there])), law, slack=SLACK),
            Sample(
                "cells learnt where there is nothing",
                float(np.mean(seen[~there])) if not there.all() else 0.0,
                0.0,
                zero_scale=1.0,
            ),
        ]

    @staticmethod
    def _full(parameters: Mapping[str, Any], seed: int, sketches: Array, planted: Array, runs: Any) -> list[Sample]:
        """Columns, modules, and the attributes of fresh sketches."""
        n, noise = parameters["samples"], parameters["noise"]
        sigma = noise * float(np.sqrt(np.mean(sketches**2)))
        noisy = sketches + sigma * stream(seed, "noise").standard_normal(sketches.shape)
        learnt = learn_packets(noisy[:n])
        cosines, match, _ = column_agreement(learnt.columns, planted)
        samples = [Sample("smallest cosine of a column", float(cosines.min()), 1.0, slack=1e-3 if noise == 0.0 else 0.01)]
        module = np.repeat(np.arange(parameters["modules"]), parameters["attribute_dim"])
        groups = np.where(match >= 0, learnt.groups[match], -1 - np.arange(len(match))) if len(learnt.groups) else -match
        samples.append(Sample("columns grouped into modules", group_agreement(groups.tolist(), module.tolist()), 1.0))
        found = np.zeros((FRESH, len(planted)))
        if learnt.decodable and (match >= 0).all():
            found = learnt.decode(sketches[n:])[:, match]
        (group,) = runs.groups
        truth = np.concatenate(group.attributes, axis=1)[n:]
        scale = float(np.sum(found * truth) / max(float(np.sum(found**2)), 1e-300))
        samples.append(Sample("R² of attributes of fresh sketches", held_out_r2(scale * found, truth), 1.0))
        return samples
