"""Rows of handwritten digits: a trained network of digit modules that feed a combiner.  Needs the extra ``digits``.

One perceptron, trained on the digits of scikit-learn, looks at each of ``PLACES`` images.  The object that it makes belongs
to the module of the digit that it takes the image for, and its attributes are its hidden activations; a second perceptron,
the module ``"sum"``, takes the probabilities of all places and makes their sum.  What the network decided is known exactly,
run by run, so that every answer from a sketch has a truth beside it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.checks import integer
from simnet.networks import Executions, Group, ModularNetwork, Module, Slot, Structure
from simnet.networks.running import patterns
from simnet.randomness import stream

Array = NDArray[Any]

PLACES, DIGITS, HIDDEN, COMBINED = 3, 10, 24, 12


@dataclass(frozen=True, eq=False)
class DigitRows:
    """The two trained networks, with the images that they have not seen.

    Attributes
    ----------
    reader, combiner : fitted perceptrons of scikit-learn
    images, labels : (n, 64) and (n,) array
        Of the half that was held out.
    """

    reader: Any
    combiner: Any
    images: Array
    labels: Array

    @classmethod
    def train(cls, seed: int = 0) -> DigitRows:
        """Train both, in some seconds."""
        from sklearn.datasets import load_digits
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        images, labels = load_digits(return_X_y=True)
        images = images / 16.0
        order = stream(seed, "split").permutation(len(images))
        seen, held = np.array_split(order, 2)
        reader = MLPClassifier(
            hidden_layer_sizes=(HIDDEN,), solver="lbfgs", max_iter=150, alpha=0.1, random_state=seed, tol=1e-3
        )
        combiner = MLPRegressor(hidden_layer_sizes=(COMBINED,), solver="lbfgs", max_iter=150, random_state=seed, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # they stop early on purpose
            reader.fit(images[seen], labels[seen])
            rows = seen[stream(seed, "rows").integers(len(seen), size=(1000, PLACES))]
            combiner.fit(reader.predict_proba(images[rows.ravel()]).reshape(1000, -1), labels[rows].sum(axis=1))
        return cls(reader, combiner, images[held], labels[held])

    @property
    def network(self) -> ModularNetwork:
        """``"0"`` to ``"9"``, any of them in each slot of ``"sum"``."""
        digits = tuple(str(i) for i in range(DIGITS))
        slots = tuple(Slot(digits, 1.0 / PLACES) for _ in range(PLACES))
        modules = (*(Module(name, HIDDEN) for name in digits), Module("sum", COMBINED + 1, slots))
        return ModularNetwork(modules, (Slot(("sum",), 1.0),))

    @cached_property
    def factor(self) -> float:
        """By which hidden activations are divided: the longest of any image."""
        return float(np.linalg.norm(self.hidden(self.images), axis=1).max())

    def hidden(self, images: Array) -> Array:
        """The hidden activations of the reader, ``(n, HIDDEN)``."""
        return np.maximum(images @ self.reader.coefs_[0] + self.reader.intercepts_[0], 0.0)

    def run(self, runs: int, seed: int = 0) -> Rows:
        """Rows of images that were held out, drawn at random."""
        integer("runs", runs, minimum=1)
        chosen = stream(seed, "digits").integers(len(self.images), size=(runs, PLACES))
        images = self.images[chosen.ravel()]
        hidden = self.hidden(images).reshape(runs, PLACES, HIDDEN)
        chances = self.reader.predict_proba(images)
        taken = chances.argmax(axis=1).reshape(runs, PLACES)
        inner = np.maximum(chances.reshape(runs, -1) @ self.combiner.coefs_[0] + self.combiner.intercepts_[0], 0.0)
        combined = np.column_stack([inner, inner @ self.combiner.coefs_[1] + self.combiner.intercepts_[1]])
        longest = float(np.linalg.norm(combined, axis=1).max())
        network, groups = self.network, []
        names = (*(f"place {i}" for i in range(PLACES)), "sum")
        weights = ((),) * PLACES + (tuple(1.0 / PLACES for _ in range(PLACES)),)
        inputs = ((),) * PLACES + (names[:PLACES],)
        for members, row in patterns(taken):
            modules = (*(str(digit) for digit in row), "sum")
            structure = Structure(network, names, modules, inputs, weights, ("sum",), (1.0,))
            attributes = (*(hidden[members, i] / self.factor for i in range(PLACES)), combined[members] / longest)
            groups.append(Group(structure, members, attributes, structure.edge_weights[None]))
        return Rows(Executions(tuple(groups)), hidden, combined, taken, self.labels[chosen], self.factor, longest)


@dataclass(frozen=True, eq=False)
class Rows:
    """Runs, and the truth about them: activations before scaling, what each image was taken for, and what it is."""

    executions: Executions
    hidden: Array
    combined: Array
    taken: Array
    labels: Array
    hidden_factor: float
    combined_factor: float
