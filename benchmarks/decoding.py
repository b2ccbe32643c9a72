"""Decoders over the linear algebra that they cannot do without: the dictionary, formed once, and one decomposition of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

import simnet
from benchmarks.measure import Row, compared, ratios
from simnet.sketching.compiled import compiled
from simnet.threads import limited


def decoders(quick: bool) -> Iterator[Row]:
    """One sketch at ``d = 2p``: the attributes by least squares and by ridge, and with nothing known but the matrices."""
    widths = (3, 2) if quick else (24, 12, 6)
    net = simnet.networks.layered(widths=widths, attribute_dim=4 if quick else 8, seed=0)
    ex = net.run(1, seed=1)[0]
    d = 2 * ex.structure.size
    sketcher = simnet.Sketcher(net, d, seed=1)
    sketch = sketcher.encode(ex)
    columns = np.random.default_rng(0).standard_normal((d, sum(ex.structure.attribute_dims)))
    setting = f"d = {d}, {len(ex.structure)} objects, {columns.shape[1]} unknowns, 1 thread"

    def least() -> None:
        compiled(sketcher, ex.structure)
        scipy.linalg.qr(columns, mode="economic")

    def spectrum() -> None:
        compiled(sketcher, ex.structure)
        scipy.linalg.svd(columns, full_matrices=False)

    repetitions = 3 if quick else 9
    with threadpool_limits(1), limited(1):
        for method, bare, needed in (
            ("least_squares", least, "dictionary and one QR decomposition"),
            ("ridge", spectrum, "dictionary and one singular value decomposition"),
        ):
            found = ratios(partial(sketcher.decode, sketch, ex.structure, method), bare, repetitions)
            yield compared("decoding", f"decode by {method}", needed, setting, found)
        net = simnet.networks.random_dag(modules=4 if quick else 8, attribute_dim=3 if quick else 4, seed=1)
        ex = net.run(1, seed=1)[0]
        sketcher = simnet.Sketcher(net, 2 * ex.structure.size, seed=1)
        sketch = sketcher.encode(ex)
        columns = np.random.default_rng(0).standard_normal((sketcher.sketch_dim, ex.structure.size))
        setting = f"d = {sketcher.sketch_dim}, {len(ex.structure)} objects, 1 thread"
        found = ratios(partial(sketcher.unroll, sketch), least, repetitions)
        yield compared("decoding", "unroll", "dictionary and one QR decomposition", setting, found)
