"""The order of an encode: every object once, inputs before consumers, and the same sketch whichever order is taken."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.sketching import encoder
from simnet.sketching import plan as planning
from simnet.sketching.plan import pieces, plan
from simnet.threads import limited

RUNS = {
    "jittered weights": simnet.networks.layered(widths=(3, 2), attribute_dim=3, seed=0).run(7, seed=1, weight_jitter=0.4),
    "some inputs missing": simnet.networks.random_dag(modules=6, attribute_dim=3, seed=2).run(9, seed=1, activity=0.6),
    "scene": simnet.networks.scene(places=4, seed=0).run(12, seed=1),
}
STRUCTURE = simnet.networks.layered(widths=(6, 4, 2), attribute_dim=3, seed=0).run(1, seed=1)[0].structure


@pytest.mark.parametrize("depth_first", [False, True])
@pytest.mark.parametrize("most", [1, 3, 100])
def test_every_object_and_every_edge_is_met_once_and_inputs_come_first(most, depth_first):
    tasks = plan(STRUCTURE, most, depth_first=depth_first)
    objects = [int(k) for task in tasks for k in task.objects]
    edges = [int(e) for task in tasks for e in task.edges]
    assert sorted(objects) == list(range(len(STRUCTURE)))
    assert sorted(edges) == list(range(len(STRUCTURE.edge_weights)))
    assert max(len(task.objects) for task in tasks) <= most
    task_of = {int(k): i for i, task in enumerate(tasks) for k in task.objects}
    for k, names in enumerate(STRUCTURE.inputs):
        assert all(task_of[STRUCTURE.positions[name]] < task_of[k] for name in names if name is not None)
    assert plan(STRUCTURE, most, depth_first=depth_first) is tasks


@pytest.mark.parametrize("name", RUNS)
def test_depth_first_gives_the_same_sketch(name, monkeypatch):
    sketcher = simnet.Sketcher(RUNS[name][0].network, 64, seed=3)
    whole = sketcher.encode(RUNS[name])
    taken = []
    made = encoder.plan
    monkeypatch.setattr(encoder, "plan", lambda *a, **k: taken.append(k.get("depth_first", False)) or made(*a, **k))
    monkeypatch.setattr(encoder, "LEVELS_BYTES", 1)
    np.testing.assert_allclose(sketcher.encode(RUNS[name]), whole, rtol=0, atol=1e-15)
    assert any(taken)


@pytest.mark.parametrize("lengths", [[1], [3, 1, 4], [16, 1, 1], [2] * 9])
@pytest.mark.parametrize("most", [1, 2, 5, 100])
def test_pieces_hold_every_row_once_and_in_order(lengths, most, monkeypatch):
    monkeypatch.setattr(planning, "PIECE_BYTES", most * 8 * 8)
    with limited(1):
        cut = pieces(lengths, 8, 8)
    rows = [(i, row) for piece in cut for i, part in piece.parts for row in range(part.start, part.stop)]
    assert rows == [(i, row) for i, length in enumerate(lengths) for row in range(length)]
    places = [place for piece in cut for place in range(piece.rows.start, piece.rows.stop)]
    assert places == list(range(sum(lengths)))
    assert all(piece.rows.stop - piece.rows.start <= most for piece in cut)


def test_there_is_a_piece_for_every_thread():
    with limited(3):
        assert len(pieces([6], 1 << 10, 8)) == 3
    with limited(1):
        assert len(pieces([6], 1 << 10, 8)) == 1
