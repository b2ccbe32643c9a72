"""More runs than fit into memory: sketches batch by batch, to whoever takes them, or to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.files import written_whole
from simnet.networks import Execution, Executions, Group
from simnet.networks.executions import as_executions

Array = NDArray[Any]


def in_batches(runs: Iterable[Executions | Group | Execution] | Executions | Group, size: int) -> Iterator[Executions]:
    """Runs in their order, at most ``size`` at a time; single ones from an iterable are gathered."""
    if isinstance(runs, (Executions, Group, Execution)):
        whole = as_executions(runs)
        for start in range(0, len(whole), size):
            yield whole if size >= len(whole) else whole[start : start + size]
        return
    waiting: list[Execution] = []
    for part in runs:
        if isinstance(part, Execution):
            waiting.append(part)
        if waiting and (len(waiting) == size or not isinstance(part, Execution)):
            yield Executions.gather(waiting)
            waiting = []
        if not isinstance(part, Execution):
            yield from in_batches(part, size)
    if waiting:
        yield Executions.gather(waiting)


def write_batches(path: str | os.PathLike[str], batches: Iterable[Array], sketch_dim: int, dtype: np.dtype[Any]) -> int:
    """Write batches of sketches as one array to a ``.npy`` file, and return how many there were.

    The header of the format has room for any number of rows: it is written again at the end.  The file appears whole or
    not at all.
    """
    rows = 0
    with written_whole(path) as file:

        def header() -> None:
            file.seek(0)
            described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (rows, sketch_dim)}
            np.lib.format.write_array_header_1_0(file, described)

        header()
        for batch in batches:
            file.write(np.ascontiguousarray(batch, dtype).data)
            rows += len(batch)
        header()
    return rows
