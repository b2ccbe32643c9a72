"""Law 6: one sketch unrolls into its objects, with the matrices known and the wiring unknown.

Every path to an object has its own product of random matrices, so that each place, filled by each module, has a subspace of
its own in the sketch.  Greedy pursuit takes the place that explains the most, fits everything anew, and goes on below it.

Why it can be trusted: a false set of objects leaves a residual.  With d' coordinates and m unknowns the chance that it is as
small as rounding is that of d' - m random numbers all being so.  A residual of 1e-15 with two degrees of freedom to spare is
a proof.

How far down: places need d = p; where one object stands in several places it is one object, and its places need one number
each, so that the edge is where d is the number of attributes and edges.

Run ``python -m paper_checks.law_6_unrolling``: the claim ``unrolling`` on its quick grid, row by row.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("unrolling", __doc__)
