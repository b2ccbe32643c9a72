"""Places: where an object can stand in a sketch, with the columns that it would bring and the probes that find it.

A place is a slot of a parent place, or of ``root``, filled by a module: a path.  Through it the attributes and the presence
of an object reach the sketch by the columns ``G R_{M,1}`` and ``G R_{M,2} e₁`` with unit weights on the path, times the
weight ``W`` of the path: a sketch is linear in ``(W x, W)`` place by place, whatever the wiring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.networks.network import ROOT, Name, Slot
from simnet.sketching import Encoder
from simnet.sketching.dictionary import own_columns

Array = NDArray[Any]


class Place:
    """A slot of a parent place, or of ``root`` where there is none, filled by a module.

    Attributes
    ----------
    parent : Place or None
    slot : int
    module : str or int
    depth : int
        1 for the slots of ``root``.
    path : tuple of (slot, module)
        From ``root`` down: what tells a place from all others.
    columns : (d', a + 1) array
        What the attributes and the presence bring, with unit weights on the path.
    """

    __slots__ = ("columns", "depth", "module", "parent", "path", "slot")

    def __init__(self, parent: Place | None, slot: int, module: Name, columns: Array) -> None:
        self.parent, self.slot, self.module, self.columns = parent, slot, module, columns
        self.depth: int = 1 if parent is None else parent.depth + 1
        self.path: tuple[tuple[int, Name], ...] = (*(() if parent is None else parent.path), (slot, module))

    def __repr__(self) -> str:
        return "Place(" + " < ".join(f"{module!r} in slot {slot}" for slot, module in reversed(self.path)) + ")"


#: A slot that can be filled: of a place, or of root.
Opening = tuple[Place | None, int]


class Places:
    """The places of one sketcher, restricted to the coordinates that are left.

    Parameters
    ----------
    encoder : Encoder
    rows : (d',) int array
        The coordinates, in natural order.
    """

    def __init__(self, encoder: Encoder, rows: Array) -> None:
        self.encoder, self.rows = encoder, rows
        self.modules = [module.name for module in encoder.network.modules]
        self._known: dict[tuple[tuple[int, Name], ...], Place] = {}

    @cached_property
    def own(self) -> dict[Name, Array]:
        """``η_a T_a [ξ_x R_{M,1}, ξ_e R_{M,2} e₁]`` of each module."""
        return {module: own_columns(self.encoder, [module])[0] for module in self.modules}

    @cached_property
    def blocks(self) -> list[Array]:
        """For each module ``T_0 η_a T_a [ξ_x R_{M,1}, ξ_e R_{M,2} e₁]``, one column in a row: ``(a + 1, d)``."""
        return [self.encoder.transparent(m, "object", self.own[m]).astype(float) for m in self.modules]

    @cached_property
    def stacked(self) -> Array:
        """All blocks in one array."""
        return np.concatenate(self.blocks)

    @cached_property
    def spans(self) -> list[slice]:
        """Where each module stands in :attr:`stacked`."""
        ends = np.cumsum([len(block) for block in self.blocks])
        return [slice(int(end) - len(block), int(end)) for end, block in zip(ends, self.blocks, strict=True)]

    def slots_of(self, place: Place | None) -> tuple[Slot, ...]:
        """The slots of a place's module, or of ``root``."""
        return self.encoder.network.slots_of(None if place is None else place.module)

    def gain(self, depth: int) -> float:
        """The expected squared length of a column of unit share: ``η_a² τ³ (τ³ η_in²)^{h−1}``."""
        recipe = self.encoder.recipe
        tau = recipe.transparency
        return recipe.attribute_share**2 * tau**3 * (tau**3 * recipe.input_share**2) ** (depth - 1)

    def place(self, parent: Place | None, slot: int, module: Name) -> Place:
        """The place of that path; its columns are computed once."""
        path = (*(() if parent is None else parent.path), (slot, module))
        if path not in self._known:
            block = self.blocks[self.modules.index(module)]
            self._known[path] = Place(parent, slot, module, self._lift(parent, slot, block)[:, self.rows].T.astype(float))
        return self._known[path]

    def _lift(self, parent: Place | None, slot: int, vectors: Array) -> Array:
        """From an object in that slot up to the sketch."""
        encoder = self.encoder
        vectors = vectors.astype(encoder.dtype, copy=False)
        while parent is not None:
            vectors = encoder.transparent(parent.module, slot, vectors)
            vectors = encoder.recipe.input_share * encoder.transparent(parent.module, "input", vectors)
            vectors = encoder.transparent(parent.module, "object", vectors)
            slot, parent = parent.slot, parent.parent
        return encoder.transparent(ROOT, slot, vectors)

    def probes(self, taken: Iterable[Place], residuals: Array) -> tuple[list[Opening], Array]:
        """What the adjoint brings from residuals ``(n, d')`` to every slot of the taken places and of root.

        Returns
        -------
        openings : list of (Place or None, slot)
        probes : (openings, n, d) array
            Inner products with the blocks of the modules score all candidates at once.
        """
        encoder, recipe = self.encoder, self.encoder.recipe
        whole = np.zeros((len(residuals), encoder.sketch_dim), encoder.dtype)
        whole[:, self.rows] = residuals
        children: dict[Place | None, list[Place]] = {}
        for place in taken:
            children.setdefault(place.parent, []).append(place)
        openings: list[Opening] = []
        found: list[Array] = []
        level: list[tuple[Place | None, Array]] = [(None, whole)]
        while level:
            below: list[tuple[Place, Array]] = []
            for name, places, above in _by_module(level):
                for slot in range(len(self.slots_of(places[0]))):
                    down = encoder.transparent_adjoint(name, slot, above)
                    openings += [(place, slot) for place in places]
                    found.append(down)
                    for i, place in enumerate(places):
                        below += [(c, down[i]) for c in children.get(place, ()) if c.slot == slot and self.slots_of(c)]
            level = []
            for name, places, above in _by_module(below):
                inner = encoder.transparent_adjoint(name, "input", encoder.transparent_adjoint(name, "object", above))
                level += list(zip(places, recipe.input_share * inner, strict=True))
        return openings, np.concatenate(found)


def _by_module(level: Iterable[tuple[Any, Array]]) -> Iterator[tuple[Name, list[Any], Array]]:
    """Places of one module together, so that each matrix is applied once a level."""
    groups: dict[Name, list[tuple[Any, Array]]] = {}
    for place, vector in level:
        groups.setdefault(ROOT if place is None else place.module, []).append((place, vector))
    for name, members in groups.items():
        yield name, [place for place, _ in members], np.stack([vector for _, vector in members])
