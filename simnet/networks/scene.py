"""The ``scene`` family: a room with things in it, several of one kind, different ones in every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simnet.checks import integer, sequence
from simnet.networks.functions import ThingFunction
from simnet.networks.network import ModularNetwork, Module, Name, Slot, check_name
from simnet.networks.planting import plant
from simnet.networks.running import Array, Batch, Plan, patterns
from simnet.networks.structure import Structure
from simnet.randomness import stream


@dataclass(frozen=True)
class RoomLayout(Plan):
    """Between one thing and as many as there are places; each is of a random kind.  Places are filled kind by kind."""

    kinds: tuple[Name, ...]
    places: int
    odds: tuple[float, ...]

    def draw(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Batch]:
        # one draw a run, in the order of the runs: the layout of a run does not depend on how many there are
        numbers = stream(seed, "layout").random((runs, self.places + 1))
        total = 1 + (numbers[:, 0] * self.places).astype(np.intp)
        kind = np.searchsorted(np.cumsum(self.odds)[:-1], numbers[:, 1:], side="right")
        kind[np.arange(self.places) >= total[:, None]] = len(self.kinds)
        counts = np.stack([np.sum(kind == i, axis=1) for i in range(len(self.kinds))], axis=1)
        if activity is not None:
            counts = counts * activity
        return [(members, self.structure(network, row)) for members, row in patterns(counts)]

    def structure(self, network: ModularNetwork, counts: Array) -> Structure:
        """The room with that many things of each kind."""
        things = [(f"{kind}.{i}", kind) for kind, count in zip(self.kinds, counts, strict=True) for i in range(int(count))]
        room = network.module("room")
        made = ("room",) if things else ()
        names = tuple(name for name, _ in things)
        return Structure(
            network,
            names + made,
            tuple(kind for _, kind in things) + made,
            ((),) * len(names) + (((*names, *[None] * (self.places - len(names))),) if things else ()),
            ((),) * len(names) + ((tuple(slot.weight for slot in room.slots),) if things else ()),
            made or (None,),
            (1.0,),
        )


def scene(
    kinds: Sequence[Name] = ("cat", "person", "table", "chair"),
    places: int = 8,
    colours: int = 4,
    attribute_dim: int = 8,
    seed: int = 0,
) -> ModularNetwork:
    """A room in which every run finds other things.

    Each kind of thing is a module that makes none, one or several objects; each thing has a size in (0, 1), one of
    ``colours`` colours and a pose, with means that differ between the kinds.  The module ``"room"`` looks at all of them
    through ``places`` slots of equal weight.  The attribute vector of a thing is
    ``(size, onehot(colour), (1 + cos φ)/2, (1 + sin φ)/2) / √3.5``; ``module.attribute_names`` names its entries.

    Parameters
    ----------
    kinds : sequence of str
    places : int
        The most things in a room; the number is uniform between 1 and this.
    colours : int
    attribute_dim : int
        Of the room's own attribute vector.
    seed : int

    Raises
    ------
    ValueError
        If a kind is named twice or ``"room"``, or an argument is not positive.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.scene(seed=0)
    >>> net.module("cat").attribute_names[:2]
    ('size', 'colour 0')
    >>> runs = net.run(3, seed=1)
    >>> len({runs[i].structure.names for i in range(3)})
    3
    """
    kinds = tuple(check_name(f"kinds[{i}]", kind) for i, kind in enumerate(sequence("kinds", kinds, "names")))
    if not kinds or len(set(kinds)) < len(kinds) or "room" in kinds:
        raise ValueError(f"kinds = {list(kinds)}: must be different names, at least one, and not 'room'")
    places = integer("places", places, minimum=1)
    colours = integer("colours", colours, minimum=2)
    names = ("size", *(f"colour {i}" for i in range(colours)), "pose cos", "pose sin")
    functions = {}
    for kind in kinds:
        draw = stream(seed, "kind", kind)
        functions[kind] = ThingFunction(float(draw.uniform(-1.5, 1.5)), 0.5, 0.5 * draw.standard_normal(colours))
    things = tuple(Module(kind, len(names), attribute_names=names) for kind in kinds)
    slots = tuple(Slot(kinds, 1.0 / places) for _ in range(places))
    room = Module("room", attribute_dim, slots)
    odds = stream(seed, "odds").uniform(0.5, 1.5, len(kinds))
    layout = RoomLayout(kinds, places, tuple(float(x) for x in odds / odds.sum()))
    network = ModularNetwork((*things, room), (Slot(("room",), 1.0),), layout)
    return plant(network, seed, external=lambda module: functions.get(module.name))
