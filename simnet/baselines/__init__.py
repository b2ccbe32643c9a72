"""Methods from neighbouring fields, to hold recursive sketches against: same executions, same number of stored floats."""

from __future__ import annotations

from simnet.baselines.holographic import HolographicEncoder

__all__ = ["HolographicEncoder"]
