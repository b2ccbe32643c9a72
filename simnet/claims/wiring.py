"""Claim: Law 7.  The supports of all modules come from pairs of input activity and sketch, by matrices that nobody knows.

* *Marks*: every support is found and none that is not there, layered and random wirings, with and without noise.
* *Ranks*: so it is from ranks alone, by a recipe without marks of presence, with the attributes of each support.
* *Edges*: direct edges and module functions follow, in a small network; functions are held to runs that were held out.
* *Functions*: the same for networks of any size, as shares of what there is: from how many pairs on, no law says.
* *Noise*: supports and edges at a share of the noise that hides the weakest direction of the sketches; none that is false.
* *Shuffled*: pairs that do not belong together say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.claims.base import BALANCED, Case, Claim, Sample, make_sketcher, prepared
from simnet.claims.parameters import Real, common, network_of
from simnet.learning import blind_wiring
from simnet.learning.marks import Support
from simnet.learning.ranks import ROUNDING
from simnet.networks import ModularNetwork
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import wiring_noise

Array = NDArray[Any]


def planted_supports(network: ModularNetwork) -> dict[Any, Support]:
    """The inputs below each module, as places among ``network.inputs``."""
    below: dict[Any, Support] = {}
    for name in network.order:
        module = network.module(name)
        if module.slots:
            below[name] = frozenset().union(*(below[slot.sources[0]] for slot in module.slots))
        else:
            below[name] = frozenset((network.inputs.index(name),))
    return below


class Wiring(Claim):
    """Supports found, supports that are not there, and what shuffled pairs say."""

    name = "wiring"
    title = "supports from activity and sketches"
    statement = (
        "The inputs below every module of an unknown sketch function follow from pairs of input activity and sketch: "
        "those in which a set S of inputs is idle span fewer dimensions, by what depends on S alone."
    )
    formula = "r(∅) − r(S) = Σ_M dim_M [supp(M) ⊆ S]"
    parameters = common(
        network={"family": "layered", "widths": [6, 5, 3], "attribute_dim": 4, "seed": 0},
        runs=1000,
        sketch_dim=256,
        matrices="gaussian",
        recipe="recursive",
        dtype="float64",
    ) | {
        "kind": ("marks", "ranks", "edges", "share", "functions", "noise"),
        "noise": Real(0.0, minimum=0.0),
        "noise_share": Real(0.0, minimum=0.0),
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        three = {"family": "layered", "widths": [6, 5, 3], "attribute_dim": 4, "seed": 0}
        wide = {"family": "layered", "widths": [8, 5, 3], "attribute_dim": 4, "seed": 2}
        dag = {"family": "random_dag", "modules": 14, "inputs": 6, "attribute_dim": 4, "seed": 5}
        small = {"family": "layered", "widths": [4, 2, 1], "attribute_dim": 2, "seed": 2}
        bare = BALANCED | {"presence_share": 0.0}
        grid: list[tuple[str, dict[str, Any], Any, str, float, int]] = [
            ("marks, layered", three, "recursive", "gaussian", 0.0, 600),
            ("marks, 1e-4 noise", three, "recursive", "gaussian", 1e-4, 1000),
            ("ranks, layered", three, bare, "gaussian", 0.0, 3000),
        ]
        if not quick:
            grid += [
                ("marks, 16 modules", wide, "recursive", "trig", 0.0, 1000),
                ("marks, random DAG", dag, "recursive", "gaussian", 0.0, 1000),
                ("edges, layered", small, "recursive", "gaussian", 0.0, 1500),
            ]
        return [
            Case(
                f"{label}, d = 256",
                {
                    "network": network,
                    "recipe": recipe,
                    "matrices": matrices,
                    "sketch_dim": 256,
                    "noise": noise,
                    "runs": runs,
                    "kind": label.split(",")[0],
                },
                trials=2,
                batch=1,
            )
            for label, network, recipe, matrices, noise, runs in grid
        ]

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        network = network_of(parameters)
        below = planted_supports(network)
        truth: dict[Support, int] = {}
        for module in network.modules:
            truth[below[module.name]] = truth.get(below[module.name], 0) + module.attribute_dim
        return network, truth, {(below[source], below[consumer]) for source, consumer in network.graph.edges}

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        network, truth, edges = prepared(self, parameters)
        runs = parameters["runs"]
        active = stream(seed, "activity").random((runs, len(network.inputs))) < 0.5
        maker = make_sketcher(network, parameters, seed, sketcher)
        sketches = maker.encode(network.run(runs, seed, activity=active))
        noise = parameters["noise"] * float(np.sqrt(np.mean(sketches**2)))
        if parameters["kind"] == "noise":
            noise = parameters["noise_share"] * noise_limit(sketches)
        sketches = sketches + noise * stream(seed, "noise").standard_normal(sketches.shape)
        dims = {module.attribute_dim for module in network.modules}
        known = dims.pop() if parameters["kind"] in ("functions", "noise") and len(dims) == 1 else None
        found = blind_wiring(active, sketches, attribute_dim=known)
        right = [support for support in found.supports if support in truth]
        samples = [Sample("false supports", len(found.supports) - len(right), 0.0, zero_scale=1.0)]
        if parameters["kind"] == "noise":
            stated = {(found.supports[a], found.supports[b]) for a, b in found.graph().edges}
            return [
                Sample("share of supports found", len(set(right)) / len(truth), math.nan),
                Sample("share of edges found", len(stated & edges) / len(edges), math.nan),
                Sample("false edges", len(stated - edges), 0.0, zero_scale=1.0),
                *samples,
            ]
        shuffled = blind_wiring(active, sketches[stream(seed, "shuffle").permutation(runs)])
        samples.append(Sample("supports, shuffled", len(shuffled.supports), 0.0, zero_scale=1.0))
        if parameters["kind"] == "share":  # how many runs it takes: there is no law for too few of them
            return [Sample("share of supports found", len(right) / len(truth), math.nan), *samples]
        if parameters["kind"] == "functions":
            stated = {(found.supports[a], found.supports[b]) for a, b in found.graph().edges}
            hidden = sum(bool(module.slots) for module in network.modules)
            explained = sum(module.score for module in found.modules if module.sources) / hidden
            return [
                Sample("F1 of the edges", 2.0 * len(stated & edges) / (len(stated) + len(edges)), math.nan),
                Sample("R² of all functions, held out", explained, math.nan),
                Sample("false edges", len(stated - edges), 0.0, zero_scale=1.0),
                *samples,
            ]
        samples.insert(0, Sample("supports found", len(right), len(truth)))
        if parameters["kind"] == "ranks":
            pairs = zip(found.supports, found.dimensions, strict=True)
            agreeing = sum(dimension == truth.get(support) for support, dimension in pairs)
            samples.append(Sample("dimensions right", agreeing, len(truth)))
        if parameters["kind"] == "edges":
            stated = {(found.supports[a], found.supports[b]) for a, b in found.graph().edges}
            scores = [module.score for module in found.modules if module.sources]
            samples += [
                Sample("edges found", len(stated & edges), len(edges)),
                Sample("false edges", len(stated - edges), 0.0, zero_scale=1.0),
                Sample("R², held out", float(np.mean(scores)) if scores else 0.0, 1.0, slack=1e-6),
            ]
        return samples


def noise_limit(sketches: Array) -> float:
    """The predicted noise at which the weakest direction of these sketches is lost: attributes and marks."""
    energies = np.linalg.svd(sketches, compute_uv=False) ** 2 / len(sketches)
    weakest = float(energies[energies > ROUNDING**2 * energies[0]][-1])
    return wiring_noise(variance=weakest, pairs=len(sketches), kept=sketches.shape[1])
