"""Run the Python blocks of the pages, and hold what they print against what the pages say.

The blocks of a page share their names, in the order of the page.  A block without a language, or of ``text``, that follows a
block of Python is what it prints.  ``<!-- needs NAME -->`` before a block: only where that library is installed.  A block in
an HTML comment is run and not shown.

``python -m docs.snippets`` checks all pages, ``python -m docs.snippets --write`` writes what blocks print into them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]

BLOCK = re.compile(
    r"(?:<!-- needs (?P<needs>\w+) -->\n+)?"
    r"^```python\n(?P<code>.*?)^```$"
    r"(?P<gap>\n+```(?:text)?\n)?(?(gap)(?P<output>.*?)^```$)",
    re.MULTILINE | re.DOTALL,
)


class Snippet(NamedTuple):
    """A block of Python, the line that it begins on, what the page says it prints, and where that stands in the page."""

    code: str
    line: int
    output: str | None
    span: tuple[int, int]
    needs: str | None


def pages() -> list[Path]:
    """All pages with snippets: those of the documentation, and the README."""
    written = sorted((ROOT / "docs").rglob("*.md"))
    return [page for page in (ROOT / "README.md", *written) if snippets(page.read_text())]


def snippets(text: str) -> list[Snippet]:
    """The blocks of a page."""
    return [
        Snippet(m["code"], text.count("\n", 0, m.start("code")), m["output"], m.span("output"), m["needs"])
        for m in BLOCK.finditer(text)
    ]


@contextlib.contextmanager
def somewhere() -> Iterator[None]:
    """A folder of its own, with the files of the examples in it; whatever is left behind goes with it."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for example in (ROOT / "docs" / "examples").iterdir():
            if example.is_file():
                shutil.copy(example, folder)
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            os.chdir(before)


def printed(page: Path) -> list[tuple[Snippet, str]]:
    """Every block of a page with what it prints; a block that needs what is not installed is left out."""
    namespace: dict[str, Any] = {"__name__": "page"}
    results, blocks = [], snippets(page.read_text())
    with somewhere():
        for snippet in blocks:
            if snippet.needs and importlib.util.find_spec(snippet.needs) is None:
                continue
            out = io.StringIO()
            # empty lines before, so that an error names the line of the page
            code = compile("\n" * snippet.line + snippet.code, str(page), "exec")
            with contextlib.redirect_stdout(out):
                exec(code, namespace)
            results.append((snippet, out.getvalue()))
    return results


def differences(page: Path) -> list[str]:
    """What a page says otherwise than its blocks do: a block that prints needs its output, and the same."""
    found = []
    for snippet, out in printed(page):
        if (snippet.output or "") != out:
            found.append(f"{page.name}, line {snippet.line + 1} prints\n{out}and the page says\n{snippet.output or ''}")
    return found


def write(page: Path) -> None:
    """Put what blocks print into the page."""
    text = page.read_text()
    for snippet, out in reversed(printed(page)):
        if snippet.output is not None:
            text = text[: snippet.span[0]] + out + text[snippet.span[1] :]
    page.write_text(text)


if __name__ == "__main__":
    wrong = []
    for one in pages():
        if "--write" in sys.argv[1:]:
            write(one)
        else:
            wrong += differences(one)
    print("\n".join(wrong) or "every page says what its snippets print")
    sys.exit(bool(wrong))
