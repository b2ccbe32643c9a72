"""Law 0: the mean inner product of two sketches is the kernel.

For any isotropic family, at every size d, exactly,

    E<s, s'> = K(root, root')

Why: average the outermost matrix first.  It appears nowhere inside, so E[T'T] = tau I on equal matrices and alpha^2 I on
different ones; what is left is the same statement one level down.  If the later of two modules is on one side only, its
attribute part has mean zero and only the identity path through it remains.  K is a recursion over pairs of objects.

Run ``python -m paper_checks.law_0_kernel``: the claim ``kernel`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("kernel", __doc__)
