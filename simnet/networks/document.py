"""A network as a JSON document: modules, slots and weights, without functions."""

from __future__ import annotations

from typing import Any

from simnet.networks.network import ModularNetwork, Module, read_slots


def network_document(network: ModularNetwork) -> dict[str, Any]:
    """``{"modules": [{"name", "attribute_dim", "slots", "attribute_names"}, …], "outputs": […]}``.

    A slot is ``[[source, …], weight]``; ``attribute_names`` is there where the module has them.
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
    """The network of a document; what it describes is validated.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        If the document is not laid out so; whoever reads a file says which.
    """
    return ModularNetwork(
        tuple(
            Module(
                entry["name"],
                entry["attribute_dim"],
                read_slots(f"module {entry['name']!r}: slots", entry["slots"]),
                attribute_names=entry.get("attribute_names", ()),
            )
            for entry in document["modules"]
        ),
        read_slots("network: outputs", document["outputs"]),
    )
