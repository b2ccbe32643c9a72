"""Results of a small study that was really run, with a title that would do harm where it is not escaped."""

import pytest

from simnet.study import load_study, read_results, run_study

STUDY = """
title = "Error </title><script>alert(1)</script> & size"
question = "Is <b>c</b> < d?"
claim = "attribute_recovery"
trials = 4

[parameters]
network = {family = "tree", height = 2, branching = 2, attribute_dim = 4, seed = 7}
runs = 1

[grid]
matrices = ["trig", "gaussian"]
sketch_dim = {powers_of_two = [6, 8]}

[[figure]]
x = "sketch_dim"
quantity = "MSE, depth *"
panel = "matrices"
x_scale = "log2"
y_scale = "log"
x_label = "sketch size d"
caption = 'Errors "<i>at</i>" two depths'

[[figure]]
x = "sketch_dim"
quantity = "MSE, depth 1"
series = "matrices"
y = "ratio"
x_scale = "log2"
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder of results."""
    place = tmp_path_factory.mktemp("studies")
    (place / "small.toml").write_text(STUDY)
    run_study(load_study(place / "small.toml"), output=place / "results" / "small", cache=place / "cache")
    return place / "results" / "small"


@pytest.fixture(scope="session")
def results(folder):
    """What is in it."""
    return read_results(folder)
