"""Word vectors as attributes: a few hundred dimensions, of either sign, at most of unit length; the laws hold."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from tests.statistical import agrees, covers, scaled

DIM = 300


def word(name):
    x = np.random.default_rng(sum(map(ord, name))).standard_normal(DIM)
    return x / np.linalg.norm(x)


SENTENCE = simnet.Execution.from_objects(
    [
        ("dog", "noun", word("dog"), [], []),
        ("bites", "verb", word("bites"), [], []),
        ("sentence", "sentence", 0.5 * word("dog") - 0.5 * word("bites"), ["dog", "bites"], [0.5, 0.5]),
    ],
    outputs={"sentence": 1.0},
)


@pytest.mark.parametrize("matrices", ["trig", "gaussian"])
def test_signed_embeddings_have_the_error_of_the_law_and_intervals_that_cover(matrices):
    recipe, d = simnet.Recipe(0.9, 0.3, 0.6, 0.6, 0.7, 0.3), 512
    ratios, pairs, kernels = [], [], []
    for seed in range(40):
        sketcher = simnet.Sketcher(SENTENCE.network, d, matrices, recipe, seed=seed)
        sketch = sketcher.encode(SENTENCE)
        kernels.append(sketch @ sketch)
        estimate = sketcher.decode(sketch, SENTENCE.structure)
        laws = [simnet.theory.attribute_mse(SENTENCE, k, sketch_dim=d, matrices=matrices, recipe=recipe) for k in range(3)]
        found = zip(estimate.attributes, SENTENCE.attributes, laws, strict=True)
        ratios.append([np.mean((x - truth) ** 2 / law) for x, truth, law in found])
        pairs.append(np.stack([estimate.interval(0.9)[k][0] for k in range(3)]))
    assert min(x.min() for x in SENTENCE.attributes) < -0.05
    assert agrees(ratios, np.ones(3), slack=0.02)
    assert not agrees(np.array(ratios) * 1.3, np.ones(3), slack=0.02)
    truth = np.array([x[0] for x in SENTENCE.attributes])
    assert covers(pairs, truth, 0.9)
    assert not covers(scaled(pairs, 0.6), truth, 0.9)
    assert agrees(kernels, simnet.theory.kernel(SENTENCE, SENTENCE, recipe=recipe))


def test_embeddings_come_back_exactly_by_least_squares():
    sketcher = simnet.Sketcher(SENTENCE.network, 3 * DIM + 8, seed=3)
    estimate = sketcher.decode(sketcher.encode(SENTENCE), SENTENCE.structure, "least_squares")
    for x, truth in zip(estimate.attributes, SENTENCE.attributes, strict=True):
        np.testing.assert_allclose(x, truth, atol=1e-7)


def test_similar_words_are_similar_sketches():
    def of(x):
        ex = simnet.Execution.from_objects([("w", "noun", x, [], [])], outputs={"w": 1.0})
        return simnet.Sketcher(ex.network, 4096, recipe="prototype_a", seed=3).encode(ex)

    near = word("dog") + 0.3 * word("cat")
    near /= np.linalg.norm(near)
    for x, y in ((word("dog"), near), (word("dog"), word("cat")), (word("dog"), -word("dog"))):
        assert simnet.similarity(of(x), of(y)) == pytest.approx(x @ y, abs=0.1)


def test_vectors_longer_than_1_are_refused():
    with pytest.raises(ValueError, match=r"length 1\.2"):
        simnet.Execution.from_objects([("w", "noun", 1.2 * word("dog"), [], [])], outputs={"w": 1.0})
