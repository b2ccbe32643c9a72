"""A decoder: the matched estimate, moved to the nearest vector that attributes can be.

Run ``python my_decoder.py``: it is compared with the matched decoder on a hundred runs.
"""

import dataclasses

import numpy as np

import simnet
from simnet.checks import real
from simnet.decoding import DECODERS, PerObject, matched


def projected(encoder, observation, structure, *, longest=1.0):
    """The matched estimates, projected onto ``{x ≥ 0, ‖x‖ ≤ longest}``.

    The set is convex and holds the truth, so a projection onto it never moves an estimate away from the truth: no error is
    larger than that of ``matched``, whose standard errors are kept.  The estimate is no longer unbiased.

    Parameters
    ----------
    longest : float
        The most that ``‖x‖`` can be.
    """
    real("longest", longest, minimum=1e-12)
    estimate = matched(encoder, observation, structure)

    def nearest(x):
        x = np.maximum(x, 0.0)  # onto the cone first: the ball is round, so that the two steps are the projection
        return x * np.minimum(1.0, longest / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-300))

    moved = PerObject(structure, [nearest(x) for x in estimate.attributes])
    return dataclasses.replace(estimate, method="projected", attributes=moved)


DECODERS["projected"] = projected  # in simnet itself: an entry in simnet/decoding/__init__.py


if __name__ == "__main__":
    net = simnet.networks.tree(height=2, attribute_dim=8, seed=0)
    runs = net.run(100, seed=1)
    sketcher = simnet.Sketcher(net, sketch_dim=512, seed=2)
    sketches = sketcher.encode(runs)
    (group,) = runs.groups
    for method in ("matched", "projected"):
        estimate = sketcher.decode(sketches, group.structure, method=method)
        for k in (0, 2):
            error = np.sqrt(np.mean((estimate.attributes[k] - group.attributes[k]) ** 2))
            print(f"{method:9} error at depth {group.structure.depths[k]}: {error:.3f}")
