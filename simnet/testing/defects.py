"""Defects, planted: sketchers that are wrong in one way each.

They exist so that the suite can be shown to reject them: ``verify`` must fail with each in the place of
:class:`simnet.Sketcher`.  Nothing else may use them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simnet.matrices import MatrixFamily, RandomMatrix, Trig, as_family
from simnet.matrices.base import Array
from simnet.networks import ModularNetwork, Structure
from simnet.networks.network import Name
from simnet.sketcher import Sketcher
from simnet.sketching import Observation


@dataclass(frozen=True)
class OneRoundTrig(Trig):
    """``D₁ C D₀``: the columns of a single round are too alike."""

    rounds: ClassVar[int] = 1


@dataclass(frozen=True)
class NaturalOrderTrig(Trig):
    """Two rounds, but a prefix takes the first rows of the transform."""

    def draw_order(self, stream: np.random.Generator, sketch_dim: int) -> Array | None:
        return None


class _Scaled(RandomMatrix):
    def __init__(self, matrix: RandomMatrix, factor: float) -> None:
        self.matrix, self.factor = matrix, factor
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def matvec(self, vectors: Array) -> Array:
        return self.factor * self.matrix.matvec(vectors)

    def rmatvec(self, vectors: Array) -> Array:
        return self.factor * self.matrix.rmatvec(vectors)

    @property
    def nbytes(self) -> int:
        return self.matrix.nbytes


@dataclass(frozen=True)
class ScaledFamily(MatrixFamily):
    """A family whose matrices are too large by a factor, with the noise of the right one."""

    name: ClassVar[str] = "scaled"
    family: MatrixFamily
    factor: float

    def _draw(self, stream: np.random.Generator, rows: int, columns: int, dtype: np.dtype[Any]) -> RandomMatrix:
        return _Scaled(self.family.sample(stream, rows, columns, dtype), self.factor)

    def noise(self, squares: Array, inner: Array, fourth: Array, *, sketch_dim: int, kept: int) -> Array:
        return self.family.noise(squares, inner, fourth, sketch_dim=sketch_dim, kept=kept)

    def draw_order(self, stream: np.random.Generator, sketch_dim: int) -> Array | None:
        return self.family.draw_order(stream, sketch_dim)


class _OtherFamily(Sketcher):
    """A sketcher that takes another family than it is asked for."""

    def __init__(self, network: ModularNetwork, sketch_dim: int, matrices: Any = "trig", **options: Any) -> None:
        super().__init__(network, sketch_dim, self.swap(as_family(matrices)), **options)

    @staticmethod
    def swap(family: MatrixFamily) -> MatrixFamily:
        raise NotImplementedError


class OneRound(_OtherFamily):
    """``trig`` in one round."""

    @staticmethod
    def swap(family: MatrixFamily) -> MatrixFamily:
        return OneRoundTrig() if isinstance(family, Trig) else family


class NaturalOrder(_OtherFamily):
    """``trig`` in natural order."""

    @staticmethod
    def swap(family: MatrixFamily) -> MatrixFamily:
        return NaturalOrderTrig() if isinstance(family, Trig) else family


class TooLarge(_OtherFamily):
    """Matrices 3 % too large."""

    @staticmethod
    def swap(family: MatrixFamily) -> MatrixFamily:
        return ScaledFamily(family, 1.03)


class WrongWeight(Sketcher):
    """The first slot that is filled gets 1.2 times its weight."""

    def forward(self, structure: Structure, values: list[Array], presence: Array, weights: Array) -> Array:
        wrong = weights.copy()
        wrong[:, :1] *= 1.2
        return super().forward(structure, values, presence, wrong)


class SharedSlots(Sketcher):
    """One matrix for a slot number, shared by all modules."""

    def matrix_key(self, module: Name, role: str | int) -> tuple[Any, ...]:
        return ("shared", role) if isinstance(role, int) else super().matrix_key(module, role)


class _Unscaled(Observation):
    @property
    def scale(self) -> float:
        return 1.0


class UnscaledTruncation(Sketcher):
    """Truncated sketches are decoded without the factor ``d/d'``."""

    def observe(self, sketch: Any, erased: Any = None, noise: float = 0.0) -> Observation:
        right = super().observe(sketch, erased, noise)
        return _Unscaled(right.values, right.kept, right.sketch_dim, right.batch, right.rows, right.noise)


DEFECTS: dict[str, type[Sketcher]] = {
    "one round": OneRound,
    "natural order": NaturalOrder,
    "matrices too large": TooLarge,
    "wrong slot weight": WrongWeight,
    "shared slot matrices": SharedSlots,
    "truncation unscaled": UnscaledTruncation,
}
