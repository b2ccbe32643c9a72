"""The sparse layer: how often an attribute is there, its signs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.networks import sparse_layer


def attributes(runs):
    (group,) = runs.groups
    return np.concatenate(group.attributes, axis=1)


@pytest.mark.parametrize("sparsity", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("signed", [False, True])
def test_every_attribute_is_there_with_its_probability_and_independently(sparsity, signed):
    x = attributes(sparse_layer(3, 5, sparsity, signed).run(2000, seed=1))
    there = x != 0.0
    low, high = scipy.stats.binom.interval(1.0 - 1e-6 / 16, there[:, 0].size, sparsity)
    assert ((low <= there.sum(axis=0)) & (there.sum(axis=0) <= high)).all()
    low, high = scipy.stats.binom.interval(1.0 - 1e-6 / 16, 2000, sparsity**2)
    assert low <= (there[:, 0] & there[:, 1]).sum() <= high
    assert np.linalg.norm(x.reshape(2000, 3, 5), axis=2).max() <= 1.0
    share = np.mean(x[there] < 0.0)
    assert abs(share - 0.5 * signed) < 5.0 / np.sqrt(there.sum()) if signed else share == 0.0
    assert np.abs(x[there]).min() > 0.1 / np.sqrt(5)


def test_one_layer_sketches_are_sums_of_matrices_times_attributes():
    net = sparse_layer(3, 4, 0.5)
    runs = net.run(4, seed=2)
    sketcher = simnet.Sketcher(net, 48, "packet", recipe="prototype_a", seed=1)
    dense = np.concatenate([sketcher.matrix(m, "value").todense() for m in range(3)], axis=1)
    np.testing.assert_allclose(sketcher.encode(runs), attributes(runs) @ dense.T / 3.0, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modules": 0}, "modules = 0"),
        ({"attribute_dim": 0}, "attribute_dim = 0"),
        ({"sparsity": 0.0}, "sparsity = 0.0: must be positive"),
        ({"sparsity": 1.5}, "sparsity = 1.5"),
        ({"signed": 1}, "signed = 1: must be True or False"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_bad_arguments_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        sparse_layer(**options)
