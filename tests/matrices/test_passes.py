"""Passes by NumPy and by compiled loops: the same bits, so that a sketch does not depend on what is installed."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import simnet
from simnet.matrices import FAMILIES, Trig, passes
from simnet.randomness import stream
from simnet.recipes import Recipe
from simnet.sketching.dictionary import dictionary

numba = pytest.importorskip("numba")


@pytest.fixture
def fresh():
    passes._compiled.cache_clear()
    yield
    passes._compiled.cache_clear()


def by_both(monkeypatch, work, *loops):
    """What work gives with compiled loops for rows of any length, and by NumPy for all; that each of them was taken."""
    found, calls, machine = [], [], passes._compiled()
    counted = passes._Machine(*(lambda *a, loop=loop: calls.append(loop) or loop(*a) for loop in machine))
    monkeypatch.setattr(passes, "_compiled", lambda: counted)
    for long, taken in ((1, loops), (1 << 30, ())):
        monkeypatch.setattr(passes, "LONG", long)
        calls.clear()
        found.append(work())
        assert set(calls) == {getattr(machine, name) for name in taken}
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", [1, 7, 8, 100, 4096])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_pass_of_signs_is_the_definition_and_the_same_bits(rows, length, dtype, monkeypatch):
    draw = np.random.default_rng(0)
    vectors = draw.standard_normal((rows, length)).astype(dtype)
    bits = draw.integers(0, 256, -(-length // 8), dtype=np.uint8)
    expected = vectors * np.where(np.unpackbits(bits)[:length], -1, 1).astype(dtype)

    def work():
        out, rows = np.full_like(vectors, np.nan), vectors.copy()
        passes.signed(vectors, bits, out)
        passes.flipped(rows, bits)
        return out, rows

    for found in by_both(monkeypatch, work, "sign", "flip"):
        for out in found:
            np.testing.assert_array_equal(out, expected)
    out, rows = np.full_like(vectors, np.nan), vectors.copy()
    passes._sign(vectors, bits, out)  # the loops as Python runs them
    passes._flip(rows, bits)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", [1, 7, 100, 4096])
@pytest.mark.parametrize("ratio", [1.0, 0.3])
@pytest.mark.parametrize("numbers", [True, False])
def test_a_last_pass_is_the_definition_and_the_same_bits(numbers, ratio, length, dtype, monkeypatch):
    monkeypatch.setattr(passes, "BLOCK", 64)
    draw, slices = np.random.default_rng(0), [slice(0, 1), slice(1, 4), slice(4, 6)]
    made = draw.standard_normal((6, length)).astype(dtype)
    signs = draw.integers(0, 256, (3, -(-length // 8)), dtype=np.uint8)
    others = [draw.standard_normal((n, length)).astype(dtype) for n in (1, 3, 1)]  # the last is one for two
    share, scale = draw.standard_normal((2, 6)).astype(dtype) if numbers else (None, None)
    finish = passes.Finish(others, ratio, share, scale)
    ones = np.ones(6, dtype)
    a, c = (ones, ones) if share is None else (share, scale)
    number = np.dtype(dtype).type(ratio)
    expected = np.empty_like(made)
    for part, row, v in zip(slices, signs, others, strict=True):
        one = np.where(np.unpackbits(row)[:length], -1, 1).astype(dtype)
        expected[part] = (made[part] * one * number + v * a[part, None]) * c[part, None]

    def work():
        out = made.copy()
        finish(out, slices, iter(signs))
        return out

    for out in by_both(monkeypatch, work, "mix"):
        np.testing.assert_array_equal(out, expected)
    out = made.copy()
    for part, row, v in zip(slices, signs, others, strict=True):
        passes._mix(out[part], row, v, number, a[part], c[part])
    np.testing.assert_array_equal(out, expected)


def test_a_piece_of_products_has_its_own_vectors_and_numbers():
    others = [np.arange(6.0).reshape(3, 2), np.full((1, 2), 9.0)]  # three products, and two of one vector
    finish = passes.Finish(others, 0.5, np.arange(5.0), None).of(slice(2, 4), [(0, slice(2, 3)), (1, slice(0, 1))])
    np.testing.assert_array_equal(finish.others[0], [[4.0, 5.0]])
    np.testing.assert_array_equal(finish.others[1], [[9.0, 9.0]])
    np.testing.assert_array_equal(finish.share, [2.0, 3.0])
    assert (finish.ratio, finish.scale) == (0.5, None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("d", [100, 4096, 4100])
def test_sketches_and_adjoints_are_the_same_bits_with_and_without_the_compiler(d, alpha, dtype, monkeypatch):
    net = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=5, fan_in=3, seed=0)
    runs = net.run(3, seed=1, weight_jitter=0.3)

    def work():
        sketcher = simnet.Sketcher(net, d, "trig", Recipe(identity=alpha, input_share=0.4), seed=2, dtype=dtype)
        operator, y = sketcher.operator(runs[0]), np.random.default_rng(0).standard_normal(d)
        return sketcher.encode(runs), operator.rmatvec(y), dictionary(sketcher, runs[0].structure)

    for one, other in zip(*by_both(monkeypatch, work, "sign", "flip", "mix"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_the_compiler_everything_goes_by_numpy(fresh, monkeypatch):
    right = Trig().sample(stream(0, "passes"), 4096).matvec(np.ones(4096))
    passes._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "numba", None)
    assert not passes.reads_bits(1 << 20)
    np.testing.assert_array_equal(Trig().sample(stream(0, "passes"), 4096).matvec(np.ones(4096)), right)


@pytest.mark.parametrize("error", [OSError("no library"), AttributeError("half imported")])
def test_a_compiler_that_cannot_be_imported_is_as_none(error, fresh, monkeypatch):
    class Broken:
        def find_spec(self, name, *rest):
            if name == "numba":
                raise error

    monkeypatch.delitem(sys.modules, "numba")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert not passes.reads_bits(1 << 20)


def test_signs_of_a_byte_go_by_numpy_whatever_is_installed():
    vectors, signs = np.random.default_rng(0).standard_normal((1, 4096)), np.ones(4096, np.int8)
    signs[::3] = -1
    rows = vectors.copy()
    passes.flipped(rows, signs)
    np.testing.assert_array_equal(rows, vectors * signs)


@pytest.mark.parametrize("shape", [(2, 4096), (4, 1000)])
def test_vectors_that_do_not_fit_their_products_are_refused(shape):
    finish = passes.Finish([np.ones(shape)], 1.0, None, None)
    with pytest.raises(ValueError, match="do not fit products"):
        finish(np.ones((4, 4096)), [slice(0, 4)], [np.zeros(512, np.uint8)])


def test_loops_are_compiled_anew_where_nothing_may_be_written(fresh, monkeypatch):
    asked, right = [], numba.njit

    def njit(*args, cache=False, **options):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return right(*args, **options)

    monkeypatch.setattr(numba, "njit", njit)
    out = np.empty((1, 4096))
    passes.signed(np.ones((1, 4096)), np.full(512, 0b01000000, np.uint8), out)
    assert asked == [True, False] * 3
    np.testing.assert_array_equal(out[0, :9], [1, -1, 1, 1, 1, 1, 1, 1, 1])


@pytest.mark.parametrize(
    "change", [np.asfortranarray, lambda x: x[:, ::-1][:, ::-1], lambda x: np.repeat(x, 2, axis=1)[:, ::2]]
)
def test_vectors_may_lie_in_any_way(change):
    vectors, matrix = np.random.default_rng(0).standard_normal((3, 4096)), Trig().sample(stream(0, "layout"), 4096)
    others = change(vectors)
    others.setflags(write=False)
    sketcher = simnet.Sketcher(simnet.networks.tree(seed=0), 4096)
    for product in (matrix.matvec, matrix.rmatvec, lambda v: sketcher.transparent("root", 0, v)):
        np.testing.assert_array_equal(product(others), product(vectors))


@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("family", FAMILIES.values())
def test_every_family_finishes_its_products(family, adjoint, columns):
    matrices = [family().sample(stream(0, "finish", k), 96, columns) for k in range(2)]
    rows, length = matrices[0].shape[::-1] if adjoint else matrices[0].shape
    draw = np.random.default_rng(0)
    batches, others = ([draw.standard_normal((n, width)) for n in (1, 2)] for width in (length, rows))
    share, scale = draw.standard_normal((2, 3))
    out = np.empty((3, rows))
    multiply = matrices[0].adjoint_products if adjoint else matrices[0].products
    multiply(matrices, batches, out, passes.Finish(others, 0.3, share, scale))
    each = [(m.rmatvec if adjoint else m.matvec)(batch) for m, batch in zip(matrices, batches, strict=True)]
    expected = scale[:, None] * (share[:, None] * np.concatenate(others) + 0.3 * np.concatenate(each))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-13)


def test_only_long_rows_are_worth_the_import(fresh, monkeypatch):
    assert passes.reads_bits(passes.LONG)
    monkeypatch.setattr(passes, "_compiled", lambda: pytest.fail("asked for the compiler"))
    assert not passes.reads_bits(passes.LONG - 1)
    simnet.Sketcher(simnet.networks.tree(seed=0), passes.LONG - 1).encode(simnet.networks.tree(seed=0).run(1))
