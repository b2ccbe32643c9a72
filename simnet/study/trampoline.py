"""The one function that is cached.

``joblib.Memory`` throws its results away when the source of a cached function changes.  Hence this file: it never has to.
What a trial gives is decided by the claim, whose ``version`` is an argument and so a part of the key.
"""

from __future__ import annotations

from typing import Any

from simnet.study.trial import execute


def run_trial(kind: str, params: str, version: int) -> Any:
    """One trial of the claim ``kind`` with its parameters and seed as JSON."""
    return execute(kind, params)
