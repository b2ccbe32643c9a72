"""Fifty drawn pages through a real OCR pipeline, and back from their sketches alone.

``python -m experiments.ocr_pages`` writes ``results/ocr_pages/``; it needs the extra ``ocr``.

Twenty-five texts of different length are drawn twice each, in another font, another size and another layout, so that the
lines break elsewhere, two columns mix the order of the words, and now and then a line stands upside down.  The pipeline reads
every page; its run becomes an object graph, and that a sketch of 8,192 numbers.  From the sketch, and from its first quarter:
how many words, which lines with which angle, what the words are and where they stand, and which of the other 49 pages is most
like it.  It should be the one with the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import simnet
from simnet.adapters.ocr import RECIPE, FoundPage, Page, Pages, engine, named, read_page
from simnet.memory.vectors import units
from simnet.randomness import stream
from simnet.report.style import BLUE, GREY, ORANGE, VERMILION, write_figure, write_table

Array = NDArray[Any]

TEXTS, FEWEST, SLOTS = 25, 4, 24
SKETCH_DIM, KEPT, SEED = 8192, 2048, 3
WIDTH, HEIGHT, MARGIN = 900, 700, 40

#: How often a page has a line that stands upside down.
TURNED = 0.3

VOCABULARY = (
    "river stone window garden yellow basket seven mountain paper lamp quiet orange silver bridge candle harbor market winter "
    "pocket mirror apple anchor autumn barrel blanket bottle branch breeze bronze butter cabin camera canvas carpet castle "
    "cellar chair cherry circle clock cloud coffee copper corner cotton cradle crystal curtain desert diamond dinner dragon "
    "eagle engine evening feather fence finger flower forest fountain galaxy ginger glass gravel hammer helmet honey horizon "
    "island ivory jacket jungle kettle kitchen ladder lantern leather lemon letter library marble meadow metal morning museum "
    "needle north number ocean olive palace parrot pebble pencil pepper piano pillow planet plate powder prairie purple "
    "rabbit rainbow ribbon rocket saddle salmon school shadow shelter signal spider spring square station summer sunset table "
    "temple thunder ticket timber tunnel valley velvet village violin wagon walnut water whistle willow wooden yard zebra"
).split()


@dataclass(frozen=True)
class Drawing:
    """How a text is put on a page."""

    text: int
    words: tuple[str, ...]
    font: str
    size: int
    columns: int
    left: int
    turned: int  # the line that stands upside down, -1 for none

    def image(self) -> Array:
        """The page, ``(height, width, 3)``."""
        path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{self.font}.ttf"
        font = ImageFont.truetype(path, self.size)
        page = Image.new("RGB", (WIDTH, HEIGHT), "white")
        wide = (WIDTH - self.left - MARGIN) // self.columns - MARGIN * (self.columns - 1)
        lines: list[list[str]] = []
        for word in self.words:
            if lines and font.getlength(" ".join([*lines[-1], word])) <= wide:
                lines[-1].append(word)
            else:
                lines.append([word])
        column = -(-len(lines) // self.columns)
        for i, words in enumerate(lines):
            text = " ".join(words)
            piece = Image.new("RGB", (int(font.getlength(text)) + 1, int(1.5 * self.size)), "white")
            ImageDraw.Draw(piece).text((0, 0), text, font=font, fill="black")
            x = self.left + (i // column) * (wide + 2 * MARGIN)
            y = MARGIN + int(2.1 * self.size) * (i % column)
            page.paste(piece.rotate(180) if i == self.turned else piece, (x, y))
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
            turned = int(rng.integers(2)) if rng.random() < TURNED else -1
            found.append(Drawing(text, words, str(font), int(size), int(many), int(rng.integers(30, 120)), turned))
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


def measure(drawn: list[Drawing], read: list[Page]) -> tuple[pd.DataFrame, list[FoundPage], Array]:
    """A row a page and a size of the sketch; what was found from the smaller, and its cosines."""
    pages = Pages(SLOTS)
    sketcher = simnet.Sketcher(pages.network, SKETCH_DIM, recipe=RECIPE, seed=SEED)
    sketches = sketcher.encode(pages.executions(read))
    rows = []
    for kept in (SKETCH_DIM, KEPT):
        found = pages.recover(sketcher, sketches[:, :kept])
        likest, cosines = nearest(sketches[:, :kept])
        for i, (drawing, page) in enumerate(zip(drawn, read, strict=True)):
            partner = i ^ 1
            others = np.delete(cosines[i], [i, partner])
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
                    "upside_down": sum(line.angle[1] > 0.5 for line in page.lines),
                    "words_found": len(found[i]),
                    "lines_found": len(found[i].regions),
                    **{f"{what}_right": told for what, told in right(found[i], page).items()},
                    "most_alike": int(likest[i]),
                    "alike_right": int(likest[i]) == partner,
                    "cosine_same_words": cosines[i, partner],
                    "cosine_next": others.max(),
                }
            )
    return pd.DataFrame(rows), found, cosines


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Of how many pages each answer is right."""
    by = table.assign(
        count_as_drawn=table.words_found == table.words_drawn, count_as_read=table.words_found == table.words_read
    ).groupby("kept", sort=False)
    names = ["read_right", "count_as_drawn", "count_as_read", "regions_right", "words_right", "attributes_right", "alike_right"]
    return by.size().to_frame("pages").join(by[names].sum()).reset_index()


