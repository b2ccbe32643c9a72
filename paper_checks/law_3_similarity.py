"""Law 3: similarity concentrates around the kernel, grows with what is shared, vanishes without.

The deviation of one transparent layer has an exact variance,

    Var<Tu, Tv> = [2 a^2 b^2 (|u|^2 |v|^2 + <u,v>^2) + b^4 nu(u, v)] / d

(3/16d of the bracket for Gaussian matrices with a = b = 1/2), and |<s,s'> - K| <= 2 sqrt(K_ss K_s's') sqrt(L ln(2/delta)/d)
over L layers is tried as a bound.  It is loose: no violation was ever seen.

Run ``python -m paper_checks.law_3_similarity``: the claim ``similarity`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("similarity", __doc__)
