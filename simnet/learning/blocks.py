"""What the row blocks of sketches show: nothing, one packet, or several on top of each other.

A block in which exactly one column is active has entries of one magnitude ``|x_j|/√(dq)``, and its signs are a packet
``±(ρ ‖ ς σ ‖ ς κ_j)``.  Turned so that ``σ`` begins with ``+``, its last two parts are the *name* of the column, and its
first part is the *fresh* one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.randomness import stream

Array = NDArray[Any]

#: Block lengths that are tried when none is given.
LENGTHS = range(6, 193, 3)

#: The block length of the matrix family, where the data do not tell.
DEFAULT_BLOCK = 24

#: As many coordinates are looked at for the block length.
TRIED = 500_000

#: Coordinates are read in batches of about this many.
BATCH = 4_000_000

#: The chance that noise anywhere makes one packet look like several.
FAILURE = 1e-3

#: A gain of so many bits comes about by chance once in a million.
CERTAIN_BITS = 20.0

#: One packet on top of noise of up to this share of its size is looked at when the noise is estimated.
VISIBLE = 0.25


class Blocks(NamedTuple):
    """The packets that were read, one for each block with one active column, and what the other blocks hold."""

    length: int
    tolerance: float  # how far an entry may lie from the magnitude of its packet
    noise: float
    empty: Array  # (samples, blocks): nothing but noise
    single: Array  # (samples, blocks): one packet
    sample: Array  # of each packet
    block: Array
    amplitude: Array  # |x_j|/√(dq)
    packets: Array  # (packets, length) of ±1, turned so that the signature begins with +
    turned: Array  # ±1: the packet in the sample is that times ``packets``
    names: Array  # equal numbers for equal names
    fresh: Array

    @property
    def gain(self) -> float:
        """How many bits shorter the names become by a list of those that occur: positive if they are no accident.

        ``D (B − log₂ U) − U B`` for ``D`` different (name, block) with ``U`` different names of ``B`` bits.  Random signs
        give a gain of ``t`` bits with a probability of about ``2^{−t}``.
        """
        bits = 2 * self.length // 3 - 1
        different = len(np.unique(self.names))
        pairs = len(np.unique(index(self.names, self.block)))
        return pairs * (bits - math.log2(different)) - different * bits if different else 0.0


def index(*keys: Array) -> Array:
    """Numbers from 0 on, equal where all keys are equal, in the order of the keys."""
    order = np.lexsort(keys[::-1])
    new = np.zeros(len(order), dtype=np.int64)
    for key in keys:
        new[1:] |= key[order[1:]] != key[order[:-1]]
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(new)
    return numbers


def read_blocks(sketches: Array, length: int, noise: float | None) -> Blocks:
    """Read the whole blocks of sketches ``(n, d)``; ``noise`` is estimated if it is ``None``."""
    n, count = len(sketches), sketches.shape[1] // length
    mean, spread, off, top = (np.empty((n, count)) for _ in range(4))
    size = max(1, BATCH // max(1, sketches.shape[1]))
    for start in range(0, n, size):
        part = slice(start, start + size)
        magnitudes = np.abs(sketches[part, : count * length]).reshape(-1, count, length)
        mean[part], spread[part], top[part] = magnitudes.mean(2), magnitudes.std(2), magnitudes.max(2)
        off[part] = np.maximum(top[part] - mean[part], mean[part] - magnitudes.min(2))
    rounding = 16.0 * float(np.finfo(sketches.dtype).eps) * float(top.max(initial=0.0))
    sigma = _noise(mean, spread, rounding) if noise is None else noise
    tolerance = max(math.sqrt(2.0 * math.log(2.0 * max(n * count * length, 1) / FAILURE)) * sigma, rounding)
    empty = top <= tolerance
    single = (off <= tolerance) & (mean > 2.0 * tolerance)
    sample, block = np.nonzero(single)
    rows = sketches[:, : count * length].reshape(n, count, length)[sample, block]
    packets = np.where(rows < 0.0, -1, 1).astype(np.int8)
    third = length // 3
    turned = packets[:, third].copy()
    packets *= turned[:, None]
    return Blocks(
        length,
        tolerance,
        sigma,
        empty,
        single,
        sample,
        block,
        mean[sample, block],
        packets,
        turned,
        _numbers(packets[:, third:]),
        _numbers(packets[:, :third]),
    )


def find_length(sketches: Array, noise: float | None) -> int | None:
    """The block length at which names repeat most, ``None`` if they repeat at none."""
    few = sketches[: max(1, TRIED // sketches.shape[1])]
    gains = {length: read_blocks(few, length, noise).gain for length in LENGTHS if 2 * length <= sketches.shape[1]}
    best = max(gains, key=gains.__getitem__) if gains else DEFAULT_BLOCK
    return best if gains.get(best, 0.0) > CERTAIN_BITS else None


def _noise(mean: Array, spread: Array, rounding: float) -> float:
    """The standard deviation of the noise: where the spreads of blocks of nearly one magnitude are densest.

    Blocks of one packet all have the spread of the noise; those with a second, weak one have any.
    """
    candidates = np.sort(np.maximum(spread[spread < VISIBLE * mean], rounding / 16.0))
    dense = np.log(candidates)
    while len(dense) > 3:  # the half that lies closest together, again and again
        half = -(-len(dense) // 2)
        start = int(np.argmin(dense[half - 1 :] - dense[: len(dense) - half + 1]))
        dense = dense[start : start + half] if half < len(dense) else dense[1:]
    if not len(dense):
        return 0.0
    near = candidates[candidates < 1.5 * math.exp(float(np.mean(dense)))]
    return float(np.sqrt(np.mean(near**2))) if len(near) else 0.0


def _numbers(signs: Array) -> Array:
    """A number for each row of signs: different rows share one with probability ``2⁻⁶⁴``."""
    draw = stream(0, "packet names")
    keys = np.array([draw.integers(1 << 63, dtype=np.uint64) for _ in range(signs.shape[1])])
    totals = np.zeros(len(signs), dtype=np.uint64)
    for i, key in enumerate(keys):
        totals += np.where(signs[:, i] > 0, key, np.uint64(0))
    totals ^= totals >> np.uint64(31)
    return totals.view(np.int64)
