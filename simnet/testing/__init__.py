"""Public law checkers, and the planted defects that they and ``verify`` must reject."""

from __future__ import annotations

from simnet.testing.defects import DEFECTS
from simnet.testing.laws import LawViolation, Measurement, check_matrices, check_network, check_operator

__all__ = ["DEFECTS", "LawViolation", "Measurement", "check_matrices", "check_network", "check_operator"]
