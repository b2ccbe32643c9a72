"""What a sum of sketches says of the modules: counts and sums of attributes, with their covariances.

Two readings of one sketch.  **Joint**: least squares over all places of the network, exact up to the noise of storage and
rounding, where there are coordinates enough (:mod:`simnet.decoding.joint`).  **Matched**: Law 2, for any size, with the
crosstalk of everything else; the errors of two matched statistics hold the same inner product of two columns, so that

    Cov(f̂_M, f̂_M') ≈ f_M f_M' / d'      Cov(Ŝ_j, f̂) ≈ S_j f / d'      Cov(Ŝ_j, Ŝ_k) ≈ ν_B S_j S_k / d'

with ``ν_B`` the share of ``⟨u, v⟩²`` in the noise of the family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.checks import choice
from simnet.decoding import statistics
from simnet.decoding.joint import Sums, joint_sums, solvable
from simnet.networks.network import Name
from simnet.sketcher import Sketcher
from simnet.sketching import Observation

Array = NDArray[Any]

METHODS = ("auto", "joint", "matched")


class Linear(NamedTuple):
    """Estimates with their covariance matrix, and the degrees of freedom of its scale."""

    values: Array
    covariance: Array
    freedom: float

    @property
    def errors(self) -> Array:
        """Standard errors."""
        return np.sqrt(np.diagonal(self.covariance))

    def of(self, matrix: Array) -> Linear:
        """The estimates of linear functions, one in a row."""
        return Linear(matrix @ self.values, matrix @ self.covariance @ matrix.T, self.freedom)


@dataclass(frozen=True, eq=False)
class Reading:
    """One sketch, read in one of the two ways."""

    sketcher: Sketcher
    observation: Observation
    method: str = "auto"

    def __post_init__(self) -> None:
        choice("method", self.method, METHODS)
        if self.method == "auto":
            enough = solvable(self.sketcher, self.observation.kept)
            object.__setattr__(self, "method", "joint" if enough else "matched")

    @cached_property
    def sums(self) -> Sums:
        """All places together."""
        return joint_sums(self.sketcher, self.observation)

    def frequencies(self, *, counted: bool) -> Linear:
        """``Σ w_θ`` of every module, in the order of the network; the number of objects when ``counted``."""
        modules = [module.name for module in self.sketcher.network.modules]
        if self.method == "joint":
            factors = self._factors(counted=counted)
            presence = np.array([span.stop for span in self.sums.system.spans])
            matrix = np.zeros((len(modules), len(self.sums.values)))
            for place, factor, module in zip(presence, factors, self.sums.system.modules, strict=True):
                matrix[modules.index(module), place] += factor
            return self._linear().of(matrix)
        answers = [statistics.frequency(self.sketcher, self.observation, module) for module in modules]
        values, errors = (
            np.array([np.ravel(x)[0] for x in part])
            for part in zip(*((a.value, a.standard_error) for a in answers), strict=True)
        )
        covariance = np.outer(values, values) / self.observation.kept
        np.fill_diagonal(covariance, errors**2)
        if not counted:
            return Linear(values, covariance, math.inf)
        scale = np.diag([1.0 / statistics.weight_of(self.sketcher, module, None) for module in modules])
        return Linear(values, covariance, math.inf).of(scale)

    def module_sums(self, module: Name, *, counted: bool) -> Linear:
        """``Σ w_θ x_θ`` and then ``Σ w_θ`` of one module: ``a + 1`` numbers; without the weights when ``counted``."""
        dim = self.sketcher.network.module(module).attribute_dim
        if self.method == "joint":
            matrix = np.zeros((dim + 1, len(self.sums.values)))
            for span, factor, name in zip(
                self.sums.system.spans, self._factors(counted=counted), self.sums.system.modules, strict=True
            ):
                if name == module:
                    matrix[np.arange(dim + 1), np.arange(span.start, span.stop + 1)] += factor
            return self._linear().of(matrix)
        total = statistics.sum_attribute(self.sketcher, self.observation, module)
        f = statistics.frequency(self.sketcher, self.observation, module)
        values = np.append(np.ravel(total.value)[:dim], np.ravel(f.value)[0])
        errors = np.append(np.ravel(total.standard_error)[:dim], np.ravel(f.standard_error)[0])
        kept = self.observation.kept
        one, zero = np.ones(1), np.zeros(1)
        inner = self.sketcher.family.noise(zero, one, zero, sketch_dim=self.observation.sketch_dim, kept=kept)
        covariance = np.outer(values, values) / kept
        covariance[:dim, :dim] *= float(inner[0])
        np.fill_diagonal(covariance, errors**2)
        scale = 1.0 / statistics.weight_of(self.sketcher, module, None) if counted else 1.0
        return Linear(scale * values, scale**2 * covariance, math.inf)

    def _linear(self) -> Linear:
        return Linear(self.sums.values, self.sums.covariance, self.sums.system.freedom)

    def _factors(self, *, counted: bool) -> list[float]:
        """What the sum of weights of each place is multiplied by."""
        if not counted:
            return [1.0] * len(self.sums.system.modules)
        factors = []
        for module, weight in zip(self.sums.system.modules, self.sums.system.weights, strict=True):
            one = statistics.weight_of(self.sketcher, module, None) if math.isnan(weight) else weight
            if one == 0.0:
                raise ValueError(
                    f"module {module!r}: a place of it has weight 0 in the network, its objects cannot be counted"
                )
            factors.append(1.0 / one)
        return factors
