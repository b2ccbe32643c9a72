"""The variance of similarity: closed forms, and measurements on random executions."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.theory import kernel, random_layers, similarity_variance, transparent_variance
from tests import oracle


@pytest.mark.parametrize("seed", range(6))
def test_gaussian_prototypes_are_gaussian_vectors(seed):
    """``Var⟨s, s̄⟩ = (K_ss K_s̄s̄ + K²)/d`` exactly, whatever the executions share."""
    left, right = oracle.random_execution(seed), oracle.random_execution(seed + 100)
    options = {"recipe": "prototype_b"}
    one, other, both = (kernel(a, b, **options) for a, b in ((left, left), (right, right), (left, right)))
    law = similarity_variance(left, right, sketch_dim=50, matrices="gaussian", **options)
    assert law == pytest.approx((one * other + both**2) / 50, rel=1e-12)


def test_orthonormal_matrices_leave_the_norm_of_one_object_alone():
    ex = simnet.Execution.from_objects([("a", "a", [0.6, 0.8], [], [])], outputs={"a": 1.0})
    recipe = simnet.Recipe(1.0, 0.0, 1.0, 1.0, 1.0, 0.0)
    assert similarity_variance(ex, ex, sketch_dim=64, matrices="haar", recipe=recipe) == 0.0


def test_one_transparent_layer_has_its_variance():
    """No noise of attribute matrices, no presence: what is left are ``T_a``, ``T_0`` and root's slot, each as one layer."""
    ex = simnet.Execution.from_objects([("a", "a", [1.0], [], [])], outputs={"a": 1.0})
    recipe = simnet.Recipe(0.6, 0.8, 1.0, 0.0, 1.0, 0.0)
    u = np.zeros(64)
    u[0] = 1.0
    one = float(transparent_variance(u, u, matrices="haar", recipe=recipe))
    # τ = 1: each of the three layers adds as much
    assert similarity_variance(ex, ex, sketch_dim=64, matrices="haar", recipe=recipe) == pytest.approx(3 * one)


def test_it_is_symmetric_and_needs_both():
    left, right = oracle.random_execution(3), oracle.random_execution(4)
    options = {"sketch_dim": 100, "matrices": "gaussian"}
    assert similarity_variance(left, right, **options) == pytest.approx(
        similarity_variance(right, left, **options), rel=1e-9
    )
    assert similarity_variance(left, right, **options) < similarity_variance(left, left, **options)


@pytest.mark.parametrize(("family", "seed"), [("gaussian", 0), ("trig", 5), ("rademacher", 5), ("block", 0)])
def test_it_is_what_is_measured(family, seed):
    """1,000 draws of the matrices: failure probability 1e-6; the law is allowed its ``L/d``."""
    left, right = (oracle.random_execution(seed + i, modules=3, height=2, most=2, unit=True) for i in (0, 50))
    objects = [_renamed(ex, side) for side, ex in enumerate((left, right))]
    everything = simnet.Execution.from_objects(
        [entry for side in objects for entry in side], [(entry[0], 0.01) for side in objects for entry in side]
    )
    d = 64
    products = []
    for draw in range(1000):
        sketcher = simnet.Sketcher(everything.network, d, family, seed=draw)
        products.append(float(sketcher.encode(left) @ sketcher.encode(right)))
    law = similarity_variance(left, right, sketch_dim=d, matrices=family)
    squares = (np.array(products) - kernel(left, right)) ** 2
    slack = random_layers(max(left.structure.height, right.structure.height)) / d
    error = squares.std(ddof=1) / np.sqrt(len(squares))
    assert abs(squares.mean() - law) < slack * law + 5.5 * error
    # the negative control: a law 1.8 times as large would fail
    assert abs(squares.mean() - 1.8 * law) > slack * law + 5.5 * error


def _renamed(ex, side):
    s = ex.structure
    return [
        (
            f"{side}{s.names[k]}",
            s.modules[k],
            ex.attributes[k],
            [None if n is None else f"{side}{n}" for n in s.inputs[k]],
            s.weights[k],
        )
        for k in range(len(s))
    ]


def test_too_many_objects_are_refused_in_one_line():
    names = [f"o{i}" for i in range(60)]
    ex = simnet.Execution.from_objects([(name, "m", [0.1], [], []) for name in names], dict.fromkeys(names, 1.0 / 60))
    with pytest.raises(ValueError, match="objects: their sketches are"):
        similarity_variance(ex, ex, sketch_dim=64)
