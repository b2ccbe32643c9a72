"""Every family: its definition, its form in both precisions, and its two facts within a stated failure probability."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.matrices import FAMILIES, Block, Gaussian, Haar, MatrixBank, Packet, Rademacher, Trig, as_family, trig
from simnet.matrices.base import DenseMatrix
from simnet.randomness import stream
from simnet.testing import check_matrices
from simnet.testing.defects import ScaledFamily

ALL = [Gaussian(), Rademacher(), Haar(), Trig(), Block(), Block(block_size=7, density=0.3), Block(3, 1.0)]
ALL += [Packet(), Packet(block_size=12, density=0.5), Packet(15, 1.0)]
families = pytest.mark.parametrize("family", ALL, ids=str)
D = 60  # not a multiple of every block size, and no power of two


def sample(family, columns=None, dtype="float64", seed=1, d=D):
    return family.sample(stream(seed, "test"), d, columns, dtype)


# -- definitions --------------------------------------------------------------------------------------------------------


def test_trig_is_two_rounds_of_signs_and_cosines():
    matrix = sample(Trig())
    k, n = np.arange(D)[:, None], np.arange(D)[None, :]
    cosines = np.sqrt(2 / D) * np.cos(np.pi * k * (2 * n + 1) / (2 * D))
    cosines[0] /= np.sqrt(2)
    first, second, third = (np.diag(row) for row in matrix.signs)
    assert set(np.unique(matrix.signs)) == {-1.0, 1.0}
    np.testing.assert_allclose(matrix.todense(), third @ cosines @ second @ cosines @ first, atol=1e-13)


@pytest.mark.parametrize("family", [Haar(), Trig()], ids=str)
def test_rotations_are_orthogonal(family):
    dense = sample(family).todense()
    np.testing.assert_allclose(dense.T @ dense, np.eye(D), atol=1e-12)
    np.testing.assert_allclose(sample(family, 5).todense().T @ sample(family, 5).todense(), np.eye(5), atol=1e-12)


def test_entries_of_sign_matrices_and_empty_blocks():
    assert set(np.unique(sample(Rademacher()).todense())) == {-1 / np.sqrt(D), 1 / np.sqrt(D)}
    magnitudes = np.abs(sample(Block(7, 0.3)).todense())
    assert set(np.unique(magnitudes)) == {0.0, 1 / np.sqrt(D * 0.3)}
    blocks = [magnitudes[i : i + 7] for i in range(0, D, 7)]
    assert len(blocks[-1]) == 4
    assert {len(np.unique(block)) for block in blocks} == {1}  # whole blocks are empty or filled


def test_gaussian_entries_are_normal_with_variance_one_over_d():
    entries = sample(Gaussian(), d=400).todense().ravel() * np.sqrt(400)
    assert scipy.stats.kstest(entries, "norm").pvalue > 1e-6
    assert scipy.stats.kstest(1.03 * entries, "norm").pvalue < 1e-6


# -- form ---------------------------------------------------------------------------------------------------------------


@families
@pytest.mark.parametrize("columns", [None, 1, 4])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("stored", [False, True], ids=["natural", "stored"])
def test_products_are_those_of_the_dense_matrix_in_the_dtype_of_the_matrix(family, columns, dtype, stored):
    bank = MatrixBank(family, D, 3, dtype)
    matrix = (bank.stored if stored else bank.matrix)(("m",), columns)
    dense, tolerance = matrix.todense(), 1e-12 if dtype == "float64" else 2e-5
    assert matrix.shape == dense.shape == (D, columns or D)
    assert matrix.dtype == dense.dtype == np.dtype(dtype)
    draw = np.random.default_rng(0)
    for given in (np.float64, np.float32):  # neither precision of the vectors changes that of the products
        for batch in ((), (3,), (2, 0), (2, 3)):
            x = draw.standard_normal((*batch, columns or D)).astype(given)
            y = draw.standard_normal((*batch, D)).astype(given)
            before = x.copy(), y.copy()
            forward, backward = matrix.matvec(x), matrix.rmatvec(y)
            assert forward.dtype == backward.dtype == np.dtype(dtype)
            np.testing.assert_allclose(forward, x @ dense.T, atol=tolerance)
            np.testing.assert_allclose(backward, y @ dense, atol=tolerance)
            np.testing.assert_array_equal(x, before[0])
            np.testing.assert_array_equal(y, before[1])


@families
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kept", [1, 17, D])
def test_prefix_is_the_beginning_bit_for_bit(family, dtype, kept):
    matrix = MatrixBank(family, D, 3, dtype).stored(("m",), 4)
    x, y = np.random.default_rng(0).standard_normal((2, 3, D))
    prefix, erased = matrix.prefix(kept), y.copy()
    erased[:, kept:] = 0.0
    assert prefix.shape == (kept, 4)
    assert prefix.matvec(x[:, :4]).dtype == prefix.rmatvec(y[:, :kept]).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(prefix.matvec(x[:, :4]), matrix.matvec(x[:, :4])[:, :kept])
    np.testing.assert_array_equal(prefix.rmatvec(y[:, :kept]), matrix.rmatvec(erased))
    np.testing.assert_array_equal(prefix.todense(), matrix.todense()[:kept])


@families
def test_a_stream_fixes_the_matrix_its_precision_and_its_first_columns(family):
    dense = sample(family).todense()
    np.testing.assert_array_equal(sample(family).todense(), dense)
    np.testing.assert_allclose(sample(family, dtype="float32").todense(), dense, atol=3e-7)
    np.testing.assert_allclose(sample(family, 3).todense(), dense[:, :3], atol=1e-13)
    other = sample(family, seed=2).todense()
    assert abs(np.sum(dense * other)) < 6.0  # the sum of d² products of mean 0 and variance 1/d²


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_million_coordinates_need_a_few_vectors_of_memory(dtype):
    d = 1 << 20
    tracemalloc.start()
    try:
        matrix = MatrixBank(Trig(), d, 0, dtype).stored(("m",), None)
        v = np.zeros(d, dtype)
        v[:3] = 0.6, 0.0, 0.8
        back = matrix.rmatvec(matrix.matvec(v))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(back[:5], v[:5], atol=1e-5)
    assert peak < 20 * 8 * d


# -- facts --------------------------------------------------------------------------------------------------------------

FAILURE = 1e-6


def agrees(samples, law, slack):
    """Student's t, Bonferroni over the columns: a right law is refused with probability ``FAILURE`` at most."""
    n, columns = samples.shape
    allowed = scipy.stats.t.isf(FAILURE / columns / 2, n - 1) * samples.std(0, ddof=1) / np.sqrt(n)
    return bool((np.abs(samples.mean(0) - law) <= allowed + slack).all())


