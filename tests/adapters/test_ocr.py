"""Pages of text: everything the pipeline said comes back from a sketch, and the page of the same words is found."""

from types import SimpleNamespace

import numpy as np
import pytest

import simnet
from experiments.ocr_pages import drawings, nearest
from simnet.adapters.ocr import RECIPE, Line, Page, Pages, embedded, engine, named, read_page
from simnet.decoding.joint import unknowns_of
from simnet.randomness import stream

SLOTS = 10
WORDS = [f"{a}{b}" for a in ("river", "stone", "window", "yellow", "basket") for b in ("", "ing", "head", "some")]


def page(seed, words):
    """A page of these words in lines of one to four."""
    rng, lines = stream(seed, "page"), []
    while words:
        here, words = words[: (n := int(rng.integers(1, 5)))], words[n:]
        upright = float(rng.random())
        lines.append(Line(rng.random(4), np.array([upright, 1.0 - upright]), tuple(here), rng.random((len(here), 4))))
    return Page(tuple(lines))


@pytest.fixture(scope="module")
def pages():
    return Pages(SLOTS)


@pytest.fixture(scope="module")
def sketcher(pages):
    return simnet.Sketcher(pages.network, 4096, recipe=RECIPE, seed=3)


@pytest.fixture(scope="module")
def read():
    """Twelve texts, each in two layouts, the second in another order."""
    found = []
    for text in range(12):
        words = stream(text, "words").choice(WORDS, text % SLOTS + 1, replace=False).tolist()
        found += [page(2 * text, words), page(2 * text + 1, words[::2] + words[1::2])]
    return found


@pytest.mark.parametrize("kept", [4096, 1024])
def test_a_page_comes_back_from_its_sketch_and_from_a_quarter_of_it(pages, sketcher, read, kept):
    assert unknowns_of(sketcher) < 1024
    found = pages.recover(sketcher, sketcher.encode(pages.executions(read))[:, :kept])
    for one, truth in zip(found, read, strict=True):
        assert len(one) == len(truth.words)
        assert one.doubt < 1e-9
        assert named(one.letters, WORDS) == list(truth.words)
        np.testing.assert_allclose(one.places, np.concatenate([line.places for line in truth.lines]), atol=1e-9)
        np.testing.assert_allclose(one.angles, [line.angle for line in truth.lines for _ in line.words], atol=1e-9)
        assert [len(words) for _, words in one.regions] == [len(line.words) for line in truth.lines]
        np.testing.assert_allclose([box for box, _ in one.regions], [line.box for line in truth.lines], atol=1e-9)


def test_a_page_of_nothing_and_one_by_other_matrices(pages, sketcher, read):
    (empty,) = pages.recover(sketcher, sketcher.encode(pages.executions([Page(())])))
    assert len(empty) == 0
    assert empty.regions == []
    other = simnet.Sketcher(pages.network, 4096, recipe=RECIPE, seed=4)
    (wrong,) = pages.recover(other, sketcher.encode(pages.executions(read[-1:])))
    assert wrong.doubt > 1e-3


def test_a_page_unrolls(pages, sketcher, read):
    truth = read[4]
    found = sketcher.unroll(sketcher.encode(pages.executions([truth]))[0, :1024], wiring="network")
    assert found.certain
    assert sorted(found.structure.modules) == sorted(pages.executions([truth])[0].structure.modules)
    letters = [found.attributes[name] for name in found.structure.outputs if name is not None]
    assert named(np.array(letters), WORDS) == list(truth.words)


@pytest.mark.parametrize("kept", [4096, 1024])
def test_the_same_words_otherwise_are_the_most_alike(pages, sketcher, read, kept):
    partner = np.arange(len(read)) ^ 1
    sketches = sketcher.encode(pages.executions(read))[:, :kept]
    assert np.mean(nearest(sketches)[0] == partner) >= 0.95
    # sketches each by matrices of its own have nothing in common
    apart = [
        simnet.Sketcher(pages.network, 1024, recipe=RECIPE, seed=i).encode(pages.executions([one]))[0]
        for i, one in enumerate(read)
    ]
    assert np.mean(nearest(np.array(apart))[0] == partner) < 0.5


