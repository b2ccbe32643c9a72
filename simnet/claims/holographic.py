"""Claim: holographic reduced representations err as their law says; recursive sketches of the same runs stand beside them.

Errors are given as ``d · MSE``: what one stored float buys, the same for every ``d``, so that the rows of one network can be
read against each other.

* *holographic*: traces with unitary and with normal vectors against their law; how often clean-up finds the module.
* *sketches* by three recipes: matched decoding against Law 1, path-matched decoding against the error that it states of
  itself.  ``recursive`` has the paper's constants; ``lossless`` keeps lengths from level to level, ``α = β = √½`` and all
  shares 1; ``rotation`` is pure rotation, ``α = 0``: nothing can then be asked without the path, and nothing is lost along
  it, just as with unitary vectors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simnet.baselines import HolographicEncoder
from simnet.claims.base import Array, Case, Claim, Sample, make_sketcher, prepared, runs_of
from simnet.claims.parameters import Names, common, family_of, network_of, recipe_of
from simnet.networks.executions import Group
from simnet.sketcher import Sketcher
from simnet.theory import clean_up_accuracy, coefficients, holographic_mse, kernel_diagonal, matched_mse
from simnet.theory.holographic import place_paths

_ONES = dict.fromkeys(("attribute_share", "input_share", "value_share", "presence_share"), 1.0)
RECIPES: dict[str, Any] = {
    "recursive": "recursive",
    "lossless": {"identity": math.sqrt(0.5), "mixing": math.sqrt(0.5), **_ONES},
    "rotation": {"identity": 0.0, "mixing": 1.0, **_ONES},
}


class Setting(NamedTuple):
    """Runs of one structure, and the law of each estimate of each object: ``(runs, a)``, or of each accuracy."""

    group: Group
    laws: dict[str, list[Array]]


class Holographic(Claim):
    """Traces against their law, and sketches of the same runs."""

    name = "holographic"
    title = "d·MSE of traces, of sketches beside"
    statement = (
        "Traces of holographic reduced representations err as their law says; sketches of the same runs stand beside "
        "them, in what one stored number buys."
    )
    formula = "d · MSE, the same for every d: traces by their law, sketches by (K(s,s) − c²‖x‖²)/c² + v"
    parameters = common(
        network={"family": "tree", "height": 3, "branching": 2, "attribute_dim": 64, "seed": 71},
        runs=4,
        run_seed=1,
        sketch_dim=2048,
        matrices="trig",
        recipe="recursive",
        dtype="float64",
    ) | {
        "kind": ("traces", "sketches", "clean_up"),
        "vectors": Names(["unitary"], ("unitary", "normal")),
        "matched": True,
    }

    def cases(self, *, quick: bool) -> Sequence[Case]:
        networks = {
            "tree": {"family": "tree", "height": 3, "branching": 2, "attribute_dim": 64, "seed": 71},
            "layered": {"family": "layered", "widths": [6, 4, 2], "attribute_dim": 64, "seed": 72},
            "chain": {"family": "tree", "height": 5, "branching": 1, "attribute_dim": 64, "seed": 73},
        }
        both = ["unitary", "normal"]
        cases = []
        for label, vectors, recipes in (
            ("tree", both, RECIPES),
            ("layered", both, ["recursive"]),
            ("chain", ["unitary"], ["recursive", "rotation"]),
        ):
            base = {"network": networks[label], "runs": 4, "matrices": "trig", "sketch_dim": 2048}
            trials = 20 if quick else 40
            cases.append(
                Case(f"{label}, d = 2048, traces", {**base, "kind": "traces", "vectors": vectors}, trials, batch=10)
            )
            for name in recipes:
                parameters = {**base, "kind": "sketches", "recipe": RECIPES[name], "matched": name != "rotation"}
                cases.append(Case(f"{label}, d = 2048, trig, {name}", parameters, trials, batch=10))
        small = {"kind": "clean_up", "network": networks["tree"], "runs": 8, "sketch_dim": 128, "vectors": ["unitary"]}
        cases.append(Case("tree, d = 128, traces", small, 300 if quick else 900, batch=100))
        return cases

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        (group,) = runs_of(network_of(parameters), parameters).groups
        d, runs, objects = parameters["sketch_dim"], range(len(group)), range(len(group.structure))
        laws: dict[str, list[Array]] = {}
        for kind in parameters["vectors"] if parameters["kind"] != "sketches" else ():
            law: Any = holographic_mse if parameters["kind"] == "traces" else clean_up_accuracy
            options = {"sketch_dim": d, "unitary": kind == "unitary"}
            laws[kind] = [np.stack([np.asarray(law(group.execution(i), k, **options)) for i in runs]) for k in objects]
        if parameters["kind"] == "sketches" and parameters["matched"]:
            recipe, family = recipe_of(parameters), family_of(parameters)
            norms, strengths = kernel_diagonal(group, recipe=recipe), coefficients(group.structure, recipe=recipe)
            laws["matched"] = [
                matched_mse(x, float(c), norms, sketch_dim=d, kept=d, family=family)
                for x, c in zip(group.attributes, strengths, strict=True)
            ]
        return Setting(group, laws)

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        setting = prepared(self, parameters)
        if parameters["kind"] == "sketches":
            return self._sketches(parameters, seed, setting, sketcher)
        samples = []
        for kind, laws in setting.laws.items():
            network = setting.group.structure.network
            encoder = HolographicEncoder(network, parameters["sketch_dim"], seed, unitary=kind == "unitary")
            traces = encoder.encode(setting.group)
            read = self._clean_up if parameters["kind"] == "clean_up" else self._traces
            samples += read(kind, encoder, traces, setting.group, laws)
        return samples

    @staticmethod
    def _sketches(parameters: Mapping[str, Any], seed: int, setting: Setting, sketcher: type[Sketcher]) -> list[Sample]:
        """``d · MSE`` of both decoders, depth by depth."""
        group, d = setting.group, parameters["sketch_dim"]
        maker = make_sketcher(group.structure.network, parameters, seed, sketcher)
        sketches = maker.encode(group)
        samples = []
        for method in ("matched", "path_matched") if parameters["matched"] else ("path_matched",):
            estimate = maker.decode(sketches, group.structure, method)
            laws = setting.laws.get(method) or [error**2 for error in estimate.standard_errors]
            samples += _by_depth(f"d·MSE, {method}", d, group, estimate.attributes, laws)
        return samples

    @staticmethod
    def _traces(kind: str, encoder: HolographicEncoder, traces: Array, group: Group, laws: list[Array]) -> list[Sample]:
        """``d · MSE``, depth by depth."""
        d = encoder.sketch_dim
        estimates = encoder.decode(traces, group.structure)
        return _by_depth(f"d·MSE, {kind}", d, group, estimates, laws, growth=1.0 if kind == "unitary" else 3.0)

    @staticmethod
    def _clean_up(kind: str, encoder: HolographicEncoder, traces: Array, group: Group, laws: list[Array]) -> list[Sample]:
        """How often the right module is found, depth by depth below the output, where it is no certainty."""
        s, d = group.structure, encoder.sketch_dim
        paths = [next(iter(place)) for place in place_paths(s)]
        samples = []
        for depth in range(2, s.height + 1):
            mine = [k for k in range(len(s)) if s.depths[k] == depth]
            found = [np.mean([name == s.modules[k] for name in encoder.clean_up(traces, paths[k])]) for k in mine]
            law = float(np.mean([laws[k] for k in mine]))
            samples.append(Sample(f"module found, {kind}, depth {depth}", float(np.mean(found)), law, slack=4.0 / d))
        return samples


def _by_depth(
    quantity: str,
    d: int,
    group: Group,
    estimates: Sequence[Array],
    laws: Sequence[Array],
    growth: float = 1.0,
) -> list[Sample]:
    """Square errors over their law, averaged over the objects of each depth, in units of that law times ``d``."""
    depths = group.structure.depths
    samples = []
    for depth in sorted(set(depths)):
        mine = [k for k, h in enumerate(depths) if h == depth]
        errors = [np.mean((estimates[k] - group.attributes[k]) ** 2 / laws[k]) for k in mine]
        scale = d * float(np.mean([laws[k].mean() for k in mine]))
        samples.append(
            Sample(f"{quantity}, depth {depth}", float(np.mean(errors)) * scale, scale, slack=2.0 * growth**depth / d)
        )
    return samples
