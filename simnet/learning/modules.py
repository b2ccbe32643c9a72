"""Attributes, direct edges and functions of the modules behind found supports.

Supports are taken small ones first.  A support has directions of its own in the coordinates of the sketches; the units of
its modules are found in them (:mod:`simnet.learning.units`), and each must be a rectified function of modules that are known
already (:mod:`simnet.learning.layers`): those are its direct sources.  Modules that feed others of the same support come out
first, as nothing but them is a function of what lies below.

Inputs are functions of nothing.  Where other modules share their support, the input is what is no function of the others.

All is least squares over the right runs, with the noise taken off; what noise does to a reading is known, so a function
that is not the right one is found out by runs that it cannot explain, and a source that is none by those that are
(:mod:`simnet.learning.needed`).  Nothing is stated that was not tested so.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simnet.learning.layers import (
    Slots,
    accepted,
    ball,
    contradicted,
    find_balls,
    fitted_module,
    further_units,
    half_space,
    outputs,
    polished,
    refitted,
    shortening,
    together,
)
from simnet.learning.marks import Support
from simnet.learning.needed import needed_sources
from simnet.learning.supports import complement, orthonormal
from simnet.learning.units import Readings, facets, find_units, without
from simnet.randomness import stream

Array = NDArray[Any]

#: The share of the runs that is held out.
HELD_OUT = 0.2
#: Starts in vain after which the search for a unit ends: of an input, and of another module; and how often it is taken up.
FIRST, ABOVE, ROUNDS = 150, 100, 3
#: Runs on which functions are tried, at least and for each coefficient.
TRIED, TRIED_EACH = 1500, 40
#: Without noise a function is stated where it explains this share of the variance in held-out runs.
EXACT = 1.0 - 1e-6
#: How often units are searched for again when no function of theirs is right.
AGAIN = 1
#: Singular values of directions, each of length 1, below which they are of one span.
SAME_SPAN = 1e-6
#: An edge is stated above this many standard errors.
SIGNIFICANT = 5.0


@dataclass(frozen=True, eq=False)
class FoundModule:
    """A module as it was recovered.

    Attributes
    ----------
    support : frozenset of int
    attributes : (n, a) array or None
        In every run, as read from the sketches, 0 where the module is absent; up to order, and up to positive scales where
        no run is seen to be shortened to length 1.
    axes : bool
        Whether the coordinates are the attributes themselves, not just a linear image of them.
    sources : dict of int to float
        The modules that feed it directly, by number, each with the standard errors by which held-out runs speak for it.
    weights : dict of int to (a, a_i) array
        Of each source.
    thresholds : dict of int to (a,) array
    score : float
        The share of the variance in held-out runs that the function explains; ``nan`` where there is none, as for inputs.
    predicted : (n, a) array or None
        The attributes that the function makes of those of the sources.
    problem : str
        What is not known, and why; empty when all is well.
    """

    support: Support
    attributes: Array | None
    axes: bool
    sources: dict[int, float]
    weights: dict[int, Array]
    thresholds: dict[int, Array]
    score: float
    predicted: Array | None = None
    problem: str = ""


def unknown(support: Support, problem: str) -> FoundModule:
    """A module of which the support is all that is known."""
    return FoundModule(support, None, False, {}, {}, {}, float("nan"), None, problem)


@dataclass(frozen=True, eq=False)
class Target:
    """What the sketches say of the modules of one support.

    Attributes
    ----------
    support : frozenset of int
    whole : (r, D) array
        Directions of the coordinates, orthonormal, that belong to these modules, to those with supports inside, and maybe to
        some others.
    size : int or None
        Attributes of these modules, where that is known.
    copies : int
        Modules with this support.
    """

    support: Support
    whole: Array
    size: int | None
    copies: int


def recover_modules(active: Array, readings: Readings, supports: list[Support], targets: list[Target]) -> list[FoundModule]:
    """All modules, inputs first: those of each target in turn.

    ``readings`` have the mark of each of ``supports`` after the coordinates.
    """
    recovery = _Recovery(active, readings, supports)
    for target in targets:
        recovery.add(target)
    return recovery.modules


class _Recovery:
    """What is known so far: modules, and the functionals ``(r + p, a)`` that read them."""

    def __init__(self, active: Array, readings: Readings, supports: list[Support]) -> None:
        self.active, self.readings = active, readings
        marks = np.eye(readings.values.shape[1])[:, readings.noisy :]
        self.marks, self.mark_of = marks, {support: marks[:, k] for k, support in enumerate(supports)}
        self.held = np.zeros(len(active), dtype=bool)
        self.held[stream(0, "held out").permutation(len(active))[: int(HELD_OUT * len(active))]] = True
        self.modules: list[FoundModule] = []
        self.functionals: list[Array | None] = []
        self.scales: list[Array] = []
        self.lost: list[tuple[Support, Array]] = []
        self.span = np.zeros((readings.values.shape[1], 0))
        self.pending = np.zeros((readings.values.shape[1], 0))

    def add(self, target: Target) -> None:
        """The modules of one support, as many as there are copies."""
        first, problem = len(self.modules), ""
        if not target.whole.shape[1]:
            problem = "the dimensions of its support are not known"
        elif self.readings.noise and any(module.problem for module in self.modules if module.support < target.support):
            problem = "modules inside its support are not all known"
        problem = problem or self._search(target)
        problem = problem or next((module.problem for module in self.modules[first:] if module.problem), "")
        if target.whole.shape[1] and (
            len(self.modules) != first + target.copies or any(module.problem for module in self.modules[first:])
        ):
            self.lost.append((target.support, target.whole))
            if self.readings.noise:  # a module that is not known may feed the others of its support
                self._forget(first)
        while len(self.modules) < first + target.copies:
            self._append(unknown(target.support, problem or "its attributes were not found"), None)
        if len(self.modules) > first + target.copies:
            self._forget(first)
            for _ in range(target.copies):
                self._append(unknown(target.support, "more modules than there should be of this support"), None)

    def _append(self, module: FoundModule, functional: Array | None, scales: Array | None = None) -> None:
        self.modules.append(module)
        self.functionals.append(functional)
        self.scales.append(np.ones(0) if scales is None else scales)

    def _forget(self, first: int) -> None:
        """All modules from that one on."""
        del self.modules[first:], self.functionals[first:], self.scales[first:]

    def _search(self, target: Target) -> str:
        draw = stream(0, "units", *sorted(target.support))
        first = len(self.modules)
        there: Array = np.asarray(self.active[:, sorted(target.support)].any(axis=1))
        runs = self.readings.at(there & ~self.held)
        own, inner = (np.vstack([x, np.zeros((self.marks.shape[1], x.shape[1]))]) for x in self._parted(target))
        own, inner, marks = self._silenced(there, own, inner)
        size = own.shape[1] if target.size is None else target.size
        if own.shape[1] < size:
            return f"only {own.shape[1]} of {size} attributes stand out of the noise"
        if len(runs.values) < 4 * (own.shape[1] + inner.shape[1] + marks.shape[1]):
            return f"too few pairs: {len(runs.values)} in which it is there"
        found = np.zeros((len(own), 0))
        if not any(module.support < target.support for module in self.modules):
            found = self._input(target, runs, own, marks, size, there, draw)
        self.pending = own[:, :0]
        while found.shape[1] < size:
            below = [
                k
                for k, (x, m) in enumerate(zip(self.functionals, self.modules, strict=True))
                if x is not None and m.support <= target.support and not m.problem
            ]
            if not below:
                return "no module inside its support was recovered"
            slots, other = self._slots(below), np.hstack([inner, marks])
            self.span = np.hstack([own, other])
            if target.copies > 1:
                fresh = self._some_of_several(target, runs, own, other, found, size, slots, below, there, draw)
                if not fresh.shape[1]:
                    break
                found = np.hstack([found, fresh])
                continue
            units, drives = self._units(runs, own, other, found, size, slots, draw)
            whole = None
            if units.shape[1] < size and not runs.noise and not found.shape[1]:  # in noise it takes too long
                whole = fitted_module(runs, slots, own, other, size, 1, draw)
            units, drives = (units, drives) if whole is None else whole
            if not units.shape[1]:
                break
            found = np.hstack([found, units])
            squares = None if whole is None else np.ones(units.shape[1])
            self._layer(target.support, runs, units, drives, squares, slots, below, there, draw)
            for _ in range(AGAIN):
                if whole is not None or not self.modules[-1].problem or found.shape[1] < size:
                    break
                units, drives = self._units(runs, own, other, found[:, :0], size, slots, draw)
                if units.shape[1]:
                    self._forget(first)
                    found = units
                    self._layer(target.support, runs, units, drives, None, slots, below, there, draw)
            if whole is None and not runs.noise and self.modules[-1].problem:  # units that looked right and are not
                again = fitted_module(runs, slots, own, other, size, 1, draw)
                if again is not None:
                    self._forget(first)
                    found = again[0]
                    self._layer(target.support, runs, *again, np.ones(size), slots, below, there, draw)
            break
        if found.shape[1] == size:
            return ""
        problem = f"{size - found.shape[1]} attributes of its support were not found"
        if target.copies == 1 and len(self.modules) > first:
            self.modules[-1] = dataclasses.replace(self.modules[-1], problem=problem)
        return problem

    def _some_of_several(
        self,
        target: Target,
        runs: Readings,
        own: Array,
        other: Array,
        found: Array,
        size: int,
        slots: Slots,
        below: list[int],
        there: Array,
        draw: np.random.Generator,
    ) -> Array:
        """Modules that share a support, all those that are functions of what is known: entered, and their units.

        Those that are functions of these come next.
        """
        each, start = size // target.copies, len(self.modules)
        if each * target.copies != size:
            return own[:, :0]
        units, drives = self._units(runs, own, other, found, size, slots, draw, each)
        groups = [group for group in together(runs, drives, units) if len(group) == each]
        if not groups and self.pending.shape[1] > units.shape[1]:  # some that wait may be no units
            self.pending = units
            units, drives = self._units(runs, own, other, found, size, slots, draw, each, wait=False)
            groups = [group for group in together(runs, drives, units) if len(group) == each]
        options: list[tuple[Array, Array, Array | None]] = [(units[:, group], drives[:, group], None) for group in groups]
        if not options and not runs.noise and not found.shape[1]:  # units that are hardly ever zero
            whole = fitted_module(runs, slots, own, other, size, target.copies, draw)
            if whole is not None:
                parts = np.arange(size).reshape(target.copies, -1)
                options = [(whole[0][:, group], whole[1][:, group], np.ones(each)) for group in parts]
        fresh = own[:, :0]
        for some, driven, squares in options:
            self._layer(target.support, runs, some, driven, squares, slots, below, there, draw)
            if self.modules[-1].problem:
                self._forget(start)
            else:
                start, fresh = start + 1, np.hstack([fresh, some])
        self.pending = np.column_stack([own[:, :0], *_further(own, other, np.hstack([found, fresh]), list(self.pending.T))])
        return fresh

    def _parted(self, target: Target) -> tuple[Array, Array]:
        """Directions of these modules, and of those with supports inside."""
        recovered = [
            x for x, m in zip(self.functionals, self.modules, strict=True) if x is not None and m.support < target.support
        ]
        lost = [whole for support, whole in self.lost if support < target.support]
        inner = target.whole[:, :0]
        if recovered or lost:
            inside = target.whole.T @ np.hstack([*(x[: len(target.whole)] for x in recovered), *lost])
            inside = inside[:, np.linalg.norm(inside, axis=0) > 0.0]
            inside = inside / np.linalg.norm(inside, axis=0)
            rank = int(np.sum(np.linalg.svd(inside, compute_uv=False) > SAME_SPAN)) if lost else min(inside.shape)
            inner = target.whole @ orthonormal(inside, rank)
        return complement(target.whole, inner), inner

    def _silenced(self, there: Array, *directions: Array) -> tuple[Array, ...]:
        """Directions without the marks that they bring while the support is silent; and the marks that vanish with it."""
        quiet = self.readings.at(~there)
        seen = quiet.values @ self.marks
        cleared = [x - self.marks @ np.linalg.lstsq(seen, quiet.values @ x, rcond=1e-9)[0] for x in directions]
        _, singular, right = np.linalg.svd(seen.T @ seen)
        return *cleared, self.marks @ right[singular <= 1e-12 * max(float(singular[0]), 1.0)].T

    def _units(
        self,
        runs: Readings,
        own: Array,
        other: Array,
        found: Array,
        size: int,
        slots: Slots,
        draw: np.random.Generator,
        each: int | None = None,
        wait: bool = True,
    ) -> tuple[Array, Array]:
        """All units that are functions of those slots, besides those that were found before; and what drives them.

        With ``each``, the attributes of one of several modules, units that are no functions of those slots are kept for
        later: they may be functions of others of the same support.
        """
        units, drives = own[:, :0], own[:, :0]
        copies = 1 if each is None else size // each
        few = runs.at(draw.permutation(len(runs.values))[: max(TRIED, TRIED_EACH * slots.columns.shape[1])])
        explained: list[Array] = []
        waiting: list[Array] = []

        def allowed(unit: Array) -> bool:
            weights, wrong = half_space(few, slots, unit)
            drive = slots.columns @ weights
            if accepted(few, wrong) and accepted(runs, contradicted(runs, drive, unit)):
                explained.append(np.column_stack([unit, drive]))
                return True
            if each is not None and wait and not runs.noise:
                waiting.append(unit)
                return True
            return False

        for unit in self.pending.T:
            allowed(unit)
        for turn in range(ROUNDS):
            known = np.column_stack([found, units, *(pair[:, 0] for pair in explained), *waiting])
            find_units(
                runs,
                without(own, other, known),
                np.hstack([other, known]),
                slots.attributes,
                draw,
                ABOVE * copies,
                allowed,
                size - known.shape[1],
            )
            units = np.column_stack([units, *(pair[:, 0] for pair in explained)])
            drives = np.column_stack([drives, *(pair[:, 1] for pair in explained)])
            explained.clear()
            groups = [np.arange(units.shape[1])] if each is None else together(runs, drives, units)
            for group in groups:
                enough = size - found.shape[1] if each is None else each
                known = np.hstack([found, units])
                if not len(group) or len(group) >= enough or known.shape[1] >= size:
                    continue
                mine, driven = units[:, group], drives[:, group]
                kept = slots.strong(runs, refitted(runs, slots, driven, mine))
                while mine.shape[1] < enough and known.shape[1] < size:
                    short = shortening(runs, driven, mine)
                    fixed = np.hstack([other, known])
                    for unit, drive in further_units(runs, slots.only(kept), without(own, other, known), fixed, short, draw):
                        if accepted(runs, contradicted(runs, drive, unit)):
                            mine, driven = np.column_stack([mine, unit]), np.column_stack([driven, drive])
                            units, drives = np.column_stack([units, unit]), np.column_stack([drives, drive])
                            known = np.column_stack([known, unit])
                            break
                    else:
                        break
            waiting[:] = _further(own, other, np.hstack([found, units]), waiting)
            if found.shape[1] + units.shape[1] + len(waiting) >= size or (each is not None and turn > 0):
                break
            few = runs.at(draw.permutation(len(runs.values))[: max(TRIED, TRIED_EACH * slots.columns.shape[1])])
        self.pending = np.column_stack([own[:, :0], *units.T, *waiting]) if each else self.pending
        return units, drives

    def _slots(self, modules: list[int]) -> Slots:
        return Slots(
            [x for k in modules if (x := self.functionals[k]) is not None],
            np.column_stack([self.mark_of[self.modules[k].support] for k in modules]),
            [0 if (y := self.modules[k].attributes) is None else y.shape[1] for k in modules],
        )

    # -- inputs -----------------------------------------------------------------------------------------------------------

    def _input(
        self, target: Target, runs: Readings, own: Array, marks: Array, size: int, there: Array, draw: np.random.Generator
    ) -> Array:
        """The units of the input itself, or a linear image of its attributes."""
        if own.shape[1] > size:
            own = self._quietest(own, there, size)
        units = own[:, :0] if runs.noise else facets(runs, own, marks, draw)
        if target.copies > 1:
            if units.shape[1] < size:
                return units[:, :0]
            units = units[:, [k for k in range(size) if not self._derived(runs, units, k, target.support)]]
        axes = units.shape[1] * target.copies == size
        if axes:
            chosen = units
        elif target.copies == 1:
            chosen = own - marks @ runs.smallest(marks, own)
        else:
            return units[:, :0]
        balls = find_balls(runs, chosen, draw) if axes else []
        scales = np.sqrt(balls[0].squares) if balls and balls[0].squares.all() else np.ones(chosen.shape[1])
        values = np.where(there[:, None], self.readings.values @ chosen, 0.0)
        values = (np.maximum(values, 0.0) if axes else values) * scales
        # what marks are mixed into a linear image is left to the functions of it
        read = chosen if axes else np.hstack([chosen, marks])
        scales = scales if axes else np.ones(read.shape[1])
        self._append(FoundModule(target.support, values, axes, {}, {}, {}, float("nan")), read, scales)
        return chosen

    def _quietest(self, own: Array, there: Array, size: int) -> Array:
        """Of some directions those that carry least while the support is silent, for what they carry otherwise."""
        quiet, loud = (self.readings.at(rows).values @ own for rows in (~there, there))
        _, vectors = scipy.linalg.eigh(quiet.T @ quiet, loud.T @ loud)
        return own @ np.linalg.qr(vectors[:, :size])[0]

    def _derived(self, runs: Readings, units: Array, k: int, support: Support) -> bool:
        """Whether that unit is a function of the others."""
        slots = Slots([np.delete(units, k, axis=1)], self.mark_of[support][:, None])
        return accepted(runs, half_space(runs, slots, units[:, k])[1])

    # -- modules above ----------------------------------------------------------------------------------------------------

    def _layer(
        self,
        support: Support,
        runs: Readings,
        units: Array,
        drives: Array,
        squares: Array | None,
        slots: Slots,
        below: list[int],
        there: Array,
        draw: np.random.Generator,
    ) -> None:
        """The module that has those units, entered with its function."""
        inside = None
        if squares is None:
            squares, inside = self._shortening(runs, units, drives, slots, draw)
        held, noisy = self.held & there, ""
        if runs.noise:
            fit, units, noisy = needed_sources(runs, self.readings.at(held), slots, self.span, units, drives, squares, draw)
            kept, weights, squares = fit.kept, fit.weights, fit.squares
            slots, below = slots.only(kept), [below[k] for k in kept]
        else:
            kept = slots.strong(runs, refitted(runs, slots, drives, units, inside))
            slots, below = slots.only(kept), [below[k] for k in kept]
            weights = refitted(runs, slots, drives, units, inside)
            before = float(np.sum((outputs(runs.values @ slots.columns @ weights, squares) - runs.values @ units) ** 2))
            better, ball_of = polished(runs, slots, weights, units, squares)
            after = float(np.sum((outputs(runs.values @ slots.columns @ better, ball_of) - runs.values @ units) ** 2))
            if after < before:
                weights, squares = better, ball_of
        drive, values = self.readings.values @ (slots.columns @ weights), self.readings.values @ units
        predicted = outputs(drive, squares)
        truth = values[held]
        error = truth - predicted[held]
        score = 1.0 - float(np.sum(error**2) / np.sum((truth - truth.mean(axis=0)) ** 2))
        scales = np.where(squares > 0.0, np.sqrt(squares), 1.0)
        problem = noisy
        if not runs.noise and score <= EXACT:
            problem = f"no function predicts held-out runs exactly: R² = {score:.6f}"
        sources, matrices, thresholds = {}, {}, {}
        for source, place in zip(below, slots.places, strict=True):
            cut = drive[held] - self.readings.values[held] @ (slots.columns[:, place] @ weights[place])
            worse = np.sum((truth - outputs(cut, squares)) ** 2 - error**2, axis=1)
            z = float(worse.mean() / max(worse.std() / np.sqrt(len(worse)), 1e-300))
            if z > SIGNIFICANT and not problem:
                sources[source] = z
                matrix = (weights[place][:-1] / self.scales[source][:, None]).T * scales[:, None]
                values_of = self.modules[source].attributes
                matrices[source] = matrix if values_of is None else matrix[:, : values_of.shape[1]]
                thresholds[source] = -weights[place][-1] * scales
        values, predicted = (np.where(there[:, None], np.maximum(x, 0.0) * scales, 0.0) for x in (values, predicted))
        function = (sources, matrices, thresholds, score, None if problem else predicted, problem)
        self._append(FoundModule(support, values, True, *function), units, scales)

    def _shortening(
        self, runs: Readings, units: Array, drives: Array, slots: Slots, draw: np.random.Generator
    ) -> tuple[Array, Array | None]:
        """``c²`` of the units and the runs that were not shortened, by the units alone or by their drives."""
        options: list[tuple[Array, Array | None]] = [(ball(runs, drives, units), None)]
        options += [(found.squares, found.inside) for found in find_balls(runs, units, draw) if found.squares.all()][:1]
        truth = runs.values @ units
        errors = []
        for squares, inside in options:
            drive = runs.values @ slots.columns @ refitted(runs, slots, drives, units, inside)
            errors.append(float(np.sum((outputs(drive, squares) - truth) ** 2)))
        return options[int(np.argmin(errors))]


def _further(own: Array, other: Array, known: Array, units: list[Array]) -> list[Array]:
    """Of some units those that take up directions of ``own`` which those known and those before do not."""
    kept: list[Array] = []
    for unit in units:
        before = np.linalg.lstsq(np.hstack([own, other]), np.column_stack([known, *kept, unit]), rcond=1e-12)[0]
        before = before[: own.shape[1]] / np.maximum(np.linalg.norm(before[: own.shape[1]], axis=0), 1e-300)
        if np.linalg.svd(before, compute_uv=False)[-1] > 1e-5 and before.shape[1] <= own.shape[1]:
            kept.append(unit)
    return kept
