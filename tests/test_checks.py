"""Checks of arguments: what is taken, what it becomes, and messages with field, value and what is allowed."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import simnet
from simnet import checks


def test_integers_of_every_kind_become_int():
    for value in (3, np.int64(3), np.uint8(3)):
        assert checks.integer("n", value, minimum=3, maximum=3) == 3
        assert type(checks.integer("n", value)) is int


@pytest.mark.parametrize("value", [-1, 6, 2.0, "2", None, True, np.True_, math.nan, [2], 10**400])
def test_everything_else_is_no_integer_in_range(value):
    with pytest.raises(ValueError, match=r"^n = .*: must be an integer between 0 and 5$"):
        checks.integer("n", value, maximum=5)


def test_values_are_shown_on_one_short_line():
    assert checks.shown("a  b") == "'a  b'"
    assert checks.shown(np.eye(2)) == "array([[1., 0.], [0., 1.]])"
    assert len(checks.shown("x" * 10_000)) == len(checks.shown(10**400)) == 200
    assert checks.shown(10**5000) == "<int with too many digits to show>"
    with pytest.raises(ValueError, match=r"^n = <int with too many digits to show>: must be an integer between 0 and 5$"):
        checks.integer("n", 10**5000, maximum=5)
    with pytest.raises(ValueError, match=r"^x = <int with too many digits to show>: must be a finite number$"):
        checks.real("x", 10**5000)


def test_a_sequence_is_a_tuple_of_one_kind_and_no_string():
    assert checks.sequence("s", [1, "a"], "things") == (1, "a")
    assert checks.sequence("s", iter("ab"), "letters", str) == ("a", "b")
    for wrong in ("ab", b"ab", 3, None, np.array(3)):
        with pytest.raises(ValueError, match=r"^s = .*: must be a sequence of letters$"):
            checks.sequence("s", wrong, "letters", str)
    with pytest.raises(ValueError, match=r"^s\[1\] = 3: must be a str$"):
        checks.sequence("s", ["a", 3], "letters", str)


def test_counts_end_where_a_machine_word_does_and_seeds_do_not():
    assert checks.integer("n", 10**400, maximum=None) == 10**400
    assert checks.integer("n", checks.MOST) == 2**53
    with pytest.raises(ValueError, match=r"^n = 0: must be an integer >= 1$"):
        checks.integer("n", 0, minimum=1)
    with pytest.raises(ValueError, match=r"^n = 9223372036854775808: must be an integer between 1 and 9007199254740992$"):
        checks.integer("n", 2**63, minimum=1)
    assert simnet.networks.tree(seed=2**70).inputs == simnet.networks.tree().inputs
    with pytest.raises(ValueError, match=r"^widths\[0\] = 9223372036854775808: must be an integer between 1 and "):
        simnet.networks.layered(widths=(2**63, 5, 3))


def test_numbers_of_every_kind_become_float():
    for value in (1, 1.0, np.float32(1), np.int8(1), Fraction(1)):
        assert checks.real("x", value, minimum=1.0, maximum=1.0) == 1.0
        assert type(checks.real("x", value)) is float


@pytest.mark.parametrize(
    "value",
    [-0.1, 1.1, math.nan, math.inf, -math.inf, "0.5", None, True, 1j, [0.5], np.array(0.5), 10**400, Fraction(10**400)],
)
def test_everything_else_is_no_number_in_range(value):
    with pytest.raises(ValueError, match=r"^x = .*: must be a finite number in \[0, 1\]$"):
        checks.real("x", value, minimum=0.0, maximum=1.0)


def test_ends_may_be_open_and_ranges_endless():
    for end in (0.0, 1.0):
        assert checks.real("x", end, minimum=0.0, maximum=1.0) == end
        with pytest.raises(ValueError, match=rf"^p = {end}: must be a finite number in \(0, 1\)$"):
            checks.probability("p", end)
    assert checks.probability("p", 1e-300) == 1e-300
    assert checks.real("x", -1e300) == -1e300
    with pytest.raises(ValueError, match=r"^x = inf: must be a finite number$"):
        checks.real("x", math.inf)
    with pytest.raises(ValueError, match=r"^x = -1: must be a finite number in \[0, inf\]$"):
        checks.real("x", -1, minimum=0.0)


def test_a_choice_is_returned_or_the_nearest_is_suggested():
    assert checks.choice("m", "trig", ["haar", "trig"]) == "trig"
    assert checks.choice("m", 3, iter([1, 3])) == 3
    with pytest.raises(ValueError, match=r"^m = 'tirg': must be one of 'haar', 'trig' \(did you mean 'trig'\?\)$"):
        checks.choice("m", "tirg", ["haar", "trig"])
    with pytest.raises(ValueError, match=r"^m = 'zzz': must be one of 'haar', 'trig'$"):
        checks.choice("m", "zzz", ["haar", "trig"])
    with pytest.raises(ValueError, match=r"18, 19, …$"):
        checks.choice("m", "many", range(1000))


def test_an_array_is_no_choice():
    for wrong in (np.array(["trig"]), np.eye(2), ["trig"], 10**5000):
        with pytest.raises(ValueError, match=r"^m = .*: must be one of 'haar', 'trig'"):
            checks.choice("m", wrong, ["haar", "trig"])


def test_kept_is_all_or_some_of_the_coordinates():
    assert checks.kept_dimension(None, 8) == checks.kept_dimension(8, 8) == 8
    assert checks.kept_dimension(1, 8) == 1
    for wrong in (0, 9, 1.0, True, "all"):
        with pytest.raises(ValueError, match=r"^kept = .*: must be an integer between 1 and 8$"):
            checks.kept_dimension(wrong, 8)
