"""Peers on the same work: dense products, random projections, holographic binding, sparse block matrices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
import scipy.fft
from scipy import sparse

import simnet
from benchmarks.encoding import encode_anew
from benchmarks.measure import Row, compared, missing, ratios
from simnet.matrices import Block
from simnet.randomness import stream
from simnet.sketching.plan import products
from simnet.threads import limited


def dense(quick: bool) -> Iterator[Row]:
    """As many dense products by NumPy, on the same batch."""
    d = 1 << (8 if quick else 12)
    net = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=8, seed=0)
    draw = np.random.default_rng(0)
    matrix = draw.standard_normal((d, d))
    for n in (1, 16):
        runs, batch = net.run(n, seed=1), draw.standard_normal((n, d))

        def multiplied(batch: np.ndarray = batch, count: int = products(runs[0].structure)) -> None:
            for _ in range(count):
                batch @ matrix

        encode = partial(encode_anew, simnet.Sketcher(net, d, seed=1), runs)
        found = ratios(multiplied, encode, 3 if quick else 7, apart=not quick)
        setting = f"d = {d}, {n} run{'s' * (n > 1)}"
        target = {} if quick else {"least": 25.0}
        yield compared("peers", "dense Gaussian products by NumPy", "encode", setting, found, **target)


def binding(quick: bool) -> Iterator[Row]:
    """One transparent product against one binding of holographic reduced representations by FFT."""
    net = simnet.networks.tree(seed=0)
    for d in (256,) if quick else (1 << 10, 1 << 12, 1 << 14):
        for dtype in ("float64", "float32"):
            sketcher = simnet.Sketcher(net, d, seed=1, dtype=dtype)
            left, right = np.random.default_rng(0).standard_normal((2, 32, d)).astype(dtype)

            def bind(left: np.ndarray = left, right: np.ndarray = right, d: int = d) -> np.ndarray:
                return scipy.fft.irfft(scipy.fft.rfft(left) * scipy.fft.rfft(right), n=d)

            with limited(1):
                found = ratios(partial(sketcher.transparent, "root", 0, left), bind, 5 if quick else 31)
            setting = f"d = {d}, 32 vectors, {dtype}"
            # below, calls take as long as transforms
            target = {} if quick or d < 1 << 12 else {"most": 1.0}
            yield compared("peers", "T(R) v", "circular convolution by FFT", setting, found, **target)


def projections(quick: bool) -> Iterator[Row]:
    """The encode of many runs against random projections of their attributes by scikit-learn: flat, without a graph."""
    try:
        from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
    except ImportError:
        yield missing("peers", "random projections by scikit-learn", "scikit-learn")
        return
    d, n = (256, 300) if quick else (4096, 4000)
    net = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=8, seed=0)
    runs, sketcher = net.run(n, seed=1), simnet.Sketcher(net, d, seed=1)
    flat = np.concatenate(runs.groups[0].attributes, axis=1)
    for kind in (GaussianRandomProjection, SparseRandomProjection):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are more components than attributes: so there are
            fitted = kind(d, random_state=0).fit(flat)
        encode, transform = partial(sketcher.encode, runs), partial(fitted.transform, flat)
        found = ratios(encode, transform, 3 if quick else 7, apart=not quick)
        yield compared("peers", "encode", f"{kind.__name__} of scikit-learn", f"d = {d}, {n} runs", found)


def blocks(quick: bool) -> Iterator[Row]:
    """A product with a block matrix against the same matrix in ``scipy.sparse``."""
    d = 256 if quick else 2048
    for density in (0.1, 0.5):
        matrix = Block(16, density).sample(stream(0, "benchmark"), d)
        rows = sparse.bsr_array(matrix.todense(), blocksize=(16, d))
        batch = np.random.default_rng(0).standard_normal((32, d))
        columns = np.asfortranarray(batch.T)
        found = ratios(partial(matrix.matvec, batch), partial(rows.dot, columns), 3 if quick else 15)
        yield compared("peers", "block matrix", "scipy.sparse, by blocks", f"d = {d}, density {density}, 32 vectors", found)
