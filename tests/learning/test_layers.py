"""What is minimised when all units of a module are fitted at once."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from simnet.learning.layers import Slots, fitted_module
from simnet.learning.units import Readings


class Caught(Exception):
    """Ends a fit that has told what it minimises."""


@pytest.mark.parametrize(("copies", "size"), [(1, 3), (2, 4)])
@pytest.mark.parametrize("scale", [0.05, 1.0, 30.0])  # no run is shortened, some are, all are
def test_the_slope_of_the_fit_is_that_of_its_loss(copies, size, scale, monkeypatch):
    caught = []

    def minimize(loss, start, **_):
        caught.append((loss, start))
        raise Caught

    draw = np.random.default_rng(0)
    x = draw.standard_normal((500, 4))
    raw = np.maximum(x @ draw.standard_normal((4, size)), 0.0)
    values = np.hstack([raw @ draw.standard_normal((size, size)), x, np.ones((500, 1))])
    each = np.eye(values.shape[1])
    slots = Slots([each[:, size : size + 4]], each[:, [size + 4]])
    monkeypatch.setattr(scipy.optimize, "minimize", minimize)
    with pytest.raises(Caught):
        fitted_module(Readings(values, size + 4, 0.0), slots, each[:, :size], each[:, size:], size, copies, draw)
    loss, start = caught[0]
    weights, step = scale * start, 1e-6 * scale
    slope = loss(weights)[1]
    steps = step * np.eye(len(weights))
    numeric = np.array([(loss(weights + h)[0] - loss(weights - h)[0]) / (2.0 * step) for h in steps])
    assert np.abs(slope - numeric).max() < 1e-5 * np.abs(slope).max()
    assert np.abs(1.01 * slope - numeric).max() > 1e-5 * np.abs(slope).max()
