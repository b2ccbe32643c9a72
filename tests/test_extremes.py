"""Extremes: the answer is right, or wide, or refused; never poor without a word.

Depth 30, weights of 0 and 1e-12, attributes of zeros, attributes as wide as the sketch, sketches of 2 coordinates, very many
objects, ``float32`` where deep objects underflow.  Where nothing random is left an interval must hold the truth always, and
at all levels of rounding at least as often as it says.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.decoding import DECODERS
from simnet.decoding.linear import LinearSystem
from simnet.decoding.ridge import graded_svd, solve_directly

LINEAR = ("least_squares", "ridge", "nonnegative", "sparse")


def run(*objects, outputs):
    return simnet.Execution.from_objects(list(objects), list(outputs.items()))


def chain(depth, seed, attribute_dim=3):
    """A chain of so many modules; the deepest stands ``32^depth`` times weaker than the top."""
    draw = np.random.default_rng(seed)
    objects = []
    for i in range(depth):
        x = np.abs(draw.standard_normal(attribute_dim))
        below = ([f"o{i - 1}"], [1.0]) if i else ([], [])
        objects.append((f"o{i}", f"m{i}", x / np.linalg.norm(x) / (1.0 + 1e-12), *below))
    return run(*objects, outputs={f"o{depth - 1}": 1.0})


EXTREMES = {
    "one object": (run(("o", "m", [0.6, 0.8], [], []), outputs={"o": 1.0}), 16),
    "zeros": (run(("o", "m", [0.0, 0.0], [], []), ("p", "q", [0.0], ["o"], [1.0]), outputs={"p": 1.0}), 32),
    "weight 1e-12": (run(("o", "m", [0.6, 0.8], [], []), ("p", "q", [1.0], ["o"], [1e-12]), outputs={"p": 1.0}), 256),
    "weight 0": (run(("o", "m", [0.6, 0.8], [], []), ("p", "q", [1.0], ["o"], [0.0]), outputs={"p": 1.0}), 256),
    "as wide as the sketch": (
        run(("o", "m", np.full(64, 0.1249), [], []), ("p", "q", [1.0], ["o"], [1.0]), outputs={"p": 1.0}),
        64,
    ),
    "depth 30": (chain(30, 0), 1024),
    "two coordinates": (run(("o", "m", [0.6, 0.8], [], []), outputs={"o": 1.0}), 2),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", LINEAR)
@pytest.mark.parametrize("name", EXTREMES)
def test_an_answer_is_right_or_its_interval_is_wide(name, method, dtype):
    """Without noise and with all columns told apart nothing but rounding is left: intervals of five standard errors."""
    ex, d = EXTREMES[name]
    sketcher = simnet.Sketcher(ex.network, d, seed=1, dtype=dtype)
    estimate = sketcher.decode(sketcher.encode(ex), ex.structure, method)
    intervals = estimate.interval(1.0 - 1e-6)
    for k, truth in zip(ex.structure.names, ex.attributes, strict=True):
        low, high = np.asarray(intervals[k]).T
        assert not np.isnan([low, high, estimate.attributes[k]]).any()
        told = high - low < 1.0
        assert ((low <= truth) & (truth <= high))[told].all(), (k, estimate.attributes[k] - truth, high - low)


def check_cover(method, dtype):
    """30 chains of 25: at every width at least 95 %, up to chance (failure probability 1e-6 a width)."""
    widths, covered = [], []
    for seed in range(30):
        ex = chain(25, seed)
        sketcher = simnet.Sketcher(ex.network, 1024, seed=seed, dtype=dtype)
        intervals = sketcher.decode(sketcher.encode(ex), ex.structure, method).interval(0.95)
        for k, truth in zip(ex.structure.names, ex.attributes, strict=True):
            low, high = np.asarray(intervals[k])[0]  # the coordinates of one object share their rounding: one of them
            widths.append(high - low)
            covered.append(low <= truth[0] <= high)
    widths, covered = np.array(widths), np.array(covered)
    for low, high in ((0.0, 1e-10), (1e-10, 1e-6), (1e-6, 1e-2), (1e-2, 1.9)):
        within = (widths > low) & (widths <= high)
        assert covered[within].sum() >= scipy.stats.binom.ppf(1e-6, within.sum(), 0.95), (low, high, covered[within].mean())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", ["least_squares", "ridge"])
def test_intervals_at_the_level_of_rounding_cover_what_they_say(method, dtype):
    check_cover(method, dtype)


def test_a_decoder_that_ignored_the_rounding_of_decoding_would_be_caught(monkeypatch):
    """The negative control."""
    monkeypatch.setattr("simnet.decoding.linear.DECODING_UNITS", 0.0)
    with pytest.raises(AssertionError):
        check_cover("least_squares", "float64")


def test_light_objects_are_told_or_their_intervals_are_wide():
    """40 draws, an object of weight 1e-12: 95 % intervals hold it (failure probability 1e-6)."""
    ex, d = EXTREMES["weight 1e-12"]
    covered = 0
    for seed in range(40):
        sketcher = simnet.Sketcher(ex.network, d, seed=seed)
        low, high = np.asarray(sketcher.decode(sketcher.encode(ex), ex.structure, "ridge").interval(0.95)["o"])[0]
        covered += low <= 0.6 <= high
    assert covered >= scipy.stats.binom.ppf(1e-6, 40, 0.95), covered


def test_the_prior_looks_at_objects_however_light():
    """Without them it would be that of the heaviest alone, which a mean explains."""
    ex, d = EXTREMES["weight 1e-12"]
    for seed in range(20):
        sketcher = simnet.Sketcher(ex.network, d, seed=seed)
        system = LinearSystem(sketcher, sketcher.observe(sketcher.encode(ex)), ex.structure)
        assert solve_directly(system, None).prior.variance > 1e-4


def test_small_singular_values_are_as_accurate_as_large_ones():
    """Orthonormal columns of lengths from 1 to 1e-40; the negative control is an ordinary decomposition."""
    lengths = np.logspace(0, -40, 12)
    columns = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 12)))[0] * lengths[::-1]
    graded, plain = (f(columns)[1] / lengths for f in (graded_svd, lambda x: np.linalg.svd(x, full_matrices=False)))
    assert np.abs(graded - 1.0).max() < 1e-12
    assert np.abs(plain - 1.0).max() > 0.1


@pytest.mark.parametrize("method", DECODERS)
def test_an_object_of_weight_0_is_not_told_from_nothing(method):
    ex, d = EXTREMES["weight 0"]
    sketcher = simnet.Sketcher(ex.network, d, seed=1)
    low, high = np.asarray(sketcher.decode(sketcher.encode(ex), ex.structure, method).interval(0.95)["o"]).T
    assert (high - low >= 1.0).all()


def test_very_many_objects():
    n = 8_000
    draw = np.random.default_rng(0)
    attributes = draw.uniform(0.0, 0.5, (n, 2))
    ex = simnet.Execution.from_objects([(i, "m", attributes[i], [], []) for i in range(n)], [(i, 1.0 / n) for i in range(n)])
    sketcher = simnet.Sketcher(ex.network, 4096, recipe="prototype_b", seed=0)
    sketch = sketcher.encode(ex)
    low, high = sketcher.frequency(sketch, "m").interval(1.0 - 1e-6)
    assert low <= 1.0 <= high
    assert high - low < 0.5
    estimate = sketcher.decode(sketch, ex.structure)
    low, high = np.asarray(estimate.interval(0.95)[n // 2]).T
    assert (high - low > 1.0).all(), "one of eight thousand is not to be read"


def test_one_thread_and_many_give_the_same():
    """Up to rounding, where the library of linear algebra splits work among threads and where it does not."""
    code = (
        "import numpy as np, simnet\\n"
        "net = simnet.networks.random_dag(modules=12, attribute_dim=6, seed=0)\\n"
        "runs = net.run(4, seed=1)\\n"
        "for family in ('trig', 'gaussian'):\\n"
        "    sk = simnet.Sketcher(net, 300, family, seed=2)\\n"
        "    s = sk.encode(runs)\\n"
        "    x = sk.decode(s, runs[0].structure, 'least_squares').attributes\\n"
        "    print(repr(float(np.sum(s**2))), repr([float(np.sum(v)) for v in x]))\\n"
    ).replace("\\n", "\n")
    answers = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n, "PYTHONPATH": ".", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    ]
    numbers = [
        np.array([float(x) for x in answer.replace("[", " ").replace("]", " ").replace(",", " ").split()])
        for answer in answers
    ]
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=1e-9, atol=1e-9)
