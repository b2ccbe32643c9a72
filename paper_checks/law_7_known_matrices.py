"""Law 7, known matrices: the wiring from many sketches, below the size at which one suffices.

Over many runs the sketches of one wiring, s_t = sum_M U_M x_M(t) + const, fill the span of all U_M: m = sum_M a_M
dimensions, however many places the objects stand in.  A module whose consumers are known brings the columns
U_M = sum_k w_k V_k through its slots k; only with the right weights do they lie in that span.  From root down, this finds
every edge and weight from

    d >= m + (sqrt(K) + z)^2 / a    coordinates and more than m + 1 runs,

K slots that a module might fill; one sketch needs about p = sum (a + 1) over all places.  With noise it breaks when the
weakest direction of the span, of variance lambda, is lost: at (1 + x)(1 + x d/n) = x edge^2 / n, x = sigma^2 / lambda,
to leading order sigma^2 = lambda sqrt(n / d), the transition of Baik, Ben Arous and Peche.

Run ``python -m paper_checks.law_7_known_matrices``: the claim ``known_wiring`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("known_wiring", __doc__)
