"""Learning what is unknown: the wiring behind a sketch function that nobody described."""

from __future__ import annotations

from simnet.learning.blind import BlindWiring, blind_wiring
from simnet.learning.functions import FoundModule

__all__ = ["BlindWiring", "FoundModule", "blind_wiring"]
