"""Results as CSV and Markdown, where they come from, and the figure."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from threadpoolctl import threadpool_info

import simnet
from benchmarks.measure import Row
from simnet.matrices.passes import reads_bits
from simnet.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, dress, write_figure
from simnet.study.provenance import PACKAGES, commit, now, processor
from simnet.threads import threads


def environment() -> dict[str, str | int | float]:
    """What the numbers depend on."""
    return {
        "simnet": simnet.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "threads": threads(),
        "blas": "; ".join(f"{i['internal_api']} {i['version']}, {i['num_threads']} threads" for i in threadpool_info()),
        "load": round(os.getloadavg()[0], 2),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
        "numba": importlib.metadata.version("numba") if reads_bits(1 << 20) else "not there",
        "finished": now(),
    }


def write(rows: Sequence[Row], folder: Path, quick: bool) -> None:
    """``benchmarks.csv``, ``benchmarks.md``, ``environment.json`` and the figure."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([vars(row) for row in rows])
    table.to_csv(folder / "benchmarks.csv", index=False, float_format="%.4g")
    facts = environment() | {"quick": quick}
    (folder / "environment.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "benchmarks.md").write_text(markdown(rows, facts))
    write_figure(figure(table), "benchmarks", folder)


def markdown(rows: Sequence[Row], facts: dict[str, str | int | float]) -> str:
    """One table."""
    lines = [
        "# Speed",
        "",
        "Each number is a ratio within one run: the median of paired repetitions, with quartiles. Made by `make bench` with",
        f"{facts['cores']} cores ({facts['processor']}), {facts['threads']} threads, load {facts['load']}; {facts['blas']}; "
        f"NumPy {facts['numpy']}, SciPy {facts['scipy']}, numba {facts['numba']}.",
        "",
        "| section | what | over | setting | ratio | quartiles | target | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        value = "" if math.isnan(row.value) else f"{row.value:.3g}"
        band = "" if math.isnan(row.low) else f"{row.low:.3g} – {row.high:.3g}"
        cells = [row.section, row.work, row.against, row.setting, value, band, row.target, row.holds]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def figure(table: pd.DataFrame) -> Figure:
    """Encode over its transforms against ``d``, and how time and memory grow."""
    made, (left, right) = plt.subplots(1, 2, figsize=(7.0, 2.9), layout="constrained")
    encodes = table[(table["work"] == "encode of 100 objects") & (table["section"] == "encode")].copy()
    encodes["d"] = encodes["setting"].str.extract(r"d = (\d+)").astype(int)
    encodes["kind"] = encodes["setting"].str.replace(r"^d = \d+, ", "", regex=True)
    looks = zip((BLUE, SKY, GREEN, PURPLE), "os^D", strict=True)
    for (kind, part), (colour, marker) in zip(encodes.groupby("kind", sort=False), looks, strict=False):
        errors = [part["value"] - part["low"], part["high"] - part["value"]]
        left.errorbar(part["d"], part["value"], errors, color=colour, marker=marker, ms=4, lw=0.8, label=kind)
    left.axhline(1.25, color=VERMILION, ls="--", lw=1, label="1.25")
    left.axhline(1.0, color=GREY, lw=0.8)
    left.set(xscale="log", xlabel="$d$", ylabel="time of an encode / its transforms", ylim=(0, None))
    left.set_xscale("log", base=2)
    left.legend(frameon=False, fontsize=6.5, loc="lower left")
    scaling = table[(table["section"] == "scaling") & table["work"].str.startswith("time")].copy()
    scaling["name"] = scaling["work"].str.removeprefix("time against ")
    scaling["x"] = scaling["setting"].str.extract(r"= (\d+)").astype(float)
    series = zip(scaling.groupby("name", sort=False), (BLUE, GREEN, ORANGE, PURPLE), "os^D", strict=False)
    for (name, part), colour, marker in series:
        right.plot(part["x"] / part["x"].iloc[0], part["value"], color=colour, marker=marker, ms=4, lw=0.8, label=name)
    ends = [1.0, float(max(right.get_xlim()[1], 2.0))]
    right.plot(ends, ends, color=GREY, lw=0.8, label="linear")
    right.set_xscale("log", base=2)
    right.set_yscale("log", base=2)
    right.set(xlabel="parameter over its smallest value", ylabel="time over that at the smallest")
    right.legend(frameon=False, fontsize=6.5)
    for axes in (left, right):
        dress(axes)
    return made
