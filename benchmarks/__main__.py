"""``python -m benchmarks``: the time of an encode over the time of the transforms that it needs, and of dense products."""

from __future__ import annotations

import simnet
from simnet.claims.cost import encode_ratios, necessary_products


def main() -> None:
    """Print one row a size."""
    net = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=8, seed=0)
    runs = net.run(16, seed=1)
    print(f"{len(runs)} runs, {necessary_products(runs[0].structure)} products each; medians of ratios")
    for d in (1 << 10, 1 << 12, 1 << 14):
        ratios = encode_ratios(simnet.Sketcher(net, sketch_dim=d), runs, 9, seed=0, dense=d <= 1 << 12)
        print(f"d = {d:6d}: " + ", ".join(f"{name} {ratio:.3f}" for name, ratio in ratios.items()))


if __name__ == "__main__":
    main()
