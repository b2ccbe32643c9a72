"""``simnet explain``: from a file of sketches alone to the objects in it, and what is certain."""

import json

import numpy as np
import pytest

import simnet


@pytest.fixture
def sketch(run, room, tmp_path):
    path = tmp_path / "s.npz"
    assert run("encode", room, "-o", path, "--sketch-dim", 256, "--seed", 3).status == 0
    return path


def test_the_file_alone_is_enough(run, sketch, room):
    ex = simnet.Execution.load(room)
    room.unlink()
    result = run("explain", sketch)
    assert result.status == 0, result.err
    assert "Certain. 5 objects in 5 places" in result.out
    assert "256 coordinates, trig matrices" in result.out
    for name in ("room", "cat#0", "cat#1", "chair#0", "chair#1"):
        assert f": {name}  " in result.out
    sizes = [f"size {o.attributes[0]:.4g}" for o in ex.objects if o.module != "room"]
    text = " ".join(result.out.split())
    assert all(size in text for size in sizes)
    assert "slot 3, weight 0.25" in result.out


def test_a_picture_of_it(run, sketch, tmp_path):
    assert run("explain", sketch, "-o", tmp_path / "a.svg").status == 0
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def test_too_few_coordinates_are_not_certain(run, sketch):
    assert "Certain" not in run("explain", sketch, "--kept", 32).out
    assert "Nothing was found" in run("explain", sketch, "--kept", 8).out


def test_what_was_added_to_a_sketch_can_be_said(run, sketch, tmp_path):
    values, made = simnet.load_sketches(sketch)
    sigma = 1e-3 * np.sqrt(np.mean(values**2))
    noisy = values + sigma * np.random.default_rng(0).standard_normal(values.shape)
    simnet.save_sketches(tmp_path / "noisy.npz", noisy, **made)
    result = run("explain", tmp_path / "noisy.npz", "--noise", sigma)
    assert "Certain up to the noise" in result.out
    assert " ± 0.0" in result.out


def test_one_of_several_sketches(run, tmp_path):
    net = simnet.networks.scene(places=3, seed=0)
    sketcher = simnet.Sketcher(net, 128, seed=3)
    runs = net.run(3, seed=1)
    simnet.save_sketches(tmp_path / "many.npz", sketcher.encode(runs), **sketcher.metadata)
    for i in range(3):
        result = run("explain", tmp_path / "many.npz", "--sketch", i)
        assert f"sketch {i} of 3" in result.out
        assert f"{len(runs[i].structure)} objects in" in result.out


def test_older_files_need_the_network_from_an_execution(run, mistake, sketch, room, tmp_path):
    values, made = simnet.load_sketches(sketch)
    old = tmp_path / "old.npz"
    simnet.save_sketches(old, values, **{key: made[key] for key in ("sketch_dim", "matrices", "recipe", "seed")})
    mistake("explain", old, says="does not say network")
    assert "Certain. 5 objects" in run("explain", old, "--network", room).out
    assert run("decode", old, room).status == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"matrices": "gausian"}, "did you mean 'gaussian'"),
        ({"matrices": {"family": "block", "density": 2.0}}, "density"),
        ({"matrices": {"family": "block", "densty": 0.5}}, "did you mean 'density'"),
        ({"recipe": {"mixin": 1.0}}, "did you mean 'mixing'"),
        ({"recipe": "prototype_a"}, "cannot be unrolled"),
        ({"sketch_dim": 0}, "sketch_dim = 0"),
        ({"network": {"modules": []}}, "network is not laid out"),
        ({"network": {"modules": [], "outputs": []}}, "modules = ()"),
        ({"network": "room"}, "does not say network"),
    ],
)
def test_metadata_that_are_wrong_are_named(mistake, sketch, tmp_path, change, says):
    values, made = simnet.load_sketches(sketch)
    simnet.save_sketches(tmp_path / "wrong.npz", values, **(made | change))
    mistake("explain", tmp_path / "wrong.npz", says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--sketch", 1), "sketch = 1"),
        (("--kept", 999), "kept = 999"),
        (("--noise", -1), "noise"),
        (("--level", 2), "level"),
    ],
)
def test_a_mistake_is_one_line(mistake, sketch, arguments, says):
    mistake("explain", sketch, *arguments, says=says)


def test_metadata_are_plain_json_and_make_the_sketcher_again():
    net = simnet.networks.scene(places=3, seed=0)
    recipe = simnet.Recipe(mixing=0.25)
    made = simnet.Sketcher(net, 64, simnet.matrices.Block(density=0.25), recipe=recipe, seed=7, dtype="float32")
    again = simnet.Sketcher.from_metadata(json.loads(json.dumps(made.metadata)))
    assert (again.family, again.recipe, again.seed, again.dtype, again.sketch_dim) == (
        made.family,
        recipe,
        7,
        made.dtype,
        64,
    )
    assert again.network == net
    ex = net.run(1, seed=1)[0]
    assert np.array_equal(again.encode(ex), made.encode(ex))


def test_a_family_without_a_name_cannot_be_written():
    from simnet.testing.defects import OneRoundTrig

    sketcher = simnet.Sketcher(simnet.networks.tree(), 64, OneRoundTrig())
    with pytest.raises(ValueError, match="a file can only name"):
        _ = sketcher.metadata
