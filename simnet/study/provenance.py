"""Where a result comes from: versions, commit, seed, machine, times."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import simnet
from simnet.claims.loading import claim_file
from simnet.study.study import Study

PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "joblib", "networkx")


def now() -> str:
    """The time, to the second, in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def provenance(study: Study, *, workers: int | str, started: str) -> dict[str, str | int | float]:
    """A flat table of what a run of the study depends on, and when it was."""
    facts: dict[str, str | int | float] = {
        "study": study.name,
        "simnet": simnet.__version__,
        "commit": commit(),
        "seed": study.seed,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "workers": workers,
        "threads": 1,
        **{package: importlib.metadata.version(package) for package in PACKAGES},
        "study_sha256": sha256(study.text.encode()).hexdigest(),
        "claim_version": study.source.version,
        "started": started,
        "finished": now(),
        "command": shlex.join([Path(sys.argv[0]).name.replace("__main__.py", "simnet"), *sys.argv[1:]]),
    }
    return facts if claim_file(study.claim, study.folder) is None else facts | {"claim_sha256": _claim_hash(study)}


def _claim_hash(study: Study) -> str:
    path = claim_file(study.claim, study.folder)
    return "" if path is None else sha256(path.read_bytes()).hexdigest()


def stale_claim(study: Study, folder: Path) -> str | None:
    """What to tell a user whose claim file is another than the one that made a results folder, but of the same version."""
    with suppress(OSError, ValueError):
        before = json.loads((folder / "provenance.json").read_text())
        version = study.source.version
        if before.get("claim_version") == version and before.get("claim_sha256", _claim_hash(study)) != _claim_hash(study):
            name = study.claim.rpartition(":")[0]
            return (
                f"{name} has changed, but not its version = {version}: trials that are done are kept; raise it to redo them"
            )
    return None


def commit() -> str:
    """The commit that simnet runs from, ``+`` if its files differ from it; ``unknown`` outside a repository."""
    with suppress(OSError, subprocess.SubprocessError):
        folder = Path(simnet.__file__).parent

        def git(*arguments: str) -> str:
            command = ["git", "-C", str(folder), *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    return "unknown"


def processor() -> str:
    """The name of the processor, where the system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
