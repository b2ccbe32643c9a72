"""The ``random_dag`` family: any earlier module may feed any later one, so depths mix and modules are shared."""

from __future__ import annotations

from simnet.checks import integer
from simnet.networks.network import ModularNetwork, Module, Slot
from simnet.networks.planting import plant, slot_weights
from simnet.networks.running import OneObjectEach
from simnet.randomness import stream


def random_dag(
    modules: int = 8, attribute_dim: int = 4, fan_in: int = 3, inputs: int | None = None, seed: int = 0
) -> ModularNetwork:
    """A random acyclic wiring.

    Modules are named 0, 1, … in topological order.  The first ``inputs`` are input modules; every later one has between
    1 and ``fan_in`` slots, filled by different earlier modules.  Modules that feed no other are the outputs.

    Parameters
    ----------
    modules : int
    attribute_dim : int
    fan_in : int
        The most slots of a module.
    inputs : int, optional
        How many input modules; a third of all, at least one, when not given.
    seed : int

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.random_dag(modules=8, attribute_dim=4, seed=0)
    >>> len(net.modules), len(net.inputs), all(u < v for u, v in net.graph.edges)
    (8, 2, True)
    """
    modules = integer("modules", modules, minimum=1)
    integer("attribute_dim", attribute_dim, minimum=1)
    fan_in = integer("fan_in", fan_in, minimum=1)
    first = max(1, modules // 3) if inputs is None else integer("inputs", inputs, minimum=1, maximum=modules)
    built: list[Module] = []
    used: set[int] = set()
    for name in range(modules):
        draw = stream(seed, "wiring", name)
        slots: tuple[Slot, ...] = ()
        if name >= first:
            count = int(draw.integers(1, min(fan_in, name) + 1))
            sources = [int(source) for source in draw.permutation(name)[:count]]
            used.update(sources)
            slots = tuple(Slot((s,), w) for s, w in zip(sources, slot_weights(draw, count), strict=True))
        built.append(Module(name, attribute_dim, slots))
    sinks = [name for name in range(modules) if name not in used]
    weights = slot_weights(stream(seed, "wiring", "outputs"), len(sinks))
    outputs = tuple(Slot((name,), w) for name, w in zip(sinks, weights, strict=True))
    return plant(ModularNetwork(tuple(built), outputs, OneObjectEach()), seed)
