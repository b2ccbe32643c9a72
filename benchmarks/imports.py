"""How long it takes to begin."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.measure import Row, compared, ratios


def start(program: str) -> None:
    """A new interpreter that runs a line, and keeps what it compiled for the next one."""
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""})


def imports(quick: bool) -> Iterator[Row]:
    """``import simnet`` in a new interpreter, over that of the parts of NumPy and SciPy that it stands on."""
    against = "import numpy, scipy.fft, scipy.linalg, scipy.sparse.linalg"
    found = ratios(partial(start, "import simnet"), partial(start, against), 1 if quick else 9)
    yield compared("import", "import simnet", against, "a new interpreter each", found)
