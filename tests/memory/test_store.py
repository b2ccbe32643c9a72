"""What goes into a store comes out of it, exactly or with the noise that is stated; what does not fit is refused."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

import simnet
from simnet.memory import Selection, SketchStore
from simnet.memory.made import sketcher_of
from simnet.memory.selection import read_time


@pytest.mark.parametrize("storage", ["float64", "float32", "float16", "int8"])
def test_a_sketch_comes_back_as_its_storage_keeps_it(tmp_path, sketcher, sketches, storage):
    with SketchStore.create(tmp_path / "s", sketcher, storage=storage) as store:
        ids = store.add(sketches)
    with SketchStore(tmp_path / "s") as store:
        assert (len(store), store.storage, store.ids().tolist()) == (60, storage, ids)
        expected = simnet.store(sketches, storage)
        np.testing.assert_array_equal(store.sketches(ids), expected.restore())
        np.testing.assert_array_equal(store.sketches(ids[::-1]), expected.restore()[::-1])
        np.testing.assert_array_equal(store.noise(), expected.noise)
        record = store.get(7)
        np.testing.assert_array_equal(record.sketch, expected.restore()[6])
        assert record.noise == expected.noise[6]
        assert store.check() == 60
        sizes = {"float64": 8, "float32": 4, "float16": 2, "int8": 1}
        assert (tmp_path / "s").stat().st_size < 1.35 * 60 * 2048 * sizes[storage] + 100_000  # and five pages


def test_decoders_are_told_what_storage_added(tmp_path, sketcher, sketches, rooms):
    with SketchStore.create(tmp_path / "s", sketcher, storage="int8") as store:
        store.add(sketches)
        estimate = store.decode(1, rooms[0], "least_squares")
        told = sketcher.decode(store.get(1).sketch, rooms[0], "least_squares", noise=store.noise({"ids": [1]})[0])
        np.testing.assert_array_equal(estimate.attributes[0], told.attributes[0])
        assert store.noise()[0] > 0
        errors = np.concatenate(
            [(x - y) / e for x, y, e in zip(estimate.attributes, rooms[0].attributes, estimate.standard_errors, strict=True)]
        )
        assert 0.4 < np.sqrt(np.mean(errors**2)) < 1.7


def test_time_tags_and_metadata_come_back(empty, sketches):
    note = {"camera": "north", "rain": None, "at": [1, 2.5, {"x": True}], "ü": "ß"}
    moment = datetime(2024, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    key = empty.add(sketches[0], time=moment, tags=["kitchen", "day", "day"], metadata=note)
    record = empty.get(key)
    assert record.time == moment
    assert record.time.tzinfo is UTC
    assert record.tags == ("day", "kitchen")
    assert record.metadata == note
    plain = empty.get(empty.add(sketches[1]))
    assert (plain.time, plain.tags, plain.metadata) == (None, (), {})


def test_a_batch_has_one_time_and_note_each_or_one_for_all(empty, sketches):
    ids = empty.add(sketches[:3], time=["2024-01-01", None, 5.0], metadata=({"i": 0}, None, {"i": 2}), tags=["a"])
    assert [empty.get(key).metadata for key in ids] == [{"i": 0}, {}, {"i": 2}]
    np.testing.assert_array_equal(empty.times(ids), [1704067200.0, math.nan, 5.0])
    ids = empty.add(sketches[:2], time=7, metadata={"x": 1})
    assert [empty.get(key).metadata for key in ids] == [{"x": 1}] * 2
    assert empty.add(sketches[:0]) == []


def test_runs_are_sketched_by_the_sketcher_of_the_store(tmp_path, sketcher, sketches, rooms):
    with SketchStore.create(tmp_path / "s", sketcher, storage="float64") as store:
        assert store.add_runs(rooms[0]) == 1
        assert len(store.add_runs(rooms)) == 60
        np.testing.assert_array_equal(store.get(1).sketch, sketcher.encode(rooms[0]))
        np.testing.assert_array_equal(store.sketches(range(2, 62)), sketches)


def test_removed_sketches_are_gone_and_their_numbers_are_not_given_again(filled, sketches):
    assert filled.remove([60, 3, 3]) == 2
    assert filled.remove(59) == 1
    assert len(filled) == 57
    assert 3 not in filled
    assert 4 in filled
    with pytest.raises(ValueError, match="id = 3: there is no such sketch"):
        filled.get(3)
    with pytest.raises(ValueError, match="ids = 3: there is no such sketch"):
        filled.remove([4, 3])
    assert 4 in filled
    with pytest.raises(ValueError, match="ids = 3"):
        filled.sketches([4, 3])
    assert filled.add(sketches[0]) == 61


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, range(1, 61)),
        ({"after": 3600 * 10, "before": 3600 * 12}, [11, 12]),
        ({"hours": (22, 2)}, [1, 2, 23, 24, 25, 26, 47, 48, 49, 50]),
        ({"hours": (6, 7.5)}, [7, 8, 31, 32, 55, 56]),
        ({"metadata": {"i": 5}}, [6]),
        ({"metadata": {"odd": True}, "before": 3600 * 4}, [2, 4]),
        ({"metadata": {"odd": 1}}, []),
        ({"metadata": {"none": 1}}, []),
        ({"ids": [5, 3, 99]}, [3, 5]),
        ({"tags": ["day"]}, []),
        (Selection(after="1970-01-03"), range(49, 61)),
    ],
)
def test_a_selection_holds_what_it_says(filled, where, expected):
    assert filled.ids(where).tolist() == list(expected)
    streamed = [key for block in filled.blocks(where) for key in block.ids.tolist()]
    assert streamed == list(expected)
    assert len(filled.noise(where)) == len(expected)


def test_tags_select(empty, sketches):
    for i, tags in enumerate([["a"], ["a", "b"], ["b"], []]):
        empty.add(sketches[i], tags=tags)
    assert empty.ids({"tags": ["a"]}).tolist() == [1, 2]
    assert empty.ids({"tags": ["b", "a"]}).tolist() == [2]


def test_times_are_read_in_every_way():
    seconds = 1719826200.0
    for value in (
        seconds,
        "2024-07-01T09:30",
        "2024-07-01T11:30+02:00",
        datetime(2024, 7, 1, 9, 30),
        np.datetime64("2024-07-01T09:30"),
    ):
        assert read_time("time", value) == seconds
    assert read_time("time", date(2024, 7, 1)) == seconds - 9.5 * 3600
    for value in ("monday", math.nan, math.inf, 1e300, True, [1], np.datetime64("NaT")):
        with pytest.raises(ValueError, match="time = "):
            read_time("time", value)


def test_blocks_stream_a_store_larger_than_one_block(tmp_path):
    net = simnet.networks.layered(widths=(2,), attribute_dim=2, seed=0)
    big = simnet.Sketcher(net, 1 << 18)
    draw = np.random.default_rng(0)
    rows = draw.standard_normal((20, 1 << 18)).astype(np.float32)
    with SketchStore.create(tmp_path / "s", big) as store:
        store.add(rows)
        blocks = list(store.blocks(dtype=np.float32))
        assert [len(b.ids) for b in blocks] == [8, 8, 4]
        np.testing.assert_array_equal(np.concatenate([b.sketches for b in blocks]), rows)
        assert [b.ids.tolist() for b in store.blocks(beyond=17)] == [[18, 19, 20]]


# -- the sketcher that made them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("matrices", ["trig", simnet.matrices.Block(block_size=8, density=0.25), simnet.matrices.Packet()])
def test_the_sketcher_is_made_again(tmp_path, matrices):
    net = simnet.networks.scene(places=3, seed=0)
    sketcher = simnet.Sketcher(net, 96, matrices, simnet.Recipe(0.9, 0.1, 0.3, 0.7, 0.6, 0.4), seed=0)
    runs = net.run(4, seed=1)
    SketchStore.create(tmp_path / "s", sketcher, storage="float64").close()
    with SketchStore(tmp_path / "s") as store:
        np.testing.assert_array_equal(store.sketcher.encode(runs), sketcher.encode(runs))
        assert store.sketcher.network == net
        assert store.sketcher.network.module("cat").attribute_names == net.module("cat").attribute_names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "seed = 4: the sketches in the store were made with 3"),
        ({"recipe": "recursive"}, "recipe = "),
        ({"matrices": "haar"}, "matrices = "),
        ({"sketch_dim": 64}, "sketch_dim = 64"),
    ],
)
def test_sketches_of_another_sketcher_are_refused(filled, sketches, change, message):
    options = {"sketch_dim": 2048, "recipe": "prototype_b", "seed": 3} | change
    other = simnet.Sketcher(filled.sketcher.network, **options)
    for made_by in (other, change):
        with pytest.raises(ValueError, match=message):
            filled.add(sketches[0], made_by=made_by)
    filled.add(sketches[0], made_by=filled.sketcher)
    filled.add(sketches[0], made_by={"matrices": "trig", "seed": 3, "note": "anything"})
    assert len(filled) == 62


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda s: {"sketches": s[0, :-1]}, r"sketches: has shape \(2047,\)"),
        (lambda s: {"sketches": s[None]}, r"sketches: has shape"),
        (lambda s: {"sketches": np.zeros(2048, int)}, "dtype int64"),
        (lambda s: {"sketches": s[0] * np.nan}, "NaN"),
        (lambda s: {"sketches": np.where(np.arange(60)[:, None] == 50, np.inf, s)}, "infinite"),
        (lambda s: {"sketches": s[0], "time": "noon"}, "time = 'noon'"),
        (lambda s: {"sketches": s[:3], "time": [1, 2]}, "time: has 2 entries, must have one for each of 3"),
        (lambda s: {"sketches": s[0], "tags": "kitchen"}, "tags = 'kitchen'"),
        (lambda s: {"sketches": s[0], "tags": [""]}, "tags"),
        (lambda s: {"sketches": s[0], "metadata": [1]}, "metadata = "),
        (lambda s: {"sketches": s[0], "metadata": {1: 2}}, "metadata = "),
        (lambda s: {"sketches": s[0], "metadata": {"x": math.nan}}, "metadata: does not fit into JSON"),
        (lambda s: {"sketches": s[0], "metadata": {"x": object()}}, "metadata: does not fit into JSON"),
        (lambda s: {"sketches": s[0], "metadata": {"x": "\ud800"}}, "metadata: does not fit into JSON"),
        (lambda s: {"sketches": s[0], "metadata": {"x": "y" * (1 << 24)}}, "metadata: takes"),
        (lambda s: {"sketches": s[0], "metadata": nested(80)}, "metadata: is nested"),
        (lambda s: {"sketches": s[0], "made_by": 7}, "made_by = 7"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_of_it_is_added(empty, sketches, arguments, message):
    with pytest.raises(ValueError, match=message):
        empty.add(**arguments(sketches))
    assert len(empty) == 0
    assert empty.add(sketches[0]) == 1


def nested(depth):
    return {"x": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "where",
    [
        {"befor": 3}, {"after": "x"}, {"hours": 3}, {"hours": (1, 25)}, {"hours": (1, 2, 3)}, {"tags": "a"}, {"metadata": 3},
        {"ids": [0]}, {"ids": 3}, 7,
    ],
)  # fmt: skip
def test_a_selection_that_makes_no_sense_is_refused(filled, where):
    with pytest.raises(ValueError, match=f"{next(iter(where)) if isinstance(where, dict) else 'where'}"):
        filled.ids(where)


def test_a_new_store_takes_the_place_of_nothing(tmp_path, sketcher):
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(ValueError, match="is there already"):
        SketchStore.create(path, sketcher)
    assert path.read_text() == "precious"
    for wrong in ({"sketcher": 7}, {"storage": "int4"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SketchStore.create(tmp_path / "t", **({"sketcher": sketcher} | wrong))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s"]
    with pytest.raises(OSError, match="none"):
        SketchStore.create(tmp_path / "none" / "s", sketcher)


def test_descriptions_that_describe_nothing_are_refused(sketcher):
    good = sketcher.metadata
    assert sketcher_of(good).metadata == good
    for wrong in (
        None,
        {},
        good | {"sketch_dim": 10**12},
        good | {"matrices": {"family": "gausian"}},
        good | {"matrices": {"family": "trig", "extra": 1}},
        good | {"recipe": {"identity": "x"}},
        good | {"network": {"modules": [3], "outputs": []}},
        good | {"seed": -1},
    ):
        with pytest.raises(ValueError, match=r".+"):
            sketcher_of(wrong)
