"""Claim: Law 3.  Similarity concentrates around the kernel, grows with the shared part, and vanishes without one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.claims.base import Array, Case, Claim, Sample, make_sketcher, prepared, runs_of
from simnet.claims.kernel import WIRINGS
from simnet.claims.parameters import Integer, common, family_of, network_of, recipe_of
from simnet.networks import Execution, Executions
from simnet.randomness import stream
from simnet.sketcher import Sketcher
from simnet.theory import kernel_matrix, random_layers, similarity_bound, similarity_variance, transparent_variance

#: The bound of Law 3 is tried at this failure probability.
DELTA = 0.05


#: What each picture of :func:`portraits` is, beside the first.
PORTRAITS = ("the same", "3 of 4 shared", "2 of 4 shared", "1 of 4 shared", "no module shared", "ε = 0.1 apart")


def portraits() -> tuple[Execution, ...]:
    """A picture of four things, the same with one to four of them replaced by things of other modules, and one near it.

    All attribute vectors have unit length; those of the last picture differ from the first by ``ε = 0.1`` each.
    """
    draw = stream(0, "portraits")

    def unit(x: Any) -> Any:
        return x / np.linalg.norm(x)

    shared = [unit(np.abs(draw.standard_normal(6))) for _ in range(4)]
    others = [unit(np.abs(draw.standard_normal(6))) for _ in range(4)]
    near = [rotated(x, 0.1, draw.standard_normal(6)) for x in shared]

    def picture(replaced: int, vectors: list[Any]) -> Execution:
        things = [(f"other {i}", others[i]) if i < replaced else (f"thing {i}", vectors[i]) for i in range(4)]
        return Execution.from_objects(
            [(name, name, x, [], []) for name, x in things], outputs=[(name, 0.25) for name, _ in things]
        )

    return (*(picture(replaced, shared) for replaced in range(5)), picture(0, near))


def rotated(x: Any, distance: float, direction: Any) -> Any:
    """A unit vector at ``distance`` from the unit vector ``x``."""
    across = direction - (direction @ x) * x
    angle = 2.0 * np.arcsin(distance / 2.0)
    return np.cos(angle) * x + np.sin(angle) * across / np.linalg.norm(across)


class Similarity(Claim):
    """Bound and mean of ``⟨s, s̄⟩``, the variance of one layer, shared parts and none."""

    name = "similarity"
    title = "⟨s, s̄⟩ ≈ K"
    statement = (
        "The inner product of two sketches concentrates around the kernel: it is 0 in the mean where no module is shared, "
        "grows with what is shared, has the variance of a recursion over the modules, and strays no farther than the bound, "
        "L the random layers on the longest path."
    )
    formula = "E⟨s, s̄⟩ = K,   Var⟨s, s̄⟩ = V/d,   |⟨s, s̄⟩ − K| ≤ 2 √(K(s,s) K(s̄,s̄)) √(L ln(2/δ) / d)"
    version = 2
    bound_label = "law ± bound"
    parameters = common(
        network=WIRINGS["layered"],
        runs=2,
        run_seed=1,
        sketch_dim=1024,
        matrices="trig",
        recipe="recursive",
        dtype="float64",
    ) | {"kind": ("pair", "deviation", "shared", "layer"), "vectors": Integer(96, minimum=1)}

    def cases(self, *, quick: bool) -> Sequence[Case]:
        trials = 50 if quick else 200
        base = {"runs": 2, "recipe": "recursive", "kind": "pair"}
        pairs = [
            ("layered", "trig", 1024),
            ("scene", "trig", 1024),
            ("tree", "gaussian", 256),
        ]
        cases = [
            Case(
                f"{wiring}, {matrices}, d = {d}",
                {**base, "network": WIRINGS[wiring], "matrices": matrices, "sketch_dim": d},
                trials,
                batch=25,
            )
            for wiring, matrices, d in pairs
        ]
        cases += [
            Case(
                f"shared parts, {matrices}, d = 256",
                {"kind": "shared", "matrices": matrices, "sketch_dim": 256},
                4 * trials,
                100,
            )
            for matrices in ("trig", "gaussian")
        ]
        cases += [
            Case(
                f"one layer, {matrices}, d = 128",
                {"kind": "layer", "matrices": matrices, "sketch_dim": 128, "vectors": 96},
                trials,
                50,
            )
            for matrices in ("gaussian", "rademacher", "haar", "trig", "block")
        ]
        return cases

    @classmethod
    def bound_lines(cls, law: Array, bound: Array) -> Sequence[Array]:
        """The bound is on the deviation from the law."""
        return law - bound, law + bound

    def prepare(self, parameters: Mapping[str, Any]) -> Any:
        recipe = recipe_of(parameters)
        if parameters["kind"] in ("pair", "deviation"):
            runs = runs_of(network_of(parameters), parameters)
            height = max(group.structure.height for group in runs)
            d, family = parameters["sketch_dim"], family_of(parameters)
            variance = similarity_variance(runs[0], runs[1], sketch_dim=d, matrices=family, recipe=recipe)
            return runs, kernel_matrix(runs, recipe=recipe), random_layers(height, recipe=recipe), variance
        if parameters["kind"] == "shared":
            pictures = portraits()
            things = [*pictures[0].objects, *pictures[4].objects]
            everything = Execution.from_objects(
                [(o.name, o.module, o.attributes, [], []) for o in things], outputs=[(o.name, 0.125) for o in things]
            )
            return Executions.gather(pictures), kernel_matrix(Executions.gather(pictures), recipe=recipe), everything.network
        objects = [("below", "below", [1.0], [], []), ("top", "top", [1.0], ["below"], [1.0])]
        return Execution.from_objects(objects, outputs={"top": 1.0}).network

    def trial(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        return getattr(self, f"_{parameters['kind']}")(parameters, seed, sketcher)

    def _pair(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        runs, law, layers, variance = prepared(self, parameters)
        s = make_sketcher(runs[0].network, parameters, seed, sketcher).encode(runs)
        measured = float(s[0] @ s[1])
        bound = float(
            similarity_bound(
                law[0, 0],
                law[1, 1],
                layers=layers,
                sketch_dim=parameters["sketch_dim"],
                failure_probability=DELTA,
            )
        )
        return [
            Sample(
                "⟨s, s̄⟩",
                measured,
                float(law[0, 1]),
                bound=bound,
                violations=int(abs(measured - law[0, 1]) > bound),
                tries=1,
                failure_probability=DELTA,
            ),
            # its error of O(1/d²) was measured to be 0.9 L/d of itself at most
            Sample("Var⟨s, s̄⟩", float((measured - law[0, 1]) ** 2), variance, slack=layers / parameters["sketch_dim"]),
        ]

    def _deviation(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        """How far ``⟨s, s̄⟩`` is from its kernel, in units of ``√(K_ss K_s̄s̄)``, beside the bound of Law 3."""
        _, law, _, _ = prepared(self, parameters)
        pair, variance = self._pair(parameters, seed, sketcher)
        scale = float(np.sqrt(law[0, 0] * law[1, 1]))
        deviation = abs(pair.measured - pair.law) / scale
        quantity = "|⟨s, s̄⟩ − K| / √(K_ss K_s̄s̄)"
        return [
            pair,
            variance,
            dataclasses.replace(pair, quantity=quantity, measured=deviation, law=float("nan"), bound=pair.bound / scale),
        ]

    def _shared(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        pictures, law, network = prepared(self, parameters)
        s = make_sketcher(network, parameters, seed, sketcher).encode(pictures)
        products = s @ s[0]
        scale = float(law[0, 0])
        return [
            Sample(name, float(product), float(k), zero_scale=scale if k == 0.0 else float("nan"))
            for name, product, k in zip(PORTRAITS, products, law[0], strict=True)
        ]

    def _layer(self, parameters: Mapping[str, Any], seed: int, sketcher: type[Sketcher]) -> Sequence[Sample]:
        d = parameters["sketch_dim"]
        maker = make_sketcher(prepared(self, parameters), parameters, seed, sketcher)
        draw = stream(seed, "vectors")
        u = draw.standard_normal((parameters["vectors"], d))
        v = 0.5 * u + draw.standard_normal(u.shape)
        matrix = maker.matrix("top", "object")
        recipe = recipe_of(parameters)
        tu, tv = (recipe.identity * w + recipe.mixing * matrix.matvec(w) for w in (u, v))
        deviation = np.sum(tu * tv, 1) - recipe.transparency * np.sum(u * v, 1)
        law = transparent_variance(u, v, matrices=family_of(parameters), recipe=recipe)
        ratio = float(np.mean(deviation**2 / law))
        scale = float(np.mean(law))
        return [Sample("Var⟨Tu, Tu'⟩", ratio * scale, scale, slack=2.0 / d)]
