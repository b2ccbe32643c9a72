"""Many executions: grouping by object graph, indexing, slicing, and the weights of every run."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet import Executions
from simnet.networks import Group, as_executions
from tests import oracle


@pytest.fixture(scope="module")
def runs():
    return simnet.networks.scene(places=3, kinds=("cat", "dog"), seed=0).run(40, seed=1, weight_jitter=0.5)


def describe(ex):
    """All that is in an execution, in a form to compare."""
    return ex.structure, [x.tolist() for x in ex.attributes]


def test_groups_cover_every_run_once_and_share_one_graph(runs):
    assert len(runs.groups) > 3
    assert sorted(np.concatenate([group.runs for group in runs])) == list(range(40)) == list(range(len(runs)))
    keys = [group.structure.graph_key for group in runs]
    assert len(set(keys)) == len(keys)
    for group in runs:
        for i, run in enumerate(group.runs):
            ex = runs[run]
            assert ex.structure.graph_key == group.structure.graph_key
            assert ex.structure.edge_weights.tolist() == group.weights[i].tolist()
            assert [x.tolist() for x in ex.attributes] == [x[i].tolist() for x in group.attributes]


@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(5, 30, 7),
        slice(None, None, -1),
        slice(3, 3),
        [3, 1, 4, 1, 5],
        [-1, 0],
        np.arange(40) % 3 == 0,
        np.array([7], dtype=np.uint8),
        [],
    ],
    ids=str,
)
def test_selections_are_runs_in_the_order_asked_for(runs, key):
    wanted = [runs[i] for i in np.arange(40)[key]]
    chosen = runs[key]
    assert isinstance(chosen, Executions)
    assert len(chosen) == len(wanted)
    assert [describe(chosen[i]) for i in range(len(chosen))] == [describe(ex) for ex in wanted]


def test_one_index_is_one_execution(runs):
    assert describe(runs[-1]) == describe(runs[39]) == describe(runs[np.int64(39)])
    assert isinstance(runs[3], simnet.Execution)
    for key in (40, -41):
        with pytest.raises(IndexError, match=f"run = {key}: there are 40 runs"):
            runs[key]
    for key in ("3", 1.0, True, None, np.array(3), [0.5], ["3"], [[1, 2]]):
        with pytest.raises(ValueError, match=r"^run = .*: must be an integer, a slice, a list of integers or a mask$"):
            runs[key]


def test_what_a_run_made_cannot_be_written_to(runs):
    for part in (runs, runs[[3, 1]], Executions.gather([runs[0]])):
        for group in part:
            for array in (group.runs, group.weights, *group.attributes, *group.execution(0).attributes):
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 0


def test_a_group_leaves_the_arrays_that_it_is_given_alone(runs):
    attributes = tuple(np.array(x) for x in runs.groups[0].attributes)
    Group(runs.groups[0].structure, runs.groups[0].runs, attributes, runs.groups[0].weights)
    assert all(x.flags.writeable for x in attributes)


def test_selected_runs_have_the_same_sketches(runs):
    net = simnet.networks.scene(places=3, kinds=("cat", "dog"), seed=0)
    sketcher = simnet.Sketcher(net, sketch_dim=32)
    whole = sketcher.encode(runs)
    np.testing.assert_allclose(sketcher.encode(runs[::-3]), whole[::-3], atol=1e-14)
    np.testing.assert_allclose(sketcher.encode(runs[5]), whole[5], atol=1e-14)


def test_gathering_single_executions_groups_them_by_graph_and_keeps_order_and_weights(runs):
    singles = [runs[i] for i in (9, 3, 20, 3)]
    singles.insert(2, oracle.random_execution(0))
    gathered = Executions.gather(singles)
    assert [describe(gathered[i])[1] for i in range(5)] == [describe(ex)[1] for ex in singles]
    for i, ex in enumerate(singles):
        assert gathered[i].structure.graph_key == ex.structure.graph_key
        np.testing.assert_array_equal(gathered[i].structure.edge_weights, ex.structure.edge_weights)
    assert len(gathered.groups) == len({ex.structure.graph_key for ex in singles})
    assert len(Executions.gather([])) == 0


def test_anything_like_executions_is_taken(runs):
    assert as_executions(runs) is runs
    group = max(runs, key=len)
    alone = as_executions(group)
    assert [describe(alone[i]) for i in range(len(group))] == [describe(runs[i]) for i in group.runs]
    assert describe(as_executions(runs[2])[0]) == describe(runs[2])
    for wrong in ([runs[0]], None, runs[0].structure):
        with pytest.raises(ValueError, match="runs: must be Executions, a Group or an Execution, not"):
            as_executions(wrong)


def test_the_structure_of_a_run_carries_its_weights_empty_slots_those_of_the_network(runs):
    room = next(ex for ex in (runs[i] for i in range(40)) if None in ex.structure["room"].inputs)
    inputs, weights = room.structure["room"].inputs, room.structure["room"].weights
    for name, weight in zip(inputs, weights, strict=True):
        assert weight == 1 / 3 if name is None else 1 / 6 <= weight < 1 / 3
    assert room.objects[0].effective_weight == pytest.approx(weights[0] * room.structure.output_weights[0])
