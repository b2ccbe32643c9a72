"""``python -m benchmarks.memory``: stores of sketches, searched exactly and through the index.

For every number of sketches: how long an addition takes, and the time of a query for the ten nearest by

- the exact scan of the file, checksums verified;
- the same scan in memory, where nothing is read or verified: one matrix product over all sketches and the choice of the ten;
- the index with its prefixes in memory, and through the partition of LanceDB, with the candidates read from the file,
  verified, and compared exactly;

with the share of the ten nearest that is found (recall@10).  It writes ``results/memory/search.csv``; the times are those of
the machine and of what else it does, so look at their ratios.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_info

import simnet
from simnet.memory import SketchStore, lance
from simnet.report.style import RESULTS, write_table

RUNS, DIM, QUERIES, K = (5_000, 20_000, 50_000), 4096, 100, 10
STORAGE = "float32"


def median_ms(work: Callable[[int], object], times: int) -> float:
    """The median time of a call in milliseconds, after one that is not counted."""
    work(0)
    spent = []
    for i in range(times):
        start = time.perf_counter()
        work(i)
        spent.append(time.perf_counter() - start)
    return 1e3 * float(np.median(spent))


def measure(runs: int) -> list[dict[str, Any]]:
    """A row for each way to search."""
    net = simnet.networks.scene(places=6, seed=0)
    sketcher = simnet.Sketcher(net, DIM, seed=3, dtype="float32")
    sketches = sketcher.encode(net.run(runs, seed=1))
    # queries that are not in the store: the same rooms, seen by another run
    queries = sketcher.encode(net.run(QUERIES, seed=2))
    rows = []
    with tempfile.TemporaryDirectory() as folder, SketchStore.create(Path(folder, "s"), sketcher, storage=STORAGE) as store:
        one = median_ms(lambda i: store.add(sketches[i]), 50)
        store.remove(store.ids().tolist())
        start = time.perf_counter()
        ids = store.add(sketches)
        print(f"{runs} sketches: one addition {one:.1f} ms (durable), all at once {time.perf_counter() - start:.1f} s")
        lengths = np.linalg.norm(sketches.astype(float), axis=1)
        truth = [set(ids[i] for i in np.argsort(-(sketches @ query) / lengths)[:K]) for query in queries.astype(float)]

        def row(way: str, milliseconds: float, found: list[Any] | None = None) -> None:
            recall = np.nan if found is None else np.mean([len(a & {m.id for m in b}) / K for a, b in zip(truth, found)])
            rows.append({"sketches": runs, "sketch_dim": DIM, "search": way, "ms": milliseconds, "recall_at_10": recall})

        ways = {
            "exact, of the file": ("exact", 10),
            "index, in memory": ("index", QUERIES),
            "index, partition": ("index", QUERIES),
        }
        row("exact, in memory", median_ms(lambda i: np.argpartition(sketches @ queries[i], -K), 50))
        largest = lance.HELD_BYTES
        for way, (method, times) in ways.items():
            if method == "index":
                lance.HELD_BYTES = 0 if "partition" in way else 1 << 40
                start = time.perf_counter()
                store.build_index()
                print(f"{way}: built in {time.perf_counter() - start:.1f} s")
            spent = median_ms(lambda i: store.nearest(queries[i], K, method=method), times)
            row(way, spent, store.nearest(queries, K, method=method))
        lance.HELD_BYTES = largest
    return rows


def main(*runs: int) -> None:
    """Write the table."""
    table = pd.DataFrame([row for number in runs or RUNS for row in measure(number)])
    for way in ("of the file", "in memory"):
        exact = table[table.search == f"exact, {way}"].set_index("sketches").ms
        table[f"times_faster_than_{way.replace(' ', '_')}"] = table.sketches.map(exact) / table.ms
    threads = max(pool["num_threads"] for pool in threadpool_info())
    (RESULTS / "memory").mkdir(parents=True, exist_ok=True)
    write_table(table.assign(blas_threads=threads, processor=platform.machine()), "memory/search")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
