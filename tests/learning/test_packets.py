"""Packets: what is learnt is what was seen alone, cell by cell; columns, modules, attributes; and what cannot be known."""

from __future__ import annotations

import numpy as np
import pytest

import simnet
from simnet.learning import learn_packets
from simnet.learning.metrics import column_agreement, group_agreement
from simnet.matrices import Packet


class Planted:
    """A layer, its sketches, the columns of its matrices and the attributes in the order of these columns."""

    def __init__(self, family="packet", d=960, n=400, modules=3, dim=6, sparsity=0.1, signed=False, seed=1, dtype="float64"):
        net = simnet.networks.sparse_layer(modules, dim, sparsity, signed)
        self.sketcher = simnet.Sketcher(net, d, family, recipe="prototype_a", seed=seed, dtype=dtype)
        runs = net.run(n + 200, seed=seed)
        sketches = self.sketcher.encode(runs)
        self.sketches, self.fresh = sketches[:n], sketches[n:]
        self.columns = np.concatenate([self.sketcher.matrix(m, "value").todense().T for m in range(modules)])
        attributes = np.concatenate(runs.groups[0].attributes, axis=1) / modules
        self.attributes, self.truth = attributes[:n], attributes[n:]
        self.modules = np.repeat(np.arange(modules), dim)

    def noisy(self, share):
        noise = np.random.default_rng(0).standard_normal(self.sketches.shape)
        return self.sketches + share * np.sqrt(np.mean(self.sketches**2)) * noise

    def seen_alone(self, block):
        """Which cells are non-zero and show alone in some sample, from the planted truth."""
        there = self.columns[:, : self.columns.shape[1] // block * block : block] != 0.0
        active = self.attributes != 0.0
        alone = (active.astype(int) @ there) == 1
        return there & ((active.T.astype(int) @ alone) > 0)


def by_hand(modules=3, dim=5, blocks=40, length=24, density=0.25, sparsity=0.1, n=400, seed=0, values=None):
    """Packets from their definition, with random names that may coincide; columns, attributes and sketches."""
    draw = np.random.default_rng(seed)
    sign = lambda *shape: draw.choice([-1.0, 1.0], shape)  # noqa: E731
    part, columns = length // 3, []
    for _ in range(modules):
        signature, names = sign(part), sign(dim, part)
        turn = sign(dim, blocks, 1)
        packets = np.concatenate([sign(dim, blocks, part), turn * signature, turn * names[:, None]], axis=2)
        packets *= draw.random((dim, blocks, 1)) < density
        columns.append(packets.reshape(dim, -1) / np.sqrt(blocks * length * density))
    attributes = (draw.random((n, modules * dim)) < sparsity) * draw.uniform(0.2, 1.0, (n, modules * dim))
    if values is not None:
        attributes = np.where(attributes > 0.0, values, 0.0)
    return np.concatenate(columns), attributes, attributes @ np.concatenate(columns)


def exact_decoding(learnt, planted, match, tolerance=1e-8):
    """Whether attributes of fresh sketches come out up to one scale and the signs of columns."""
    found = learnt.decode(planted.fresh)[:, match]
    scales = np.sum(found * planted.truth, axis=0) / np.sum(planted.truth**2, axis=0)
    np.testing.assert_allclose(np.abs(scales), np.abs(scales[0]), rtol=tolerance)
    return np.abs(found - scales * planted.truth).max() < tolerance * np.abs(planted.truth).max()


@pytest.mark.parametrize(
    ("options", "family"),
    [
        ({}, "packet"),
        ({"d": 1024}, "packet"),  # a last block that is cut off
        ({"signed": True, "d": 1000}, "packet"),
        ({"sparsity": 0.05, "n": 800}, Packet(48, 0.5)),
        ({"sparsity": 0.05, "n": 600}, Packet(36, 1.0)),
    ],
    ids=str,
)
def test_at_full_coverage_everything_is_known(options, family):
    planted = Planted(family, **options)
    learnt = learn_packets(planted.sketches)
    cosines, match, signs = column_agreement(learnt.columns, planted.columns)
    assert learnt.block == planted.sketcher.family.block_size
    assert cosines.min() > 1.0 - 1e-12
    assert group_agreement(learnt.groups[match], planted.modules) == 1.0
    np.testing.assert_array_equal(learnt.mask[match], planted.columns != 0.0)
    assert learnt.determined.all()
    assert learnt.exact
    assert exact_decoding(learnt, planted, match)
    assert learnt.diagnostics.explained == 1.0
    assert not learnt.notes
    scale = np.sqrt(planted.sketcher.family.density / learnt.density)
    np.testing.assert_allclose(signs[:, None] * learnt.columns[match], scale * planted.columns, atol=1e-12)
    assert learnt.nonnegative is not options.get("signed", False)
    if learnt.nonnegative:
        assert (signs == 1).all()


def test_the_density_sets_the_scale():
    planted = Planted()
    learnt = learn_packets(planted.sketches, density=0.25)
    match = column_agreement(learnt.columns, planted.columns).match
    np.testing.assert_allclose(learnt.columns[match], planted.columns, atol=1e-12)
    np.testing.assert_allclose(learnt.decode(planted.fresh)[:, match], planted.truth, atol=1e-12)
    np.testing.assert_allclose(learnt.decode(planted.fresh[0])[match], planted.truth[0], atol=1e-12)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("n", [3, 12, 40, 100])
def test_what_is_learnt_is_what_was_seen_alone(n, signed):
    """Cell by cell; only a sign may be open."""
    planted = Planted(Packet(36, 0.3), d=36 * 50, n=n, modules=4, signed=signed)
    learnt = learn_packets(planted.sketches, block=36)
    expected = planted.seen_alone(36)
    match = column_agreement(learnt.columns, planted.columns).match
    found = learnt.mask[match[match >= 0], ::36]
    missing = expected[match >= 0] & ~found
    assert not (found & ~expected[match >= 0]).any()
    assert missing.sum() <= learnt.diagnostics.unsigned_cells
    assert expected[match < 0].sum() <= learnt.diagnostics.unconfirmed
    # what is called determined is right: no cell that is said to be empty is filled
    nothing = (learnt.determined & ~learnt.mask)[match[match >= 0], ::36]
    assert not (nothing & (planted.columns[match >= 0, ::36] != 0.0)).any()
    if n < 100:
        assert any("never seen alone" in note for note in learnt.notes)
    for column, known, true in zip(
        learnt.columns[match[match >= 0]], learnt.mask[match[match >= 0]], planted.columns[match >= 0], strict=True
    ):
        assert len(np.unique(np.round(column[known] / true[known], 9))) <= 1


@pytest.mark.parametrize("signed", [False, True])
def test_noise_of_one_and_of_three_percent(signed):
    planted = Planted(d=1024, signed=signed)
    for share in (0.01, 0.03):
        learnt = learn_packets(planted.noisy(share))
        assert learnt.noise == pytest.approx(share * np.sqrt(np.mean(planted.sketches**2)), rel=0.1)
        cosines, match, _ = column_agreement(learnt.columns, planted.columns)
        assert cosines.min() > 0.99
        assert group_agreement(learnt.groups[match], planted.modules) == 1.0


def test_single_precision():
    planted = Planted(dtype="float32")
    learnt = learn_packets(planted.sketches)
    assert column_agreement(learnt.columns, planted.columns).cosines.min() > 1.0 - 1e-12
    assert exact_decoding(learnt, planted, column_agreement(learnt.columns, planted.columns).match, 1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("values", [None, 1.0], ids=["sizes", "ones"])
def test_by_hand_with_names_that_may_coincide(seed, values):
    columns, _, sketches = by_hand(dim=16, sparsity=0.05, density=0.15, n=600, seed=seed, values=values)
    learnt = learn_packets(sketches)
    cosines = column_agreement(learnt.columns, columns).cosines
    assert learnt.block == 24
    if values is None:
        assert cosines.min() > 0.999
        assert len(learnt.columns) == len(columns)
    # attributes of one size make packets by accident, and columns of one name hard to tell apart: none may be wrong
    backward = column_agreement(columns, learnt.columns)
    signs = backward.signs[:, None] * np.sign(columns[backward.match])
    assert (np.sign(learnt.columns) == signs)[learnt.mask].all()


def test_two_columns_of_one_name_are_told_apart():
    draw = np.random.default_rng(0)
    columns, attributes, _ = by_hand(modules=2, dim=3, seed=3)
    blocks = columns.reshape(6, 40, 3, 8)
    packets = blocks[0][np.abs(blocks[0]).sum((1, 2)) > 0]
    turn = draw.choice([-1.0, 1.0], (40, 1, 1)) * (draw.random((40, 1, 1)) < 0.3)
    twin = turn * packets[0]
    twin[:, 0] *= draw.choice([-1.0, 1.0], (40, 8))
    blocks[5] = twin  # the name of column 0, in a column of its own
    learnt = learn_packets(attributes @ columns)
    assert learnt.diagnostics.shared_names == 1
    assert column_agreement(learnt.columns, columns).cosines.min() > 0.999


# -- what cannot be known -----------------------------------------------------------------------------------------------


def says(learnt, *words):
    return all(any(word in note for note in learnt.notes) for word in words)


def test_shuffled_rows_teach_nothing():
    """Negative control: the same numbers without the order of their rows."""
    planted = Planted(Packet(24, 1.0), sparsity=0.05)
    order = np.random.default_rng(0).permutation(960)
    assert len(learn_packets(planted.sketches).columns) == 18
    for block in (None, 24):
        learnt = learn_packets(planted.sketches[:, order], block=block)
        assert not len(learnt.columns)
        assert learnt.notes


@pytest.mark.parametrize("family", ["gaussian", "trig", "rademacher", "block"])
def test_other_matrices_teach_nothing(family):
    learnt = learn_packets(Planted(family).sketches)
    assert not len(learnt.columns)
    assert learnt.notes
    with pytest.raises(ValueError, match="no column was learnt"):
        learnt.decode(np.zeros(960))


def test_pure_noise_and_nothing_at_all_teach_nothing():
    noise = learn_packets(np.random.default_rng(0).standard_normal((200, 480)))
    nothing = learn_packets(np.zeros((5, 480)))
    assert not len(noise.columns)
    assert not len(nothing.columns)
    assert says(nothing, "anything but noise")


def test_samples_that_are_not_sparse_are_reported():
    learnt = learn_packets(Planted(sparsity=0.9, modules=6).sketches)
    assert not learnt.diagnostics.sparse_enough
    assert says(learnt, "not sparse enough")
    assert not learnt.exact


def test_copies_are_reported_and_change_nothing():
    planted = Planted(n=40)
    once, thrice = learn_packets(planted.sketches), learn_packets(np.tile(planted.sketches, (3, 1)))
    np.testing.assert_array_equal(once.columns, thrice.columns)
    np.testing.assert_array_equal(once.support, thrice.support)
    assert says(thrice, "copies of others")
    constant = learn_packets(np.tile(planted.sketches[:1], (50, 1)))
    assert constant.diagnostics.samples == 1
    assert says(constant, "49 samples are copies")


def test_fewer_coordinates_than_columns():
    planted = Planted(Packet(24, 0.8), d=72, modules=10, dim=8, sparsity=0.02, n=3000)
    learnt = learn_packets(planted.sketches, block=24)
    assert len(learnt.columns) > 72
    assert not learnt.decodable
    assert says(learnt, "attributes are not determined")
    with pytest.raises(ValueError, match="do not determine the attributes"):
        learnt.decode(planted.fresh)


def test_a_missing_column_is_noticed():
    columns, attributes, _ = by_hand(seed=1)
    columns[3] = np.random.default_rng(0).standard_normal(columns.shape[1]) / 30.0
    learnt = learn_packets(attributes @ columns)
    assert len(learnt.columns) == len(columns) - 1
    assert learnt.diagnostics.explained < 1.0
    assert says(learnt, "some are missing")


def test_one_block_is_not_enough():
    learnt = learn_packets(Planted(d=24, dim=4).sketches)
    assert not len(learnt.columns)
    assert says(learnt, "fewer than two blocks")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (np.zeros(5), {}, r"sketches: has shape \(5,\), must be \(n, d\)"),
        (np.zeros((0, 5)), {}, r"sketches: has shape \(0, 5\)"),
        ([[1.0, np.nan]], {}, "sketches: must be finite"),
        ([["a"]], {}, "sketches: must be an array of numbers"),
        (np.ones((2, 48)), {"block": 10}, "block = 10: must be a multiple of 3"),
        (np.ones((2, 48)), {"block": 0}, "block = 0: must be an integer >= 3"),
        (np.ones((2, 48)), {"noise": -1.0}, "noise = -1.0"),
        (np.ones((2, 48)), {"density": 0.0}, "density = 0.0: must be positive"),
        (np.ones((2, 48)), {"nonnegative": 1}, "nonnegative = 1: must be True, False or None"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        learn_packets(arguments, **options)


@pytest.mark.parametrize("sketches", [np.zeros(7), np.full(960, np.nan)])
def test_decoding_refuses_other_lengths_and_nan(sketches):
    with pytest.raises(ValueError, match="sketches: "):
        learn_packets(Planted(n=100).sketches).decode(sketches)
