"""Is a module worth sketching?  Dead units, rank, nonlinearity and range of a function, measured on what it sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simnet.networks.network import ROUNDING, ModularNetwork, Name
from simnet.networks.running import Plan
from simnet.randomness import stream

Array = NDArray[Any]

#: A unit that is not zero in fewer than this share of the runs is dead: there is nothing to recover.
DEAD_BELOW = 0.01
#: Attributes whose smallest singular value lies below this share of the largest do not have full rank.
RANK_TOLERANCE = 1e-4
#: A function of which an affine map explains more than this share of the variance is not nonlinear.
AFFINE_ABOVE = 0.999


@dataclass(frozen=True)
class FunctionReport:
    """What was measured of one module's function.

    Attributes
    ----------
    module : str or int
    samples : int
    rank : int
        The numerical rank of the attribute vectors, at most ``attribute_dim``.
    dead_units : tuple of int
        Units that are zero in more than 99 % of the runs.
    affine_share : float
        The share of the variance that an affine map of the inputs explains; 1 for an affine function.
    minimum, longest : float
        The smallest entry and the greatest length seen.
    """

    module: Name
    samples: int
    attribute_dim: int
    rank: int
    dead_units: tuple[int, ...]
    affine_share: float
    minimum: float
    longest: float

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in words; empty when nothing is."""
        if self.samples == 0:
            return ("made no object in any run",)
        found = []
        if self.dead_units:
            found.append(f"units {list(self.dead_units)} are dead (zero in over {1 - DEAD_BELOW:.0%} of the runs)")
        if self.rank < self.attribute_dim:
            found.append(f"attributes have rank {self.rank} of {self.attribute_dim}")
        if self.affine_share > AFFINE_ABOVE:
            found.append(f"the function is affine ({self.affine_share:.2%} of its variance)")
        if self.minimum < 0.0:
            found.append(f"attributes go below 0 ({self.minimum:.3g})")
        if self.longest > 1.0 + ROUNDING:
            found.append(f"attributes are longer than 1 ({self.longest:.6g})")
        return tuple(found)


def inspect_function(module: Name, inputs: Array, outputs: Array) -> FunctionReport:
    """Measure a function from ``(n, inputs)`` and ``(n, a)`` samples; ``n`` should be several times both dimensions."""
    # Gram matrices lose what lies below the root of the precision, and the tolerances lie far above it
    squares = np.linalg.eigvalsh(outputs.T @ outputs)
    rank = int(np.sum(squares > RANK_TOLERANCE**2 * max(squares[-1], 1e-300)))
    active = np.mean(outputs != 0.0, axis=0)
    x, y = inputs - inputs.mean(axis=0), outputs - outputs.mean(axis=0)
    residual = y - x @ (scipy.linalg.pinvh(x.T @ x, rtol=1e-12) @ (x.T @ y)) if x.shape[1] else y
    total = float(np.sum(y**2))
    return FunctionReport(
        module=module,
        samples=len(outputs),
        attribute_dim=outputs.shape[1],
        rank=rank,
        dead_units=tuple(int(i) for i in np.flatnonzero(active < DEAD_BELOW)),
        affine_share=1.0 - float(np.sum(residual**2)) / total if total > 0.0 else 1.0,
        minimum=float(outputs.min()),
        longest=float(np.linalg.norm(outputs, axis=1).max()),
    )


def inspect_network(network: ModularNetwork, *, runs: int | None = None, seed: int = 0) -> tuple[FunctionReport, ...]:
    """Measure every module on what it sees in some runs, by default six times the widest input or attribute vector."""
    dims = {m.name: [network.module(slot.sources[0]).attribute_dim for slot in m.slots] for m in network.modules}
    widest = max(max(m.attribute_dim, sum(dims[m.name])) for m in network.modules)
    count = max(1024, 6 * widest) if runs is None else runs
    seen: dict[Any, tuple[list[Array], list[Array]]] = {module.name: ([], []) for module in network.modules}
    for group in network.run(count, seed=seed):
        s = group.structure
        for k, name in enumerate(s.modules):
            parts = [
                np.zeros((len(group), dim)) if source is None else group.attributes[s.position(source)]
                for source, dim in zip(s.inputs[k], dims[name], strict=True)
            ]
            inputs, outputs = seen[name]
            outputs.append(group.attributes[k])
            inputs.append(np.concatenate(parts, axis=1) if parts else np.zeros((len(group), 0)))
    reports = []
    for module in network.modules:
        inputs, outputs = seen[module.name]
        if not outputs:
            reports.append(FunctionReport(module.name, 0, module.attribute_dim, 0, (), 0.0, 0.0, 0.0))
            continue
        x, y = np.concatenate(inputs), np.concatenate(outputs)
        if not module.slots and isinstance(network.layout, Plan) and module.function is not None:
            # what an input module saw is not kept: look again
            x = stream(seed, "check", "outside", module.name).standard_normal((count, module.function.input_dims[0]))
            y = module.function([x])
        reports.append(inspect_function(module.name, x, y))
    return tuple(reports)


def inspected(network: ModularNetwork) -> ModularNetwork:
    """The network itself, if every module is worth sketching.

    Raises
    ------
    ValueError
        With the first module that is not, and all that is wrong with it.
    """
    for report in inspect_network(network):
        if report.problems:
            raise ValueError(f"module {report.module!r}: {'; '.join(report.problems)}")
    return network
