"""Formulas as MathML, which browsers draw themselves: no script, no font, no image.

The converter is the one of docutils; Sphinx only lacks the few lines that call it.
"""

from __future__ import annotations

import re
import string

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

#: Accents as characters that combine with the letter before them.
ACCENTS = {"hat": "\u0302", "bar": "\u0304"}
ACCENTED = re.compile(r"\\(hat|bar)(?:\s*\{\s*([A-Za-z])\s*\}|\s+([A-Za-z]))")


def converted(node: nodes.math | nodes.math_block, as_block: bool) -> str:
    """MathML, or a warning that says where the formula is that cannot be converted."""
    # an apostrophe stays one in the converter of docutils: a prime is raised
    text = node.astext().replace("'", r"^{\prime}")
    # letters with accents: an ASCII letter that the formula has not stands in for them, which the converter knows as one
    other = next(letter for letter in reversed(string.ascii_uppercase) if letter not in text)
    letters = [(match[2] or match[3]) + ACCENTS[match[1]] for match in ACCENTED.finditer(text)]
    try:
        result = str(tex2mathml(ACCENTED.sub(f" {other}", text), as_block=as_block))
    except MathError as error:
        logger.warning("formula %r: %s", node.astext(), error, location=node)
        return ""
    parts = result.split(f"<mi>{other}</mi>")
    if len(parts) != len(letters) + 1:
        logger.warning("formula %r: an accent was lost", node.astext(), location=node)
        return ""
    # one letter with its accent: browsers put an accent of its own where the font says, often into the letter
    return parts[0] + "".join(f"<mi>{letter}</mi>{part}" for letter, part in zip(letters, parts[1:], strict=True))


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
