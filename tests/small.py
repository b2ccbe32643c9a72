"""A study that runs in a moment, for tests that do something to studies."""

from __future__ import annotations

STUDY = """
title = "Small"
question = "Is it?"
claim = "attribute_recovery"
trials = {trials}
[parameters]
network = {{family = "layered", widths = [2, 1], attribute_dim = 2}}
[grid]
sketch_dim = [16, 32]
"""
