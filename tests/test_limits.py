"""Limits on memory hold within their block and only there; a study of a stranger takes neither all of it nor for ever."""

from __future__ import annotations

import time

import numpy as np
import pytest

from simnet import limits
from simnet.limits import at_most
from simnet.study import StudyError, load_study

STUDY = """
title = "Large"
question = "How large?"
claim = "attribute_recovery"
trials = 1
[parameters]
network = {family = "layered", widths = [40, 40], attribute_dim = 20000, fan_in = 30}
"""


def test_it_holds_within_and_not_after():
    with pytest.raises(MemoryError), at_most(1 << 28):
        np.ones(1 << 28)
    assert np.ones(1 << 26).nbytes == 1 << 29


def test_limits_within_limits_are_the_smaller():
    with at_most(1 << 28), at_most(1 << 40), pytest.raises(MemoryError):
        np.ones(1 << 28)


def test_a_study_of_a_network_that_fits_in_no_memory_is_one_line(tmp_path):
    path = tmp_path / "large.toml"
    path.write_text(STUDY)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert caught.value.mistakes == (f"{path}: parameters: a network of this study takes more than 2 GB",)


# Hypothesis, where it is loaded, looks on while garbage is collected: a first alarm may strike there
IGNORED = "ignore::pytest.PytestUnraisableExceptionWarning"


@pytest.mark.filterwarnings(IGNORED)
def test_an_alarm_that_strikes_where_python_ignores_it_strikes_again(monkeypatch):
    ignored = []
    monkeypatch.setattr("sys.unraisablehook", lambda report: ignored.append(report.exc_type))
    monkeypatch.setattr(limits, "AGAIN", 0.05)

    class Slow:
        def __del__(self):
            time.sleep(10)  # the alarm ends it, and Python ignores what it raised

    def work():
        slow = Slow()
        del slow
        time.sleep(10)

    with pytest.raises(limits.TimeIsUp), limits.within(0.05):
        work()
    assert ignored == [limits.TimeIsUp]


@pytest.mark.filterwarnings(IGNORED)
def test_a_study_of_a_network_that_is_never_done_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "long.toml"
    path.write_text(STUDY.split("network")[0] + 'network = {family = "random_dag", modules = 100000000}\n')
    monkeypatch.setattr("simnet.study.study.CHECK_SECONDS", 0.5)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert caught.value.mistakes == (f"{path}: parameters: the networks of this study take more than 0.5 s to make",)