def drawn(family, d=64, draws=4000):
    """The first four columns of as many matrices: ``(draws, d, 4)``."""
    return np.stack([MatrixBank(family, d, seed).stored(("m",), 4).todense() for seed in range(draws)])


def obeys(family, kept, matrices):
    """Isometry, ``E ‖R x‖² = ‖x‖²`` of what is kept and ``E x̂ = x``, and the self-noise ``E (x̂ − x)_j² = v_j/d'``."""
    x, d = np.array([0.8, 0.5, 0.2, 0.0]), matrices.shape[1]
    y = matrices[:, :kept] @ x
    estimates = d / kept * np.einsum("ndc,nd->nc", matrices[:, :kept], y)
    norms = d / kept * np.einsum("nd,nd->n", y, y)[:, None]
    noise = family.self_noise(x, sketch_dim=d, kept=kept)
    # the laws of the noise hold up to O(1/d) of that of independent entries
    return {
        "isometry": agrees(norms, x @ x, 1e-12),
        "mean": agrees(estimates, x, 1e-12),
        "self-noise": agrees(kept * (estimates - x) ** 2, noise, 4 / d),
    }


@families
def test_every_entry_has_mean_zero_and_columns_are_orthonormal_in_the_mean(family):
    """A Q factor whose signs are left as LAPACK makes them would fail: its first entry is never positive."""
    matrices = np.stack([sample(family, seed=seed, d=4).todense() for seed in range(4000)])
    assert agrees(matrices.reshape(4000, 16), 0.0, 0.0)
    assert agrees((matrices.swapaxes(1, 2) @ matrices).reshape(4000, 16), np.eye(4).ravel(), 1e-12)


@families
def test_isometry_and_self_noise_whole_and_truncated(family):
    matrices = drawn(family)
    for kept in (64, 16):
        assert obeys(family, kept, matrices) == {"isometry": True, "mean": True, "self-noise": True}


@dataclasses.dataclass(frozen=True)
class Zero(Gaussian):
    def _draw(self, stream, rows, columns, dtype):
        return DenseMatrix(np.zeros((columns, rows), dtype))


@dataclasses.dataclass(frozen=True)
class GaussianSaidToBeRademacher(Gaussian):
    def noise(self, squares, inner, fourth, *, sketch_dim, kept):
        return squares + inner - 2 * fourth


