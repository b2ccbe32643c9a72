"""The baselines come near the columns where they can, and say what they need."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np
import pytest

from simnet.learning import learn_packets
from simnet.learning.dictionary import independent_columns, scikit_columns
from simnet.learning.metrics import column_agreement


def sparse_mixture(n, columns=12, d=60, sparsity=0.15, seed=0):
    draw = np.random.default_rng(seed)
    planted = draw.standard_normal((columns, d))
    attributes = (draw.random((n, columns)) < sparsity) * draw.uniform(0.2, 1.0, (n, columns))
    return planted, attributes @ planted


def test_fourth_moments_find_columns_without_packets():
    planted, sketches = sparse_mixture(4000)
    found = independent_columns(sketches, 12)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
    assert column_agreement(found, planted).cosines.mean() > 0.95
    assert not len(learn_packets(sketches).columns)
    chance = column_agreement(np.random.default_rng(1).standard_normal((12, 60)) @ planted.T @ planted, planted)
    assert chance.cosines.mean() < 0.9
    np.testing.assert_array_equal(found, independent_columns(sketches, 12))


def test_too_few_samples_or_dimensions_are_refused():
    _, sketches = sparse_mixture(200)
    with pytest.raises(ValueError, match="columns = 13: the samples span 12 dimensions only"):
        independent_columns(sketches, 13)
    with pytest.raises(ValueError, match="columns = 5: there are 0 samples that are not zero"):
        independent_columns(np.zeros((10, 60)), 5)
    with pytest.raises(ValueError, match=r"sketches: has shape \(3,\)"):
        scikit_columns(np.zeros(3), 1)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match="extra 'baselines'"):
        scikit_columns(np.ones((3, 3)), 1)


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="needs the extra 'baselines'")
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_comes_near():
    planted, sketches = sparse_mixture(1000)
    found = scikit_columns(sketches, 12, max_iter=60)
    assert found.shape == (12, 60)
    assert column_agreement(found, planted).cosines.mean() > 0.8
