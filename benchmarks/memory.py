"""``python -m benchmarks.memory``: stores of sketches, searched exactly and through the index.

For every number of sketches: how long an addition takes, and the time of a query for the ten nearest by

- the exact scan of the file, checksums verified;
- the same scan in memory, where nothing is read or verified: one matrix product over all sketches and the choice of the ten;
- the index with its prefixes in memory, and through the partition of LanceDB, with the candidates read from the file,
  verified, and compared exactly;

with the share of the ten nearest that is found (recall@10).  It writes ``results/memory/search.csv``.  Ratios are of the
time on the processors, all threads together: that on the clock depends on what else the machine does, and how it shares.
"""

from __future__ import annotations

import os
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


def medians_ms(times: int, *works: Callable[[int], object]) -> list[tuple[float, float]]:
    """The median time of each on the clock and of all threads on the processors, in milliseconds; they take turns."""
    clocks = (time.perf_counter, time.process_time)
    spent: list[list[list[float]]] = [[] for _ in works]
    for i in range(-1, times):
        for work, mine in zip(works, spent, strict=True):
            start = [clock() for clock in clocks]
            work(max(i, 0))
            if i >= 0:  # the first call is not counted
                mine.append([clock() - before for clock, before in zip(clocks, start, strict=True)])
    return [tuple((1e3 * np.median(mine, axis=0)).tolist()) for mine in spent]


def measure(runs: int) -> list[dict[str, Any]]:
    """A row for each way to search."""
    net = simnet.networks.scene(places=6, seed=0)
    sketcher = simnet.Sketcher(net, DIM, seed=3, dtype="float32")
    sketches = sketcher.encode(net.run(runs, seed=1))
    # queries that are not in the store: the same rooms, seen by another run
    queries = sketcher.encode(net.run(QUERIES, seed=2))
    rows = []
    with tempfile.TemporaryDirectory() as folder, SketchStore.create(Path(folder, "s"), sketcher, storage=STORAGE) as store:
        ((one, _),) = medians_ms(50, lambda i: store.add(sketches[i]))
        store.remove(store.ids().tolist())
        start = time.perf_counter()
        ids = store.add(sketches)
        print(f"{runs} sketches: one addition {one:.1f} ms (durable), all at once {time.perf_counter() - start:.1f} s")
        whole = sketches.astype(float)
        scores = whole @ queries.T.astype(float) / np.linalg.norm(whole, axis=1)[:, None]
        truth = [{ids[i] for i in top} for top in np.argpartition(-scores, K, axis=0)[:K].T]
        del whole, scores

        def in_memory(i: int) -> Any:
            return np.argpartition(sketches @ queries[i], -K)

        def add_row(way: str, method: str, times: int, exact: float = np.nan) -> float:
            (clock, spent), (_, product) = medians_ms(
                times, lambda i: store.nearest(queries[i], K, method=method), in_memory
            )
            found = [{match.id for match in matches} for matches in store.nearest(queries, K, method=method)]
            recall = float(np.mean([len(a & b) / K for a, b in zip(truth, found, strict=True)]))
            faster = {"than_exact_of_the_file": exact / spent, "than_exact_in_memory": product / spent}
            row = {"sketches": runs, "sketch_dim": DIM, "search": way, "recall_at_10": recall, "ms": clock, "cpu_ms": spent}
            rows.append({**row, "cpu_ms_exact_in_memory": product, **{f"times_faster_{k}": v for k, v in faster.items()}})
            return spent

        exact = add_row("exact, of the file", "exact", 10)
        held = lance.HELD_BYTES
        for way, lance.HELD_BYTES in (("index, prefixes in memory", 1 << 40), ("index, partition", 0)):
            start = time.perf_counter()
            store.build_index()
            print(f"{way}: built in {time.perf_counter() - start:.1f} s")
            add_row(way, "index", QUERIES, exact)
        lance.HELD_BYTES = held
    return rows


def main(*runs: int) -> None:
    """Write the table."""
    table = pd.DataFrame([row for number in runs or RUNS for row in measure(number)])
    threads = max(pool["num_threads"] for pool in threadpool_info())
    (RESULTS / "memory").mkdir(parents=True, exist_ok=True)
    write_table(table.assign(blas_threads=threads, cores=os.cpu_count(), processor=platform.machine()), "memory/search")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
