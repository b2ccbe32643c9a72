"""A matrix family: independent entries, most of them zero.

Run ``python my_family.py``: it is held to what every family owes, and sketches a network.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import simnet
from simnet.checks import real
from simnet.matrices.base import DenseMatrix, MatrixFamily


@dataclass(frozen=True)
class Sparse(MatrixFamily):
    """``R_ij = ±√(t/d)`` with probability ``1/(2t)`` each, otherwise 0: one entry in ``t`` is there.

    ``E R_ij² = 1/d``, so it is isotropic, and ``E R_ij⁴ = t/d²``, so that ``ν = ‖u‖²‖v‖² + ⟨u,v⟩² + (t − 3) Σ u_i² v_i²``:
    that of ``rademacher`` for ``t = 1``, of ``gaussian`` for ``t = 3``, and more beyond.
    """

    name: ClassVar[str] = "sparse"
    thinning: float = 3.0

    def __post_init__(self):
        real("thinning", self.thinning, minimum=1.0, maximum=1e6)

    def _draw(self, stream, rows, columns, dtype):
        # column by column: the first columns are the same whatever their number
        draws = stream.random((columns, rows))
        there = draws < 1.0 / self.thinning
        sign = np.where(draws < 0.5 / self.thinning, -1.0, 1.0)
        return DenseMatrix((there * sign * math.sqrt(self.thinning / rows)).astype(dtype))

    def noise(self, squares, inner, fourth, *, sketch_dim, kept):
        return squares + inner + (self.thinning - 3.0) * fourth


if __name__ == "__main__":
    for measurement in simnet.testing.check_matrices(Sparse(6.0), trials=1000):
        print(f"{measurement.law}: {measurement.measured:.4f}, law {measurement.expected:.4f}")
    net = simnet.networks.tree(height=2, attribute_dim=4, seed=0)
    ex = net.run(1, seed=1)[0]
    sketcher = simnet.Sketcher(net, sketch_dim=64, matrices=Sparse(6.0), seed=2)
    estimate = sketcher.decode(sketcher.encode(ex), ex.structure, method="least_squares")
    exact = all(np.allclose(x, y) for x, y in zip(estimate.attributes, ex.attributes, strict=True))
    print("least squares is exact:", exact)
