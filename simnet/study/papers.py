"""The summary as a table to read: Markdown, and LaTeX with ``booktabs``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

#: Past so many rows a table does not fit on a page.
PAGE = 40

#: What a label stands for, as a rule, besides the entries of tables.
TOLD = ("matrices", "recipe", "defect")

#: What LaTeX's fonts lack, as it is written there.
SYMBOLS = {
    "s̄": r"$\bar{s}$", "x̂": r"$\hat{x}$", "⟨": r"$\langle$", "⟩": r"$\rangle$", "‖": r"$\|$", "²": r"$^2$", "√": r"$\surd$",
    "≥": r"$\geq$", "≤": r"$\leq$", "−": "$-$", "·": r"$\cdot$", "×": r"$\times$", "½": r"$\frac12$", "–": "--", "—": "---",
    "α": r"$\alpha$", "β": r"$\beta$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "θ": r"$\theta$", "π": r"$\pi$",
    "σ": r"$\sigma$", "ρ": r"$\rho$", "τ": r"$\tau$", "η": r"$\eta$", "ξ": r"$\xi$", "Σ": r"$\Sigma$",
    "′": "$'$", "→": r"$\to$",
}  # fmt: skip


def shortened(summary: pd.DataFrame, varying: Sequence[str]) -> pd.DataFrame:
    """The columns that a reader wants, as text: four digits, intervals in brackets, short names."""
    names = list(varying)
    if "label" in names:  # what a label stands for need not be told again
        told = [name for name in names if "." in name or name in TOLD]
        same = summary.groupby("label", dropna=False)[told].nunique(dropna=False) == 1
        names = [name for name in names if name not in told or not same[name].all()]
    last = [name.rpartition(".")[2] for name in names]
    table = pd.DataFrame(
        {
            (short if last.count(short) == 1 else name).replace("_", " "): [_plain(value) for value in summary[name]]
            for name, short in zip(names, last, strict=True)
        }
    )
    table["quantity"] = summary.quantity.fillna("").to_numpy()
    table["trials"] = [f"{n}" + (f" ({f} failed)" if f else "") for n, f in zip(summary.trials, summary.failed, strict=True)]
    table["measured"] = _with_interval(summary, "measured")
    table["law"] = [_number(value) for value in summary.law]
    table["ratio"] = _with_interval(summary, "ratio")
    if summary.bound.notna().any():
        table["bound"] = [_number(value) for value in summary.bound]
        table["violations"] = [
            f"{v} of {t}" if math.isfinite(b) else ""
            for v, t, b in zip(summary.violations, summary.tries, summary.bound, strict=True)
        ]
    table["holds"] = ["" if pd.isna(value) else "yes" if value else "no" for value in summary.holds]
    if (summary.expected == "fails").any():
        table["expected"] = summary.expected.to_numpy()
    return table


def _with_interval(summary: pd.DataFrame, name: str) -> list[str]:
    columns = (summary[name], summary[f"{name}_low"], summary[f"{name}_high"])
    return [
        _number(value) + (f" [{low:.3g}, {high:.3g}]" if math.isfinite(low) and low < high else "")
        for value, low, high in zip(*columns, strict=True)
    ]


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ""


def _plain(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def markdown(title: str, summary: pd.DataFrame, varying: Sequence[str]) -> str:
    """A title, a table, and what its columns say."""
    table = shortened(summary, varying)
    rows = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    notes = ["", "In brackets: 95 % bootstrap intervals over the trials."]
    if "expected" in table.columns:
        notes.append("Expected to fail: points with a planted defect, at least one row of each defect.")
    return "\n".join([f"# {title}", "", *lines, *notes, ""])


def latex(title: str, summary: pd.DataFrame, varying: Sequence[str]) -> str:
    """A table for a paper that loads ``booktabs``, and ``longtable`` where it is longer than a page."""
    table = shortened(summary, varying)
    table.columns = pd.Index([_escaped(name) for name in table.columns])
    styler = table.map(_escaped).style.hide(axis="index")
    long = len(table) > PAGE
    return styler.to_latex(
        hrules=True,
        caption=_escaped(title),
        position_float=None if long else "centering",
        environment="longtable" if long else None,
        column_format="".join("r" if name in _NUMERIC else "l" for name in table.columns),
    )


_NUMERIC = ("trials", "measured", "law", "ratio", "bound", "violations")


def _escaped(text: str) -> str:
    for special in "&%$#_{}":
        text = text.replace(special, "\\" + special)
    text = text.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}").replace("|", r"$|$")
    for symbol, written in SYMBOLS.items():
        text = text.replace(symbol, written)
    return text
