"""Files that are read, damaged in every way that the grammar knows: the answer or one line, in memory as large as the file.

Whatever a file says, its reader gives a result or raises ``ValueError`` (``OSError`` where the system refuses) with a
message of one line; nothing in a file is ever run.  ``make fuzz`` does the same for as long as one likes.
"""

from __future__ import annotations

import functools
import io
import json
import re
import shutil
import sqlite3
import tempfile
import tomllib
import tracemalloc
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import simnet
from simnet.memory import SketchStore
from simnet.networks.description import describe_network, read_network
from simnet.regression import read_reference
from simnet.report.page import page
from simnet.study import StudyError, load_study, read_results, run_study
from tests import small
from tests.fuzz.mutations import STRANGE, Trap, damaged_archive, damaged_bytes, damaged_document, damaged_json, sprung, toml

ROOT = Path(__file__).parents[2]
NETWORK = simnet.networks.scene(places=2, kinds=("cat", "dog"), seed=0)
RUN = NETWORK.run(1, seed=1)[0]
SKETCHER = simnet.Sketcher(NETWORK, 32, seed=3)
SKETCH = SKETCHER.encode(RUN)

# a file of 80 KB is a large thing to show, and Hypothesis says so once in a while
pytestmark = [
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
    # and looks on while garbage is collected, where an alarm may strike and is ignored; it strikes again
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: What reading a file may take at most, over and above what it holds.
MEMORY = 32 << 20


@contextmanager
def reading(size: int, memory: bool = False):
    """A result or one line; no code run; memory in proportion to the file."""
    if memory:
        tracemalloc.start()
    sprung.clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    except (ValueError, OSError) as error:
        message = str(error)
        assert message.strip()
        assert "\n" not in message, message
    finally:
        peak = tracemalloc.get_traced_memory()[1] if memory else 0
        tracemalloc.stop()
    assert peak < MEMORY + 40 * size, f"{peak / 1e6:.0f} MB for a file of {size} bytes"
    assert not sprung, "a file has run code"


def written(name: str, write) -> bytes:
    """The bytes of a good file."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


EXECUTION = written("run.json", RUN.save)
SKETCHES = written("day.npz", lambda path: simnet.save_sketches(path, SKETCH[None], **SKETCHER.metadata))
ROUNDED = written("day.npz", lambda path: simnet.save_sketches(path, SKETCH[None], storage="int8", **SKETCHER.metadata))
STUDIES = [tomllib.loads(path.read_text()) for path in sorted((ROOT / "experiments").glob("*.toml"))]
TEXTS = [path.read_bytes() for path in sorted((ROOT / "experiments").glob("*.toml"))]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@given(content=damaged_json(EXECUTION))
def test_executions(place, content):
    path = place / "run.json"
    path.write_bytes(content)
    with reading(len(content)):
        ex = simnet.Execution.load(path)
        again = place / "again.json"
        ex.save(again)
        assert simnet.Execution.load(again).structure == ex.structure


@given(document=damaged_document(json.loads(json.dumps(describe_network(NETWORK)))))
def test_descriptions_of_networks(document):
    with reading(2000):
        describe_network(read_network(document))


@given(content=st.one_of(damaged_archive(SKETCHES), damaged_archive(ROUNDED)))
def test_sketches(place, content):
    path = place / "day.npz"
    path.write_bytes(content)
    with reading(len(content), memory=True):
        sketches, metadata = simnet.load_sketches(path)
        sketcher = simnet.Sketcher.from_metadata(metadata)
        assert isinstance(sketcher, simnet.Sketcher)
        assert sketches.dtype.kind == "f"


@pytest.fixture
def soon(monkeypatch):
    """The time to check a study is over soon."""
    monkeypatch.setattr("simnet.study.study.CHECK_SECONDS", 5.0)


@pytest.mark.usefixtures("soon")
@given(
    content=st.one_of(
        st.sampled_from(STUDIES).flatmap(damaged_document).map(toml),
        st.sampled_from(TEXTS).flatmap(damaged_bytes),
    )
)
def test_studies(place, content):
    path = place / "study.toml"
    path.write_bytes(content)
    try:
        load_study(path)
    except StudyError as error:
        mistakes = error.mistakes
    else:
        return
    assert mistakes
    assert all(line.strip() and "\n" not in line for line in mistakes)


HEADER = json.dumps(SKETCHER.metadata)


def store_file() -> bytes:
    """A store with a few sketches."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rooms.sketches"
        with SketchStore.create(path, SKETCHER) as store:
            store.add(
                SKETCHER.encode(NETWORK.run(5, seed=2)),
                time=list(range(5)),
                tags=["a"],
                metadata=[{"i": i} for i in range(5)],
            )
        return path.read_bytes()


STORE = store_file()


@st.composite
def damaged_store(draw):
    """Bytes damaged, or a value of a row or of the header replaced by way of SQL."""
    if draw(st.booleans()):
        return draw(damaged_bytes(STORE))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        path.write_bytes(STORE)
        db = sqlite3.connect(path)
        value = draw(STRANGE)
        if draw(st.booleans()):
            value = draw(damaged_document(SKETCHER.metadata))
        if not isinstance(value, (int, float, str, type(None))) or (isinstance(value, int) and abs(value) > 2**62):
            value = json.dumps(value)
        if isinstance(value, str):
            value = value.encode("utf-8", "replace").decode()
        columns = ["time", "tags", "metadata", "scale", "noise", "checksum", "codes"]
        try:
            if draw(st.booleans()):
                db.execute(
                    "UPDATE header SET value = ? WHERE key = ?",
                    (value, draw(st.sampled_from(["description", "storage", "name"]))),
                )
            else:
                db.execute(f"UPDATE sketches SET {draw(st.sampled_from(columns))} = ? WHERE id = 3", (value,))
            db.commit()
        except (sqlite3.Error, OverflowError):
            pass
        db.close()
        return path.read_bytes()


@given(content=damaged_store())
def test_stores(place, content):
    path = place / "rooms.sketches"
    path.write_bytes(content)
    (place / "rooms.sketches-journal").unlink(missing_ok=True)
    with reading(len(content), memory=True), SketchStore(path) as store:
        whole = [store.get(key) for key in range(1, 6)]
        assert np.isfinite([record.sketch for record in whole]).all()
        store.nearest(SKETCH, k=2)
        store.check()


SMALL = (
    small.STUDY.format(trials=2)
    + """defect = ["none", "matrices too large"]
[[figure]]
x = "sketch_dim"
quantity = "MSE*"
"""
)
READ = ("study.toml", "summary.csv", "provenance.json", "trials.parquet")


@functools.cache
def results() -> dict[str, bytes]:
    """The files of a small study that was run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.toml"
        path.write_text(SMALL)
        run_study(load_study(path), output=Path(folder) / "out", cache=Path(folder) / "cache")
        return {name: (Path(folder) / "out" / name).read_bytes() for name in READ}


@settings(max_examples=settings.default.max_examples // 3)
@given(name=st.sampled_from(READ), data=st.data())
def test_results(place, name, data):
    folder = place / "results"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for other in READ:
        (folder / other).write_bytes(results()[other])
    strategy = damaged_json(results()[name]) if name.endswith(".json") else damaged_bytes(results()[name])
    content = data.draw(strategy)
    (folder / name).write_bytes(content)
    with reading(sum(map(len, results().values()))):
        text = page([(folder, read_results(folder))])
        assert not re.search(r"<script(?! nonce|>)", text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("times.csv", b"a,b\n1,2\n"),
        ("times.csv", b"point,trial,seconds\nx,1,2\n"),
        ("provenance.json", b"[" * 100_000),
        ("study.toml", b"a = " + b"[" * 100_000),
    ],
)
def test_results_that_are_not_laid_out_as_such_are_refused(tmp_path, name, content):
    for other in READ:
        (tmp_path / other).write_bytes(results()[other])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot be read|is not TOML") as caught:
        read_results(tmp_path)
    assert "\n" not in str(caught.value)


REFERENCE = b"\n".join((ROOT / "results" / "reference" / "quick.csv").read_bytes().splitlines()[:12])


@given(content=damaged_bytes(REFERENCE))
@example(content=REFERENCE.splitlines()[0])
@example(content=REFERENCE.replace(b"property,", b"property,property,", 1))
def test_references(place, content):
    (place / "quick.csv").write_bytes(content)
    with reading(len(content)):
        assert len(read_reference(place))


def test_the_harness_notices_what_it_is_for():
    """The negative control: code that runs, memory that is taken, and errors of another kind are all found."""
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([Trap(), None], dtype=object))
    with pytest.raises(AssertionError, match="run code"), reading(10):
        np.load(io.BytesIO(buffer.getvalue()), allow_pickle=True)["x"]
    with pytest.raises(AssertionError, match="MB"), reading(10, memory=True):
        bytes(MEMORY + 1000)
    with pytest.raises(KeyError), reading(10):
        raise KeyError("x")
    with pytest.raises(AssertionError), reading(10):
        raise ValueError("two\nlines")
