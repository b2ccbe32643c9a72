"""The file of a store: one SQLite database, checked before anything in it is believed.

The file says what it is in its header (``application_id``, and ``user_version`` for the version of the schema), and its
schema is compared word for word with the one below before a row is read: a database with triggers, views or generated
columns of its own is refused, so that nothing in a file is ever executed.  Sizes are limited before anything is fetched.

**Durability.**  The rollback journal with ``synchronous=EXTRA``: when a transaction returns, it is on the disk, and one that
was cut short, by ``kill -9`` or by the power, is rolled back by whoever opens the file next.  The store is one file whenever
nobody is writing to it.

Source: https://www.sqlite.org/atomiccommit.html, https://www.sqlite.org/security.html.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from simnet.checks import real

#: ``"skch"``: what the header of a store says at byte 68.
APPLICATION_ID = int.from_bytes(b"skch", "big")
VERSION = 1

#: Pages of a file have between so many bytes and so many; where a sketch is shorter than a page, this many.
SMALLEST_PAGE, LARGEST_PAGE, SHARED_PAGE = 1 << 12, 1 << 16, 1 << 14

#: The most that a description of a sketcher, or the metadata of one sketch, may take.
TEXT_BYTES = 1 << 24

SCHEMA = {
    "header": "CREATE TABLE header (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "sketches": (
        "CREATE TABLE sketches (id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL, tags TEXT NOT NULL, "
        "metadata TEXT NOT NULL, scale REAL NOT NULL, noise REAL NOT NULL, checksum INTEGER NOT NULL, codes BLOB NOT NULL)"
    ),
    "by_time": "CREATE INDEX by_time ON sketches (time)",
    # SQLite makes this one for AUTOINCREMENT
    "sqlite_sequence": "CREATE TABLE sqlite_sequence(name,seq)",
}

#: Of every connection.
PRAGMAS = ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "synchronous=EXTRA")

#: What SQLite says when it is not the file that is wrong.
_SYSTEM = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "reading or writing failed",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_PERM: "no permission",
}


def _code(error: sqlite3.Error) -> int:
    """What SQLite calls the error; 0 for what Python found out by itself, as that a text is not UTF-8."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What SQLite raises, as one clear line: ``OSError`` for the system, ``ValueError`` for the file."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TimeoutError(f"{path}: another process kept the store locked for too long") from None
        if code in _SYSTEM:
            raise OSError(f"{path}: {_SYSTEM[code]} ({error})") from None
        raise ValueError(f"{path}: damaged, or not a store of sketches: {' '.join(str(error).split())}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: damaged: a text is not UTF-8") from None


#: The files that this process has open, by device and number.  The system takes away all locks of a process on a file when
#: it closes *any* handle of it, so a file in use is not opened a second time past SQLite, which knows.
_OPEN: Counter[tuple[int, int]] = Counter()
_LOCK = threading.Lock()


