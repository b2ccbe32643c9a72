"""The ``tree`` family: every module feeds exactly one other."""

from __future__ import annotations

from simnet.checks import integer
from simnet.networks.network import ModularNetwork, Module, Slot
from simnet.networks.planting import plant, slot_weights
from simnet.networks.running import OneObjectEach
from simnet.randomness import stream


def tree(height: int = 3, branching: int = 2, attribute_dim: int = 8, seed: int = 0) -> ModularNetwork:
    """A complete tree: one output, and ``branching`` inputs to every module down to depth ``height``.

    Module 0 is the output, the inputs of module ``k`` are ``k·branching + 1, …``.  With ``branching = 1`` it is a chain.

    Parameters
    ----------
    height : int
        The depth of the leaves; 1 is a single module.
    branching, attribute_dim, seed : int

    Raises
    ------
    ValueError
        If an argument is not positive, or the tree has more than 100,000 modules.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.tree(height=3, branching=2, attribute_dim=4, seed=0)
    >>> net.inputs, sorted(net.graph.predecessors(0))
    ((3, 4, 5, 6), [1, 2])
    """
    height = integer("height", height, minimum=1, maximum=1000)
    branching = integer("branching", branching, minimum=1, maximum=1000)
    integer("attribute_dim", attribute_dim, minimum=1)
    inner, count = 0, 1
    for _ in range(height - 1):
        inner, count = count, count * branching + 1
        if count > 100_000:
            raise ValueError(f"height = {height}: with branching = {branching} the tree has over 100,000 modules")
    modules = []
    for name in range(count):
        slots: tuple[Slot, ...] = ()
        if name < inner:
            weights = slot_weights(stream(seed, "wiring", name), branching)
            slots = tuple(Slot((name * branching + 1 + i,), w) for i, w in enumerate(weights))
        modules.append(Module(name, attribute_dim, slots))
    return plant(ModularNetwork(tuple(modules), (Slot((0,), 1.0),), OneObjectEach()), seed)
