"""Columns of the dictionary ``B``, formed: for decoders that need them, and for runs that share an object graph.

Many encodes would form ``B`` too, one for each column.  Here an object hands its columns and those of everything below it on
to its consumers, so that a column costs three products for each object above it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.matrices.base import slices_of
from simnet.networks import Structure
from simnet.networks.network import Name
from simnet.networks.structure import Step

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]

#: A matrix of a module: what it is for, or its slot.
Role = tuple[Name, str | int]

#: Modules that do not wait for each other share their calls as long as their columns take no more than this.
TOGETHER_BYTES = 1 << 24


class Columns(NamedTuple):
    """Columns that an object hands on, or that arrive at one."""

    names: Array  # where the coefficient of each stands in z
    paths: Array  # by which edges each came, if their weights are not in it: a number of Paths
    blocks: tuple[Array, ...]  # the columns themselves, one in a row; in pieces, which spares copies


class Paths:
    """Sequences of edges by number, 0 for the empty one.

    Where weights differ from run to run, columns do without them: the coefficient of a column is multiplied by the weights
    of the edges that it came by, and an object that is reached by several paths has columns of its own for each.
    """

    def __init__(self) -> None:
        self.edges, self.rests = [-1], [0]

    def along(self, edge: int, paths: Array) -> Array:
        """The numbers of such paths with one more edge at their upper end."""
        known, where = np.unique(paths, return_inverse=True)
        first = len(self.edges)
        self.edges += [edge] * len(known)
        self.rests += known.tolist()
        return first + where

    def weights(self, weights: Array) -> Array:
        """The products of weights along every path: ``(edges, n)`` to ``(paths, n)``."""
        made = np.ones((len(self.edges), weights.shape[1]), weights.dtype)
        for i in range(1, len(made)):
            np.multiply(weights[self.edges[i]], made[self.rests[i]], out=made[i])
        return made


def own_columns(encoder: Encoder, modules: Sequence[Name]) -> list[Array]:
    """``η_a T_a [ξ_x R_{M,1}, ξ_e R_{M,2} e₁]`` of each module, one column in a row: ``(a + 1, d)``."""
    if not modules:
        return []
    recipe = encoder.recipe
    units = [recipe.value_share * np.eye(encoder.network.module(m).attribute_dim, dtype=encoder.dtype) for m in modules]
    values = encoder.products_of([(m, "value") for m in modules], units)
    own = [
        (values[part], recipe.presence_share * encoder.presence_column(m)[None])
        for m, part in zip(modules, slices_of(units), strict=True)
    ]
    return _through(encoder, [(m, "attribute") for m in modules], own, recipe.attribute_share)


def dictionary(encoder: Encoder, structure: Structure, *, one_mark: bool = False) -> Array:
    """``Bᵀ``: the columns of ``encoder.operator(structure)``, one in a row, in natural order of the coordinates.

    Returns
    -------
    (p, d) array, or (Σ a + 1, d) with ``one_mark``
        With ``one_mark`` the columns of all attributes, and then the sum of all marks, which meet on their way as one.
    """
    arriving, _ = column_blocks(encoder, structure, one_mark=one_mark)
    size = sum(structure.attribute_dims) + (1 if one_mark else len(structure))
    result = np.zeros((size, encoder.sketch_dim), encoder.dtype)
    for columns in arriving.values():
        scatter(columns, result)
    return result


def scatter(columns: Columns, rows: Array) -> None:
    """Columns to the rows that they are named by."""
    for part, block in zip(slices_of(columns.blocks), columns.blocks, strict=True):
        rows[columns.names[part]] = block


def column_blocks(
    encoder: Encoder,
    structure: Structure,
    *,
    one_mark: bool,
    kept: Array | None = None,
    own: bool = False,
    paths: Paths | None = None,
) -> tuple[dict[int, Columns], dict[Name, Array]]:
    """The columns of some objects, as far as these hand them on.

    Parameters
    ----------
    one_mark : bool
        Whether the marks of all objects have one coefficient, the last of ``z``.
    kept : (objects,) bool array, optional
        Which objects hand on columns: all inputs of such an object do.  All of them when it is not given.
    own : bool
        Whether the own columns of the others are asked for.
    paths : Paths, optional
        What takes up the edges by which columns came, whose weights are then not in them.

    Returns
    -------
    arriving : dict
        By object, ``root`` among them as the number of objects: the columns that its inputs hand to its slots, ready for
        ``T_b``.  Only objects that do not hand on columns themselves, and only if something arrives.
    parts : dict
        By module: :func:`own_columns`.
    """
    recipe = encoder.recipe
    kept = np.ones(len(structure), dtype=bool) if kept is None else kept
    dims = np.array(structure.attribute_dims, dtype=np.intp) + (0 if one_mark else 1)
    starts = np.concatenate([[0], np.cumsum(dims)])
    below: dict[int, Columns] = {}
    arriving: dict[int, Columns] = {}
    parts: dict[Name, Array] = {}
    takers = Counter(structure.edge_ends[2].tolist())
    for steps in _together(encoder, structure, below, kept):
        inputs = _gather(encoder, steps, below, structure, paths) if recipe.input_share else {}
        arriving |= {k: columns for k, columns in inputs.items() if not kept[k]}
        _forget(steps, below, takers)
        objects = [(step.module, int(k)) for step in steps for k in step.objects if kept[k]]
        fed = [(module, k) for module, k in objects if k in inputs]
        mixed = _through(encoder, [(m, "input") for m, _ in fed], [inputs[k].blocks for _, k in fed], recipe.input_share)
        inputs = {k: inputs[k]._replace(blocks=(block,)) for (_, k), block in zip(fed, mixed, strict=True)}
        modules = [step.module for step in steps if own or kept[step.objects].any()]
        mine = dict(zip(modules, own_columns(encoder, modules), strict=True))
        parts |= {step.module: mine[step.module] for step in steps if own and not kept[step.objects].all()}
        made = []
        for module, k in objects:
            names = np.arange(starts[k], starts[k + 1])
            if one_mark:
                names = np.append(names, starts[-1])
            columns = Columns(names, np.zeros(len(names), dtype=np.intp), (mine[module],))
            made.append(_merge([inputs[k], columns], paths) if k in inputs else columns)
        blocks = _through(encoder, [(module, "object") for module, _ in objects], [columns.blocks for columns in made])
        below |= {k: x._replace(blocks=(block,)) for (_, k), x, block in zip(objects, made, blocks, strict=True)}
    return arriving | _gather(encoder, [structure.root], below, structure, paths), parts


def _together(encoder: Encoder, structure: Structure, below: dict[int, Columns], kept: Array) -> Iterator[list[Step]]:
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
            own = int(kept[step.objects].sum()) * (encoder.network.module(step.module).attribute_dim + 1)
            columns = own + sum(len(below[int(k)].names) for slot in step.slots for k in slot.children if kept[k])
            if group and taken + columns > room:
                yield group
                group, taken = [], 0
            group.append(step)
            taken += columns
        yield group


def _forget(steps: Sequence[Step], below: dict[int, Columns], takers: Counter[int]) -> None:
    """Leave the columns that the steps were the last to take."""
    for step in steps:
        for slot in step.slots:
            for child in slot.children.tolist():
                takers[child] -= 1
                if not takers[child]:
                    below.pop(child, None)


def _gather(
    encoder: Encoder, steps: Sequence[Step], below: dict[int, Columns], structure: Structure, paths: Paths | None
) -> dict[int, Columns]:
    """``Σ_i w_i T(R_{M,in,i})`` of the columns of the inputs, for each object of the steps that has any."""
    edges = [
        ((step.module, slot.slot), int(edge), int(parent), below[int(child)])
        for step in steps
        for slot in step.slots
        for edge, parent, child in zip(slot.edges, slot.parents, slot.children, strict=True)
        if int(child) in below
    ]
    scale: Any = 1.0
    if paths is None:
        weights = structure.edge_weights[[edge for _, edge, _, _ in edges]].astype(encoder.dtype)
        scale = np.repeat(weights, [len(columns.names) for *_, columns in edges])[:, None]
    made = _through(encoder, [role for role, *_ in edges], [columns.blocks for *_, columns in edges], scale)
    found: dict[int, list[Columns]] = {}
    for (_, edge, parent, columns), block in zip(edges, made, strict=True):
        came = columns.paths if paths is None else paths.along(edge, columns.paths)
        found.setdefault(parent, []).append(Columns(columns.names, came, (block,)))
    return {parent: _merge(parts, paths) for parent, parts in found.items()}


def _through(encoder: Encoder, roles: Sequence[Role], columns: Sequence[tuple[Array, ...]], scale: Any = 1.0) -> list[Array]:
    """``scale · T(R)`` of columns, each matrix with those of its own; those beside each other meet one matrix together."""
    if not columns:
        return []
    names, batches = [], []
    for role, members in groupby(zip(roles, columns, strict=True), key=itemgetter(0)):
        blocks = [block for _, several in members for block in several]
        if not encoder.family.rowwise:  # whose matrices are large, and meet a batch as a whole
            blocks = [np.concatenate(blocks)]
        names += [role] * len(blocks)
        batches += blocks
    made = encoder.transparent_products(names, batches, scale)
    ends = np.cumsum([sum(map(len, several)) for several in columns])
    return np.split(made, ends[:-1])


def _merge(parts: list[Columns], paths: Paths | None) -> Columns:
    """The sum: an object has one set of columns from all its slots, or one for each path.  Writes to the first of equals."""
    if len(parts) == 1:
        return parts[0]
    if paths is None:
        where: dict[int, Array] = {}
        parts = [_new(columns, where) for columns in parts]
    blocks = tuple(block for columns in parts for block in columns.blocks)
    names, came = (np.concatenate([columns[i] for columns in parts]) for i in range(2))
    return Columns(names, came, blocks)


def _new(columns: Columns, where: dict[int, Array]) -> Columns:
    """Those whose names are not known yet; the others are added to those that are."""
    (block,) = columns.blocks
    names = columns.names.tolist()
    fresh = [i for i, name in enumerate(names) if name not in where]
    if len(fresh) < len(block):
        for i, name in enumerate(names):
            if name in where:
                where[name] += block[i]
        most = len(fresh)
        taken: Any = slice(most) if fresh == list(range(most)) else fresh
        columns = Columns(columns.names[taken], columns.paths[taken], (block[taken],))
    where.update(zip(columns.names.tolist(), columns.blocks[0], strict=True))
    return columns
