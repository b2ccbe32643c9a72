"""The encoder against its definition: dense recursion, batches, precision, named matrices, and refused inputs."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import simnet
from simnet.matrices import FAMILIES, Block, Packet, Rademacher, bank
from simnet.networks import ModularNetwork, Module, Slot
from simnet.sketching import encoder
from simnet.sketching.dictionary import dictionary
from simnet.sketching.plan import products
from tests import oracle
from tests.counting import counted_products

UNEVEN = simnet.Execution.from_objects(
    [
        ("a", "m", [0.1, 0.2], [], []),
        ("b", "m", [0.3, 0.1], [], []),
        ("c", "n", [0.5], ["a", None, "a"], [0.3, 0.2, 0.4]),
        ("d", "n", [0.2], [None, None, None], [0.1, 0.5, 0.1]),
        ("e", "k", [0.1, 0.1, 0.1], ["c", "d"], [0.5, 0.5]),
    ],
    outputs={"e": 0.7, "a": 0.3, "b": 0.0},
)

RECIPES = {
    **simnet.RECIPES,
    "uneven": simnet.Recipe(0.9, 0.3, 0.7, 0.4, 0.6, 0.2),
    "another": simnet.Recipe(*np.random.default_rng(5).uniform(0.1, 1.5, 6)),
    "no identity": simnet.Recipe(0.0, 1.0, 0.5, 0.8, 0.5, 0.5),
    "no inputs": simnet.Recipe(0.5, 0.5, 0.5, 0.0, 0.5, 0.5),
    "no mixing, scaled": simnet.Recipe(0.7, 0.0, 0.5, 0.5, 0.5, 0.0),
}
MIXED = [
    simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0).run(7, seed=1, weight_jitter=0.4),
    simnet.networks.random_dag(modules=6, attribute_dim=3, seed=2).run(9, seed=1, activity=0.6),
    simnet.networks.scene(places=4, seed=0).run(12, seed=1),
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("family", [*sorted({*FAMILIES} - {"block", "packet"}), Block(4, 0.6), Packet(6, 0.6)], ids=str)
def test_encode_is_the_dense_recursion(family, recipe, execution):
    sketcher = simnet.Sketcher(execution.network, 24, family, RECIPES[recipe], seed=7)
    expected = oracle.sketch(execution, sketcher)
    found = sketcher.encode(execution)
    assert np.abs(expected).max() > 0.0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("defect", ["wrong slot weight", "one round", "natural order", "matrices too large"])
def test_the_dense_recursion_tells_a_defective_sketcher_from_a_right_one(defect, portrait):
    right = simnet.Sketcher(portrait.network, 24, seed=7)
    wrong = simnet.testing.DEFECTS[defect](portrait.network, 24, seed=7)
    expected = oracle.sketch(portrait, right)
    assert np.abs(wrong.encode(portrait) - expected).max() > 1e-3 * np.abs(expected).max()


def test_one_layer_recipes_collapse_to_a_weighted_sum():
    net = simnet.networks.layered(widths=(4,), attribute_dim=3, seed=0)
    ex = net.run(1, seed=1)[0]
    for recipe, value, presence in (("prototype_a", 1.0, 0.0), ("prototype_b", 0.5, 0.5)):
        sketcher = simnet.Sketcher(net, 32, "gaussian", recipe, seed=2)
        expected = sum(
            o.effective_weight
            * (
                value * sketcher.matrix(o.module, "value").todense() @ o.attributes
                + presence * sketcher.matrix(o.module, "presence").todense()[:, 0]
            )
            for o in ex.objects
        )
        np.testing.assert_allclose(sketcher.encode(ex), expected, atol=1e-14)


@pytest.mark.parametrize("runs", MIXED, ids=["jittered weights", "some inputs missing", "scene"])
def test_a_batch_is_its_runs_one_by_one_in_their_order(runs):
    sketcher = simnet.Sketcher(runs[0].network, 64, seed=3)
    single = np.stack([sketcher.encode(runs[i]) for i in range(len(runs))])
    np.testing.assert_allclose(sketcher.encode(runs), single, rtol=0, atol=1e-14)
    assert np.abs(single[0] - single[1]).max() > 1e-6


@pytest.mark.parametrize("runs", MIXED[1:], ids=["some inputs missing", "scene"])
def test_groups_are_put_back_into_the_order_of_the_runs(runs):
    sketcher = simnet.Sketcher(runs[0].network, 64, seed=3)
    whole = sketcher.encode(runs)
    assert len(runs.groups) > 2
    order = np.random.default_rng(0).permutation(len(runs))
    np.testing.assert_allclose(sketcher.encode(runs[order.tolist()]), whole[order], rtol=0, atol=1e-14)
    for group in runs:
        np.testing.assert_allclose(sketcher.encode(group), whole[group.runs], rtol=0, atol=1e-14)


def test_every_run_is_sketched_with_its_own_weights():
    runs = MIXED[0]
    sketcher = simnet.Sketcher(runs[0].network, 24, "gaussian", seed=3)
    sketches = sketcher.encode(runs)
    for i in range(len(runs)):
        expected = oracle.sketch(runs[i], sketcher)
        np.testing.assert_allclose(sketches[i], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("runs", MIXED, ids=["jittered weights", "some inputs missing", "scene"])
def test_runs_past_a_batch_are_encoded_in_several_passes_to_the_same_sketches(runs, monkeypatch):
    sketcher = simnet.Sketcher(runs[0].network, 32, seed=3)
    whole = sketcher.encode(runs)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # more threads share the room
    passes, forward = [], sketcher.forward
    monkeypatch.setattr(sketcher, "forward", lambda *a: passes.append((len(a[2]), len(a[0]))) or forward(*a))
    longest = max(len(g.structure) for g in runs)
    for most in (1, 2):
        passes.clear()
        monkeypatch.setattr(encoder, "LEVELS_BYTES", most * 32 * 8 * longest)
        np.testing.assert_array_equal(sketcher.encode(runs), whole)
        assert sum(n for n, _ in passes) == len(runs)
        assert all(n * objects <= most * longest for n, objects in passes)
        assert len(passes) < len(runs) or most == 1


def test_a_run_without_objects_has_the_zero_sketch():
    net = simnet.networks.layered(widths=(3, 2), attribute_dim=2, seed=0)
    runs = net.run(2, activity=np.array([[False] * 3, [True] * 3]))
    sketches = simnet.Sketcher(net, 16, seed=1).encode(runs)
    assert not sketches[0].any()
    assert sketches[1].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_single_precision_gives_single_precision_near_the_double_one(family, execution):
    for d in (64, 256 if family == "haar" else 1024):  # a large haar matrix takes long to draw
        double, single = (simnet.Sketcher(execution.network, d, family, seed=3, dtype=t) for t in ("float64", "float32"))
        s, t = double.encode(execution), single.encode(execution)
        assert (s.dtype, t.dtype) == (np.float64, np.float32)
        assert 0.0 < np.linalg.norm(t - s) < 1e-6 * np.linalg.norm(s)  # measured: 5e-7 at most, whatever size and depth


@pytest.mark.parametrize("family", FAMILIES)
def test_adding_and_reordering_modules_changes_no_other_sketch(family):
    modules = (Module("a", 3), Module("b", 2, (Slot(("a",), 0.7),)))
    small = ModularNetwork(modules, (Slot(("b",), 0.5),))
    new = Module("new", 4, (Slot(("a",), 0.2),))
    large = ModularNetwork((new, *modules[::-1]), (Slot(("b",), 0.5), Slot(("new",), 0.5)))
    objects = [("x", "a", [0.1, 0.2, 0.3], [], []), ("y", "b", [0.5, 0.5], ["x"], [0.7])]
    ex = simnet.Execution.from_objects(objects, {"y": 0.5}, network=small)
    before, after = (simnet.Sketcher(net, 32, family, seed=4).encode(ex) for net in (small, large))
    assert np.array_equal(before, after)


def test_same_seed_same_bits_even_when_no_matrix_is_kept_and_another_seed_another_sketch(execution, monkeypatch):
    def sketch(seed):
        return simnet.Sketcher(execution.network, 32, "gaussian", seed=seed).encode(execution)

    first = sketch(0)
    assert np.array_equal(first, sketch(0))
    assert np.abs(first - sketch(1)).max() > 1e-3 * np.abs(first).max()
    monkeypatch.setattr(bank, "CACHE_BYTES", 1)
    assert np.array_equal(first, sketch(0))


def test_every_module_role_and_slot_has_a_matrix_of_its_own(portrait):
    sketcher = simnet.Sketcher(portrait.network, 64, "gaussian", seed=0)
    names = [(m.name, role) for m in portrait.network.modules for role in ("object", "attribute", "input")]
    names += [(m.name, slot) for m in portrait.network.modules for slot in range(len(m.slots))]
    names += [("root", slot) for slot in range(3)]
    flat = np.stack([sketcher.matrix(*name).todense().ravel() for name in names])
    cosines = np.corrcoef(flat) - np.eye(len(names))
    assert np.abs(cosines).max() < 0.1  # 64² independent entries: a standard deviation of 0.016


def test_sketches_are_finite_and_depend_on_every_attribute(portrait):
    sketcher = simnet.Sketcher(portrait.network, 64, seed=0)
    base = sketcher.encode(portrait)
    for k in range(len(portrait.objects)):
        changed = list(portrait.attributes)
        changed[k] = 0.5 * changed[k]
        assert np.abs(sketcher.encode(simnet.Execution(portrait.structure, tuple(changed))) - base).max() > 1e-6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sketch_dim": 0}, "sketch_dim = 0"),
        ({"sketch_dim": 64.0}, r"sketch_dim = 64\.0"),
        ({"sketch_dim": True}, "sketch_dim = True"),
        ({"sketch_dim": 2}, "sketch_dim = 2: must be at least the attribute_dim = 3 of module 'hand'"),
        ({"matrices": "gausian"}, "matrices = 'gausian'.*did you mean 'gaussian'"),
        ({"recipe": "prototype_c"}, "recipe = 'prototype_c'.*did you mean 'prototype_"),
        ({"seed": -1}, "seed = -1"),
        ({"dtype": "float16"}, "dtype = 'float16'"),
        ({"network": "layered"}, "network: must be a ModularNetwork"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message, portrait):
    with pytest.raises(ValueError, match=message):
        simnet.Sketcher(**{"network": portrait.network, "sketch_dim": 64, **arguments})


def _execution(module="a", attributes=(0.5, 0.5), inputs=(), outputs=1):
    leaves = [(f"leaf {i}", "leaf", [0.5], [], []) for i in range(inputs if isinstance(inputs, int) else 0)]
    names = [name for name, *_ in leaves]
    objects = [*leaves, ("x", module, list(attributes), names, [0.1] * len(names))]
    return simnet.Execution.from_objects(objects, [("x", 0.1)] * outputs)


@pytest.mark.parametrize(
    ("ex", "message"),
    [
        (_execution(module="b"), "object 'x': module 'b' is not in the sketcher's network"),
        (_execution(attributes=(0.5, 0.5, 0.5)), "object 'x': attribute_dim = 3.*it is 2"),
        (_execution(inputs=3), "object 'x': fills 3 slots, module 'a' .* has 2"),
        (_execution(outputs=2), "outputs: the execution fills 2 output slots.* has 1"),
    ],
)
@pytest.mark.parametrize("call", ["encode", "operator", "decode"])
def test_executions_of_another_network_are_refused_by_name(ex, message, call):
    sketcher = simnet.Sketcher(_execution(inputs=2).network, 16)
    calls = {
        "encode": lambda: sketcher.encode(ex),
        "operator": lambda: sketcher.operator(ex),
        "decode": lambda: sketcher.decode(np.zeros(16), ex.structure),
    }
    with pytest.raises(ValueError, match=message):
        calls[call]()


def test_encode_refuses_what_is_not_an_execution(portrait):
    with pytest.raises(ValueError, match="runs: must be Executions, a Group or an Execution, not list"):
        simnet.Sketcher(portrait.network, 16).encode([portrait])


def test_what_is_no_structure_is_refused(portrait):
    sketcher = simnet.Sketcher(portrait.network, 16)
    for call in (sketcher.operator, lambda wrong: sketcher.decode(np.zeros(16), wrong)):
        for wrong in (None, portrait.network, portrait.attributes):
            with pytest.raises(ValueError, match=r"structure = .*: must be a Structure or an Execution"):
                call(wrong)


@pytest.mark.parametrize(
    ("module", "role", "message"),
    [
        ("neck", "value", "module = 'neck'"),
        ("hand", "values", "role = 'values'"),
        ("hand", 2, "role = 2.*slot below 2"),
        ("hand", -1, "role = -1"),
        *(("hand", role, "role = .*slot below 2") for role in (1.0, True, None, [0])),
        (["hand"], "value", r"module = \['hand'\]"),
        ("root", "value", "role = 'value'"),
        ("root", 3, "role = 3.*slot below 3"),
    ],
)
def test_there_are_no_matrices_by_other_names(module, role, message, portrait):
    with pytest.raises(ValueError, match=message):
        simnet.Sketcher(portrait.network, 16).matrix(module, role)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("d", [64, 100])
def test_marks_that_are_too_large_to_keep_are_made_beside_the_values(d, dtype, monkeypatch):
    monkeypatch.setattr(encoder, "COLUMN_BYTES", 1)
    expected = oracle.sketch(UNEVEN, simnet.Sketcher(UNEVEN.network, d, seed=2))
    sketcher = simnet.Sketcher(UNEVEN.network, d, seed=2, dtype=dtype)
    rounding = (1e-12 if dtype == "float64" else 3e-6) * np.abs(expected).max()
    np.testing.assert_allclose(sketcher.encode(UNEVEN), expected, rtol=0, atol=rounding)
    assert not any(name[1] == "first" for name in sketcher.bank._kept)


def test_an_object_whose_slots_are_all_empty_has_no_input_to_multiply(monkeypatch):
    sketcher = simnet.Sketcher(UNEVEN.network, 64, seed=2)
    for module in UNEVEN.network.modules:
        sketcher.presence_column(module.name)
    made = counted_products(monkeypatch)
    sketcher.encode(UNEVEN)
    assert sum(made) == products(UNEVEN.structure)


@pytest.mark.parametrize("work", ["encode", "adjoint", "dictionary"])
def test_large_matrices_that_are_not_kept_are_in_memory_one_at_a_time(work, monkeypatch):
    net = simnet.networks.layered(widths=(6, 4, 3), attribute_dim=3, fan_in=2, seed=0)
    run = net.run(1, seed=1)[0]
    sketcher = simnet.Sketcher(net, 64, "rademacher", seed=2)
    sketcher.bank._room, drawn, together = 0, [], []
    draw = Rademacher._draw

    def counted(family, *args):
        together.append(sum(matrix() is not None for matrix in drawn))
        made = draw(family, *args)
        drawn.append(weakref.ref(made))
        return made

    monkeypatch.setattr(Rademacher, "_draw", counted)
    operator = sketcher.operator(run)
    {
        "encode": lambda: sketcher.encode(run),
        "adjoint": lambda: operator.rmatvec(np.ones(64)),
        "dictionary": lambda: dictionary(sketcher, run.structure),
    }[work]()
    assert len(drawn) > 30
    assert max(together) == 0
