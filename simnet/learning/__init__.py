"""Learning what is unknown: the matrices of one layer, and the wiring and functions behind a sketch at any depth."""

from __future__ import annotations

from simnet.learning import metrics
from simnet.learning.blind import BlindWiring, blind_wiring
from simnet.learning.modules import FoundModule
from simnet.learning.packets import LearntPackets, PacketDiagnostics, learn_packets
from simnet.learning.wiring import FoundEdge, WiringEvidence, find_wiring

__all__ = [
    "BlindWiring",
    "FoundEdge",
    "FoundModule",
    "LearntPackets",
    "PacketDiagnostics",
    "WiringEvidence",
    "blind_wiring",
    "find_wiring",
    "learn_packets",
    "metrics",
]
