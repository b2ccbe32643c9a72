"""The table of the README: for each property its law, what was measured, violations of its bound, and the verdict.

``python -m paper_checks.table`` puts it together from the tables in ``results/`` and writes it into ``README.md``, and
measures nothing.  ``make results`` makes the studies again, and then this.
"""

from __future__ import annotations

from pathlib import Path

from simnet.claims import CLAIMS, STUDY_CLAIMS
from simnet.study import read_results

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- table of properties: python -m paper_checks.table -->\n", "<!-- end of the table -->\n"

#: Property, its study, and the page that proves it.
PROPERTIES = {
    "matrices": ("matrices", "index"),
    "similarity": ("similarity", "similarity"),
    "attribute recovery": ("attribute_recovery", "attributes"),
    "its intervals": ("coverage", "attributes"),
    "statistics": ("statistics", "statistics"),
    "truncation": ("truncation", "truncation"),
    "linear decoding": ("decoders", "linear"),
    "unrolling": ("pursuit", "unrolling"),
    "learning one layer": ("dictionary", "packets"),
    "wiring, matrices known": ("known_wiring", "known_wiring"),
    "the same in noise": ("known_wiring_noise", "known_wiring"),
    "wiring, matrices unknown": ("wiring", "blind_wiring"),
    "its edges and functions": ("blind_edges", "blind_wiring"),
    "the same of twenty networks": ("blind_twenty", "blind_wiring"),
    "supports and edges in noise": ("blind_noise", "blind_wiring"),
    "other architectures": ("architectures", "attributes"),
}


def row(name: str, folder: str, page: str) -> str:
    """One line of the table, from the summary of a study."""
    results = read_results(ROOT / "results" / folder)
    claim = (CLAIMS | STUDY_CLAIMS)[results.study.claim]
    rows = results.summary[(results.summary.expected == "holds") & results.summary.holds.notna()]
    ratios = rows.ratio[rows.law.notna()]
    measured = f"{ratios.median():.3f} ({ratios.min():.2f} – {ratios.max():.2f})" if len(ratios) else "success, no ratio"
    bounded = rows[rows.bound.notna() & (rows.tries > 0)]
    bound = f"{bounded.violations.sum():,} of {bounded.tries.sum():,}" if len(bounded) else "–"
    failing = len(results.unexpected)
    verdict = f"holds, {len(rows)} rows" if not failing else f"**{failing} rows are not as they should be**"
    formula = claim.formula.replace("|", "\\|")
    return (
        f"| {name} | `{formula}` | {measured} | {bound} | {verdict} | "
        f"[proof](docs/laws/{page}.md), [numbers](results/{folder}/summary.md) |"
    )


def table() -> str:
    """The table in Markdown."""
    head = "| property | law | measured / law: median (range) | bound violated | verdict | |\n"
    return head + "| --- " * 6 + "|\n" + "".join(row(name, *entry) + "\n" for name, entry in PROPERTIES.items())


def filled(text: str) -> str:
    """A README with the table in its place."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text()))
