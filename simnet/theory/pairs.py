"""Law 0 for many pairs of runs at once: the recursion of the place Gram over stacks of runs.

A *stack* holds many object graphs one after the other, their objects sorted by module.  What reaches the pairs of objects
of two stacks from above is then one array, and a step of the recursion, for one module, is a handful of products with the
sparse matrices of its slots: no loop over pairs, whatever wirings they have.  Runs that share a graph and its weights share
their objects in a stack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simnet.networks import Group
from simnet.networks.network import Name
from simnet.recipes import Recipe

Array = NDArray[Any]

#: Runs are stacked until they have about so many objects: what lies between two stacks then stays in the cache.
STACKED = 1000


class Members(NamedTuple):
    """The objects of one module in a stack, and the edges into them."""

    objects: slice
    children: Array  # what fills their slots, each object once
    slots: dict[int, Any]  # sparse (objects, children): the weights of the edges into each slot
    total: Any  # their sum


class Own(NamedTuple):
    """The objects of one module run by run, as positions among its members, with their attributes."""

    members: Array
    attributes: Array
    sums: Any  # sparse (runs, objects): adds up those of each run


class Stack(NamedTuple):
    """Object graphs one after the other.  Modules go by their place in the order; ``root`` is an object of one after all."""

    runs: Array
    modules: Array  # of every object, ascending
    members: dict[int, Members]
    own: dict[int, Own]


def stacks(groups: Sequence[Group], order: Mapping[Name, int], shared: Collection[Name]) -> Iterator[Stack]:
    """The runs of some groups in stacks, with the attributes of the modules ``shared``."""
    waiting: list[Group] = []
    room = STACKED
    for group in groups:
        size, start = len(group.structure) + 1, 0
        while start < len(group):
            rows = np.arange(start, min(len(group), start + max(1, room // size)))
            waiting.append(group.subset(rows, group.runs[rows]))
            start, room = start + len(rows), room - size * len(rows)
            if room < size:
                yield stack(waiting, order, shared)
                waiting, room = [], STACKED
    if waiting:
        yield stack(waiting, order, shared)


def stack(groups: Sequence[Group], order: Mapping[Name, int], shared: Collection[Name]) -> Stack:
    """The runs of some groups in one stack."""
    codes = [np.array([*map(order.__getitem__, group.structure.modules), len(order)]) for group in groups]
    modules, edges, firsts, size = [], [], [], 0
    for group, mine in zip(groups, codes, strict=True):
        weights, graph_of = np.unique(group.weights, axis=0, return_inverse=True)
        starts = size + len(mine) * np.arange(len(weights))[:, None]
        parents, slots, children = group.structure.edge_ends
        edges.append([part.ravel() for part in (starts + parents, slots + 0 * starts, starts + children, weights)])
        modules.append(np.tile(mine, len(weights)))
        firsts.append(np.broadcast_to(starts[graph_of.ravel()], (len(group), 1)))  # where the objects of each run begin
        size += modules[-1].size
    unsorted = np.concatenate(modules)
    place = np.argsort(np.argsort(unsorted, kind="stable"))
    parents, slots, children, weights = (np.concatenate(parts) for parts in zip(*edges, strict=True))
    parents, children = place[parents], place[children]
    ascending = np.sort(unsorted)
    members = {}
    for code in np.unique(unsorted).tolist():
        objects = slice(*np.searchsorted(ascending, [code, code + 1]).tolist())
        mine = np.flatnonzero((objects.start <= parents) & (parents < objects.stop))
        members[code] = _members(objects, parents[mine] - objects.start, slots[mine], children[mine], weights[mine])
    own = {}
    for code in {order[name] for name in shared} & members.keys():
        positions = [np.flatnonzero(mine == code) for mine in codes]
        own[code] = Own(
            np.concatenate([place[first + at].ravel() for first, at in zip(firsts, positions, strict=True)])
            - members[code].objects.start,
            np.concatenate([_attributes(group, at) for group, at in zip(groups, positions, strict=True) if len(at)]),
            _sums([len(at) for group, at in zip(groups, positions, strict=True) for _ in range(len(group))]),
        )
    return Stack(np.concatenate([group.runs for group in groups]), ascending, members, own)


def _members(objects: slice, parents: Array, slots: Array, children: Array, weights: Array) -> Members:
    inputs, columns = np.unique(children, return_inverse=True)
    shape = (objects.stop - objects.start, len(inputs))
    matrices = {}
    for slot in np.unique(slots).tolist():
        at = slots == slot
        matrices[slot] = sparse.csr_array((weights[at], (parents[at], columns[at])), shape)
    return Members(objects, inputs, matrices, sum(matrices.values()))


def _attributes(group: Group, objects: Array) -> Array:
    """The attribute vectors of some objects, run by run."""
    each = np.stack([group.attributes[k] for k in objects], axis=1)
    return each.reshape(-1, each.shape[-1])


def _sums(lengths: Sequence[int]) -> Any:
    """Sparse sums over consecutive objects: of each run so many."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((np.ones(ends[-1]), np.arange(ends[-1]), ends), (len(lengths), ends[-1]))


def stacked_grams(left: Stack, right: Stack, recipe: Recipe) -> Iterator[tuple[int, Array]]:
    """The place Gram between the objects of two stacks: for every module of both, with what is between its members."""
    tau = recipe.transparency
    flow = np.zeros((left.modules.size, right.modules.size))  # what reaches each pair from above
    root = left.modules[-1]
    for code in sorted(left.members.keys() | right.members.keys(), reverse=True):
        a, b = left.members.get(code), right.members.get(code)
        if a is not None and b is not None:
            if code == root:
                above, gain = np.ones((a.objects.stop - a.objects.start, b.objects.stop - b.objects.start)), 1.0
            else:
                above, gain = flow[a.objects, b.objects], tau**2 * recipe.input_share**2
                yield code, tau**2 * recipe.attribute_share**2 * above
            if gain and a.slots and b.slots:
                pushed = recipe.identity**2 * _between(a.total, above, b.total)
                if recipe.mixing:
                    for slot in a.slots.keys() & b.slots.keys():
                        pushed += recipe.mixing**2 * _between(a.slots[slot], above, b.slots[slot])
                flow[np.ix_(a.children, b.children)] += gain * pushed
        # pairs whose other side is of an earlier module: only the identity paths of this module survive the mean
        if recipe.level_gain and code != root:
            if a is not None and a.slots:
                earlier = slice(0, np.searchsorted(right.modules, code))
                flow[a.children, earlier] += recipe.level_gain * (a.total.T @ flow[a.objects, earlier])
            if b is not None and b.slots:
                earlier = slice(0, np.searchsorted(left.modules, code))
                flow[earlier, b.children] += recipe.level_gain * (flow[earlier, b.objects] @ b.total)


def _between(left: Any, above: Array, right: Any) -> Array:
    """From pairs of objects to pairs of what fills their slots."""
    return (left.T @ above) @ right


def stacked_kernel(left: Stack, right: Stack, recipe: Recipe) -> Array:
    """``K`` of every run of a stack with every run of another."""
    result = np.zeros((len(left.runs), len(right.runs)))
    for code, gram in stacked_grams(left, right, recipe):
        a, b = left.own[code], right.own[code]
        products = recipe.value_share**2 * (a.attributes @ b.attributes.T)
        products += recipe.presence_share**2
        products *= gram[np.ix_(a.members, b.members)]
        result += a.sums @ products @ b.sums.T
    return result
