"""Named random streams: every draw in the package comes from a seed and a name.

A stream is a function of its seed and its name alone.  Adding a module to a network, reordering a grid or changing the
number of workers therefore changes no other draw.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np

from simnet.checks import integer


def stream(seed: int, *names: Any) -> np.random.Generator:
    """The random generator that belongs to ``seed`` and ``names``.

    The name is encoded without ambiguity (``("ab", "c")`` and ``("a", "bc")``, ``1`` and ``"1"`` differ), hashed with
    BLAKE2b to 256 bits, and the hash seeds a PCG64.  Two different names share a stream with probability ``2⁻²⁵⁶``.

    Parameters
    ----------
    seed : int
        Any integer ``>= 0``; 0 is a seed like the others.
    *names : str, int, bool or None, or tuples of them
        The path to the draw, from the general to the particular.

    Raises
    ------
    ValueError
        If the seed is not an integer ``>= 0``.
    TypeError
        If a name is of a type that has no stable encoding.

    Examples
    --------
    >>> from simnet.randomness import stream
    >>> bool((stream(0, "matrix", 3).random(4) == stream(0, "matrix", 3).random(4)).all())
    True
    >>> bool((stream(0, "matrix", 3).random(4) == stream(0, "matrix", 4).random(4)).any())
    False
    """
    digest = blake2b(_encode((integer("seed", seed, maximum=None), *names)), digest_size=32)
    words = np.frombuffer(digest.digest(), "<u4")  # the same seed as one integer of 256 bits, which takes longer to read
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def _encode(name: Any) -> bytes:
    """Type tag, length, payload: no two different names give the same bytes."""
    match name:
        case str():
            payload = name.encode()
            return b"s%d:%b" % (len(payload), payload)
        case tuple():
            return b"(%d:%b" % (len(name), b"".join(map(_encode, name)))
        case None:
            return b"n"
        case bool() | np.bool_():
            return b"t" if name else b"f"
        case int() | np.integer():
            return b"i%d;" % int(name)
        case _:
            raise TypeError(f"stream name {name!r}: must be a string, an integer, a boolean, None or a tuple of these")
