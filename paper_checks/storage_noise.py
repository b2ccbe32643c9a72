"""Storage: what noise, and fewer bits for each coordinate, cost a matched estimate.

Noise of variance sigma^2 in each of the d coordinates adds d sigma^2 to |s|^2, and to the error of a matched estimate

    (d/d') sigma^2 / c^2

Rounding is such noise.  A step u leaves the variance u^2/12: for 8 bits u = max|s|/127; for floats with t bits of fraction
u doubles from binade to binade, on the average sigma^2 = 4^-t / (32 ln 2) |s|^2 / d.  Intervals read |s|^2 off the sketch as
it was stored, so they need not be told.

Run ``python -m paper_checks.storage_noise``: the claim ``storage`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("storage", __doc__)
