"""How many products with matrices something makes."""

from __future__ import annotations

from simnet.matrices.trig import TrigMatrix


def counted_products(monkeypatch) -> list[int]:
    """A list that grows by the number of vectors of every batch that meets a matrix of the family ``trig``."""
    made, right = [], TrigMatrix.products

    def products(matrices, batches, out, finish=None):
        made.extend(batch.size // batch.shape[-1] for batch in batches)
        right(matrices, batches, out, finish)

    monkeypatch.setattr(TrigMatrix, "products", staticmethod(products))
    return made
