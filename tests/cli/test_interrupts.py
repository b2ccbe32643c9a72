"""An interrupt that Python ignored, in the middle of a deletion, ends a command at its next step."""

import os
import signal
import time

import pytest

from simnet.claims import verify
from simnet.cli.terminal import interrupts_kept


class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_it_is_raised_again_at_the_next_step_and_what_was_before_comes_back():
    told = []
    with interrupts_kept(lambda *a: told.append(a)) as progress:
        progress(1, 2, "a")
        Deaf()
        with pytest.raises(KeyboardInterrupt):
            progress(2, 2, "b")
    assert told == [(1, 2, "a")]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_interrupts_are_ignored_they_still_are():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_kept(lambda *a: None) as progress:
            Deaf()
            progress(1, 2, "a")
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_verify_ends_too(run, monkeypatch):
    def steps(*_, progress, **__):
        Deaf()
        progress(1, 2, "kernel")
        raise AssertionError("it went on")

    monkeypatch.setattr(verify, "verify", steps)
    ended = run("verify", "--quick")
    assert ended.status == 130
    assert "interrupted" in ended.err
