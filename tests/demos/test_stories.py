"""The other stories: what they say is right, and is said."""

import io

import numpy as np
import pytest
from rich.console import Console

from simnet.demos import DEMOS, story, tell, truncation
from simnet.demos.story import Told, answers, score


def told(name, seed):
    """The story and its text."""
    console = Console(file=io.StringIO(), width=140)
    return tell(name, seed, console.print), console.file.getvalue()


@pytest.mark.parametrize("seed", [0, 1])
def test_one_sketch_unrolls_step_by_step(seed):
    made, text = told("unroll", seed)
    assert "every object, every slot and every attribute is right" in text
    assert "in slot 0 of root" in text
    said = [t.get_text() for t in made.figure.axes[0].texts]
    assert sum(label == "root" for label in said) == 2


def test_truncated_answers_widen_by_the_law_and_least_squares_ends_at_an_edge():
    ex, prefixes = truncation.measure(0)
    attributes = sum(ex.structure.attribute_dims)
    for p in prefixes:
        half = np.ptp(p.intervals, axis=1).mean() / 2.0
        assert half == pytest.approx(1.96 * p.law, rel=0.15)
        assert (p.exact is None) == (p.kept < attributes)
        assert p.exact is None or p.exact < truncation.EXACT
        assert p.unrolled in (True, None)
    assert sum(p.unrolled is True for p in prefixes) >= 4
    widths = [np.ptp(p.intervals, axis=1).mean() for p in prefixes]
    assert np.all(np.diff(widths) > 0.0)


def test_the_truncation_story_shows_every_prefix():
    made, text = told("truncation", 0)
    for kept in truncation.KEPT:
        assert f" {kept} " in text
    assert score(made.told) in " ".join(text.split())


def test_blind_wiring_finds_modules_and_edges():
    made, text = told("wiring", 0)
    assert "7 of 7 modules found and 0 that are not there; 6 of 6 edges found and 0 that are not there" in text
    said = [t.get_text() for t in made.figure.axes[0].texts]
    assert "{0, 1, 2, 3}" in said
    assert "module 6" in said


def test_answers_say_whether_the_interval_holds_the_truth():
    inside, outside = Told("a", 1.0, 0.5, 1.5, 1.2), Told("b", 1.0, 0.5, 1.5, 2.0)
    assert [inside.right, outside.right] == [True, False]
    console = Console(file=io.StringIO(), width=100)
    console.print(answers([inside, outside]))
    a, b = (line for line in console.file.getvalue().splitlines() if line.startswith("│"))
    assert "yes" in a
    assert "no" in b
    assert score([inside, outside]).startswith("1 of 2")
    assert f"{1.0 - story.LEVEL:.0%}" in score([inside])


def test_an_unknown_story_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'wiring'"):
        tell("wirring", 0, print)
    with pytest.raises(ValueError, match="seed = -1"):
        tell("room", -1, print)
    assert set(DEMOS) == {"room", "unroll", "truncation", "wiring"}
