"""The report: one page of HTML that needs nothing but itself.

It holds what studies measured beside their laws: verdicts, tables that sort, figures, provenance, and the commands that make
it all again.  Everything comes from the folders that ``simnet sweep`` writes; nothing is computed but slopes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from simnet.checks import choice
from simnet.claims import CLAIMS, STUDY_CLAIMS, Claim
from simnet.report.figures import Drawing, draw, panel_count
from simnet.report.style import COLUMN, PAGE, inline_svg, write_figure
from simnet.report.tables import Cell, Column, Table, failure_table, number, summary_table
from simnet.study import Results
from simnet.study.study import SUMMARY

#: The file that marks a folder as the results of a study.
MARK = "study.toml"


@dataclass(frozen=True)
class PageFigure:
    """A figure as the page shows it: for one column, and for the whole width where it has several panels."""

    caption: str
    narrow: Markup
    wide: Markup | None


@dataclass(frozen=True)
class Section:
    """What the page says of one study."""

    anchor: str
    title: str
    question: str
    claim: str
    statement: str
    formula: str
    holds: bool
    verdict_text: str
    rows: int
    failing: int
    lost: int
    figures: Sequence[PageFigure]
    table: Table
    failures: Table | None
    provenance: Sequence[tuple[str, str]]
    sweep_command: str
    draw_command: str


def result_folders(folder: Path) -> list[Path]:
    """The folder itself if it holds the results of a study, else those inside it that do, by name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder, `simnet sweep` makes one for each study")
    found = [folder] if (folder / MARK).is_file() else sorted(path.parent for path in folder.glob(f"*/{MARK}"))
    if not found:
        raise ValueError(f"{folder}: holds no results of a study, neither a {MARK} nor folders with one")
    return found


def known_claim(name: str) -> Claim | None:
    """The claim of that name; none for one in a file of a user's own, which a report does not run."""
    return (CLAIMS | STUDY_CLAIMS).get(name)


def drawings(results: Results) -> list[Drawing]:
    """The figures of a study."""
    claim = known_claim(results.study.claim)
    return [Drawing(spec, results.summary, claim) for spec in results.study.figures]


def page(studies: Sequence[tuple[Path, Results]]) -> str:
    """The page of some studies.

    Parameters
    ----------
    studies : sequence of (Path, Results)
        Each folder with what :func:`simnet.study.read_results` read from it.

    Returns
    -------
    str
        HTML: valid, without a reference to anything outside itself, and all text of a study escaped.

    Raises
    ------
    ValueError
        If a table lacks a column, or a figure cannot be drawn; the message names the folder.
    """
    sections = []
    for i, (folder, results) in enumerate(studies):
        try:
            sections.append(_section(f"study-{i + 1}", folder, results))
        except ValueError as error:
            raise ValueError(f"{folder}: {error}") from None
    failing = [section for section in sections if not section.holds]
    text = f"{len(failing)} of {len(sections)} studies fail" if failing else "every row of every study holds"
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("simnet", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"csp_hash": _csp_hash, "formula": _formula}
    return environment.get_template("page.html").render(
        title=sections[0].title if len(sections) == 1 else f"{len(sections)} studies of recursive sketches",
        holds=not failing,
        verdict_text=sections[0].verdict_text if len(sections) == 1 else text,
        sections=sections,
        overview=_overview(sections),
        version=version("recursive-sketch-testbed"),
    )


def write_figures(folder: Path, results: Results) -> list[Path]:
    """``FOLDER/figures/figure-1.svg``, ``.pdf`` and ``.png`` and so on, at the width of a column."""
    formats = ("svg", "pdf", "png")
    written = []
    for i, drawing in enumerate(drawings(results)):
        written += write_figure(draw(drawing), f"figure-{i + 1}", folder / "figures", formats)
    return written


def _csp_hash(script: str) -> str:
    """What the page's policy calls its one script: no other one runs, whatever a study is called."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _formula(text: str) -> Markup:
    """A formula with its ``_j`` and ``^{n−1}`` lowered and raised."""
    marked = str(escape(text))
    for sign, tag in (("_", "sub"), (r"\^", "sup")):
        marked = re.sub(sign + r"(?:\{([^}]*)\}|(\w))", rf"<{tag}>\1\2</{tag}>", marked)
    return Markup(marked)


def _section(anchor: str, folder: Path, results: Results) -> Section:
    study, summary = results.study, results.summary
    for name in SUMMARY:
        choice("summary.csv: column", name, summary.columns)
    if not study.claim or not isinstance(results.provenance, Mapping):
        raise ValueError("study.toml and provenance.json are not those of a study")
    claim = known_claim(study.claim)
    rows, failing = len(summary), len(results.unexpected)
    lost = int(summary.groupby("point")["failed"].first().sum())
    controls = bool((summary["expected"] == "fails").any())
    texts = [f"all {rows} rows hold" if not controls else f"all {rows} rows are as they should be, defects are caught"]
    if failing or not rows:
        texts = [f"{failing} of {rows} rows are not as they should be" if rows else "there are no rows"]
    texts += [f"{lost} trial{'s' * (lost != 1)} without a result"] * (lost > 0)
    return Section(
        anchor=anchor,
        title=study.title,
        question=study.question,
        claim=study.claim,
        statement=claim.statement if claim else "",
        formula=claim.formula if claim else "",
        holds=rows > 0 and failing == 0,
        verdict_text=", ".join(texts),
        rows=rows,
        failing=failing,
        lost=lost,
        figures=[_figure(f"{anchor}-{i + 1}", drawing) for i, drawing in enumerate(drawings(results))],
        table=summary_table(results),
        failures=failure_table(results),
        provenance=[(name, str(value)) for name, value in results.provenance.items()],
        # what only collects runs nothing
        sweep_command=str(results.provenance.get("command", f"simnet sweep {folder}/{MARK}")).replace(" --collect", ""),
        draw_command=f"simnet report {folder.as_posix()} --figures",
    )


def _figure(name: str, drawing: Drawing) -> PageFigure:
    spec = drawing.spec
    text = spec.caption or f"{spec.y_label or spec.y} against {spec.x_label or spec.x}"

    def svg(kind: str, width: float) -> Markup:
        return Markup(
            inline_svg(draw(drawing, width=width), f"{name}-{kind}", f"Figure: {text}. Its numbers are in the table.")
        )

    return PageFigure(text, svg("narrow", COLUMN), svg("wide", PAGE) if panel_count(drawing) > 1 else None)


def _overview(sections: Sequence[Section]) -> Table:
    """One row for each study."""
    columns: list[Any] = [Column("study"), Column("claim")]
    columns += [Column(name, True) for name in ("rows", "rows not as they should be", "trials without a result")]
    rows = [
        [
            Cell(section.title, link=section.anchor),
            Cell(section.claim),
            *(number(count) for count in (section.rows, section.failing, section.lost)),
            Cell("holds" if section.holds else "fails", good=section.holds),
        ]
        for section in sections
    ]
    return Table("Verdicts, study by study", [*columns, Column("verdict")], rows)
