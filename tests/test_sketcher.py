"""The sketcher as its users see it: names, defaults, and one question after another."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import simnet
from simnet.decoding import DECODERS, Answer, Estimate
from simnet.sketching import Encoder, Observation, SketchOperator

NET = simnet.networks.layered(widths=(4, 2, 1), attribute_dim=4, fan_in=2, seed=0)
RUNS = NET.run(5, seed=1)
SKETCHER = simnet.Sketcher(NET, sketch_dim=256, matrices="trig", recipe="recursive", seed=3)
SKETCHES = SKETCHER.encode(RUNS)


def test_everything_that_is_announced_is_there():
    for name in simnet.__all__:
        assert getattr(simnet, name) is not None
    assert set(DECODERS) >= {"matched", "path_matched"}
    assert issubclass(simnet.Sketcher, Encoder)
    for name in ("kernel", "coefficient", "attribute_mse", "attribute_bound"):
        assert callable(getattr(simnet.theory, name))
    for name in ("check_matrices", "check_operator", "check_network"):
        assert callable(getattr(simnet.testing, name))


def test_arguments_have_the_names_and_defaults_of_the_documentation():
    parameters = inspect.signature(simnet.Sketcher).parameters
    assert list(parameters)[:5] == ["network", "sketch_dim", "matrices", "recipe", "seed"]
    plain = simnet.Sketcher(NET, 256)
    explicit = simnet.Sketcher(network=NET, sketch_dim=256, matrices="trig", recipe="recursive", seed=0, dtype="float64")
    assert np.array_equal(plain.encode(RUNS), explicit.encode(RUNS))


def test_names_and_instances_of_families_and_recipes_are_the_same():
    for family, recipe in (("gaussian", "prototype_b"), ("block", "recursive")):
        named = simnet.Sketcher(NET, 64, family, recipe, seed=1)
        given = simnet.Sketcher(NET, 64, simnet.matrices.FAMILIES[family](), simnet.RECIPES[recipe], seed=1)
        assert np.array_equal(named.encode(RUNS), given.encode(RUNS))


def test_a_sketch_is_a_vector_and_a_batch_a_row_for_each_run():
    assert SKETCHES.shape == (5, 256)
    assert SKETCHES.dtype == np.float64
    assert SKETCHER.encode(RUNS[0]).shape == (256,)


def test_every_question_has_its_kind_of_answer():
    structure = RUNS[0].structure
    assert isinstance(SKETCHER.operator(RUNS[0]), SketchOperator)
    assert isinstance(SKETCHER.observe(SKETCHES[0]), Observation)
    estimate = SKETCHER.decode(SKETCHES[0], structure)
    assert isinstance(estimate, Estimate)
    assert estimate.attributes[2].shape == (4,)
    assert estimate.interval(0.95)[2].shape == (4, 2)
    for answer, shape in (
        (SKETCHER.frequency(SKETCHES[0], module=2), ()),
        (SKETCHER.count(SKETCHES[0], module=2), ()),
        (SKETCHER.sum_attribute(SKETCHES[0], module=2), (4,)),
        (SKETCHER.mean_attribute(SKETCHES[0], module=2), (4,)),
        (SKETCHER.histogram(SKETCHES[0], module=2), (4,)),
        (SKETCHER.similarity(SKETCHES[0], SKETCHES[1]), ()),
    ):
        assert isinstance(answer, Answer)
        assert answer.shape == shape
        assert answer.interval(0.95).shape == (*shape, 2)


@pytest.mark.parametrize("method", ["matched", "path_matched"])
def test_decoding_does_not_look_at_the_attributes_it_is_handed(method):
    other = RUNS[1]
    by_structure = SKETCHER.decode(SKETCHES[0], RUNS[0].structure, method)
    by_execution = SKETCHER.decode(SKETCHES[0], other, method)
    for x, y in zip(by_structure.attributes, by_execution.attributes, strict=True):
        assert np.array_equal(x, y)


def test_methods_go_by_name_and_the_first_is_matched():
    def decode(*method):
        return SKETCHER.decode(SKETCHES[0], RUNS[0].structure, *method)

    assert decode().method == "matched"
    for method in ("matched", "path_matched"):
        assert decode(method).method == method
    assert not np.array_equal(decode("matched").attributes[0], decode("path_matched").attributes[0])


@pytest.mark.parametrize(
    ("method", "near"), [("matchd", "matched"), ("path-matched", "path_matched"), ("Matched", "matched")]
)
def test_a_wrong_method_is_refused_with_the_nearest_name(method, near):
    with pytest.raises(ValueError, match=f"method = '{method}': must be one of .*did you mean '{near}'"):
        SKETCHER.decode(SKETCHES[0], RUNS[0].structure, method)


@pytest.mark.parametrize("method", [None, 3, "zzz"])
def test_a_method_without_a_near_name_is_refused_with_all_of_them(method):
    with pytest.raises(ValueError, match=r"method = .*: must be one of 'matched', 'path_matched'"):
        SKETCHER.decode(SKETCHES[0], RUNS[0].structure, method)


def test_a_network_without_functions_is_enough():
    ex = simnet.Execution.from_objects(
        [
            ("left eye", "eye", [0.1, 0.2], [], []),
            ("right eye", "eye", [0.3, 0.4], [], []),
            ("face", "face", [0.5, 0.6, 0.1], ["left eye", "right eye"], [0.5, 0.5]),
        ],
        outputs={"face": 1.0},
    )
    sketcher = simnet.Sketcher(ex.network, sketch_dim=1 << 16)
    estimate = sketcher.decode(sketcher.encode(ex), ex.structure, "path_matched")
    assert np.abs(estimate.attributes["face"] - [0.5, 0.6, 0.1]).max() < 0.05


def test_sketchers_of_two_networks_share_the_matrices_of_common_modules():
    one = simnet.Execution.from_objects([("x", "a", [0.6, 0.8], [], [])], outputs={"x": 1.0})
    two = simnet.Execution.from_objects(
        [("x", "a", [0.6, 0.8], [], []), ("y", "b", [0.6, 0.8], [], [])], outputs={"x": 0.5, "y": 0.5}
    )
    small, large = (simnet.Sketcher(ex.network, 64, seed=2) for ex in (one, two))
    assert np.array_equal(small.encode(one), large.encode(one))
    assert not np.array_equal(small.encode(one), simnet.Sketcher(one.network, 64, seed=3).encode(one))


def test_a_sketcher_says_what_it_is():
    text = repr(SKETCHER)
    for part in ("Sketcher(7 modules", "sketch_dim=256", "Trig()", "seed=3", "'float64'"):
        assert part in text


def test_no_square_matrix_is_formed_for_trig():
    d = 1 << 18  # a d × d matrix would take 512 GiB
    sketcher = simnet.Sketcher(NET, d, seed=1)
    s = sketcher.encode(RUNS[0])
    estimate = sketcher.decode(s, RUNS[0].structure, "path_matched")
    assert all(np.isfinite(x).all() for x in estimate.attributes)
    assert np.abs(estimate.attributes["6"] - RUNS[0].attributes[6]).max() < 0.05
