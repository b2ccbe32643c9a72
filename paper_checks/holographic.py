"""Holographic reduced representations, the baseline: what one stored float buys, trace against sketch.

A trace binds an object to its place by circular convolution with slot vectors and adds everything up.  A coordinate is read
by one inner product, and with V the product of weights and slots on the path of the object, and r the rest of the trace,

    MSE = E[ |V|^2 |r|^2 ] / (d E[|V|^2]^2)

With unitary vectors this is (|t|^2 - own) / (d w^2) at every depth.  With normal vectors correlation is an approximate
inverse: what shares m slots with the object comes out 2^m times as strong.

The rows beside it are sketches of the same runs.  With the paper's constants, path-matched, each level of a binary tree
costs about 130 times the squared error; unitary traces pay 4 times, the weights alone.  Constants that keep lengths make
most of that up, and pure rotations all of it; but what a trace or a rotation holds is found by its path only, and a
transparent sketch answers without one.

Run ``python -m paper_checks.holographic``: the claim ``holographic`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("holographic", __doc__)