def draw(table: pd.DataFrame, drawing: Drawing, found: FoundPage) -> Figure:
    """A page with what its sketch says of it, and cosines of pages with the same words beside those with others."""
    figure, (page, alike) = plt.subplots(1, 2, figsize=(9.6, 3.9), width_ratios=(1.25, 1.0), layout="constrained")
    page.imshow(drawing.image(), alpha=0.3)
    size = np.array([WIDTH, HEIGHT])
    for box, words in found.regions:
        turned = found.angles[words[0], 1] > 0.5
        corner, extent = (box[:2] - box[2:] / 2.0) * size, box[2:] * size
        colour = VERMILION if turned else BLUE
        page.add_patch(Rectangle((corner[0], corner[1]), extent[0], extent[1], fill=False, lw=1.2, color=colour))
    for word, place in zip(named(found.letters, VOCABULARY), found.places, strict=True):
        x, y = (place[:2] + [0.0, place[3] / 2.0]) * size
        page.text(x, y + 2, word, ha="center", va="top", fontsize=6.5, color=BLUE)
    page.set_axis_off()
    page.set_title(f"A page, and what {KEPT} numbers say of it (blue; red: upside down)", fontsize=9)
    last = table[table.kept == KEPT]
    low = min(last.cosine_next.min(), last.cosine_same_words.min()) - 0.03
    alike.plot([low, 1.0], [low, 1.0], color=GREY, lw=0.8, ls="--")
    alike.plot(last.cosine_next, last.cosine_same_words, "o", ms=4, mfc="none", color=ORANGE)
    alike.set_xlabel("cosine with the likest page of other words")
    alike.set_ylabel("cosine with the page of the same words")
    alike.set_title(f"{int(last.alike_right.sum())} of {len(last)}: the same words are found first", fontsize=9)
    return figure


def main() -> None:
    """Write the tables and the figure."""
    drawn, pipeline = drawings(), engine()
    read = [read_page(pipeline, drawing.image()) for drawing in drawn]
    table, found, _ = measure(drawn, read)
    shown = next(i for i, drawing in enumerate(drawn) if drawing.turned >= 0 and drawing.columns == 2)
    (Path("results") / "ocr_pages").mkdir(parents=True, exist_ok=True)
    write_table(table, "ocr_pages/pages")
    write_table(summary(table), "ocr_pages/summary")
    write_figure(draw(table, drawn[shown], found[shown]), "ocr_pages/pages")


if __name__ == "__main__":
    main()
