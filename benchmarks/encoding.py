"""Encode, adjoint, dictionary and kernel over what they cannot do without."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import partial
from itertools import product
from time import process_time
from unittest import mock

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

import simnet
from benchmarks.measure import Row, clock, compared, judged, ratios
from simnet.matrices import passes
from simnet.sketching import cuts
from simnet.sketching.plan import products
from simnet.threads import limited, threads


def hundred_objects() -> simnet.ModularNetwork:
    """Three layers, each object fed by two."""
    return simnet.networks.layered(widths=(56, 29, 15), attribute_dim=8, fan_in=2, seed=0)


def transforms(batch: np.ndarray, count: int, workers: int = 1) -> None:
    """So many orthonormal transforms of a batch."""
    for _ in range(count):
        scipy.fft.dct(batch, norm="ortho", overwrite_x=True, workers=workers)


def encodes(quick: bool) -> Iterator[Row]:
    """An encode of 100 objects, and its adjoint, over the two transforms of every product."""
    net = hundred_objects()
    needed = 2 * products(net.run(1)[0].structure)
    settings = [(1 << k, 1, "float64", 1) for k in ((8,) if quick else range(10, 21))]
    settings += [(1 << k, 1, "float32", 1) for k in ((8,) if quick else (12, 16, 20))]
    settings += [(1 << k, 16, "float64", 1) for k in ((8,) if quick else (12, 14))]
    settings += [(1 << k, 16, "float64", threads()) for k in ((8,) if quick else (12, 14)) if threads() > 1]
    settings += [(1 << (8 if quick else 12), 64, "float64", workers) for workers in sorted({1, threads()})]
    for d, n, dtype, workers in settings:
        sketcher, runs = simnet.Sketcher(net, d, seed=1, dtype=dtype), net.run(n, seed=1)
        setting = f"d = {d}, {n} run{'s' * (n > 1)}, {dtype}, {workers} thread{'s' * (workers > 1)}"
        found = _encode_ratios(sketcher, runs, needed, workers, 3 if quick else 5 if d >= 1 << 18 else 15)
        target = {} if quick else {"most": 1.25}
        yield compared("encode", "encode of 100 objects", f"{needed} transforms", setting, found, **target)
    for d in (1 << 10,) if quick else (1 << 12, 1 << 14, 1 << 16):
        with mock.patch.object(passes, "LONG", 1 << 62):
            sketcher, run = simnet.Sketcher(net, d, seed=1), net.run(1, seed=1)
            alone = _encode_ratios(sketcher, run, needed, 1, 3 if quick else 15)
        yield compared("encode", "encode without numba", f"{needed} transforms", f"d = {d}, 1 run, float64, 1 thread", alone)
    for d in (256,) if quick else (1 << 12, 1 << 16):
        operator = simnet.Sketcher(net, d, seed=1).operator(net.run(1, seed=1)[0])
        y = np.random.default_rng(0).standard_normal(d)
        with limited(1):
            found = ratios(partial(operator.rmatvec, y), partial(transforms, y.copy()[None], needed), 3 if quick else 9)
        yield compared("encode", "adjoint of 100 objects", f"{needed} transforms", f"d = {d}, float64, 1 thread", found)


def _encode_ratios(
    sketcher: simnet.Sketcher, runs: simnet.Executions, needed: int, workers: int, repetitions: int
) -> np.ndarray:
    batch = np.random.default_rng(0).standard_normal((len(runs), sketcher.sketch_dim)).astype(sketcher.dtype)
    with limited(workers):
        return ratios(partial(encode_anew, sketcher, runs), partial(transforms, batch, needed, workers), repetitions)


def encode_anew(sketcher: simnet.Sketcher, runs: simnet.Executions) -> None:
    sketcher._shared_columns = ()  # columns that runs have in common are part of what is timed
    sketcher.encode(runs)


def memory(quick: bool) -> Iterator[Row]:
    """The most that an encode holds at any time, in sketches."""
    net, d = hundred_objects(), 1 << (12 if quick else 20)
    runs = net.run(1, seed=1)
    simnet.Sketcher(net, 1 << 12).encode(runs)  # what is imported then is no part of it
    for dtype in ("float64", "float32"):
        sketcher = simnet.Sketcher(net, d, seed=1, dtype=dtype)
        tracemalloc.start()
        sketcher.encode(runs)
        peak = tracemalloc.get_traced_memory()[1] / (d * sketcher.dtype.itemsize)
        tracemalloc.stop()
        row = Row("memory", "peak of an encode of 100 objects", "bytes of one sketch", f"d = {d}, {dtype}", peak)
        yield row if quick else judged(row, most=40.0)


def dictionaries(quick: bool) -> Iterator[Row]:
    """Many runs of one graph at the rate of a matrix product, and the model of the cost against the clock."""
    net, d, n = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=8, seed=0), 1 << (8 if quick else 12), 10_000
    for jitter in (0.0, 0.5):
        runs = net.run(300 if quick else n, seed=1, weight_jitter=jitter)
        for dtype in ("float64", "float32"):
            sketcher, draw = simnet.Sketcher(net, d, seed=1, dtype=dtype), np.random.default_rng(0)
            way = cuts.cut(runs.groups[0].structure, np.inf, shared=jitter == 0.0)
            columns = int(way.held)
            left, right = draw.random((len(runs), columns)).astype(dtype), draw.random((columns, d)).astype(dtype)
            setting = (
                f"{len(runs)} runs{' with weights of their own' if jitter else ''}, {columns} columns, d = {d}, {dtype}"
            )
            multiplied = partial(np.matmul, left, right)
            for work, encode in (
                ("rate of products in an encode", encode_anew),
                ("the same for the next runs of the graph", simnet.Sketcher.encode),
            ):
                found = 1.0 / ratios(partial(encode, sketcher, runs), multiplied, 3 if quick else 9, apart=not quick)
                target = {} if quick or jitter else {"least": 0.75}
                yield compared("dictionary", work, "rate of the product alone", setting, found, **target)
    yield from model_of_the_cost(quick)


def model_of_the_cost(quick: bool) -> Iterator[Row]:
    """How often the model knows whether columns pay, and what its picks cost; by processor time on one thread."""
    nets = {
        "layered": simnet.networks.layered(widths=(6, 4, 2), attribute_dim=8, seed=0),
        "dag": simnet.networks.random_dag(modules=20, attribute_dim=8, seed=2),
        "tree": simnet.networks.tree(height=4, attribute_dim=6, seed=0),
        "wide": simnet.networks.layered(widths=(4, 2), attribute_dim=100, seed=0),
    }
    sizes = [("trig", 256)] if quick else [(f, d) for f in ("trig", "gaussian", "packet") for d in (256, 1024)]
    right, lost = [], []
    with threadpool_limits(1), limited(1):
        for family, d in [*sizes, *([] if quick else [("trig", 4096)])]:
            for net, jitter in product(nets.values(), (0.5,) if quick else (0.0, 0.5)):
                sketcher, runs = simnet.Sketcher(net, d, family, seed=1), net.run(256, seed=1, weight_jitter=jitter)
                for n in (1, 256) if quick else (1, 4, 16, 64, 256):
                    group, result = runs[:n].groups[0], np.empty((n, d))
                    shared = cuts.shares_weights(group)
                    some = {cuts.cut(group.structure, most, shared=shared) for most in (n, np.inf)}
                    ways = [None, *(way for way in some if way.columns)]  # without columns a cut is none
                    times = [_processor_time(partial(sketcher._encode_group, group, result, way), sketcher) for way in ways]
                    pick = cuts.best_cut(sketcher, group)
                    right.append((pick is None) == (times[0] == min(times)))
                    lost.append(times[ways.index(pick)] / min(times))
    settings = f"{len(right)} settings"
    row = Row("dictionary", "picks of the faster way, with columns or without", "all picks", settings, float(np.mean(right)))
    yield row if quick else judged(row, least=0.95)
    yield compared("dictionary", "time of the picks", "time of the fastest of three ways", settings, np.array(lost))


def _processor_time(work: partial[None], sketcher: simnet.Sketcher) -> float:
    """The least of three; the first draws the matrices."""
    times = []
    for _ in range(3):
        sketcher._shared_columns = ()
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def kernels(quick: bool) -> Iterator[Row]:
    """The kernel of all pairs of runs, over the same pairs one by one."""
    runs = simnet.networks.scene(places=19, seed=0).run(30 if quick else 1000, seed=1, weight_jitter=0.5)
    some = [runs[i] for i in range(30)]
    start = clock(lambda: simnet.theory.kernel_matrix(runs)) / len(runs) ** 2
    alone = clock(lambda: [simnet.theory.kernel(a, some[7]) for a in some]) / len(some)
    groups = f"{len(runs)} × {len(runs)} scenes of 20 objects, {len(runs.groups)} graphs"
    yield Row("kernel", "a pair by the kernel matrix", "a pair alone", groups, start / alone)
    row = Row("kernel", "seconds of the kernel matrix", "", groups, start * len(runs) ** 2)
    yield row if quick else judged(row, most=30.0)
