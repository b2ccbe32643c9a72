"""Formulas as MathML, which browsers draw themselves: no script, no font, no image.

The converter is the one of docutils; Sphinx only lacks the few lines that call it.
"""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

#: Accents as characters that combine with the letter before them.
ACCENTS = {"hat": "\u0302", "bar": "\u0304"}
ACCENTED = re.compile(r"\\(hat|bar)\s*\{?\s*([A-Za-z])\s*\}?")

#: A letter that no formula has.
STAND_IN = "Ж"


def converted(node: nodes.math | nodes.math_block, as_block: bool) -> str:
    """MathML, or a warning that says where the formula is that cannot be converted."""
    # an apostrophe stays one in the converter of docutils: a prime is raised
    text = node.astext().replace("'", r"^{\prime}")
    letters: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        letters.append(match[2] + ACCENTS[match[1]])
        return rf"\mathrm{{{STAND_IN}}}"

    try:
        result = str(tex2mathml(ACCENTED.sub(stand_in, text), as_block=as_block))
    except MathError as error:
        logger.warning("formula %r: %s", node.astext(), error, location=node)
        return ""
    for letter in letters:
        # one letter with its accent, since browsers put an accent of its own where the font says, often into the letter
        result = re.sub(rf"<mi[^>]*>{STAND_IN}</mi>", f"<mi>{letter}</mi>", result, count=1)
    if STAND_IN in result:
        logger.warning("formula %r: an accent was lost", node.astext(), location=node)
    return result


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """``$…$``."""
    self.body.append(converted(node, as_block=False))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """``$$…$$``, in a box of its own that scrolls where a screen is narrow."""
    self.body.append(f'<div class="formula">{converted(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
