"""The sketcher: encode executions, and ask their sketches."""

from __future__ import annotations

from inspect import signature
from typing import Any

from simnet import decoding
from simnet.checks import choice
from simnet.decoding import Answer, Estimate, statistics
from simnet.decoding.similarity import similarity_with_interval
from simnet.decoding.unrolling import Unrolled, unroll
from simnet.networks import Execution, Structure
from simnet.networks.network import Name
from simnet.sketching import Encoder, Observation, observe


class Sketcher(Encoder):
    """Sketches executions of a modular network, and answers questions from the sketches alone.

    Parameters
    ----------
    network : ModularNetwork
        Modules and slots; functions are not needed.
    sketch_dim : int
        ``d``, at least the widest attribute vector.
    matrices : str or MatrixFamily
        ``"trig"`` (the default: ``d log d``), ``"gaussian"``, ``"rademacher"``, ``"haar"``, ``"block"``, ``"packet"``, or
        a family with parameters.
    recipe : str or Recipe
        ``"recursive"`` (the paper's constants), ``"prototype_a"``, ``"prototype_b"``, or any :class:`~simnet.Recipe`.
    seed : int
        Seed of all matrices.  A matrix depends on the seed and on its own name only, so sketchers of two networks share
        the matrices of the modules that both have.
    dtype : {"float64", "float32"}
        Single precision takes half the memory and time; its sketches are within ``10⁻⁶ ‖s‖`` of the double ones.

    Raises
    ------
    ValueError
        If a parameter is out of range; the message names it.

    Notes
    -----
    Every method that takes a sketch takes one ``(d,)`` or a batch ``(runs, d)``, a prefix of fewer coordinates, and
    ``erased=mask``, true where a coordinate is missing.

    Examples
    --------
    >>> import numpy as np, simnet
    >>> net = simnet.networks.tree(height=2, branching=2, attribute_dim=3, seed=0)
    >>> sketcher = simnet.Sketcher(net, sketch_dim=1 << 16, seed=3)
    >>> ex = net.run(1, seed=1)[0]
    >>> estimate = sketcher.decode(sketcher.encode(ex), ex.structure)
    >>> bool(np.abs(estimate.attributes["0"] - ex.attributes[0]).max() < 0.1)
    True
    """

    def observe(self, sketch: Any, erased: Any = None, noise: float = 0.0) -> Observation:
        """What is left of a sketch, as the decoders take it."""
        return observe(self, sketch, erased, noise)

    def decode(
        self,
        sketch: Any,
        structure: Structure | Execution,
        method: str = "matched",
        *,
        erased: Any = None,
        noise: float = 0.0,
        **options: Any,
    ) -> Estimate:
        """The attributes of every object, given what objects there are.

        Parameters
        ----------
        sketch : (d',) or (runs, d') array
        structure : Structure
            ``ex.structure``; the attribute vectors of an execution given in its place are not looked at.
        method : {"matched", "path_matched", "least_squares", "ridge", "nonnegative", "sparse"}
            ``"matched"`` needs only the place of an object; ``"least_squares"`` is exact from ``d' = Σ_θ a_θ`` coordinates
            on; ``"ridge"``, ``"nonnegative"`` and ``"sparse"`` use what is known of attributes where there are fewer.
        erased : (d',) bool array, optional
        noise : float
            Standard deviation of what was added to each coordinate of the sketch: by a channel, or by its storage.
        **options
            Those of the decoder, such as ``solver`` and ``tolerance`` of :func:`simnet.decoding.least_squares`.

        Returns
        -------
        Estimate
            ``estimate.attributes[k]`` and ``estimate.interval(0.95)[k]``, ``k`` a position or a name.

        Raises
        ------
        ValueError
            If there is no such method or option, or the structure does not fit the sketcher's network.
        """
        decoder = decoding.DECODERS[choice("method", method, decoding.DECODERS)]
        known = [p.name for p in signature(decoder).parameters.values() if p.kind is p.KEYWORD_ONLY]
        for option in options:
            choice(f"option of method {method!r}", option, known)
        structure = structure.structure if isinstance(structure, Execution) else structure
        self.check_structure(structure)
        return decoder(self, self.observe(sketch, erased, noise), structure, **options)

    def unroll(
        self,
        sketch: Any,
        *,
        wiring: str = "any",
        erased: Any = None,
        noise: float = 0.0,
        failure_probability: float = 0.001,
    ) -> Unrolled:
        """Which objects are in a sketch, what fills their slots, and their attributes: from the sketch alone.

        It knows the matrices, and the modules and the numbers of their slots; a place counts for ``a + 1`` unknowns, and
        there must be more coordinates than unknowns.  Objects that stand in several places are found in each, and merged.

        Parameters
        ----------
        sketch : (d',) or (sketches, d') array
            Several sketches of one wiring are unrolled together, with attributes and weights of their own: what is too faint
            in one shows in all of them together.
        wiring : {"any", "network"}
            What may fill a slot: any module, or the sources that the sketcher's network says.
        erased : (d',) bool array, optional
        noise : float
            Standard deviation of what was added to each coordinate.
        failure_probability : float
            That anything is reported in a sketch that holds nothing: noise, or a sketch by other matrices.

        Returns
        -------
        Unrolled
            ``found.structure``, ``found.attributes``, ``found.residual``, ``found.significance``, ``found.certain``.

        Raises
        ------
        ValueError
            If an argument is out of range, or the recipe makes no marks of presence or no mixing.

        Examples
        --------
        >>> import simnet
        >>> ex = simnet.Execution.from_objects(
        ...     [("left eye", "eye", [0.6, 0.0], [], []), ("right eye", "eye", [0.0, 0.6], [], []),
        ...      ("face", "face", [0.5, 0.5], ["left eye", "right eye"], [0.5, 0.5])], outputs={"face": 1.0})
        >>> sketcher = simnet.Sketcher(ex.network, sketch_dim=32, seed=3)
        >>> found = sketcher.unroll(sketcher.encode(ex))
        >>> found.structure["face"].inputs, found.certain
        (('eye#0', 'eye#1'), True)
        >>> found.attributes["eye#1"].round(9).tolist()
        [0.0, 0.6]
        """
        observation = self.observe(sketch, erased, noise)
        return unroll(self, observation, wiring=wiring, failure_probability=failure_probability)

    def frequency(self, sketch: Any, module: Name, *, depth: int | None = None, erased: Any = None) -> Answer:
        """How much of a module there is: the sum of the effective weights of its objects, with an interval.

        Parameters
        ----------
        sketch : (d',) or (runs, d') array
            Or a sum of sketches of many runs: it answers for all of them together.
        module : str or int
        depth : int, optional
            Where the network allows several.
        erased : (d',) bool array, optional

        Returns
        -------
        Answer
            A number, or one for each sketch of a batch; ``answer.interval(0.95)``.

        Examples
        --------
        >>> import simnet
        >>> net = simnet.networks.scene(places=4, seed=0)
        >>> sketcher, runs = simnet.Sketcher(net, sketch_dim=1 << 18, seed=3), net.run(1, seed=1)
        >>> cats = sum(o.module == "cat" for o in runs[0].objects)
        >>> answer = sketcher.frequency(sketcher.encode(runs)[0], module="cat")
        >>> bool(abs(answer - cats / 4) < 4 * answer.standard_error)
        True
        """
        return statistics.frequency(self, self.observe(sketch, erased), module, depth=depth)

    def count(
        self,
        sketch: Any,
        module: Name,
        *,
        weight: float | None = None,
        depth: int | None = None,
        erased: Any = None,
    ) -> Answer:
        """How many objects of a module there are, each of effective weight ``weight``.

        ``weight`` may be left out where all places of the module in the network have the same.
        """
        return statistics.count(self, self.observe(sketch, erased), module, weight=weight, depth=depth)

    def sum_attribute(self, sketch: Any, module: Name, *, depth: int | None = None, erased: Any = None) -> Answer:
        """The sum of the attribute vectors of the objects of a module, each times its effective weight."""
        return statistics.sum_attribute(self, self.observe(sketch, erased), module, depth=depth)

    def mean_attribute(self, sketch: Any, module: Name, *, depth: int | None = None, erased: Any = None) -> Answer:
        """The mean attribute vector of the objects of a module, with Fieller's interval."""
        return statistics.mean_attribute(self, self.observe(sketch, erased), module, depth=depth)

    def histogram(
        self,
        sketch: Any,
        module: Name,
        *,
        coordinates: Any = None,
        unit: float = 1.0,
        weight: float | None = None,
        depth: int | None = None,
        erased: Any = None,
    ) -> Answer:
        """How many objects of a module fall into each bin of a one-hot attribute.

        ``coordinates`` says which coordinates are one-hot, ``unit`` what stands in the hot one.
        """
        return statistics.histogram(
            self,
            self.observe(sketch, erased),
            module,
            coordinates=coordinates,
            unit=unit,
            weight=weight,
            depth=depth,
        )

    def similarity(self, left: Any, right: Any, *, erased: Any = None) -> Answer:
        """The similarity of two sketches by this sketcher, with an interval that covers their kernel.

        Both have the same coordinates left: prefixes of one length, with the same ``erased``.
        """
        return similarity_with_interval(self, self.observe(left, erased), self.observe(right, erased))
