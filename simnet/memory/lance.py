"""The index of a store: prefixes of its sketches in LanceDB (an optional extra), for candidates.

A prefix of ``d'`` coordinates tells sketches apart almost as well as the whole (Law 4: the error of an inner product grows
as ``√(d/d')``), and is searched ``d/d'`` times faster.  So the index holds unit vectors of prefixes, and gives more
candidates than are asked for; the whole sketches of those are then compared exactly.

The index is a copy, in the folder ``STORE.index`` beside the store: if it is lost or damaged it is built again, and nothing
else is.  Sketches that were added after it was brought up to date are compared exactly; removed ones are not found.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.files import written_whole
from simnet.memory.vectors import units

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

Array = NDArray[Any]

TABLE, ABOUT = "prefixes", "about.json"

#: Coordinates that the index holds of each sketch.
PREFIX = 256

#: Candidates for each of the ``k`` that are asked for, and the fewest.
OVERSAMPLING, FEWEST = 20, 200

#: Up to this many sketches all prefixes are compared; beyond, those in the nearest cells of a partition.
FLAT = 10_000

#: The share of the cells that is looked at.
SHARE_OF_CELLS = 1 / 3

#: Rows are put into cells, and old versions of the table merged, once so large a share of the rows is new.
SHARE_OF_NEW = 0.1


class Index:
    """The index of a store as it is on the disk.

    Attributes
    ----------
    prefix : int
        How many coordinates it holds of each sketch.
    last : int
        The greatest number of a sketch that it has looked at.
    cells : int
        0 where all prefixes are compared.

    Raises
    ------
    ValueError
        If it is damaged or the index of another store, or LanceDB is not installed.
    """

    def __init__(self, store: SketchStore) -> None:
        self.store, self.folder = store, folder_of(store)
        self.stamp = stamp_of(store)
        library = _library()
        with _translated(self.folder):
            about = json.loads((self.folder / ABOUT).read_text())
            self.prefix, self.last, self.cells, self.merged = (int(about[k]) for k in ("prefix", "last", "cells", "merged"))
            self.table = library.connect(self.folder).open_table(TABLE)
            if about["store"] != store.name or self.table.schema.field("vector").type != pa.list_(pa.float32(), self.prefix):
                raise ValueError("it is that of another store")

    def candidates(self, queries: Array, k: int) -> list[Array]:
        """The numbers of sketches whose prefixes are nearest in angle, for each query, in no order."""
        number = max(FEWEST, OVERSAMPLING * k)
        found = []
        with _translated(self.folder):
            for query in units(queries[:, : self.prefix]).astype(np.float32):
                search = self.table.search(query).distance_type("dot").select(["id", "_distance"]).limit(number)
                if self.cells:
                    search = search.nprobes(math.ceil(SHARE_OF_CELLS * self.cells))
                found.append(search.to_arrow()["id"].to_numpy())
        return found

    def update(self) -> Index:
        """The index brought up to date: new sketches added, removed ones taken out, versions merged when it is time."""
        with _translated(self.folder):
            self.table.delete(f"id > {self.last}")  # of an update that was cut short
            there = set(self.table.to_arrow()["id"].to_pylist())
        present = set(self.store.ids().tolist())
        gone = sorted(there - present)
        with _translated(self.folder):
            for start in range(0, len(gone), 1000):
                self.table.delete(f"id IN ({', '.join(map(str, gone[start : start + 1000]))})")
        last = self.last
        for batch in _batches(self.store, self.prefix, self.last):
            with _translated(self.folder):
                self.table.add(pa.Table.from_batches([batch]))
            last = max(last, batch["id"][-1].as_py())
        rows = len(present)
        with _translated(self.folder):
            if rows > FLAT and not self.cells:
                self.cells, self.merged = _partition(self.table, rows), rows
            elif abs(rows - self.merged) > SHARE_OF_NEW * self.merged:
                self.table.optimize()
                self.merged = rows
        _write_about(self.folder, self.store, self.prefix, last, self.cells, self.merged)
        return Index(self.store)


def build(store: SketchStore, prefix: int = PREFIX) -> Index:
    """A new index of all that is in a store, in the place of an old one."""
    kept = min(integer("prefix", prefix, minimum=1), store.sketch_dim)
    folder, library = folder_of(store), _library()
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with _translated(folder):
            table = library.connect(partial).create_table(TABLE, schema=_schema(kept))
        last = rows = 0
        for batch in _batches(store, kept, 0):
            with _translated(folder):
                table.add(pa.Table.from_batches([batch]))
            last, rows = batch["id"][-1].as_py(), rows + len(batch)
        with _translated(folder):
            cells = _partition(table, rows) if rows > FLAT else 0
            table.optimize()
        _write_about(partial, store, kept, last, cells, rows)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Index(store)


def folder_of(store: SketchStore) -> Path:
    """Where the index of a store is."""
    return store.path.with_name(f"{store.path.name}.index")


def stamp_of(store: SketchStore) -> int | None:
    """When the index of a store was last written; ``None`` where there is none."""
    try:
        return os.stat(folder_of(store) / ABOUT).st_mtime_ns
    except OSError:
        return None


def _library() -> Any:
    try:
        import lancedb
    except ImportError:
        raise ValueError("the index of a store needs LanceDB: install the extra 'memory'") from None
    return lancedb


def _schema(prefix: int) -> Any:
    return pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32(), prefix))])


def _batches(store: SketchStore, prefix: int, beyond: int) -> Iterator[Any]:
    """Unit vectors of prefixes, many blocks at a time: each addition makes a version of the table."""
    ids: list[Array] = []
    vectors: list[Array] = []
    for block in store.blocks(dtype=np.float32, beyond=beyond):
        ids.append(block.ids)
        vectors.append(units(block.sketches[:, :prefix]))
        if sum(map(len, ids)) * prefix >= 1 << 24:
            yield _batch(ids, vectors, prefix)
            ids, vectors = [], []
    if ids:
        yield _batch(ids, vectors, prefix)


def _batch(ids: list[Array], vectors: list[Array], prefix: int) -> Any:
    flat = pa.array(np.concatenate(vectors).astype(np.float32).ravel())
    columns = [pa.array(np.concatenate(ids)), pa.FixedSizeListArray.from_arrays(flat, prefix)]
    return pa.record_batch(columns, schema=_schema(prefix))


def _partition(table: Any, rows: int) -> int:
    """Sort the rows into about ``√rows / 2`` cells."""
    from lancedb.index import IvfFlat

    cells = max(8, math.isqrt(rows) // 2)
    table.create_index("vector", config=IvfFlat(distance_type="dot", num_partitions=cells), replace=True)
    return cells


def _write_about(folder: Path, store: SketchStore, prefix: int, last: int, cells: int, merged: int) -> None:
    about = {"store": store.name, "prefix": prefix, "last": last, "cells": cells, "merged": merged}
    with written_whole(folder / ABOUT) as file:
        file.write(json.dumps(about).encode())


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """What LanceDB raises on a damaged index, as one clear line."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OSError, RuntimeError, pa.ArrowException) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{folder}: the index is damaged, build it again: {line[:200]}") from None
