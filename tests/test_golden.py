"""Golden sketches: what is stored today is read tomorrow.

A sketch can only be asked by the matrices that made it, so the numbers that a seed stands for must never change.  A few
coordinates of a few sketches are written down here.  If this test fails, every sketch that anyone has stored has become
unreadable: that wants a new version of the file format and a reason, not new numbers.  ``python -m tests.test_golden``
prints the numbers of the software as it stands.
"""

import numpy as np
import pytest

import simnet
from simnet import networks
from simnet.matrices import Block

D = 96

#: Which coordinates are written down.
PLACES = (0, 1, 17, 50, D - 1)

#: Relative to the root mean square coordinate: rounding of another processor, and nothing else.
TOLERANCE = 1e-12

balanced = simnet.Recipe(**dict.fromkeys(("identity", "mixing"), 0.75), value_share=0.9, presence_share=0.1)

CASES = {
    "trig, recursive, layered": (
        lambda: networks.layered(widths=(4, 3, 2), attribute_dim=5, seed=1),
        "trig",
        "recursive",
    ),
    "gaussian, recursive, random_dag": (lambda: networks.random_dag(modules=7, seed=2), "gaussian", "recursive"),
    "haar, recursive, tree": (lambda: networks.tree(height=3, attribute_dim=3, seed=3), "haar", "recursive"),
    "rademacher, prototype_b, scene": (lambda: networks.scene(places=5, seed=4), "rademacher", "prototype_b"),
    "block, own recipe, layered": (lambda: networks.layered(widths=(3, 2), seed=5), Block(8, 0.25), balanced),
    "packet, prototype_a, sparse_layer": (
        lambda: networks.sparse_layer(sparsity=0.5, seed=6),
        "packet",
        "prototype_a",
    ),
}


def sketch(name, dtype="float64"):
    """The second of two runs: that it does not depend on the first is part of what is kept."""
    make, matrices, recipe = CASES[name]
    network = make()
    sketcher = simnet.Sketcher(network, D, matrices, recipe=recipe, seed=11, dtype=dtype)
    return sketcher.encode(network.run(2, seed=7))[1]


def numbers(values):
    """What is written down of a sketch: some coordinates and the length."""
    return [*values[list(PLACES)].tolist(), float(np.linalg.norm(values))]


GOLDEN = {
    "trig, recursive, layered": [
        -0.00960276624348192,
        -0.007288892229807938,
        0.002478428805398272,
        -0.014711084098579946,
        0.006680964077880015,
        0.07845584135412619,
    ],
    "gaussian, recursive, random_dag": [
        -0.004808923109382805,
        -0.0005874754892885923,
        -0.005119260595930684,
        0.0028391693334395584,
        -0.00011030526375803429,
        0.06607685200683425,
    ],
    "haar, recursive, tree": [
        0.015985988558824875,
        -0.0032709395199597624,
        0.01412135815786234,
        0.03768577630691533,
        0.0011499607627306098,
        0.12799319257554487,
    ],
    "rademacher, prototype_b, scene": [
        0.041488155759408715,
        0.03245105558957059,
        -0.05483356054172545,
        0.06286938516258853,
        0.08328179968578169,
        0.5275968637147747,
    ],
    "block, own recipe, layered": [
        -0.06793055868236117,
        -0.06383152244054988,
        -0.0105498379272694,
        0.028522633456004254,
        -0.056446304814510885,
        0.3130400998514219,
    ],
    "packet, prototype_a, sparse_layer": [
        0.023091399790764855,
        0.023091399790764855,
        0.023091399790764855,
        0.0207148065526911,
        -0.004915143787971735,
        0.18067686345571998,
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_a_sketch_is_what_it_was(name):
    values = sketch(name)
    scale = float(np.sqrt(np.mean(values**2)))
    assert numbers(values) == pytest.approx(GOLDEN[name], rel=TOLERANCE, abs=TOLERANCE * scale)


@pytest.mark.parametrize("name", CASES)
def test_single_precision_is_the_same_sketch(name):
    values, single = sketch(name), sketch(name, "float32")
    assert single.dtype == np.float32
    assert np.abs(values - single).max() < 1e-5 * np.abs(values).max()


def test_another_seed_is_noticed():
    name = next(iter(CASES))
    make, matrices, recipe = CASES[name]
    network = make()
    other = simnet.Sketcher(network, D, matrices, recipe=recipe, seed=12).encode(network.run(2, seed=7))[1]
    assert numbers(other) != pytest.approx(GOLDEN[name], rel=1e-3)


if __name__ == "__main__":
    for name in CASES:
        print(f"    {name!r}: {numbers(sketch(name))!r},")
