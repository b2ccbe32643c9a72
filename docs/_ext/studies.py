"""Figures drawn from ``results/`` as the documentation is built, and what claims say of themselves: no copy of either."""

from __future__ import annotations

from html import escape
from pathlib import Path

import matplotlib
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from simnet.claims import CLAIMS, STUDY_CLAIMS
from simnet.report.figures import draw, panel_count
from simnet.report.page import drawings
from simnet.report.style import COLUMN, PAGE, inline_svg
from simnet.study import read_results

ROOT = Path(__file__).parents[2]


class StudyFigure(SphinxDirective):
    """``{study-figure} NAME [NUMBER]``: a figure of the results of a study, with its caption."""

    required_arguments = 1
    optional_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        name, number = self.arguments[0], int(self.arguments[1] if len(self.arguments) > 1 else 1)
        folder = ROOT / "results" / name
        self.env.note_dependency(str(folder / "summary.csv"))
        self.env.note_dependency(str(folder / "study.toml"))
        drawing = drawings(read_results(folder))[number - 1]
        text = drawing.spec.caption or name
        anchor = f"{name}-{number}".replace("_", "-")
        figure = draw(drawing, width=PAGE if panel_count(drawing) > 1 else COLUMN)
        svg = inline_svg(figure, anchor, f"Figure: {text} Its numbers are in results/{name}/summary.csv.")
        kind = " wide" if panel_count(drawing) > 1 else ""
        caption = f"<figcaption>{escape(text)} <code>simnet sweep experiments/{name}.toml</code></figcaption>"
        return [nodes.raw("", f'<figure class="study{kind}"><div>{svg}</div>{caption}</figure>', format="html")]


class ClaimBox(SphinxDirective):
    """``{claim} NAME``: the statement and formula that a claim gives for itself, and how to run it."""

    required_arguments = 1
    optional_arguments = 0
    has_content = False

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        claim = (CLAIMS | STUDY_CLAIMS)[name]
        run = f"simnet verify --property {name}" if name in CLAIMS else f"simnet sweep experiments/{name}.toml"
        box = nodes.container(classes=["claim"])
        line = nodes.paragraph()
        line += [nodes.strong("", "Claim "), nodes.literal("", name), nodes.Text(", run by "), nodes.literal("", run)]
        line += [nodes.Text(f": {claim.statement}")]
        box += [line, nodes.literal_block(claim.formula, claim.formula, language="text")]
        return [box]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    matplotlib.use("Agg")
    app.add_directive("study-figure", StudyFigure)
    app.add_directive("claim", ClaimBox)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
