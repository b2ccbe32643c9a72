"""``python -m benchmarks.memory``: a store of 20,000 sketches, searched exactly and through the index.

For every number of sketches and dimension: how long an addition takes, its size, the time of a query by the exact scan of
the file (checksums verified), by the same scan in memory (a matrix product, nothing read or verified), and by the index;
with the share of the ten nearest that the index finds (recall@10).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import simnet
from simnet.memory import SketchStore

RUNS, DIM, QUERIES, K = 20_000, 4096, 100, 10


def median_ms(work: Callable[[int], object], times: int) -> float:
    """The median time of a call in milliseconds, after one that is not counted."""
    work(0)
    spent = []
    for i in range(times):
        start = time.perf_counter()
        work(i)
        spent.append(time.perf_counter() - start)
    return 1e3 * float(np.median(spent))


def main(runs: int = RUNS, storage: str = "float32") -> None:
    """Print the numbers."""
    net = simnet.networks.scene(places=6, seed=0)
    sketcher = simnet.Sketcher(net, DIM, seed=3, dtype="float32")
    sketches = sketcher.encode(net.run(runs, seed=1))
    # queries that are not in the store: the same rooms, seen by another run
    queries = sketcher.encode(net.run(QUERIES, seed=2))
    with tempfile.TemporaryDirectory() as folder, SketchStore.create(Path(folder, "s"), sketcher, storage=storage) as store:
        one = median_ms(lambda i: store.add(sketches[i]), 50)
        store.remove(store.ids().tolist())
        start = time.perf_counter()
        store.add(sketches)
        bulk = time.perf_counter() - start
        print(f"{runs} sketches, d = {DIM}, {storage}: {store.path.stat().st_size / 1e6:.0f} MB")
        print(f"one addition {one:.1f} ms (durable); all at once {bulk:.1f} s")
        exact = [store.nearest(query, K, method="exact") for query in queries[:50]]
        scan = median_ms(lambda i: store.nearest(queries[i], K, method="exact"), 20)
        batch = median_ms(lambda i: store.nearest(queries, K, method="exact"), 3) / QUERIES
        memory = median_ms(lambda i: np.argpartition(sketches @ queries[i], -K), 20)
        start = time.perf_counter()
        store.build_index()
        built = time.perf_counter() - start
        by_index = median_ms(lambda i: store.nearest(queries[i], K, method="index"), QUERIES)
        found = [store.nearest(query, K, method="index") for query in queries[:50]]
        hits = [len({m.id for m in a} & {m.id for m in b}) / K for a, b in zip(exact, found, strict=True)]
        print(f"exact scan of the file: {scan:.0f} ms a query, {batch:.1f} ms in a batch; in memory {memory:.1f} ms")
        print(f"index: built in {built:.1f} s, {by_index:.1f} ms a query, {scan / by_index:.0f} times faster than the scan")
        print(f"recall@{K} = {np.mean(hits):.4f} over {len(hits)} queries")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
