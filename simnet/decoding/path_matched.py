"""The path-matched decoder: the transpose of everything between an object's attributes and the sketch."""

from __future__ import annotations

import numpy as np

from simnet.decoding.estimate import Estimate, PerObject, read_out
from simnet.networks import Structure
from simnet.sketching import Encoder, Observation
from simnet.theory import place_gram


def path_matched(encoder: Encoder, observation: Observation, structure: Structure) -> Estimate:
    """``x̂_θ = (d/d') ξ_x (G_θ R_{M,1})ᵀ s' / (ξ_x² A_θθ)`` for every object.

    ``G_θ`` sums, over the paths to ``θ``, the products of weights, shares and transparent matrices, and ``ξ_x² A_θθ`` is
    the expected squared norm of a column of ``G_θ R_{M,1} ξ_x`` (the diagonal of the place Gram).  One adjoint pass serves
    all objects.

    It tells objects of one module in different places apart up to ``A_θθ'/A_θθ``, and at depth ``h`` its root mean square
    error is smaller than the matched one by about ``(τ/α²)^{3h/2}``.  The error is read off the probe ``G_θᵀ s'``: the
    object's own matrix is independent of it.
    """
    recipe = encoder.recipe
    gram = place_gram(structure, structure, recipe=recipe)
    own = np.diagonal(gram)
    values = [np.empty(0)] * len(structure)
    errors = list(values)
    blur = [0.0] * len(structure)
    weights = structure.edge_weights[None]
    for module, objects, probes in encoder.backward(structure, observation.values, weights):
        projections = encoder.value_matrix(module).rmatvec(probes)
        lengths = np.sum(np.square(probes, dtype=float), axis=-1)
        for i, k in enumerate(objects):
            gain = recipe.value_share * float(own[k])
            if gain > 0.0:
                blur[k] = float(gram[k, structure.objects_of[module]].sum() / own[k] - 1.0)
            x, e = read_out(projections[i], lengths[i], gain, observation, encoder.family, longest=1.0 + blur[k])
            values[k] = x.reshape(*observation.batch, -1)
            errors[k] = e.reshape(*observation.batch, -1)
    return Estimate(structure, "path_matched", PerObject(structure, values), PerObject(structure, errors), tuple(blur))
