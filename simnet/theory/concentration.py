"""Law 3 made sharp: the variance of the inner product of two sketches, with its constant.

**Statement.**  For two executions sketched by the same matrices

    Var⟨s, s̄⟩ = V / d + O(1/d²)

where ``V`` comes from a recursion over the modules, from the inputs up to ``root``.  It carries the expected inner products
``K_ab`` of all vectors that there are so far, and ``d`` times the covariances of these inner products, ``C_ab,cd``.

* *A sum* ``v = Σ_k l_k a_k`` is linear in both.
* *A transparent matrix* ``T = αI + βR``, put before the vectors of a set ``A``, scales the expected products, ``K_ab`` by
  ``τ = α² + β²`` where both are in ``A`` and by ``α`` where one is, and ``C`` by both factors.  It adds, with
  ``S_ab,cd = K_ac K_bd + K_ad K_bc``,

      2α²β² S + β⁴ (p S + (q − p) K_ab K_cd)     to C_ab,cd     for a, b, c, d ∈ A
      αβ² S                                      to C_ab,cd     for a, b, c ∈ A
      β² K_ac K_bd                               to C_ab,cd     for a, c ∈ A

  where ``p ‖u‖²‖v‖² + q ⟨u, v⟩²`` is the inner-product noise of the family: 1 and 1 for ``gaussian``, none for ``haar`` and
  ``trig``.
* *An attribute matrix* is the case ``α = 0``, ``β = 1`` on given vectors, where the noise has a term of fourth order, too.

**Assumptions.**  Those of Law 0, and matrices whose inner products are as noisy as their family states.

**Why.**  Given what is below, ``⟨Ta, Tb⟩ = α²⟨a, b⟩ + αβ(⟨a, Rb⟩ + ⟨Ra, b⟩) + β²⟨Ra, Rb⟩`` with ``R`` new and independent.
By the law of total variance the covariance of two of them is that of their means, which scales, plus the mean of their
covariance over ``R``.  Terms linear and quadratic in ``R`` are uncorrelated, as ``−R`` has the law of ``R``;
``d Cov(⟨Ra, c⟩, ⟨Rb, e⟩) = ⟨a, b⟩⟨c, e⟩`` for isotropic ``R``.  Products of inner products are replaced by products of their
means: they differ by ``C/d``, hence the error of ``O(1/d²)``.

**Sharp?**  To leading order exactly; the bound of Law 3 is several times as far out.  The number of vectors, the objects of
both executions and their edges, enters with its fourth power: it is for graphs of dozens of objects.

Source: derived here; ``paper_checks/law_3_similarity.py`` holds it against measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.matrices import MatrixFamily, as_family
from simnet.networks import Execution
from simnet.networks.structure import Step
from simnet.recipes import Recipe, as_recipe
from simnet.theory.kernel import module_order

Array = NDArray[Any]

#: More vectors at a time are refused: the fourth power of their number is kept.
MOST_VECTORS = 80


def similarity_variance(
    left: Execution,
    right: Execution,
    *,
    sketch_dim: int,
    matrices: str | MatrixFamily = "trig",
    recipe: str | Recipe = "recursive",
) -> float:
    """``Var⟨s, s̄⟩`` over the random matrices, up to ``O(1/d²)``; for one execution twice, the variance of ``‖s‖²``.

    Raises
    ------
    ValueError
        As :func:`~simnet.theory.kernel`, or if the two have too many objects together.

    Examples
    --------
    A sketch of one object by Gaussian matrices, without mixing, is a Gaussian vector: ``‖s‖²`` has the variance ``2K²/d``.

    >>> import simnet
    >>> ex = simnet.Execution.from_objects([("a", "a", [1.0], [], [])], outputs={"a": 1.0})
    >>> options = {"matrices": "gaussian", "recipe": "prototype_b"}
    >>> variance = simnet.theory.similarity_variance(ex, ex, sketch_dim=100, **options)
    >>> bool(abs(variance - 2 * simnet.theory.kernel(ex, ex, recipe="prototype_b") ** 2 / 100) < 1e-12)
    True
    """
    d, recipe = integer("sketch_dim", sketch_dim, minimum=2), as_recipe(recipe)
    sides = (left, right)
    moments = Moments.empty(as_family(matrices), d)
    order = module_order([left.structure.network, right.structure.network])
    steps = [{step.module: step for step in ex.structure.steps} for ex in sides]
    places: dict[tuple[int, int], int] = {}  # (side, object): the place of its sketch among the vectors
    for module in sorted(steps[0].keys() | steps[1].keys(), key=order.__getitem__):
        mine = [(side, known[module]) for side, known in enumerate(steps) if module in known]
        places = _module(moments, sides, mine, places, recipe)
    first = len(moments.means)
    _inputs(moments, [(side, ex.structure.root) for side, ex in enumerate(sides)], sides, places, recipe)
    return float(moments.spread[first, first + 1, first, first + 1]) / d


def _module(
    moments: Moments,
    sides: tuple[Execution, Execution],
    mine: list[tuple[int, Step]],
    places: dict[tuple[int, int], int],
    recipe: Recipe,
) -> dict[tuple[int, int], int]:
    """Add the sketches of the objects of one module; their places and those of the objects before."""
    objects = [(side, int(k)) for side, step in mine for k in step.objects]
    before, count = len(moments.means), len(objects)
    own = before + np.arange(count)
    attributes = np.stack([sides[side].attributes[k] for side, k in objects])
    moments.add(attributes)
    moments.multiply(own, 0.0, 1.0, np.einsum("ai,bi,ci,di->abcd", *[attributes] * 4))
    moments.add(np.ones((1, 1)))
    moments.multiply(np.array([before + count]), 0.0, 1.0, np.ones((1, 1, 1, 1)))
    mixing = np.eye(before + count, before + count + 1)
    mixing[own, own], mixing[own, -1] = recipe.value_share, recipe.presence_share
    moments.combine(mixing)
    moments.multiply(own, recipe.identity, recipe.mixing)
    below = _inputs(moments, mine, sides, places, recipe)
    moments.multiply(below, recipe.identity, recipe.mixing)
    mixing = np.eye(before + count, before + 2 * count)
    mixing[own, own], mixing[own, below] = recipe.attribute_share, recipe.input_share
    moments.combine(mixing)
    moments.multiply(own, recipe.identity, recipe.mixing)
    return places | dict(zip(objects, own.tolist(), strict=True))


def _inputs(
    moments: Moments,
    mine: list[tuple[int, Step]],
    sides: tuple[Execution, Execution],
    places: dict[tuple[int, int], int],
    recipe: Recipe,
) -> Array:
    """Add ``Σ_i w_i T(R_i) s_obj(θ_i)`` for each object of some steps of one module, slot by slot; their places."""
    before, count = len(moments.means), sum(len(step.objects) for _, step in mine)
    moments.combine(np.eye(before + count, before))
    slots: dict[int, list[tuple[int, int, float]]] = {}  # slot: parent, source, weight
    start = before
    for side, step in mine:
        weights = sides[side].structure.edge_weights
        for slot, edges, rows, _, children in step.slots:
            ends = zip(rows + start, children, weights[edges], strict=True)
            slots.setdefault(slot, []).extend((int(row), places[side, int(k)], float(w)) for row, k, w in ends)
        start += len(step.objects)
    for filled in slots.values():
        sources = sorted({source for _, source, _ in filled})
        copies = np.eye(before + count + len(sources), before + count)
        copies[before + count + np.arange(len(sources)), sources] = 1.0
        moments.combine(copies)
        moments.multiply(before + count + np.arange(len(sources)), recipe.identity, recipe.mixing)
        summed = np.eye(before + count, before + count + len(sources))
        for row, source, weight in filled:
            summed[row, before + count + sources.index(source)] += weight
        moments.combine(summed)
    return before + np.arange(count)


@dataclass
class Moments:
    """Random vectors: their expected inner products, and ``d`` times the covariances of these inner products.

    Attributes
    ----------
    means : (n, n) array
        ``K``.
    spread : (n, n, n, n) array
        ``C``.
    noise : (p, q, r)
        Of the inner products of the columns of a matrix: ``p ‖u‖²‖v‖² + q ⟨u, v⟩² + r Σ_i u_i² v_i²``.
    """

    means: Array
    spread: Array
    noise: tuple[float, float, float]

    @classmethod
    def empty(cls, family: MatrixFamily, sketch_dim: int) -> Moments:
        """No vectors yet."""
        units = np.eye(3)
        noise = [float(family.noise(*unit, sketch_dim=sketch_dim, kept=sketch_dim)) for unit in units]
        return cls(np.zeros((0, 0)), np.zeros((0, 0, 0, 0)), (noise[0], noise[1], noise[2]))

    def add(self, vectors: Array) -> None:
        """Given vectors, in a space of their own."""
        n, count = len(self.means), len(vectors)
        self.combine(np.eye(n + count, n))
        self.means[n:, n:] = vectors @ vectors.T

    def combine(self, rows: Array) -> None:
        """Take sums of the vectors, one a row, for the vectors."""
        if len(rows) > MOST_VECTORS:
            raise ValueError(
                f"objects: their sketches are {len(rows)} vectors at a time, at most {MOST_VECTORS} are possible"
            )
        pairs = scipy.sparse.csr_array(scipy.sparse.kron(rows, rows))
        n = rows.shape[1]
        half = pairs @ self.spread.reshape(n * n, n * n)
        self.spread = (pairs @ half.T).T.reshape((len(rows),) * 4)
        self.means = rows @ self.means @ rows.T

    def multiply(self, members: Array, identity: float, mixing: float, fourth: Array | None = None) -> None:
        """Put ``αI + βR``, a new matrix, before some of the vectors; ``fourth`` of given ones is ``Σ_i a_i b_i c_i d_i``."""
        k, n = self.means, len(self.means)
        inside = np.zeros(n)
        inside[members] = 1.0
        both = np.outer(inside, inside)
        one = np.outer(inside, 1.0 - inside) + np.outer(1.0 - inside, inside)
        scales = np.where(both > 0.0, identity**2 + mixing**2, np.where(one > 0.0, identity, 1.0))
        p, q, r = self.noise
        exchanged = _exchanged(k, k)
        fresh = 2.0 * (identity * mixing) ** 2 * exchanged
        fresh += mixing**4 * (p * exchanged + (q - p) * np.multiply.outer(k, k))
        if fourth is not None:
            fresh[np.ix_(members, members, members, members)] += mixing**4 * r * fourth
        fresh *= np.multiply.outer(both, both)
        mixed = np.multiply.outer(both, one)
        fresh += identity * mixing**2 * exchanged * (mixed + np.moveaxis(mixed, (0, 1), (2, 3)))
        apart = np.outer(1.0 - inside, 1.0 - inside)
        fresh += mixing**2 * (_exchanged(k * both, k * apart) + _exchanged(k * apart, k * both))
        self.spread = self.spread * np.multiply.outer(scales, scales) + fresh
        self.means = k * scales


def _exchanged(left: Array, right: Array) -> Array:
    """``L_ac R_bd + L_ad R_bc``."""
    product = np.multiply.outer(left, right)
    return np.asarray(product.transpose(0, 2, 1, 3) + product.transpose(0, 2, 3, 1))
