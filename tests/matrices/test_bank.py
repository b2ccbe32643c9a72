"""The bank: a matrix for every key, kept within so many bytes, drawn again bit for bit, in one stored order."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.matrices import Block, Gaussian, Haar, MatrixBank, Rademacher, Trig
from simnet.testing.defects import NaturalOrderTrig

families = pytest.mark.parametrize("family", [Gaussian(), Rademacher(), Haar(), Trig(), Block(1, 0.5)], ids=str)
KEYS = [("a", "value"), ("a", "object"), ("b", "value"), ("a", 0), ("a", 1), (0, 0), ("0", 0)]


@families
def test_keys_and_seeds_have_matrices_of_their_own(family):
    bank, other = MatrixBank(family, 32, 0), MatrixBank(family, 32, 1)
    drawn = [bank.matrix(key).todense().tobytes() for key in KEYS]
    drawn += [other.matrix(key).todense().tobytes() for key in KEYS]
    assert len(set(drawn)) == 2 * len(KEYS)


@families
def test_matrices_do_not_depend_on_what_was_asked_before(family):
    forward, backward = MatrixBank(family, 32, 0), MatrixBank(family, 32, 0)
    first = {key: forward.stored(key).todense() for key in KEYS}
    for key in reversed(KEYS):
        np.testing.assert_array_equal(backward.stored(key).todense(), first[key])


@families
def test_what_is_kept_stays_and_the_rest_is_drawn_again_bit_for_bit(family, monkeypatch):
    sizes = [MatrixBank(family, 64, 0).matrix((i,)).nbytes for i in range(4)]
    monkeypatch.setattr("simnet.matrices.bank.CACHE_BYTES", sum(sizes[:3]) + sizes[3] // 2)
    bank = MatrixBank(family, 64, 0)
    made = [bank.matrix((i,)) for i in range(4)]
    assert [bank.matrix((i,)) is made[i] for i in range(4)] == [True, True, True, False]
    np.testing.assert_array_equal(bank.matrix((3,)).todense(), made[3].todense())


def test_a_matrix_past_the_limit_is_served_and_not_kept(monkeypatch):
    monkeypatch.setattr("simnet.matrices.bank.CACHE_BYTES", 8 * 64 * 4)
    bank = MatrixBank(Gaussian(), 64, 0)
    small, large = bank.matrix(("m",), 4), bank.matrix(("m",), 5)
    assert bank.matrix(("m",), 4) is small
    assert bank.matrix(("m",), 5) is not large
    np.testing.assert_array_equal(bank.matrix(("m",), 5).todense(), large.todense())


def test_stored_matrices_are_the_natural_ones_in_one_random_order():
    bank = MatrixBank(Trig(), 40, 7)
    order = bank.order
    assert sorted(order) == list(range(40))
    assert list(order) != list(range(40))
    for key in KEYS:
        natural = bank.matrix(key).todense()
        np.testing.assert_allclose(bank.stored(key).todense(), natural[np.ix_(order, order)], atol=1e-14)
        narrow = bank.matrix(key, 3).todense()
        np.testing.assert_array_equal(bank.stored(key, 3).todense(), narrow[order])
    assert list(MatrixBank(Gaussian(), 40, 7).order) == list(order)
    assert list(MatrixBank(Trig(), 40, 8).order) != list(order)


def test_a_family_may_keep_the_natural_order():
    bank = MatrixBank(NaturalOrderTrig(), 40, 7)
    assert bank.order is None
    np.testing.assert_array_equal(bank.stored(("m",)).todense(), bank.matrix(("m",)).todense())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sketch_dim": 0}, "sketch_dim = 0: must be an integer >= 1"),
        ({"seed": -1}, "seed = -1: must be an integer >= 0"),
        ({"seed": 1.0}, "seed = 1.0: must be an integer"),
        ({"dtype": "float16"}, "dtype = 'float16': must be one of 'float32', 'float64'"),
    ],
)
def test_bad_arguments_are_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        MatrixBank(**{"family": Gaussian(), "sketch_dim": 8, "seed": 0, **changed})
