"""Holographic reduced representations: nested structures in one vector by circular convolution.

With a random vector for every attribute coordinate ``A_{M,j}``, for the presence ``P_M`` of every module and for every slot
``S_{M,i}`` of a module, and ``⊛`` circular convolution,

    h(θ) = Σ_j x_j A_{M,j} + P_M + Σ_i w_i S_{M,i} ⊛ h(θ_i)
    t    = Σ_i w_i S_{root,i} ⊛ h(θ_i)

is the *trace* of an execution.  The shares are those of the recursive sketch: attributes against presence one to one, an
object against its inputs one to one, weights as they are.  No sum is scaled back to unit length: the trace stays linear in
attributes and presence, and its answers can be compared with those of a sketch coordinate by coordinate.

Vectors are i.i.d. ``N(0, 1/d)``, as in the original, or *unitary*: all ``d`` Fourier coefficients of modulus 1 and random
phase.  Convolution with a unitary vector keeps every inner product, and correlation undoes it exactly.

Source: T. A. Plate, *Holographic reduced representations*, IEEE Trans. Neural Networks 6 (1995) 623-641, with its clean-up
memory; unitary vectors after its author's *Holographic Reduced Representation* (CSLI, 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.fft
import scipy.linalg
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.networks import Execution, Executions, Group, ModularNetwork, Structure
from simnet.networks.executions import as_executions
from simnet.networks.network import ROOT, Name
from simnet.networks.structure import check_structure
from simnet.randomness import stream

Array = NDArray[Any]


class HolographicEncoder:
    """Makes traces of executions of a modular network, and reads them.

    Parameters
    ----------
    network : ModularNetwork
        Modules and slots; functions are not needed.
    sketch_dim : int
        ``d``, the number of stored floats.
    seed : int
        A vector depends on the seed and on its own name only.
    unitary : bool
        Unitary vectors in the place of normal ones.

    Raises
    ------
    ValueError
        If a parameter is out of range; the message names it.

    Notes
    -----
    A vector is held as the ``d//2 + 1`` Fourier coefficients of a real vector.  Attributes and presence of object ``θ``
    stand in the trace behind ``V_θ = Σ_paths Π_edges w S``, a product of Fourier coefficients, so that the column of its
    coordinate ``j`` is ``V_θ ⊛ A_{M,j}``.

    Examples
    --------
    >>> import numpy as np, simnet
    >>> from simnet.baselines import HolographicEncoder
    >>> ex = simnet.networks.tree(height=2, branching=2, attribute_dim=3, seed=0).run(1, seed=1)[0]
    >>> encoder = HolographicEncoder(ex.network, sketch_dim=4096, seed=3, unitary=True)
    >>> estimate = encoder.decode(encoder.encode(ex), ex.structure)
    >>> bool(np.abs(estimate[0] - ex.attributes[0]).max() < 0.1)
    True
    """

    def __init__(self, network: ModularNetwork, sketch_dim: int, seed: int = 0, *, unitary: bool = False) -> None:
        if not isinstance(network, ModularNetwork):
            raise ValueError(f"network: must be a ModularNetwork, not {type(network).__name__}")
        if not isinstance(unitary, bool):
            raise ValueError(f"unitary = {unitary!r}: must be True or False")
        self.network = network
        self.sketch_dim = integer("sketch_dim", sketch_dim, minimum=1)
        self.seed = integer("seed", seed, maximum=None)
        self.unitary = unitary
        self._vectors: dict[tuple[Any, ...], Array] = {}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.network.modules)} modules, sketch_dim={self.sketch_dim}, seed={self.seed}, "
            f"unitary={self.unitary})"
        )

    # -- vectors ----------------------------------------------------------------------------------------------------

    def _draw(self, count: int, *names: Any) -> Array:
        """The Fourier coefficients of ``count`` random vectors: ``(count, d//2 + 1)``."""
        cached = self._vectors.get(names)
        if cached is not None:
            return cached
        d, draw = self.sketch_dim, stream(self.seed, "holographic", *names)
        if self.unitary:
            coefficients = np.exp(2j * np.pi * draw.random((count, d // 2 + 1)))
            real = [0, d // 2] if d % 2 == 0 else [0]  # these coefficients of a real vector are real
            coefficients[:, real] = np.where(coefficients[:, real].real < 0.0, -1.0, 1.0)
        else:
            coefficients = scipy.fft.rfft(draw.standard_normal((count, d)) / np.sqrt(d))
        self._vectors[names] = coefficients
        return coefficients

    def _own(self, module: Name) -> Array:
        """``A_{M,1} … A_{M,a}`` and then ``P_M``: ``(a + 1, d//2 + 1)``."""
        return self._draw(self.network.module(module).attribute_dim + 1, module, "own")

    def _slot(self, module: Name, slot: int) -> Array:
        """``S_{M,i}``."""
        return self._draw(1, module, slot)[0]

    def _inner(self, left: Array, right: Array) -> Array:
        """``⟨u_i, v_j⟩`` of real vectors from their Fourier coefficients: ``(i, j)``."""
        d = self.sketch_dim
        twice = np.full(d // 2 + 1, 2.0 / d)
        twice[0] /= 2.0
        if d % 2 == 0:
            twice[-1] /= 2.0
        return ((left.conj() * twice) @ right.T).real

    def _places(self, structure: Structure) -> Array:
        """``V_θ`` of every object: ``(objects, d//2 + 1)``."""
        places = np.zeros((len(structure) + 1, self.sketch_dim // 2 + 1), complex)
        places[-1] = 1.0
        for step in (structure.root, *reversed(structure.steps)):
            for slot, edges, _, parents, children in step.slots:
                bound = structure.edge_weights[edges, None] * places[parents] * self._slot(step.module, slot)
                np.add.at(places, children, bound)
        return places[:-1]

    # -- what users call --------------------------------------------------------------------------------------------

    def encode(self, runs: Executions | Group | Execution) -> Array:
        """The traces of executions: ``(runs, sketch_dim)``, or ``(sketch_dim,)`` for a single Execution.

        Raises
        ------
        ValueError
            If the executions use a module, a slot or an attribute dimension that the encoder's network does not have.
        """
        executions = as_executions(runs)
        result = np.empty((len(executions), self.sketch_dim))
        for group in executions:
            s = group.structure
            check_structure(s, self.network)
            objects = np.zeros((len(s), len(group), self.sketch_dim // 2 + 1), complex)
            for step in s.steps:
                for k in step.objects:
                    known = np.append(group.attributes[k], np.ones((len(group), 1)), axis=1)
                    objects[k] = known @ self._own(step.module)
                objects[step.objects] += self._gather(step, objects, group.weights)
            result[group.runs] = scipy.fft.irfft(self._gather(s.root, objects, group.weights)[0], n=self.sketch_dim)
        return result[0] if isinstance(runs, Execution) else result

    def _gather(self, step: Any, objects: Array, weights: Array) -> Array:
        """``Σ_i w_i S_{M,i} ⊛ h(θ_i)`` of all objects of a step: ``(objects, n, d//2 + 1)``."""
        total = np.zeros((len(step.objects), *objects.shape[1:]), complex)
        for slot, edges, rows, _, children in step.slots:
            total[rows] += weights.T[edges][..., None] * objects[children] * self._slot(step.module, slot)
        return total

    def decode(self, traces: Any, structure: Structure | Execution) -> tuple[Array, ...]:
        """The attributes of every object, each by itself: unbind its place, then an inner product for each coordinate.

            x̂_j = ⟨V_θ ⊛ A_{M,j}, t⟩ / ‖V_θ ⊛ A_{M,j}‖²

        ``⟨V ⊛ A, t⟩ = ⟨A, V ⋆ t⟩`` with ``⋆`` circular correlation, which for unitary slots along a single path is the
        exact inverse of the binding.

        Parameters
        ----------
        traces : (d,) or (runs, d) array
        structure : Structure

        Returns
        -------
        tuple of (a,) or (runs, a) arrays
            One for each object, in the order of ``structure``; 0 for what has weight 0.
        """
        spectra, batch, structure = self._read(traces, structure)
        places = self._places(structure)
        return tuple(
            self._project(spectra, place * self._own(module)[:-1]).reshape(*batch, -1)
            for place, module in zip(places, structure.modules, strict=True)
        )

    def _read(self, traces: Any, structure: Structure | Execution) -> tuple[Array, tuple[int, ...], Structure]:
        """Fourier coefficients ``(n, d//2 + 1)`` of traces, the shape of the batch, and the structure."""
        structure = structure.structure if isinstance(structure, Execution) else structure
        check_structure(structure, self.network)
        spectra, batch = self._spectra(traces)
        return spectra, batch, structure

    def _spectra(self, traces: Any) -> tuple[Array, tuple[int, ...]]:
        values = np.asarray(traces)
        if values.dtype.kind not in "fiu" or values.ndim not in (1, 2) or values.shape[-1] != self.sketch_dim:
            raise ValueError(
                f"traces: has shape {values.shape} and dtype {values.dtype}, must be real, of shape ({self.sketch_dim},) or "
                f"(runs, {self.sketch_dim})"
            )
        if not np.isfinite(values).all():
            raise ValueError("traces: has a coordinate that is NaN or infinite")
        return scipy.fft.rfft(np.atleast_2d(values).astype(float)), values.shape[:-1]

    def _project(self, spectra: Array, columns: Array) -> Array:
        """``⟨b_j, t⟩ / ‖b_j‖²`` for each trace and each column, 0 for a column of zeros: ``(n, columns)``."""
        lengths = np.array([self._inner(column[None], column[None])[0, 0] for column in columns])
        return self._inner(spectra, columns) / np.maximum(lengths, np.finfo(float).tiny)

    def dictionary(self, structure: Structure | Execution) -> Array:
        """``B`` in ``t = B z``: dense, ``(sketch_dim, p)``; object by object its attributes and then its presence.

        Examples
        --------
        >>> import numpy as np, simnet
        >>> from simnet.baselines import HolographicEncoder
        >>> ex = simnet.networks.layered(widths=(3, 2), attribute_dim=4, seed=0).run(1, seed=1)[0]
        >>> encoder = HolographicEncoder(ex.network, sketch_dim=64)
        >>> bool(np.allclose(encoder.dictionary(ex) @ ex.vector(), encoder.encode(ex)))
        True
        """
        structure = structure.structure if isinstance(structure, Execution) else structure
        check_structure(structure, self.network)
        places = zip(self._places(structure), structure.modules, strict=True)
        rows = [place * self._own(module) for place, module in places]
        return scipy.fft.irfft(np.concatenate(rows), n=self.sketch_dim).T

    def least_squares(self, traces: Any, structure: Structure | Execution) -> tuple[Array, ...]:
        """The attributes of all objects at once: exact, up to rounding, when ``sketch_dim`` is at least ``p``.

        Raises
        ------
        ValueError
            If the trace does not determine the attributes.
        """
        spectra, batch, structure = self._read(traces, structure)
        dictionary = self.dictionary(structure)
        lengths = np.linalg.norm(dictionary, axis=0)
        scaled = dictionary / np.maximum(lengths, np.finfo(float).tiny)
        solution, _, rank, _ = scipy.linalg.lstsq(scaled, scipy.fft.irfft(spectra, n=self.sketch_dim).T)
        if rank < structure.size:
            raise ValueError(
                f"sketch_dim = {self.sketch_dim}: the trace determines {rank} of its p = {structure.size} unknowns, least "
                f"squares needs all"
            )
        values = (solution / lengths[:, None]).T
        stops = np.cumsum([dim + 1 for dim in structure.attribute_dims])
        return tuple(
            values[:, stop - dim - 1 : stop - 1].reshape(*batch, -1)
            for stop, dim in zip(stops, structure.attribute_dims, strict=True)
        )

    def clean_up(self, traces: Any, path: Sequence[tuple[Name, int]]) -> Any:
        """Which module fills a slot: of all modules, that whose presence vector is nearest to what is unbound there.

        Parameters
        ----------
        traces : (d,) or (runs, d) array
        path : sequence of (module, slot)
            From ``("root", i)`` down to the slot in question.

        Returns
        -------
        name of a module, or a list of them for a batch

        Raises
        ------
        ValueError
            If the path does not begin at ``"root"``, or names a module or a slot that the network does not have.

        Examples
        --------
        >>> import simnet
        >>> from simnet.baselines import HolographicEncoder
        >>> ex = simnet.Execution.from_objects(
        ...     [("eye", "eye", [0.6], [], []), ("face", "face", [0.8], ["eye"], [0.5])], outputs={"face": 1.0})
        >>> encoder = HolographicEncoder(ex.network, sketch_dim=1024)
        >>> encoder.clean_up(encoder.encode(ex), [("root", 0), ("face", 0)])
        'eye'
        """
        spectra, batch = self._spectra(traces)
        place = np.ones(self.sketch_dim // 2 + 1, complex)
        for i, (module, slot) in enumerate(path):
            if (i == 0) != (module == ROOT):
                raise ValueError(f"path[{i}] = {(module, slot)!r}: the path must begin at {ROOT!r}, and only there")
            slots = self.network.outputs if module == ROOT else self.network.module(module).slots
            place = place * self._slot(module, integer(f"path[{i}]: slot", slot, maximum=len(slots) - 1))
        if not len(path):
            raise ValueError(f"path = {path!r}: must have at least the slot of {ROOT!r}")
        names = [module.name for module in self.network.modules]
        presence = self._project(spectra, np.stack([place * self._own(name)[-1] for name in names]))
        nearest = [names[i] for i in presence.argmax(axis=1)]
        return nearest if batch else nearest[0]
