"""Query by example: against brute force, by prefixes, in a selection, and by the index."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import simnet
from simnet.memory import SketchStore


def brute(stored, query, k, by="cosine"):
    part = stored[:, : len(query)]
    score = part @ query
    if by == "cosine":
        score = score / np.linalg.norm(part, axis=1)
    return (1 + np.argsort(-score, kind="stable")[:k]).tolist()


@pytest.mark.parametrize("by", ["cosine", "similarity"])
@pytest.mark.parametrize("kept", [2048, 512])
def test_the_nearest_are_those_of_brute_force(filled, sketches, by, kept):
    stored = sketches.astype(np.float32).astype(float)
    queries = simnet.networks.scene(places=4, seed=0).run(5, seed=9)
    queries = filled.sketcher.encode(queries)[:, :kept]
    found = filled.nearest(queries, 7, by=by)
    for query, matches in zip(queries, found, strict=True):
        assert [m.id for m in matches] == brute(stored, query, 7, by)
        assert [m.id for m in filled.nearest(query, 7, by=by)] == [m.id for m in matches]
        m = matches[0]
        part = stored[m.id - 1, :kept]
        assert m.similarity == pytest.approx(2048 / kept * part @ query)
        assert m.cosine == pytest.approx(part @ query / np.linalg.norm(part) / np.linalg.norm(query))


def test_a_sketch_is_nearest_to_itself_in_every_storage(tmp_path, sketcher, sketches):
    for storage in ("float64", "float16", "int8"):
        with SketchStore.create(tmp_path / storage, sketcher, storage=storage) as store:
            store.add(sketches)
            assert [m[0].id for m in store.nearest(sketches, 1)] == list(range(1, 61))


def test_only_what_was_selected_is_found(filled, sketches):
    found = filled.nearest(sketches[4], 4, {"metadata": {"odd": True}})
    odd = np.arange(1, 60, 2)
    expected = odd[np.argsort(-(sketches[odd] @ sketches[4]) / np.linalg.norm(sketches[odd], axis=1))[:4]] + 1
    assert [m.id for m in found] == expected.tolist()
    assert filled.nearest(sketches[4], 4, {"tags": ["none"]}) == []
    assert len(filled.nearest(sketches[4], 100)) == 60


def test_a_sketch_of_nothing_is_like_nothing(empty, sketches):
    empty.add(np.zeros(2048))
    empty.add(sketches[0])
    assert empty.nearest(sketches[0], 2)[1][:2] == (1, 0.0)
    assert [m.cosine for m in empty.nearest(np.zeros(2048), 2)] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        (np.zeros(2049), {}, "sketch: has shape"),
        (np.zeros(0), {}, "sketch: has shape"),
        (np.full(3, np.nan), {}, "NaN"),
        (np.zeros(8), {"k": 0}, "k = 0"),
        (np.zeros(8), {"by": "l2"}, "by = 'l2'"),
        (np.zeros(8), {"method": "fast"}, "method = 'fast'"),
        (np.zeros(8), {"method": "index"}, "cosines of whole sketches"),
        (np.zeros(2048), {"method": "index"}, "has no index"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(filled, query, options, message):
    with pytest.raises(ValueError, match=message):
        filled.nearest(query, **options)


# -- the index ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def indexed(filled):
    pytest.importorskip("lancedb")
    filled.build_index(prefix=128)
    return filled


def ids(matches):
    return [m.id for m in matches]


def test_the_index_finds_what_the_scan_finds(indexed, sketches):
    for query in sketches[:5]:
        expected = ids(indexed.nearest(query, 10, method="exact"))
        assert ids(indexed.nearest(query, 10, method="index")) == expected
        assert ids(indexed.nearest(query, 10)) == expected
    assert indexed.index().last == 60


def test_additions_and_removals_are_seen_with_and_without_an_update(indexed, sketches, sketcher, rooms):
    new = indexed.add(sketches[7] * 1.01)
    indexed.remove(8)
    for _ in range(2):
        assert ids(indexed.nearest(sketches[7], 10, method="index")) == ids(indexed.nearest(sketches[7], 10, method="exact"))
        assert indexed.nearest(sketches[7], 1, method="index")[0].id == new
        indexed.update_index()
    assert indexed.index().last == 61
    assert len(indexed.index().table.to_arrow()) == 60


def test_an_update_that_was_cut_short_is_done_again(indexed, sketches):
    before = indexed.index()
    indexed.add(sketches[:3])
    rows = before.table.to_arrow().slice(0, 1)
    before.table.add(rows.set_column(0, "id", [[61]]))
    indexed.update_index()
    table = indexed.index().table.to_arrow()
    assert sorted(table["id"].to_pylist()) == list(range(1, 64))


def test_updates_are_merged_now_and_then(indexed, sketches):
    for i in range(12):
        indexed.add(sketches[i])
        indexed.update_index()
    assert indexed.index().merged > 60
    assert ids(indexed.nearest(sketches[3], 2, method="index")) == [4, 64]


def test_many_sketches_are_sorted_into_cells(indexed, sketches, monkeypatch):
    from simnet.memory import lance

    monkeypatch.setattr(lance, "FLAT", 50)
    indexed.build_index(prefix=64)
    assert indexed.index().cells == 8
    monkeypatch.setattr(lance, "SHARE_OF_CELLS", 1.0)
    assert ids(indexed.nearest(sketches[3], 5, method="index")) == ids(indexed.nearest(sketches[3], 5, method="exact"))


def test_a_damaged_index_is_one_clear_error_and_the_store_is_whole(indexed, sketches):
    folder = indexed.path.with_name("rooms.sketches.index")
    about = (folder / "about.json").read_text()
    (folder / "about.json").write_text(about[:10])
    with pytest.raises(ValueError, match=r"rooms\.sketches\.index: the index is damaged, build it again"):
        indexed.nearest(sketches[0])
    assert indexed.nearest(sketches[0], 1, method="exact")[0].id == 1
    (folder / "about.json").write_text(about.replace(indexed.name, "0" * 32))
    with pytest.raises(ValueError, match="that of another store"):
        indexed.nearest(sketches[0])
    shutil.rmtree(folder / "prefixes.lance")
    with pytest.raises(ValueError, match="build it again"):
        indexed.nearest(sketches[0])
    shutil.rmtree(folder)
    assert indexed.nearest(sketches[0], 1)[0].id == 1
    with pytest.raises(ValueError, match="has no index"):
        indexed.update_index()
    indexed.build_index()
    assert indexed.nearest(sketches[0], 1, method="index")[0].id == 1


def test_without_the_library_the_scan_answers(indexed, sketches, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "lancedb", None)
    assert indexed.nearest(sketches[0], 1)[0].id == 1
    with pytest.raises(ValueError, match="install the extra 'memory'"):
        indexed.build_index()
