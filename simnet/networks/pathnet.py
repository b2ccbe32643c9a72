"""The ``pathnet`` family: layers of modules, of which each run uses the few that lie on its path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simnet.checks import integer
from simnet.networks.network import ModularNetwork, Module, Name, Slot
from simnet.networks.planting import plant
from simnet.networks.running import Array, Batch, Plan
from simnet.networks.structure import Structure
from simnet.randomness import stream

#: The module that every module of the first layer looks at.
INPUT = "input"


@dataclass(frozen=True, eq=False)
class PathLayout(Plan):
    """Each run takes one path of a population, all with the same probability.

    ``paths`` is ``(population, layers, active)``: the genes of a path, numbers of modules, some of them perhaps the same.
    """

    paths: Array

    def draw(self, network: ModularNetwork, runs: int, seed: int, activity: Array | None) -> Sequence[Batch]:
        taken = stream(seed, "path").integers(len(self.paths), size=runs)
        sees = np.ones(runs, dtype=bool) if activity is None else activity[:, 0]
        batches = [
            (members, self.structure(network, path))
            for number, path in enumerate(self.paths)
            if len(members := np.flatnonzero((taken == number) & sees))
        ]
        blind = np.flatnonzero(~sees)
        return [*batches, (blind, self.structure(network, None))] if len(blind) else batches

    def structure(self, network: ModularNetwork, path: Array | None) -> Structure:
        """The modules on a path, each fed by all of the layer below; nothing where the input sees nothing."""
        layers = (
            [] if path is None else [[f"{layer}.{gene}" for gene in dict.fromkeys(row)] for layer, row in enumerate(path)]
        )
        names: list[Name] = [INPUT] if layers else []
        inputs: list[tuple[Name | None, ...]] = [()] if layers else []
        below: tuple[Name | None, ...] = (INPUT,)
        for layer in layers:
            names += layer
            inputs += [below] * len(layer)
            below = (*layer, *[None] * (self.paths.shape[2] - len(layer)))
        return Structure(
            network,
            tuple(names),
            tuple(names),
            tuple(inputs),
            tuple(tuple(slot.weight for slot in network.slots_of(name)) for name in names),
            below if layers else (None,) * len(network.outputs),
            tuple(slot.weight for slot in network.outputs),
        )


def pathnet(
    layers: int = 3, modules: int = 4, active: int = 3, attribute_dim: int = 8, population: int = 16, seed: int = 0
) -> ModularNetwork:
    """Layers of modules of which every run uses at most ``active`` in each: those on its path.

    A path is ``layers × active`` genes, each the number of a module, drawn independently: one that is drawn twice is there
    once, so that a path has between 1 and ``active`` modules in a layer.  Every active module of the first layer looks at
    the object of ``"input"``.  The outputs of the active modules of a layer are summed, and the sum goes to each active
    module of the next: ``x = Π(g · relu(W Σ_i u_i − n t))`` of ``n`` inputs, one matrix for all slots.  The active modules
    of the last layer are the outputs.

    Parameters
    ----------
    layers, modules : int
        Module ``m`` of layer ``l`` is named ``"l.m"``, both from 0.
    active : int
        The most modules of a layer on a path.
    attribute_dim : int
    population : int
        How many paths there are; a run takes one at random.  Every module is on one at least.
    seed : int

    Raises
    ------
    ValueError
        If an argument is not positive, or the population has too few genes for all modules.

    Notes
    -----
    Source: C. Fernando et al., *PathNet: Evolution Channels Gradient Descent in Super Neural Networks*, arXiv 1701.08734
    (2017).  Of the training only the population is kept: paths are drawn, not evolved.

    Examples
    --------
    >>> import simnet
    >>> net = simnet.networks.pathnet(layers=2, modules=4, active=2, attribute_dim=4, seed=0)
    >>> [len(net.run(1, seed=seed)[0].objects) for seed in range(4)]
    [4, 4, 3, 5]
    """
    layers = integer("layers", layers, minimum=1)
    modules = integer("modules", modules, minimum=1)
    active = integer("active", active, minimum=1, maximum=modules)
    integer("attribute_dim", attribute_dim, minimum=1)
    population = integer("population", population, minimum=1)
    if population * active < modules:
        raise ValueError(
            f"population = {population}: with active = {active} the paths hold {population * active} modules of a layer, "
            f"there are {modules}"
        )
    made = [Module(INPUT, attribute_dim)]
    slots: tuple[Slot, ...] = (Slot((INPUT,), 1.0),)
    genes = []
    for layer in range(layers):
        names = tuple(f"{layer}.{m}" for m in range(modules))
        made += [Module(name, attribute_dim, slots) for name in names]
        slots = tuple(Slot(names, 1.0 / active) for _ in range(active))
        draw = stream(seed, "genes", layer)
        # every module is dealt out once, so that none is off all paths; the other genes are drawn
        dealt = np.concatenate([draw.permutation(modules), draw.integers(modules, size=population * active - modules)])
        genes.append(draw.permutation(dealt).reshape(population, active))
    network = ModularNetwork(tuple(made), slots, PathLayout(np.stack(genes, axis=1)))
    return plant(network, seed, summed=True)
