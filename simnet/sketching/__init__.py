"""The encoder, the sketch as a linear operator, and what is left of a sketch."""

from __future__ import annotations

from simnet.sketching.encoder import Encoder
from simnet.sketching.observation import Observation, load_sketches, observe, save_sketches
from simnet.sketching.operator import SketchOperator

__all__ = ["Encoder", "Observation", "SketchOperator", "load_sketches", "observe", "save_sketches"]
