"""Holographic reduced representations: the error of an estimate, and how often clean-up finds the right module.

**Statement.**  In the trace of ``simnet.baselines.HolographicEncoder`` object ``θ`` stands behind ``V_θ``, the sum over its
paths of the products of weights and slot vectors, and ``g = E|V_θ|² = Σ_paths Π w²`` for each Fourier coefficient.  The
estimate of its coordinate ``j``, one inner product, has mean ``x_j``, and with ``r`` all of the trace but that coordinate,

    MSE_j = E[|V_θ|² |r|²] / (d g²)

the mean square of what else there is, seen through the correlation with ``V_θ``.

* *Unitary* vectors along single paths keep all lengths: ``|V_θ|² = g = w²``, and ``MSE_j = (E‖t‖² − w² x_j²)/(d w²)`` at
  every depth: no level costs anything but its weight.
* *Normal* vectors do not: ``|S|²`` is exponential at each frequency, ``E|S|⁴ = 2``, and correlation is only an approximate
  inverse.  Whatever shares ``m`` slots of the path with ``θ`` comes out ``2^m`` times as strong.

Products of slot vectors are monomials in independent Fourier coefficients, and two different ones are uncorrelated; so with
``V_θ r = Σ_m C_m m``, ``E|V_θ r|² = Σ_m C_m² Π n!`` over the multiplicities ``n`` of the slots in ``m``; for unitary vectors
``n!`` is 1.

**Clean-up.**  The similarity of the filler's own presence vector is ``N(1, σ²)`` and that of any other ``N(0, σ'²)``, all
independent, with the errors above for ``σ²``: the right one is the largest with probability ``∫ φ(z) Π Φ((1 + σz)/σ') dz``.

**Assumptions.**  Large ``d``: the two real Fourier coefficients make a difference of ``O(1/d)``; with normal vectors the
random length of a column, which goes with what it correlates with, makes one of ``O(3^h/d)``, to clean-up as well.  For
clean-up, one path to the object.

Source: ``paper_checks/holographic.py``; T. A. Plate, IEEE Trans. Neural Networks 6 (1995) 623-641, has the variances of a
single convolution.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.networks import Execution, Structure
from simnet.networks.network import Name

Array = NDArray[Any]

#: A product of slot vectors: the slots, as pairs of module and number, in the order of the path.
Path = tuple[tuple[Name, int], ...]


def place_paths(structure: Structure) -> tuple[dict[Path, float], ...]:
    """``V_θ`` of every object: the slots of each of its paths from ``root``, with the weight of the path."""
    paths: list[dict[Path, float]] = [{} for _ in range(len(structure))] + [{(): 1.0}]
    for step in (structure.root, *reversed(structure.steps)):
        for slot, edges, _, parents, children in step.slots:
            for edge, parent, child in zip(edges, parents, children, strict=True):
                weight = float(structure.edge_weights[edge])
                if weight > 0.0:
                    paths[child].update({(*p, (step.module, slot)): w * weight for p, w in paths[parent].items()})
    return tuple(paths[:-1])


def holographic_norm(ex: Execution) -> float:
    """``E‖t‖² = Σ_θ (Σ_paths Π w²)(‖x_θ‖² + 1)``, for normal and for unitary vectors."""
    places = place_paths(ex.structure)
    return float(sum(_gain(place) * (x @ x + 1.0) for place, x in zip(places, ex.attributes, strict=True)))


def _gain(place: Mapping[Path, float]) -> float:
    return sum(weight**2 for weight in place.values())


def _energy(place: Mapping[Path, float], others: list[tuple[Mapping[Path, float], Array]], unitary: bool) -> Array:
    """``E|V_θ Σ_θ' V_θ' z_θ'|²`` for each entry of the vectors ``z_θ'``."""
    products: dict[tuple[Any, ...], Array] = {}
    for other, vector in others:
        for left, w in place.items():
            for right, v in other.items():
                monomial = tuple(sorted((*left, *right), key=repr))
                products[monomial] = products.get(monomial, 0.0) + w * v * vector
    total = np.zeros_like(others[0][1]) if others else np.zeros(1)
    for monomial, vector in products.items():
        factor = 1.0 if unitary else float(math.prod(math.factorial(n) for n in Counter(monomial).values()))
        total = total + factor * vector**2
    return total


def _crosstalk(ex: Execution, position: int, unitary: bool) -> tuple[float, Array, dict[Name, Array]]:
    """``g``; ``E|V_θ r|²`` for each coordinate of ``θ`` and its presence; ``E|V_θ U|²`` of all columns of each module."""
    s, places = ex.structure, place_paths(ex.structure)
    vectors = [np.append(x, 1.0) for x in ex.attributes]
    mine = places[position]
    by_module = {
        module: _energy(mine, [(places[k], vectors[k]) for k in objects], unitary)
        for module, objects in s.objects_of.items()
    }
    module = s.modules[position]
    namesakes = [(places[k], vectors[k]) for k in s.objects_of[module] if k != position]
    # a namesake's own coordinate meets the same vector A: |A|⁴ in the place of |A|²|A'|²
    again = (1.0 if unitary else 2.0) * _energy(mine, namesakes, unitary)
    total = sum(float(energy.sum()) for energy in by_module.values())
    return _gain(mine), total - by_module[module] + again, by_module


def holographic_mse(ex: Execution, k: Name, *, sketch_dim: int, unitary: bool = False) -> Array:
    """The mean square error of each coordinate of object ``k``, decoded by itself from a trace: ``(a,)``.

    It takes all products of a path of ``k`` with a path of each object.

    Raises
    ------
    ValueError
        If ``sketch_dim`` is not positive, or the object has no weight: then nothing of it is in the trace.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects([("a", "a", [0.6, 0.8], [], [])], outputs={"a": 1.0})
    >>> simnet.theory.holographic_mse(ex, "a", sketch_dim=100, unitary=True)  # (1 + 1 − x²)/100
    array([0.0164, 0.0136])
    """
    d, position = integer("sketch_dim", sketch_dim, minimum=1), _weighty(ex.structure, k)
    gain, crosstalk, _ = _crosstalk(ex, position, unitary)
    return crosstalk[:-1] / (d * gain**2)


def clean_up_accuracy(ex: Execution, k: Name, *, sketch_dim: int, unitary: bool = False) -> float:
    """How often clean-up finds the module of object ``k``, of all modules of the network, from the path to it.

    Raises
    ------
    ValueError
        As for :func:`holographic_mse`, and if there are several paths to the object.

    Examples
    --------
    >>> import simnet
    >>> ex = simnet.Execution.from_objects(
    ...     [("a", "a", [0.6, 0.8], [], []), ("b", "b", [1.0], [], [])], outputs={"a": 0.9, "b": 0.1})
    >>> [round(simnet.theory.clean_up_accuracy(ex, name, sketch_dim=256, unitary=True), 3) for name in "ab"]
    [1.0, 0.812]
    """
    d, position = integer("sketch_dim", sketch_dim, minimum=1), _weighty(ex.structure, k)
    s = ex.structure
    if len(place_paths(s)[position]) > 1:
        raise ValueError(f"object {s.names[position]!r}: has several paths from root, the law needs one")
    gain, crosstalk, by_module = _crosstalk(ex, position, unitary)
    whole = sum(float(energy.sum()) for energy in by_module.values())
    doubled = 0.0 if unitary else 1.0
    others = [module.name for module in s.network.modules if module.name != s.modules[position]]
    spread = [whole + doubled * float(by_module[name][-1]) if name in by_module else whole for name in others]
    sigma, rest = math.sqrt(float(crosstalk[-1]) / (d * gain**2)), np.sqrt(np.array(spread) / (d * gain**2))
    z, width = np.linspace(-9.0, 9.0, 2001, retstep=True)
    below = scipy.special.log_ndtr((1.0 + sigma * z[:, None]) / rest).sum(axis=1)
    return float(np.exp(below - 0.5 * z**2).sum() * width / math.sqrt(2.0 * math.pi))


def _weighty(structure: Structure, k: Name) -> int:
    position = structure.position(k)
    if structure.effective_weights[position] == 0.0:
        raise ValueError(f"object {structure.names[position]!r}: has weight 0, nothing of it is in the trace")
    return position
