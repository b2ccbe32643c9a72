"""What holds for every execution, recipe and family, on executions that Hypothesis makes and shrinks."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import simnet
from simnet.matrices import FAMILIES
from simnet.memory import SketchStore
from simnet.theory import kernel
from tests import oracle

FEW = settings(max_examples=max(settings.default.max_examples // 2, 1))
SHARES = st.one_of(st.floats(1e-12, 1.5), st.sampled_from([0.0, 1.0, 1e-12, 0.5]))
SIZES = st.one_of(st.floats(-1.0, 1.0), st.sampled_from([0.0, 1.0, -1.0, 1e-12, 5e-324, 1e-200]))


@st.composite
def recipes(draw: st.DrawFn) -> simnet.Recipe:
    """Any six constants, zeros and tiny ones among them."""
    identity, mixing, *shares = (draw(SHARES) for _ in range(6))
    return simnet.Recipe(identity, mixing if identity else max(mixing, 1e-3), *shares)


@st.composite
def executions(draw: st.DrawFn, most: int = 6) -> simnet.Execution:
    """A wiring of a few objects: several of a module, empty slots, weights and attributes of 0, everything shared."""
    objects: list[tuple[str, str, list[float], list[str | None], list[float]]] = []
    for i in range(draw(st.integers(1, most))):
        module = "abcd"[min(draw(st.integers(0, 3)), i)]
        # a module sees letters before its own, so that modules have an order
        below = [name for name, other, *_ in objects if other < module]
        inputs = draw(st.lists(st.sampled_from([*below, None]), max_size=3)) if below else []
        size = 1 + "abcd".index(module)
        x = np.array(draw(st.lists(SIZES, min_size=size, max_size=size)))
        x = x / max(1.0, float(np.linalg.norm(x)) * (1 + 1e-12))
        objects.append((f"{module}{i}", module, x.tolist(), inputs, weights(draw, len(inputs))))
    names = [name for name, *_ in objects]
    outputs = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    reached, waiting = set(), list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [source for n, _, _, inputs, _ in objects if n == name for source in inputs if source is not None]
    kept = [entry for entry in objects if entry[0] in reached]
    return simnet.Execution.from_objects(kept, list(zip(outputs, weights(draw, len(outputs)), strict=True)))


def weights(draw: st.DrawFn, count: int) -> list[float]:
    """Weights of slots, 0 and tiny ones among them, whose sum is at most 1."""
    raw = [draw(st.sampled_from([1.0, 0.5, 0.25, 1e-6, 1e-12, 0.0])) for _ in range(count)]
    return [w / max(1.0, sum(raw)) for w in raw]


@given(ex=executions(), recipe=recipes(), family=st.sampled_from(sorted(FAMILIES)), d=st.integers(6, 24))
@example(  # two objects that cancel, so that all that is left is 1e-5 of the sizes that rounded
    ex=simnet.Execution.from_objects(
        [
            ("a0", "a", [0.0], [], []),
            ("b1", "b", [0.0, 0.0], [], []),
            ("b2", "b", [0.5**0.5, 0.5**0.5], [], []),
            ("b3", "b", [-(0.5**0.5), -(0.5**0.5)], [], []),
            ("b5", "b", [0.0, 0.0], ["a0"], [1.0]),
        ],
        [("b1", 0.25), ("b2", 0.25), ("b5", 0.25), ("b3", 0.25)],
    ),
    recipe=simnet.Recipe(2.0**-5, 1e-12, 1.0, 1.0, 1.0, 1.0),
    family="block",
    d=6,
)
def test_an_encode_is_the_definition(ex, recipe, family, d):
    sketcher = simnet.Sketcher(ex.network, d, family, recipe, seed=1)
    rounding = 1e-13 * oracle.gain(ex, sketcher) * np.linalg.norm(ex.vector())
    np.testing.assert_allclose(sketcher.encode(ex), oracle.sketch(ex, sketcher), rtol=0, atol=max(rounding, 1e-300))


@given(ex=executions(), recipe=recipes(), family=st.sampled_from(sorted(FAMILIES)), seed=st.integers(0, 9))
@example(  # R_0 R_a R_2 e₁ = 0 here, so that all that is left is 1e-12 of the sizes that rounded
    ex=simnet.Execution.from_objects([("b", "b", [0.0, 0.0], [], [])], {"b": 1.0}),
    recipe=simnet.Recipe(1e-12, 1.0, 1.0, 1.0, 1.0, 1.0),
    family="packet",
    seed=3,
)
def test_the_adjoint_is_the_adjoint(ex, recipe, family, seed):
    sketcher = simnet.Sketcher(ex.network, 20, family, recipe, seed=seed)
    operator, draw = sketcher.operator(ex), np.random.default_rng(seed)
    u, v = draw.standard_normal(operator.shape[1]), draw.standard_normal(20)
    # what is added up on the way can cancel: rounding is in proportion to the matrices and not to what comes out
    rounding = 1e-13 * oracle.gain(ex, sketcher) * np.linalg.norm(u) * np.linalg.norm(v)
    assert math.isclose((operator @ u) @ v, u @ operator.rmatvec(v), rel_tol=0, abs_tol=max(rounding, 1e-300))


@given(left=executions(4), right=executions(4), recipe=recipes())
def test_law_0_is_the_expectation_term_by_term(left, right, recipe):
    try:
        value = kernel(left, right, recipe=recipe)
    except ValueError as error:  # two executions may order their modules against each other
        assume("order" not in str(error) and "attributes" not in str(error))
        raise
    expected = oracle.kernel_by_words(left, right, recipe)
    assert math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-13)


@FEW
@given(ex=executions(), recipe=recipes(), seed=st.integers(0, 5))
def test_least_squares_is_exact_or_says_that_it_cannot_know(ex, recipe, seed):
    d = 2 * ex.structure.size + 8
    assume(recipe.value_share > 0.0 and recipe.attribute_share > 0.0)
    sketcher = simnet.Sketcher(ex.network, d, "gaussian", recipe, seed=seed)
    estimate = sketcher.decode(sketcher.encode(ex), ex.structure, "least_squares")
    for name, truth in zip(ex.structure.names, ex.attributes, strict=True):
        low, high = np.asarray(estimate.interval(0.95)[name]).T
        told = high - low < 1e-3
        # what is told narrowly is right; what the sketch does not carry has an interval that says so
        assert (np.abs(estimate.attributes[name] - truth)[told] < 1e-3).all()


@given(ex=executions(), recipe=recipes(), seed=st.integers(0, 2**40))
def test_what_is_saved_comes_back_the_same(ex, recipe, seed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        ex.save(path)
        again = simnet.Execution.load(path)
        assert again.structure == ex.structure
        assert all(np.array_equal(x, y) for x, y in zip(ex.attributes, again.attributes, strict=True))
        sketcher = simnet.Sketcher(ex.network, 16, recipe=recipe, seed=seed)
        simnet.save_sketches(Path(folder) / "day.npz", sketcher.encode(ex), **sketcher.metadata)
        sketch, metadata = simnet.load_sketches(Path(folder) / "day.npz")
        assert np.array_equal(simnet.Sketcher.from_metadata(metadata).encode(again), sketch)


@FEW
@given(
    values=st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=8, max_size=8), min_size=1, max_size=6),
    storage=st.sampled_from(["float64", "float32", "float16", "int8"]),
    removed=st.sets(st.integers(1, 6)),
)
def test_a_store_gives_back_what_was_added(values, storage, removed):
    network = simnet.networks.scene(places=1, kinds=("cat",), seed=0)
    sketches = np.array(values)
    with tempfile.TemporaryDirectory() as folder:
        with SketchStore.create(Path(folder) / "s", simnet.Sketcher(network, 8, seed=0), storage=storage) as store:
            keys = store.add(sketches)
            gone = sorted(removed & set(keys))
            if gone:
                store.remove(gone)
        with SketchStore(Path(folder) / "s") as store:
            assert len(store) == len(keys) - len(gone)
            step = {"float64": 0.0, "float32": 2.0**-24, "float16": 2.0**-11, "int8": 1.0 / 254.0}[storage]
            for key, sketch in zip(keys, sketches, strict=True):
                if key not in gone:
                    largest = float(np.abs(sketch).max())
                    np.testing.assert_allclose(store.get(key).sketch, sketch, rtol=0, atol=1.01 * step * largest)


@FEW
@given(ex=executions(), other=executions(), recipe=recipes())
def test_a_kernel_matrix_has_no_negative_direction(ex, other, recipe):
    network = ex.network
    runs = [simnet.Execution.from_objects(_objects(e), _outputs(e)) for e in (ex, ex, other) if e.network == network]
    matrix = np.array([[kernel(a, b, recipe=recipe) for b in runs] for a in runs])
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12, atol=1e-300)
    assert np.linalg.eigvalsh(matrix).min() >= -1e-10 * max(np.trace(matrix), 1e-300)


def _objects(ex):
    s = ex.structure
    return [(s.names[k], s.modules[k], ex.attributes[k], s.inputs[k], s.weights[k]) for k in range(len(s))]


def _outputs(ex):
    return list(zip(ex.structure.outputs, ex.structure.output_weights, strict=True))
