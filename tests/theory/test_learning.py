"""The law of learning, against simulated supports."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.theory import learnt_fraction, learnt_fraction_independent
from tests.statistical import agrees

GRID = [
    (n, q, pi, columns)
    for n in (1, 20, 100)
    for q, pi, columns in [(0.25, 0.1, 32), (0.5, 0.3, 8), (1.0, 0.1, 12), (0.1, 0.2, 60)]
]


def simulated(n, q, pi, columns, draws, seed=0):
    """Of one cell that is there, whether it was seen alone in ``n`` samples, in independent worlds."""
    draw = np.random.default_rng(seed)
    there = draw.random((draws, 1, columns - 1)) < q
    seen = np.zeros(draws, dtype=bool)
    for _ in range(n):
        others = ((draw.random((draws, 1, columns - 1)) < pi) & there).any(axis=(1, 2))
        seen |= (draw.random(draws) < pi) & ~others
    return seen.astype(float)


@pytest.mark.parametrize(("n", "q", "pi", "columns"), GRID)
def test_the_law_is_exact(n, q, pi, columns):
    seen = simulated(n, q, pi, columns, draws=3000)
    assert agrees(seen, learnt_fraction(samples=n, density=q, sparsity=pi, columns=columns))
    assert not agrees(seen, 0.5 * learnt_fraction(samples=n, density=q, sparsity=pi, columns=columns))


@pytest.mark.parametrize(("n", "q", "pi", "columns"), GRID)
def test_the_approximation_is_never_below_and_exact_for_one_sample_or_full_columns(n, q, pi, columns):
    setting = {"samples": n, "density": q, "sparsity": pi, "columns": columns}
    exact, simple = learnt_fraction(**setting), learnt_fraction_independent(**setting)
    assert simple >= exact - 1e-12
    if n == 1 or q == 1.0:
        assert simple == pytest.approx(exact, rel=1e-10)


def test_the_approximation_is_refuted_where_blocks_are_crowded():
    setting = {"samples": 80, "density": 0.5, "sparsity": 0.2, "columns": 32}
    seen = simulated(80, 0.5, 0.2, 32, draws=10_000)
    assert agrees(seen, learnt_fraction(**setting))
    assert learnt_fraction_independent(**setting) > 1.08 * learnt_fraction(**setting)
    assert not agrees(seen, learnt_fraction_independent(**setting))


def test_ends():
    setting = {"density": 0.5, "sparsity": 0.3, "columns": 4}
    assert learnt_fraction(samples=0, **setting) == 0.0
    assert learnt_fraction(samples=10**6, **setting) == pytest.approx(1.0)
    assert learnt_fraction(samples=5, density=1.0, sparsity=1.0, columns=1) == 1.0
    assert learnt_fraction(samples=5, density=1.0, sparsity=1.0, columns=2) == 0.0
    assert learnt_fraction(samples=5, density=1.0, sparsity=0.0, columns=2) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": -1}, "samples = -1"),
        ({"density": 1.5}, "density = 1.5"),
        ({"sparsity": float("nan")}, "sparsity = nan"),
        ({"columns": 0}, "columns = 0"),
    ],
)
def test_out_of_domain_is_refused_by_name(change, message):
    setting = {"samples": 1, "density": 0.5, "sparsity": 0.5, "columns": 4} | change
    with pytest.raises(ValueError, match=message):
        learnt_fraction(**setting)
