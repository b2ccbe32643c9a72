"""The encoder: executions to sketches, and back through the adjoint.

A sketch is linear in ``z``, the stacked attributes and marks of presence: ``s = B z``.  ``forward`` applies ``B`` and
``backward`` applies ``Bᵀ``, both object graph by object graph, for a batch of runs and all objects of a module at once;
neither forms ``B`` nor a ``d × d`` matrix.  One pass costs, for each object, the products with ``R_{M,1}``, ``T_a``,
``T_b`` and ``T_0``, and one product for each edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, shown
from simnet.matrices import MatrixBank, MatrixFamily, RandomMatrix, as_family, describe_family, read_family
from simnet.networks import Execution, Executions, Group, ModularNetwork, Structure
from simnet.networks.description import describe_network, read_network
from simnet.networks.executions import as_executions
from simnet.networks.network import ROOT, Name
from simnet.networks.structure import Step, check_structure
from simnet.recipes import Recipe, as_recipe, describe_recipe, read_recipe
from simnet.sketching.operator import SketchOperator
from simnet.sketching.plan import Task, plan

Array = NDArray[Any]

#: Runs are encoded in batches whose object sketches take about this many bytes together.
BATCH_BYTES = 1 << 26

#: Objects go through the transforms together as long as their sketches take no more than this: they stay in the cache.
TASK_BYTES = 1 << 21

#: The matrices of a module by what they do, beside its slots: see ``simnet.recipes`` for the equation.
ROLES = ("value", "presence", "object", "attribute", "input")


class Encoder:
    """Everything that makes sketches: a network of modules and slots, a recipe, and a bank of named matrices.

    The parameters, and the ways to ask questions of a sketch, are those of :class:`simnet.Sketcher`.
    """

    def __init__(
        self,
        network: ModularNetwork,
        sketch_dim: int,
        matrices: str | MatrixFamily = "trig",
        recipe: str | Recipe = "recursive",
        seed: int = 0,
        dtype: str = "float64",
    ) -> None:
        if not isinstance(network, ModularNetwork):
            raise ValueError(f"network: must be a ModularNetwork, not {type(network).__name__}")
        self.network = network
        self.sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
        self.family = as_family(matrices)
        self.recipe = as_recipe(recipe)
        self.seed = integer("seed", seed)
        widest = max(network.modules, key=lambda module: module.attribute_dim)
        if widest.attribute_dim > self.sketch_dim:
            raise ValueError(
                f"sketch_dim = {self.sketch_dim}: must be at least the attribute_dim = {widest.attribute_dim} of module "
                f"{widest.name!r}"
            )
        self.bank = MatrixBank(self.family, self.sketch_dim, self.seed, dtype)
        self.dtype: np.dtype[Any] = np.dtype(self.bank.dtype)

    @property
    def metadata(self) -> dict[str, Any]:
        """How its sketches are made, as JSON holds it: what :meth:`from_metadata` makes the same encoder from.

        ``sketch_dim``, ``matrices``, ``recipe``, ``seed`` and ``dtype`` are the parameters: names, or objects of constants
        where a family or a recipe has no name.  ``network`` holds the modules and slots
        (:func:`simnet.networks.description.describe_network`).

        Examples
        --------
        >>> import simnet
        >>> sketcher = simnet.Sketcher(simnet.networks.tree(), sketch_dim=64, seed=3)
        >>> sorted(sketcher.metadata)
        ['dtype', 'matrices', 'network', 'recipe', 'seed', 'sketch_dim']
        >>> simnet.Sketcher.from_metadata(sketcher.metadata).metadata == sketcher.metadata
        True
        """
        return {
            "sketch_dim": self.sketch_dim,
            "matrices": describe_family(self.family),
            "recipe": describe_recipe(self.recipe),
            "seed": self.seed,
            "dtype": self.dtype.name,
            "network": describe_network(self.network),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], network: ModularNetwork | None = None) -> Self:
        """The encoder that such metadata describe, as a file of sketches holds them.

        Parameters
        ----------
        metadata : mapping
            As :func:`simnet.load_sketches` returns them.
        network : ModularNetwork, optional
            In place of the one that is described, or where none is.

        Raises
        ------
        ValueError
            If the metadata do not say how the sketches were made, or say something impossible.
        """
        missing = [key for key in ("sketch_dim", "matrices", "recipe", "seed") if key not in metadata]
        if network is None and not isinstance(metadata.get("network"), dict):
            missing.append("network")
        if missing:
            raise ValueError(f"metadata: does not say {', '.join(missing)}; Sketcher.metadata does")
        if network is None:
            try:
                network = read_network(metadata["network"])
            except (KeyError, TypeError, IndexError) as error:
                raise ValueError(f"metadata: network is not laid out as one: {error}") from None
        return cls(
            network,
            metadata["sketch_dim"],
            read_family(metadata["matrices"]),
            recipe=read_recipe(metadata["recipe"]),
            seed=metadata["seed"],
            dtype=metadata.get("dtype", "float64"),
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.network.modules)} modules, sketch_dim={self.sketch_dim}, "
            f"matrices={self.family}, recipe={self.recipe}, seed={self.seed}, dtype={self.dtype.name!r})"
        )

    # -- matrices ---------------------------------------------------------------------------------------------------

    def matrix_key(self, module: Name, role: str | int) -> tuple[Any, ...]:
        """The name of a matrix: its module, or ``"root"``, and its role or the number of its slot."""
        return (module, role)

    def matrix(self, module: Name, role: str | int) -> RandomMatrix:
        """The matrix of a module, in the order in which sketches store their coordinates.

        Parameters
        ----------
        module : str or int
            ``"root"`` stands for the output pseudo-object, which has slots only.
        role : {"value", "presence", "object", "attribute", "input"} or int
            ``R_{M,1}`` (its first ``a`` columns), ``R_{M,2}`` (its first column), ``R_{M,0}``, ``R_{M,a}``,
            ``R_{M,b}``, or ``R_{M,in,i}`` for the slot ``i``.

        Raises
        ------
        ValueError
            If there is no such module, role or slot.
        """
        slots = self.network.outputs if module == ROOT else self.network.module(module).slots
        roles = () if module == ROOT else ROLES
        is_slot = isinstance(role, (int, np.integer)) and not isinstance(role, bool) and 0 <= role < len(slots)
        if not is_slot and not (isinstance(role, str) and role in roles):
            raise ValueError(f"role = {shown(role)}: must be one of {list(roles)} or a slot below {len(slots)}")
        columns = None
        if role in ("value", "presence"):
            columns = self.network.module(module).attribute_dim if role == "value" else 1
        return self.bank.stored(self.matrix_key(module, role), columns)

    def value_matrix(self, module: Name) -> RandomMatrix:
        """``R_{M,1}``, its first ``a`` columns, in natural order."""
        return self.bank.matrix(self.matrix_key(module, "value"), self.network.module(module).attribute_dim)

    def presence_column(self, module: Name) -> Array:
        """``R_{M,2} e₁``, in natural order."""
        return self.bank.first_column(self.matrix_key(module, "presence"))

    def transparent(self, module: Name, role: str | int, vectors: Array) -> Array:
        """``T(R) v = αv + βRv``."""
        return self._transparent([(module, role)], [np.asarray(vectors, self.dtype)[None]])[0]

    def _transparent(self, names: Sequence[tuple[Name, str | int]], batches: Sequence[Array], scale: Any = 1.0) -> Array:
        """``scale · T(R) v``, each matrix with a batch of its own, one after the other along the first axis."""
        identity, mixing = self.recipe.identity, self.recipe.mixing
        if mixing == 0.0:
            return np.concatenate(batches) * (identity * scale)
        matrices = [self.bank.matrix(self.matrix_key(*name)) for name in names]
        result = matrices[0].products(matrices, batches)
        return self._with_identity(result, batches, scale)

    def transparent_adjoint(self, module: Name, role: str | int, vectors: Array) -> Array:
        """``T(R)ᵀ y``."""
        identity, mixing = self.recipe.identity, self.recipe.mixing
        if mixing == 0.0:
            return vectors if identity == 1.0 else identity * vectors
        result = self.bank.matrix(self.matrix_key(module, role)).rmatvec(vectors)
        return self._with_identity(result[None], [np.asarray(vectors)[None]], 1.0)[0]

    def _with_identity(self, mixed: Array, batches: Sequence[Array], scale: Any) -> Array:
        """``scale · (α v + β m)`` in the place of ``m``: as ``(m · β/α + v) · α scale``, which takes no room."""
        identity, mixing = self.recipe.identity, self.recipe.mixing
        if identity == 0.0:
            mixed *= mixing * scale
            return mixed
        if mixing != identity:
            mixed *= mixing / identity
        start = 0
        for batch in batches:
            rows = mixed[start : start + len(batch)]
            rows += batch
            start += len(batch)
        mixed *= identity * scale
        return mixed

    # -- the two passes ---------------------------------------------------------------------------------------------

    def forward(self, structure: Structure, values: list[Array], presence: Array, weights: Array) -> Array:
        """``B z`` for a batch, in natural order of the coordinates: ``(n, d)``; what goes in is as for `object_sketches`."""
        arrived: dict[int, Array] = {}
        for _ in self._objects(structure, values, presence, weights, arrived):
            pass
        shape = (presence.shape[0], self.sketch_dim)
        return arrived[len(structure)] if len(structure) in arrived else np.zeros(shape, self.dtype)

    def object_sketches(self, structure: Structure, values: list[Array], presence: Array, weights: Array) -> Array:
        """``s_obj`` of every object, for a batch, in natural order of the coordinates: ``(objects, n, d)``.

        Parameters
        ----------
        structure : Structure
        values : list of (n, a) arrays
            One for each object.
        presence : (n, objects) array
        weights : (n, edges) or (1, edges) array
        """
        sketches = np.zeros((len(structure), presence.shape[0], self.sketch_dim), self.dtype)
        for objects, made in self._objects(structure, values, presence, weights, {}):
            sketches[objects] = made
        return sketches

    def _objects(
        self, structure: Structure, values: list[Array], presence: Array, weights: Array, arrived: dict[int, Array]
    ) -> Iterator[tuple[Array, Array]]:
        """Objects with their sketches ``(objects, n, d)``, task by task; ``arrived`` is where consumers collect ``s_in``.

        What ``root``, the last number, has received at the end is the sketch.
        """
        recipe, n = self.recipe, presence.shape[0]
        weights = weights.T[..., None].astype(self.dtype)
        sketch_bytes = n * self.sketch_dim * self.dtype.itemsize
        depth_first = sketch_bytes * len(structure) > BATCH_BYTES
        for task in plan(structure, max(4, TASK_BYTES // sketch_bytes), depth_first=depth_first):
            made = self._own_parts(task, values, presence)
            made = self._transparent(
                [(part.module, "attribute") for part in task.modules],
                [made[part.rows] for part in task.modules],
                recipe.attribute_share,
            )
            if len(task.fed) and recipe.input_share:
                inputs = [arrived.pop(int(k)) for k in task.objects[task.fed]]
                batches = [
                    inputs[part.rows.start][None] if part.rows.stop - part.rows.start == 1 else np.stack(inputs[part.rows])
                    for part in task.inputs
                ]
                del inputs
                made[task.fed] += self._transparent(
                    [(part.module, "input") for part in task.inputs], batches, recipe.input_share
                )
                del batches
            made = self._transparent(
                [(part.module, "object") for part in task.modules], [made[part.rows] for part in task.modules]
            )
            yield task.objects, made
            if len(task.edges):
                batches = [
                    made[task.children[part.rows]]
                    if part.rows.stop - part.rows.start > 1
                    else made[task.children[part.rows.start]][None]
                    for part in task.slots
                ]
                handed = self._transparent([(part.module, part.role) for part in task.slots], batches, weights[task.edges])
                for parent, part in zip(task.parents.tolist(), handed, strict=True):
                    if parent in arrived:
                        arrived[parent] += part
                    else:
                        arrived[parent] = part

    def _own_parts(self, task: Task, values: list[Array], presence: Array) -> Array:
        """``s_attr`` of the objects of a task: ``(objects, n, d)``."""
        recipe = self.recipe
        own = [recipe.value_share * np.stack([values[k] for k in task.objects[part.rows]]) for part in task.modules]
        matrices = [self.value_matrix(part.module) for part in task.modules]
        made = matrices[0].products(matrices, [x.astype(self.dtype, copy=False) for x in own])
        if recipe.presence_share:
            marks = recipe.presence_share * presence.T[task.objects].astype(self.dtype, copy=False)
            for part in task.modules:
                mine, column, rows = marks[part.rows], self.presence_column(part.module), made[part.rows]
                first = float(mine[0, 0])
                rows += first * column if (mine == first).all() else mine[..., None] * column
        return made

    def backward(self, structure: Structure, sketches: Array, weights: Array) -> Iterator[tuple[Step, Array]]:
        """What the adjoint brings to the attribute part of every object, module by module from ``root`` down.

        Parameters
        ----------
        structure : Structure
        sketches : (n, d) array, in natural order
        weights : (n, edges) or (1, edges) array

        Yields
        ------
        (Step, (objects, n, d) array)
            ``G_θᵀ s`` for the objects of one module, with ``G_θ`` the sum over the paths of the products of shares,
            weights and transparent matrices from ``s_attr(θ)`` to the sketch.  ``ξ_x R_{M,1}ᵀ`` of it are the rows of
            ``Bᵀ s`` for the attributes of ``θ``, ``ξ_e ⟨R_{M,2} e₁, ·⟩`` that for its presence.
        """
        recipe, n = self.recipe, sketches.shape[0]
        weights = weights.astype(self.dtype, copy=False)
        flow: dict[int, Array] = {}

        def scatter(step: Step, above: Array) -> None:
            for slot, edges, rows, _, children in step.slots:
                down = self.transparent_adjoint(step.module, slot, above[rows])
                down = weights.T[edges][..., None] * down
                for i, child in enumerate(children):
                    k = int(child)
                    flow[k] = flow[k] + down[i] if k in flow else down[i]

        scatter(structure.root, sketches[None].astype(self.dtype, copy=False))
        for step in reversed(structure.steps):
            zero = np.zeros((n, self.sketch_dim), self.dtype)
            above = np.stack([flow.pop(int(k), zero) for k in step.objects])
            above = self.transparent_adjoint(step.module, "object", above)
            if step.slots and recipe.input_share:
                inputs = self.transparent_adjoint(step.module, "input", above)
                scatter(step, recipe.input_share * inputs)
            yield step, recipe.attribute_share * self.transparent_adjoint(step.module, "attribute", above)

    def to_stored(self, natural: Array) -> Array:
        """Coordinates in the order in which sketches store them."""
        return natural if self.bank.order is None else natural[..., self.bank.order]

    def to_natural(self, stored: Array) -> Array:
        """Coordinates in the order of the matrices."""
        if self.bank.order is None:
            return stored
        natural = np.empty_like(stored)
        natural[..., self.bank.order] = stored
        return natural

    # -- what users call --------------------------------------------------------------------------------------------

    def encode(self, runs: Executions | Group | Execution) -> Array:
        """The sketches of executions.

        Parameters
        ----------
        runs : Executions, Group or Execution

        Returns
        -------
        (runs, sketch_dim) array, or (sketch_dim,) for a single Execution
            ``s = s_in(root)``, coordinates in stored order.

        Raises
        ------
        ValueError
            If the executions use a module, a slot or an attribute dimension that the sketcher's network does not have.

        Examples
        --------
        >>> import simnet
        >>> net = simnet.networks.layered(widths=(3, 2), attribute_dim=4, seed=0)
        >>> simnet.Sketcher(net, sketch_dim=64, seed=3).encode(net.run(5, seed=1)).shape
        (5, 64)
        """
        executions = as_executions(runs)
        result = np.empty((len(executions), self.sketch_dim), self.dtype)
        for group in executions:
            self.check_structure(group.structure)
            size = max(1, BATCH_BYTES // (self.sketch_dim * self.dtype.itemsize * max(len(group.structure), 1)))
            for start in range(0, len(group), size):
                part = slice(start, min(start + size, len(group)))
                values = [x[part] for x in group.attributes]
                presence = np.ones((part.stop - start, len(group.structure)))
                weights = group.weights[part] if len(group.weights) > 1 else group.weights
                result[group.runs[part]] = self.forward(group.structure, values, presence, weights)
        result = self.to_stored(result)
        return result[0] if isinstance(runs, Execution) else result

    def operator(self, ex: Execution | Structure) -> SketchOperator:
        """The sketch as a linear operator: ``encode(ex) == operator(ex) @ ex.vector()``.

        Returns
        -------
        SketchOperator
            A ``scipy.sparse.linalg.LinearOperator`` of shape ``(sketch_dim, p)``.  Columns are, object by object, its
            attributes and then its presence.

        Examples
        --------
        >>> import numpy as np, simnet
        >>> net = simnet.networks.layered(widths=(3, 2), attribute_dim=4, seed=0)
        >>> sketcher, ex = simnet.Sketcher(net, sketch_dim=64, seed=3), net.run(1, seed=1)[0]
        >>> bool(np.allclose(sketcher.operator(ex) @ ex.vector(), sketcher.encode(ex)))
        True
        """
        structure = ex.structure if isinstance(ex, Execution) else ex
        self.check_structure(structure)
        return SketchOperator(self, structure)

    def check_structure(self, structure: Structure) -> None:
        """A ``ValueError`` if the sketcher has no matrices for something in the structure."""
        check_structure(structure, self.network)
