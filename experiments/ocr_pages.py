"""Fifty drawn pages through a real OCR pipeline, and back from their sketches alone.

``python -m experiments.ocr_pages`` writes ``results/ocr_pages/``; it needs the extra ``ocr``.

Twenty-five texts of different length are drawn twice each, in another font, another size and another layout, so that
the lines break elsewhere, two columns mix the order of the words, and now and then a line stands upside down.  The
pipeline reads every page; its run becomes an object graph, and that a sketch of 8,192 numbers.  From the sketch, and
from its first quarter: how many words, which lines with which angle, what the words are and where they stand, and
which of the other 49 pages is most like it.  It should be the one with the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import simnet
from simnet.adapters.ocr import RECIPE, FoundPage, Page, Pages, engine, named, read_page
from simnet.memory.vectors import units
from simnet.randomness import stream
from simnet.report.style import BLUE, GREY, RESULTS, VERMILION, write_figure, write_table

Array = NDArray[Any]

SETS, TEXTS, FEWEST, SLOTS = 4, 25, 4, 24
SKETCH_DIM, KEPT, SEED = 8192, 2048, 3
WIDTH, HEIGHT, MARGIN = 900, 700, 40

#: How often a page begins with a line that stands upside down, and how many words that has.
TURNED, TITLE = 0.3, 2

#: The pipeline turns a line that its classifier takes for upside down with more than this.
TURNS = 0.9

WORDS = """
    river stone window garden yellow basket seven mountain paper lamp quiet orange silver bridge candle harbor
    market winter pocket mirror apple anchor autumn barrel blanket bottle branch breeze bronze butter cabin camera
    canvas carpet castle cellar chair cherry circle clock cloud coffee copper corner cotton cradle crystal curtain
    desert diamond dinner dragon eagle engine evening feather fence finger flower forest fountain galaxy ginger
    glass gravel hammer helmet honey horizon island ivory jacket jungle kettle kitchen ladder lantern leather lemon
    letter library marble meadow metal morning museum needle north number ocean olive palace parrot pebble pencil
    pepper piano pillow planet plate powder prairie purple rabbit rainbow ribbon rocket saddle salmon school shadow
    shelter signal spider spring square station summer sunset table temple thunder ticket timber tunnel valley
    velvet village violin wagon walnut water whistle willow wooden yard zebra
"""
VOCABULARY = WORDS.split()


@dataclass(frozen=True)
class Drawing:
    """How a text is put on a page."""

    text: int
    words: tuple[str, ...]
    font: str
    size: int
    columns: int
    left: int
    turned: bool  # whether the first words stand in a line of their own, upside down

    def image(self) -> Array:
        """The page, ``(height, width, 3)``."""
        path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{self.font}.ttf"
        font = ImageFont.truetype(path, self.size)
        page = Image.new("RGB", (WIDTH, HEIGHT), "white")
        wide = (WIDTH - self.left - MARGIN) // self.columns - MARGIN * (self.columns - 1)
        title = TITLE if self.turned else 0
        lines = [list(self.words[:title])] if title else []
        for word in self.words[title:]:
            if len(lines) > self.turned and font.getlength(" ".join([*lines[-1], word])) <= wide:
                lines[-1].append(word)
            else:
                lines.append([word])
        column = -(-len(lines) // self.columns)
        for i, words in enumerate(lines):
            text = " ".join(words)
            piece = Image.new("RGB", (int(font.getlength(text)) + 1, int(1.5 * self.size)), "white")
            ImageDraw.Draw(piece).text((0, 0), text, font=font, fill="black")
            x = self.left + (i // column) * (wide + 2 * MARGIN)
            y = MARGIN + int(2.6 * self.size) * (i % column)
            page.paste(piece.rotate(180) if self.turned and i == 0 else piece, (x, y))
        return np.asarray(page)


def drawings(texts: int = TEXTS, seed: int = 0) -> list[Drawing]:
    """Each text twice in a row, drawn otherwise."""
    rng = stream(seed, "pages")
    found = []
    for text in range(texts):
        words = tuple(rng.choice(VOCABULARY, rng.integers(FEWEST, SLOTS + 1), replace=False).tolist())
        fonts = rng.choice(("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold"), 2, replace=False)
        sizes = rng.choice((18, 22, 26, 30), 2, replace=False)
        columns = rng.permutation((1, 2))
        for font, size, many in zip(fonts, sizes, columns, strict=True):
            left, turned = int(rng.integers(30, 120)), bool(rng.random() < TURNED)
            found.append(Drawing(text, words, str(font), int(size), int(many), left, turned))
    return found


def nearest(sketches: Array) -> tuple[Array, Array]:
    """The page most like each, not itself, by the angle of the sketches; and all cosines."""
    unit = units(sketches)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    return cosines.argmax(axis=1), cosines


def right(found: FoundPage, page: Page) -> dict[str, bool]:
    """What of a page came back."""
    boxes = np.array([line.box for line in page.lines for _ in line.words])
    angles = np.array([line.angle for line in page.lines for _ in line.words])
    places = np.concatenate([line.places for line in page.lines])
    if len(found) != len(boxes):
        return dict.fromkeys(("regions", "words", "attributes"), False)
    errors = [np.abs(a - b).max() for a, b in ((found.boxes, boxes), (found.angles, angles), (found.places, places))]
    return {
        "regions": [len(words) for _, words in found.regions] == [len(line.words) for line in page.lines],
        "words": named(found.letters, sorted({*VOCABULARY, *page.words})) == list(page.words),
        "attributes": max(errors) < 1e-9 and found.doubt < 1e-9,
    }


def measure(drawn: list[Drawing], read: list[Page]) -> tuple[pd.DataFrame, list[FoundPage]]:
    """A row a page and a size of the sketch; and what was found from the smaller."""
    pages = Pages(SLOTS)
    sketcher = simnet.Sketcher(pages.network, SKETCH_DIM, recipe=RECIPE, seed=SEED)
    sketches = sketcher.encode(pages.executions(read))
    rows = []
    for kept in (SKETCH_DIM, KEPT):
        found = pages.recover(sketcher, sketches[:, :kept])
        likest, cosines = nearest(sketches[:, :kept])
        for i, (drawing, page) in enumerate(zip(drawn, read, strict=True)):
            partner = i ^ 1
            rows.append(
                {
                    "page": i,
                    "text": drawing.text,
                    "font": drawing.font,
                    "size": drawing.size,
                    "columns": drawing.columns,
                    "kept": kept,
                    "words_drawn": len(drawing.words),
                    "words_read": len(page.words),
                    "read_right": sorted(page.words) == sorted(drawing.words),
                    "lines_read": len(page.lines),
                    "lines_turned": sum(line.angle[1] > TURNS for line in page.lines),
                    "words_found": len(found[i]),
                    "lines_found": len(found[i].regions),
                    **{f"{what}_right": told for what, told in right(found[i], page).items()},
                    "most_alike": int(likest[i]),
                    "alike_right": int(likest[i]) == partner,
                    "cosine_same_words": cosines[i, partner],
                    "cosine_next": np.delete(cosines[i], [i, partner]).max(),
                }
            )
    return pd.DataFrame(rows), found


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Of how many pages each answer is right."""
    by = table.assign(
        count_as_drawn=table.words_found == table.words_drawn, count_as_read=table.words_found == table.words_read
    ).groupby(["set", "kept"], sort=False)
    names = [
        "read_right",
        "count_as_drawn",
        "count_as_read",
        "regions_right",
        "words_right",
        "attributes_right",
        "alike_right",
    ]
    return by.size().to_frame("pages").join(by[names].sum()).reset_index()


