"""The dictionary ``B`` of a structure, formed: for decoders that need its columns, at sizes where it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simnet.matrices.base import slices_of
from simnet.networks import Structure
from simnet.networks.network import Name
from simnet.networks.structure import Step

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]

#: Columns of one object: where they stand in ``z``, and the columns themselves, one in a row.
Columns = tuple[Array, Array]

#: Modules that do not wait for each other share their calls as long as their columns take no more than this.
TOGETHER_BYTES = 1 << 24


def own_columns(encoder: Encoder, modules: Sequence[Name]) -> list[Array]:
    """``η_a T_a [ξ_x R_{M,1}, ξ_e R_{M,2} e₁]`` of each module, one column in a row: ``(a + 1, d)``."""
    recipe = encoder.recipe
    units = [recipe.value_share * np.eye(encoder.network.module(m).attribute_dim, dtype=encoder.dtype) for m in modules]
    values = _parted(encoder.products_of([encoder.value_matrix(m) for m in modules], units), units)
    marks = [recipe.presence_share * encoder.presence_column(m)[None] for m in modules]
    own = [np.concatenate(both) for both in zip(values, marks, strict=True)]
    made = encoder.transparent_products([(m, "attribute") for m in modules], own, recipe.attribute_share)
    return _parted(made, own)


def dictionary(encoder: Encoder, structure: Structure, *, one_mark: bool = False) -> Array:
    """``Bᵀ``: the columns of ``encoder.operator(structure)``, one in a row, in natural order of the coordinates.

    An object passes its own columns and those of everything below it to its consumers, so that a column costs three
    transforms for each object above it: far fewer than ``p`` encodings.

    Returns
    -------
    (p, d) array, or (Σ a + 1, d) with ``one_mark``
        With ``one_mark`` the columns of all attributes, and then the sum of all marks, which meet on their way as one.
    """
    recipe = encoder.recipe
    dims = np.array(structure.attribute_dims, dtype=np.intp) + (0 if one_mark else 1)
    starts = np.concatenate([[0], np.cumsum(dims)])
    mark = starts[-1:]
    below: dict[int, Columns] = {}
    for steps in _together(encoder, structure, below):
        inputs = _gather(encoder, steps, below, structure) if recipe.input_share else {}
        fed = [(step.module, int(k)) for step in steps for k in step.objects if int(k) in inputs]
        blocks = [inputs[k][1] for _, k in fed]
        if fed:
            mixed = encoder.transparent_products([(m, "input") for m, _ in fed], blocks, recipe.input_share)
            inputs = {k: (inputs[k][0], part) for (_, k), part in zip(fed, _parted(mixed, blocks), strict=True)}
        names, blocks = [], []
        for step, own in zip(steps, own_columns(encoder, [step.module for step in steps]), strict=True):
            for k in step.objects.tolist():
                mine, block = np.arange(starts[k], starts[k + 1]), own
                if one_mark:
                    mine = np.append(mine, mark)
                if k in inputs:
                    others, mixed = inputs[k]
                    if one_mark:  # which is the last of both
                        mixed[-1] += block[-1]
                        mine, block = mine[:-1], block[:-1]
                    mine, block = np.concatenate([mine, others]), np.concatenate([block, mixed])
                names.append(mine)
                blocks.append(block)
        objects = [(step.module, int(k)) for step in steps for k in step.objects]
        stacked = encoder.transparent_products([(m, "object") for m, _ in objects], blocks)
        for (_, k), mine, block in zip(objects, names, _parted(stacked, blocks), strict=True):
            below[k] = (mine, block)
    result = np.zeros((int(starts[-1]) + one_mark, encoder.sketch_dim), encoder.dtype)
    for mine, block in _gather(encoder, [structure.root], below, structure).values():
        result[mine] = block
    return result


def _together(encoder: Encoder, structure: Structure, below: dict[int, Columns]) -> Iterator[list[Step]]:
    """The steps level by level, as many at a time as there is room for; ``below`` holds what came before."""
    heights: dict[int, int] = {}
    levels: dict[int, list[Step]] = {}
    for step in structure.steps:
        height = 1 + max((heights[int(k)] for slot in step.slots for k in slot.children), default=-1)
        heights |= dict.fromkeys(step.objects.tolist(), height)
        levels.setdefault(height, []).append(step)
    for steps in levels.values():
        group, room = list[Step](), 0
        for step in steps:
            own = len(step.objects) * (encoder.network.module(step.module).attribute_dim + 1)
            columns = own + sum(len(below[int(k)][0]) for slot in step.slots for k in slot.children)
            room += columns * encoder.sketch_dim * encoder.dtype.itemsize
            if group and room > TOGETHER_BYTES:
                yield group
                group, room = [], columns * encoder.sketch_dim * encoder.dtype.itemsize
            group.append(step)
        yield group


def _gather(encoder: Encoder, steps: Sequence[Step], below: dict[int, Columns], structure: Structure) -> dict[int, Columns]:
    """``Σ_i w_i T(R_{M,in,i})`` of the columns of the inputs, for each object of the steps that has any."""
    slots = [(step.module, slot) for step in steps for slot in step.slots]
    if not slots:
        return {}
    weights = structure.edge_weights.astype(encoder.dtype)
    columns = [[below[int(child)] for child in slot.children] for _, slot in slots]
    lengths = [[len(names) for names, _ in mine] for mine in columns]
    blocks = [np.concatenate([block for _, block in mine]) for mine in columns]
    scale = np.concatenate([np.repeat(weights[slot.edges], n) for (_, slot), n in zip(slots, lengths, strict=True)])[:, None]
    mixed = encoder.transparent_products([(module, slot.slot) for module, slot in slots], blocks, scale)
    found: dict[int, list[Columns]] = {}
    for (_, slot), mine, part in zip(slots, columns, _parted(mixed, blocks), strict=True):
        parts = _parted(part, [block for _, block in mine])
        for parent, (names, _), block in zip(slot.parents.tolist(), mine, parts, strict=True):
            found.setdefault(parent, []).append((names, block))
    return {parent: _merge(parts) for parent, parts in found.items()}


def _parted(rows: Array, like: Sequence[Array]) -> list[Array]:
    """Rows that lie one after the other, as those of as many batches."""
    return [rows[part] for part in slices_of(like)]


def _merge(parts: list[Columns]) -> Columns:
    """The sum: an object that fills several slots has one set of columns."""
    if len(parts) == 1:
        return parts[0]
    names = np.unique(np.concatenate([mine for mine, _ in parts]))
    total = np.zeros((len(names), parts[0][1].shape[1]), parts[0][1].dtype)
    for mine, block in parts:
        total[np.searchsorted(names, mine)] += block
    return names, total
