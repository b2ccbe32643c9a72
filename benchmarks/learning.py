"""Packets and ranks, what learning stands on, over what they cannot do without."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

import simnet
from benchmarks.measure import Row, compared, ratios
from simnet.learning import learn_packets
from simnet.learning.ranks import coordinates, rank
from simnet.threads import limited


def packets(quick: bool) -> Iterator[Row]:
    """The matrices of a layer from its sketches, over one sort of all their numbers, which finds what repeats."""
    n, d = (300, 960) if quick else (4000, 3840)
    net = simnet.networks.sparse_layer(modules=3, attribute_dim=4, sparsity=0.15)
    runs = net.run(n, seed=1)
    sketches = simnet.Sketcher(net, d, "packet", recipe="prototype_a", seed=3).encode(runs)
    with threadpool_limits(1), limited(1):
        found = ratios(partial(learn_packets, sketches), partial(np.sort, sketches, axis=None), 3 if quick else 7)
    yield compared("learning", "learn packets", "one sort of all numbers", f"{n} sketches, d = {d}, 1 thread", found)


def ranks(quick: bool) -> Iterator[Row]:
    """The column space of sketches over one QR decomposition of them, and a rank in it over one eigendecomposition."""
    n, d, r = (200, 64, 12) if quick else (4000, 1024, 160)
    draw = np.random.default_rng(0)
    sketches = draw.standard_normal((n, r)) @ draw.standard_normal((r, d))

    def gram(values: np.ndarray) -> None:
        scipy.linalg.eigh(values.T @ values)

    with threadpool_limits(1), limited(1):
        space = coordinates(sketches, n, noise=None, failure_probability=1e-6)
        work = partial(coordinates, sketches, n, noise=None, failure_probability=1e-6)
        found = ratios(work, partial(np.linalg.qr, sketches, mode="r"), 3 if quick else 7)
        setting = f"{n} sketches, d = {d}, rank {r}, 1 thread"
        yield compared("learning", "column space of sketches", "one QR decomposition of them", setting, found)
        half = space.values[: n // 2]
        found = ratios(partial(rank, half, len(half), 0.0, 1e-6), partial(gram, half), 3 if quick else 31)
        setting = f"{len(half)} sketches, rank {r}, 1 thread"
        yield compared("learning", "rank over some runs", "Gram matrix and its eigendecomposition", setting, found)
