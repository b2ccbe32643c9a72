"""Drawings: every object and weight is there, and no label meets another, whatever the network."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import simnet
from simnet.report.drawing import (
    MOST_BOXES,
    THIN,
    WIDE,
    Box,
    Diagram,
    draw,
    network_diagram,
    object_diagram,
    shortened,
    text_width,
    write_drawing,
)

networks = simnet.networks
NETWORKS = {
    "one module": networks.tree(height=1),
    "tree of 63": networks.tree(height=6, attribute_dim=2),
    "layered": networks.layered(widths=(6, 4, 2)),
    "layered, 60": networks.layered(widths=(25, 20, 10, 5), fan_in=3, attribute_dim=4),
    "random_dag": networks.random_dag(modules=8),
    "random_dag, 60": networks.random_dag(modules=60, seed=2),
    "scene": networks.scene(),
    "long names": networks.scene(kinds=("a kind of thing with a very long name", "an $x_1$ and a $", "z"), places=12),
    "sparse_layer": networks.sparse_layer(),
    "sparse_layer, signed": networks.sparse_layer(modules=12, attribute_dim=40, signed=True, sparsity=0.5),
}


def overlaps(figure):
    """Pairs of labels that meet, and labels that leave the figure."""
    renderer = figure._get_renderer()
    said = [text.get_text() for text in figure.axes[0].texts]
    low, high = np.array([text.get_window_extent(renderer).get_points() for text in figure.axes[0].texts]).swapaxes(0, 1)
    meets = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=-1)
    met = [(said[i], said[j]) for i, j in np.argwhere(np.triu(meets, 1))]
    gone = (low < 0).any(axis=1) | (high > figure.get_size_inches() * figure.dpi).any(axis=1)
    return met + [said[i] for i in np.flatnonzero(gone)]


@pytest.mark.parametrize("name", NETWORKS)
def test_no_label_meets_another_or_leaves_the_figure(name):
    run = NETWORKS[name].run(1, seed=1)[0]
    modules = draw(network_diagram(NETWORKS[name], run), f"a title: {name}")
    assert overlaps(modules) == []
    notes = dict.fromkeys(run.structure.names, "found in step 7")
    objects = object_diagram(run.structure, run.attributes, notes=notes, doubtful=run.structure.names[:1])
    assert overlaps(draw({"planted": objects, "recovered, with a longer title": objects}, caption="something " * 40)) == []


@pytest.mark.parametrize("label", [" ", "\u00a0", "\u200b"])
def test_a_label_without_outlines_has_no_width(label):
    assert text_width(label, 8.0) == 0.0
    assert text_width(f"a{label}b", 8.0) > text_width("b", 8.0) > 0.0


def test_text_is_as_wide_as_it_is_written():
    assert text_width(shortened("5 $"), 8.0) == text_width("5 $", 8.0)  # an escape is not written
    assert text_width("$x_1$", 8.0) < text_width("$x_1", 8.0)  # signs of mathematics are not, either


def test_labels_that_meet_are_noticed():
    figure = draw(network_diagram(NETWORKS["layered"]))
    x, y = figure.axes[0].texts[0].get_position()
    figure.axes[0].text(x + 3.0, y, "over it", fontsize=8)
    assert overlaps(figure)


def test_every_module_is_named_and_every_edge_as_wide_as_its_weight():
    net = NETWORKS["random_dag"]
    figure = draw(network_diagram(net))
    said = {text.get_text() for text in figure.axes[0].texts}
    assert {str(m.name) for m in net.modules} | {"root"} <= said
    widths = [THIN + WIDE * w for _, _, w in net.graph.edges(data="weight")] + [THIN + WIDE * s.weight for s in net.outputs]
    lines = [patch for patch in figure.axes[0].patches if isinstance(patch, plt.matplotlib.patches.PathPatch)]
    assert sorted(line.get_linewidth() for line in lines) == pytest.approx(sorted(widths))


def test_bars_are_the_attributes_of_the_run():
    run = NETWORKS["layered"].run(1, seed=1)[0]
    figure = draw(network_diagram(NETWORKS["layered"], run))
    (bars,) = figure.axes[0].collections
    heights = [path.vertices[:, 1].max() - path.vertices[:, 1].min() for path in bars.get_paths()]
    values = np.concatenate(run.attributes)
    assert heights == pytest.approx(13.0 * values / values.max())


def test_a_module_holds_the_objects_that_it_made():
    net = NETWORKS["scene"]
    run = net.run(1, seed=1)[0]
    diagram = network_diagram(net, run)
    for module in net.modules:
        made = [o.name for o in run.objects if o.module == module.name]
        assert [label or module.name for label, _ in diagram.boxes[module.name].strips] == made
        assert diagram.boxes[module.name].doubtful == (not made)
    weights = {line.source: line.weight for line in diagram.lines if line.target == "room"}
    for kind, weight in weights.items():
        assert weight == pytest.approx(sum(o.module == kind for o in run.objects) / 8)
    possible = {line.source for line in diagram.lines if line.possible}
    assert possible == {k for k, w in weights.items() if w == 0.0}


def test_an_object_in_two_slots_has_one_line_of_both_weights():
    ex = simnet.Execution.from_objects(
        [("a", "a", [0.5], [], []), ("b", "b", [0.5], ["a", None, "a"], [0.2, 0.1, 0.3])], outputs={"b": 1.0}
    )
    (line, _) = object_diagram(ex.structure).lines
    assert line.weight == pytest.approx(0.5)


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_ending_says_which_kind_of_file(ending, tmp_path):
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending]
    path = tmp_path / f"a.{ending}"
    write_drawing(draw(network_diagram(NETWORKS["layered"])), path)
    assert path.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.svg, \.png or \.pdf"):
        write_drawing(draw(network_diagram(NETWORKS["layered"])), tmp_path / "a.jpeg")


def test_more_than_can_be_read_is_refused():
    with pytest.raises(ValueError, match="has 401 boxes"):
        draw(Diagram({i: Box(str(i)) for i in range(MOST_BOXES + 1)}))


def test_labels_are_cut_and_are_no_mathematics():
    assert shortened("x" * 40) == "x" * 25 + "…"
    assert shortened("$5") == r"\$5"
