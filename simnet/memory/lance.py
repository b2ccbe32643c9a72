"""The index of a store: prefixes of its sketches in LanceDB (an optional extra), for candidates.

A prefix of ``d'`` coordinates tells sketches apart almost as well as the whole (Law 4), and is searched ``d/d'`` times
faster.  So the index holds unit vectors of prefixes, and gives more candidates than are asked for; the whole sketches of
those are then compared exactly.  How many more follows from the error of the cosine ``c`` of a prefix,

    σ = (1 − c²) √(1/d' − 1/d)

that of a correlation from ``d'`` of ``d`` pairs: candidates are those within ``MARGIN`` of it from the ``k``-th best.

Up to ``HELD_BYTES`` all prefixes are held in memory and compared, which takes less time than a call of any library.  Beyond,
LanceDB looks through the nearest cells of a partition.

Source: R. A. Fisher, *On the probable error of a coefficient of correlation*, Metron 1 (1921), for σ in large samples.

The index is a copy, in the folder ``STORE.index`` beside the store: if it is lost or damaged it is built again, and nothing
else is.  Sketches that were added after it was brought up to date are compared exactly; removed ones are not found.

One process at a time writes an index, under a lock that ends with the process; any number read it.  A new one is a table
under a new name, and takes the place of the old in the moment in which ``about.json`` names it.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.files import written_whole
from simnet.memory.vectors import units

if TYPE_CHECKING:
    from simnet.memory.store import SketchStore

Array = NDArray[Any]

ABOUT, LOCK = "about.json", "lock"

#: Coordinates that the index holds of each sketch.
PREFIX = 256

#: Candidates for each of the ``k`` that are asked for, and where that is few: no more are compared.
OVERSAMPLING, FEWEST = 20, 200

#: How far from the ``k``-th best prefix a candidate may be, in standard errors.
MARGIN = 3.0

#: Prefixes of so many bytes are held in memory; more are sorted into cells.
HELD_BYTES = 1 << 27

#: In memory so much shorter prefixes are compared first.
COARSER = 4

#: The share of the cells that is looked at.
SHARE_OF_CELLS = 1 / 3

#: Rows are put into cells, and old versions of the table merged, once so large a share of the rows is new.
SHARE_OF_NEW = 0.1


class Held(NamedTuple):
    """Prefixes in memory: the numbers of their sketches, unit vectors, and unit vectors of a part of each."""

    ids: Array
    vectors: Array
    coarse: Array


class Index:
    """The index of a store as it is on the disk.

    Attributes
    ----------
    prefix : int
        How many coordinates it holds of each sketch.
    last : int
        The greatest number of a sketch that it has looked at.
    cells : int
        Of the partition; 0 where there is none.

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
            self.table = library.connect(self.folder).open_table(str(about["table"]))
            if about["store"] != store.name or self.table.schema.field("vector").type != pa.list_(pa.float32(), self.prefix):
                raise ValueError("it is that of another store")

    @cached_property
    def held(self) -> Held | None:
        """The prefixes of all sketches; ``None`` where they are too many for memory."""
        with _translated(self.folder):
            if is_large(self.table.count_rows(), self.prefix):
                return None
            rows = self.table.to_arrow()
            vectors = rows["vector"].combine_chunks().flatten().to_numpy().reshape(-1, self.prefix)
            return Held(rows["id"].to_numpy(), vectors, units(vectors[:, : max(self.prefix // COARSER, 1)]))

    def candidates(self, queries: Array, k: int) -> list[Array]:
        """The numbers of sketches whose prefixes are near enough in angle, for each query, in no order."""
        most = max(FEWEST, OVERSAMPLING * k)
        wanted = units(queries[:, : self.prefix]).astype(np.float32)
        found = self._searched(wanted, most) if self.held is None else self._compared(self.held, wanted, k, most)
        error = error_of(self.prefix, self.store.sketch_dim)
        return [ids[near_enough(cosines, k, error)] for ids, cosines in found]

    def _compared(self, held: Held, wanted: Array, k: int, most: int) -> Iterator[tuple[Array, Array]]:
        """The nearest prefixes of each query, by comparing all: first a part of them, which is less to read from memory."""
        coarse = units(wanted[:, : held.coarse.shape[1]])
        error = error_of(held.coarse.shape[1], self.store.sketch_dim)
        # the k-th best of n is likely to be better than it should be by about so many errors, which here are large
        excess = math.sqrt(2.0 * math.log(max(len(held.ids) / k, 1.0)))
        for query, part in zip(wanted, coarse, strict=True):
            near = np.flatnonzero(near_enough(held.coarse @ part, k, error, MARGIN + excess))
            few = len(near) < len(held.ids) / COARSER
            ids, vectors = (held.ids[near], held.vectors[near]) if few else (held.ids, held.vectors)
            cosines = vectors @ query
            top = np.argpartition(cosines, -most)[-most:] if most < len(cosines) else np.arange(len(cosines))
            yield ids[top], cosines[top]

    def _searched(self, wanted: Array, most: int) -> Iterator[tuple[Array, Array]]:
        """The nearest prefixes of each query that are in the nearest cells."""
        for query in wanted:
            with _translated(self.folder):
                search = self.table.search(query).distance_type("dot").select(["id", "_distance"]).limit(most)
                if self.cells:
                    search = search.nprobes(math.ceil(SHARE_OF_CELLS * self.cells))
                rows = search.to_arrow()
            yield rows["id"].to_numpy(), 1.0 - rows["_distance"].to_numpy()

    def update(self) -> Index:
        """The index brought up to date: new sketches added, removed ones taken out, versions merged when it is time."""
        with _sole_writer(self.store):
            Index(self.store)._catch_up()  # as it is now: another process may have been faster
        return Index(self.store)

    def _catch_up(self) -> None:
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
            if is_large(rows, self.prefix) and not self.cells:
                self.cells, self.merged = _partition(self.table, rows), rows
            elif abs(rows - self.merged) > SHARE_OF_NEW * self.merged:
                self.table.optimize()
                self.merged = rows
        _write_about(self.store, self.table.name, self.prefix, last, self.cells, self.merged)


def is_large(rows: int, prefix: int) -> bool:
    """Whether so many prefixes are too many to be held in memory."""
    return 4 * rows * prefix > HELD_BYTES


def error_of(prefix: int, sketch_dim: int) -> float:
    """``√(1/d' − 1/d)``."""
    return math.sqrt(1.0 / prefix - 1.0 / sketch_dim)


def near_enough(cosines: Array, k: int, error: float, margin: float | None = None) -> Array:
    """Which cosines of prefixes may belong to one of the ``k`` nearest; ``margin`` in errors, as of :func:`error_of`."""
    if len(cosines) <= k:
        return np.ones(len(cosines), dtype=bool)
    last = float(np.partition(cosines, -k)[-k])
    # one part in a million for the rounding of single precision
    near: Array = cosines >= last - (MARGIN if margin is None else margin) * (1.0 - last**2) * error - 1e-6
    return near


def build(store: SketchStore, prefix: int = PREFIX) -> Index:
    """A new index of all that is in a store, in the place of an old one."""
    kept = min(integer("prefix", prefix, minimum=1), store.sketch_dim)
    folder, library = folder_of(store), _library()
    with _sole_writer(store):
        with _translated(folder):
            database, name = library.connect(folder), f"prefixes-{uuid.uuid4().hex}"
            table = database.create_table(name, schema=_schema(kept))
        last = rows = 0
        for batch in _batches(store, kept, 0):
            with _translated(folder):
                table.add(pa.Table.from_batches([batch]))
            last, rows = batch["id"][-1].as_py(), rows + len(batch)
        with _translated(folder):
            cells = _partition(table, rows) if is_large(rows, kept) else 0
            table.optimize()
        _write_about(store, name, kept, last, cells, rows)
        for old in folder.glob("*.lance"):  # of the index before, and of builds that were cut short
            if old.stem != name:
                shutil.rmtree(old, ignore_errors=True)
    return Index(store)


@contextmanager
def _sole_writer(store: SketchStore) -> Iterator[None]:
    """No other process writes the index of the store meanwhile; an empty SQLite file is what is locked."""
    folder = folder_of(store)
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / LOCK, store.timeout, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise TimeoutError(f"{folder}: another process kept the index locked for too long") from None
        yield


def folder_of(store: SketchStore) -> Path:
    """Where the index of a store is."""
    return store.path.with_name(f"{store.path.name}.index")


def stamp_of(store: SketchStore) -> tuple[int, int] | None:
    """Another one whenever the index of a store was written; ``None`` where there is none."""
    try:
        stat = os.stat(folder_of(store) / ABOUT)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino


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


def _write_about(store: SketchStore, table: str, prefix: int, last: int, cells: int, merged: int) -> None:
    about = {"store": store.name, "table": table, "prefix": prefix, "last": last, "cells": cells, "merged": merged}
    with written_whole(folder_of(store) / ABOUT) as file:
        file.write(json.dumps(about).encode())


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """What LanceDB raises on a damaged index, as one clear line."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OSError, RuntimeError, pa.ArrowException) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{folder}: the index is damaged, build it again: {line[:200]}") from None
