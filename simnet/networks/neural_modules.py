"""The ``neural_modules`` family: a question about an image decides which modules are put together, and how.

The grammar of the questions, and the layout of modules that each production makes::

    question   ::=  is (region)        measure[is](region)
                 |  colour (region)    describe[colour](image, region)
                 |  shape (region)     describe[shape](image, region)
    region     ::=  thing              thing
                 |  thing and thing    combine[and](thing, thing)
                 |  thing except thing combine[except](thing, thing)
    thing      ::=  concept            find[concept](image)
                 |  relation concept   transform[relation](find[concept](image))

Leaves find, inner nodes transform or combine, and the root measures or describes, as in the source:
J. Andreas, M. Rohrbach, T. Darrell, D. Klein, *Neural Module Networks*, CVPR 2016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from simnet.checks import integer
from simnet.networks.functions import Array, ModuleFunction, RectifiedFunction
from simnet.networks.inspection import inspected
from simnet.networks.network import ModularNetwork, Module, Name, Slot
from simnet.networks.running import Batch, Plan, patterns
from simnet.networks.structure import Structure
from simnet.randomness import stream

IMAGE = "image"
COLOURS, SHAPES = ("red", "green", "blue"), ("circle", "square", "triangle")
CONCEPTS = (*COLOURS, *SHAPES)
#: Where attention goes, in rows and columns; the image is closed at its edges: what leaves on one side comes in opposite.
RELATIONS = {"above": (-1, 0), "below": (1, 0), "left of": (0, -1), "right of": (0, 1)}
COMBINATIONS = ("and", "except")
QUESTIONS = ("is", "colour", "shape")
#: The probability that there is something in a cell of the image; of a relation in a thing; of a combination in a region.
OCCUPIED, RELATED, COMBINED = 0.6, 0.5, 0.5
#: Where a find module fires; how far its weights stray; the median length of an attention map before the projection.
THRESHOLD, STRAY, MEDIAN_LENGTH = 0.2, 0.1, 0.8
#: Images on which gains are set.
CALIBRATION = 512


@dataclass(frozen=True, eq=False)
class ImageFunction(ModuleFunction):
    """The features of an image, cell by cell: how strongly each colour and each shape is there.

    A cell holds nothing or one thing, of one colour and one shape; each of the two is there with a strength in ``[0.5, 1]``.
    The vector is divided by ``√(2 cells)``, so that it is at most of unit length.
    """

    cells: int

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.cells * (len(CONCEPTS) + 3),)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        (hidden,) = inputs
        if hidden is None:
            raise ValueError("inputs[0] = None: an image needs its hidden variables")
        hidden = np.asarray(hidden).reshape(len(hidden), self.cells, -1)
        there = hidden[..., :1] < scipy.special.ndtri(OCCUPIED)
        strength = 0.5 + 0.5 * scipy.special.ndtr(hidden[..., 1:3])
        colour = np.eye(len(COLOURS))[np.argmax(hidden[..., 3 : 3 + len(COLOURS)], axis=-1)] * strength[..., :1]
        shape = np.eye(len(SHAPES))[np.argmax(hidden[..., 3 + len(COLOURS) :], axis=-1)] * strength[..., 1:]
        features = np.concatenate([colour, shape], axis=-1) * there
        return features.reshape(len(hidden), -1) / math.sqrt(2 * self.cells)


@dataclass(frozen=True, eq=False)
class MeasureFunction(ModuleFunction):
    """Yes and no: ``softmax(V relu(W h + b) + c)`` of an attention map ``h``."""

    hidden: Array
    bias: Array
    readout: Array
    offset: Array

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.hidden.shape[1],)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        (attention,) = inputs
        if attention is None:
            raise ValueError("inputs[0] = None: there is no attention to measure")
        drive = np.maximum(attention @ self.hidden.T + self.bias, 0.0)
        return np.asarray(scipy.special.softmax(drive @ self.readout.T + self.offset, axis=1))


@dataclass(frozen=True, eq=False)
class DescribeFunction(ModuleFunction):
    """An answer: ``softmax(V f + c)``, ``f`` the features of the image, averaged with the attention as weights."""

    cells: int
    readout: Array
    offset: Array

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.cells * len(CONCEPTS), self.cells)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        image, attention = inputs
        if image is None or attention is None:
            raise ValueError("inputs: a description needs the image and an attention map")
        features = np.asarray(image).reshape(len(image), self.cells, -1) * math.sqrt(2 * self.cells)
        total = np.maximum(attention.sum(axis=1, keepdims=True), 1e-12)
        seen = np.einsum("nc,ncf->nf", attention, features) / total
        return np.asarray(scipy.special.softmax(seen @ self.readout.T + self.offset, axis=1))


class Assembly:
    """The objects of one question, put together from the leaves; what is asked for twice is made once."""

    def __init__(self, network: ModularNetwork) -> None:
        self.network = network
        self.made: dict[Name, tuple[Name, tuple[Name, ...]]] = {}

    def apply(self, module: str, *inputs: str) -> str:
        """The object that a module makes of others; its name is the layout that made it, the image left out."""
        inside = ", ".join(name for name in inputs if name != IMAGE)
        name = f"{module}({inside})" if inside else module
        self.made[name] = (module, inputs)
        return name

    def structure(self, output: str | None) -> Structure:
        """The structure of the question that ends in ``output``; ``None`` for that of a run without an image."""
        return Structure(
            self.network,
            tuple(self.made),
            tuple(module for module, _ in self.made.values()),
            tuple(inputs for _, inputs in self.made.values()),
            tuple(tuple(slot.weight for slot in self.network.slots_of(module)) for module, _ in self.made.values()),
            (output,),
            tuple(slot.weight for slot in self.network.outputs),
        )


@dataclass(frozen=True)
class QuestionLayout(Plan):
    """Draws a question for every run, and assembles the modules that answer it."""

    def draw(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Batch]:
        # one row a run: the question of a run does not depend on how many there are
        u = stream(seed, "question").random((runs, 8))

        def pick(column: int, options: int) -> Array:
            return (u[:, column] * options).astype(np.intp)

        first = pick(3, len(CONCEPTS))
        rows = np.stack(
            [
                pick(0, len(QUESTIONS)),
                np.where(u[:, 1] < COMBINED, (u[:, 1] / COMBINED * len(COMBINATIONS)).astype(np.intp), -1),
                np.where(u[:, 2] < RELATED, (u[:, 2] / RELATED * len(RELATIONS)).astype(np.intp), -1),
                first,
                np.where(u[:, 4] < RELATED, (u[:, 4] / RELATED * len(RELATIONS)).astype(np.intp), -1),
                # another concept than the first: no region is a thing and itself
                (first + 1 + pick(5, len(CONCEPTS) - 1)) % len(CONCEPTS),
            ],
            axis=1,
        )
        rows[rows[:, 1] < 0, 4:] = -1
        if activity is not None:
            rows[~activity[:, 0]] = -1
        return [(members, self.structure(network, row)) for members, row in patterns(rows)]

    def structure(self, network: ModularNetwork, row: Array) -> Structure:
        """The layout of a question; nothing for one that is not asked."""
        question, combination, relation, concept, other_relation, other = map(int, row)
        parts = Assembly(network)
        if question < 0:
            return parts.structure(None)
        parts.made[IMAGE] = (IMAGE, ())
        region = self._thing(parts, relation, concept)
        if combination >= 0:
            region = parts.apply(f"combine[{COMBINATIONS[combination]}]", region, self._thing(parts, other_relation, other))
        asked = QUESTIONS[question]
        if asked == "is":
            return parts.structure(parts.apply("measure[is]", region))
        return parts.structure(parts.apply(f"describe[{asked}]", IMAGE, region))

    @staticmethod
    def _thing(parts: Assembly, relation: int, concept: int) -> str:
        found = parts.apply(f"find[{CONCEPTS[concept]}]", IMAGE)
        return found if relation < 0 else parts.apply(f"transform[{list(RELATIONS)[relation]}]", found)


def neural_modules(size: int = 3, seed: int = 0) -> ModularNetwork:
    """Neural module networks: every run asks a question about an image, and has the modules that answer it.

    ``"image"`` shows things of three colours and three shapes on a grid.  ``find[concept]`` makes an attention map of it, a
    number to a cell; ``transform[relation]`` moves attention, ``combine[and]`` and ``combine[except]`` merge two maps;
    ``measure[is]`` answers yes or no, and ``describe[colour]`` and ``describe[shape]`` answer from what is attended to, with
    a probability for each answer.  The source file has the grammar of the questions.  An object is named by the layout that
    made it, so that the name of the output object is the question.  One module can make two objects (what is above one thing
    and above another); the image fills several slots.

    Parameters
    ----------
    size : int
        Rows and columns of the image, in cells: an attention map has ``size²`` attributes.
    seed : int
        Of the weights of the modules: relations and concepts are planted, with some noise.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Source: J. Andreas, M. Rohrbach, T. Darrell, D. Klein, *Neural Module Networks*, CVPR 2016.  Find, transform and combine
    are linear maps with a rectifier, as there; nothing is trained.

    Examples
    --------
    >>> import simnet
    >>> runs = simnet.networks.neural_modules(seed=0).run(3, seed=1)
    >>> for i in range(3):
    ...     print(runs[i].structure.outputs[0])
    measure[is](combine[and](transform[below](find[red]), find[blue]))
    measure[is](combine[except](find[red], find[triangle]))
    measure[is](combine[and](transform[right of](find[circle]), find[blue]))
    """
    size = integer("size", size, minimum=2)
    integer("seed", seed, maximum=None)
    cells = size**2
    at = tuple(f"row {i}, column {j}" for i in range(size) for j in range(size))
    hidden = stream(seed, "calibration").standard_normal((CALIBRATION, cells * (len(CONCEPTS) + 3)))
    image = ImageFunction(cells)
    seen = image([hidden])
    made = [Module(IMAGE, cells * len(CONCEPTS), (), image, tuple(f"{c}, {place}" for place in at for c in CONCEPTS))]

    def attention(name: str, slots: tuple[Slot, ...], function: RectifiedFunction, sample: Sequence[Array]) -> Array:
        lengths = np.linalg.norm(np.maximum(function.drive(sample), 0.0), axis=1)
        gain = MEDIAN_LENGTH / float(np.median(lengths[lengths > 0.0]))
        function = RectifiedFunction(function.weights, function.thresholds, gain)
        made.append(Module(name, cells, slots, function, at))
        return function(sample)

    finds = tuple(f"find[{concept}]" for concept in CONCEPTS)
    found = []
    for i, name in enumerate(finds):
        looks_for = np.eye(len(CONCEPTS))[i] + STRAY * stream(seed, "weights", name).standard_normal(len(CONCEPTS))
        weights = np.kron(np.eye(cells), looks_for) * math.sqrt(2 * cells)  # the same at every cell: a convolution
        function = RectifiedFunction((weights,), (np.full(cells, THRESHOLD),), 1.0)
        found.append(attention(name, (Slot((IMAGE,), 1.0),), function, [seen]))
    pooled = np.concatenate(found)
    moved = []
    transforms = tuple(f"transform[{relation}]" for relation in RELATIONS)
    for name, (down, right) in zip(transforms, RELATIONS.values(), strict=True):
        move = np.roll(np.eye(cells).reshape(size, size, cells), (down, right), axis=(0, 1)).reshape(cells, cells)
        weights = move + STRAY * stream(seed, "weights", name).standard_normal((cells, cells))
        function = RectifiedFunction((weights,), (np.full(cells, THRESHOLD / 2.0),), 1.0)
        moved.append(attention(name, (Slot(finds, 1.0),), function, [pooled]))
    draw = stream(seed, "calibration", "pairs")
    maps = np.concatenate([*found, *moved])
    pair = [maps[draw.permutation(len(maps))] for _ in range(2)]
    both = Slot((*finds, *transforms), 0.5)
    same, none = np.eye(cells), np.zeros(cells)
    # "and" fires where two maps together are stronger than one is likely to be
    level = np.full(cells, float(np.quantile(maps[maps > 0.0], 0.5)) / 2.0)
    attention("combine[and]", (both, both), RectifiedFunction((same, same), (level, level), 1.0), pair)
    attention("combine[except]", (both, both), RectifiedFunction((same, -same), (none, none), 1.0), pair)
    combines = tuple(f"combine[{combination}]" for combination in COMBINATIONS)
    region = (*finds, *transforms, *combines)
    draw = stream(seed, "weights", "measure[is]")
    measure = MeasureFunction(
        np.full((4, cells), 1.0) + STRAY * draw.standard_normal((4, cells)),
        -np.arange(4) / 2.0,
        np.stack([np.full(4, 0.5), np.full(4, -0.5)]) + STRAY * draw.standard_normal((2, 4)),
        np.array([-1.0, 1.0]),
    )
    made.append(Module("measure[is]", 2, (Slot(region, 1.0),), measure, ("yes", "no")))
    for asked, answers, first in (("colour", COLOURS, 0), ("shape", SHAPES, len(COLOURS))):
        name = f"describe[{asked}]"
        draw = stream(seed, "weights", name)
        readout = 4.0 * np.eye(len(CONCEPTS))[first : first + len(answers)]
        readout = readout + STRAY * draw.standard_normal(readout.shape)
        describe = DescribeFunction(cells, readout, STRAY * draw.standard_normal(len(answers)))
        made.append(Module(name, len(answers), (Slot((IMAGE,), 0.5), Slot(region, 0.5)), describe, answers))
    questions = ("measure[is]", "describe[colour]", "describe[shape]")
    return inspected(ModularNetwork(tuple(made), (Slot(questions, 1.0),), QuestionLayout()))
