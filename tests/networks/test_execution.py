"""Executions by hand: what they say about their objects, what is refused and how, and files."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest

import simnet
from simnet import Execution
from simnet.networks import ModularNetwork, Module, Slot
from tests import oracle

EYE = ("eye", "eye", [0.6, 0.0], [], [])
FACE = ("face", "face", [0.5, 0.5, 0.5], ["eye", None, "eye"], [0.5, 0.2, 0.25])


def test_objects_say_what_was_given():
    ex = Execution.from_objects([FACE, EYE], outputs=[(None, 0.1), ("face", 0.8), ("eye", 0.1)])
    face, eye = ex.objects
    assert (face.name, face.module, face.inputs, face.weights) == ("face", "face", ("eye", None, "eye"), (0.5, 0.2, 0.25))
    assert (face.depth, eye.depth) == (1, 1)
    assert face.effective_weight == pytest.approx(0.8)
    assert eye.effective_weight == pytest.approx(0.8 * 0.75 + 0.1)
    np.testing.assert_array_equal(ex.vector(), [0.5, 0.5, 0.5, 1.0, 0.6, 0.0, 1.0])
    s = ex.structure
    assert (s.size, len(s), list(s), s.attribute_dims) == (7, 2, ["face", "eye"], (3, 2))
    assert (s.outputs, s.output_weights, s.height) == ((None, "face", "eye"), (0.1, 0.8, 0.1), 2)
    assert s.edge_weights.tolist() == [0.5, 0.25, 0.8, 0.1]
    assert s["eye"] == s[1] == s[-1] == ("eye", (), ())
    assert "eye" in s
    assert "nose" not in s


def test_attributes_are_copied_and_frozen():
    x = np.array([0.6, 0.0])
    ex = Execution.from_objects([("eye", "eye", x, [], [])], outputs={"eye": 1.0})
    x[0] = 0.1
    assert ex.attributes[0][0] == 0.6
    with pytest.raises(ValueError, match="read-only"):
        ex.attributes[0][0] = 0.1


@pytest.mark.parametrize("seed", range(15))
def test_depths_and_effective_weights_are_those_of_all_paths(seed):
    ex = oracle.random_execution(seed, modules=7, height=6)
    for o in ex.objects:
        paths = oracle.paths(ex.structure, o.name)
        assert o.depth == min(map(len, paths))
        assert o.effective_weight == pytest.approx(sum(map(math.prod, paths)), rel=1e-13)
    assert ex.structure.height == max(len(p) for name in ex.structure for p in oracle.paths(ex.structure, name))


def test_names_that_are_integers_win_over_positions():
    ex = Execution.from_objects([(1, "m", [0.1], [], []), (0, "m", [0.2], [], [])], outputs={0: 0.5, 1: 0.5})
    assert [ex.structure.position(k) for k in (1, 0, -1)] == [0, 1, 1]


def test_a_network_read_off_the_objects_has_their_modules_slots_and_sources():
    ex = Execution.from_objects(
        [
            ("e1", "eye", [0.1], [], []),
            ("n", "nose", [0.1], [], []),
            ("f1", "face", [0.1], ["e1", "n"], [0.5, 0.25]),
            ("f2", "face", [0.2], ["n"], [0.3]),
        ],
        outputs={"f1": 0.5, "f2": 0.5},
    )
    face = Module("face", 1, (Slot(("eye", "nose"), 0.4), Slot(("nose",), 0.25)))
    assert ex.network == ModularNetwork(
        (Module("eye", 1), Module("nose", 1), face), (Slot(("face",), 0.5), Slot(("face",), 0.5))
    )


# -- what is refused ----------------------------------------------------------------------------------------------------


def eye(**changed):
    return list({**dict(zip(("name", "module", "attributes", "inputs", "weights"), EYE, strict=True)), **changed}.values())


def face(**changed):
    return list({**dict(zip(("name", "module", "attributes", "inputs", "weights"), FACE, strict=True)), **changed}.values())


TOP = {"face": 1.0}
BAD = [
    # names
    ([EYE, eye(module="other"), FACE], TOP, r"objects\[1\]: the name 'eye' is given twice"),
    ([eye(name=""), FACE], TOP, r"objects\[0\]\.name = '': must be a non-empty string or an integer"),
    ([eye(name=1.5), FACE], TOP, r"objects\[0\]\.name = 1.5: must be"),
    ([eye(name=True), FACE], TOP, r"objects\[0\]\.name = True: must be"),
    ([eye(module=None), FACE], TOP, r"object 'eye': module = None: must be"),
    ([eye(module="root"), FACE], TOP, r"module.name = 'root': is the name of the output"),
    # graph
    ([EYE, face(inputs=["eye", None, "nose"])], TOP, r"object 'face': inputs\[2\] = 'nose' is not the name of an object"),
    ([EYE, face(inputs=["face", None, "eye"])], TOP, r"objects: 'face' -> 'face' is a cycle"),
    (
        [eye(inputs=["face"], weights=[1.0]), FACE],
        TOP,
        r"objects: '(eye|face)' -> '(eye|face)' -> '(eye|face)' is a cycle, the graph of objects must be acyclic",
    ),
    (
        [("a", "A", [0.1], [], []), ("b", "B", [0.1], ["a"], [1.0]), ("c", "A", [0.1], ["b"], [1.0])],
        {"c": 1.0},
        r"modules: .* is a cycle, the graph of modules must be acyclic",
    ),
    ([EYE, eye(name="spare"), FACE], TOP, r"object 'spare': reaches no output, every object must"),
    ([EYE, FACE], {"eye": 1.0}, r"modules: 'face' reaches no output"),
    ([EYE, FACE], {}, r"modules: '.*' reaches no output"),
    ([], {}, r"modules = \(\): a network needs at least one module"),
    # weights
    *(
        ([EYE, face(weights=[0.5, w, 0.25])], TOP, r"object 'face': weights\[1\] = .*: must be a finite number in \[0, 1\]")
        for w in (-0.1, 1.5, math.nan, math.inf, "0.1", None, True, [0.1], 10**400)
    ),
    ([EYE, face(weights=[0.5, 0.4, 0.2])], TOP, r"object 'face': weights = .*: sum to 1.1, must sum to at most 1"),
    ([EYE, face(weights=[0.5, 0.5])], TOP, r"object 'face': weights has 2 entries, must have one for each of 3 inputs"),
    ([EYE, face(weights=0.5)], TOP, r"object 'face': weights = 0.5: must be a list"),
    # attributes
    ([eye(attributes=[0.8, 0.8]), FACE], TOP, r"object 'eye': attributes: has length 1.13137, must be at most 1"),
    ([eye(attributes=[1.0 + 1e-6, 0.0]), FACE], TOP, r"object 'eye': attributes: has length 1, must be at most 1"),
    ([eye(attributes=[0.1, math.nan]), FACE], TOP, r"object 'eye': attributes\[1\] = nan: must be finite"),
    ([eye(attributes=[-math.inf, 0.1]), FACE], TOP, r"object 'eye': attributes\[0\] = -inf: must be finite"),
    ([eye(attributes=[]), FACE], TOP, r"object 'eye': attributes: has shape \(0,\), must be a vector"),
    ([eye(attributes=[[0.1]]), FACE], TOP, r"object 'eye': attributes: has shape \(1, 1\), must be a vector"),
    ([eye(attributes=0.5), FACE], TOP, r"object 'eye': attributes: has shape \(\), must be a vector"),
    ([eye(attributes=[[0.1], 0.2]), FACE], TOP, r"object 'eye': attributes = .*: must be a vector of numbers"),
    ([eye(attributes="blue"), FACE], TOP, r"object 'eye': attributes = 'blue': must be a vector of numbers"),
    ([eye(attributes=[0.1, 1j]), FACE], TOP, r"object 'eye': attributes = .*: must be a vector of numbers"),
    ([eye(attributes=["0.5"]), FACE], TOP, r"object 'eye': attributes = \['0.5'\]: must be a vector of numbers"),
    ([eye(attributes=[Fraction(1, 2), "0.5"]), FACE], TOP, r"object 'eye': attributes = .*: must be a vector of numbers"),
    (
        [eye(attributes=np.array([[0.1], [1j]])[:, 0]), FACE],
        TOP,
        r"object 'eye': attributes = array\(.*\): must be a vector of numbers",
    ),
    ([eye(attributes=np.array([1], "m8[s]")), FACE], TOP, r"object 'eye': attributes = .*: must be a vector of numbers"),
    ([eye(attributes=[None, 0.5]), FACE], TOP, r"object 'eye': attributes = .*: must be a vector of numbers"),
    ([eye(attributes=[10**400, 0.5]), FACE], TOP, r"object 'eye': attributes = .*: must be a vector of numbers"),
    ([eye(attributes={}), FACE], TOP, r"object 'eye': attributes = \{\}: must be a vector of numbers"),
    (
        [EYE, eye(name="eye 2", attributes=[0.1]), FACE],
        TOP,
        r"object 'eye 2': attributes has 1 entries, must have 2 like 'eye' of the same module 'eye'",
    ),
    # other types
    (None, TOP, "objects = None: must be a sequence of objects"),
    ("face", TOP, "objects = 'face': must be a sequence of objects"),
    ([EYE, "face"], TOP, r"objects\[1\] = 'face': must be \(name, module, attributes, inputs, weights\)"),
    ([EYE, None], TOP, r"objects\[1\] = None: must be \(name, module, attributes, inputs, weights\)"),
    ([EYE, FACE[:4]], TOP, r"objects\[1\] = .*: must be \(name, module, attributes, inputs, weights\)"),
    ([EYE, face(inputs="eye")], TOP, r"object 'face': inputs = 'eye': must be a list"),
    ([EYE, face(inputs=None)], TOP, r"object 'face': inputs = None: must be a list"),
    ([EYE, face(inputs=["eye", None, 1.5])], TOP, r"object 'face': inputs\[2\] = 1.5: must be a non-empty string"),
    # outputs
    ([EYE, FACE], {"nose": 1.0}, r"outputs\[0\] = 'nose': is not the name of an object"),
    ([EYE, FACE], {"face": 0.7, "eye": 0.7}, r"outputs = \[0.7, 0.7\]: sum to 1.4, must sum to at most 1"),
    ([EYE, FACE], {"face": -1.0}, r"outputs\[0\] = -1.0: must be a finite number in \[0, 1\]"),
    ([EYE, FACE], {"face": math.nan}, r"outputs\[0\] = nan: must be a finite number"),
    ([EYE, FACE], {"face": "all"}, r"outputs\[0\] = 'all': must be a finite number"),
    ([EYE, FACE], ["face"], r"outputs\[0\] = 'face': must be a pair of a name and a weight"),
    ([EYE, FACE], [("face", 0.5, 0.5)], r"outputs\[0\] = .*: must be a pair"),
    ([EYE, FACE], "face", r"outputs = 'face': must map names of objects to weights"),
    ([EYE, FACE], None, r"outputs = None: must map names of objects to weights"),
]


@pytest.mark.parametrize(("objects", "outputs", "message"), BAD)
def test_bad_objects_are_refused_with_their_name_and_field(objects, outputs, message):
    with pytest.raises(ValueError, match=message):
        Execution.from_objects(objects, outputs)


NETWORK = ModularNetwork(
    (Module("eye", 2), Module("nose", 1), Module("face", 3, (Slot(("eye",), 0.5), Slot(("nose", "eye"), 0.5)))),
    (Slot(("face",), 1.0),),
)


@pytest.mark.parametrize(
    ("objects", "outputs", "message"),
    [
        ([EYE, face(inputs=["eye"], weights=[1.0])], TOP, None),
        (
            [eye(module="ear"), face(inputs=[], weights=[])],
            TOP,
            r"object 'eye': module = 'ear' is not a module of the network",
        ),
        ([eye(attributes=[0.1])], {"eye": 1.0}, r"object 'eye': attributes has 1 entries, module 'eye' makes 2"),
        ([EYE, FACE], TOP, r"object 'face': has 3 inputs, module 'face' has 2 slots"),
        (
            [("n", "nose", [0.1], [], []), face(inputs=["n"], weights=[1.0])],
            TOP,
            r"object 'face': inputs\[0\] = 'n' is of module 'nose', the slot takes \['eye'\]",
        ),
        ([EYE], {"eye": 1.0}, r"outputs\[0\] = 'eye': is of module 'eye', the slot takes \['face'\]"),
        (
            [EYE, face(inputs=["eye"], weights=[1.0])],
            {"face": 0.5, "eye": 0.5},
            r"outputs: has 2 entries, the network has 1 output slots",
        ),
    ],
)
def test_objects_must_be_such_as_the_network_can_make(objects, outputs, message):
    if message is None:
        assert Execution.from_objects(objects, outputs, network=NETWORK).network is NETWORK
    else:
        with pytest.raises(ValueError, match=message):
            Execution.from_objects(objects, outputs, network=NETWORK)


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match=r"^network = 3: must be a ModularNetwork$"):
        Execution.from_objects([EYE, FACE], outputs=TOP, network=3)


def test_numbers_of_every_kind_are_attributes():
    for x in ([1, 0], [Fraction(1, 2), 0.5], np.array([0.5, 0.5], dtype=np.float32), (True, False)):
        ex = Execution.from_objects([("a", "a", x, [], [])], outputs={"a": 1.0})
        assert ex.attributes[0].tolist() == [float(v) for v in x]


def test_rounding_of_a_length_or_a_sum_is_forgiven():
    x = np.full(3, 1 / math.sqrt(3)) * (1 + 1e-12)
    ex = Execution.from_objects([("a", "a", x, [], [])], outputs=[("a", 0.1 + 1e-12)] * 10)
    assert ex.objects[0].effective_weight == pytest.approx(1.0)


# -- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_file_brings_the_execution_back_bit_for_bit(seed, tmp_path):
    dag = simnet.networks.random_dag(seed=seed).run(1, seed=seed, weight_jitter=0.5)[0]
    for i, ex in enumerate((oracle.random_execution(seed), dag)):
        ex.save(tmp_path / f"{i}.json")
        back = Execution.load(str(tmp_path / f"{i}.json"))
        assert back.structure == ex.structure
        for x, y in zip(back.attributes, ex.attributes, strict=True):
            np.testing.assert_array_equal(x, y)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "1.json"]


def test_a_file_keeps_the_names_of_attributes(tmp_path):
    ex = simnet.networks.scene(places=3, seed=0).run(1, seed=1)[0]
    ex.save(tmp_path / "x.json")
    back = Execution.load(tmp_path / "x.json")
    assert back.structure == ex.structure
    assert back.network.module("cat").attribute_names[0] == "size"


def test_names_keep_their_type_and_alphabet(tmp_path):
    ex = Execution.from_objects([(7, "œil", [0.1], [], []), ("7", 3, [0.2], [7], [1.0])], outputs={"7": 1.0})
    ex.save(tmp_path / "x.json")
    assert Execution.load(tmp_path / "x.json").structure == ex.structure


def test_a_file_may_leave_the_network_out(tmp_path):
    ex = Execution.from_objects([EYE, FACE], outputs=TOP)
    ex.save(tmp_path / "x.json")
    document = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert list(document) == ["format", "version", "network", "objects", "outputs"]
    del document["network"]
    (tmp_path / "y.json").write_text(json.dumps(document), encoding="utf-8")
    assert Execution.load(tmp_path / "y.json").structure == ex.structure


def damaged(change):
    """The text of a good file after a change to the document."""
    document = {
        "format": "simnet-execution",
        "version": 1,
        "network": {
            "modules": [
                {"name": "eye", "attribute_dim": 2, "slots": []},
                {"name": "face", "attribute_dim": 1, "slots": [[["eye"], 1.0]]},
            ],
            "outputs": [[["face"], 1.0]],
        },
        "objects": [
            {"name": "e", "module": "eye", "attributes": [0.6, 0.8], "inputs": [], "weights": []},
            {"name": "f", "module": "face", "attributes": [0.5], "inputs": ["e"], "weights": [1.0]},
        ],
        "outputs": [["f", 1.0]],
    }
    change(document)
    return json.dumps(document)


GOOD = damaged(lambda d: None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON file"),
        (GOOD[:-20], "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        (b"\xff\xfe\x00", "not a JSON file"),
        ("[]", "format must be 'simnet-execution'"),
        (damaged(lambda d: d.update(format="simnet-sketches")), "format must be 'simnet-execution'"),
        (damaged(lambda d: d.update(version=2)), "version = 2: must be 1"),
        (damaged(lambda d: d.pop("objects")), "the key 'objects' is missing"),
        (damaged(lambda d: d.pop("outputs")), "the key 'outputs' is missing"),
        (damaged(lambda d: d["objects"][1].pop("weights")), "the key 'weights' is missing"),
        (damaged(lambda d: d["network"].pop("modules")), "the key 'modules' is missing"),
        (damaged(lambda d: d["network"]["modules"][0].pop("attribute_dim")), "the key 'attribute_dim' is missing"),
        (damaged(lambda d: d.update(objects=3)), "not laid out as an execution"),
        (damaged(lambda d: d["objects"].append("g")), "not laid out as an execution"),
        (damaged(lambda d: d.update(network=[])), "network: is not laid out as one"),
        (damaged(lambda d: d["network"]["modules"].append(3)), "network: is not laid out as one"),
        (damaged(lambda d: d["network"]["modules"][1].update(slots=3)), "module 'face': slots = 3: must be a sequence of"),
        (
            damaged(lambda d: d["network"]["modules"][1].update(slots=[["eye"]])),
            r"module 'face': slots\[0\] = \['eye'\]: must be a pair of sources and a weight$",
        ),
        (
            damaged(lambda d: d["network"].update(outputs=[["face", 1.0]])),
            "slot.sources = 'face': must be a sequence of names of modules",
        ),
        (damaged(lambda d: d["network"]["modules"][0].update(attribute_names="xy")), "attribute_names = 'xy': must be"),
        (GOOD.replace("0.8", "9" * 5000), "not a JSON file: Exceeds the limit"),
        (GOOD.replace("0.8", "9" * 400), "object 'e': attributes = .*: must be a vector of numbers"),
        (
            damaged(lambda d: d["network"]["modules"][1].update(attribute_dim=2)),
            "object 'f': attributes has 1 entries, module",
        ),
        (damaged(lambda d: d["network"]["modules"][1].update(slots=[[["eye"], 2.0]])), "slot.weight = 2.0: must be"),
        (damaged(lambda d: d["objects"][1].update(inputs=["g"])), r"object 'f': inputs\[0\] = 'g' is not the name"),
        (damaged(lambda d: d["objects"][0].update(attributes=[math.nan, 0.0])), r"object 'e': attributes\[0\] = nan"),
        (damaged(lambda d: d["objects"][0].update(attributes=[1.0, 1.0])), "object 'e': attributes: has length 1.41421"),
        (damaged(lambda d: d["objects"][0].update(name="f")), r"objects\[1\]: the name 'f' is given twice"),
        (damaged(lambda d: d.update(outputs=[["f", -1]])), r"outputs\[0\] = -1: must be a finite number"),
        (damaged(lambda d: d.update(outputs=None)), "outputs = None: must map"),
    ],
)
def test_damaged_files_are_refused_with_their_path(text, message, tmp_path):
    path = tmp_path / "bad.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=rf"bad\.json: .*{message}"):
        Execution.load(path)


def test_the_undamaged_file_is_read_and_a_missing_one_is_not_found(tmp_path):
    (tmp_path / "good.json").write_text(GOOD, encoding="utf-8")
    assert Execution.load(tmp_path / "good.json").structure.names == ("e", "f")
    with pytest.raises(FileNotFoundError):
        Execution.load(tmp_path / "none.json")
