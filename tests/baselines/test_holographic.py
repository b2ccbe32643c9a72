"""Traces against the definition by explicit circular convolution, and their estimates against the laws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
import scipy.stats

import simnet
from simnet import theory
from simnet.baselines import HolographicEncoder
from tests.statistical import FAILURE, agrees

EX = simnet.Execution.from_objects(
    [
        ("left", "hand", [0.3, 0.4], ["ring", None], [0.5, 0.1]),
        ("right", "hand", [0.1, 0.7], ["other", "ring"], [0.2, 0.4]),
        ("ring", "ring", [0.9], [], []),
        ("other", "ring", [0.2], [], []),
    ],
    outputs=[("left", 0.5), (None, 0.1), ("right", 0.2), ("ring", 0.2)],
)
CHAIN = simnet.networks.tree(height=3, branching=1, attribute_dim=3, seed=0).run(1, seed=1)[0]


def convolve(u, v):
    """Circular convolution by its definition."""
    return sum(a * np.roll(v, i) for i, a in enumerate(u))


def by_definition(ex, encoder):
    """The trace, object by object; also checks that the coefficients are those of real vectors."""

    def real(coefficients):
        vector = scipy.fft.irfft(coefficients, n=encoder.sketch_dim)
        np.testing.assert_allclose(scipy.fft.rfft(vector), coefficients, atol=1e-12)
        return vector

    s = ex.structure

    def bundle(module, names, weights):
        terms = [
            w * convolve(real(encoder._slot(module, i)), vector(name))
            for i, (name, w) in enumerate(zip(names, weights, strict=True))
            if name is not None
        ]
        return sum(terms, np.zeros(encoder.sketch_dim))

    def vector(name):
        k = s.position(name)
        own = [real(row) for row in encoder._own(s.modules[k])]
        known = sum(z * v for z, v in zip([*ex.attributes[k], 1.0], own, strict=True))
        return known + bundle(s.modules[k], s.inputs[k], s.weights[k])

    return bundle("root", s.outputs, s.output_weights)


@pytest.mark.parametrize("unitary", [True, False])
@pytest.mark.parametrize("d", [1, 2, 15, 16])
def test_a_trace_is_what_the_definition_says(d, unitary):
    for ex in (EX, CHAIN):
        encoder = HolographicEncoder(ex.network, d, seed=5, unitary=unitary)
        trace = encoder.encode(ex)
        assert trace.dtype == np.float64
        np.testing.assert_allclose(trace, by_definition(ex, encoder), atol=1e-12)
        dictionary = encoder.dictionary(ex.structure)
        assert dictionary.shape == (d, ex.structure.size)
        np.testing.assert_allclose(dictionary @ ex.vector(), trace, atol=1e-12)


def test_unitary_vectors_keep_every_inner_product_and_normal_ones_do_not():
    vectors = np.random.default_rng(0).standard_normal((2, 64))
    for unitary in (True, False):
        encoder = HolographicEncoder(EX.network, 64, unitary=unitary)
        slot = scipy.fft.irfft(encoder._slot("hand", 0), n=64)
        bound = np.stack([convolve(slot, v) for v in vectors])
        assert np.allclose(bound @ bound.T, vectors @ vectors.T) == unitary
        own = scipy.fft.irfft(encoder._own("hand"), n=64)
        assert np.allclose(np.linalg.norm(own, axis=1), 1.0) == unitary


@pytest.mark.parametrize("unitary", [True, False])
def test_vectors_are_unit_in_the_mean_and_unrelated(unitary):
    """``E⟨u, v⟩ = δ_uv`` over 300 seeds, for all vectors of the network together."""
    grams = []
    for seed in range(300):
        encoder = HolographicEncoder(EX.network, 33, seed, unitary=unitary)
        slots = [encoder._slot("hand", 0), encoder._slot("hand", 1), encoder._slot("root", 0)]
        vectors = scipy.fft.irfft(np.concatenate([encoder._own("hand"), encoder._own("ring"), slots]), n=33)
        grams.append(vectors @ vectors.T)
    off = ~np.eye(len(grams[0]), dtype=bool)
    grams = np.stack(grams)
    assert agrees(grams[:, off], 0.0)
    assert agrees(grams[:, ~off], 1.0, slack=1e-12)
    assert not agrees(grams[:, ~off], 1.1, slack=1e-12)


def test_a_vector_depends_on_seed_and_name_alone():
    one = HolographicEncoder(EX.network, 16, seed=1)
    other = HolographicEncoder(CHAIN.network, 16, seed=1)
    assert np.array_equal(one._slot("root", 0), other._slot("root", 0))
    assert not np.allclose(one._slot("hand", 0), one._slot("root", 0))
    assert not np.allclose(one._slot("root", 0), HolographicEncoder(EX.network, 16, seed=2)._slot("root", 0))


def test_batches_with_weights_of_their_own_are_the_single_runs():
    runs = simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0).run(4, seed=1, weight_jitter=0.5)
    encoder = HolographicEncoder(runs[0].network, 32)
    traces = encoder.encode(runs)
    assert traces.shape == (4, 32)
    for i in range(4):
        np.testing.assert_allclose(traces[i], encoder.encode(runs[i]), atol=1e-14)
    one, many = encoder.decode(traces[0], runs[0]), encoder.decode(traces, runs[0])
    assert one[0].shape == (3,)
    assert many[0].shape == (4, 3)
    np.testing.assert_allclose(many[2][0], one[2], atol=1e-12)


@pytest.mark.parametrize("unitary", [True, False])
def test_an_estimate_is_the_projection_on_its_column(unitary):
    encoder = HolographicEncoder(EX.network, 40, seed=2, unitary=unitary)
    trace, columns = encoder.encode(EX), encoder.dictionary(EX)
    expected = (columns.T @ trace / np.sum(columns**2, axis=0))[[0, 1, 3, 4, 6, 8]]  # without the marks of presence
    np.testing.assert_allclose(np.concatenate(encoder.decode(trace, EX.structure)), expected, rtol=1e-10)


def test_what_has_no_weight_is_estimated_as_nothing():
    ex = simnet.Execution.from_objects([("a", "a", [0.6], [], []), ("b", "b", [0.5], [], [])], outputs={"a": 0.0, "b": 1.0})
    encoder = HolographicEncoder(ex.network, 64)
    nothing, something = encoder.decode(encoder.encode(ex), ex)
    assert nothing == 0.0
    assert something != 0.0
    with pytest.raises(ValueError, match="determines 2 of its p = 4"):
        encoder.least_squares(encoder.encode(ex), ex)


@pytest.mark.parametrize("unitary", [True, False])
@pytest.mark.parametrize("ex", [EX, CHAIN], ids=["several places", "chain"])
def test_estimates_are_unbiased_and_err_as_their_law(ex, unitary):
    d, names = 1024, list(ex.structure)
    errors = []
    for seed in range(400):
        encoder = HolographicEncoder(ex.network, d, seed, unitary=unitary)
        estimate = encoder.decode(encoder.encode(ex), ex)
        errors.append(np.concatenate([x - truth for x, truth in zip(estimate, ex.attributes, strict=True)]))
    law = np.concatenate([theory.holographic_mse(ex, k, sketch_dim=d, unitary=unitary) for k in names])
    other = np.concatenate([theory.holographic_mse(ex, k, sketch_dim=d, unitary=not unitary) for k in names])
    # the law leaves out O(1/d), and O(3^h/d) for normal vectors; h = 3 in the chain
    slack = 4.0 / d if unitary else 2.0 * 27.0 / d
    ratios = np.square(errors) / law
    assert agrees(errors, 0.0)
    assert agrees(ratios, 1.0, slack=slack)
    assert not agrees(np.square(errors) / other, 1.0, slack=slack)


def test_least_squares_is_exact_when_the_trace_is_long_enough():
    """One trace of as many coordinates as unknowns gives every attribute back; one fewer is refused."""
    p = EX.structure.size
    for unitary in (True, False):
        encoder = HolographicEncoder(EX.network, 2 * p, seed=1, unitary=unitary)
        traces = np.stack([encoder.encode(EX), 2.0 * encoder.encode(EX)])
        for x, truth in zip(encoder.least_squares(traces, EX), EX.attributes, strict=True):
            np.testing.assert_allclose(x, [truth, 2.0 * truth], atol=1e-10)
    short = HolographicEncoder(EX.network, p - 1)
    with pytest.raises(ValueError, match=rf"sketch_dim = {p - 1}: the trace determines {p - 1} of its p = {p}"):
        short.least_squares(short.encode(EX), EX)


@pytest.mark.parametrize("unitary", [True, False])
def test_clean_up_finds_the_module_as_often_as_its_law(unitary):
    """A faint filler two levels down, 600 seeds; a law with twice the coordinates is rejected."""
    ex = simnet.Execution.from_objects(
        [("c", "c", [0.9], [], []), ("b", "b", [0.7], ["c", "a"], [0.1, 0.9]), ("a", "a", [0.5], [], [])], outputs={"b": 1.0}
    )
    d, trials = 512, 600
    hits = 0
    for seed in range(trials):
        encoder = HolographicEncoder(ex.network, d, seed, unitary=unitary)
        hits += encoder.clean_up(encoder.encode(ex), [("root", 0), ("b", 0)]) == "c"
    law, wrong = (theory.clean_up_accuracy(ex, "c", sketch_dim=n, unitary=unitary) for n in (d, 2 * d))
    few, many = scipy.stats.binom.interval(1.0 - FAILURE, trials, law)
    slack = trials * (4.0 if unitary else 9.0) / d  # the law leaves out O(3^h/d) for normal vectors
    assert few - slack <= hits <= many + slack
    few, _ = scipy.stats.binom.interval(1.0 - FAILURE, trials, wrong)
    assert hits < few - slack


def test_clean_up_of_a_batch_names_each():
    net = simnet.networks.scene(places=3, seed=0)
    runs = net.run(12, seed=1)
    encoder = HolographicEncoder(net, 4096, unitary=True)
    found = encoder.clean_up(encoder.encode(runs), [("root", 0), ("room", 0)])
    truth = []
    for i in range(12):
        room = runs[i].structure["room"]
        truth.append(None if not room.inputs or room.inputs[0] is None else runs[i].structure[room.inputs[0]].module)
    seen = [i for i, module in enumerate(truth) if module is not None]
    assert len(seen) > 3
    assert [found[i] for i in seen] == [truth[i] for i in seen]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: HolographicEncoder("net", 8), "network: must be a ModularNetwork, not str"),
        (lambda e: HolographicEncoder(EX.network, 0), "sketch_dim = 0"),
        (lambda e: HolographicEncoder(EX.network, 8, -1), "seed = -1"),
        (lambda e: HolographicEncoder(EX.network, 8, unitary="yes"), "unitary = 'yes'"),
        (lambda e: e.encode(CHAIN), "object '0': module 0 is not in the sketcher's network"),
        (lambda e: e.encode("runs"), "runs: must be Executions"),
        (lambda e: e.decode(np.zeros(7), EX), r"traces: has shape \(7,\).*shape \(8,\)"),
        (lambda e: e.decode(np.full(8, np.nan), EX), "traces: has a coordinate that is NaN"),
        (lambda e: e.dictionary(CHAIN), "module 0 is not in the sketcher's network"),
        (lambda e: e.clean_up(np.zeros(8), []), "path = .*at least the slot"),
        (lambda e: e.clean_up(np.zeros(8), [("hand", 0)]), r"path\[0\] = \('hand', 0\): the path must begin at 'root'"),
        (lambda e: e.clean_up(np.zeros(8), [("root", 0), ("root", 0)]), r"path\[1\]"),
        (lambda e: e.clean_up(np.zeros(8), [("root", 4)]), r"path\[0\]: slot = 4: must be an integer between 0 and 3"),
        (lambda e: e.clean_up(np.zeros(8), [("root", 0), ("foot", 0)]), "module = 'foot'"),
        (lambda e: e.clean_up(np.zeros(8), [("root", 0), ("ring", 0)]), r"path\[1\]: slot = 0"),
    ],
)
def test_mistakes_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call(HolographicEncoder(EX.network, 8))
