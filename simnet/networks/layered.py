"""The ``layered`` family: layers of modules, each fed by some of the layer below."""

from __future__ import annotations

from collections.abc import Sequence

from simnet.checks import integer, sequence
from simnet.networks.network import ModularNetwork, Module, Slot
from simnet.networks.planting import plant, slot_weights
from simnet.networks.running import OneObjectEach
from simnet.randomness import stream


def layered(widths: Sequence[int] = (6, 4, 2), attribute_dim: int = 8, fan_in: int = 2, seed: int = 0) -> ModularNetwork:
    """Layers of modules from the inputs to the outputs.

    Modules are named 0, 1, … layer by layer.  Each draws ``fan_in`` different modules of the layer below, so that each
    of those is drawn at least once where there are slots enough; the weights are uneven.  The last layer is the output.

    Parameters
    ----------
    widths : sequence of int
        Modules to a layer, inputs first.
    attribute_dim : int
    fan_in : int
        Slots to a module; fewer where the layer below is narrower.
    seed : int

    Returns
    -------
    ModularNetwork
        With its planted functions; :attr:`~ModularNetwork.graph` is the planted wiring.

    Raises
    ------
    ValueError
        If a width, ``fan_in`` or ``attribute_dim`` is not positive, or the slots of a layer cannot hold all modules of
        the layer below.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.layered(widths=(4, 2, 1), attribute_dim=3, fan_in=2, seed=0)
    >>> len(net.modules), net.inputs, sorted(net.depths[0])
    (7, (0, 1, 2, 3), [3])
    """
    widths = tuple(integer(f"widths[{i}]", w, minimum=1) for i, w in enumerate(sequence("widths", widths, "integers")))
    if not widths:
        raise ValueError("widths = (): must have at least one layer")
    integer("attribute_dim", attribute_dim, minimum=1)
    fan_in = integer("fan_in", fan_in, minimum=1)
    modules: list[Module] = []
    below: list[int] = []
    for layer, width in enumerate(widths):
        names = list(range(len(modules), len(modules) + width))
        slots = min(fan_in, len(below))
        if len(below) > width * slots:
            raise ValueError(
                f"widths[{layer}] = {width}: with fan_in = {fan_in} the layer holds {width * slots} inputs, the layer below "
                f"has {len(below)} modules"
            )
        for row, name in enumerate(names):
            draw = stream(seed, "wiring", name)
            # each module takes its own share of the layer below first, the rest of its slots are drawn
            own = below[row::width]
            rest = [source for source in below if source not in own]
            sources = own + [rest[i] for i in draw.permutation(len(rest))[: slots - len(own)]]
            filled = zip((sources[i] for i in draw.permutation(len(sources))), slot_weights(draw, slots), strict=True)
            modules.append(Module(name, attribute_dim, tuple(Slot((source,), w) for source, w in filled)))
        below = names
    weights = slot_weights(stream(seed, "wiring", "outputs"), len(below))
    outputs = tuple(Slot((name,), w) for name, w in zip(below, weights, strict=True))
    return plant(ModularNetwork(tuple(modules), outputs, OneObjectEach()), seed)