@pytest.mark.parametrize(
    ("family", "broken"),
    [
        *((ScaledFamily(family, 1.03), "isometry") for family in ALL if not isinstance(family, Packet)),
        *((ScaledFamily(family, 1.2), "isometry") for family in ALL if isinstance(family, Packet)),  # lengths vary a lot
        *((ScaledFamily(family, 1.03), "mean") for family in ALL if not isinstance(family, (Block, Packet))),
        (Zero(), "isometry"),
        (Zero(), "mean"),
        (Zero(), "self-noise"),
        (GaussianSaidToBeRademacher(), "self-noise"),
    ],
    ids=str,
)
def test_negative_controls_are_refused(family, broken):
    assert not obeys(family, 64, drawn(family))[broken]


@families
def test_the_law_checker_accepts(family):
    assert len(check_matrices(family, sketch_dim=100, trials=300, seed=5)) == 7


def test_inner_noise_of_two_vectors_by_hand():
    """u = (1, 1), v = (1, 2): ‖u‖² ‖v‖² = 10, ⟨u, v⟩² = 9, Σ u² v² = 5."""
    u, v, sizes = np.array([1.0, 1.0]), np.array([1.0, 2.0]), {"sketch_dim": 9, "kept": 3}
    for family, expected in {
        Gaussian(): 19.0,
        Rademacher(): 9.0,
        Haar(): 19.0 * 2 / 3,
        Trig(): 19.0 * 2 / 3,
        # blocks of 5 and 4 rows: 1 + (5·4 + 4·3)/9 · 2/8 rows in the block of a row
        Block(5, 0.5): (9.0 + 0.5 * 17 / 9 * 9.0) / 0.5,
    }.items():
        assert family.inner_noise(u, v, **sizes) == pytest.approx(expected, rel=1e-14)
        np.testing.assert_allclose(
            family.self_noise(v, **sizes), [family.inner_noise(v, e, **sizes) for e in np.eye(2)], rtol=1e-14
        )


# -- packets ------------------------------------------------------------------------------------------------------------


def test_packets_are_three_signed_parts():
    dense = sample(Packet(12, 0.5), 16, d=240).todense().T.reshape(16, 20, 3, 4) * np.sqrt(240 * 0.5)
    filled = np.abs(dense).sum((2, 3)) > 0.0
    assert set(np.unique(np.round(dense[filled], 12))) == {-1.0, 1.0}
    assert 0.3 < filled.mean() < 0.7
    names = []
    for column, there in zip(dense, filled, strict=True):
        fresh, named = np.sign(column[there, 0]), np.sign(column[there, 1:].reshape(-1, 8))
        assert len(np.unique(fresh, axis=0)) > 3
        signs = named[:, :1]
        assert set(np.unique(signs)) == {-1.0, 1.0}
        assert len(np.unique(signs * named, axis=0)) == 1
        names.append((signs * named)[0])
    assert len(np.unique(names, axis=0)) == 16  # different names while there are any
    assert len(np.unique(np.array(names)[:, :4], axis=0)) == 1  # one signature


def test_packet_matrices_hold_their_filled_entries_only():
    matrix = Packet(24, 0.02).sample(stream(0), 6000)
    assert matrix.nbytes < 0.1 * 8 * 6000**2


@pytest.mark.parametrize("family", [Packet(12, 0.5), Packet(6, 1.0)], ids=str)
def test_the_noise_of_packets_is_exact_wherever_the_prefix_ends(family):
    u, v = np.array([0.8, 0.5]), np.array([0.3, -0.6])
    pairs = np.stack([family.sample(stream(seed, "pair"), 60, 2).matvec(np.stack([u, v])) for seed in range(6000)])
    for kept in (3, 10, 14, 60):
        products = 60 / kept * np.einsum("nd,nd->n", pairs[:, 0, :kept], pairs[:, 1, :kept])[:, None]
        law = family.inner_noise(u, v, sketch_dim=60, kept=kept) / kept
        assert agrees((products - u @ v) ** 2, law, 0.0)
        assert not agrees((products - u @ v) ** 2, 1.5 * law, 0.0)


# -- arguments ----------------------------------------------------------------------------------------------------------


@families
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), r"rows = 0: must be an integer >= 1"),
        ((8.0,), r"rows = 8.0: must be an integer >= 1"),
        ((8, 0), r"columns = 0: must be an integer between 1 and 8"),
        ((8, 9), r"columns = 9: must be an integer between 1 and 8"),
        ((8, 2, "float16"), r"dtype = 'float16': must be one of 'float32', 'float64'"),
        ((8, 2, "bogus"), r"^dtype = 'bogus': must be one of 'float32', 'float64'"),
        ((8, 2, 3.5), r"^dtype = 3.5: must be one of"),
        ((8, 2, int), r"dtype = 'int64': must be one of"),
    ],
)
def test_bad_sizes_and_dtypes_are_refused_by_name(family, arguments, message):
    with pytest.raises(ValueError, match=message):
        family.sample(stream(0), *arguments)


