"""Law 2: how many, their sum, their mean, their histogram.

If all objects of a module stand at one depth, they meet the same matrix with one gain kappa per unit of weight, so that

    f^ = e_1' R' s / kappa_e  has mean  sum of w,     S^ = R' s / kappa  has mean  sum of w x

each with the error of Law 1.  Sketches add: the sum of many sketches answers the same questions about all their runs.

Run ``python -m paper_checks.law_2_statistics``: the claim ``statistics`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("statistics", __doc__)
