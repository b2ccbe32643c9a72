"""Runs that share an object graph and its weights: the dictionary is formed once, and every run is a row times a matrix.

An encode pays for transforms in every run.  ``B`` pays for them once, in as many as the columns of an object need on their
way to the sketch, and then ``a + 1`` multiply-adds an object and coordinate: far less for each run.  All objects of a run
are there, so that their marks add up to one column.  :func:`forward_cost` and :func:`compiled_cost` say when it pays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks import Group, Structure
from simnet.sketching.dictionary import dictionary
from simnet.sketching.plan import products

if TYPE_CHECKING:
    from simnet.sketching.encoder import Encoder

Array = NDArray[Any]

#: A dictionary is not formed if it takes more than this.
DICTIONARY_BYTES = 1 << 28

#: What a product costs beside its own work, for each coordinate, in multiply-adds of a large matrix product: passes over the
#: vector for shares, weights and sums.  The dictionary copies its columns once more.
PASSES, DICTIONARY_PASSES = 30.0, 80.0

#: What an object costs in calls, whatever the size, in multiply-adds.
CALLS, DICTIONARY_CALLS = 1.5e6, 3.5e6


def forward_cost(encoder: Encoder, structure: Structure, runs: int) -> float:
    """The cost of ``runs`` runs by transforms, in multiply-adds of a large matrix product."""
    each = encoder.family.product_cost(encoder.sketch_dim) + PASSES * encoder.sketch_dim
    return runs * products(structure) * each + CALLS * len(structure)


def compiled_cost(encoder: Encoder, structure: Structure, runs: int) -> float:
    """The cost of ``runs`` runs by the dictionary, in the same unit."""
    each = encoder.family.product_cost(encoder.sketch_dim) + DICTIONARY_PASSES * encoder.sketch_dim
    multiplied = runs * (sum(structure.attribute_dims) + 1) * encoder.sketch_dim
    return column_products(structure) * each + DICTIONARY_CALLS * len(structure) + multiplied


def pays(encoder: Encoder, group: Group) -> bool:
    """Whether the dictionary is the faster way to the sketches of a group, and there is room for it."""
    structure = group.structure
    shared = len(group.weights) == 1 or bool((group.weights == group.weights[0]).all())
    fits = (sum(structure.attribute_dims) + 1) * encoder.sketch_dim * encoder.dtype.itemsize <= DICTIONARY_BYTES
    return shared and fits and compiled_cost(encoder, structure, len(group)) < forward_cost(encoder, structure, len(group))


def column_products(structure: Structure) -> int:
    """How many products it takes to form the dictionary: on its way up, a column meets the matrices of every object.

    An object has its own columns, those of all objects below it, each of them once, and one for all marks; they pass ``T_0``
    and the slots of its consumers, and ``T_b`` if they are from below.
    """
    if "column products" not in structure.plans:
        dims = np.array(structure.attribute_dims, dtype=np.intp)
        below = np.eye(len(structure), dtype=bool)
        total = 0
        for step in structure.steps:
            total += 2 * int(dims[step.objects[0]] + 1)  # R_{M,1}, R_{M,2} and T_a, once for a module
            fed = set[int]()
            for slot in step.slots:
                for parent, child in zip(slot.parents, slot.children, strict=True):
                    below[parent] |= below[child]
                    fed.add(int(parent))
                    total += int(below[child] @ dims) + 1
            for k in step.objects.tolist():
                columns = int(below[k] @ dims)
                total += columns + 1 + (columns - int(dims[k]) + 1 if k in fed else 0)  # T_0, and T_b for what is below
        total += sum(int(below[child] @ dims) + 1 for slot in structure.root.slots for child in slot.children)
        structure.plans["column products"] = total
    return structure.plans["column products"]


def compiled(encoder: Encoder, structure: Structure) -> Array:
    """The columns of all attributes, and the sum of all marks, one in a row, in stored order: ``(Σ a + 1, d)``."""
    return encoder.to_stored(dictionary(encoder, structure, one_mark=True))
