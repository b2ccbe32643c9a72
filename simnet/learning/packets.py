"""Law 7, packets: the matrices of an unknown one-layer sketch, learnt from sketches of sparse attributes.

**Setting.**  ``s = Σ_M R_M x_M`` with unknown packet matrices (:class:`simnet.matrices.Packet`) and unknown attributes, each
non-zero in few samples.  Nothing is given but the sketches, coordinates in natural order.

**How.**

1. Every block is read (``simnet.learning.blocks``): a block with one active column shows a *packet*, its size and its name.
2. Packets of one name are one column, unless they contradict each other: two fresh parts in one block, or two sizes in one
   sample.  Then several columns have that name, and they are told apart by which packets occur together at one size.
3. A packet is seen up to the sign of ``ς x_j``.  Blocks that are seen in one sample share the sign of ``x_j``, which joins
   the blocks of a column into one piece with one unknown sign; where no block ever changes its sign the attributes are
   taken to be non-negative, and there is none.
4. A block that shows no packet of a column in a sample in which that column is active elsewhere is *known to be zero* there.
   A name whose packets are contradicted by this is an accident, and dropped.

**What cannot be learnt.**  The order of the columns and of the modules; a sign of each column, unless attributes are
non-negative; one scale for everything, since a column and its attributes only occur as a product: entries are
``1/√(dq)`` with ``q`` as estimated.  Modules with one signature (probability ``2^{1−b/3}`` a pair) come out as one.

How much is learnt from ``n`` samples is :func:`simnet.theory.learnt_fraction`.

Source: ``paper_checks/law_7_packets.py``, after Ghazi, Panigrahy, Wang (ICML 2019), learning by
dictionary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from simnet.checks import integer, real
from simnet.learning.blocks import CERTAIN_BITS, DEFAULT_BLOCK, Blocks, find_length, index, read_blocks

Array = NDArray[Any]

#: A column whose packets are missing where they should be, in more than this share of the looks, is an accident.
CONTRADICTED = 0.05

#: What a block says of a column: that it is not there, or nothing.
NOTHING, UNKNOWN = -1, -2

#: Sizes are unrelated where no more than this share of neighbouring ones are equal.
COINCIDENCES = 0.001

#: A column that is seen less often than this share of the median is an accident: where many attributes have one size, a few
#: of them together look like one packet now and then.
RARE = 0.05

#: Columns of one name are told apart if this share of its packets can be put to one of them.
RESOLVED = 0.8

#: So many blocks seen again with their sign unchanged show that attributes are non-negative: 2⁻²⁰ by chance.
REPEATS = 20


@dataclass(frozen=True)
class PacketDiagnostics:
    """What the samples were like, and what was and was not made of them.

    Attributes
    ----------
    samples : int
        Different samples.
    copies : int
        Further ones that are copies of these, and teach nothing.
    blocks : int
        Whole blocks of all samples.
    single, empty, crowded : int
        Blocks with one packet, with none, and with several.
    cells_seen : float
        The share of (column, block) cells of the learnt columns that are determined, as a packet or as zero.
    unconfirmed : int
        Names that were contradicted by other samples, or hardly seen where attributes are of equal sizes or there is noise,
        so that they may be accidents: not among the columns.
    unassigned : int
        Packets that were put to no column.
    shared_names : int
        Names that more than one column has.
    unresolved_names : int
        Names of packets that contradict each other and could not be told apart: not among the columns.
    unsigned_cells : int
        Packets of a column whose sign relative to the rest of it is not determined: not in its mask.
    explained : float
        The share of samples that the learnt columns account for up to the noise, where they can be decoded, else 0: below 1
        there are columns that are not known.
    sparse_enough : bool
        Whether blocks with one packet are frequent enough to learn from: at least one in a hundred.
    """

    samples: int
    copies: int
    blocks: int
    single: int
    empty: int
    crowded: int
    cells_seen: float
    unconfirmed: int
    unassigned: int
    shared_names: int
    unresolved_names: int
    unsigned_cells: int
    explained: float
    sparse_enough: bool


class _Factors:
    """The QR factors of columns, given as the rows of ``(k, rows)``."""

    def __init__(self, columns: Array) -> None:
        self.basis, self.triangle = scipy.linalg.qr(columns.T, mode="economic", check_finite=False)
        self.independent = bool(np.linalg.matrix_rank(self.triangle) == len(columns))

    @staticmethod
    def possible(columns: Array) -> bool:
        """Whether there are columns, and no more of them than coordinates."""
        return 0 < columns.shape[0] <= columns.shape[1]

    def solve(self, values: Array) -> Array:
        """The coefficients of ``(rows,)`` or ``(n, rows)`` by least squares."""
        right = self.basis.T @ values.T
        return np.ascontiguousarray(scipy.linalg.solve_triangular(self.triangle, right, check_finite=False).T)


class _System(NamedTuple):
    rows: Array  # the coordinates to decode from
    known: bool  # whether every column is known at all of them
    factors: _Factors | None


@dataclass(frozen=True, eq=False)
class LearntPackets:
    """The columns that were learnt, ``k`` of them, grouped into modules.

    Attributes
    ----------
    columns : (k, d) array
        The columns of all matrices, 0 where nothing is known; sorted by group.
    mask : (k, d) bool array
        True where a packet was seen.
    determined : (k, d) bool array
        True where a packet was seen, or the entry is known to be 0.
    names : (k, 2b/3) array of ±1
        Signature of the matrix and of the column, turned to begin with +1.
    groups : (k,) int array
        The module of each column: 0, 1, … by signature.
    support : (k,) int array
        How many packets of the column were read.
    block : int
        ``b``.
    density : float
        ``q``: given, or the share of non-zero cells among those looked at.
    noise : float
        The standard deviation of the noise in a coordinate: given or estimated.
    nonnegative : bool
        Whether attributes were taken to be non-negative, which settles the signs of the columns.
    diagnostics : PacketDiagnostics
    notes : tuple of str
        What could not be determined, and why, in sentences; empty if there is nothing to say.
    """

    columns: Array
    mask: Array
    determined: Array
    names: Array
    groups: Array
    support: Array
    block: int
    density: float
    noise: float
    nonnegative: bool
    diagnostics: PacketDiagnostics
    notes: tuple[str, ...]

    @cached_property
    def _system(self) -> _System:
        d = self.columns.shape[1]
        known: Array = np.asarray(self.determined.all(axis=0))
        if _Factors.possible(self.columns[:, known]):
            factors = _Factors(self.columns[:, known])
            if factors.independent:
                return _System(known, True, factors)
        whole: Array = np.arange(d) < d // self.block * self.block
        possible = _Factors.possible(self.columns[:, whole])
        return _System(whole, False, _Factors(self.columns[:, whole]) if possible else None)

    @property
    def rows(self) -> Array:
        """The coordinates that are decoded from, ``(d,)`` of bool: where every learnt column is known, if that suffices."""
        return self._system.rows

    @property
    def decodable(self) -> bool:
        """Whether the attributes of a sketch are determined by the learnt columns: these are independent."""
        factors = self._system.factors
        return factors is not None and factors.independent

    @property
    def exact(self) -> bool:
        """Whether decoding uses only coordinates at which all learnt columns are known, and these suffice."""
        return self.decodable and self._system.known

    def decode(self, sketches: Array) -> Array:
        """The attributes of sketches by least squares with the learnt columns.

        Exact up to rounding if :attr:`exact` and no column is missing (``diagnostics.explained``); times the weight of the
        object in the sketch, and up to the scale of the columns.

        Parameters
        ----------
        sketches : (d,) or (n, d) array

        Returns
        -------
        (k,) or (n, k) array
            In the order of ``columns``.

        Raises
        ------
        ValueError
            If no column was learnt, the columns do not determine the attributes, or the length is another.
        """
        values = np.asarray(sketches, float)
        k, d = self.columns.shape
        if values.ndim not in (1, 2) or values.shape[-1] != d:
            raise ValueError(f"sketches: has shape {values.shape}, must be ({d},) or (n, {d})")
        if not np.isfinite(values).all():
            raise ValueError("sketches: must be finite")
        if not k:
            raise ValueError("decode: no column was learnt; notes say why")
        rows, _, factors = self._system
        if factors is None or not factors.independent:
            raise ValueError(
                f"decode: {k} columns on {int(rows.sum())} coordinates do not determine the attributes, the columns must be "
                f"independent"
            )
        return factors.solve(values[..., rows])


class _Cells(NamedTuple):
    """The packets that were put to columns, and the matrices (column, block) that they fill."""

    column: Array  # of each packet that is used
    used: Array  # which packets of the blocks these are
    own: Array  # (columns, blocks): how often a packet was seen
    missing: Array  # (columns, blocks): how often none was, though the column was active and the block clear
    nothing: Array  # (columns, blocks): the part of it where the block was empty


def learn_packets(
    sketches: Array,
    *,
    block: int | None = None,
    noise: float | None = None,
    density: float | None = None,
    nonnegative: bool | None = None,
) -> LearntPackets:
    """Learn the matrices of a one-layer sketch of packets, from sketches alone.

    Parameters
    ----------
    sketches : (n, d) array
        In the natural order of the coordinates, as sketchers with packet matrices store them.
    block : int, optional
        ``b``, a multiple of 3; found from the sketches if not given, 24 if they do not tell.
    noise : float, optional
        The standard deviation of the noise in a coordinate; estimated if not given.
    density : float, optional
        ``q``, which sets the scale of the columns; estimated if not given.
    nonnegative : bool, optional
        Whether attributes are; found from the sketches if not given.

    Returns
    -------
    LearntPackets
        Whatever the samples are worth; ``notes`` say what is missing.

    Raises
    ------
    ValueError
        If an argument is out of range, or the sketches are not finite numbers in rows.

    Examples
    --------
    >>> import numpy as np, simnet
    >>> net = simnet.networks.sparse_layer(modules=3, attribute_dim=4, sparsity=0.15)
    >>> sketcher = simnet.Sketcher(net, sketch_dim=960, matrices="packet", recipe="prototype_a", seed=3)
    >>> learnt = simnet.learning.learn_packets(sketcher.encode(net.run(300, seed=1)))
    >>> len(learnt.columns), np.bincount(learnt.groups).tolist(), learnt.exact
    (12, [4, 4, 4], True)
    """
    values, copies = _check(sketches)
    d = values.shape[1]
    if noise is not None:
        noise = real("noise", noise, minimum=0.0)
    if density is not None and real("density", density, minimum=0.0, maximum=1.0) == 0.0:
        raise ValueError("density = 0.0: must be positive")
    if nonnegative is not None and not isinstance(nonnegative, (bool, np.bool_)):
        raise ValueError(f"nonnegative = {nonnegative!r}: must be True, False or None")
    notes = []
    if block is None:
        found = find_length(values, noise)
        block = DEFAULT_BLOCK if found is None else found
        if found is None:
            notes.append(f"The block length does not show: names repeat at none. {block} is taken.")
    if integer("block", block, minimum=3) % 3:
        raise ValueError(f"block = {block}: must be a multiple of 3")
    blocks = read_blocks(values, block, noise)
    gain = blocks.gain
    if gain > CERTAIN_BITS:
        sources, shared, unresolved = _sources(blocks)
    else:
        sources, shared, unresolved = np.full(len(blocks.names), -1, dtype=np.int64), 0, 0
    cells, dropped = _confirmed(blocks, sources)
    signs, kept, positive, unsigned = _signs(blocks, cells, nonnegative)
    k, count = cells.own.shape
    seen = np.zeros((k, count), dtype=bool)
    packets = np.zeros((k, count, block))
    column, place = cells.column[kept], blocks.block[cells.used[kept]]
    seen[column, place] = True
    packets[column, place] = signs[kept, None] * blocks.packets[cells.used[kept]]
    zero = (cells.own == 0) & (cells.missing > 0)
    if density is None:
        filled, bare = int(np.sum(cells.own > 0)), int(np.sum((cells.own == 0) & (cells.nothing > 0)))
        density = filled / (filled + bare) if filled else 1.0
    names = np.zeros((k, 2 * block // 3), dtype=np.int8)
    names[cells.column] = blocks.packets[cells.used, block // 3 :]
    groups = _groups(names[:, : block // 3])
    order = np.lexsort((np.arange(k), groups))
    columns = np.zeros((k, d))
    columns[:, : count * block] = packets[order].reshape(k, count * block) / math.sqrt(d * density)
    mask, determined = (_spread(flags[order], block, d) for flags in (seen, seen | zero))
    single = int(blocks.single.sum())
    diagnostics = PacketDiagnostics(
        samples=len(values),
        copies=copies,
        blocks=blocks.single.size,
        single=single,
        empty=int(blocks.empty.sum()),
        crowded=int(np.sum(~blocks.single & ~blocks.empty)),
        cells_seen=float(np.mean(seen | zero)) if k else 0.0,
        unconfirmed=dropped,
        unassigned=int(len(blocks.names) - len(cells.used)),
        shared_names=shared,
        unresolved_names=unresolved,
        unsigned_cells=unsigned,
        explained=0.0,
        sparse_enough=single >= 0.01 * max(blocks.single.size, 1) and single > 0,
    )
    learnt = LearntPackets(
        columns,
        mask,
        determined,
        names[order],
        groups[order],
        cells.own.sum(axis=1).astype(np.int64)[order],
        block,
        float(density),
        blocks.noise,
        positive,
        diagnostics,
        (),
    )
    if learnt.decodable:
        off = np.abs(values - learnt.decode(values) @ learnt.columns)[:, learnt.rows].max(axis=1, initial=0.0)
        explained = float(np.mean(off <= 2.0 * blocks.tolerance))
        learnt = _with_rest(learnt, values, blocks.tolerance)
        learnt = replace(learnt, diagnostics=replace(diagnostics, explained=explained))
    return replace(learnt, notes=(*notes, *_notes(learnt, gain)))


def _check(sketches: Any) -> tuple[Array, int]:
    """The samples that differ, and how many of the others are copies, beyond samples of nothing at all."""
    try:
        values = np.asarray(sketches)
        values = values if values.dtype == np.float32 else values.astype(float)
    except (TypeError, ValueError):
        raise ValueError("sketches: must be an array of numbers of shape (n, d)") from None
    if values.ndim != 2 or not values.size:
        raise ValueError(f"sketches: has shape {values.shape}, must be (n, d) with n, d >= 1")
    if not np.isfinite(values).all():
        raise ValueError("sketches: must be finite")
    seen: dict[bytes, int] = {}
    for i, row in enumerate(np.ascontiguousarray(values)):
        seen.setdefault(blake2b(row.data).digest(), i)
    distinct = values[list(seen.values())]
    return distinct, int(np.sum(values.any(axis=1))) - int(np.sum(distinct.any(axis=1)))


def _spread(flags: Array, block: int, d: int) -> Array:
    """Flags of blocks, for each coordinate; false in a last block that is cut off."""
    spread = np.zeros((len(flags), d), dtype=bool)
    spread[:, : flags.shape[1] * block] = np.repeat(flags, block, axis=1)
    return spread


def _with_rest(learnt: LearntPackets, values: Array, tolerance: float) -> LearntPackets:
    """With the rows of the last block, which is too short for packets to be read, where all other blocks are known.

    The attributes of the samples are then known, and the rows are their regression on them.  An entry is 0 or one size with
    a sign: it is taken where its standard error is a small part of that size, and where the rows are explained to the noise.
    """
    start = learnt.columns.shape[1] // learnt.block * learnt.block
    if start == learnt.columns.shape[1] or not learnt.exact:
        return learnt
    size = 1.0 / math.sqrt(learnt.columns.shape[1] * learnt.density)
    attributes, rows = learnt.decode(values), values[:, start:].astype(float)
    if len(values) <= attributes.shape[1] or np.linalg.matrix_rank(attributes) < attributes.shape[1]:
        return learnt
    entries = np.linalg.lstsq(attributes, rows, rcond=None)[0] / size
    off = np.max(np.abs(rows - size * attributes @ entries), initial=0.0)
    leverage = np.sqrt(np.diag(np.linalg.inv(attributes.T @ attributes)))
    rounded = np.rint(entries)
    known = (np.abs(entries - rounded) < 0.25) & (np.abs(rounded) <= 1.0)
    known &= (leverage * tolerance < 0.25 * size)[:, None] & (off <= 2.0 * tolerance)
    columns, mask, determined = learnt.columns.copy(), learnt.mask.copy(), learnt.determined.copy()
    columns[:, start:] = np.where(known, size * rounded, 0.0)
    mask[:, start:], determined[:, start:] = known & (rounded != 0.0), known
    return replace(learnt, columns=columns, mask=mask, determined=determined)


def _groups(signatures: Array) -> Array:
    """Which columns have one signature."""
    if not len(signatures):
        return np.zeros(0, dtype=np.int64)
    return np.unique(signatures, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _events(blocks: Blocks, names: Array) -> Array:
    """Packets of one name and one size in one sample, numbered: they are of one column unless two have both in common."""
    order = np.lexsort((blocks.amplitude, blocks.sample, names))
    new = np.zeros(len(order), dtype=np.int64)
    for key in (names, blocks.sample):
        new[1:] |= key[order[1:]] != key[order[:-1]]
    new[1:] |= np.diff(blocks.amplitude[order]) > 2.0 * blocks.tolerance
    events = np.empty(len(order), dtype=np.int64)
    events[order] = np.cumsum(new)
    return events


def _sources(blocks: Blocks) -> tuple[Array, int, int]:
    """The column of each packet, −1 where it is not clear; how many names several columns have; how many are unresolved."""
    names = index(blocks.names)
    total = int(names.max(initial=-1)) + 1
    events, cells = _events(blocks, names), index(names, blocks.block, blocks.fresh)
    per_name = [
        np.bincount(names[np.unique(numbers, return_index=True)[1]], minlength=total)
        for numbers in (cells, index(names, blocks.block), events, index(names, blocks.sample))
    ]
    plain = _cells(blocks, names)
    conflicting = np.flatnonzero((per_name[0] > per_name[1]) | (per_name[2] > per_name[3]) | _contradicted(plain))
    clear, sources, shared, unresolved = blocks.empty | blocks.single, names.copy(), 0, 0
    order = np.argsort(names, kind="stable")
    bounds = np.searchsorted(names[order], np.arange(total + 1))
    for name in conflicting:
        members = order[bounds[name] : bounds[name + 1]]
        places, place = np.unique(blocks.block[members], return_inverse=True)
        first, event = np.unique(events[members], return_index=True, return_inverse=True)[1:]
        states = np.where(clear[np.ix_(blocks.sample[members[first]], places)], NOTHING, UNKNOWN)
        states[event, place] = cells[members]
        part = _told_apart(states)[event]
        # a packet that its column contradicts is of no column
        for c in range(int(part.max(initial=-1)) + 1):
            mine = np.flatnonzero(part == c)
            usual = _most_frequent(place[mine], cells[members[mine]], len(places))
            part[mine[cells[members[mine]] != usual[place[mine]]]] = -1
        if np.mean(part >= 0) < RESOLVED:
            part[:] = -1
            unresolved += 1
        shared += int(part.max(initial=-1) > 0)
        sources[members] = np.where(part < 0, -1, total + part)
        total += int(part.max(initial=-1)) + 1
    return sources, shared, unresolved


def _most_frequent(place: Array, cell: Array, places: int) -> Array:
    """The cell that is seen most often at each place, −1 where none is."""
    pairs, counts = np.unique(np.stack([place, cell]), axis=1, return_counts=True)
    usual = np.full(places, -1, dtype=np.int64)
    order = np.argsort(counts, kind="stable")
    usual[pairs[0, order]] = pairs[1, order]
    return usual


def _told_apart(states: Array) -> Array:
    """The column of each event of one name, −1 where it is not clear, from what it shows block by block.

    ``states`` is ``(events, blocks)``: the cell that is seen, ``NOTHING`` where the block is clear of the column,
    ``UNKNOWN`` elsewhere.  Events that agree are of one column.  Those with most packets come first; one that agrees with
    no column and contradicts all begins another, one that does some of both belongs to two columns at once and is left out.
    """
    columns = np.empty((0, states.shape[1]), dtype=states.dtype)
    parts = np.full(len(states), -1, dtype=np.int64)
    counts = np.sum(states >= 0, axis=1)
    waiting = [int(e) for e in np.argsort(-counts, kind="stable") if counts[e] > 1]
    progress = True
    while progress:
        progress = False
        for e in list(waiting):
            both = (columns != UNKNOWN) & (states[e] != UNKNOWN)
            agreed = np.sum(both & (columns == states[e]) & (columns >= 0), axis=1)
            against = np.sum(both & (columns != states[e]), axis=1)
            fits = np.flatnonzero((agreed > 0) & (against <= 0.1 * agreed))
            if not len(fits) and ((against > 0) & (agreed <= 0.1 * against)).all():
                fits = np.array([len(columns)])
                columns = np.concatenate([columns, states[e][None]])
            if len(fits) == 1:
                parts[e] = fits[0]
                columns[fits[0]] = np.where(columns[fits[0]] == UNKNOWN, states[e], columns[fits[0]])
                waiting.remove(e)
                progress = True
    return parts


def _confirmed(blocks: Blocks, sources: Array) -> tuple[_Cells, int]:
    """Columns that no sample contradicts, seen twice and not rarely where accidents happen; and how many were not."""
    dropped, accidents = 0, _accidents(blocks)
    while True:
        cells = _cells(blocks, sources)
        if not len(cells.own):
            return cells, dropped
        k = len(cells.own)
        samples = np.bincount(
            cells.column[np.unique(index(cells.column, blocks.sample[cells.used]), return_index=True)[1]], minlength=k
        )
        once = (np.sum(cells.own > 0, axis=1) < 2) & (samples < 2)
        support = cells.own.sum(axis=1)
        hardly = once | (support < RARE * np.median(support))
        bad = (hardly & accidents) | _contradicted(cells)
        if not bad.any():
            return cells, dropped
        dropped += int(bad.sum())
        sources = sources.copy()
        sources[cells.used[bad[cells.column]]] = -1


def _accidents(blocks: Blocks) -> bool:
    """Whether several packets can look like one: where attributes of one sample have one size, and up to the noise.

    ``Σ_k ± x_k`` has one magnitude for all signs that occur only if these sizes ``x_k`` are related.
    """
    order = np.lexsort((blocks.amplitude, blocks.sample))
    names, sample, amplitude = blocks.names[order], blocks.sample[order], blocks.amplitude[order]
    pairs = (names[1:] != names[:-1]) & (sample[1:] == sample[:-1])
    close = np.diff(amplitude) <= 2.0 * blocks.tolerance
    return bool(np.sum(pairs & close) > COINCIDENCES * np.sum(pairs))


def _contradicted(cells: _Cells) -> Array:
    """Of each column, whether its packets are too often missing where they should be."""
    missed = np.sum(cells.missing * (cells.own > 0), axis=1)
    return missed > CONTRADICTED * (missed + cells.own.sum(axis=1))


def _cells(blocks: Blocks, sources: Array) -> _Cells:
    used = np.flatnonzero(sources >= 0)
    column = index(sources[used])
    n, count = blocks.single.shape
    k = int(column.max(initial=-1)) + 1
    sample, place = blocks.sample[used], blocks.block[used]
    own = np.bincount(column * count + place, minlength=k * count).reshape(k, count)
    active = np.zeros((k, n), dtype=np.float32)
    active[column, sample] = 1.0
    clear = blocks.empty.astype(np.float32)
    nothing = active @ clear
    clear[sample, place] = 1.0
    return _Cells(column, used, own, np.rint(active @ clear).astype(np.int64) - own, nothing)


def _signs(blocks: Blocks, cells: _Cells, nonnegative: bool | None) -> tuple[Array, Array, bool, int]:
    """``ς`` of each packet that is used, which of them have one, whether attributes are non-negative, how many have none.

    A packet seen in a sample ties the sign of its cell to that of the attribute: two copies of every cell and every
    attribute, one for each sign, tied accordingly, fall into pieces; a piece holds both copies of nothing unless it
    contradicts itself.
    """
    turned, sample, place = (x[cells.used] for x in (blocks.turned, blocks.sample, blocks.block))
    cell, attribute = index(cells.column, place), index(cells.column, sample)
    m, a = int(cell.max(initial=-1)) + 1, int(attribute.max(initial=-1)) + 1
    both = np.bincount(cell[turned > 0], minlength=m).astype(bool) & np.bincount(cell[turned < 0], minlength=m).astype(bool)
    if nonnegative is None:
        nonnegative = not both.any() and len(cell) - m >= REPEATS
    if nonnegative or not m:
        # the sign that was seen most often; noise turns none, so that others are accidents
        total = np.bincount(cell, weights=turned, minlength=m)
        return np.where(total >= 0.0, 1, -1)[cell], total[cell] != 0.0, bool(nonnegative), int(np.sum(total == 0.0))
    size = m + a
    left = np.concatenate([cell, cell + size])
    other = np.where(turned > 0, m + attribute, m + attribute + size)
    right = np.concatenate([other, (other + size) % (2 * size)])
    graph = sparse.coo_array((np.ones(len(left)), (left, right)), shape=(2 * size, 2 * size))
    pieces = connected_components(graph, directed=False)[1]
    plus, minus = pieces[:m], pieces[size : size + m]
    piece, sign = np.minimum(plus, minus), np.where(plus < minus, 1, -1)
    # the largest piece of each column, turned so that most attributes in it come out positive
    owner = np.zeros(m, dtype=np.int64)
    owner[cell] = cells.column
    weight = np.bincount(piece, weights=plus != minus, minlength=int(piece.max()) + 1)
    largest = np.zeros(len(cells.own), dtype=np.int64)
    order = np.argsort(weight[piece], kind="stable")
    largest[owner[order]] = piece[order]
    good = (piece == largest[owner]) & (plus != minus)
    mostly = np.bincount(cells.column, weights=turned * sign[cell] * good[cell], minlength=len(cells.own))
    sign = sign * np.where(mostly >= 0.0, 1, -1)[owner]
    return sign[cell], good[cell], False, int(np.sum(~good))


def _notes(learnt: LearntPackets, gain: float) -> list[str]:
    """What could not be determined."""
    found, (k, d) = learnt.diagnostics, learnt.columns.shape
    notes = []
    if found.copies:
        notes.append(f"{found.copies} samples are copies of others and teach nothing; {found.samples} differ.")
    if d < 2 * learnt.block:
        notes.append(f"d = {d} holds fewer than two blocks of {learnt.block}: names cannot be seen to repeat.")
    elif found.empty == found.blocks:
        notes.append("No sample holds anything but noise.")
    elif not found.sparse_enough:
        notes.append(
            f"The samples are not sparse enough, or these are not packets of length {learnt.block}: {found.single} of "
            f"{found.blocks} blocks hold one packet, {found.crowded} hold several."
        )
    if found.single and gain <= CERTAIN_BITS:
        notes.append("The blocks of one magnitude have names that do not repeat: nothing is learnt from them.")
    if d % learnt.block and not learnt.determined[:, -1].all():
        notes.append(f"The last {d % learnt.block} coordinates are no whole block: not all is learnt there.")
    if found.unconfirmed:
        notes.append(f"{found.unconfirmed} names were hardly seen, or contradicted: not among the columns.")
    if found.unresolved_names:
        notes.append(f"{found.unresolved_names} names are of several columns that could not be told apart: left out.")
    if found.unsigned_cells:
        notes.append(f"{found.unsigned_cells} packets have no sign relative to the rest of their columns: left out.")
    if k:
        if found.cells_seen < 1.0:
            total = k * (d // learnt.block)
            missing = int(np.sum(~learnt.determined[:, : d // learnt.block * learnt.block : learnt.block]))
            notes.append(f"{missing} of {total} cells (column, block) were never seen alone: not determined.")
        if k > d:
            notes.append(f"p = {k} columns in d = {d} coordinates: attributes are not determined.")
        elif not learnt.decodable:
            notes.append(f"The {k} columns, as far as they are known, are dependent: attributes are not determined.")
        elif not learnt.exact:
            notes.append("Too few coordinates have all columns determined: decoded attributes are approximate.")
        elif found.explained < 1.0:
            notes.append(f"{1.0 - found.explained:.1%} of the samples hold more than these columns: some are missing.")
    return notes
