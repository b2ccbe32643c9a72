"""The encoder, the sketch as a linear operator, what is left of a sketch, and sketches in fewer bits."""

from __future__ import annotations

from simnet.sketching.encoder import Encoder
from simnet.sketching.observation import Observation, load_sketches, observe, save_sketches
from simnet.sketching.operator import SketchOperator
from simnet.sketching.storage import StoredSketches, store

__all__ = [
    "Encoder",
    "Observation",
    "SketchOperator",
    "StoredSketches",
    "load_sketches",
    "observe",
    "save_sketches",
    "store",
]
