"""How long: ``make fuzz`` takes the profile ``fuzz``, the suite a short one that is the same every time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("short", max_examples=60, derandomize=True, database=None, **COMMON)
settings.register_profile("fuzz", max_examples=2000, **COMMON)
settings.load_profile("short")
