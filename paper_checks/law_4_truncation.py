"""Law 4: every answer survives the loss of coordinates: d' takes the place of d.

Coordinates are stored in a random order, so a prefix is a random subset: inner products over it, times d/d', stay unbiased
and their variance grows by d/d'.  In natural order the first rows of a cosine transform hardly tell its first columns apart.

Run ``python -m paper_checks.law_4_truncation``: the claim ``truncation`` on its quick grid, every row against its law.
"""

from __future__ import annotations

from paper_checks.run import run

if __name__ == "__main__":
    run("truncation", __doc__)