def test_a_block_is_no_larger_than_the_sketch_and_the_last_one_shorter():
    options = {"squares": 0.0, "inner": 1.0, "fourth": 0.0}
    wide, fitting = (Block(b, 0.5).noise(**options, sketch_dim=8, kept=8) for b in (100, 8))
    assert wide == fitting == 2 * (1 + 0.5 * 8)
    ragged = Block(16, 0.5).noise(**options, sketch_dim=24, kept=24)
    assert ragged == pytest.approx(2 * (1 + 0.5 * (16 * 16 + 8 * 8) / 24))
    rows = [np.sum(Block(16, 0.5).sample(stream(s), 24, 1).todense() ** 2) for s in range(4000)]
    # Var ‖R e₁‖² = (1 − q)/q · Σ size²/d² in blocks of 16 and 8; 5 standard errors: 6e-7
    squares = (np.array(rows) - 1.0) ** 2
    assert abs(squares.mean() - 320 / 24**2) < 5 * squares.std() / np.sqrt(4000)
    assert abs(squares.mean() - 16 / 24) > 5 * squares.std() / np.sqrt(4000)


@pytest.mark.parametrize("kept", [0, -1, D + 1, 2.0, True])
def test_a_prefix_keeps_between_one_and_all(kept):
    with pytest.raises(ValueError, match=rf"kept = .*: must be an integer between 1 and {D}"):
        sample(Gaussian(), 2).prefix(kept)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block_size": 0}, "block_size = 0: must be an integer >= 1"),
        ({"block_size": 2.5}, "block_size = 2.5: must be an integer"),
        ({"density": 0.0}, "density = 0.0: must be positive"),
        ({"density": 1.1}, r"density = 1.1: must be a finite number in \[0, 1\]"),
        ({"density": float("nan")}, "density = nan: must be a finite number"),
    ],
)
def test_bad_blocks_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        Block(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block_size": 0}, "block_size = 0: must be an integer >= 3"),
        ({"block_size": 16}, "block_size = 16: must be a multiple of 3"),
        ({"density": 0.0}, "density = 0.0: must be positive"),
        ({"density": -0.1}, r"density = -0.1: must be a finite number in \[0, 1\]"),
    ],
)
def test_bad_packets_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        Packet(**options)


def test_families_are_found_by_name():
    assert [as_family(name) for name in FAMILIES] == [Gaussian(), Rademacher(), Haar(), Trig(), Block(), Packet()]
    assert as_family(Block(3, 0.1)) == Block(3, 0.1)
    with pytest.raises(ValueError, match=r"matrices = 'trigg': must be one of .* \(did you mean 'trig'\?\)"):
        simnet.matrices.as_family("trigg")


def test_signs_kept_as_bits_and_as_bytes_are_the_same_signs(monkeypatch):
    v, found = np.random.default_rng(0).standard_normal((2, 300)), []
    for packed in (1, 301):
        monkeypatch.setattr(trig, "PACKED", packed)
        monkeypatch.setattr(trig, "ALONE", 300 * 8 if packed == 1 else 1 << 20)  # long rows go one by one, to the same bits
        whole, few = (Trig().sample(stream(0, "signs"), 300, columns) for columns in (300, 5))
        assert whole.packed == (packed == 1)
        found.append((whole.signs, whole.matvec(v), whole.rmatvec(v), few.matvec(v[:, :5]), few.rmatvec(v), whole.nbytes))
    for bits, by_byte in zip(*found, strict=True):
        if isinstance(bits, np.ndarray):
            np.testing.assert_array_equal(bits, by_byte)
    assert found[0][-1] < found[1][-1] / 7


@pytest.mark.parametrize("length", [1, 4095, 4097])
def test_vectors_of_another_length_are_refused(length):
    whole, few = (Trig().sample(stream(0, "lengths"), 4096, columns) for columns in (4096, 5))
    for product in (whole.matvec, whole.rmatvec, few.matvec, few.rmatvec):
        with pytest.raises(ValueError, match=f"vectors: the last axis must have the length .*, not {length}"):
            product(np.ones((2, length)))
    with pytest.raises(ValueError, match="do not fit rows"):
        whole.products([whole], [np.ones((2, length))], np.empty((2, 4096)))
