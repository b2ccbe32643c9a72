"""Writes the index of a store again and again: ``python indexer.py STORE update|build TIMES``; prints a line each time."""

import sys

from simnet.memory import SketchStore

if __name__ == "__main__":
    path, what, times = sys.argv[1:]
    with SketchStore(path) as store:
        for i in range(int(times)):
            store.update_index() if what == "update" else store.build_index(prefix=64)
            print(i, flush=True)
