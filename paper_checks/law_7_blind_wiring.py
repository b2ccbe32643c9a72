"""Law 7: the wiring of an unknown sketch function, from pairs of input activity and sketch.

An object of M is there when any of the inputs supp(M) below it is active.  Sketches are

    s = sum_M (R_M x_M + r_M o_M),      o_M = [supp(M) meets the active inputs]

with R_M and r_M unknown.  A set A is the support of a module if and only if o_A, as a function of the runs, lies in the span
of the coordinates of the sketches.  Without marks (r_M = 0) ranks say it: with the inputs S silent the rank of what
varies is r(S), and r(0) - r(S) adds up the attributes of the modules with supp(M) inside S.

Run ``python -m paper_checks.law_7_blind_wiring``: the claim ``wiring`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("wiring", __doc__)
