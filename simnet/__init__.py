"""simnet: simulator and theory testbed for recursive sketches of modular networks.

A modular network runs on an input and makes objects with attribute vectors; a sketch packs the whole run into one vector
by random matrices, recursively.  simnet generates such networks, sketches their runs, decodes the sketches, and holds
every property against an explicit law.

>>> import simnet
>>> net = simnet.networks.layered(widths=(4, 2, 1), attribute_dim=4, seed=0)
>>> runs = net.run(10, seed=1)
>>> sketcher = simnet.Sketcher(net, sketch_dim=4096, seed=3)
>>> sketches = sketcher.encode(runs)
>>> estimate = sketcher.decode(sketches[0], runs[0].structure)
"""

from __future__ import annotations

from simnet import adapters, baselines, decoding, learning, matrices, memory, networks, testing, theory
from simnet.decoding import similarity
from simnet.networks import Execution, Executions, ModularNetwork, Structure
from simnet.recipes import RECIPES, Recipe
from simnet.sketcher import Sketcher
from simnet.sketching import load_sketches, save_sketches, store

__version__ = "0.1.0"

__all__ = [
    "RECIPES",
    "Execution",
    "Executions",
    "ModularNetwork",
    "Recipe",
    "Sketcher",
    "Structure",
    "adapters",
    "baselines",
    "decoding",
    "learning",
    "load_sketches",
    "matrices",
    "memory",
    "networks",
    "save_sketches",
    "similarity",
    "store",
    "testing",
    "theory",
]
