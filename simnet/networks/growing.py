"""Networks that grow: new modules, wider attributes, more sources and slots, and nothing that was there before changed.

A matrix depends on the seed of its sketcher and on its own name: its module and its role, or the number of its slot.  So a
sketcher of the grown network draws the matrices of the old one, bit for bit, and more beside them; an attribute vector that
has become wider meets more columns of the same matrix.  Old sketches stay what they are: comparable with new ones, and
decodable by the new sketcher, which finds zeros in the coordinates that were not there yet.

Where attributes widen, two things are the same up to rounding only: the first columns of ``haar`` matrices, and what dense
families make of an old run when it is sketched once more, since longer products are rounded in another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from simnet.checks import choice, integer, sequence, shown
from simnet.networks.execution import Execution
from simnet.networks.executions import Executions, Group, as_executions
from simnet.networks.network import ModularNetwork, Module, Name, Slot


def grown(
    network: ModularNetwork,
    modules: Iterable[Module] = (),
    *,
    widths: Mapping[Name, int] | None = None,
    sources: Mapping[tuple[Name | None, int], Iterable[Name]] | None = None,
    slots: Mapping[Name | None, Iterable[Slot]] | None = None,
) -> ModularNetwork:
    """See :meth:`simnet.ModularNetwork.grown`."""
    widths, sources, slots = dict(widths or {}), dict(sources or {}), dict(slots or {})
    for name in (*widths, *(owner for owner in slots if owner is not None)):
        network.module(name)
    for owner, number in sources:
        choice("sources: slot", number, range(len(network.slots_of(owner))))

    def more(owner: Name | None) -> tuple[Slot, ...]:
        known = network.slots_of(owner)
        added = [sequence(f"sources[{owner!r}, {i}]", sources.get((owner, i), ()), "names") for i in range(len(known))]
        filled = [
            replace(slot, sources=tuple(dict.fromkeys((*slot.sources, *new))))
            for slot, new in zip(known, added, strict=True)
        ]
        return (*filled, *sequence(f"slots[{owner!r}]", slots.get(owner, ()), "slots", Slot))

    kept = []
    for module in network.modules:
        width = widths.get(module.name, module.attribute_dim)
        integer(f"widths[{module.name!r}]", width, minimum=module.attribute_dim)
        names = module.attribute_names
        if names:
            names = (*names, *(f"new {j}" for j in range(len(names), width)))
        new = replace(module, attribute_dim=width, slots=more(module.name), attribute_names=names)
        # a function makes attributes of the old width from the old slots
        kept.append(new if new == module else replace(new, function=None))
    return ModularNetwork((*kept, *sequence("modules", modules, "modules", Module)), more(None), network.layout)


def check_grown(old: ModularNetwork, new: ModularNetwork) -> None:
    """A ``ValueError`` if sketches of ``old`` would not fit a sketcher of ``new``: something was lost or changed."""
    for module in old.modules:
        if module.name not in new.by_name:
            raise ValueError(f"network: module {module.name!r} is missing, a network that grows loses nothing")
        width = new.module(module.name).attribute_dim
        if width < module.attribute_dim:
            raise ValueError(f"network: module {module.name!r} has attribute_dim = {width}, had {module.attribute_dim}")
    for owner in (None, *old.by_name):
        label = "outputs" if owner is None else f"module {owner!r}"
        for i, (slot, after) in enumerate(zip_longest(old.slots_of(owner), new.slots_of(owner))):
            if slot is None:
                break
            if after is None or after.weight != slot.weight or not set(slot.sources) <= set(after.sources):
                raise ValueError(
                    f"network: {label}: slot {i} was {shown(slot)}, is {shown(after)}: it may take new sources only"
                )


def adopted(runs: Executions | Group | Execution, network: ModularNetwork) -> Any:
    """The same runs as runs of a grown network: attribute vectors that have become wider end in zeros.

    Returns
    -------
    Execution, or Executions
        As given; a Group becomes Executions.
    """
    groups = []
    for group in as_executions(runs):
        check_grown(group.structure.network, network)
        structure = replace(group.structure, network=network)
        wider = [dim - x.shape[1] for dim, x in zip(structure.attribute_dims, group.attributes, strict=True)]
        attributes = tuple(np.pad(x, ((0, 0), (0, w))) for x, w in zip(group.attributes, wider, strict=True))
        groups.append(Group(structure, group.runs, attributes, group.weights))
    result = Executions(tuple(groups))
    return result[0] if isinstance(runs, Execution) else result
