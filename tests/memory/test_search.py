"""Query by example: against brute force, by prefixes, in a selection, and by the index."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest

import simnet
from simnet.memory import SketchStore
from simnet.memory.vectors import units


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


@pytest.mark.parametrize("held", [True, False])
def test_the_nearest_are_found_behind_many_that_were_removed(indexed, sketches, held, monkeypatch):
    """The index still holds them, and they leave no room within the error of a prefix."""
    from simnet.memory import lance

    noise = np.random.default_rng(0).standard_normal((250, 2048)) * np.abs(sketches[3]).max() / 1e4
    again = indexed.add(sketches[3] + noise)
    indexed.build_index(prefix=128)
    if not held:
        monkeypatch.setattr(lance, "HELD_BYTES", 0)
    indexed.remove([*again, 4])
    found, expected = (indexed.nearest(sketches[[3, 5]], 10, method=method) for method in ("index", "exact"))
    assert [ids(matches) for matches in found] == [ids(matches) for matches in expected]


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

    monkeypatch.setattr(lance, "HELD_BYTES", 4 * 64 * 50)
    indexed.build_index(prefix=64)
    assert indexed.index().cells == 8
    assert indexed.index().held is None
    monkeypatch.setattr(lance, "SHARE_OF_CELLS", 1.0)
    assert ids(indexed.nearest(sketches[3], 5, method="index")) == ids(indexed.nearest(sketches[3], 5, method="exact"))


def test_prefixes_in_memory_and_a_call_of_the_library_give_the_same_candidates(indexed, sketches, monkeypatch):
    from simnet.memory import lance

    monkeypatch.setattr(lance, "FEWEST", 30)
    held = indexed.index().candidates(sketches[:5], 1)
    indexed.index().__dict__["held"] = None
    for a, b in zip(held, indexed.index().candidates(sketches[:5], 1), strict=True):
        assert 1 <= len(a) <= 30
        assert set(a) == set(b)


def test_the_index_finds_the_ten_nearest_five_times_faster_than_the_scan(empty, sketcher):
    """In time on the processors, which others cannot take; some 40 times here, so that five is far from chance."""
    pytest.importorskip("lancedb")
    net = simnet.networks.scene(places=4, seed=0)
    empty.add(sketcher.encode(net.run(3000, seed=1)))
    empty.build_index()
    queries, spent, found = sketcher.encode(net.run(12, seed=2)), {}, {}
    for method in ("exact", "index"):
        empty.nearest(queries[0], 10, method=method)
        start = time.process_time()
        found[method] = [set(ids(empty.nearest(query, 10, method=method))) for query in queries]
        spent[method] = time.process_time() - start
    assert spent["exact"] > 5 * spent["index"], spent
    assert np.mean([len(a & b) / 10 for a, b in zip(*found.values(), strict=True)]) >= 0.99


def test_candidates_are_as_many_as_the_error_of_a_prefix_asks_for(monkeypatch):
    """Of 2,000 sketches at many angles the ten nearest are among the candidates, and those are few; without a margin not."""
    from simnet.memory import lance

    rng, dim, prefix, k = np.random.default_rng(0), 1024, 128, 10
    recall = {0.0: [], lance.MARGIN: []}
    for _ in range(20):
        query = rng.standard_normal(dim)
        cosines = rng.uniform(0.0, 0.95, (2000, 1))
        others = cosines * query / np.linalg.norm(query) + np.sqrt((1 - cosines**2) / dim) * rng.standard_normal((2000, dim))
        nearest = set(np.argsort(-units(others) @ query)[:k])
        seen = units(others[:, :prefix]) @ units(query[:prefix])
        for margin, found in recall.items():
            monkeypatch.setattr(lance, "MARGIN", margin)
            near = np.flatnonzero(lance.near_enough(seen, k, np.sqrt(1 / prefix - 1 / dim)))
            assert k <= len(near) < 300
            found.append(len(nearest & set(near)) / k)
    none, some = (np.mean(found) for found in recall.values())
    assert some >= 0.99
    assert none < 0.8


def test_one_alike_is_found_among_many_that_are_not(empty):
    """Of 20,000 unrelated parts of 64 coordinates the best looks as much alike: the first comparison must let more pass."""
    from simnet.memory import lance

    rng, dim, number = np.random.default_rng(0), empty.sketch_dim, 20_000
    index = object.__new__(lance.Index)
    index.store, index.prefix = empty, 256
    vectors = units(rng.standard_normal((number, 256), dtype=np.float32))
    found = 0
    for i in range(20):
        query = rng.standard_normal(dim)
        vectors[i] = units((0.3 * query + np.sqrt(1 - 0.3**2) * rng.standard_normal(dim))[:256])
        index.__dict__["held"] = lance.Held(np.arange(number), vectors, units(vectors[:, :64]))
        found += i in index.candidates(query[None], 1)[0]
    assert found >= 19


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
    (folder / "about.json").write_text(about)
    for table in folder.glob("*.lance"):
        shutil.rmtree(table)
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
