"""The store: sketches with time, tags and metadata, kept so that none is lost."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice, integer, shown
from simnet.decoding import Estimate
from simnet.memory import concepts, finding, graph, questions, search
from simnet.memory.concepts import Concept
from simnet.memory.made import LARGEST_DIM, check_matrices_shared, read_making, sketcher_of
from simnet.memory.questions import Asked
from simnet.memory.records import COLUMNS, Block, Record, checksum_of, json_text, metadata_text, one_each
from simnet.memory.selection import Selection, as_selection, read_tags, read_time
from simnet.memory.sqlite import TEXT_BYTES, Database, create_database
from simnet.networks import Execution, Executions, Group, Structure
from simnet.networks.executions import as_executions
from simnet.networks.growing import check_grown
from simnet.networks.network import Name
from simnet.sketcher import Sketcher
from simnet.sketching import Encoder
from simnet.sketching.storage import restored, store
from simnet.theory.storage import STORAGES

if TYPE_CHECKING:
    from simnet.memory.lance import Index

Array = NDArray[Any]

#: Sketches are read, written and compared in blocks of about this many bytes in double precision.
BLOCK_BYTES = 1 << 24


class SketchStore:
    """A repository of sketches by one sketcher, in one file.

    Opening a file that is not a store, or is damaged, is a ``ValueError`` and changes nothing.  A store can be used by
    several processes at once: a writer waits for the others up to ``timeout`` seconds.

    Parameters
    ----------
    path : path
        Of a store made by :meth:`create`.
    timeout : float

    Examples
    --------
    >>> import os, tempfile, simnet
    >>> from simnet.memory import SketchStore
    >>> net = simnet.networks.scene(places=4, seed=0)
    >>> sketcher, runs = simnet.Sketcher(net, sketch_dim=1024, seed=3), net.run(3, seed=1)
    >>> path = os.path.join(tempfile.mkdtemp(), "rooms.sketches")
    >>> with SketchStore.create(path, sketcher, storage="float16") as store:
    ...     store.add(sketcher.encode(runs), time=["2024-07-01T08:00", "2024-07-01T09:00", None], tags=["kitchen"])
    [1, 2, 3]
    >>> with SketchStore(path) as store:
    ...     len(store), store.get(2).time.hour, store.nearest(sketcher.encode(runs[0]), k=1)[0].id
    (3, 9, 1)
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 30.0) -> None:
        self.path = Path(path)
        self._index: Index | None = None
        self._database = Database(path, timeout=timeout)
        try:
            self._read_header()
        except BaseException:
            self.close()
            raise

    def _read_header(self) -> None:
        texts = {key: self._database.read_header(key) for key in ("description", "storage", "name")}
        try:
            self.description: dict[str, Any] = json.loads(texts["description"])
            dim = integer("sketch_dim", self.description["sketch_dim"], minimum=1, maximum=LARGEST_DIM)
            self.storage: str = choice("storage", texts["storage"], STORAGES)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{self.path}: damaged: its header does not say how sketches were made: {error}") from None
        self.sketch_dim, self.name = dim, texts["name"]
        self._dtype = np.dtype(self.storage).newbyteorder("<")
        self._database.limit(dim * self._dtype.itemsize + 1024)

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], sketcher: Encoder, *, storage: str = "float32", timeout: float = 30.0
    ) -> SketchStore:
        """A new, empty store for the sketches of one sketcher.

        Parameters
        ----------
        path : path
            Must not be there yet.
        sketcher : Sketcher
            Its sketch dimension, matrices, recipe, seed and network are written down, and can be had back as
            ``store.sketcher``.
        storage : {"float64", "float32", "float16", "int8"}
            How each coordinate is kept: see :func:`simnet.store`.  What it costs is in :meth:`noise`.
        """
        if not isinstance(sketcher, Encoder):
            raise ValueError(f"sketcher = {shown(sketcher)}: must be a Sketcher")
        choice("storage", storage, STORAGES)
        integer("sketch_dim", sketcher.sketch_dim, minimum=1, maximum=LARGEST_DIM)
        description = json_text("sketcher", sketcher.metadata, TEXT_BYTES)
        header = {"description": description, "storage": storage, "name": uuid.uuid4().hex}
        create_database(path, header, sketcher.sketch_dim * np.dtype(storage).itemsize)
        return cls(path, timeout=timeout)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> SketchStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._database.query("SELECT count(*) FROM sketches")[0][0])

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and bool(self._database.query("SELECT 1 FROM sketches WHERE id = ?", (key,)))

    def __repr__(self) -> str:
        return f"SketchStore({str(self.path)!r}, sketch_dim={self.sketch_dim}, storage={self.storage!r})"

    @cached_property
    def sketcher(self) -> Sketcher:
        """The sketcher of the sketches in the store, made again from its description."""
        try:
            return sketcher_of(self.description)
        except ValueError as error:
            raise ValueError(f"{self.path}: damaged: {error}") from None

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(
        self,
        sketches: Any,
        *,
        time: Any = None,
        tags: Any = (),
        metadata: Any = None,
        made_by: Encoder | Mapping[str, Any] | None = None,
    ) -> Any:
        """Keep one sketch or a batch, in one transaction: when it returns they are on the disk, all of them.

        Parameters
        ----------
        sketches : (d,) or (n, d) array
        time : time, or a sequence of n times
            A ``datetime``, a text in ISO 8601 or seconds since 1970; UTC where no zone is given.  ``None`` for unknown.
        tags : sequence of str
            The same for all.
        metadata : mapping, or a sequence of n mappings
            Anything that JSON can hold.
        made_by : Sketcher, or a mapping with ``sketch_dim``, ``matrices``, ``recipe``, ``seed``
            What made them: refused if it is not the sketcher of the store.  A mapping may leave keys out.

        Returns
        -------
        int, or a list of int
            The numbers under which the store has them; a number is never given twice.

        Raises
        ------
        ValueError
            If the sketches do not fit, or something cannot be kept; nothing is added then.
        TimeoutError
            If another process kept the store locked for longer than ``timeout``.
        """
        values = np.asarray(sketches)
        if values.dtype.kind != "f" or values.ndim not in (1, 2) or values.shape[-1] != self.sketch_dim:
            raise ValueError(
                f"sketches: has shape {values.shape} and dtype {values.dtype}, must be floats of shape ({self.sketch_dim},) "
                f"or (n, {self.sketch_dim}), like those in the store"
            )
        if made_by is not None:
            check_matrices_shared(self.description, _as_description(made_by))
        batch = np.atleast_2d(values)
        count = len(batch)
        times = [None if t is None else read_time("time", t) for t in one_each("time", time, count, values.ndim)]
        labels = json_text("tags", list(read_tags("tags", tags)), TEXT_BYTES)
        notes = [metadata_text(m) for m in one_each("metadata", metadata, count, values.ndim)]
        with self._database.transaction() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'sketches'").fetchone()
            first = 1 if row is None else row[0] + 1
            for part in _parts(count, self.sketch_dim):
                kept = store(batch[part], self.storage)
                scales, noise = kept.scales.tolist(), kept.noise.tolist()
                rows = []
                for i, k in enumerate(range(part.start, part.stop)):
                    codes = kept.codes[i].astype(self._dtype, copy=False).tobytes()
                    row = (first + k, times[k], labels, notes[k], scales[i], noise[i])
                    rows.append((*row, checksum_of(*row, codes), codes))
                connection.executemany(f"INSERT INTO sketches ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        ids = list(range(first, first + count))
        return ids[0] if values.ndim == 1 else ids

    def add_runs(
        self, runs: Executions | Group | Execution, *, time: Any = None, tags: Any = (), metadata: Any = None
    ) -> Any:
        """Sketch executions by the sketcher of the store, and keep them: see :meth:`add`."""
        if isinstance(runs, Execution):
            return self.add(self.sketcher.encode(runs), time=time, tags=tags, metadata=metadata)
        return self.add(self.sketcher.encode(as_executions(runs)), time=time, tags=tags, metadata=metadata)

    def remove(self, ids: Any) -> int:
        """Forget one sketch or several, in one transaction.

        Returns
        -------
        int
            How many there were; a number that is not in the store is a ``ValueError``, and nothing is removed.
        """
        wanted = [ids] if np.ndim(ids) == 0 else list(ids)
        keys = [integer("ids", key, minimum=1) for key in dict.fromkeys(wanted)]
        with self._database.transaction() as connection:
            for key in keys:
                if connection.execute("DELETE FROM sketches WHERE id = ?", (key,)).rowcount != 1:
                    raise ValueError(f"ids = {key}: there is no such sketch in the store")
        return len(keys)

    def grow(self, sketcher: Encoder) -> None:
        """Let the store take sketches of a network that has grown: :meth:`simnet.ModularNetwork.grown`.

        The sketches in it stay as they are; the matrices of what was there before are the same, bit for bit.

        Raises
        ------
        ValueError
            If the sketcher draws other matrices, or its network has lost or changed something.
        """
        description = sketcher.metadata
        check_matrices_shared(self.description, description)
        check_grown(self.sketcher.network, sketcher.network)
        text = json_text("sketcher", description, TEXT_BYTES)
        with self._database.transaction() as connection:
            current = connection.execute("SELECT value FROM header WHERE key = 'description'").fetchone()[0]
            if json.loads(current) != self.description:
                raise ValueError(f"{self.path}: another process let the store grow, open it again")
            connection.execute("UPDATE header SET value = ? WHERE key = 'description'", (text,))
        self.description = json.loads(text)
        self.__dict__.pop("sketcher", None)

    # -- questions --------------------------------------------------------------------------------------------------

    def nearest(
        self,
        sketch: Any,
        k: int = 10,
        where: Selection | Mapping[str, Any] | None = None,
        *,
        by: str = "cosine",
        method: str = "auto",
    ) -> Any:
        """The sketches most like an example, best first: see :func:`simnet.memory.search.nearest`."""
        return search.nearest(self, sketch, k, where, by=by, method=method)

    def containing_module(
        self, module: Name, where: Selection | Mapping[str, Any] | None = None, **options: Any
    ) -> finding.Found:
        """The runs that made an object of a module: see :func:`simnet.memory.finding.containing_module`."""
        return finding.containing_module(self, module, where, **options)

    def containing_part(
        self, ex: Execution, part: Name, where: Selection | Mapping[str, Any] | None = None, **options: Any
    ) -> finding.Found:
        """The runs that contain this very part: see :func:`simnet.memory.finding.containing_part`."""
        return finding.containing_part(self, ex, part, where, **options)

    def concepts(self, where: Selection | Mapping[str, Any] | None = None, **options: Any) -> list[Concept]:
        """Clusters of sketches, and since when there are any of each: see :func:`simnet.memory.concepts.concepts`."""
        return concepts.concepts(self, where, **options)

    def graph(self, where: Selection | Mapping[str, Any] | None = None, **options: Any) -> nx.Graph[Any]:
        """Runs, modules, concepts and tags, and what joins them: see :func:`simnet.memory.graph.knowledge_graph`."""
        return graph.knowledge_graph(self, where, **options)

    def ask(self, where: Selection | Mapping[str, Any] | None = None, *, method: str = "auto") -> Asked:
        """Questions about all of a selection at once, answered from its sum: see :func:`simnet.memory.questions.ask`."""
        return questions.ask(self, where, method=method)

    def contrast(
        self,
        left: Selection | Mapping[str, Any] | None,
        right: Selection | Mapping[str, Any] | None,
        *,
        method: str = "auto",
    ) -> Asked:
        """Questions about how two selections differ, per run: see :func:`simnet.memory.questions.contrast`."""
        return questions.contrast(self, left, right, method=method)

    def build_index(self, prefix: int = 256) -> None:
        """Make an index of all that is in the store, in the place of an old one; needs the extra ``memory``.

        :meth:`nearest` uses it from then on.  It is a folder beside the store, and can be deleted at any time.

        Parameters
        ----------
        prefix : int
            How many coordinates of each sketch it holds.
        """
        from simnet.memory import lance

        self._index = lance.build(self, prefix)

    def update_index(self) -> None:
        """Bring the index up to date; until then sketches that were added are compared one by one."""
        index = self.index()
        if index is None:
            raise ValueError(f"{self.path}: has no index, make one by build_index()")
        self._index = index.update()

    def index(self) -> Index | None:
        """The index as it is on the disk; ``None`` where there is none."""
        from simnet.memory import lance

        stamp = lance.stamp_of(self)
        if stamp is None:
            return None
        if self._index is None or self._index.stamp != stamp:
            self._index = lance.Index(self)
        return self._index

    # -- reading ----------------------------------------------------------------------------------------------------

    def get(self, key: int) -> Record:
        """One sketch, with its time, tags, metadata and the noise of its storage."""
        integer("id", key, minimum=1)
        rows = self._rows("id = ?", (key,), 1)
        if not rows:
            raise ValueError(f"id = {key}: there is no such sketch in the store")
        number, time, tags, metadata, scale, noise, _, codes = rows[0]
        sketch = restored(np.frombuffer(codes, self._dtype), np.array(scale))
        moment = None if time is None else datetime.fromtimestamp(time, UTC)
        return Record(number, moment, tuple(json.loads(tags)), json.loads(metadata), sketch, noise)

    def ids(self, where: Selection | Mapping[str, Any] | None = None) -> Array:
        """The numbers of the sketches that a selection holds, in order."""
        selection = as_selection(where)
        condition, parameters = selection.sql()
        if selection.in_sql_alone:
            rows = self._database.query(f"SELECT id FROM sketches WHERE {condition} ORDER BY id", parameters)
            return np.array([row[0] for row in rows], dtype=np.int64)
        rows = self._database.query(
            f"SELECT id, time, tags, metadata FROM sketches WHERE {condition} ORDER BY id", parameters
        )
        try:
            found = [key for key, *about in rows if selection.holds(*about)]
        except (ValueError, TypeError, RecursionError):
            raise ValueError(f"{self.path}: damaged: a sketch has tags or metadata that are not JSON") from None
        ids = np.array(found, dtype=np.int64)
        return ids if selection.ids is None else ids[np.isin(ids, selection.ids)]

    def times(self, ids: Any) -> Array:
        """The times of sketches in seconds since 1970, NaN where unknown: ``(n,)``."""
        known = dict(self._database.query("SELECT id, time FROM sketches WHERE time IS NOT NULL"))
        return np.array([known.get(int(key), np.nan) for key in np.atleast_1d(ids)])

    def notes(self, ids: Any) -> list[tuple[int, float | None, list[str], dict[str, Any]]]:
        """Number, time, tags and metadata of those of these sketches that are in the store, without the sketches."""
        wanted = {int(key) for key in ids}
        rows = self._database.query("SELECT id, time, tags, metadata FROM sketches ORDER BY id")
        try:
            return [(key, time, json.loads(tags), json.loads(note)) for key, time, tags, note in rows if key in wanted]
        except (ValueError, TypeError, RecursionError):
            raise ValueError(f"{self.path}: damaged: a sketch has tags or metadata that are not JSON") from None

    def blocks(
        self, where: Selection | Mapping[str, Any] | None = None, *, dtype: Any = np.float64, beyond: int = 0
    ) -> Iterator[Block]:
        """The sketches of a selection, streamed in order, a block in memory at a time; every checksum is verified.

        Each block is a transaction of its own, so that a long scan keeps no writer waiting.

        Parameters
        ----------
        where : Selection, or a mapping of its conditions
        dtype : {"float64", "float32"}
        beyond : int
            Only sketches with a greater number.
        """
        selection = as_selection(where)
        size = _rows_of(self.sketch_dim)
        if selection.in_sql_alone:
            condition, parameters = selection.sql()
            last = beyond
            while rows := self._rows(f"id > ? AND {condition}", (last, *parameters), size):
                last = rows[-1][0]
                yield self._block(rows, dtype)
        else:
            ids = self.ids(selection)
            yield from self.blocks_of(ids[ids > beyond], dtype=dtype)

    def blocks_of(self, ids: Any, *, dtype: Any = np.float64) -> Iterator[Block]:
        """Those of these sketches that are in the store, a block at a time, in the order of their numbers."""
        keys = sorted(integer("ids", key, minimum=1) for key in ids)
        size = _rows_of(self.sketch_dim)
        for start in range(0, len(keys), size):
            part = keys[start : start + size]
            yield self._block(self._rows(f"id IN ({', '.join('?' * len(part))})", part, size), dtype)

    def sketches(self, ids: Any, *, dtype: Any = np.float64) -> Array:
        """The sketches of these numbers, in their order: ``(n, d)``."""
        found: dict[int, Array] = {}
        for block in self.blocks_of(ids, dtype=dtype):
            found |= dict(zip(block.ids.tolist(), block.sketches, strict=True))
        for key in ids:
            if int(key) not in found:
                raise ValueError(f"ids = {key}: there is no such sketch in the store")
        return np.stack([found[int(key)] for key in ids]) if found else np.zeros((0, self.sketch_dim), dtype)

    def noise(self, where: Selection | Mapping[str, Any] | None = None) -> Array:
        """What storage added to each coordinate of each sketch, by :func:`simnet.theory.storage_noise`: ``(n,)``.

        For the argument ``noise`` of decoders; that of a sum of sketches is the root of the sum of squares.
        """
        known = dict(self._database.query("SELECT id, noise FROM sketches"))
        return np.array([known[key] for key in self.ids(where).tolist()], dtype=float)

    def decode(self, key: int, structure: Structure | Execution, method: str = "matched", **options: Any) -> Estimate:
        """:meth:`simnet.Sketcher.decode` of one sketch of the store, told what its storage added."""
        record = self.get(key)
        return self.sketcher.decode(record.sketch, structure, method, noise=record.noise, **options)

    def check(self) -> int:
        """Read and verify everything; returns how many sketches there are.

        Raises
        ------
        ValueError
            With the first thing that is damaged.
        """
        self._database.check()
        return sum(len(block.ids) for block in self.blocks())

    def _rows(self, condition: str, parameters: Any, limit: int) -> list[Any]:
        sql = f"SELECT {COLUMNS} FROM sketches WHERE {condition} ORDER BY id LIMIT {limit}"
        rows = self._database.query(sql, parameters)
        for row in rows:
            self._check_row(row)
        return rows

    def _check_row(self, row: tuple[Any, ...]) -> None:
        key, time, tags, metadata, scale, noise, checksum, codes = row
        expected = self.sketch_dim * self._dtype.itemsize
        fine = (
            isinstance(codes, bytes)
            and len(codes) == expected
            and isinstance(scale, float)
            and isinstance(noise, float)
            and (time is None or isinstance(time, float))
            and isinstance(tags, str)
            and isinstance(metadata, str)
            and checksum == checksum_of(key, time, tags, metadata, scale, noise, codes)
        )
        if not fine:
            raise ValueError(f"{self.path}: damaged: sketch {key} is not as it was written")

    def _block(self, rows: list[Any], dtype: Any) -> Block:
        ids = np.array([row[0] for row in rows], dtype=np.int64)
        codes = np.frombuffer(b"".join(row[7] for row in rows), self._dtype).reshape(len(rows), self.sketch_dim)
        scales = np.array([row[4] for row in rows], dtype)
        sketches = np.multiply(codes, scales[:, None], dtype=dtype, casting="unsafe")
        return Block(ids, sketches, np.array([row[5] for row in rows]))


def _rows_of(sketch_dim: int) -> int:
    """How many sketches make a block; at most as many as one query of SQLite can name."""
    return int(min(max(1, BLOCK_BYTES // (8 * sketch_dim)), 4096))


def _parts(count: int, sketch_dim: int) -> Iterator[slice]:
    size = _rows_of(sketch_dim)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _as_description(made_by: Any) -> dict[str, Any]:
    """What is said of a sketcher, in the words of ``Sketcher.metadata``."""
    if isinstance(made_by, Encoder):
        return made_by.metadata
    if not isinstance(made_by, Mapping):
        raise ValueError(f"made_by = {shown(made_by)}: must be a Sketcher, or a mapping that describes one")
    return read_making(made_by)
