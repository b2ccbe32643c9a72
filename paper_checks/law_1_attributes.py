"""Law 1: the matched decoder finds every object's attributes, with just this error.

With c the identity-path coefficient of an object,

    x^ = R' s / c,    E x^ = x,    MSE_j = (K_ss - c^2 |x|^2) / (d c^2) + v_j / d

Why: along the identity path the sketch holds c R x; everything else in it is independent of R, and a random matrix spreads
what it does not know evenly over d coordinates: crosstalk.  The second term is the object's own noise, by family.

Run ``python -m paper_checks.law_1_attributes``: the claim ``attribute_recovery`` on its quick grid, row by row.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("attribute_recovery", __doc__)
