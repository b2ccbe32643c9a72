"""Claims by name, or from a file of a user's own: ``"my_law.py:MyClaim"``.

Such a file is code, and it is run: in this process and in every worker.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from simnet.checks import choice
from simnet.claims import CLAIMS, STUDY_CLAIMS, Claim


def claim_file(claim: str, folder: Path) -> Path | None:
    """The file that a claim is in, for one named as ``"my_law.py:MyClaim"`` relative to a folder."""
    path, colon, _ = claim.rpartition(":")
    return (folder / path).resolve() if colon else None


def find_claim(claim: str, folder: Path = Path()) -> Claim:
    """The claim of that name, or that class of that file.

    Raises
    ------
    ValueError
        If there is none, or the file cannot be run.
    """
    path = claim_file(claim, folder)
    if path is None:
        known = CLAIMS | STUDY_CLAIMS
        return known[choice("claim", claim, known)]
    if not path.is_file():
        raise ValueError(f"claim = {claim!r}: there is no file {path}")
    stat = path.stat()
    return _from_file(path, claim.rpartition(":")[2], stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _from_file(path: Path, name: str, changed: int, size: int) -> Claim:
    """One instance a process, until the file changes."""
    field = f"claim = '{path.name}:{name}'"
    module_name = f"_simnet_claim_{blake2b(str((path, changed, size)).encode(), digest_size=8).hexdigest()}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{field}: {path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{field}: the file does not run ({type(error).__name__}: {error})") from error
    own = [key for key, value in vars(module).items() if _is_claim(value) and value.__module__ == module_name]
    made: Claim = vars(module)[choice("class in claim", name, own)]()
    if not made.name:
        raise ValueError(f"{field}: must have a name, as in `name = 'my_law'`")
    return made


def _is_claim(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Claim) and not inspect.isabstract(value)
