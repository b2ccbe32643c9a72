"""A sum of recursive sketches beside the classical linear sketches, at equal memory.

``python -m experiments.memory_baselines`` writes ``results/memory_baselines.csv``; it needs the extra ``memory``.

A thousand rooms with things of 24 kinds, each of one of 8 colours.  Three questions: how many things of each kind, the
quartiles of the colours (as numbers) of one kind, and how many different modules there are.  Every structure gets ``8 d``
bytes, the memory of one sketch; errors are root mean squares over the seeds of the sketchers or of the hashes.

What each must be told, and when, is in the columns ``told_before`` (while the data go by) and ``told_after`` (with the
question), and is not the same: a count-min sketch, a KLL sketch or a HyperLogLog is one structure for one question, and is
fed with names and values by someone who has them.  The sum of sketches is fed with sketches only, and all of its memory
answers all of the questions, these and others; in return whoever asks must have the matrices and the network.  With all
modules known beforehand a table of 25 counters, 200 bytes, is exact, and so is the joint reading of the sum, from 330
coordinates on; it is for what was not foreseen that one keeps a sketch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import datasketches
import numpy as np
import pandas as pd

import simnet
from simnet.memory.questions import asked
from simnet.report.style import write_table

KINDS, COLOURS, PLACES, RUNS, SEEDS = 24, 8, 4, 1000, 12
DIMS = (64, 256, 512, 1024, 4096)
QUARTILES = (0.25, 0.5, 0.75)
UNIT = 1.0 / math.sqrt(3.5)

TOLD = {
    "sketch, matched": ("nothing", "matrices, network"),
    "sketch, joint": ("nothing", "matrices, network"),
    "count-min": ("the name of every object", "nothing"),
    "KLL": ("which attribute of which kind, its value", "nothing"),
    "HyperLogLog": ("the name of every object", "nothing"),
}

Errors = dict[tuple[str, str], float]


def planted(runs: simnet.Executions) -> tuple[dict[Any, int], list[int]]:
    """The number of objects of every module, and the colours of the things of the first kind."""
    counts: dict[Any, int] = {}
    colours: list[int] = []
    for group in runs:
        for k, module in enumerate(group.structure.modules):
            counts[module] = counts.get(module, 0) + len(group)
            if module == "kind 0":
                colours += np.argmax(group.attributes[k][:, 1 : 1 + COLOURS], axis=1).tolist()
    return counts, colours


def sketch_errors(sketcher: simnet.Sketcher, total: Any, counts: dict[Any, int], quartiles: list[int]) -> Iterator[Errors]:
    """The errors of one sketcher, read in each of the ways that its size allows."""
    for method in ("matched", "joint"):
        if method == "joint" and asked(sketcher, total, 0.0, np.ones(1), "auto").reading.method != "joint":
            continue
        a = asked(sketcher, total, 0.0, np.ones(1), method)
        name = f"sketch, {method}"
        off = [float(a.count(module)) - counts.get(module, 0) for module in sketcher.network.by_name]
        bins = [a.quantile("kind 0", q, slice(1, 1 + COLOURS), unit=UNIT) for q in QUARTILES]
        yield {
            (name, "counts"): float(np.mean(np.square(off))),
            (name, "quartiles"): float(np.mean([(float(x) - y) ** 2 for x, y in zip(bins, quartiles, strict=True)])),
            (name, "different modules"): (float(a.distinct()) - len(counts)) ** 2,
        }


def classical_errors(memory: int, seed: int, counts: dict[Any, int], colours: list[int], quartiles: list[int]) -> Errors:
    """The errors of the three classical sketches of at most that many bytes."""
    hashes = 3
    minimum = datasketches.count_min_sketch(hashes, max(memory // (8 * hashes), 3), seed + 1)
    distinct = datasketches.hll_sketch(int(math.log2(memory)), datasketches.tgt_hll_type.HLL_8)
    for module, count in counts.items():
        minimum.update(str(module), float(count))
        distinct.update(f"{seed} {module}")  # its hash has no seed: other names in its place
    off = [minimum.get_estimate(str(module)) - count for module, count in counts.items()]
    shuffled = np.random.default_rng(seed).permutation(colours)
    k = largest(8, 4000, lambda k: len(filled(k, shuffled).serialize()) <= memory)
    found = [filled(k, shuffled).get_quantile(q) for q in QUARTILES]
    return {
        ("count-min", "counts"): float(np.mean(np.square(off))),
        ("KLL", "quartiles"): float(np.mean(np.square(np.array(found) - quartiles))),
        ("HyperLogLog", "different modules"): (distinct.get_estimate() - len(counts)) ** 2,
    }


def filled(k: int, values: Any) -> Any:
    """A KLL sketch of that size, fed."""
    sketch = datasketches.kll_floats_sketch(k)
    for value in values:
        sketch.update(float(value))
    return sketch


def largest(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The largest number that fits, if fitting is monotone; the lowest if none does."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def measure() -> pd.DataFrame:
    """Root mean square errors of every structure at every size."""
    net = simnet.networks.scene(
        [f"kind {i}" for i in range(KINDS)], places=PLACES, colours=COLOURS, seed=8
    )  # no dead colours
    runs = net.run(RUNS, seed=1)
    counts, colours = planted(runs)
    quartiles = [int(np.sort(colours)[math.ceil(q * len(colours)) - 1]) for q in QUARTILES]
    rows = []
    for d in DIMS:
        squares: dict[tuple[str, str], list[float]] = {}
        for seed in range(SEEDS):
            sketcher = simnet.Sketcher(net, d, recipe="prototype_b", seed=seed)
            total = sketcher.encode(runs).sum(axis=0)
            parts = [*sketch_errors(sketcher, total, counts, quartiles)]
            parts.append(classical_errors(8 * d, seed, counts, colours, quartiles))
            for part in parts:
                for key, value in part.items():
                    squares.setdefault(key, []).append(value)
        for (structure, question), values in squares.items():
            before, after = TOLD[structure]
            row = {"question": question, "structure": structure, "bytes": 8 * d, "rmse": math.sqrt(float(np.mean(values)))}
            rows.append({**row, "seeds": len(values), "told_before": before, "told_after": after})
    table = pd.DataFrame(rows)
    table["truth"] = table.question.map(
        {
            "counts": f"{np.mean(list(counts.values())):.0f} on average",
            "quartiles": ", ".join(map(str, quartiles)),
            "different modules": str(len(counts)),
        }
    )
    return table.sort_values(["question", "structure", "bytes"], ignore_index=True)


def main() -> None:
    """Write the table."""
    write_table(measure(), "memory_baselines")


if __name__ == "__main__":
    main()
