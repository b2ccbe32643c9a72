"""Law 5: least squares is exact from as many coordinates as unknowns, and noise costs what a count of dimensions says.

A sketch is linear in the attributes, s = B z.  With m unknowns and d' coordinates

    d' >= m, no noise        x^ = x, up to rounding
    d' >  m, noise sigma     MSE = kappa diag G^-1,  kappa = sigma^2 / (1 - m/d'),  G = E B'B known from Law 0
    d' <  m                  ridge, prior variance v:  MSE = diag (1/v + G/kappa)^-1,  tr G (G + kappa/v)^-1 = d'

Why: leave one column out; it is independent of all the others, so that they look to it like noise of one variance, kappa
a coordinate.  What the shares of the estimates sum to is the number of coordinates that they were made from.

Run ``python -m paper_checks.law_5_linear``: the claim ``linear`` on its quick grid, row by row.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("linear", __doc__)
