"""A claim of one file, fast enough to be run a thousand times, that notes each trial it begins."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

CLAIM = '''
import os
import signal
import time

from simnet.claims import Claim, Sample
from simnet.randomness import stream


class Deaf:
    """Is interrupted while it is deleted, which Python ignores."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1.0)


class Fast(Claim):
    """The mean square of normal numbers, which is 1."""

    name = "fast"
    title = "E x² = 1"
    how = ("well", "failing", "often failing", "endless", "tight", "dying", "deaf")
    parameters = {"size": 4, "truth": 1.0, "pause": 0.0, "how": how}

    def trial(self, parameters, seed, sketcher):
        with open(os.path.join(os.path.dirname(__file__), "begun"), "ab", buffering=0) as file:
            file.write(b"%d\\n" % seed)  # one write, which the system appends whole
        if parameters["how"] == "failing" or (parameters["how"] == "often failing" and seed % 3 == 0):
            raise RuntimeError("this one\\n| does not work")
        if parameters["how"] == "dying":
            os._exit(3)
        if parameters["how"] == "endless":
            time.sleep(60.0)
        while parameters["how"] == "tight":
            pass
        if parameters["how"] == "deaf":
            Deaf()
        time.sleep(parameters["pause"])
        x = stream(seed, "x").standard_normal(parameters["size"])
        square = float((x**2).mean())
        factor = 1.0 if sketcher.__name__ == "Sketcher" else 2.0
        return [
            Sample("mean ⟨square⟩", factor * square, parameters["truth"], bound=12.0, violations=int(square > 12.0), tries=1,
                   failure_probability=0.05),
            Sample("first", float(x[0]), float("nan")),
        ]
'''

STUDY = """
title = "Squares of normal numbers"
question = "Are they 1 in the mean?"
claim = "claim.py:Fast"
trials = {trials}
{top}

[grid]
size = {size}
{grid}

[[figure]]
x = "size"
quantity = "mean*"
x_scale = "log2"
"""


SERVER = """
import os
import sys

from simnet.study import load_study, run_study

for _ in sys.stdin:
    process = os.fork()
    if process == 0:
        run_study(load_study(sys.argv[1]))
        os._exit(0)
    print(process, flush=True)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


class Place:
    """A folder with the claim and a study, and what was begun in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "claim.py").write_text(CLAIM)

    def write(self, trials=8, grid="", top="", size="{powers_of_two = [1, 3]}", name="squares"):
        path = self.folder / f"{name}.toml"
        path.write_text(STUDY.format(trials=trials, grid=grid, top=top, size=size))
        return path

    @property
    def begun(self):
        """The seeds of all trials that were begun, in that order."""
        path = self.folder / "begun"
        return path.read_text().split() if path.exists() else []

    def command(self, *arguments):
        return [sys.executable, "-m", "simnet", "sweep", *map(str, arguments)]

    def begin(self, *arguments):
        """Begin the command, in a group of processes of its own, which an interrupt reaches.

        What a shell runs in the background ignores interrupts, and hands that on.
        """
        pipe = subprocess.PIPE
        options = {"cwd": self.folder, "env": self.environment, "text": True, "start_new_session": True}
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(self.command(*arguments), stdout=pipe, stderr=pipe, **options)

    def sweep(self, *arguments, **options):
        """Run the command here and wait for it."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )

    @contextmanager
    def forks(self, path):
        """A function that begins a sweep with one worker in another process, at once: a fork of one that is ready."""
        command = [sys.executable, "-c", SERVER, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, bufsize=1, **pipes) as server:

            def fork():
                server.stdin.write("go\n")
                return int(server.stdout.readline())

            yield fork
            server.stdin.close()

    @property
    def environment(self):
        return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)
