"""Documents at the top of the repository as pages of the documentation, their links turned to lead on from there."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

#: The page of each.
PAGES = {
    "architecture": "ARCHITECTURE.md",
    "decisions": "DECISIONS.md",
    "contributing": "CONTRIBUTING.md",
    "changelog": "CHANGELOG.md",
}


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """The text of the document in the place of that of the page."""
    if docname in PAGES:
        path = ROOT / PAGES[docname]
        app.env.note_dependency(str(path))
        text = re.sub(r"\]\(docs/", "](", path.read_text(encoding="utf-8"))
        for page, name in PAGES.items():
            text = text.replace(f"]({name})", f"]({page}.md)")
        source[0] = text


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the reading."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
