"""The dictionary ``B`` of a structure, formed: for decoders that need its columns, at sizes where it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
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

#: A matrix of a module: what it is for, or its slot.
Role = tuple[Name, str | int]

#: Modules that do not wait for each other share their calls as long as their columns take no more than this.
TOGETHER_BYTES = 1 << 24


def own_columns(encoder: Encoder, modules: Sequence[Name]) -> list[Array]:
    """``η_a T_a [ξ_x R_{M,1}, ξ_e R_{M,2} e₁]`` of each module, one column in a row: ``(a + 1, d)``."""
    recipe = encoder.recipe
    units = [recipe.value_share * np.eye(encoder.network.module(m).attribute_dim, dtype=encoder.dtype) for m in modules]
    values = encoder.products_of([(m, "value") for m in modules], units)
    own = [
        np.concatenate([values[part], recipe.presence_share * encoder.presence_column(m)[None]])
        for m, part in zip(modules, slices_of(units), strict=True)
    ]
    return _through(encoder, [(m, "attribute") for m in modules], own, recipe.attribute_share)


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
        objects = [(step.module, int(k)) for step in steps for k in step.objects]
        fed = [(module, k) for module, k in objects if k in inputs]
        mixed = _through(encoder, [(m, "input") for m, _ in fed], [inputs[k][1] for _, k in fed], recipe.input_share)
        inputs = {k: (inputs[k][0], block) for (_, k), block in zip(fed, mixed, strict=True)}
        modules = [step.module for step in steps]
        own = dict(zip(modules, own_columns(encoder, modules), strict=True))
        names, blocks = [], []
        for module, k in objects:
            mine, block = np.arange(starts[k], starts[k + 1]), own[module]
            if one_mark:
                mine = np.append(mine, mark)
            if k in inputs:
                others, below_it = inputs[k]
                if one_mark:  # which is the last of both
                    below_it[-1] += block[-1]
                    mine, block = mine[:-1], block[:-1]
                mine, block = np.concatenate([mine, others]), np.concatenate([block, below_it])
            names.append(mine)
            blocks.append(block)
        made = _through(encoder, [(module, "object") for module, _ in objects], blocks)
        below |= {k: (mine, block) for (_, k), mine, block in zip(objects, names, made, strict=True)}
    result = np.zeros((int(starts[-1]) + one_mark, encoder.sketch_dim), encoder.dtype)
    for mine, block in _gather(encoder, [structure.root], below, structure).values():
        result[mine] = block
    return result


def _together(encoder: Encoder, structure: Structure, below: dict[int, Columns]) -> Iterator[list[Step]]:
    """The steps level by level, as many at a time as there is room for; ``below`` holds what came before."""
    room = TOGETHER_BYTES // (encoder.sketch_dim * encoder.dtype.itemsize)
    heights: dict[int, int] = {}
    levels: dict[int, list[Step]] = {}
    for step in structure.steps:
        height = 1 + max((heights[int(k)] for slot in step.slots for k in slot.children), default=-1)
        heights |= dict.fromkeys(step.objects.tolist(), height)
        levels.setdefault(height, []).append(step)
    for steps in levels.values():
        group, taken = list[Step](), 0
        for step in steps:
            own = len(step.objects) * (encoder.network.module(step.module).attribute_dim + 1)
            columns = own + sum(len(below[int(k)][0]) for slot in step.slots for k in slot.children)
            if group and taken + columns > room:
                yield group
                group, taken = [], 0
            group.append(step)
            taken += columns
        yield group


def _gather(encoder: Encoder, steps: Sequence[Step], below: dict[int, Columns], structure: Structure) -> dict[int, Columns]:
    """``Σ_i w_i T(R_{M,in,i})`` of the columns of the inputs, for each object of the steps that has any."""
    edges = [
        ((step.module, slot.slot), int(edge), int(parent), below[int(child)])
        for step in steps
        for slot in step.slots
        for edge, parent, child in zip(slot.edges, slot.parents, slot.children, strict=True)
    ]
    if not edges:
        return {}
    weights = structure.edge_weights[[edge for _, edge, _, _ in edges]].astype(encoder.dtype)
    scale = np.repeat(weights, [len(names) for _, _, _, (names, _) in edges])[:, None]
    made = _through(encoder, [role for role, _, _, _ in edges], [block for _, _, _, (_, block) in edges], scale)
    found: dict[int, list[Columns]] = {}
    for (_, _, parent, (names, _)), block in zip(edges, made, strict=True):
        found.setdefault(parent, []).append((names, block))
    return {parent: _merge(parts) for parent, parts in found.items()}


def _through(encoder: Encoder, roles: Sequence[Role], blocks: Sequence[Array], scale: Any = 1.0) -> list[Array]:
    """``scale · T(R)`` of the rows of each block; blocks beside each other that meet one matrix meet it together."""
    if not blocks:
        return []
    names, batches = [], []
    for role, members in groupby(zip(roles, blocks, strict=True), key=itemgetter(0)):
        mine = [block for _, block in members]
        names.append(role)
        batches.append(mine[0] if len(mine) == 1 else np.concatenate(mine))
    made = encoder.transparent_products(names, batches, scale)
    return [made[part] for part in slices_of(blocks)]


def _merge(parts: list[Columns]) -> Columns:
    """The sum: an object that fills several slots has one set of columns."""
    if len(parts) == 1:
        return parts[0]
    names = np.unique(np.concatenate([mine for mine, _ in parts]))
    total = np.zeros((len(names), parts[0][1].shape[1]), parts[0][1].dtype)
    for mine, block in parts:
        total[np.searchsorted(names, mine)] += block
    return names, total
