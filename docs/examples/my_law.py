"""A law of one's own: sketches by matrices of two seeds are as unrelated as two random directions."""

from simnet.claims import Claim, Sample
from simnet.claims.base import make_sketcher, prepared, runs_of
from simnet.claims.parameters import common, network_of, recipe_of
from simnet.theory import kernel_matrix


class Strangers(Claim):
    """``E⟨s, s̄⟩² = K(s,s) K(s̄,s̄) / d`` for sketches whose matrices are independent.

    Given ``s̄``, ``E⟨s, s̄⟩² = s̄ᵀ E[s sᵀ] s̄``.  Every column of every matrix has the covariance ``I/d``, and ``αI + βR``
    takes a multiple of ``I`` to a multiple of ``I``; so ``E[s sᵀ] = K(s,s)/d · I``, from the innermost matrix outwards.
    """

    name = "strangers"
    title = "E⟨s, s̄⟩² = K K̄ / d"
    statement = "Sketches by matrices of two seeds have inner products as small as those of two random directions."
    formula = "E⟨s, s̄⟩² = K(s,s) K(s̄,s̄) / d"
    parameters = common(
        network={"family": "layered", "widths": [2, 1], "attribute_dim": 4, "seed": 0},
        runs=2,
        sketch_dim=256,
        matrices="trig",
        recipe="recursive",
    )

    def prepare(self, parameters):
        runs = runs_of(network_of(parameters), parameters)
        return runs, kernel_matrix(runs, recipe=recipe_of(parameters))

    def trial(self, parameters, seed, sketcher):
        runs, kernel = prepared(self, parameters)
        network = runs[0].network
        one, other = (make_sketcher(network, parameters, seed + i, sketcher).encode(runs[i]) for i in (0, 1))
        law = float(kernel[0, 0] * kernel[1, 1] / parameters["sketch_dim"])
        return [Sample("⟨s, s̄⟩²", float(one @ other) ** 2, law)]