def draw(table: pd.DataFrame, drawn: list[Drawing], found: list[FoundPage], shown: int) -> Figure:
    """A page and the one most like it with what their sketches say, and the same words beside others for all pages."""
    last = table[table.kept == KEPT]
    likest = int(last.most_alike.iloc[shown])
    panels = [["page", "likest"], ["alike", "alike"]]
    figure, axes = plt.subplot_mosaic(panels, figsize=(8.6, 5.2), height_ratios=(0.6, 1.0), layout="constrained")
    for name, i in (("page", shown), ("likest", likest)):
        annotate(axes[name], drawn[i], found[i])
    axes["page"].set_title(f"A page (grey), and what {KEPT} numbers say of it\n(blue; red: upside down)")
    axes["likest"].set_title("The page most like it,\nby the angle of the sketches")
    alike = axes["alike"]
    low = min(last.cosine_next.min(), last.cosine_same_words.min()) - 0.03
    alike.plot([low, 1.0], [low, 1.0], color=GREY, lw=0.8, ls="--")
    alike.plot(last.cosine_next, last.cosine_same_words, "o", ms=4, mfc="none", color=BLUE)
    alike.set_xlabel("cosine with the likest page of other words")
    alike.set_ylabel("cosine with the page of the same words")
    alike.set_title(f"{int(last.alike_right.sum())} of {len(last)} pages: the same words, drawn otherwise, are found first")
    return figure


def annotate(axes: Axes, drawing: Drawing, found: FoundPage) -> None:
    """The page, with rectangles and words that are from its sketch alone."""
    size = np.array([WIDTH, HEIGHT])
    axes.imshow(drawing.image(), alpha=0.35)
    for box, words in found.regions:
        (left, top), (width, height) = (box[:2] - box[2:] / 2.0) * size, box[2:] * size
        turned = found.angles[words[0], 1] > TURNS
        axes.add_patch(Rectangle((left, top), width, height, fill=False, lw=1.0, color=VERMILION if turned else BLUE))
    for word, place in zip(named(found.letters, VOCABULARY), found.places, strict=True):
        x, y = (place[:2] + place[2:] * [0.0, 0.5]) * size
        axes.text(x, y + 2, word, ha="center", va="top", fontsize=5, color=BLUE)
    axes.set_ylim((found.boxes[:, 1] + found.boxes[:, 3]).max() * HEIGHT + MARGIN, 0)
    axes.set_axis_off()


def main() -> None:
    """Write the tables and the figure."""
    (RESULTS / "ocr_pages").mkdir(parents=True, exist_ok=True)
    pipeline, tables = engine(), []
    for number in range(SETS):
        drawn = drawings(seed=number)
        table, found = measure(drawn, [read_page(pipeline, drawing.image()) for drawing in drawn])
        tables.append(table.assign(set=number))
        if number == 0:
            figured = [i for i, drawing in enumerate(drawn) if drawing.turned and drawing.columns == 2]
            shown = max(figured, key=lambda i: len(drawn[i].words))
            write_figure(draw(table, drawn, found, shown), "ocr_pages/pages")
    whole = pd.concat(tables)
    write_table(whole, "ocr_pages/pages")
    write_table(summary(whole), "ocr_pages/summary")


if __name__ == "__main__":
    main()
