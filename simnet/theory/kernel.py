"""Law 0, the kernel: the mean of the inner product of two sketches, exactly, for every size and isotropic family.

**Statement.**  Let ``s`` and ``s̄`` be sketches of two executions by the same matrices.  With ``τ = α² + β²``,
``t_ii = τ`` and ``t_ij = α²`` for ``i ≠ j``,

    E⟨s, s̄⟩     = K(root, root̄) = K_in(root, root̄)
    K_in(θ, θ') = Σ_ij w_i w'_j t_ij K(θ_i, θ'_j)
    K(θ, θ')    = τ [ τ η_a² (ξ_x² ⟨x_θ, x_θ'⟩ + ξ_e²) + τ η_in² K_in(θ, θ') ]     of one module
    K(θ, θ')    = α³ η_in Σ_i w_i K(θ_i, θ')                                       of two, θ of the later module

**Assumptions.**  The family is isotropic (``E R = 0``, ``E RᵀR = I``), matrices of different subscripts are independent,
and the union of the two graphs of modules is acyclic.

**Why.**  Average the outermost matrix first.  It appears nowhere inside, so ``E[TᵀT] = τI``, ``E[TᵀT'] = α²I`` and
``E[T] = αI``; if the later module stands on one side only, its own attribute part has mean zero.

The kernel is bilinear in the attributes, so the wiring enters through one matrix, the *place Gram* ``A``:
``K = Σ_{θ,θ'} A_θθ' (ξ_x² ⟨x_θ, x_θ'⟩ + ξ_e²)``, zero for objects of different modules.  ``A`` is the derivative of the
recursion, and is what is computed here, from ``root`` downwards; ``ξ_x² A_θθ`` is the expected squared norm of a column
of ``θ`` in the sketch operator.

Source: derived in ``paper_checks/law_0_kernel.py``, after Ghazi, Panigrahy, Wang (ICML 2019), similarity property.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks import Execution, Executions, Group, ModularNetwork, Structure
from simnet.networks.executions import as_executions
from simnet.networks.network import Name
from simnet.networks.structure import Step
from simnet.recipes import Recipe, as_recipe
from simnet.theory.pairs import stacked_kernel, stacks

Array = NDArray[Any]


def module_order(networks: Collection[ModularNetwork]) -> dict[Name, int]:
    """One topological order of the modules of all networks; a ``ValueError`` if their union has a cycle."""
    first, *others = networks
    if all(network is first or network == first for network in others):
        return first.order
    sources: dict[Name, dict[Name, None]] = {}
    for network in networks:
        for module in network.modules:
            sources.setdefault(module.name, {}).update((name, None) for slot in module.slots for name in slot.sources)
    try:
        return {name: i for i, name in enumerate(TopologicalSorter(sources).static_order())}
    except CycleError as error:
        loop = " -> ".join(map(repr, error.args[1]))
        raise ValueError(f"kernel: the union of the module graphs has the cycle {loop}, it must be acyclic") from None


def place_gram(
    left: Structure,
    right: Structure,
    *,
    recipe: str | Recipe = "recursive",
    left_weights: Array | None = None,
    right_weights: Array | None = None,
) -> Array:
    """``A``: the share of every pair of objects in the kernel, ``(..., objects, objects')``.

    Parameters
    ----------
    left, right : Structure
    recipe : str or Recipe
    left_weights, right_weights : (..., edges) arrays, optional
        Weights in place of those of the structures, for a batch of runs; leading axes broadcast.

    Raises
    ------
    ValueError
        If the union of the two module graphs has a cycle.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects([("a", "a", [1.0], [], [])], outputs={"a": 1.0})
    >>> float(simnet.theory.place_gram(ex.structure, ex.structure)[0, 0])  # τ (T_0) τ (T_a) τ (slot) η_a²
    0.03125
    """
    recipe = as_recipe(recipe)
    w = left.edge_weights if left_weights is None else left_weights
    v = right.edge_weights if right_weights is None else right_weights
    tau, identity = recipe.transparency, recipe.identity**2
    same_gain = tau**2 * recipe.input_share**2
    own_gain = tau**2 * recipe.attribute_share**2
    batch = np.broadcast_shapes(w.shape[:-1], v.shape[:-1])
    flow = np.zeros((*batch, len(left), len(right)))  # what reaches each pair from above
    gram = np.zeros_like(flow)

    def push_same(above: Array, a: Step, b: Step, gain: float) -> None:
        """From pairs of objects of one module to pairs of their inputs."""
        for i in a.slots:
            for j in b.slots:
                t = gain * (tau if i.slot == j.slot else identity)
                if t == 0.0:
                    continue
                weights = w[..., i.edges, None] * v[..., None, j.edges]
                _scatter(flow, i.children, j.children, t * weights * above[..., i.rows[:, None], j.rows])

    push_same(np.ones((*batch, 1, 1)), left.root, right.root, 1.0)
    order = module_order([left.network, right.network])
    left_steps = {step.module: step for step in left.steps}
    right_steps = {step.module: step for step in right.steps}
    modules = sorted(left_steps.keys() | right_steps.keys(), key=order.__getitem__, reverse=True)
    for module in modules:
        a, b = left_steps.get(module), right_steps.get(module)
        if a is not None and b is not None:
            above = flow[..., a.objects[:, None], b.objects]
            gram[..., a.objects[:, None], b.objects] = own_gain * above
            push_same(above, a, b, same_gain)
        # pairs whose other side is of an earlier module: only the identity paths of this module survive the mean
        if a is not None:
            earlier = _earlier(right, order, module)
            for i in a.slots:
                terms = recipe.level_gain * w[..., i.edges, None] * flow[..., i.parents[:, None], earlier]
                _scatter(flow, i.children, earlier, terms)
        if b is not None:
            earlier = _earlier(left, order, module)
            for j in b.slots:
                terms = recipe.level_gain * v[..., None, j.edges] * flow[..., earlier[:, None], j.parents]
                _scatter(flow, earlier, j.children, terms)
    return gram


def _earlier(structure: Structure, order: dict[Name, int], module: Name) -> Array:
    """The objects of modules before ``module``."""
    return np.array([k for k, m in enumerate(structure.modules) if order[m] < order[module]], dtype=np.intp)


def _scatter(flow: Array, rows: Array, columns: Array, terms: Array) -> None:
    """Add ``terms[..., i, j]`` to ``flow[..., rows[i], columns[j]]``; rows and columns may repeat."""
    moved = np.moveaxis(flow, (-2, -1), (0, 1))
    np.add.at(moved, (rows[:, None], columns[None, :]), np.moveaxis(terms, (-2, -1), (0, 1)))


def kernel(left: Execution, right: Execution, *, recipe: str | Recipe = "recursive") -> float:
    """``K = E⟨s, s̄⟩`` of two executions sketched by the same matrices.

    Parameters
    ----------
    left, right : Execution
        Of one network or of two whose union is acyclic.
    recipe : str or Recipe

    Returns
    -------
    float
        Exact for every size and every isotropic family.  With the paper's recipe ``K(s, s) ≤ 1/62``.

    Raises
    ------
    ValueError
        If the union of the module graphs has a cycle, or a module of both has two attribute dimensions.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects([("a", "a", [1.0], [], [])], outputs={"a": 1.0})
    >>> simnet.theory.kernel(ex, ex)  # (ξ_x² + ξ_e²)/32
    0.015625
    """
    recipe = as_recipe(recipe)
    gram = place_gram(left.structure, right.structure, recipe=recipe)
    return float(np.sum(gram * _own_products(left, right, recipe)))


def _own_products(left: Execution, right: Execution, recipe: Recipe) -> Array:
    """``ξ_x² ⟨x_θ, x_θ'⟩ + ξ_e²`` for the pairs of objects of one module, 0 for the others."""
    products = np.zeros((len(left.structure), len(right.structure)))
    for mine, others in _of_one_module(left.structure, right.structure):
        x = np.stack([left.attributes[k] for k in mine])
        y = np.stack([right.attributes[k] for k in others])
        products[mine[:, None], others] = recipe.value_share**2 * x @ y.T + recipe.presence_share**2
    return products


def _of_one_module(left: Structure, right: Structure) -> Iterator[tuple[Array, Array]]:
    """The objects of both structures, for each module that made some in both."""
    for module, mine in left.objects_of.items():
        if module in right.objects_of:
            others = right.objects_of[module]
            a, b = left.attribute_dims[mine[0]], right.attribute_dims[others[0]]
            if a != b:
                raise ValueError(f"kernel: module {module!r} has attribute_dim {a} in one and {b} in the other")
            yield mine, others


def kernel_matrix(
    left: Executions | Group | Execution,
    right: Executions | Group | Execution | None = None,
    *,
    recipe: str | Recipe = "recursive",
) -> Array:
    """``K`` of every run of ``left`` with every run of ``right``: ``(runs, runs')``.

    One recursion over all pairs of objects of many runs, whatever graphs these have (:mod:`simnet.theory.pairs`).  Raises
    as :func:`kernel` does.

    Examples
    --------
    >>> import simnet
    >>> runs = simnet.networks.layered(widths=(3, 2), seed=0).run(4, seed=1)
    >>> K = simnet.theory.kernel_matrix(runs)
    >>> bool(abs(K[1, 2] - simnet.theory.kernel(runs[1], runs[2])) < 1e-15)
    True
    """
    recipe = as_recipe(recipe)
    rows = as_executions(left)
    columns = rows if right is None else as_executions(right)
    result = np.zeros((len(rows), len(columns)))
    for mine, others, order in _in_one_order(rows.groups, columns.groups):
        shared = _shared_modules(mine, others)
        row_stacks = list(stacks(mine, order, shared))
        column_stacks = row_stacks if others is mine else list(stacks(others, order, shared))
        for i, a in enumerate(row_stacks):
            for b in column_stacks[i if others is mine else 0 :]:
                block = stacked_kernel(a, b, recipe)
                result[np.ix_(a.runs, b.runs)] = block
                if others is mine:
                    result[np.ix_(b.runs, a.runs)] = block.T
    return result


def _in_one_order(
    left: Sequence[Group], right: Sequence[Group]
) -> Iterator[tuple[Sequence[Group], Sequence[Group], dict[Name, int]]]:
    """Both with an order of all modules; pairs of networks one by one where only the unions of two are acyclic."""
    if not (left and right):
        return
    networks = {id(group.structure.network): group.structure.network for group in (*left, *right)}
    try:
        order = module_order(networks.values())
    except ValueError:
        rows, columns = (
            [[g for g in groups if g.structure.network is n] for n in networks.values()] for groups in (left, right)
        )
        for mine, others in product(filter(None, rows), filter(None, columns)):
            yield mine, others, module_order([mine[0].structure.network, others[0].structure.network])
    else:
        yield left, right, order


def _shared_modules(left: Sequence[Group], right: Sequence[Group]) -> set[Name]:
    """The modules with objects on both sides; a ``ValueError`` if one has two attribute dimensions."""
    dims: list[dict[Name, set[int]]] = [{}, {}]
    for side, groups in zip(dims, (left, right), strict=True):
        for structure in (group.structure for group in groups):
            for module, dim in zip(structure.modules, structure.attribute_dims, strict=True):
                side.setdefault(module, set()).add(dim)
    shared = dims[0].keys() & dims[1].keys()
    for module in shared:
        a, *others = sorted(dims[0][module] | dims[1][module])
        if others:
            raise ValueError(f"kernel: module {module!r} has attribute_dim {a} in one and {others[0]} in the other")
    return shared


def kernel_diagonal(runs: Executions | Group | Execution, *, recipe: str | Recipe = "recursive") -> Array:
    """``K_ss = E‖s‖²`` of every run: ``(runs,)``."""
    recipe = as_recipe(recipe)
    executions = as_executions(runs)
    result = np.zeros(len(executions))
    for group in executions:
        s = group.structure
        gram = place_gram(s, s, recipe=recipe, left_weights=group.weights, right_weights=group.weights)
        total = np.zeros(len(group))
        for mine in s.objects_of.values():
            for k in mine:
                for m in mine:
                    products = np.sum(group.attributes[k] * group.attributes[m], axis=1)
                    total += gram[..., k, m] * (recipe.value_share**2 * products + recipe.presence_share**2)
        result[group.runs] = total
    return result
