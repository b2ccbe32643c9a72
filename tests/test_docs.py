"""Every snippet and example of the documentation runs, and prints what its page says; laws and links are all there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import simnet
from docs import snippets
from simnet.claims import CLAIMS, STUDY_CLAIMS

ROOT = snippets.ROOT
LAWS = "".join(page.read_text() for page in (ROOT / "docs" / "laws").glob("*.md"))
TEXTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", snippets.pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_prints_what_it_says(page):
    assert snippets.differences(page) == []


@pytest.mark.parametrize("name", ["my_family", "my_decoder"])
def test_an_example_runs_as_a_script(name, capsys, monkeypatch):
    monkeypatch.setattr("simnet.decoding.DECODERS", dict(simnet.decoding.DECODERS))
    runpy.run_path(str(ROOT / "docs" / "examples" / f"{name}.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert ("least squares is exact: True" in out) if name == "my_family" else ("projected error at depth 2: 0.364" in out)


def test_examples_are_short():
    sizes = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "docs" / "examples").glob("my_*")}
    assert len(sizes) == 5
    assert max(sizes.values()) <= 60, sizes


WRONG = {
    "another output": "```python\nprint(1)\n```\n\n```text\n2\n```\n",
    "an output that is not shown": "```python\nprint(1)\n```\n",
    "an output too many": "```python\nx = 1\n```\n\n```text\n1\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_page_that_says_something_else_is_noticed(text, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    (one,) = snippets.differences(page)
    assert one.startswith("page.md, line 2 prints")
    page.write_text("```python\nprint(1)\n```\n\n```text\n\n```\n")
    snippets.write(page)
    assert snippets.differences(page) == []


def test_a_snippet_that_fails_names_its_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("A page.\n\n```python\nx = 1\ny = z\n```\n")
    with pytest.raises(NameError) as error:
        snippets.differences(page)
    assert (error.traceback[-1].lineno + 1, error.traceback[-1].path) == (5, page)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```python\nopen('left.txt', 'w').close()\n```\n")
    assert snippets.differences(page) == []
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
    assert Path.cwd() == tmp_path


def test_every_claim_and_every_check_is_on_the_page_of_a_law():
    missing = [name for name in CLAIMS | STUDY_CLAIMS if f"```{{claim}} {name}\n" not in LAWS]
    checks = [path.name for path in (ROOT / "paper_checks").glob("*.py") if path.stem not in ("__init__", "run")]
    assert missing + [name for name in checks if f"paper_checks/{name}" not in LAWS] == []


def test_every_function_of_theory_is_on_the_page_of_a_law():
    functions = [name for name in simnet.theory.__all__ if callable(getattr(simnet.theory, name))]
    helpers = {"matched_mse", "module_depth"}
    assert [name for name in functions if f"`simnet.theory.{name}`" not in LAWS and name not in helpers] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_files_lead_somewhere(text):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text.read_text())
    assert [link for link in links if not (text.parent / link).exists()] == []


def test_the_documents_in_toctrees_and_references_are_there():
    for text in TEXTS:
        for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text.read_text()):
            start = ROOT / "docs" if target.startswith("/") else text.parent
            assert (start / f"{target.lstrip('/')}.md").is_file(), f"{text.name}: {target}"
