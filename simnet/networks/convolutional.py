"""The ``convolutional`` family: kernels are modules, and the strongest places of their maps are objects.

A layer correlates its kernels with the maps below, without padding: ``z_k(p) = Σ_cΔ w_k(c, Δ) m_c(p + Δ)``, and keeps of
each kernel the strongest places alone: ``m_k(p) = tanh(g_k max(0, z_k(p)))`` at the ``winners`` places with the greatest
positive ``z_k``, and 0 at all others.  So what an object saw are objects, and slot ``(c, Δ)`` of a kernel holds the object
of kernel ``c`` at ``p + Δ``.  The weight of an edge is the share of its term in the response,
``|w_k(c, Δ) m_c(p + Δ)| / Σ |…|``.

Sources: Y. LeCun et al., *Gradient-Based Learning Applied to Document Recognition*, Proc. IEEE 86 (1998), for the layers;
A. Makhzani, B. Frey, *Winner-Take-All Autoencoders*, NeurIPS 2015, for keeping the strongest places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simnet.checks import integer, sequence
from simnet.networks.executions import Group
from simnet.networks.functions import Array, ModuleFunction
from simnet.networks.inspection import inspected
from simnet.networks.network import ModularNetwork, Module, Name, Slot
from simnet.networks.running import Layout
from simnet.networks.structure import Structure
from simnet.randomness import stream

#: The module of the pieces of the image that kernels of the first layer look at.
WINDOW = "window"
#: Strokes of an image, and the numbers that describe one: its middle, angle, length, width and brightness.
STROKES, NUMBERS = 4, 6
#: Images on which the gains of kernels are set, and the response that they give to the median winner.
CALIBRATION, MEDIAN_RESPONSE = 256, 0.75


def draw_images(numbers: Array, size: int) -> Array:
    """Grey images of soft strokes on black, ``(runs, size, size)`` in ``[0, 1]``.

    Parameters
    ----------
    numbers : (runs, 24) array
        Uniform in ``[0, 1)``, six to a stroke: row and column of its middle, angle, length, width and brightness.
    size : int

    Examples
    --------
    >>> import numpy as np
    >>> from simnet.networks.convolutional import draw_images
    >>> draw_images(np.full((1, 24), 0.5), 8).shape
    (1, 8, 8)
    """
    row, column, turn, length, width, light = np.moveaxis(numbers.reshape(len(numbers), STROKES, NUMBERS, 1, 1), 2, 0)
    pixel = (np.arange(size) + 0.5) / size
    down, right = pixel[:, None] - row, pixel[None, :] - column
    along = down * np.sin(math.pi * turn) + right * np.cos(math.pi * turn)
    across = down * np.cos(math.pi * turn) - right * np.sin(math.pi * turn)
    beyond = np.maximum(np.abs(along) - (0.1 + 0.3 * length), 0.0)
    strokes = (0.4 + 0.6 * light) * np.exp(-(across**2 + beyond**2) / (2.0 * (0.04 + 0.05 * width) ** 2))
    return np.max(strokes, axis=1)


def correlate(maps: Array, kernels: Array) -> Array:
    """``z_k(p) = Σ_cΔ w_k(c, Δ) m_c(p + Δ)`` at all places where the kernel fits.

    Parameters
    ----------
    maps : (runs, c, rows, columns) array
    kernels : (k, c, b, b) array

    Returns
    -------
    (runs, k, rows - b + 1, columns - b + 1) array
    """
    b = kernels.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(maps, (b, b), axis=(2, 3))
    # without BLAS: a run then comes out the same to the last bit, however many there are, and so do its winners
    return np.einsum("ncxyij,kcij->nkxy", windows, kernels)


@dataclass(frozen=True, eq=False)
class WindowFunction(ModuleFunction):
    """A piece of the image: ``(pixels, row, column) / √(b² + 2)``, all of them in ``[0, 1]``."""

    kernel_size: int

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.kernel_size**2 + 2,)

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        (seen,) = inputs
        if seen is None:
            raise ValueError("inputs[0] = None: a window needs its pixels and its place")
        return np.asarray(seen) / math.sqrt(self.kernel_size**2 + 2)


@dataclass(frozen=True, eq=False)
class KernelFunction(ModuleFunction):
    """A kernel at one place: ``(response, row, column) / √3``, all of them in ``[0, 1]``.

    The response is ``tanh(g max(0, Σ w m))``; row and column are those of the middle of what it sees in the image, in units
    of its size, and follow from the places of its inputs.

    Parameters
    ----------
    kernel : (c, b, b) array
        ``w``; the kernels of the first layer have one channel, the image.
    gain : float
        ``g``.
    size : int
        Rows, and columns, of the image.
    first : bool
        Whether it looks at a window of the image, its only slot; other kernels have ``c b²`` slots.
    """

    kernel: Array
    gain: float
    size: int
    first: bool

    @property
    def input_dims(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.kernel.size + 2,) if self.first else (3,) * self.kernel.size

    def response(self, drive: Array) -> Array:
        """``tanh(g max(0, z))``."""
        return np.tanh(self.gain * np.maximum(drive, 0.0))

    def __call__(self, inputs: Sequence[Array | None]) -> Array:
        weights = self.kernel.reshape(-1)
        if self.first:
            (window,) = inputs
            if window is None:
                raise ValueError("inputs[0] = None: a kernel of the first layer needs a window")
            window = np.asarray(window) * math.sqrt(len(weights) + 2)
            drive, place = window[:, :-2] @ weights, window[:, -2:]
        else:
            filled = [(i, np.asarray(u) * math.sqrt(3)) for i, u in enumerate(inputs) if u is not None]
            drive = np.sum([weights[i] * u[:, 0] for i, u in filled], axis=0)
            # any of the inputs tells the place: Δ is the number of its slot
            i, u = filled[0]
            b = self.kernel.shape[-1]
            shift = np.array(divmod(i % b**2, b)) - (b - 1) / 2.0
            place = u[:, 1:] - shift / self.size
        return np.column_stack([self.response(drive), place]) / math.sqrt(3)


class Layer(NamedTuple):
    """The kernels of a layer, the maps below them and the winners of its own maps, for a batch of images."""

    functions: tuple[KernelFunction, ...]
    below: Array  # (runs, c, rows, columns)
    drive: Array  # (runs, k, winners)
    places: Array  # (runs, k, winners, 2), strongest first


def win(functions: Sequence[KernelFunction], below: Array, winners: int) -> tuple[Layer, Array]:
    """The winners of a layer, and its maps with nothing but them."""
    drive = correlate(below, np.stack([f.kernel for f in functions]))
    runs, kernels, _, columns = drive.shape
    flat = drive.reshape(runs, kernels, -1)
    best = np.argsort(-flat, axis=-1, kind="stable")[..., :winners]
    strongest = np.take_along_axis(flat, best, axis=-1)
    responses = np.stack([f.response(strongest[:, k]) for k, f in enumerate(functions)], axis=1)
    maps = np.zeros_like(flat)
    np.put_along_axis(maps, best, responses, axis=-1)
    places = np.stack(np.divmod(best, columns), axis=-1)
    return Layer(tuple(functions), below, strongest, places), maps.reshape(drive.shape)


class Made(NamedTuple):
    """One object: its module, its attribute vector, and what fills its slots."""

    module: Name
    attributes: Array
    inputs: tuple[Name | None, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class WinnersLayout(Layout):
    """Draws an image, convolves it layer by layer, and makes objects of the winners that reach the output."""

    kernels: tuple[int, ...]
    size: int
    winners: int

    def groups(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Group]:
        images = draw_images(stream(seed, "image").random((runs, STROKES * NUMBERS)), self.size)
        if activity is not None:
            images = images * activity[:, :1, None]
        layers = []
        maps = images[:, None]
        for layer, count in enumerate(self.kernels):
            functions = [network.module(kernel_name(layer, k)).function for k in range(count)]
            kernels = [function for function in functions if isinstance(function, KernelFunction)]
            made, maps = win(kernels, maps, self.winners)
            layers.append(made)
        return [self._group(network, layers, run) for run in range(runs)]

    def _group(self, network: ModularNetwork, layers: Sequence[Layer], run: int) -> Group:
        """One run: from the winners of the last layer down to what they saw."""
        objects: dict[Name, Made] = {}
        top = len(layers) - 1
        # slot by slot of root: kernel by kernel, the strongest first
        outputs: list[Name | None] = []
        for k in range(self.kernels[top]):
            drives, places = layers[top].drive[run, k], layers[top].places[run, k]
            for z, (row, column) in zip(drives, places, strict=True):
                won = z > 0.0
                outputs.append(self._object(network, layers, run, top, k, (int(row), int(column)), objects) if won else None)
        responses = np.array([0.0 if name is None else objects[name].attributes[0] for name in outputs])
        total = float(responses.sum())
        structure = Structure(
            network,
            tuple(objects),
            tuple(made.module for made in objects.values()),
            tuple(made.inputs for made in objects.values()),
            tuple(made.weights for made in objects.values()),
            tuple(outputs),
            tuple((responses / total).tolist()) if total > 0.0 else tuple(slot.weight for slot in network.outputs),
        )
        attributes = tuple(made.attributes[None] for made in objects.values())
        return Group(structure, np.array([run]), attributes, structure.edge_weights[None])

    def _object(
        self,
        network: ModularNetwork,
        layers: Sequence[Layer],
        run: int,
        layer: int,
        kernel: int,
        place: tuple[int, int],
        objects: dict[Name, Made],
    ) -> Name:
        """The name of the object of a kernel at a place; it and all that it saw are in ``objects`` then."""
        b = layers[0].functions[0].kernel.shape[-1]
        module = kernel_name(layer, kernel)
        name = place_name(module, place)
        if name in objects:
            return name
        row, column = place
        function = layers[layer].functions[kernel]
        seen = layers[layer].below[run, :, row : row + b, column : column + b]
        inputs: list[Name | None]
        if layer == 0:
            piece = place_name(WINDOW, place)
            inputs, weights = [piece], [1.0]
            if piece not in objects:
                middle = (np.array(place) + b / 2.0) / self.size
                window = network.module(WINDOW).function
                assert window is not None
                (x,) = window([np.concatenate([seen.reshape(-1), middle])[None]])
                objects[piece] = Made(WINDOW, x, (), ())
        else:
            terms = np.abs(function.kernel * seen)
            weights = (terms / terms.sum()).reshape(-1).tolist()
            inputs = [
                self._object(network, layers, run, layer - 1, c, (row + i, column + j), objects) if seen[c, i, j] else None
                for c, i, j in np.ndindex(*seen.shape)
            ]
        (x,) = function([None if source is None else objects[source].attributes[None] for source in inputs])
        objects[name] = Made(module, x, tuple(inputs), tuple(weights))
        return name


def place_name(module: str, place: tuple[int, int]) -> str:
    """The name of an object: its module, and the first row and column of the map below that it sees."""
    return f"{module} at {place[0]},{place[1]}"


def kernel_name(layer: int, number: int) -> str:
    """``"kernel 0.3"``: layer and number."""
    return f"kernel {layer}.{number}"


def convolutional(
    kernels: Sequence[int] = (4, 3), size: int = 8, kernel_size: int = 3, winners: int = 2, seed: int = 0
) -> ModularNetwork:
    """A convolutional network: kernels are modules, the strongest places of their maps are objects.

    Every run is an image of strokes.  The attributes of a kernel's object are its response and its place in the image; the
    kernels of the first layer look at ``"window"``, which makes an object, pixels and place, of each piece of the image in
    which one of them won.  Edges are weighted by what they contributed, run by run, those of the outputs too.  A winner
    that no winner above saw is not an object: it reaches no output.

    Parameters
    ----------
    kernels : sequence of int
        Kernels to a layer, the first one next to the image.
    size : int
        Rows and columns of the image.
    kernel_size : int
        Rows and columns of a kernel, ``b``.
    winners : int
        How many places each kernel keeps.
    seed : int

    Raises
    ------
    ValueError
        If an argument is out of range, or the last map would have fewer than two rows.

    Notes
    -----
    Kernels of the first layer are edges of different directions, with noise; above they are random, without a mean.  Nothing
    is trained.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.convolutional(kernels=(3, 2), winners=1, seed=0)
    >>> run = net.run(1, seed=1)[0]
    >>> run.structure.outputs
    ('kernel 1.0 at 2,2', 'kernel 1.1 at 3,2')
    """
    kernels = tuple(integer(f"kernels[{i}]", k, minimum=1) for i, k in enumerate(sequence("kernels", kernels, "integers")))
    if not kernels:
        raise ValueError("kernels = (): must have at least one layer")
    b = integer("kernel_size", kernel_size, minimum=2)
    size = integer("size", size, minimum=1)
    winners = integer("winners", winners, minimum=1)
    last = size - len(kernels) * (b - 1)
    if last < 2:
        raise ValueError(
            f"size = {size}: must be at least {2 + len(kernels) * (b - 1)} for {len(kernels)} layers of kernels"
        )
    if winners > last**2:
        raise ValueError(f"winners = {winners}: must be at most {last**2}, the places of the last map")
    names = ("response", "row", "column")
    pixels = tuple(f"pixel {i},{j}" for i in range(b) for j in range(b))
    modules = [Module(WINDOW, b**2 + 2, (), WindowFunction(b), (*pixels, "row", "column"))]
    maps = draw_images(stream(seed, "calibration").random((CALIBRATION, STROKES * NUMBERS)), size)[:, None]
    slots: tuple[Slot, ...] = (Slot((WINDOW,), 1.0),)
    for layer, count in enumerate(kernels):
        raw = [KernelFunction(_kernel(seed, layer, k, maps.shape[1], b, count), 1.0, size, layer == 0) for k in range(count)]
        won, _ = win(raw, maps, winners)
        medians = [float(np.median(z[z > 0.0])) if (z > 0.0).any() else 1.0 for z in np.moveaxis(won.drive, 1, 0)]
        functions = [replace(f, gain=math.atanh(MEDIAN_RESPONSE) / m) for f, m in zip(raw, medians, strict=True)]
        modules += [Module(kernel_name(layer, k), 3, slots, f, names) for k, f in enumerate(functions)]
        _, maps = win(functions, maps, winners)
        share = 1.0 / (count * b**2)
        slots = tuple(Slot((kernel_name(layer, c),), share) for c in range(count) for _ in range(b**2))
    top = len(kernels) - 1
    outputs = tuple(
        Slot((kernel_name(top, k),), 1.0 / (kernels[-1] * winners)) for k in range(kernels[-1]) for _ in range(winners)
    )
    return inspected(ModularNetwork(tuple(modules), outputs, WinnersLayout(kernels, size, winners)))


def _kernel(seed: int, layer: int, number: int, channels: int, kernel_size: int, count: int) -> Array:
    """An edge in the first layer, random above; without a mean, so that even light gives no response."""
    draw = stream(seed, "kernel", layer, number)
    kernel = draw.standard_normal((channels, kernel_size, kernel_size))
    if layer == 0:
        ramp = np.arange(kernel_size) - (kernel_size - 1) / 2.0
        turn = 2.0 * math.pi * (number + draw.random()) / count
        kernel = 0.3 * kernel + np.cos(turn) * ramp[:, None] + np.sin(turn) * ramp[None, :]
    kernel = kernel - kernel.mean()
    return kernel / np.abs(kernel).sum()
