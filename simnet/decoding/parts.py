"""Is this very part in a sketch?  The inner product with its sub-sketch, as the rest of the run would carry it.

The part is an object with everything below it.  Its sub-sketch is ``t = Σ_θ G_θ s_attr(θ)`` over its objects, ``G_θ`` the
transparent matrices between the object and the sketch.  Then

    E ⟨t, s⟩ = Σ_θθ' A_θθ' (ξ_x² ⟨x_θ, x_θ'⟩ + ξ_e²)      over θ of the part and θ' of the run (Law 0, the place Gram A)

which is ``E‖t‖²`` if the part is in the run, in that place, and its modules made nothing else.  If none of its modules made
anything, its matrices are independent of the probes ``g_θ = G_θᵀ s``, and given those

    ⟨t, s⟩ ~ N(0, σ₀²),      σ₀² = Σ_θθ' (ξ_x² ⟨x_θ, x_θ'⟩ + ξ_e²) ⟨g_θ, g_θ'⟩ / d      over pairs of one module

in the limit of large ``d``, exactly for ``gaussian`` matrices: the false alarm rate is the one that is asked for.  Other
objects of the same modules raise the mean as well, by how much they are alike: this tells a part from its absence, and one
face from another only as far as the shares differ by several standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from simnet.networks import Execution, Structure
from simnet.networks.network import Name
from simnet.sketching import Encoder, Observation
from simnet.theory import place_gram

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class PartEvidence:
    """What a batch of sketches says of a part.

    Attributes
    ----------
    share : (n,) array
        ``⟨t, s⟩ / E‖t‖²``: mean 1 with the part there, 0 with none of its modules.
    standard_error : (n,) array
    p_value : (n,) array
        Of so large a share where none of the modules of the part made anything.
    """

    share: Array
    standard_error: Array
    p_value: Array


def branch(structure: Structure, k: Name) -> tuple[Structure, Array]:
    """An object with all below it and all above it, every other slot empty; and which of its objects belong to the part."""
    top = structure.position(k)
    below, above = {top}, {top}
    for step in reversed(structure.steps):
        for i in step.objects:
            if int(i) in below:
                below |= {structure.positions[name] for name in structure.inputs[i] if name is not None}
    for step in structure.steps:
        for i in step.objects:
            if any(name is not None and structure.positions[name] in above for name in structure.inputs[i]):
                above.add(int(i))
    kept = sorted(below | above)
    names = {structure.names[i] for i in kept}

    def left(i: int) -> tuple[Name | None, ...]:
        chosen = {structure.names[j] for j in (below if i in below else above)}
        return tuple(name if name in chosen else None for name in structure.inputs[i])

    outputs = tuple(name if name in names and structure.positions[name] in above else None for name in structure.outputs)
    part = Structure(
        structure.network,
        tuple(structure.names[i] for i in kept),
        tuple(structure.modules[i] for i in kept),
        tuple(left(i) for i in kept),
        tuple(structure.weights[i] for i in kept),
        outputs,
        structure.output_weights,
    )
    return part, np.array([i in below for i in kept])


def part_evidence(encoder: Encoder, observation: Observation, ex: Execution, k: Name) -> PartEvidence:
    """How far sketches hold object ``k`` of ``ex`` with everything below it, in the place that it has there.

    Raises
    ------
    ValueError
        If there is no such object, or nothing of it would be in a sketch.
    """
    structure, mine = branch(ex.structure, k)
    encoder.check_structure(structure)
    recipe, d, n = encoder.recipe, encoder.sketch_dim, len(observation.values)
    attributes = [ex.attributes[ex.structure.positions[name]] for name in structure.names]
    gram = place_gram(structure, structure, recipe=recipe)
    product, variance, expected = np.zeros(n), np.zeros(n), 0.0
    for step, probes in encoder.backward(structure, observation.values, structure.edge_weights[None]):
        rows = [i for i, obj in enumerate(step.objects) if mine[obj]]
        if not rows:
            continue
        objects = step.objects[rows]
        x = np.stack([attributes[obj] for obj in objects])
        own = recipe.value_share**2 * x @ x.T + recipe.presence_share**2
        vectors = recipe.value_share * encoder.value_matrix(step.module).matvec(x)
        vectors = vectors + recipe.presence_share * encoder.presence_column(step.module)
        seen = probes[rows].astype(float)
        product += np.einsum("mnd,md->n", seen, vectors)
        variance += np.einsum("ml,mnd,lnd->n", own, seen, seen) / d
        expected += float(np.sum(gram[np.ix_(objects, objects)] * own))
    if expected == 0.0:
        raise ValueError(f"object {k!r}: has weight 0 in the execution, nothing of it is in a sketch")
    errors = np.sqrt(np.maximum(variance, np.finfo(float).tiny))
    gain = observation.scale / expected
    return PartEvidence(gain * product, gain * errors, scipy.stats.norm.sf(product / errors))
