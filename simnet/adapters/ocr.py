"""Pages of text: the OCR pipeline of ``rapidocr`` as a modular network.  Needs the extra ``ocr`` to read images.

The pipeline goes from the image to boxes of lines, their angle, and text.  Its network has a module for each stage:

    root ← word × slots      word ← angle, place      angle ← box

``box`` is a line that was detected, ``angle`` what the classifier says of it (upright, upside down), ``word`` a word
that was recognised in it and ``place`` where that stands.  The words of one line share its angle and its box, so that
the object graph is no tree, and a page has as many of them as there are, in slots of weight ``1/slots``, in the order
of reading.

The attributes of a word are those of its letters: its trigrams, hashed, a non-negative vector of unit length.  Words
that are spelt alike are alike, and with :data:`RECIPE` nearly all of the kernel of two pages is that of their words,
whatever their layout.  All places together have ``68`` unknowns a slot; with more coordinates everything comes back
exactly (:mod:`simnet.decoding.joint`), from any prefix that still has so many.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, sequence, shown
from simnet.decoding.joint import JointSystem
from simnet.networks import Executions, Group, ModularNetwork, Module, Slot, Structure
from simnet.recipes import Recipe
from simnet.sketcher import Sketcher

Array = NDArray[Any]

#: Attributes of a word.
LETTERS = 54

#: Rectangles are (centre, size) in shares of the page, divided by this, so that none is longer than 1.
RECTANGLE = 2.0

#: Two lines are one if their rectangles differ by less, in shares of the page.
SAME = 1e-3

#: Little weight on marks of presence, which all words share, and on what feeds a word, its layout.
RECIPE = Recipe(0.5**0.5, 0.5**0.5, 0.9**0.5, 0.1**0.5, 0.99**0.5, 0.1)


@dataclass(frozen=True, eq=False)
class Line:
    """A line that was detected: its rectangle ``(x, y, width, height)``, in shares of the page, its angle, its words.

    Attributes
    ----------
    box : (4,) array
    angle : (2,) array
        How likely it is upright, and upside down.
    words : tuple of str
    places : (words, 4) array
        Where each word stands.
    """

    box: Array
    angle: Array
    words: tuple[str, ...]
    places: Array


@dataclass(frozen=True, eq=False)
class Page:
    """What the pipeline found on an image: lines in the order of reading."""

    lines: tuple[Line, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """All words."""
        return tuple(word for line in self.lines for word in line.words)


def engine() -> Any:
    """The pipeline of ``rapidocr`` with its own models, on one thread, which makes it the same every time.

    Raises
    ------
    ValueError
        If the extra is not installed.
    """
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise ValueError(f"rapidocr: not installed ({error.name}), install the extra 'ocr'") from None
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={"Global.log_level": "critical", "Global.return_word_box": True, **threads})


def read_page(pipeline: Any, image: Any) -> Page:
    """Run the pipeline on an image, and keep what each stage said.

    Parameters
    ----------
    pipeline : RapidOCR
        Of :func:`engine`, or another that returns the boxes of words.
    image : (height, width, 3) array, or a path
    """
    whole = pipeline.load_img(image)
    small, record = pipeline.preprocess_img(whole)
    boxes, angles, texts, parts = pipeline.run_ocr_steps(small, record)
    # the last step drops lines without text or certainty; the classifier's answers are not among what it sorts
    recognised = zip(texts.txts or (), texts.scores or (), strict=True)
    kept = [i for i, (text, score) in enumerate(recognised) if text.strip() and score >= pipeline.text_score]
    labels = [angles.cls_res[i] for i in kept]
    if not kept:
        return Page(())
    found = pipeline.build_final_output(whole, boxes, angles, texts, parts, record)
    height, width = whole.shape[:2]
    size = np.array([width, height])
    lines, rest = [], list(found.word_results)
    for corners, text, (label, score) in zip(found.boxes, found.txts, labels, strict=True):
        box, words = _rectangle(corners, size), tuple(text.split())
        upright = float(score) if label == "0" else 1.0 - float(score)
        # lines of which no part was located are missing among the parts; parts that spell no line are passed by
        spelt = (i for i, parts in enumerate(rest) if _letters(part for part, *_ in parts) == _letters(words))
        place = next(spelt, None)
        located = () if place is None else rest[place]
        rest = rest if place is None else rest[place + 1 :]
        corners_of = [np.asarray(points, dtype=float) for part, _, points in located for _ in _letters([part])]
        ends = np.cumsum([len(word) for word in words])
        # a wide letter may split a word into parts: it stands where all of its letters do
        spans = [corners_of[end - len(word) : end] if located else [corners] for word, end in zip(words, ends, strict=True)]
        places = np.array([_rectangle(np.concatenate(span), size) for span in spans])
        lines.append(Line(box, np.array([upright, 1.0 - upright]), words, places))
    return Page(tuple(lines))


def _letters(words: Iterable[str]) -> str:
    return "".join("".join(words).split())


def _rectangle(corners: Any, size: Array) -> Array:
    points = np.clip(np.asarray(corners, dtype=float) / size, 0.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([(low + high) / 2.0, high - low])


def embedded(word: str, size: int = LETTERS) -> Array:
    """The trigrams of a word with its ends, counted by their hash: non-negative, of unit length, the same for any case.

    Examples
    --------
    >>> from simnet.adapters.ocr import embedded
    >>> [round(float(embedded("window") @ embedded(other)), 2) for other in ("Window", "windows", "garden")]
    [1.0, 0.91, 0.29]
    """
    if not isinstance(word, str) or not word:
        raise ValueError(f"word = {shown(word)}: must be a string of a letter at least")
    spelt = f"^{word.casefold()}$"
    counts = np.zeros(size)
    for i in range(len(spelt) - 2):
        counts[zlib.crc32(spelt[i : i + 3].encode()) % size] += 1.0
    return counts / np.linalg.norm(counts)


def named(letters: Array, vocabulary: Iterable[str]) -> list[str]:
    """The word of a vocabulary whose letters are most like each row."""
    words = list(vocabulary)
    return [words[i] for i in np.argmax(letters @ np.array([embedded(word) for word in words]).T, axis=1)]


@dataclass(frozen=True, eq=False)
class FoundPage:
    """What a sketch says of its page: a row a word, in the order of reading.

    Attributes
    ----------
    letters : (n, LETTERS) array
        Of each word; :func:`named` looks them up.
    places : (n, 4) array
        Where the word stands.
    boxes : (n, 4) array
        The line that it is in.
    angles : (n, 2) array
        Of that line.
    doubt : float
        How far the presence of any object in any slot is from 0 and from 1: rounding, where the answer is certain.
    """

    letters: Array
    places: Array
    angles: Array
    boxes: Array
    doubt: float

    def __len__(self) -> int:
        return len(self.letters)

    @cached_property
    def regions(self) -> list[tuple[Array, list[int]]]:
        """The different lines: the rectangle of each, and which words are in it."""
        found: list[tuple[Array, list[int]]] = []
        for word, box in enumerate(self.boxes):
            mine = next((words for known, words in found if np.abs(known - box).max() < SAME), None)
            if mine is None:
                found.append((box, [word]))
            else:
                mine.append(word)
        return found


@dataclass(frozen=True)
class Pages:
    """The network of pages of at most so many words, their executions, and what comes back from a sketch.

    Examples
    --------
    >>> import numpy as np, simnet
    >>> from simnet.adapters.ocr import RECIPE, Line, Page, Pages
    >>> title = Line(np.array([0.5, 0.1, 0.6, 0.1]), np.array([1.0, 0.0]), ("river", "stone"), np.full((2, 4), 0.25))
    >>> pages = Pages(slots=4)
    >>> sketcher = simnet.Sketcher(pages.network, sketch_dim=512, recipe=RECIPE, seed=3)
    >>> (found,) = pages.recover(sketcher, sketcher.encode(pages.executions([Page((title,))])))
    >>> len(found), len(found.regions), bool(found.doubt < 1e-9)
    (2, 1, True)
    """

    slots: int = 24

    def __post_init__(self) -> None:
        integer("slots", self.slots, minimum=1)

    @property
    def network(self) -> ModularNetwork:
        """Root, words, and what feeds them."""
        half = (Slot(("angle",), 0.5), Slot(("place",), 0.5))
        modules = (
            Module("box", 4),
            Module("angle", 2, (Slot(("box",), 1.0),)),
            Module("place", 4),
            Module("word", LETTERS, half),
        )
        return ModularNetwork(modules, tuple(Slot(("word",), 1.0 / self.slots) for _ in range(self.slots)))

    def executions(self, pages: Iterable[Page]) -> Executions:
        """One execution for each page.

        Raises
        ------
        ValueError
            If a page has more words than there are slots.
        """
        network, groups = self.network, []
        for run, page in enumerate(sequence("pages", pages, "pages", Page)):
            if len(page.words) > self.slots:
                raise ValueError(f"page {run}: has {len(page.words)} words, must be at most {self.slots}, the slots")
            structure = self._structure(network, page)
            attributes = []
            for line in page.lines:
                attributes += [line.box / RECTANGLE, line.angle]
                for word, place in zip(line.words, line.places, strict=True):
                    attributes += [place / RECTANGLE, embedded(word)]
            groups.append(
                Group(structure, np.array([run]), tuple(x[None] for x in attributes), structure.edge_weights[None])
            )
        return Executions(tuple(groups))

    def _structure(self, network: ModularNetwork, page: Page) -> Structure:
        names: list[str] = []
        modules: list[str] = []
        inputs: list[tuple[str, ...]] = []
        ends: list[str | None] = []

        def add(module: str, number: int, *feeding: str) -> str:
            names.append(f"{module} {number}")
            modules.append(module)
            inputs.append(feeding)
            return names[-1]

        for number, line in enumerate(page.lines):
            angle = add("angle", number, add("box", number))
            for _ in line.words:
                place = add("place", len(ends))
                ends.append(add("word", len(ends), angle, place))
        ends += [None] * (self.slots - len(ends))
        weights = tuple(tuple(slot.weight for slot in network.module(module).slots) for module in modules)
        outputs = tuple(slot.weight for slot in network.outputs)
        return Structure(network, tuple(names), tuple(modules), tuple(inputs), weights, tuple(ends), outputs)

    def recover(self, sketcher: Sketcher, sketches: Any) -> list[FoundPage]:
        """Words, places, angles and boxes of every page, from its sketch or a prefix of it alone.

        Parameters
        ----------
        sketcher : Sketcher
            Of :attr:`network`.
        sketches : (d',) or (n, d') array

        Raises
        ------
        ValueError
            If the sketcher is one of another network, or the coordinates are too few to tell all places apart.
        """
        if sketcher.network != self.network:
            raise ValueError(f"sketcher: is of another network, must be of that of pages of {self.slots} slots")
        observation = sketcher.observe(sketches)
        system = JointSystem(sketcher, observation.rows)
        sums, _ = system.solve(observation.remaining, np.zeros(len(observation.remaining)))
        weights = np.array(system.weights)
        presence = sums[:, [span.stop for span in system.spans]] / weights
        there = presence > 0.5
        values: dict[str, list[Array]] = {module: [] for module in ("word", "place", "angle", "box")}
        for module, weight, span in zip(system.modules, weights, system.spans, strict=True):
            values[str(module)].append(sums[:, span] / weight)
        doubt = np.abs(presence - there).max(axis=1)
        found = []
        for page in range(len(sums)):
            mine = there[page, [module == "word" for module in system.modules]]
            word, place, angle, box = (np.array([x[page] for x in values[m]])[mine] for m in values)
            found.append(FoundPage(word, place * RECTANGLE, angle, box * RECTANGLE, float(doubt[page])))
        return found
