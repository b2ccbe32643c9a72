"""`simnet memory`: a store from the command line, and one clear line for each mistake."""

from __future__ import annotations

import shutil

import networkx as nx
import pytest
from click.testing import CliRunner

import simnet
from simnet.cli import cli, main
from simnet.memory import SketchStore

NET = simnet.networks.scene(places=3, seed=0)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with four saved runs, and a store made from them by the command line."""
    folder = tmp_path_factory.mktemp("memory")
    runs = NET.run(4, seed=1)
    for i, run in enumerate(runs[i] for i in range(4)):
        simnet.Execution.from_objects(
            [(o.name, o.module, o.attributes, o.inputs, o.weights) for o in run.objects], {"room": 1.0}, network=NET
        ).save(folder / f"run{i}.json")
    call = CliRunner().invoke
    made = call(cli, ["memory", "create", f"{folder}/s", f"{folder}/run0.json", "--sketch-dim", "512", "--seed", "3"])
    assert made.exit_code == 0
    for i in range(4):
        when = ["--time", f"2024-07-0{i + 1}T{6 + 4 * i:02}:00", "--tag", "kitchen", "--metadata", f"i={i}"]
        added = call(cli, ["memory", "add", f"{folder}/s", f"{folder}/run{i}.json", *when])
        assert (added.exit_code, added.output) == (0, f"{i + 1}\t{folder}/run{i}.json\n")
    return folder


@pytest.fixture
def store(prepared, tmp_path, monkeypatch):
    for path in prepared.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return "s"


@pytest.fixture
def simnet_memory(store, capsys, monkeypatch):
    """Runs a command in the folder, and gives its status and what it printed."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["simnet", "memory", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


def test_what_was_added_is_there(simnet_memory, store):
    status, out, _ = simnet_memory("info", store, "--check")
    assert status == 0
    assert "sketches:      4" in out
    assert "4 sketches are as they were written" in out
    assert "first:         2024-07-01T06:00:00+00:00" in out
    with SketchStore(store) as kept:
        assert kept.get(2).metadata == {"i": 1}
        assert kept.get(2).tags == ("kitchen",)
    assert simnet_memory("remove", store, 4)[1] == "1 removed, 3 left\n"


def rows(out):
    return [line.split("\t") for line in out.splitlines() if not line.startswith("#")][1:]


def test_queries_find_by_example_by_module_and_by_part(simnet_memory, store):
    status, out, _ = simnet_memory("query", store, "--like", "run2.json", "-k", 2)
    assert (status, rows(out)[0][0]) == (0, "3")
    runs = [simnet.Execution.load(f"run{i}.json") for i in range(4)]
    module = runs[0].objects[0].module
    planted = {str(i + 1) for i in range(4) if any(o.module == module for o in runs[i].objects)}
    assert {row[0] for row in rows(simnet_memory("query", store, "--module", module)[1])} == planted
    name = runs[1].objects[0].name
    assert [row[0] for row in rows(simnet_memory("query", store, "--part", "run1.json", name)[1])] == ["2"]
    assert rows(simnet_memory("query", store, "--module", "room", "--where", "i=2", "--tag", "kitchen")[1])[0][0] == "3"
    assert [r[0] for r in rows(simnet_memory("query", store, "--like", "run2.json", "--before", "2024-07-03")[1])] != ["3"]


def test_sketches_from_a_file_are_added_if_they_fit(simnet_memory, store):
    sketcher = simnet.Sketcher(NET, 512, seed=3)
    made = {"sketch_dim": 512, "matrices": "trig", "recipe": "recursive", "seed": 3}
    simnet.save_sketches("two.npz", sketcher.encode(NET.run(2, seed=5)), **made)
    assert simnet_memory("add", store, "two.npz")[1] == "5\ttwo.npz\n6\ttwo.npz\n"
    simnet.save_sketches("other.npz", sketcher.encode(NET.run(2, seed=5)), **made | {"seed": 4})
    status, _, err = simnet_memory("add", store, "other.npz")
    assert (status, err) == (2, "simnet: error: seed = 4: the sketches in the store were made with 3\n")


def test_questions_are_answered_with_intervals(simnet_memory, store):
    rooms = rows(simnet_memory("ask", store, "count", "room")[1])[0]
    assert [round(float(x), 3) for x in rooms[1:]] == [4.0, 4.0, 4.0]
    part = rows(simnet_memory("ask", store, "count", "room", "--hours", "5-12")[1])[0]
    assert round(float(part[1]), 3) == 2.0
    for question in ("mean", "histogram", "frequency"):
        assert rows(simnet_memory("ask", store, question, "room")[1])
    for question in ("counts", "most-frequent", "distinct", "entropy", "norm"):
        assert rows(simnet_memory("ask", store, question)[1])
    bins = ("--coordinates", "1:5", "--unit", 3.5**-0.5)
    for question in ("quantile", "iqr"):
        assert len(rows(simnet_memory("ask", store, question, "cat", *bins)[1])) == 1
    against = rows(simnet_memory("ask", store, "count", "room", "--hours", "0-12", "--against", "12-24")[1])[0]
    assert round(float(against[1]), 3) == 0.0


def test_a_store_is_exported_as_a_graph(simnet_memory, store):
    status, out, _ = simnet_memory("export", store, "g.graphml", "--neighbours", 1)
    assert status == 0
    assert out.startswith("g.graphml: ")
    assert "module room" in nx.read_graphml("g.graphml")


def test_concepts_and_the_index_are_extras(simnet_memory, store):
    pytest.importorskip("sklearn")
    assert simnet_memory("concepts", store)[1] == "concept\tsketches\texemplar\tnew\tonset\tlow\thigh\n"
    pytest.importorskip("lancedb")
    for _ in range(2):
        assert simnet_memory("index", store)[1] == "s.index: 256 coordinates of each of 4 sketches\n"
    assert rows(simnet_memory("query", store, "--like", "run2.json", "--method", "index")[1])[0][0] == "3"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("info", "none"), "none"),
        (("info", "run0.json"), "not a store of sketches"),
        (("create", "run0.json", "run0.json"), "is there already"),
        (("create", "t", "run0.json", "--storage", "int4"), "storage = 'int4'"),
        (("add", "s", "none.json"), "none.json"),
        (("add", "s", "run0.json", "--time", "noon"), "time = 'noon'"),
        (("add", "s", "run0.json", "--metadata", "x"), "--metadata = 'x'"),
        (("query", "s"), "exactly one of --like, --module and --part"),
        (("query", "s", "--module", "dog"), "module = 'dog'"),
        (("query", "s", "--module", "cat", "--hours", "noon"), "--hours = 'noon'"),
        (("query", "s", "--part", "run0.json", "nobody"), "object = 'nobody'"),
        (("ask", "s", "count"), "ask count: needs a module"),
        (("ask", "s", "entropy", "cat"), "takes no module"),
        (("ask", "s", "entropy", "--against", "1-2"), "--against"),
        (("ask", "s", "histogram", "cat", "--coordinates", "x"), "--coordinates = 'x'"),
        (("ask", "s", "sum"), "sum"),
        (("remove", "s", "9"), "ids = 9"),
        (("nonsense",), "nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(simnet_memory, store, arguments, field):
    status, _, err = simnet_memory(*arguments)
    assert status == 2
    assert err.startswith("simnet: error: ")
    assert err.count("\n") == 1
    assert field in err
