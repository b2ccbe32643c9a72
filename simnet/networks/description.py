"""Networks as JSON holds them: modules and slots, without functions."""

from __future__ import annotations

from typing import Any

from simnet.networks.network import ModularNetwork, Module, read_slots


def describe_network(network: ModularNetwork) -> dict[str, Any]:
    """What files of executions and of sketches say of a network.

    ``modules``, each with ``name``, ``attribute_dim``, ``slots`` and, where it has them, ``attribute_names``; ``outputs``;
    a slot is ``[[source, …], weight]``.

    Examples
    --------
    >>> import simnet
    >>> from simnet.networks.description import describe_network, read_network
    >>> net = simnet.networks.tree(height=2, branching=2, attribute_dim=3)
    >>> read_network(describe_network(net)) == net
    True
    """
    return {
        "modules": [
            {
                "name": module.name,
                "attribute_dim": module.attribute_dim,
                "slots": [slot.plain for slot in module.slots],
                **({"attribute_names": module.attribute_names} if module.attribute_names else {}),
            }
            for module in network.modules
        ],
        "outputs": [slot.plain for slot in network.outputs],
    }


def read_network(document: Any) -> ModularNetwork:
    """The network of such a description.

    Raises
    ------
    KeyError, TypeError, IndexError
        If something is missing or is not laid out so.
    ValueError
        If what it describes is no network; the message names the field.
    """
    modules = tuple(
        Module(
            entry["name"],
            entry["attribute_dim"],
            read_slots(f"module {entry['name']!r}: slots", entry["slots"]),
            attribute_names=entry.get("attribute_names", ()),
        )
        for entry in document["modules"]
    )
    return ModularNetwork(modules, read_slots("network: outputs", document["outputs"]))