def test_words_are_alike_as_they_are_spelt():
    assert embedded("Stone") @ embedded("stone") == pytest.approx(1.0)
    assert embedded("stone") @ embedded("stones") > 0.5 > embedded("stone") @ embedded("yellow")
    assert embedded("a").min() >= 0.0
    assert np.linalg.norm(embedded("basket")) == pytest.approx(1.0)


def corners(x, y, width, height):
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]


class Stub:
    """A pipeline of four lines: one upside down, one in which a word is cut in two, one unsure, one not located."""

    text_score = 0.5
    texts = ("river stone", "window", "noise", "lamp")
    boxes = (corners(10, 10, 80, 20), corners(100, 50, 60, 20), corners(0, 90, 9, 9), corners(20, 70, 40, 10))
    angles = (("0", 0.9), ("180", 0.8), ("0", 0.7), ("0", 1.0))
    scores = (0.99, 0.9, 0.1, 0.95)

    def load_img(self, image):
        return image

    def preprocess_img(self, image):
        return image, {}

    def run_ocr_steps(self, image, record):
        texts = SimpleNamespace(txts=self.texts, scores=self.scores)
        return SimpleNamespace(boxes=self.boxes), SimpleNamespace(cls_res=self.angles), texts, []

    def build_final_output(self, image, boxes, angles, texts, parts, record):
        sure = [0, 1, 3]
        words = (
            (("river", 0.9, corners(10, 10, 40, 20)), ("stone", 0.9, corners(55, 10, 35, 20))),
            (("win", 0.9, corners(100, 50, 25, 20)), ("dow", 0.9, corners(130, 50, 30, 20))),
        )
        return SimpleNamespace(boxes=[self.boxes[i] for i in sure], txts=[self.texts[i] for i in sure], word_results=words)


def test_what_each_stage_said_is_kept():
    found = read_page(Stub(), np.zeros((100, 200, 3)))
    assert [line.words for line in found.lines] == [("river", "stone"), ("window",), ("lamp",)]
    first, second, last = found.lines
    np.testing.assert_allclose(first.box, [0.25, 0.2, 0.4, 0.2])
    np.testing.assert_allclose(first.places, [[0.15, 0.2, 0.2, 0.2], [0.3625, 0.2, 0.175, 0.2]])
    np.testing.assert_allclose([line.angle for line in found.lines], [[0.9, 0.1], [0.2, 0.8], [1.0, 0.0]])
    np.testing.assert_allclose(second.places, [second.box])  # both parts of the word
    np.testing.assert_allclose(last.places, [last.box])


def test_an_image_without_text_is_an_empty_page():
    class Blind(Stub):
        texts = scores = None

    assert read_page(Blind(), np.zeros((9, 9, 3))).lines == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Pages(0), "slots = 0"),
        (lambda: Pages(2).executions([page(0, WORDS[:3])]), "page 0: has 3 words, must be at most 2"),
        (lambda: embedded(""), "word = ''"),
        (lambda: Pages(9).recover(simnet.Sketcher(Pages(9).network, 64), np.zeros(64)), "64 coordinates"),
        (lambda: Pages(9).recover(simnet.Sketcher(Pages(8).network, 1024), np.zeros(1024)), "slots"),
    ],
)
def test_mistakes_are_told_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_pipeline_that_is_not_installed_is_told_in_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rapidocr", None)
    with pytest.raises(ValueError, match="install the extra 'ocr'"):
        engine()


def test_fifty_drawn_pages_are_read_and_come_back_from_a_quarter_of_their_sketches():
    pytest.importorskip("rapidocr")
    drawn, pages, pipeline = drawings(), Pages(), engine()
    assert len(drawn) == 50
    read = [read_page(pipeline, drawing.image()) for drawing in drawn]
    sketcher = simnet.Sketcher(pages.network, 8192, recipe=RECIPE, seed=3)
    sketches = sketcher.encode(pages.executions(read))
    for kept in (8192, 2048):
        part = sketches[:, :kept]
        for found, truth, drawing in zip(pages.recover(sketcher, part), read, drawn, strict=True):
            assert len(found) == len(drawing.words)
            assert sorted(named(found.letters, drawing.words)) == sorted(drawing.words)
            assert [len(words) for _, words in found.regions] == [len(line.words) for line in truth.lines]
            # the title that was drawn upside down
            assert bool(np.any(found.angles[:, 1] > 0.9)) == drawing.turned
        assert np.mean(nearest(part)[0] == np.arange(50) ^ 1) >= 0.95
