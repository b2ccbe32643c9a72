"""The matched decoder: one product with the transpose of the object's own matrix."""

from __future__ import annotations

import numpy as np

from simnet.decoding.estimate import Estimate, PerObject, read_out
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation
from simnet.theory import blur, coefficients


def matched(encoder: Encoder, observation: Observation, structure: Structure) -> Estimate:
    """``x̂_θ = (d/d') R_{M,1}ᵀ s' / c_θ`` for every object: Law 1.

    It needs to know only where the object is, not what else is in the sketch, and costs one product with a
    ``d × a`` matrix for each module.  Objects of one module cannot be told apart: each estimate then has the mean
    ``Σ_θ' (c_θ'/c_θ) x_θ'``, and its interval allows for the others.
    """
    strengths = coefficients(structure, recipe=encoder.recipe)
    others = blur(structure, recipe=encoder.recipe)
    values = [np.empty(0)] * len(structure)
    errors = list(values)
    lengths = observation.length_squared
    for module, mine in structure.objects_of.items():
        projection = encoder.value_matrix(module).rmatvec(observation.values)
        for k in mine:
            x, e = read_out(
                projection, lengths, float(strengths[k]), observation, encoder.family, longest=1.0 + float(others[k])
            )
            values[k] = x.reshape(*observation.batch, -1)
            errors[k] = e.reshape(*observation.batch, -1)
    return Estimate(structure, "matched", PerObject(structure, values), PerObject(structure, errors), tuple(others.tolist()))
