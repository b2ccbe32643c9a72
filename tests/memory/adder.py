"""Adds sketches to a store until it is killed: ``python adder.py STORE SEED``; prints each number that add returned."""

import sys

import numpy as np

from simnet.memory import SketchStore


def sketch_of(seed, i, sketch_dim):
    """The ``i``-th sketch that the process of that seed adds."""
    return np.random.default_rng([seed, i]).standard_normal(sketch_dim)


if __name__ == "__main__":
    path, seed = sys.argv[1], int(sys.argv[2])
    store = SketchStore(path)
    for i in range(10**6):
        key = store.add(sketch_of(seed, i, store.sketch_dim), time=i, tags=["added"], metadata={"seed": seed, "i": i})
        print(key, i, flush=True)
