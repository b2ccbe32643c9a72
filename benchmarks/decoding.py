"""Decoders over the linear algebra that they cannot do without: the dictionary, formed once, and one decomposition of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

import simnet
from benchmarks.measure import Row, Work, compared, ratios
from simnet.networks import Structure
from simnet.sketching.dictionary import dictionary
from simnet.threads import limited


def decoders(quick: bool) -> Iterator[Row]:
    """One sketch at ``d = 2p``: the attributes by least squares and by ridge, and with nothing known but the matrices."""
    repetitions = 3 if quick else 9
    net = simnet.networks.layered(widths=(3, 2) if quick else (24, 12, 6), attribute_dim=4 if quick else 8, seed=0)
    sketcher, structure, sketch = _sketched(net)
    unknowns = sum(structure.attribute_dims)
    setting = f"d = {sketcher.sketch_dim}, {len(structure)} objects, {unknowns} unknowns, 1 thread"
    with threadpool_limits(1), limited(1):
        for method, decompose, name in (
            ("least_squares", partial(scipy.linalg.qr, mode="economic"), "QR decomposition"),
            ("ridge", partial(scipy.linalg.svd, full_matrices=False), "singular value decomposition"),
        ):
            bare = _needed(sketcher, structure, unknowns, decompose)
            found = ratios(partial(sketcher.decode, sketch, structure, method), bare, repetitions)
            yield compared("decoding", f"decode by {method}", f"dictionary and one {name}", setting, found)
        net = simnet.networks.random_dag(modules=4 if quick else 8, attribute_dim=3 if quick else 4, seed=1)
        sketcher, structure, sketch = _sketched(net)
        bare = _needed(sketcher, structure, structure.size, partial(scipy.linalg.qr, mode="economic"))
        found = ratios(partial(sketcher.unroll, sketch), bare, repetitions)
        setting = f"d = {sketcher.sketch_dim}, {len(structure)} objects, 1 thread"
        yield compared("decoding", "unroll", "dictionary and one QR decomposition", setting, found)


def _sketched(net: simnet.ModularNetwork) -> tuple[simnet.Sketcher, Structure, np.ndarray]:
    """A sketcher for a network, the structure of a run, and its sketch."""
    ex = net.run(1, seed=1)[0]
    sketcher = simnet.Sketcher(net, 2 * ex.structure.size, seed=1)
    return sketcher, ex.structure, sketcher.encode(ex)


def _needed(sketcher: simnet.Sketcher, structure: Structure, unknowns: int, decompose: Callable[..., object]) -> Work:
    """The dictionary, and a decomposition of as many columns as there are unknowns."""
    columns = np.random.default_rng(0).standard_normal((sketcher.sketch_dim, unknowns))

    def work() -> None:
        sketcher.to_stored(dictionary(sketcher, structure, one_mark=True))
        decompose(columns)

    return work
