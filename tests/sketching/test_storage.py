"""Sketches in fewer bits: what comes back, how far off, in how many bytes; and their files."""

from __future__ import annotations

import io

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.theory import STORAGES
from tests.statistical import FAILURE

SKETCHES = np.random.default_rng(0).standard_normal((4, 4096)) * np.array([[1e-3], [1.0], [3e-9], [7e11]])
RELATIVE = {"float64": 0.0, "float32": 2.0**-24, "float16": 2.0**-11}


@pytest.mark.parametrize("storage", RELATIVE)
def test_floats_keep_every_coordinate_to_its_relative_error(storage):
    back = simnet.store(SKETCHES, storage).restore()
    assert back.dtype == np.float64
    # float16 has normal numbers down to 2⁻²⁸ of the largest coordinate, and there is an absolute error below
    allowed = RELATIVE[storage] * np.maximum(np.abs(SKETCHES), 2.0**-28 * np.abs(SKETCHES).max(axis=1, keepdims=True))
    assert (np.abs(back - SKETCHES) <= allowed).all()


def test_int8_is_within_half_a_step_and_keeps_zero_and_the_largest():
    values = np.append(SKETCHES, np.zeros((4, 1)), axis=1)
    stored = simnet.store(values, "int8")
    step = np.abs(values).max(axis=1, keepdims=True) / 127
    assert (np.abs(stored.restore() - values) <= 0.5 * step * (1 + 1e-12)).all()
    assert (stored.restore()[:, -1] == 0.0).all()
    assert stored.codes.max() == 127 or stored.codes.min() == -127
    assert stored.codes.min() >= -127


@pytest.mark.parametrize("storage", [name for name in STORAGES if name != "float64"])
def test_the_noise_is_what_it_says(storage):
    """The error of each sketch is within chance of its law; a step that is a tenth off is not."""
    stored = simnet.store(SKETCHES, storage)
    errors = stored.restore() - SKETCHES
    # the variance of e²/σ² is at most that of a normal error, 2; floats may be 0.5 % off their law
    z = scipy.stats.norm.isf(FAILURE / len(SKETCHES) / 2.0) * np.sqrt(2.0 / SKETCHES.shape[1])
    ratio = np.mean(errors**2, axis=1) / stored.noise**2
    assert (np.abs(ratio - 1.0) <= z + 0.005).all()
    assert (np.abs(1.21 * ratio - 1.0) > z + 0.005).all()


def test_bytes_are_those_of_codes_and_scales():
    sizes = {name: simnet.store(SKETCHES, name).bytes for name in STORAGES}
    assert sizes == {name: 4 * (4096 * size + 8) for name, size in zip(STORAGES, (8, 4, 2, 1), strict=True)}


def test_what_is_held_exactly_has_no_noise():
    powers = 2.0 ** -np.arange(12.0)
    for storage in ("float64", "float32", "float16"):
        stored = simnet.store(powers, storage)
        assert np.array_equal(stored.restore(), powers)
        assert float(stored.noise) == 0.0
    single = SKETCHES.astype(np.float32)
    assert np.array_equal(simnet.store(single, "float32").restore(), single)
    assert (simnet.store(single, "float32").noise == 0.0).all()
    assert float(simnet.store(np.ones(3), "int8").noise) == 0.0


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("size", [0.0, 5e-324, 1e-310, 1e-200, 1e300])
def test_sizes_at_the_ends_of_the_range_give_finite_numbers(storage, size):
    stored = simnet.store(size * np.array([[1.0, 0.5, -0.25]]), storage)
    assert np.isfinite(stored.restore()).all()
    assert np.isfinite(stored.noise).all()
    if size >= 1e-200 or size == 0.0:
        assert np.allclose(stored.restore(), size * np.array([[1.0, 0.5, -0.25]]), rtol=0.01, atol=0.0)


@pytest.mark.parametrize("storage", STORAGES)
def test_shapes_are_kept(storage):
    for shape in ((7,), (1, 7), (0, 7)):
        stored = simnet.store(np.ones(shape), storage)
        assert stored.restore().shape == shape
        assert stored.scales.shape == stored.noise.shape == shape[:-1]


def test_truncation_after_storage_is_that_of_the_stored_sketch():
    """A prefix of the codes with the same scale is a prefix of what comes back."""
    stored = simnet.store(SKETCHES, "int8")
    assert np.array_equal(stored.codes[:, :100] * stored.scales[:, None], stored.restore()[:, :100])


@pytest.mark.parametrize(
    ("sketches", "storage", "message"),
    [
        (SKETCHES, "int4", "storage = 'int4': must be one of .*'int8'"),
        (np.arange(4), "int8", r"sketches: has shape \(4,\) and dtype int"),
        (np.ones((2, 2, 2)), "int8", r"sketches: has shape \(2, 2, 2\)"),
        (np.ones((2, 0)), "int8", r"sketches: has shape \(2, 0\)"),
        (np.array([1.0, np.nan]), "float16", "sketches: has a coordinate that is NaN"),
        (np.array([1.0, np.inf]), "int8", "sketches: has a coordinate that is NaN, infinite"),
        (np.array([1e308]), "float32", "past 1e.300"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_name(sketches, storage, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        simnet.store(sketches, storage)
    with pytest.raises(ValueError, match=message):
        simnet.save_sketches(tmp_path / "a.npz", sketches, storage=storage)
    assert not list(tmp_path.iterdir())


# -- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("sketches", [SKETCHES, SKETCHES[0]], ids=["batch", "single"])
def test_a_file_holds_the_codes_and_gives_back_what_they_stand_for(storage, sketches, tmp_path):
    path = tmp_path / "day.npz"
    simnet.save_sketches(path, sketches, storage=storage, seed=3)
    back, metadata = simnet.load_sketches(path)
    assert np.array_equal(back, simnet.store(sketches, storage).restore())
    assert metadata == {"seed": 3}
    assert path.stat().st_size < simnet.store(sketches, storage).bytes + 1000


def test_scales_that_do_not_fit_are_refused(tmp_path):
    path, note = tmp_path / "a.npz", np.frombuffer(b"{}", dtype=np.uint8)
    codes = np.ones((2, 3), np.int8)
    for scales in (np.ones(3), np.ones((2, 1)), np.array([1.0, 0.0]), np.array([1.0, np.nan]), np.ones(2, np.float32)):
        buffer = io.BytesIO()
        np.savez(buffer, sketches=codes, scales=scales, metadata=note)
        path.write_bytes(buffer.getvalue())
        with pytest.raises(ValueError, match=r"a\.npz: not a file of sketches: scales"):
            simnet.load_sketches(path)
    for wrong in (codes.astype(np.int16), codes[None]):
        buffer = io.BytesIO()
        np.savez(buffer, sketches=wrong, scales=np.ones(wrong.shape[:-1]), metadata=note)
        path.write_bytes(buffer.getvalue())
        with pytest.raises(ValueError, match=r"a\.npz: not a file of sketches"):
            simnet.load_sketches(path)
