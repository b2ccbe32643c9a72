"""``simnet show``: the tree names all modules and objects, options are read as what they are."""

import pytest

import simnet
from simnet.cli.show import family_options, scalar


@pytest.mark.parametrize("family", simnet.networks.NETWORKS)
def test_every_family_can_be_shown_as_text_and_as_a_picture(run, tmp_path, family):
    result = run("show", family, "-o", tmp_path / "a.png")
    assert result.status == 0, result.err
    net = simnet.networks.NETWORKS[family]()
    for module in net.modules:
        assert f" {module.name}  " in result.out
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert result.out.splitlines()[-1] == str(tmp_path / "a.png")


def test_a_saved_execution_is_shown_with_its_objects(run, room):
    result = run("show", room)
    assert result.out.startswith("room.json: 5 modules, 4 of them inputs, 16 edges; 5 objects in the run")
    for name in simnet.Execution.load(room).structure.names:
        assert f" {name}  " in result.out


def test_options_make_the_network(run):
    result = run("show", "layered", "-O", "widths=3,2", "-O", "attribute_dim=4", "--option", "seed=5")
    assert result.out.startswith("layered(widths=(3, 2), attribute_dim=4, seed=5): 5 modules")
    assert "one of" not in result.out


def test_runs_differ_by_their_seed(run):
    one, same, other = (run("show", "scene", "--run-seed", seed).out for seed in (1, 1, 2))
    assert one == same != other


def test_values_are_read_as_what_they_are():
    assert [scalar(t) for t in ("3", "0.5", "true", "none", "cat")] == [3, 0.5, True, None, "cat"]
    assert family_options("layered", ("widths=6",)) == {"widths": (6,)}
    assert family_options("scene", ("kinds=cat,dog", "places=3")) == {"kinds": ("cat", "dog"), "places": 3}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("layerd",), "did you mean 'layered'"),
        (("layered", "-O", "width=3"), "did you mean 'widths'"),
        (("layered", "-O", "widths"), "must be NAME=VALUE"),
        (("layered", "-O", "widths=3,x"), "widths[1] = 'x'"),
        (("layered", "--run-seed", "-1"), "seed = -1"),
        (("layered", "-o", "a.jpeg"), "must end in .svg, .png or .pdf"),
        (("no/such.json",), "no/such.json: No such file"),
    ],
)
def test_a_mistake_is_one_line(mistake, arguments, says):
    mistake("show", *arguments, says=says)


def test_options_are_for_families(mistake, room):
    mistake("show", room, "-O", "seed=1", says="options are for families")
