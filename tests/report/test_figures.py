"""Figures show what the summary says, fit their width, and are the same bytes each time."""

import dataclasses
import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from simnet.claims import CLAIMS
from simnet.report.figures import Drawing, draw, gallery, panel_count
from simnet.report.style import COLUMN, PAGE, inline_svg, write_figure
from simnet.study import FigureSpec

SPEC = FigureSpec("sketch_dim", ("MSE, depth *",), x_scale="log2", y_scale="log", x_label="sketch size d")
CLAIM = CLAIMS["attribute_recovery"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def summary():
    """Three depths, three families; every measurement is on its law but for one that fails."""
    rows = []
    for matrices, d, depth in itertools.product(("trig", "gaussian", "block"), 2 ** np.arange(8, 15), (1, 2, 3)):
        law = 2.0 ** (4 * depth) / d
        wrong = (matrices, d, depth) == ("trig", 1024, 2)
        ratio = 1.5 if wrong else 1.0
        rows.append(
            {
                **{"matrices": matrices, "sketch_dim": d, "quantity": f"MSE, depth {depth}, whole", "law": law},
                **{f"measured{end}": law * ratio * f for end, f in (("", 1.0), ("_low", 0.9), ("_high", 1.1))},
                **{f"ratio{end}": ratio * f for end, f in (("", 1.0), ("_low", 0.9), ("_high", 1.1))},
                **{"bound": 3.0 * np.sqrt(law), "holds": not wrong},
            }
        )
    return pd.DataFrame(rows).astype({"holds": "boolean"})


@pytest.fixture
def one(summary):
    return Drawing(SPEC, summary[summary.matrices == "trig"].drop(columns="matrices"), CLAIM)


def lines(axes, style):
    return [line for line in axes.lines if line.get_linestyle() == style and len(line.get_xdata())]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_law_bound_points_and_failures_are_those_of_the_table(one):
    axes = draw(one).axes[0]
    rows = one.summary[one.summary.quantity == "MSE, depth 1, whole"]
    law, bound = lines(axes, "-")[0], lines(axes, "--")[0]
    assert law.get_ydata() == pytest.approx(rows.law)
    # the bound is on an error, what is drawn its square
    assert bound.get_ydata() == pytest.approx(rows.bound**2)
    assert len(lines(axes, "-")) == len(lines(axes, "--")) == 3
    points = [line for line in lines(axes, "None") if line.get_marker() == "o"]
    assert points[0].get_ydata() == pytest.approx(rows.measured)
    crosses = np.concatenate([np.stack(line.get_data(), 1) for line in axes.lines if line.get_marker() == "x"])
    assert crosses.tolist() == [[1024.0, pytest.approx(1.5 * 2.0**8 / 1024)]]


def test_the_legend_names_series_by_what_differs_with_their_slopes(one):
    texts = legend(draw(one))
    assert texts[0] == "depth 1: slope −1.000 ± 0.000"
    assert texts[3:] == ["law", "bound, max error²", "95 % interval", "fails"]
    clean = one._replace(summary=one.summary[one.summary.holds])
    assert "fails" not in legend(draw(clean))


def test_slopes_are_stated_only_between_logarithms(one):
    for spec in (dataclasses.replace(SPEC, y_scale="linear"), dataclasses.replace(SPEC, y="ratio", y_scale="linear")):
        assert legend(draw(one._replace(spec=spec)))[0] == "depth 1"


def test_a_ratio_stands_beside_1_and_without_bound(one):
    figure = draw(one._replace(spec=dataclasses.replace(SPEC, y="ratio", y_scale="linear")))
    assert not lines(figure.axes[0], "--")
    assert set(lines(figure.axes[0], "-")[0].get_ydata()) == {1}
    assert figure.axes[0].get_ylabel() == "measured / law"


def test_what_has_no_law_has_its_bound_as_it_is(one):
    rows = one.summary.assign(law=np.nan)
    figure = draw(one._replace(summary=rows))
    first = rows[rows.quantity == "MSE, depth 1, whole"]
    assert lines(figure.axes[0], "--")[0].get_ydata() == pytest.approx(first.bound)
    assert "bound" in legend(figure)
    assert "law" not in legend(figure)


def test_rows_with_nothing_to_judge_do_not_fail(one):
    texts = legend(draw(one._replace(summary=one.summary.assign(holds=pd.array([pd.NA] * 21, "boolean")))))
    assert "fails" not in texts


def test_panels_stand_below_each_other_in_a_column_and_side_by_side_on_a_page(summary):
    drawing = Drawing(dataclasses.replace(SPEC, panel="matrices"), summary, CLAIM)
    assert panel_count(drawing) == 3
    for width, across in ((COLUMN, 1), (PAGE, 3)):
        axes = draw(drawing, width=width).axes
        assert [one.get_title() for one in axes] == ["trig", "gaussian", "block"]
        assert len({round(one.get_position().x0, 3) for one in axes}) == across


def test_words_on_the_x_axis_are_categories(summary):
    drawing = Drawing(dataclasses.replace(SPEC, x="matrices"), summary[summary.sketch_dim == 256], CLAIM)
    axes = draw(drawing).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["trig", "gaussian", "block"]


def test_a_point_without_the_parameter_of_the_x_axis_is_not_drawn(one):
    nowhere = pd.concat([one.summary, one.summary.assign(sketch_dim=np.nan)], ignore_index=True)
    assert legend(draw(one._replace(summary=nowhere))) == legend(draw(one))


def test_series_of_a_category_stand_side_by_side_and_alone_in_its_middle(summary):
    rows = summary[
        (summary.sketch_dim == 256) & ~((summary.matrices == "block") & (summary.quantity != "MSE, depth 1, whole"))
    ]
    axes = draw(Drawing(dataclasses.replace(SPEC, x="matrices"), rows, CLAIM)).axes[0]
    places = np.concatenate([line.get_xdata() for line in axes.lines if line.get_marker() in "os^"])
    assert np.sort(places) == pytest.approx([-0.2, 0.0, 0.2, 0.8, 1.0, 1.2, 2.0])


def test_what_is_no_line_has_no_slope(one):
    draw_ = np.random.default_rng(0)
    scattered = one.summary.assign(measured=np.exp(2.0 * draw_.standard_normal(len(one.summary))))
    assert legend(draw(one._replace(summary=scattered)))[:3] == ["depth 1", "depth 2", "depth 3"]


def test_a_band_that_reaches_0_is_left_out_of_a_logarithm(one):
    rows = one.summary[one.summary.quantity == "MSE, depth 1, whole"].copy()
    rows.iloc[-1, rows.columns.get_indexer(["measured", "measured_low", "measured_high"])] = 0.0
    (band,) = draw(one._replace(summary=rows)).axes[0].collections
    assert max(path.vertices[:, 0].max() for path in band.get_paths()) == rows.sketch_dim.iloc[-2]


def test_a_parameter_that_does_not_vary_tells_nothing_apart(one):
    drawing = one._replace(spec=dataclasses.replace(SPEC, series=("quantity", "recipe"), panel="runs"))
    assert panel_count(drawing) == 1
    assert legend(draw(drawing))[:3] == legend(draw(one))[:3]


def inside(figure):
    """Whether no text of a figure reaches over its edge and no two legends or panels overlap."""
    figure.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    parts = [figure, *figure.subfigs]
    boxes += [box.get_window_extent() for part in parts for box in part.legends]
    width, height = figure.bbox.size
    fits = all(box.x0 > -2 and box.y0 > -2 and box.x1 < width + 2 and box.y1 < height + 2 for box in boxes)
    apart = all(not one.padded(-1.0).overlaps(other) for one, other in itertools.combinations(boxes, 2))
    return fits and apart


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("panel", [None, "matrices"])
def test_everything_fits_and_nothing_overlaps(summary, width, panel):
    rows = summary if panel else summary[summary.matrices == "trig"]
    spec = dataclasses.replace(
        SPEC, panel=panel, y_label="mean square error of a coordinate of an object", series=("quantity",)
    )
    assert inside(draw(Drawing(spec, rows, CLAIM), width=width))


def test_the_check_of_overlap_sees_one(one):
    figure = draw(one)
    figure.legends[0].set_loc("center")
    assert not inside(figure)


@pytest.mark.parametrize(("width", "columns"), [(COLUMN, 1), (PAGE, 2)])
def test_a_gallery_has_text_of_one_size_and_no_overlap(summary, one, width, columns):
    long = dataclasses.replace(SPEC, series=("matrices", "quantity"))
    drawings = [
        one,
        Drawing(long, summary, CLAIM),
        one._replace(spec=dataclasses.replace(SPEC, y="ratio", y_scale="linear")),
    ]
    figure = gallery(drawings, width=width, columns=columns)
    assert inside(figure)
    sizes = {text.get_fontsize() for part in figure.subfigs for box in part.legends for text in box.get_texts()}
    assert sizes == {text.get_fontsize() for text in draw(one).legends[0].get_texts()}


def test_figures_drawn_on_the_way_are_closed(one):
    gallery([one, one])
    assert len(plt.get_fignums()) == 1
    with pytest.raises(ValueError, match="figure: x"):
        draw(one._replace(spec=dataclasses.replace(SPEC, x="nonsense")))
    assert len(plt.get_fignums()) == 1


def test_an_empty_gallery_is_a_mistake():
    with pytest.raises(ValueError, match="drawings"):
        gallery([])


def test_the_same_numbers_give_the_same_bytes(one, tmp_path):
    one = one._replace(spec=dataclasses.replace(SPEC, quantity=("MSE, depth 1*",)))
    first, second = (write_figure(draw(one), name, tmp_path, ("svg", "pdf")) for name in ("a", "b"))
    for left, right in zip(first, second, strict=True):
        assert left.read_bytes() == right.read_bytes()
    assert b"<dc:date>" not in first[0].read_bytes()
    changed = one._replace(summary=one.summary.assign(measured=2.0 * one.summary.measured))
    assert write_figure(draw(changed), "c", tmp_path, ("svg",))[0].read_bytes() != first[0].read_bytes()


def test_an_inline_figure_has_names_of_its_own_and_no_address(one):
    first, second = (inline_svg(draw(one), name, "a < b") for name in ("one", "two"))
    assert "http" not in first
    assert "a &lt; b" in first
    assert first.replace('"one-', '"two-').replace("#one-", "#two-") == second
    assert "#000000" not in first
    assert "currentColor" in first
    raw = io.StringIO()
    figure = draw(one)
    figure.savefig(raw, format="svg")
    assert "http" in raw.getvalue()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"x": "sketch_dims"}, "sketch_dim"),
        ({"quantity": ("nonsense",)}, "nonsense"),
        ({"x_scale": "ln"}, "x_scale"),
        ({"y": "bias"}, "figure: y"),
        ({"series": ()}, "several rows at sketch_dim = 256"),
    ],
)
def test_a_description_that_does_not_fit_is_one_clear_line(one, changes, text):
    with pytest.raises(ValueError, match=text) as caught:
        draw(one._replace(spec=dataclasses.replace(SPEC, **changes)))
    assert "\n" not in str(caught.value)


def test_nothing_above_0_has_no_logarithm(one):
    with pytest.raises(ValueError, match="no measured value"):
        draw(one._replace(summary=one.summary.assign(measured=0.0)))