class Database:
    """An open store file.  ``connection`` commits by itself outside :meth:`transaction`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a store, is damaged, or was written by a newer version.  The file is not changed.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 30.0) -> None:
        self.path = Path(path)
        self.timeout = real("timeout", timeout, minimum=0.0, maximum=86400.0)
        self.process = os.getpid()
        with _LOCK:
            stat = os.stat(self.path)
            key = (stat.st_dev, stat.st_ino)
            if not _OPEN[key]:
                _check_header(self.path)
            _OPEN[key] += 1
        self._release = weakref.finalize(self, _OPEN.subtract, [key])
        try:
            with translated(self.path):
                self.connection = _connect(self.path)
                for pragma in PRAGMAS:
                    self._patiently(f"PRAGMA {pragma}")
                self._check_schema()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; again is nothing."""
        if "connection" in vars(self):
            self.connection.close()
        self._release()

    def _check_schema(self) -> None:
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, TEXT_BYTES)
        rows = self._patiently("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL LIMIT ?", (len(SCHEMA) + 1,))
        if dict(rows) != SCHEMA or len(rows) != len(SCHEMA):
            raise ValueError(f"{self.path}: not a store of sketches: its tables are not those of version {VERSION}")
        size, pages = (self._patiently(f"PRAGMA {name}")[0][0] for name in ("page_size", "page_count"))
        if os.path.getsize(self.path) < size * pages:
            raise ValueError(f"{self.path}: damaged: the file ends before its last page")

    def limit(self, value_bytes: int) -> None:
        """No text or sequence of bytes longer than this is fetched."""
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(value_bytes, TEXT_BYTES))

    def read_header(self, key: str) -> str:
        """One text of the header."""
        rows = self.query("SELECT value FROM header WHERE key = ?", (key,))
        if not rows or not isinstance(rows[0][0], str):
            raise ValueError(f"{self.path}: damaged: its header has no {key!r}")
        return rows[0][0]

    def query(self, sql: str, parameters: Any = ()) -> list[Any]:
        """All rows of a query."""
        with self._used():
            return self._patiently(sql, parameters)

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Errors translated; a connection is not carried into another process, which would break its locks."""
        if os.getpid() != self.process:
            raise ValueError(f"{self.path}: was opened by another process, open it again in this one")
        with translated(self.path):
            yield

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A block that is on the disk when it ends, or of which nothing is left."""
        with self._used():
            self._patiently("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self._patiently("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                raise

    def _patiently(self, sql: str, parameters: Any = ()) -> list[Any]:
        """All rows, once the locks allow it.  SQLite itself sleeps longer and longer, and others are served meanwhile."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return self.connection.execute(sql, parameters).fetchall()
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(random.uniform(0.0002, 0.004))

    def check(self) -> None:
        """Every page of the file; a ``ValueError`` with the first thing that is wrong."""
        found = self.query("PRAGMA integrity_check(1)")[0][0]
        if found != "ok":
            raise ValueError(f"{self.path}: damaged: {' '.join(found.split())}")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", 0.0, isolation_level=None, uri=True)


def _check_header(path: Path) -> None:
    """Before SQLite touches the file: it would roll back a journal that lies beside it."""
    with open(path, "rb") as file:
        head = file.read(100)
    version = int.from_bytes(head[60:64], "big")
    if len(head) < 100 or head[:16] != b"SQLite format 3\0" or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise ValueError(f"{path}: not a store of sketches")
    if head[18:20] != b"\x01\x01":
        raise ValueError(f"{path}: not a store of sketches: it is in write-ahead mode, stores are not")
    if version != VERSION:
        raise ValueError(f"{path}: the store has version {version}, this software reads version {VERSION}")


def create_database(path: str | os.PathLike[str], header: dict[str, str], sketch_bytes: int) -> None:
    """A new store file, which appears whole or not at all and never in the place of another.

    A page is no longer than a sketch, which fills some and shares one with others, or else much longer.

    Raises
    ------
    ValueError
        If the file is there already.
    """
    path = Path(path)
    page = min(1 << (sketch_bytes.bit_length() - 1), LARGEST_PAGE) if sketch_bytes >= SMALLEST_PAGE else SHARED_PAGE
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    with translated(path):
        partial.touch()
        try:
            connection = _connect(partial)
            marks = (f"page_size={page}", f"application_id={APPLICATION_ID}", f"user_version={VERSION}")
            for pragma in (*PRAGMAS, *marks):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN")
            for name, sql in SCHEMA.items():
                if name != "sqlite_sequence":
                    connection.execute(sql)
            connection.executemany("INSERT INTO header VALUES (?, ?)", header.items())
            connection.execute("COMMIT")
            connection.close()
            os.link(partial, path)  # unlike a renaming, it does not replace
        except FileExistsError:
            raise ValueError(f"{path}: is there already, a new store needs a new name") from None
        finally:
            partial.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):  # the name of the file is on the disk, too
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
