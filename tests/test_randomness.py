"""Streams: a draw belongs to its seed and its name, and to nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from simnet.randomness import stream

NAMES = [
    (),
    (None,),
    ("",),
    ("ab", "c"),
    ("a", "bc"),
    ("abc",),
    (("ab", "c"),),
    (("ab",), "c"),
    (1,),
    ("1",),
    (True,),
    (0,),
    (False,),
    (-1,),
    (12, 3),
    (1, 23),
    (("a", 1), 2),
    ("a", (1, 2)),
    ("s1:a",),
    ("é",),
    (2**70,),
]


def bits(seed, *names):
    return tuple(stream(seed, *names).integers(0, 2**63, 4))


def test_no_two_names_or_seeds_share_a_stream():
    drawn = [bits(seed, *names) for seed, names in itertools.product((0, 1, 2**80), NAMES)]
    assert len(set(drawn)) == 3 * len(NAMES)
    assert bits(0, 1) != bits(1, 0)


def test_a_stream_does_not_depend_on_the_others():
    alone = bits(3, "matrix", "eye", 0)
    for names in NAMES:
        bits(3, *names)
    assert bits(3, "matrix", "eye", 0) == alone


def test_streams_are_the_same_in_every_release():
    """Sketches on disk are decoded by matrices drawn later: these numbers must never change."""
    assert stream(0, "matrix", 3, "value").bit_generator.random_raw(2).tolist() == [
        15618598041328565785,
        2677235799011827254,
    ]


def test_numpy_integers_and_booleans_are_integers_and_booleans():
    assert bits(np.int64(3), np.uint8(7), np.bool_(True)) == bits(3, 7, True)


def test_streams_are_uniform_and_uncorrelated():
    """Two numbers of 4,000 streams of neighbouring names; each bound is passed by chance with probability 1e-6 or so."""
    u = np.array([stream(0, "trial", i).random(2) for i in range(4000)])
    assert np.abs(u.mean(0) - 0.5).max() < 5 / np.sqrt(12 * 4000)
    assert abs(np.corrcoef(u.T)[0, 1]) < 5 / np.sqrt(4000)
    assert abs(np.corrcoef(u[1:, 0], u[:-1, 0])[0, 1]) < 5 / np.sqrt(4000)


@pytest.mark.parametrize("seed", [-1, 1.0, "0", None, True])
def test_a_seed_is_an_integer_that_is_not_negative(seed):
    with pytest.raises(ValueError, match=r"seed = .*: must be an integer >= 0"):
        stream(seed)


@pytest.mark.parametrize("name", [1.0, ["a"], {"a": 1}, b"a", object(), ("a", 1.0)])
def test_names_without_a_stable_encoding_are_refused(name):
    with pytest.raises(TypeError, match="must be a string, an integer, a boolean, None or a tuple of these"):
        stream(0, name)
