"""Learning unknown sketch functions: the matrices of one layer from sketches of sparse attributes."""

from __future__ import annotations

from simnet.learning import metrics
from simnet.learning.packets import LearntPackets, PacketDiagnostics, learn_packets

__all__ = ["LearntPackets", "PacketDiagnostics", "learn_packets", "metrics"]
