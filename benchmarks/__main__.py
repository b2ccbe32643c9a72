"""``python -m benchmarks``: the time of an encode over the time of the transforms that it needs, and of dense products."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import scipy.fft

import simnet


def paired(first: Callable[[], object], second: Callable[[], object], repetitions: int = 9) -> float:
    """The median over repetitions of the ratio of two times, each pair taken back to back."""
    ratios = []
    for _ in range(repetitions):
        times = []
        for work in (first, second):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        ratios.append(times[0] / times[1])
    return float(np.median(ratios))


def main() -> None:
    """Print one row a size."""
    net = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=8, seed=0)
    runs = net.run(16, seed=1)
    structure = runs[0].structure
    edges = len(structure.edge_weights)
    print(
        f"{len(structure)} objects, {edges} edges, 16 runs; times over the transforms alone, and over one dense product each"
    )
    for d in (1 << 10, 1 << 12, 1 << 14):
        sketcher = simnet.Sketcher(net, sketch_dim=d)
        sketcher.encode(runs)
        # two transforms for each value matrix, for T_a and T_0 of each object, for T_b of those with inputs, for each edge
        products = 3 * len(structure) + sum(bool(inputs) for inputs in structure.inputs) + edges
        batch = np.random.default_rng(0).standard_normal((16, d))

        def transforms(batch: np.ndarray = batch, products: int = products) -> None:
            for _ in range(2 * products):
                scipy.fft.dct(batch, norm="ortho", axis=-1)

        row = f"d = {d:6d}: {paired(lambda s=sketcher: s.encode(runs), transforms):.2f} of the transforms"
        if d <= 1 << 12:
            matrix = np.random.default_rng(1).standard_normal((d, d))

            def dense(batch: np.ndarray = batch, matrix: np.ndarray = matrix, products: int = products) -> None:
                for _ in range(products):
                    batch @ matrix

            row += f", {paired(lambda s=sketcher: s.encode(runs), dense, 3):.3f} of dense products"
        print(row)


if __name__ == "__main__":
    main()
