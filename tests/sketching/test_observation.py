"""What is left of a sketch: prefixes, erasures, refused inputs; and files of sketches."""

from __future__ import annotations

import gc
import io
import json
import pickle
import warnings

import numpy as np
import pytest

import simnet

NET = simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0)
RUNS = NET.run(3, seed=1)
D = 40
SKETCHER = simnet.Sketcher(NET, D, seed=3)
SKETCHES = SKETCHER.encode(RUNS)
STRUCTURE = RUNS[0].structure


def same(left, right):
    return left.kept == right.kept and left.batch == right.batch and np.array_equal(left.values, right.values)


# -- observations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [1, 7, D - 1, D])
def test_a_prefix_is_the_sketch_with_its_suffix_erased(kept):
    suffix = np.arange(D) >= kept
    for sketch in (SKETCHES, SKETCHES[0]):
        prefix, erased = SKETCHER.observe(sketch[..., :kept]), SKETCHER.observe(sketch, erased=suffix)
        assert same(prefix, erased)
        assert prefix.kept == kept
        assert prefix.scale == D / kept


def test_another_mask_is_another_observation():
    assert not same(SKETCHER.observe(SKETCHES[:, :7]), SKETCHER.observe(SKETCHES, erased=np.arange(D) < D - 7))


def test_a_random_mask_keeps_the_coordinates_it_says():
    mask = np.random.default_rng(0).random(D) < 0.6
    observation = SKETCHER.observe(SKETCHES, erased=mask)
    assert observation.kept == np.sum(~mask)
    assert np.array_equal(SKETCHER.to_stored(observation.values), np.where(mask, 0.0, SKETCHES))
    expected = D / observation.kept * np.sum(SKETCHES[:, ~mask] ** 2, axis=1)
    np.testing.assert_allclose(observation.norm_squared, expected, rtol=1e-14)


def test_the_whole_sketch_comes_back_from_natural_order():
    observation = SKETCHER.observe(SKETCHES)
    assert np.array_equal(SKETCHER.to_stored(observation.values), SKETCHES)
    assert not np.array_equal(observation.values, SKETCHES)


def test_a_prefix_can_be_erased_in_part():
    mask = np.arange(10) % 3 == 0
    long = np.concatenate([mask, np.ones(D - 10, dtype=bool)])
    assert same(SKETCHER.observe(SKETCHES[:, :10], erased=mask), SKETCHER.observe(SKETCHES, erased=long))


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e300])
def test_what_stands_in_an_erased_coordinate_is_not_looked_at(garbage):
    mask = np.random.default_rng(0).random(D) < 0.5
    spoilt = np.where(mask, garbage, SKETCHES)
    assert same(SKETCHER.observe(spoilt, erased=mask), SKETCHER.observe(SKETCHES, erased=mask))
    before, after = (SKETCHER.decode(s, STRUCTURE, erased=mask) for s in (SKETCHES, spoilt))
    assert all(np.array_equal(x, y) for x, y in zip(before.attributes, after.attributes, strict=True))


def test_the_sketch_that_is_handed_in_is_left_as_it_was():
    copy = SKETCHES.copy()
    SKETCHER.observe(copy, erased=np.arange(D) < 5)
    assert np.array_equal(copy, SKETCHES)


@pytest.mark.parametrize(
    ("sketch", "erased", "message"),
    [
        (np.zeros(D + 1), None, "sketch: has 41 coordinates, must have between 1 and sketch_dim = 40"),
        (np.zeros(0), None, "sketch: has 0 coordinates"),
        (np.zeros((2, 2, D)), None, r"sketch: has shape \(2, 2, 40\)"),
        (1.0, None, r"sketch: has shape \(\)"),
        (np.zeros(D, dtype=complex), None, "sketch: .* dtype complex128"),
        (["a"] * D, None, "sketch: .*must be real"),
        (np.full(D, np.nan), None, "sketch: has a coordinate that is NaN or infinite"),
        (np.where(np.arange(D) == 3, np.inf, 0.0), np.arange(D) == 4, "sketch: has a coordinate that is NaN or infinite"),
        (np.zeros(D), np.ones(D, dtype=bool), "erased: every coordinate is erased"),
        (np.zeros(D), np.zeros(D - 1, dtype=bool), r"erased: has shape \(39,\).*must be boolean of shape \(40,\)"),
        (np.zeros((2, D)), np.zeros((2, D), dtype=bool), r"erased: has shape \(2, 40\)"),
        (np.zeros(D), np.zeros(D), "erased: .*dtype float64, must be boolean"),
        (np.zeros(7), np.zeros(D, dtype=bool), r"erased: .*must be boolean of shape \(7,\)"),
    ],
)
@pytest.mark.parametrize("ask", ["observe", "decode", "frequency", "similarity"])
def test_what_cannot_be_observed_is_refused_by_name(sketch, erased, message, ask):
    calls = {
        "observe": lambda: SKETCHER.observe(sketch, erased),
        "decode": lambda: SKETCHER.decode(sketch, STRUCTURE, erased=erased),
        "frequency": lambda: SKETCHER.frequency(sketch, 0, erased=erased),
        "similarity": lambda: SKETCHER.similarity(sketch, sketch, erased=erased),
    }
    with pytest.raises(ValueError, match=message):
        calls[ask]()


# -- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sketches", [SKETCHES, SKETCHES[0], SKETCHES.astype(np.float32), np.zeros((0, 5))])
def test_sketches_come_back_bit_for_bit_with_their_note(sketches, tmp_path):
    note = {"recipe": "recursive", "seed": 3, "nested": {"größe": [1.5, None, True]}}
    simnet.save_sketches(tmp_path / "day.npz", sketches, **note)
    back, metadata = simnet.load_sketches(str(tmp_path / "day.npz"))
    assert np.array_equal(back, sketches)
    assert back.dtype == sketches.dtype
    assert metadata == note
    assert [file.name for file in tmp_path.iterdir()] == ["day.npz"]


