"""The dictionary ``B`` of a structure, formed: for decoders that need its columns, at sizes where it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks import Structure
from simnet.networks.network import Name
from simnet.networks.structure import Step

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]

#: Columns of one object: where they stand in ``z``, and the columns themselves, one in a row.
Columns = tuple[Array, Array]


def own_columns(encoder: Encoder, module: Name) -> Array:
    """``η_a T_a [ξ_x R_{M,1}, ξ_e R_{M,2} e₁]``, one column in a row: ``(a + 1, d)``."""
    recipe = encoder.recipe
    unit = np.eye(encoder.network.module(module).attribute_dim, dtype=encoder.dtype)
    values = recipe.value_share * encoder.value_matrix(module).matvec(unit)
    marks = recipe.presence_share * encoder.presence_column(module)[None]
    return recipe.attribute_share * encoder.transparent(module, "attribute", np.concatenate([values, marks]))


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
    for step in structure.steps:
        own = own_columns(encoder, step.module)
        inputs = _gather(encoder, step, below, structure) if recipe.input_share else {}
        names, blocks = [], []
        for row, k in enumerate(step.objects):
            mine, block = np.arange(starts[k], starts[k + 1]), own
            if one_mark:
                mine = np.append(mine, mark)
            if row in inputs:
                others = inputs[row][0]
                mixed = recipe.input_share * encoder.transparent(step.module, "input", inputs[row][1])
                if one_mark:  # which is the last of both
                    mixed[-1] += block[-1]
                    mine, block = mine[:-1], block[:-1]
                mine, block = np.concatenate([mine, others]), np.concatenate([block, mixed])
            names.append(mine)
            blocks.append(block)
        stacked = encoder.transparent(step.module, "object", np.concatenate(blocks))
        ends = np.cumsum([len(block) for block in blocks])
        for k, name, block in zip(step.objects, names, np.split(stacked, ends[:-1]), strict=True):
            below[int(k)] = (name, block)
    result = np.zeros((int(starts[-1]) + one_mark, encoder.sketch_dim), encoder.dtype)
    for name, block in _gather(encoder, structure.root, below, structure).values():
        result[name] = block
    return result


def _gather(encoder: Encoder, step: Step, below: dict[int, Columns], structure: Structure) -> dict[int, Columns]:
    """``Σ_i w_i T(R_{M,in,i})`` of the columns of the inputs, for each object of a step that has any."""
    weights = structure.edge_weights.astype(encoder.dtype)
    found: dict[int, list[Columns]] = {}
    for slot, edges, rows, _, children in step.slots:
        columns = [below[int(child)] for child in children]
        lengths = [len(names) for names, _ in columns]
        scale = np.repeat(weights[edges], lengths)[:, None]
        mixed = encoder.transparent(step.module, slot, np.concatenate([block for _, block in columns]), scale)
        for row, (names, _), block in zip(rows, columns, np.split(mixed, np.cumsum(lengths)[:-1]), strict=True):
            found.setdefault(int(row), []).append((names, block))
    return {row: _merge(parts) for row, parts in found.items()}


def _merge(parts: list[Columns]) -> Columns:
    """The sum: an object that fills several slots has one set of columns."""
    if len(parts) == 1:
        return parts[0]
    names = np.unique(np.concatenate([mine for mine, _ in parts]))
    total = np.zeros((len(names), parts[0][1].shape[1]), parts[0][1].dtype)
    for mine, block in parts:
        total[np.searchsorted(names, mine)] += block
    return names, total
