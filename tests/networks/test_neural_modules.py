"""Neural modules: layouts follow the grammar of questions, and modules do what their names say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from simnet.networks import neural_modules
from simnet.networks.neural_modules import COLOURS, CONCEPTS, RELATIONS

FIND = rf"find\[({'|'.join(CONCEPTS)})\]"
THING = rf"({FIND}|transform\[({'|'.join(RELATIONS)})\]\({FIND}\))"
REGION = rf"({THING}|combine\[(and|except)\]\({THING}, {THING}\))"
QUESTION = re.compile(rf"(measure\[is\]|describe\[(colour|shape)\])\({REGION}\)")


@pytest.fixture(scope="module")
def net():
    return neural_modules(seed=1)


def layout(structure, name):
    """The layout below an object, read off the wiring; the image is left out."""
    node = structure[name]
    inside = [layout(structure, source) for source in node.inputs if source != "image"]
    return f"{node.module}({', '.join(inside)})" if inside else node.module


def test_layouts_follow_the_grammar_and_are_what_the_output_is_called(net):
    runs = net.run(400, seed=1)
    questions = set()
    for i in range(400):
        s = runs[i].structure
        (output,) = s.outputs
        assert QUESTION.fullmatch(output), output
        assert layout(s, output) == output
        assert set(s.names) == {"image", *(name for name in s.names if name in output)}
        questions.add(output)
    assert len(questions) > 200
    for part in (
        "measure[is]",
        "describe[colour]",
        "describe[shape]",
        "combine[and]",
        "combine[except]",
        "transform[left of]",
    ):
        assert any(part in question for question in questions)
    assert not QUESTION.fullmatch("find[red](measure[is])")  # negative control


def test_the_image_is_in_every_leaf_and_in_every_description(net):
    for group in net.run(60, seed=2):
        s = group.structure
        for name in s.names:
            kind = s[name].module.partition("[")[0]
            assert ("image" in s[name].inputs) == (kind in ("find", "describe"))


def test_a_module_can_make_two_objects(net):
    most = max(max(len(k) for k in g.structure.objects_of.values()) for g in net.run(400, seed=3))
    assert most == 2


def test_find_attends_to_what_it_is_named_after(net):
    image = net.module("image").function([np.random.default_rng(0).standard_normal((500, 81))])
    features = image.reshape(500, 9, 6)
    for i, concept in enumerate(CONCEPTS):
        attention = net.module(f"find[{concept}]").function([image])
        there = features[..., i] > 0
        assert attention[there].mean() > 20 * attention[~there].mean()


@pytest.mark.parametrize(("relation", "move"), RELATIONS.items())
def test_transform_moves_attention(net, relation, move):
    start = np.zeros((3, 3))
    start[1, 1] = 1.0
    (moved,) = net.module(f"transform[{relation}]").function([start.reshape(1, -1)])
    assert np.unravel_index(np.argmax(moved), (3, 3)) == (1 + move[0], 1 + move[1])


def test_combinations_are_conjunction_and_difference(net):
    a, b = np.zeros((2, 1, 9))
    a[0, [0, 1]], b[0, [1, 2]] = 0.6, 0.6
    (both,) = net.module("combine[and]").function([a, b])
    (only,) = net.module("combine[except]").function([a, b])
    assert np.argmax(both) == 1
    assert both[1] > 2 * max(both[0], both[2])
    assert np.flatnonzero(only).tolist() == [0]


def test_a_description_names_the_colour_under_attention_and_a_measure_says_whether(net):
    rng = np.random.default_rng(0)
    image = net.module("image").function([rng.standard_normal((300, 81))])
    colours = image.reshape(300, 9, 6)[..., :3]
    cell = np.argmax(colours.max(axis=2), axis=1)
    answer = net.module("describe[colour]").function([image, np.eye(9)[cell]])
    expected = np.argmax(colours[np.arange(300), cell], axis=1)
    assert (np.argmax(answer, axis=1) == expected).all()
    assert net.module("describe[colour]").attribute_names == COLOURS
    np.testing.assert_allclose(answer.sum(axis=1), 1.0)
    nothing, much = net.module("measure[is]").function([np.stack([np.zeros(9), np.full(9, 1 / 3)])])
    assert nothing[1] > 0.5 > much[1]


def test_nothing_is_asked_without_an_image(net):
    runs = net.run(3, activity=np.array([[True], [False], [True]]))
    assert [len(runs[i].objects) > 0 for i in range(3)] == [True, False, True]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"size = 1: must be an integer >= 2"):
        neural_modules(size=1)
    with pytest.raises(ValueError, match=r"seed = -1: must be an integer >= 0"):
        neural_modules(seed=-1)
