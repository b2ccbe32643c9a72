"""Convolutional networks: real convolutions, the strongest places, contributions as weights."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from simnet.networks import convolutional
from simnet.networks.convolutional import NUMBERS, STROKES, correlate, draw_images
from simnet.randomness import stream

RUNS, SIZE, WINNERS = 12, 8, 2


def place_of(name):
    return tuple(map(int, str(name).rpartition(" at ")[2].split(",")))


def by_scipy(net, image):
    """Drives and sparse maps of all layers of one image."""
    maps, drives, kept = image[None], [], []
    for layer in range(2):
        functions = [m.function for m in net.modules if str(m.name).startswith(f"kernel {layer}.")]
        z = np.stack([scipy.signal.correlate(maps, f.kernel, mode="valid")[0] for f in functions])
        maps = np.zeros_like(z)
        for k, f in enumerate(functions):
            for where in np.argsort(-z[k].ravel())[:WINNERS]:
                maps[k].flat[where] = np.tanh(f.gain * max(z[k].flat[where], 0.0))
        drives.append(z)
        kept.append(maps)
    return drives, kept


@pytest.fixture(scope="module")
def net():
    return convolutional(kernels=(4, 3), size=SIZE, winners=WINNERS, seed=3)


@pytest.fixture(scope="module")
def images():
    return draw_images(stream(5, "image").random((RUNS, STROKES * NUMBERS)), SIZE)


def test_correlation_is_that_of_scipy():
    rng = np.random.default_rng(0)
    maps, kernels = rng.standard_normal((2, 3, 7, 6)), rng.standard_normal((4, 3, 3, 3))
    z = correlate(maps, kernels)
    for n in range(2):
        for k in range(4):
            np.testing.assert_allclose(z[n, k], scipy.signal.correlate(maps[n], kernels[k], mode="valid")[0], atol=1e-12)
    flipped = correlate(maps, kernels[..., ::-1, ::-1])  # negative control: a convolution in its place
    assert np.abs(flipped - z).max() > 0.1


def test_objects_are_the_strongest_places_with_their_responses(net, images):
    runs = net.run(RUNS, seed=5)
    for i in range(RUNS):
        _, maps = by_scipy(net, images[i])
        ex = runs[i]
        top = {n for n in ex.structure.outputs if n is not None}
        assert {f"kernel 1.{k} at {r},{c}" for k, r, c in np.argwhere(maps[1] > 0)} == top
        for o in ex.objects:
            if o.module == "window":
                continue
            layer, k = map(int, str(o.module).removeprefix("kernel ").split("."))
            row, column = place_of(o.name)
            x = o.attributes * np.sqrt(3)
            np.testing.assert_allclose(x[0], maps[layer][k, row, column], atol=1e-12)
            np.testing.assert_allclose(x[1:], (np.array([row, column]) + 1.5 + layer) / SIZE, atol=1e-12)


def test_edges_carry_the_share_of_what_they_contributed(net, images):
    runs = net.run(RUNS, seed=5)
    for i in range(RUNS):
        _, maps = by_scipy(net, images[i])
        for o in runs[i].objects:
            if not str(o.module).startswith("kernel 1."):
                continue
            row, column = place_of(o.name)
            terms = np.abs(net.module(o.module).function.kernel * maps[0][:, row : row + 3, column : column + 3])
            np.testing.assert_allclose(o.weights, (terms / terms.sum()).ravel(), atol=1e-12)
            assert [name is not None for name in o.inputs] == (terms > 0).ravel().tolist()
            for slot, name in enumerate(o.inputs):
                if name is not None:
                    c, rest = divmod(slot, 9)
                    assert name == f"kernel 0.{c} at {row + rest // 3},{column + rest % 3}"
        weights = np.array(runs[i].structure.output_weights)
        strengths = [0.0 if n is None else runs[i].objects[runs[i].structure.position(n)].attributes[0]
                     for n in runs[i].structure.outputs]  # fmt: skip
        np.testing.assert_allclose(weights, np.array(strengths) / np.sum(strengths))


def test_windows_are_the_pixels_that_the_winners_saw(net, images):
    runs = net.run(RUNS, seed=5)
    for i in range(RUNS):
        shared = [o.inputs[0] for o in runs[i].objects if str(o.module).startswith("kernel 0.")]
        windows = [o for o in runs[i].objects if o.module == "window"]
        assert {o.name for o in windows} == set(shared)
        for o in windows:
            row, column = place_of(o.name)
            pixels = images[i, row : row + 3, column : column + 3].ravel()
            np.testing.assert_allclose(o.attributes[:9] * np.sqrt(11), pixels, atol=1e-12)


def test_images_are_grey_strokes():
    images = draw_images(np.random.default_rng(0).random((200, STROKES * NUMBERS)), 10)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    assert images.std(axis=(1, 2)).min() > 0.02


def test_a_run_is_the_same_to_its_winners_however_many_there_are(net):
    few, many = net.run(3, seed=9), net.run(60, seed=9)
    assert [few[i].structure.names for i in range(3)] == [many[i].structure.names for i in range(3)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernels": ()}, r"kernels = \(\): must have at least one layer"),
        ({"size": 5}, r"size = 5: must be at least 6 for 2 layers of kernels"),
        ({"winners": 20}, r"winners = 20: must be at most 16, the places of the last map"),
        ({"kernel_size": 1}, r"kernel_size = 1: must be an integer >= 2"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        convolutional(**options)
