"""All places of a network solved together: exact without noise, and with the stated covariance in noise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import simnet
from simnet.decoding.joint import joint_sums, solvable, unknowns_of

NET = simnet.networks.layered(widths=(4, 3, 2), fan_in=2, attribute_dim=3, seed=0)
RUNS = NET.run(20, seed=1, activity=0.6)


def planted(sums):
    """``Σ W x`` and ``Σ W`` of every place, by walking the paths of every run."""
    found = {place.path: np.zeros(4) for place in sums.system.places}
    for i in range(len(RUNS)):
        ex = RUNS[i]
        s = ex.structure
        todo = [
            ((slot, s[name].module), name, w)
            for slot, (name, w) in enumerate(zip(s.outputs, s.output_weights, strict=True))
            if name is not None
        ]
        todo = [((step,), name, w) for step, name, w in todo]
        while todo:
            path, name, weight = todo.pop()
            found[path] += weight * np.append(ex.attributes[s.positions[name]], 1.0)
            node = s[name]
            for slot, (child, w) in enumerate(zip(node.inputs, node.weights, strict=True)):
                if child is not None:
                    todo.append(((*path, (slot, s[child].module)), child, weight * w))
    return np.concatenate([found[place.path] for place in sums.system.places])


@pytest.mark.parametrize("matrices", ["trig", "gaussian", "block"])
def test_the_sums_of_all_places_are_exact_from_the_whole_and_from_a_part(matrices):
    sketcher = simnet.Sketcher(NET, 256, matrices, seed=3)
    total = sketcher.encode(RUNS).sum(axis=0)
    mask = np.random.default_rng(0).random(256) < 0.4
    for observation in (sketcher.observe(total), sketcher.observe(total[:120]), sketcher.observe(total, mask)):
        sums = joint_sums(sketcher, observation)
        np.testing.assert_allclose(sums.values, planted(sums), atol=1e-7)
    assert len(sums.values) == unknowns_of(sketcher)


def test_in_noise_errors_have_the_covariance_that_is_stated():
    """The Mahalanobis length of the error is ``F`` distributed: a mean over 200 draws, off by 5 standard errors at most."""
    sketcher = simnet.Sketcher(NET, 160, seed=3)
    total = sketcher.encode(RUNS).sum(axis=0)
    truth = planted(joint_sums(sketcher, sketcher.observe(total)))
    draw, lengths = np.random.default_rng(0), []
    for _ in range(200):
        sums = joint_sums(sketcher, sketcher.observe(total + 1e-4 * draw.standard_normal(160)))
        error = sums.values - truth
        scale = np.sqrt(np.diagonal(sums.covariance))
        correlation = sums.covariance / np.outer(scale, scale)
        lengths.append(error / scale @ np.linalg.solve(correlation, error / scale) / len(error))
    law = scipy.stats.f(len(sums.values), sums.system.freedom)
    assert abs(np.mean(lengths) - law.mean()) < 5 * law.std() / np.sqrt(200)
    assert abs(1.3 * np.mean(lengths) - law.mean()) > 5 * law.std() / np.sqrt(200)


def test_what_cannot_be_told_apart_is_refused():
    sketcher = simnet.Sketcher(NET, 64, seed=3)
    assert not solvable(sketcher, 60)
    with pytest.raises(ValueError, match="60 coordinates do not tell the"):
        joint_sums(sketcher, sketcher.observe(sketcher.encode(RUNS)[0][:60]))
    assert not solvable(simnet.Sketcher(NET, 256, recipe=simnet.Recipe(presence_share=0.0)), 256)
    assert not solvable(simnet.Sketcher(NET, 256, recipe=simnet.Recipe(input_share=0.0)), 256)
    assert solvable(simnet.Sketcher(NET, 256, recipe=simnet.Recipe(identity=0.0)), 256)
