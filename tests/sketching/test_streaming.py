"""Streams of runs give the sketches of all runs at once, without having them all."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import simnet
from simnet.sketching import encoder

NET = simnet.networks.random_dag(modules=5, attribute_dim=3, seed=2)
RUNS = NET.run(23, seed=1, activity=0.6)
SKETCHER = simnet.Sketcher(NET, 32, seed=3)
WHOLE = SKETCHER.encode(RUNS)


@pytest.mark.parametrize("size", [1, 7, 23, 100])
@pytest.mark.parametrize(
    "runs",
    [
        lambda: RUNS,
        lambda: (RUNS[i] for i in range(23)),
        lambda: [RUNS[:10], RUNS[10], RUNS[11], RUNS[12:]],
    ],
    ids=["executions", "one by one", "mixed"],
)
def test_batches_are_the_sketches_in_order(size, runs):
    batches = list(SKETCHER.encode_batches(runs(), size))
    assert max(map(len, batches)) <= size
    np.testing.assert_allclose(np.concatenate(batches), WHOLE, rtol=0, atol=1e-15)


def test_a_part_is_gone_before_the_one_after_the_next_is_made():
    alive = weakref.WeakSet()

    def parts():
        for seed in range(6):
            assert len(alive) <= 1
            part = NET.run(5, seed=seed)
            alive.add(part)
            yield part
            del part

    assert sum(len(batch) for batch in SKETCHER.encode_batches(parts(), 5)) == 30


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_file_holds_them_all_and_opens_without_being_read(dtype, tmp_path):
    sketcher = simnet.Sketcher(NET, 32, seed=3, dtype=dtype)
    path = tmp_path / "sketches.npy"
    assert sketcher.encode_to(path, (RUNS[i] for i in range(23)), size=4) == 23
    mapped = np.load(path, mmap_mode="r")
    assert (mapped.shape, mapped.dtype) == ((23, 32), np.dtype(dtype))
    np.testing.assert_allclose(mapped, sketcher.encode(RUNS), rtol=0, atol=1e-6 if dtype == "float32" else 1e-15)
    assert sketcher.encode_to(path, iter(())) == 0
    assert np.load(path).shape == (0, 32)


def test_a_failure_leaves_no_file(tmp_path):
    other = simnet.networks.layered(widths=(3,), seed=0).run(2, seed=1)
    with pytest.raises(ValueError, match="the execution fills 3 output slots"):
        SKETCHER.encode_to(tmp_path / "sketches.npy", [RUNS, other])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_batches_of_one_graph_form_the_dictionary_once(jitter, monkeypatch):
    made, right = [], encoder.Compiled
    monkeypatch.setattr(encoder, "Compiled", lambda *a, **k: made.append(1) or right(*a, **k))
    net = simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0)
    sketcher = simnet.Sketcher(net, 64, seed=3)
    streamed = list(sketcher.encode_batches((net.run(500, seed=i, weight_jitter=jitter) for i in range(3)), 500))
    assert len(made) == 1
    np.testing.assert_allclose(streamed[2], sketcher.encode(net.run(500, seed=2, weight_jitter=jitter)), rtol=0, atol=1e-15)


@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_bad_sizes_are_refused_at_once(size):
    with pytest.raises(ValueError, match=r"size = .*: must be an integer >= 1"):
        SKETCHER.encode_batches(RUNS, size)
