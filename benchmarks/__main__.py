"""``python -m benchmarks [--quick] [--output FOLDER]`` (``make bench``): speed as ratios, in ``results/benchmarks``.

Each section has a process of its own: what one leaves behind, memory in pieces or threads that are awake, is no part of the
next; its rows are told when it ends.  ``--quick`` runs everything at small sizes, without targets: it shows that it runs,
and nothing else.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import decoding, encoding, imports, learning, peers, scaling
from benchmarks.measure import Row, alone
from benchmarks.tables import write

SECTIONS = (
    encoding.encodes,
    encoding.memory,
    encoding.dictionaries,
    encoding.kernels,
    decoding.decoders,
    learning.packets,
    learning.ranks,
    peers.dense,
    peers.binding,
    peers.projections,
    peers.blocks,
    scaling.growth,
    imports.imports,
)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, no targets")
    parser.add_argument("--output", type=Path, help="the folder to write to (results/benchmarks)")
    parser.add_argument("--only", nargs="+", choices=[section.__name__ for section in SECTIONS], help="some sections")
    chosen = parser.parse_args(arguments)
    rows: list[Row] = []
    for section in SECTIONS:
        if chosen.only and section.__name__ not in chosen.only:
            continue
        found = section(True) if chosen.quick else alone(section, False)
        for row in found:
            rows.append(row)
            against = f" / {row.against}" if row.against else ""
            print(f"{row.value:8.3g}  {row.target:8} {row.holds:4} {row.work}{against}; {row.setting}", flush=True)
    write(rows, chosen.output or Path("build" if chosen.quick else "results", "benchmarks"), chosen.quick)


if __name__ == "__main__":
    main(sys.argv[1:])
