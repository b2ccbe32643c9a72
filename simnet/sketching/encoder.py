"""The encoder: executions to sketches, and back through the adjoint.

A sketch is linear in ``z``, the stacked attributes and marks of presence: ``s = B z``.  ``forward`` applies ``B`` and
``backward`` applies ``Bᵀ``, both object graph by object graph, for a batch of runs and all objects of a module at once;
neither forms ``B`` nor a ``d × d`` matrix.  One pass costs, for each object, the products with ``R_{M,1}``, ``T_a``,
``T_b`` and ``T_0``, and one product for each edge.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer, shown
from simnet.matrices import MatrixBank, MatrixFamily, RandomMatrix, as_family, describe_family, read_family
from simnet.matrices.base import slices_of
from simnet.matrices.passes import Finish
from simnet.networks import Execution, Executions, Group, ModularNetwork, Structure
from simnet.networks.description import describe_network, read_network
from simnet.networks.executions import as_executions
from simnet.networks.network import ROOT, Name
from simnet.networks.structure import check_structure
from simnet.recipes import Recipe, as_recipe, describe_recipe, read_recipe
from simnet.sketching.compiled import Batch, Compiled
from simnet.sketching.cuts import DICTIONARY_BYTES, Cut, best_cut
from simnet.sketching.operator import SketchOperator
from simnet.sketching.plan import Piece, Task, pieces, plan
from simnet.sketching.streaming import in_batches, write_batches
from simnet.threads import limited, products_on_one_thread, spread, threads

Array = NDArray[Any]

# The allocator of glibc hands large blocks back to the system when they are freed, and every page of the next one then costs
# about as much as its transform.  It learns to keep them from the first block of up to 32 MB that is freed.
np.empty((1 << 25) - (1 << 16), np.uint8)

#: Products of runs with a dictionary take about this many bytes at a time on each thread, but no fewer rows than this where
#: they are written to their places: for each batch the dictionary is laid out anew.
BATCH_BYTES, BATCH_ROWS = 1 << 23, 256

#: Runs go through a structure by levels as long as the sketches of its objects take no more than this, and else depth first.
LEVELS_BYTES = 1 << 25

#: Fewer products than take so many bytes go on one thread: to wake another takes as long.
THREADS_BYTES = 1 << 20

#: Columns of marks are kept up to this size.
COLUMN_BYTES = 1 << 22

#: Where the rows of a batch do not need each other, a vector of each run of it takes no more than this.
RUN_BYTES = 1 << 20

#: Objects go through the transforms together as long as their sketches take no more than this: calls are few, and the cache
#: is near.
TASK_BYTES = 1 << 22

#: So many sets of columns are kept, one for each graph and cut, and no more bytes of them than of one.
KEPT_CUTS = 4

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
        self.seed = integer("seed", seed, maximum=None)
        widest = max(network.modules, key=lambda module: module.attribute_dim)
        if widest.attribute_dim > self.sketch_dim:
            raise ValueError(
                f"sketch_dim = {self.sketch_dim}: must be at least the attribute_dim = {widest.attribute_dim} of module "
                f"{widest.name!r}"
            )
        self.bank = MatrixBank(self.family, self.sketch_dim, self.seed, dtype)
        self.dtype: np.dtype[Any] = np.dtype(self.bank.dtype)
        self._shared_columns: tuple[tuple[Any, Compiled], ...] = ()

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
            network = read_network(metadata["network"])
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
        return self.bank.stored(self.matrix_key(module, role), self._columns(module, role))

    def _columns(self, module: Name, role: str | int) -> int | None:
        """How many columns of a matrix are of use; ``None`` stands for all."""
        if role in ("value", "presence"):
            return self.network.module(module).attribute_dim if role == "value" else 1
        return None

    def _natural(self, module: Name, role: str | int) -> RandomMatrix:
        """The matrix of a module, in natural order of the coordinates."""
        return self.bank.matrix(self.matrix_key(module, role), self._columns(module, role))

    def value_matrix(self, module: Name) -> RandomMatrix:
        """``R_{M,1}``, its first ``a`` columns, in natural order."""
        return self._natural(module, "value")

    def presence_column(self, module: Name) -> Array:
        """``R_{M,2} e₁``, in natural order."""
        return self.bank.first_column(self.matrix_key(module, "presence"))

    def transparent(self, module: Name, role: str | int, vectors: Array, scale: Any = 1.0) -> Array:
        """``T(R) v = αv + βRv``, times ``scale``: a number, or a column of one for each vector."""
        rows = np.asarray(vectors, self.dtype).reshape(-1, self.sketch_dim)
        return self.transparent_products([(module, role)], [rows], scale).reshape(np.shape(vectors))

    def transparent_adjoint(self, module: Name, role: str | int, vectors: Array) -> Array:
        """``T(R)ᵀ y``."""
        rows = np.asarray(vectors, self.dtype).reshape(-1, self.sketch_dim)
        return self.transparent_products([(module, role)], [rows], adjoint=True).reshape(np.shape(vectors))

    def transparent_products(
        self,
        names: Sequence[tuple[Name, str | int]],
        batches: Sequence[Array],
        scale: Any = 1.0,
        *,
        adjoint: bool = False,
    ) -> Array:
        """``scale · T(R) v``, each matrix with a batch of its own, one after the other along the first axis."""
        if self.recipe.mixing == 0.0:
            return np.concatenate(batches) * (self.recipe.identity * scale)
        # αv + βm as α · (v + β/α m), or as 0v + βm
        outer = self.recipe.identity or 1.0
        scales = np.empty((sum(map(len, batches)), *batches[0].shape[1:-1], 1), self.dtype)
        scales[...] = outer * scale
        share = None if self.recipe.identity else np.zeros(scales.size, self.dtype)
        rows = _rows(batches)
        finish = Finish(rows, self.recipe.mixing / outer, share, scales.ravel())
        made = self.products_of(names, rows, finish, adjoint=adjoint)
        return made.reshape(*scales.shape[:-1], self.sketch_dim)

    def products_of(
        self,
        names: Sequence[tuple[Name, str | int]],
        rows: Sequence[Array],
        finish: Finish | None = None,
        *,
        adjoint: bool = False,
    ) -> Array:
        """Each matrix times contiguous rows of its own, and what ``finish`` makes of that in place: ``(rows, d)``.

        Where rows do not need each other, they go in pieces that stay in the cache, on several threads; else a matrix that
        may be large meets its batch alone.
        """
        lengths = [len(batch) for batch in rows]
        result = np.empty((sum(lengths), self.sketch_dim), self.dtype)

        def fill(piece: Piece) -> None:
            matrices = [self._natural(*names[i]) for i, _ in piece.parts]
            product = matrices[0].adjoint_products if adjoint else matrices[0].products
            cut = [rows[i][part] for i, part in piece.parts]
            product(matrices, cut, result[piece.rows], None if finish is None else finish.of(*piece))

        if self.family.rowwise:
            with limited(threads() if result.nbytes >= THREADS_BYTES else 1):
                spread(fill, pieces(lengths, self.sketch_dim, self.dtype.itemsize))
        else:
            for i, part in enumerate(slices_of(rows)):
                fill(Piece(part, [(i, slice(None))]))
        return result

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

    def _plan(self, structure: Structure, n: int, done: Array | None = None) -> tuple[Task, ...]:
        """The tasks of a structure for ``n`` runs at once: by levels, or depth first where sketches are many and large."""
        size = n * self.sketch_dim * self.dtype.itemsize
        most = max(1, TASK_BYTES // size)
        if size * (len(structure) if done is None else np.count_nonzero(~done)) <= LEVELS_BYTES:
            return plan(structure, most, done=done)
        # in one order whatever the number of threads, and so with the same sums: two objects at a time have work for two
        return plan(structure, max(most, 2), depth_first=True, done=done, apart=most == 1 and threads() == 1)

    def _objects(
        self,
        structure: Structure,
        values: list[Array],
        presence: Array,
        weights: Array,
        arrived: dict[int, Array],
        batch: Batch | None = None,
    ) -> Iterator[tuple[Array, Array]]:
        """Objects with their sketches ``(objects, n, d)``, task by task; ``arrived`` is where consumers collect ``s_in``.

        What ``root``, the last number, has received at the end is the sketch.  With a ``batch`` only objects that do not
        hand on columns have a turn.
        """
        weights = weights.T[..., None].astype(self.dtype)
        for task in self._plan(structure, presence.shape[0], None if batch is None else batch.compiled.way.kept):
            fed = task.objects[task.fed].tolist() if self.recipe.input_share else []
            inputs = [_received(k, arrived, batch) for k in fed]
            if batch is None or not batch.compiled.way.own:
                made = self._shared(task, self._own_parts(task, values, presence), inputs)
                made, below = made[: len(task.objects)], made[len(task.objects) :]
            else:
                made = np.concatenate([batch.own_part(part.module, task.objects[part.rows]) for part in task.modules])
                below = self._shared(task, made[:0], inputs)
            for k, part in zip(task.fed.tolist() if fed else [], below, strict=True):
                made[k] += part
            del inputs, below
            objects = [(part.module, "object") for part in task.modules]
            made = self.transparent_products(objects, [made[part.rows] for part in task.modules])
            yield task.objects, made
            if len(task.edges):
                children = [_stacked([made[k] for k in task.children[part.rows]]) for part in task.slots]
                handed = self.transparent_products(
                    [(part.module, part.role) for part in task.slots], children, weights[task.edges]
                )
                del children
                parents = task.parents.tolist()
                for turn in task.turns:
                    if parents[turn] in arrived:
                        arrived[parents[turn]] += handed[turn]
                    else:
                        arrived[parents[turn]] = handed[turn]

    def _shared(self, task: Task, own: Array, inputs: Sequence[Array], *, adjoint: bool = False) -> Array:
        """``η_a T_a`` of a vector for each object, if there are any; after them ``η_in T_b`` for each of the inputs."""
        recipe = self.recipe
        parts = [(part.module, "attribute", own[part.rows]) for part in task.modules] if len(own) else []
        if len(inputs):
            parts += [(part.module, "input", _stacked(inputs[part.rows])) for part in task.inputs]
        if not parts:
            return own
        shares: Any = recipe.attribute_share
        if recipe.input_share != shares:
            shares = np.repeat([shares, recipe.input_share], [len(own), len(inputs)]).astype(self.dtype)[:, None, None]
        names, batches = [part[:2] for part in parts], [part[2] for part in parts]
        return self.transparent_products(names, batches, shares, adjoint=adjoint)

    def _own_parts(self, task: Task, values: list[Array], presence: Array) -> Array:
        """``s_attr`` of the objects of a task: ``(objects, n, d)``."""
        recipe, shape = self.recipe, (len(task.objects), len(presence), self.sketch_dim)
        own = [_stacked([values[k] for k in task.objects[part.rows]]) for part in task.modules]
        own = [np.multiply(recipe.value_share, x, dtype=np.result_type(x, self.dtype)) for x in own]
        rows = _rows([x.astype(self.dtype, copy=False) for x in own])
        names = [(part.module, "value") for part in task.modules]
        if not recipe.presence_share:
            return self.products_of(names, rows).reshape(shape)
        marks = recipe.presence_share * presence.T[task.objects, :, None].astype(self.dtype, copy=False)
        if self.sketch_dim * self.dtype.itemsize <= COLUMN_BYTES:
            columns = [self.presence_column(part.module)[None] for part in task.modules]
            return self.products_of(names, rows, Finish(columns, 1.0, marks.ravel(), None)).reshape(shape)
        # columns that are too large to keep are computed, once for each mark
        made = self.products_of(names, rows)
        names = [(part.module, "presence") for part in task.modules]
        finish = Finish([made[part] for part in slices_of(rows)], 1.0, None, None)
        return self.products_of(names, _rows([marks[part.rows] for part in task.modules]), finish).reshape(shape)

    def backward(self, structure: Structure, sketches: Array, weights: Array) -> Iterator[tuple[Name, Array, Array]]:
        """What the adjoint brings to the attribute part of every object: the tasks of ``forward``, the last one first.

        Parameters
        ----------
        structure : Structure
        sketches : (n, d) array, in natural order
        weights : (n, edges) or (1, edges) array

        Yields
        ------
        (module, objects, (objects, n, d) array)
            ``G_θᵀ s`` for some objects of a module, with ``G_θ`` the sum over the paths of the products of shares, weights
            and transparent matrices from ``s_attr(θ)`` to the sketch.  ``ξ_x R_{M,1}ᵀ`` of it are the rows of ``Bᵀ s`` for
            the attributes of ``θ``, ``ξ_e ⟨R_{M,2} e₁, ·⟩`` that for its presence.
        """
        weights = weights.T[..., None].astype(self.dtype)
        # what an object hands down to its slots, until all that fill them have taken it
        handed = {len(structure): sketches.astype(self.dtype, copy=False)}
        takers = Counter(structure.edge_ends[0].tolist())
        for task in reversed(self._plan(structure, len(sketches))):
            made = np.zeros((len(task.objects), len(sketches), self.sketch_dim), self.dtype)
            parents = task.parents.tolist()
            if parents:
                given = [_stacked([handed[k] for k in parents[part.rows]]) for part in task.slots]
                slots = [(part.module, part.role) for part in task.slots]
                taken = self.transparent_products(slots, given, weights[task.edges], adjoint=True)
                for child, part in zip(task.children, taken, strict=True):
                    made[child] += part
                takers.subtract(parents)
                for parent in {k for k in parents if not takers[k]}:
                    del handed[parent]
                del given, taken
            objects = [(part.module, "object") for part in task.modules]
            made = self.transparent_products(objects, [made[part.rows] for part in task.modules], adjoint=True)
            made = self._shared(task, made, made[task.fed], adjoint=True)
            handed.update(zip(task.objects[task.fed].tolist(), made[len(task.objects) :], strict=True))
            for part in task.modules:
                yield part.module, task.objects[part.rows], made[part.rows]

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

        Notes
        -----
        Runs of one graph share what does not depend on their attributes and weights (``simnet.sketching.cuts``) where
        that is less work: from about as many runs as an object has attributes.  Their sketches are then those of the runs
        one by one up to rounding; of fewer runs, and families ``trig`` and ``packet``, they are the same bits.

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
            # who overrides forward wants it called
            own_forward = getattr(self.forward, "__func__", None) is Encoder.forward
            self._encode_group(group, result, best_cut(self, group) if own_forward else None)
        return result[0] if isinstance(runs, Execution) else result

    def encode_batches(
        self, runs: Executions | Group | Iterable[Executions | Group | Execution], size: int = 1000
    ) -> Iterator[Array]:
        """The sketches of more runs than fit into memory, ``size`` at a time, in their order.

        Parameters
        ----------
        runs : Executions, Group, or an iterable of them or of single Executions
            A generator is asked for the next part when the last one is encoded.
        size : int

        Yields
        ------
        (at most size, sketch_dim) array

        Examples
        --------
        >>> import simnet
        >>> net = simnet.networks.layered(widths=(3, 2), attribute_dim=4, seed=0)
        >>> sketcher = simnet.Sketcher(net, sketch_dim=64, seed=3)
        >>> total = sum(batch.sum(axis=0) for batch in sketcher.encode_batches((net.run(100, seed=i) for i in range(3)), 40))
        >>> total.shape
        (64,)
        """
        size = integer("size", size, minimum=1)
        return (self.encode(part) for part in in_batches(runs, size))

    def encode_to(
        self,
        path: str | os.PathLike[str],
        runs: Executions | Group | Iterable[Executions | Group | Execution],
        size: int = 1000,
    ) -> int:
        """Write the sketches of runs, as by :meth:`encode_batches`, to one ``.npy`` file; how many there were.

        ``numpy.load(path, mmap_mode="r")`` opens it without reading it.

        Examples
        --------
        >>> import numpy as np, simnet, tempfile, pathlib
        >>> net = simnet.networks.layered(widths=(3, 2), attribute_dim=4, seed=0)
        >>> sketcher = simnet.Sketcher(net, sketch_dim=64, seed=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "sketches.npy")
        ...     written = sketcher.encode_to(path, (net.run(100, seed=i) for i in range(3)))
        ...     written, np.load(path).shape
        (300, (300, 64))
        """
        return write_batches(path, self.encode_batches(runs, size), self.sketch_dim, self.dtype)

    def _encode_group(self, group: Group, result: Array, way: Cut | None) -> None:
        """The sketches of a group, to their places among all: by sketches of runs, or by columns as far as a cut says."""
        if way is not None and way.whole:
            self._by_dictionary(group, result, way)
        else:
            self._by_transforms(group, result, way)

    def _by_transforms(self, group: Group, result: Array, way: Cut | None) -> None:
        """Sketches of runs: of all objects, or from where a cut hands on no columns any more."""
        structure, sketch = group.structure, self.sketch_dim * self.dtype.itemsize
        compiled = None if way is None else self._compiled(group, way)
        objects = len(structure) if way is None else np.count_nonzero(~way.kept)
        # no larger than what still goes by levels, as one run alone would: the order of sums is the same
        most = LEVELS_BYTES // (sketch * max(objects, 1))
        if self.family.rowwise:
            most = min(most // threads(), RUN_BYTES // sketch)
        batches = max(1, -(-len(group) // max(1, most)))
        size = max(1, -(-len(group) // batches))

        def fill(start: int) -> None:
            part = slice(start, min(start + size, len(group)))
            values = [x[part] for x in group.attributes]
            presence = np.ones((part.stop - start, len(structure)))
            weights = group.weights[part] if len(group.weights) > 1 else group.weights
            if compiled is None:
                made = self.forward(structure, values, presence, weights)
            else:
                arrived: dict[int, Array] = {}
                batch = Batch(compiled, values, weights, self.dtype)
                for _ in self._objects(structure, values, presence, weights, arrived, batch):
                    pass
                made = _received(len(structure), arrived, batch)
            result[group.runs[part]] = self.to_stored(made)

        self._shared_out(fill, range(0, len(group), size), products=compiled is not None)

    def _shared_out(self, work: Callable[[int], None], items: Iterable[int], *, products: bool) -> None:
        """Batches of runs to our threads, large matrix products among them, or to those of BLAS where matrices are dense."""
        most = limited(threads() if self.family.rowwise else 1)
        with most, products_on_one_thread() if products and self.family.rowwise else nullcontext():
            spread(work, items)

    def _by_dictionary(self, group: Group, result: Array, way: Cut) -> None:
        """One matrix product: all objects hand on columns."""
        compiled, runs = self._compiled(group, way), group.runs
        columns = compiled.arriving[len(group.structure)]
        first, last = int(runs[0]), int(runs[-1])
        inside = last - first == len(runs) - 1 and bool((np.diff(runs) == 1).all())
        row = max(len(columns.names), self.sketch_dim) * self.dtype.itemsize
        size = max(BATCH_ROWS if inside else 1, BATCH_BYTES // row)

        def fill(start: int) -> None:
            part = slice(start, start + size)
            some = group.subset(part, runs[part])
            known = Batch(compiled, some.attributes, some.weights, self.dtype).coefficients(columns)
            if inside:
                np.matmul(known, columns.blocks[0], out=result[first + start : first + start + len(some)])
            else:
                result[some.runs] = known @ columns.blocks[0]

        self._shared_out(fill, range(0, len(runs), size), products=True)

    def _compiled(self, group: Group, way: Cut) -> Compiled:
        """The columns of a group; the last few are kept, for the next batches of a stream."""
        key = (group.structure.graph_key, way.kept.tobytes(), way.own, group.weights[0].tobytes() if way.shared else None)
        known = self._shared_columns  # a tuple of its own: another thread may put another there
        found = next((compiled for other, compiled in known if other == key), None)
        if found is None:
            found = Compiled(self, group.structure_of(0) if way.shared else group.structure, way)
            kept, room = [(key, found)], DICTIONARY_BYTES - found.nbytes
            for other, compiled in known:
                room -= compiled.nbytes
                if room < 0:
                    break
                kept.append((other, compiled))
            self._shared_columns = tuple(kept[:KEPT_CUTS])
        return found

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


def _received(k: int, arrived: dict[int, Array], batch: Batch | None) -> Array:
    """``s_in`` of an object that has inputs: from those that hand on sketches, and from those that hand on columns."""
    by_columns = None if batch is None else batch.arrived(k)
    if by_columns is None:
        return arrived.pop(k)
    if k in arrived:
        by_columns += arrived.pop(k)
    return by_columns


def _rows(batches: Sequence[Array]) -> list[Array]:
    """Each batch as a contiguous array of two axes."""
    return [np.ascontiguousarray(batch).reshape(-1, batch.shape[-1]) for batch in batches]


def _stacked(vectors: Sequence[Array] | Array) -> Array:
    """``np.stack``, without a copy of one alone or of what is stacked already."""
    if isinstance(vectors, np.ndarray):
        return vectors
    return vectors[0][None] if len(vectors) == 1 else np.stack(vectors)
