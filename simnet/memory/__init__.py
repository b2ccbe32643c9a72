"""A repository of sketches: keep them, find them again, ask them, and see what is new.

>>> import os, tempfile, simnet
>>> net = simnet.networks.scene(places=4, seed=0)
>>> sketcher = simnet.Sketcher(net, sketch_dim=2048, recipe="prototype_b", seed=3)
>>> store = simnet.memory.SketchStore.create(os.path.join(tempfile.mkdtemp(), "rooms.sketches"), sketcher)
>>> ids = store.add_runs(net.run(5, seed=1), tags=["kitchen"])
>>> len(store)
5
"""

from __future__ import annotations

from simnet.memory.concepts import Concept, Onset, onset_of
from simnet.memory.finding import Found
from simnet.memory.graph import write_graph
from simnet.memory.questions import Asked
from simnet.memory.records import Record
from simnet.memory.search import Match
from simnet.memory.selection import Selection
from simnet.memory.store import SketchStore

__all__ = [
    "Asked",
    "Concept",
    "Found",
    "Match",
    "Onset",
    "Record",
    "Selection",
    "SketchStore",
    "onset_of",
    "write_graph",
]
