"""Studies: a claim over a grid of parameters, run once and for all, into tidy tables.

>>> from simnet.study import load_study
>>> study = load_study("experiments/similarity.toml")
>>> study.claim
'similarity'
"""

from __future__ import annotations

from simnet.study.engine import Estimate, Status, WorkerDied, collect, estimate, run_study, status
from simnet.study.study import FigureSpec, Point, Study, StudyError, load_study
from simnet.study.tables import Results, read_results

__all__ = [
    "Estimate",
    "FigureSpec",
    "Point",
    "Results",
    "Status",
    "Study",
    "StudyError",
    "WorkerDied",
    "collect",
    "estimate",
    "load_study",
    "read_results",
    "run_study",
    "status",
]
