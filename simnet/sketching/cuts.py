"""Where an encode of many runs goes over from columns to sketches: what a cut costs, and which is cheapest.

The sketches of one object in ``n`` runs are ``n`` rows.  They are linear in what the runs hold, so they are coefficients
times *columns* too: those of the object and of everything below it.  A product with a matrix costs as many transforms as
what goes through it has rows, so objects hand on columns as long as these are few, and from there on sketches of runs.
With columns all the way the root receives the dictionary ``B``, and the sketches are one matrix product.

Weights that all runs share are in the columns, and an object that is reached by several paths has one set of them.  Weights
that differ are in the coefficients, and it has a set for each path.  All objects of a run are there, so that marks add up to
one column where weights are shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks import Group, Structure
from simnet.sketching.plan import products

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]

#: Columns are not formed if what is kept of them takes more than this.
DICTIONARY_BYTES = 1 << 28

#: What a product costs beside its own work, for each coordinate, in multiply-adds of a large matrix product: passes over the
#: vector for shares, weights and sums.  Columns are copied once more.
PASSES, COLUMN_PASSES = 18.0, 40.0

#: What an object costs in calls, whatever the size, in multiply-adds: without columns, and with.
CALLS, CUT_CALLS = 1.2e6, 3.0e6

#: A cut that depends on the number of runs is taken if the dictionary costs more than so many times as much.
AGAIN = 1.5


@dataclass(frozen=True, eq=False)
class Cut:
    """Which objects hand on columns, and what an encode then has to do."""

    shared: bool  # whether all runs have the same weights, which are then in the columns
    kept: Array  # (objects,) bool
    own: bool  # whether the own parts of the others are columns too
    columns: float  # products with columns, once
    rows: float  # products with a row of each run
    held: float  # columns that are multiplied with what runs hold: no fewer than are kept

    @property
    def whole(self) -> bool:
        """Whether all objects hand on columns, so that the root receives the dictionary."""
        return bool(self.kept.all())


def cut(structure: Structure, runs: float, *, shared: bool) -> Cut:
    """The cut where an object hands on columns as long as these are no more than ``runs``."""
    kept = column_counts(structure, shared=shared) <= runs
    own = max(structure.attribute_dims, default=0) + 1 <= runs
    key = ("cut", shared, own, kept.tobytes())
    if key not in structure.plans:
        structure.plans[key] = _cut(structure, kept, own, shared)
    return structure.plans[key]


def column_counts(structure: Structure, *, shared: bool) -> Array:
    """How many columns every object hands on: at least as many as each of its inputs."""
    key = ("columns", shared)
    if key not in structure.plans:
        dims = np.array(structure.attribute_dims, dtype=float)
        if shared:
            counts = np.array([dims[row].sum() for row in _below(structure)]) + 1.0
        else:
            counts = dims + 1.0
            with np.errstate(over="ignore"):  # of paths there can be more than there are numbers
                for step in structure.steps:
                    for slot in step.slots:
                        np.add.at(counts, slot.parents, counts[slot.children])
        structure.plans[key] = counts
    return structure.plans[key]


def _below(structure: Structure) -> Array:
    """Which objects every object has below it, itself among them: ``(objects, objects)``."""
    below = np.eye(len(structure), dtype=bool)
    for step in structure.steps:
        for slot in step.slots:
            for parent, child in zip(slot.parents, slot.children, strict=True):
                below[parent] |= below[child]
    return below


def _cut(structure: Structure, kept: Array, own: bool, shared: bool) -> Cut:
    dims = np.array(structure.attribute_dims, dtype=float)
    counts, below = column_counts(structure, shared=shared), _below(structure) if shared else None
    columns, rows, held = 0.0, 0.0, 0.0
    for step in (*structure.steps, structure.root):
        root = step is structure.root
        if not root and (own or kept[step.objects].any()):
            columns += 2 * (float(dims[step.objects[0]]) + 1)  # R_{M,1}, R_{M,2} and T_a, once for a module
        given: dict[int, list[int]] = {}  # by consumer, what hands columns to it
        fed = set[int]()
        for slot in step.slots:
            fed.update(slot.parents.tolist())
            for parent, child in zip(slot.parents.tolist(), slot.children.tolist(), strict=True):
                if kept[child]:
                    columns += float(counts[child])
                    given.setdefault(parent, []).append(child)
                else:
                    rows += 1
        for parent, children in given.items():
            if root or not kept[parent]:
                held += float(counts[children].sum() if below is None else below[children].any(axis=0) @ dims + 1.0)
        for k in () if root else step.objects.tolist():
            if kept[k]:  # T_0, and T_b for what is below
                columns += float(counts[k]) + (k in fed) * (float(counts[k] - dims[k]) - (0 if shared else 1))
            else:
                rows += 1 + (k in fed) + (0 if own else 2)
                held += own * (float(dims[k]) + 1)
    return Cut(shared, kept, own, columns, rows, held)


def cost(encoder: Encoder, structure: Structure, runs: int, way: Cut | None) -> float:
    """What ``runs`` runs cost by a cut, or by sketches of runs alone, in multiply-adds of a large matrix product."""
    d, product = encoder.sketch_dim, encoder.family.product_cost(encoder.sketch_dim)
    row, column = product + PASSES * d, product + COLUMN_PASSES * d
    if way is None:
        return runs * products(structure) * row + CALLS * len(structure)
    return way.columns * column + runs * (way.rows * row + way.held * d) + CUT_CALLS * len(structure)


def best_cut(encoder: Encoder, group: Group) -> Cut | None:
    """The cheapest cut for the runs of a group, if there is one with room for its columns that is cheaper than none.

    One where all objects hand on columns is taken before a little cheaper one: it serves the next batch of any size.
    """
    structure, runs = group.structure, len(group)
    if not structure.root.slots or runs <= min(structure.attribute_dims) + 1:  # nothing to hand on, or not in fewer columns
        return None
    most = cost(encoder, structure, runs, None)
    if most <= CUT_CALLS * len(structure):
        return None
    shared = shares_weights(group)
    room = DICTIONARY_BYTES // (encoder.sketch_dim * encoder.dtype.itemsize)
    costs: dict[Cut, float] = {}
    for limit in (runs, np.inf):
        way = cut(structure, limit, shared=shared)
        if way.held <= room:
            costs[way] = cost(encoder, structure, runs, way)
    best = min(costs, key=costs.__getitem__, default=None)
    if best is None or costs[best] >= most:
        return None
    again = [way for way in costs if way.whole and costs[way] <= min(AGAIN * costs[best], most)]
    return again[0] if again else best


def shares_weights(group: Group) -> bool:
    """Whether all runs of a group have the same weights."""
    return len(group.weights) == 1 or bool((group.weights == group.weights[0]).all())
