"""Law 7: the matrices of an unknown one-layer sketch are learnt from sketches of sparse attributes.

Columns are made of packets (rho | s sigma_M | s kappa_j), one in each row block with probability q: fresh signs, the
signature of the matrix, that of the column.  A block in which one column is active alone names it.  With N a attributes,
each non-zero with probability pi, a packet has been seen alone in one of n samples with probability

    E_m [ 1 - (1 - pi (1 - pi)^m)^n ],    m ~ Binomial(N a - 1, q)

since m other columns share its block, and all samples meet the same m.  With everything seen, the columns, their modules and
the attributes of any sketch are known, up to order and scale.

Run ``python -m paper_checks.law_7_packets``: the claim ``dictionary`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("dictionary", __doc__)
