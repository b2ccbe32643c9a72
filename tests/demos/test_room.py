"""The year of rooms: intervals hold the truth as often as they say, and the truth is the truth."""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats
from rich.console import Console

from simnet.demos import room
from simnet.demos.story import LEVEL, Told
from tests.statistical import FAILURE, agrees

# all answers of a year are by the same matrices: years are independent, answers are not
YEARS, DAYS = 40, 12

#: Intervals are those of large sketches, and discrete truths are few: the mean share may be off by this.
SLACK = 0.01


def calibrated(year):
    """All answers whose intervals cover as often as their level says."""
    parts = (room.how_many, room.monthly, room.how_large, room.what_colour, room.last_room)
    return [told for part in parts for told in part(year)]


def narrowed(told, factor):
    middle, reach = (told.low + told.high) / 2.0, factor * (told.high - told.low) / 2.0
    return Told(told.question, told.value, middle - reach, middle + reach, told.truth)


@pytest.fixture(scope="module")
def years():
    """Short ones."""
    return [room.live(seed, DAYS) for seed in range(YEARS)]


def test_intervals_hold_the_truth_as_often_as_they_say(years):
    # fails with probability 1e-6 (FAILURE) if they do
    told = [calibrated(year) for year in years]
    assert agrees([np.mean([t.right for t in each]) for each in told], LEVEL, slack=SLACK)
    # and narrower ones do not
    narrow = [np.mean([narrowed(t, 0.6).right for t in each]) for each in told]
    assert not agrees(narrow, LEVEL, slack=SLACK)


def test_the_number_of_rooms_with_a_cat_is_held_at_least_as_often(years):
    # misses of a right one are at most binomial: more than this with probability 1e-6
    allowed = scipy.stats.binom.isf(FAILURE, YEARS, 1.0 - LEVEL)
    assert sum(not room.how_often(year).right for year in years) <= allowed


def test_rooms_are_counted_wrong_where_sketches_are_decoded_by_other_matrices(years):
    wrong = 0
    for year, other in pairwise(years[:10]):
        wrong += not room.how_often(replace(year, sketcher=other.sketcher)).right
    assert wrong > 5


def test_distances_hold_the_truth_at_least_as_often(years):
    shares = []
    for year in years[:12]:
        measured, truth = room.distances(year)
        low, high = measured.interval(LEVEL).T
        shares.append(np.mean((low <= truth) & (truth <= high)))
        assert np.corrcoef(measured.value, truth)[0, 1] > 0.95
    assert np.mean(shares) >= LEVEL


def test_the_truth_is_what_the_runs_made(years):
    year = years[0]
    for i in (0, 5, len(year.runs) - 1):
        objects = year.runs[i].objects
        assert year.counts[i].tolist() == [sum(o.module == kind for o in objects) for kind in room.KINDS]
    cats = [o.attributes for i in range(len(year.runs)) for o in year.runs[i].objects if o.module == "cat"]
    assert np.allclose(year.totals[0], np.sum(cats, axis=0))
    assert sum(t.truth for t in room.monthly(year)) == room.how_many(year)[0].truth == len(cats)


def test_cats_come_in_the_evening(years):
    # the difference of the two rates over all years: wrong with probability below 1e-6
    there = np.concatenate([year.counts[:, 0] > 0 for year in years])
    assert there[1::2].mean() > there[::2].mean() + 0.1


def test_what_is_kept_is_what_is_said(years):
    year = years[0]
    rooms = 2 * DAYS
    assert year.rooms.shape == (rooms, room.KEPT)
    assert year.sums.shape == (room.MONTHS, 2, room.SKETCH_DIM)
    assert year.bytes == rooms * (room.KEPT + 8) + 4 * 2 * room.MONTHS * room.SKETCH_DIM
    whole = year.sketcher.encode(year.runs)
    assert np.allclose(year.sums.sum(axis=(0, 1)), whole.sum(axis=0), atol=1e-4)
    # 8 bits: off by half a step at most
    steps = np.abs(whole[:, : room.KEPT]).max(axis=1, keepdims=True) / 127.0
    assert (np.abs(year.rooms - whole[:, : room.KEPT]) <= 0.51 * steps).all()


def test_the_story_is_told_from_the_run():
    pieces = []
    story = room.tell(4, pieces.append, days=DAYS)
    console = Console(file=io.StringIO(), width=140)
    for piece in pieces:
        console.print(piece)
    text = console.file.getvalue()
    for told in story.told[:4]:
        assert f"{told.low:.0f} to {told.high:.0f}" in text
    assert f"of {len(story.told)} intervals hold the truth" in text
    assert len(story.figure.axes) == 4
    again = room.tell(4, lambda piece: None, days=DAYS)
    assert again.told == story.told