def test_special_values_survive_and_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "no suffix"
    simnet.save_sketches(path, SKETCHES)
    values = np.array([0.0, -0.0, np.nan, np.inf, 5e-324])
    simnet.save_sketches(path, values)
    back, metadata = simnet.load_sketches(path)
    assert back.tobytes() == values.tobytes()
    assert metadata == {}


def test_the_file_is_of_the_documented_format(tmp_path):
    simnet.save_sketches(tmp_path / "a.npz", SKETCHES, seed=3)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert sorted(file) == ["metadata", "sketches"]
        assert json.loads(file["metadata"].tobytes().decode()) == {"seed": 3}
        assert np.array_equal(file["sketches"], SKETCHES)


@pytest.mark.parametrize(
    ("sketches", "note", "message"),
    [
        (np.zeros(3, dtype=int), {}, "sketches: .*must be floats"),
        (np.zeros((1, 1, 3)), {}, r"sketches: has shape \(1, 1, 3\)"),
        (np.array([object()]), {}, "sketches: .*dtype object"),
        (np.zeros(3), {"when": object()}, "metadata: does not fit into JSON"),
        (np.zeros(3), {"loss": float("nan")}, "metadata: does not fit into JSON"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_leaves_no_file(sketches, note, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        simnet.save_sketches(tmp_path / "a.npz", sketches, **note)
    assert not list(tmp_path.iterdir())


def _written(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _array_alone(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


NOTE = np.frombuffer(b"{}", dtype=np.uint8)
WRONG_FILES = {
    "empty": b"",
    "text": b"sketches: none\n",
    "pickle": pickle.dumps({"sketches": [1.0], "metadata": {}}),
    "npy": _array_alone(SKETCHES),
    "pickled npy": _array_alone(np.array([{}], dtype=object), allow_pickle=True),
    "no sketches": _written(metadata=NOTE),
    "no metadata": _written(sketches=SKETCHES),
    "integers": _written(sketches=np.arange(4), metadata=NOTE),
    "three axes": _written(sketches=np.zeros((2, 2, 2)), metadata=NOTE),
    "pickled sketches": _written(sketches=np.array([1.0, None], dtype=object), metadata=NOTE),
    "metadata not JSON": _written(sketches=SKETCHES, metadata=np.frombuffer(b"{,", dtype=np.uint8)),
    "metadata not UTF-8": _written(sketches=SKETCHES, metadata=np.frombuffer(b"\xff\xfe\xfa", dtype=np.uint8)),
    "metadata a list": _written(sketches=SKETCHES, metadata=np.frombuffer(b"[1]", dtype=np.uint8)),
}


@pytest.mark.parametrize("kind", WRONG_FILES)
def test_another_file_is_refused_with_its_path(kind, tmp_path):
    path = tmp_path / "wrong.npz"
    path.write_bytes(WRONG_FILES[kind])
    with pytest.raises(ValueError, match=r"wrong\.npz: not a file of sketches"):
        simnet.load_sketches(path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        simnet.load_sketches(tmp_path / "none.npz")


def _load(path, data):
    """What a file with these bytes gives: ``"refused"``, or the sketches and the note."""
    path.write_bytes(data)
    try:
        return simnet.load_sketches(path)
    except ValueError as error:
        return "refused" if "not a file of sketches" in str(error) else str(error)


def test_a_file_that_is_refused_is_closed(tmp_path):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert _load(tmp_path / "a.npz", _written(sketches=SKETCHES, metadata=NOTE)[:-9]) == "refused"
        gc.collect()
    assert not seen


#: That refused files are closed has the test above to itself.


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    whole = _written(sketches=SKETCHES, metadata=NOTE)
    assert _load(tmp_path / "a.npz", whole) != "refused"
    assert all(_load(tmp_path / "a.npz", whole[:n]) == "refused" for n in range(0, len(whole), 29))


def test_a_damaged_file_is_refused_or_the_damage_does_not_matter(tmp_path):
    sketches = np.arange(1.0, 7.0).reshape(2, 3)
    whole, refused = _written(sketches=sketches, metadata=NOTE), 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        result = _load(tmp_path / "a.npz", bytes(damaged))
        refused += result == "refused"
        if result != "refused":
            assert np.array_equal(result[0], sketches)
            assert result[1] == {}
    assert refused > len(whole) / 3


def test_a_damaged_compressed_file_is_refused(tmp_path):
    buffer, sketches = io.BytesIO(), np.tile(np.arange(60.0), 5).reshape(3, 100)
    np.savez_compressed(buffer, sketches=sketches, metadata=NOTE)
    whole = bytearray(buffer.getvalue())
    for place in range(60, 160):
        damaged = whole.copy()
        damaged[place] ^= 8
        result = _load(tmp_path / "a.npz", bytes(damaged))
        assert result == "refused" or np.array_equal(result[0], sketches)


def test_a_disk_that_fails_leaves_no_partial_file(tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"PK")
        raise OSError(28, "No space left on device")

    simnet.save_sketches(tmp_path / "a.npz", SKETCHES)
    before = (tmp_path / "a.npz").read_bytes()
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        simnet.save_sketches(tmp_path / "a.npz", SKETCHES + 1.0)
    assert (tmp_path / "a.npz").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_a_folder_in_the_way_leaves_no_partial_file(tmp_path):
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(OSError, match=r"a\.npz"):
        simnet.save_sketches(tmp_path / "a.npz", SKETCHES)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
