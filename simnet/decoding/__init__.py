"""Decoders: from a sketch, or what is left of one, to attributes, statistics and similarity."""

from __future__ import annotations

from typing import Protocol

from simnet.decoding.estimate import Answer, Estimate, Fit, PerObject, Pivots
from simnet.decoding.least_squares import least_squares
from simnet.decoding.matched import matched
from simnet.decoding.nonnegative import nonnegative
from simnet.decoding.path_matched import path_matched
from simnet.decoding.ridge import ridge
from simnet.decoding.similarity import similarity
from simnet.decoding.sparse import sparse
from simnet.decoding.unrolling import Unrolled
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation


class Decoder(Protocol):
    """A decoder of known structure; options of its own are keyword-only."""

    __name__: str

    def __call__(self, encoder: Encoder, observation: Observation, structure: Structure, /) -> Estimate:
        """The attributes of every object."""
        ...  # pragma: no cover


DECODERS: dict[str, Decoder] = {
    "matched": matched,
    "path_matched": path_matched,
    "least_squares": least_squares,
    "ridge": ridge,
    "nonnegative": nonnegative,
    "sparse": sparse,
}

__all__ = [
    "DECODERS",
    "Answer",
    "Decoder",
    "Estimate",
    "Fit",
    "PerObject",
    "Pivots",
    "Unrolled",
    "least_squares",
    "matched",
    "nonnegative",
    "path_matched",
    "ridge",
    "similarity",
    "sparse",
]
