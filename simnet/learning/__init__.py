"""Learning what is unknown: the matrices of one layer, and the wiring and functions behind a sketch at any depth."""

from __future__ import annotations

from simnet.learning import metrics
from simnet.learning.blind import BlindWiring, blind_wiring
from simnet.learning.modules import FoundModule
from simnet.learning.packets import LearntPackets, PacketDiagnostics, learn_packets

__all__ = [
    "BlindWiring",
    "FoundModule",
    "LearntPackets",
    "PacketDiagnostics",
    "blind_wiring",
    "learn_packets",
    "metrics",
]
