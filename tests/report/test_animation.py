"""Films show real runs, and are written whole."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from simnet.report import flow, gathering
from simnet.report.animation import FILMS, Film, film, write_film
from simnet.theory import kernel


@pytest.fixture
def small(monkeypatch):
    for name, value in {"RUNS": 4, "THINGS": 8}.items():
        monkeypatch.setattr(gathering, name, value)


def spread(points, group):
    """The mean distance from the middle of the group, and of the middles from each other."""
    middles = np.stack([points[group == g].mean(axis=0) for g in np.unique(group)])
    within = np.linalg.norm(points - middles[group], axis=1).mean()
    return within, np.linalg.norm(middles - middles[[1, 2, 0]], axis=1).mean()


def test_groups_gather_as_what_they_share_grows(small):
    seen = gathering.scenes(seed=0, sketch_dim=512)
    group = np.repeat(np.arange(gathering.GROUPS), gathering.RUNS)
    assert seen.points.shape == (9, 12, 2)
    first, last = spread(seen.points[0], group), spread(seen.points[-1], group)
    assert first[0] > first[1] / 2
    assert last[0] < 1e-6 < last[1]
    # turned like the frame after it: with a quarter shared and more, no point crosses half of the picture
    steps = np.linalg.norm(np.diff(seen.points[2:], axis=0), axis=2)
    assert steps.max() < last[1] / 2


def test_inner_products_stand_on_the_law(small):
    seen = gathering.scenes(seed=0, sketch_dim=512)
    assert seen.law == pytest.approx(np.arange(9) / 8)
    # ⟨s, s̄⟩ / K deviates by its law by a standard deviation of 1.3/√d at most, and this is a mean over groups
    assert np.abs(seen.within - seen.law).max() < 5 * 1.3 / np.sqrt(512)
    assert np.abs(seen.between).max() < 5 * 1.3 / np.sqrt(512)
    assert np.abs(seen.within - seen.law[::-1]).max() > 0.5


def test_runs_of_one_group_share_just_so_many_things(small):
    runs = gathering.pictures(gathering.network(), 3, seed=0)
    names = [set(runs[i].structure.modules) for i in range(12)]
    assert [len(names[0] & other) for other in names] == [8, 3, 3, 3, *[0] * 8]
    assert kernel(runs[0], runs[4]) == 0.0


def test_the_plane_keeps_inner_products_and_turns_like_what_it_is_given():
    draw = np.random.default_rng(0)
    points = draw.standard_normal((9, 2))
    points -= points.mean(axis=0)
    away = np.linalg.qr(draw.standard_normal((40, 2)))[0]
    assert gathering.in_the_plane(points @ away.T, like=points) == pytest.approx(points)


def test_the_sketches_beside_objects_make_the_sketch_of_the_run():
    run = flow.run_of(seed=0, sketch_dim=64)
    sketcher, s = run.sketcher, run.execution.structure
    parts = [
        weight * sketcher.transparent("root", slot, sketcher.to_natural(run.sketches[s.positions[name]]))
        for slot, (name, weight) in enumerate(zip(s.outputs, s.output_weights, strict=True))
    ]
    assert sketcher.to_stored(sum(parts)) == pytest.approx(run.sketch)


def test_objects_stand_above_what_they_take_in_and_apart():
    run = flow.run_of(seed=0, sketch_dim=64)
    assert all(run.places[edge.source, 1] < run.places[edge.target, 1] for edge in run.edges)
    assert len({tuple(place) for place in run.places}) == len(run.places)
    assert len(run.edges) == len(run.execution.structure.edge_weights)


def test_a_film_is_written_frame_by_frame_and_rests_at_its_end(tmp_path):
    figure, axes = plt.subplots(figsize=(1, 1))
    made = Film(figure, lambda i: axes.set_facecolor(str(i / 9)), 9, per_second=10, rest=1.5)
    write_film(made, tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as image:
        durations = []
        for i in range(image.n_frames):
            image.seek(i)
            durations.append(image.info["duration"])
    # frames that are the same are one that stays longer
    assert durations == [100] * 8 + [1500]
    assert [file.name for file in tmp_path.iterdir()] == ["x.gif"]


def test_every_frame_of_the_flow_can_be_drawn():
    made = film("flow", seed=0)
    for i in (0, made.frames // 2, made.frames - 1):
        made.draw(i)
    axes = made.figure.axes[0]
    # at the end a strip stands beside every object and beside the root
    assert len(axes.images) == len(flow.run_of(0, 64).levels)


@pytest.mark.parametrize("name", FILMS)
def test_films_have_an_end(small, name):
    assert isinstance(film(name), Film)


def test_an_ending_that_cannot_be_written(monkeypatch, tmp_path):
    made = film("flow")
    with pytest.raises(ValueError, match=r"must end in \.gif or \.mp4"):
        write_film(made, tmp_path / "x.webm")
    monkeypatch.setattr("simnet.report.animation.FFMpegWriter.isAvailable", lambda: False)
    with pytest.raises(ValueError, match="needs ffmpeg"):
        write_film(made, tmp_path / "x.mp4")
    with pytest.raises(ValueError, match="did you mean 'flow'"):
        film("flows")
