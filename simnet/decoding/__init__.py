"""Decoders: from a sketch, or what is left of one, to attributes, statistics and similarity."""

from __future__ import annotations

from collections.abc import Callable

from simnet.decoding.estimate import Answer, Estimate, PerObject
from simnet.decoding.matched import matched
from simnet.decoding.path_matched import path_matched
from simnet.decoding.similarity import similarity
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation

Decoder = Callable[[Encoder, Observation, Structure], Estimate]

DECODERS: dict[str, Decoder] = {"matched": matched, "path_matched": path_matched}

__all__ = ["DECODERS", "Answer", "Decoder", "Estimate", "PerObject", "matched", "path_matched", "similarity"]
