"""Attributes, direct edges and functions of the modules behind found supports.

Modules are taken in the order of their supports.  The directions of a support read, up to an unknown matrix and what is
linear in what is known already, the attributes of its modules::

    y = A x_T + E x_below + K o

with ``x_below`` the attributes found inside ``T`` and ``o`` the marks.

* *Inputs* have nothing below.  Attributes that are non-negative and often exactly zero lie in a cone whose facets hold many
  of the runs: a linear program that minimises the mean of a non-negative functional ends on a facet, which is an axis.
* *Others* are rectified layers of what lies below, ``x = Π(relu(Σ_i (W_i u_i − t_i)))`` over the slots that are filled.
  ``W`` and ``t`` are fitted by least squares, with ``A``, ``E`` and ``K`` eliminated (variable projection); restarts change
  one unit at a time.  All modules inside ``T`` are offered: those whose weights stay are the direct sources.

Nothing is stated unless it predicts runs that were held out, exactly: this is for sketches without noise.

Source: G. Golub, V. Pereyra, *The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
separate*, SIAM J. Numer. Anal. 10 (1973) 413-432.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from simnet.learning.marks import Support, presence
from simnet.networks.functions import onto_ball
from simnet.randomness import stream

Array = NDArray[Any]

#: A function is stated where it explains this share of the variance in held-out runs: nearly right ones have wrong edges.
EXACT = 1.0 - 1e-6
#: The share of the runs that is held out.
HELD_OUT = 0.2
#: An edge is stated above this many standard errors, and above this share of the strongest weights of its module.
SIGNIFICANT, WEAK = 5.0, 0.02
#: Runs that a fit is searched on, first starts, and exchanges of a unit in a row that bring nothing.
SEARCHED, STARTS, PATIENCE = 1500, 12, 80
#: Facets: runs in a linear program, tries for each axis, and the least share of the runs on a facet.
PROGRAM, TRIES, ON_FACET = 1500, 25, 0.05


@dataclass(frozen=True, eq=False)
class FoundModule:
    """A module as it was recovered.

    Attributes
    ----------
    support : frozenset of int
    attributes : (n, a) array or None
        In every run, 0 where the module is absent; up to order, and for an input up to positive scales.
    axes : bool
        Whether the coordinates are the attributes themselves, not just a linear image of them.
    sources : dict of int to float
        The modules that feed it directly, by number, each with the standard errors by which held-out runs speak for it.
    weights : dict of int to (a, a_i) array
        Of each source.
    thresholds : dict of int to (a,) array
    score : float
        The share of the variance in held-out runs that the function explains; ``nan`` for inputs.
    problem : str
        Why there is nothing to state; empty when all is well.
    """

    support: Support
    attributes: Array | None
    axes: bool
    sources: dict[int, float]
    weights: dict[int, Array]
    thresholds: dict[int, Array]
    score: float
    problem: str = ""


def unknown(support: Support, problem: str) -> FoundModule:
    """A module of which the support is all that is known."""
    return FoundModule(support, None, False, {}, {}, {}, float("nan"), problem)


@dataclass(frozen=True, eq=False)
class Target:
    """What the runs show of the modules of one support.

    Attributes
    ----------
    support : frozenset of int
    rows : (m,) int array
        The runs in which they are there.
    readings : (m, D) array
        ``y``.
    copies : int
        Modules with this support.
    """

    support: Support
    rows: Array
    readings: Array
    copies: int


def recover_modules(active: Array, targets: list[Target], marks: Array | None) -> list[FoundModule]:
    """All modules, inputs first: those of each target in turn."""
    found: list[FoundModule] = []
    for target in targets:
        functions = np.zeros((len(target.rows), 0)) if marks is None else marks[target.rows]
        inner = [k for k, module in enumerate(found) if module.support < target.support]
        if not target.readings.shape[1]:
            found += [unknown(target.support, "the dimensions of its support are not known")] * target.copies
        elif not inner and len(target.support) == 1 and target.copies == 1:
            found.append(_input(len(active), target, functions))
        elif any(found[k].attributes is None for k in inner):
            found += [unknown(target.support, "a module inside its support was not recovered")] * target.copies
        else:
            found += _layer(active, target, functions, found, inner)
    return found


def _basis(columns: Array) -> Array:
    """An orthonormal basis of the span."""
    if not columns.shape[1]:
        return columns
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, singular > 1e-9 * singular[0]]


def _spread(runs: int, rows: Array, values: Array) -> Array:
    whole = np.zeros((runs, values.shape[1]))
    whole[rows] = values
    return whole


# -- inputs -------------------------------------------------------------------------------------------------------------


def _input(runs: int, target: Target, functions: Array) -> FoundModule:
    axes = _facets(target, _basis(functions))
    if axes is None:  # any linear image will do for the modules above, once the marks are off on the average
        basis = _basis(functions)
        axes_found, values = False, target.readings - basis @ (basis.T @ target.readings)
    else:
        axes_found, values = True, axes
    return FoundModule(target.support, _spread(runs, target.rows, values), axes_found, {}, {}, {}, float("nan"))


def _facets(target: Target, marks: Array) -> Array | None:
    """Non-negative attributes, each zero in many runs; ``None`` where not all of them are."""
    draw = stream(0, "facets", *sorted(target.support))
    size = target.readings.shape[1]
    design = np.hstack([target.readings, marks])
    design = design / np.sqrt(np.mean(design**2, axis=0))
    rows = design[draw.permutation(len(design))[:PROGRAM]]
    axes, normals = np.zeros((len(design), 0)), np.zeros((size, 0))
    for _ in range(TRIES * size):
        scale = np.zeros((1, design.shape[1]))
        scale[0, :size] = draw.standard_normal(size)
        program: Any = scipy.optimize.linprog(
            rows.mean(axis=0),
            A_ub=-rows,
            b_ub=np.zeros(len(rows)),
            A_eq=scale,
            b_eq=[1.0],
            bounds=(None, None),
            method="highs",
        )
        if program.status != 0:
            continue
        values = design @ program.x
        rounding = 1e-7 * float(values.max())
        candidate = np.column_stack([normals, program.x[:size] / np.linalg.norm(program.x[:size])])
        fresh = np.linalg.svd(candidate, compute_uv=False)[-1] > 1e-6
        if fresh and values.min() > -rounding and _different(design[values < rounding], size) > ON_FACET * len(design):
            values = np.where(values < rounding, 0.0, values)
            axes, normals = np.column_stack([axes, values / values.max()]), candidate
            if axes.shape[1] == size:
                return axes
    return None


def _different(rows: Array, size: int) -> int:
    """How many different attributes there are in those rows; where all are zero, there are no more than there are marks."""
    readings, marks = (len(np.unique(np.round(part, 7), axis=0)) for part in (rows, rows[:, size:]))
    return readings - marks


# -- modules above ------------------------------------------------------------------------------------------------------


def _regress(columns: Array, targets: Array) -> Array:
    """Least squares for few columns, some of which may be zero: by normal equations, good enough for a search."""
    gram = columns.T @ columns
    gram[np.diag_indices_from(gram)] += 1e-13 * np.trace(gram) + 1e-300
    return np.asarray(np.linalg.solve(gram, columns.T @ targets))


def _descend(loss: Any, start: Array, rounds: int) -> tuple[float, Array]:
    """A local minimum, from the value and the gradient."""
    options: Any = {"maxiter": rounds, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-10}
    end = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return float(end.fun), end.x


class _Layer:
    """Rectified modules of given inputs, fitted to readings from which what is linear was taken off."""

    def __init__(self, inputs: Array, readings: Array, linear: Array, copies: int) -> None:
        self.inputs, self.linear, self.copies = inputs, linear, copies
        rest = readings - linear @ (linear.T @ readings)
        left, singular, _ = np.linalg.svd(rest, full_matrices=False)
        self.rest = left[:, singular > 1e-9 * max(float(singular[0]), 1e-300)]

    def outputs(self, weights: Array) -> tuple[Array, Array, Array]:
        """Before the projection, the lengths that it divides by, and after it: ``(m, copies, a)``."""
        raw = np.maximum(self.inputs @ weights.T, 0.0).reshape(len(self.inputs), self.copies, -1)
        lengths = np.maximum(np.linalg.norm(raw, axis=2, keepdims=True), 1.0)
        return raw, lengths, raw / lengths

    def loss(self, flat: Array) -> tuple[float, Array]:
        """The share of the readings that is not explained, and its gradient."""
        weights = flat.reshape(-1, self.inputs.shape[1])
        raw, lengths, out = self.outputs(weights)
        flat_out = out.reshape(len(out), -1)
        curved = flat_out - self.linear @ (self.linear.T @ flat_out)
        mixing = _regress(curved, self.rest)
        error = curved @ mixing - self.rest
        upstream = (2.0 * error @ mixing.T).reshape(raw.shape)
        along = np.sum(upstream * raw, axis=2, keepdims=True)
        down = upstream / lengths - np.where(lengths > 1.0, along * raw / lengths**3, 0.0)
        gradient = (down * (raw > 0.0)).reshape(len(raw), -1).T @ self.inputs
        total = float(self.rest.shape[1])
        return float(np.sum(error**2)) / total, gradient.ravel() / total

    def fit(self, weights: Array, rounds: int) -> tuple[float, Array]:
        value, end = _descend(self.loss, weights.ravel(), rounds)
        return value, end.reshape(weights.shape)

    def worth(self, weights: Array) -> Array:
        """What each unit explains that the others do not."""
        flat = self.outputs(weights)[2].reshape(len(self.inputs), -1)
        curved = flat - self.linear @ (self.linear.T @ flat)
        without = []
        for k in range(len(weights)):
            others = np.delete(curved, k, axis=1)
            error = others @ _regress(others, self.rest) - self.rest
            without.append(np.sum(error**2))
        return np.array(without)


def _draw_units(draw: np.random.Generator, units: int, values: list[Array], there: Array, copies: int) -> Array:
    """Random units that fire on some share of what each slot brings, of about the length that attributes have."""
    blocks = [draw.standard_normal((units, x.shape[1])) / max(float(np.linalg.norm(x.std(axis=0))), 1e-12) for x in values]
    quiet = 0.35 if units > 1 else float(draw.uniform(0.02, 0.7))
    thresholds = [
        -np.quantile(x[there[:, i] > 0.0] @ w.T, quiet, axis=0) for i, (x, w) in enumerate(zip(values, blocks, strict=True))
    ]
    weights = np.hstack([*blocks, np.column_stack(thresholds)])
    raw = np.maximum(np.hstack([*values, there]) @ weights.T, 0.0)
    length = float(np.median(np.linalg.norm(raw, axis=1))) / np.sqrt(copies)
    return weights * (0.8 / max(length, 1e-12))


def _search(layer: _Layer, draw: np.random.Generator, size: int, values: list[Array], there: Array) -> Array:
    """Weights that explain the readings, by restarts: first of all units, then of one at a time."""
    starts = [layer.fit(_draw_units(draw, size, values, there, layer.copies), 60) for _ in range(STARTS)]
    loss, weights = layer.fit(min(starts, key=lambda pair: pair[0])[1], 200)
    idle = 0
    while loss > 1e-4 and idle < PATIENCE:
        idle += 1
        changed = weights.copy()
        worst = int(np.argmin(layer.worth(weights))) if draw.random() < 0.5 else int(draw.integers(size))
        changed[worst] = _draw_units(draw, 1, values, there, 1)[0] / np.sqrt(size / layer.copies)
        tried = layer.fit(changed, 120)
        if tried[0] < loss:
            loss, weights, idle = *tried, 0
    return weights


def _layer(active: Array, target: Target, functions: Array, found: list[FoundModule], inner: list[int]) -> list[FoundModule]:
    draw = stream(0, "layer", *sorted(target.support))
    rows, size = target.rows, target.readings.shape[1]
    if not inner or size % target.copies:
        return [
            unknown(target.support, "modules of one support feed each other, or their dimensions differ")
        ] * target.copies
    values = [found[k].attributes[rows] for k in inner]  # type: ignore[index]
    there = presence(active[rows], [found[k].support for k in inner])
    inputs = np.hstack([*values, there])
    known = np.hstack([*values, functions])
    order = draw.permutation(len(rows))
    held, kept = np.split(order, [int(HELD_OUT * len(rows))])
    kept = kept[: 2 * SEARCHED]  # what is exact is so from few
    some = kept[:SEARCHED]
    searched = _Layer(inputs[some], target.readings[some], _basis(known[some]), target.copies)
    few = [x[some] for x in values]
    whole = _Layer(inputs[kept], target.readings[kept], _basis(known[kept]), target.copies)
    _, weights = whole.fit(_search(searched, draw, size, few, there[some]), 400)
    ends = np.cumsum([x.shape[1] for x in values])
    columns = [np.r_[end - x.shape[1] : end, ends[-1] + i] for i, (x, end) in enumerate(zip(values, ends, strict=True))]
    # leave out what weighs nothing, and fit again what is left
    blocks = weights.reshape(target.copies, -1, weights.shape[1])
    strength = np.array(
        [[np.linalg.norm(block[:, place] * _scale(inputs[:, place])) for place in columns] for block in blocks]
    )
    for c in range(target.copies):
        for i, place in enumerate(columns):
            if strength[c, i] < WEAK * strength[c].max():
                blocks[c][:, place] = 0.0
    weights = _fit_masked(whole, blocks.reshape(weights.shape))
    measured, predicted = _held_out(target, inputs, known, kept, held, weights)
    modules = []
    for c, block in enumerate(weights.reshape(target.copies, -1, weights.shape[1])):
        mine = slice(c * block.shape[0], (c + 1) * block.shape[0])
        truth, error = measured[:, mine], measured[:, mine] - predicted(weights)[:, mine]
        score = 1.0 - float(np.sum(error**2) / np.sum((truth - truth.mean(axis=0)) ** 2))
        if not score > EXACT:
            modules.append(unknown(target.support, f"no function predicts held-out runs: R² = {score:.3f}"))
            continue
        sources = {}
        for i, place in enumerate(columns):
            cut = weights.copy()
            cut[np.ix_(range(mine.start, mine.stop), place)] = 0.0
            worse = np.sum((truth - predicted(cut)[:, mine]) ** 2 - error**2, axis=1)
            z = float(worse.mean() / max(worse.std() / np.sqrt(len(worse)), 1e-300)) if worse.any() else 0.0
            if z > SIGNIFICANT:
                sources[inner[i]] = z
        attributes = onto_ball(np.maximum(inputs @ block.T, 0.0))
        modules.append(
            FoundModule(
                target.support,
                _spread(len(active), rows, attributes),
                True,
                sources,
                {inner[i]: block[:, place[:-1]] for i, place in enumerate(columns) if inner[i] in sources},
                {inner[i]: -block[:, place[-1]] for i, place in enumerate(columns) if inner[i] in sources},
                score,
            )
        )
    return modules


def _scale(columns: Array) -> Array:
    return np.asarray(np.sqrt(np.mean(columns**2, axis=0)))


def _fit_masked(layer: _Layer, weights: Array) -> Array:
    """Fit again what is not zero."""
    free = np.flatnonzero(weights.ravel())
    start = weights.ravel().copy()

    def loss(values: Array) -> tuple[float, Array]:
        flat = start.copy()
        flat[free] = values
        value, gradient = layer.loss(flat)
        return value, gradient[free]

    start[free] = _descend(loss, start[free], 300)[1]
    return start.reshape(weights.shape)


def _held_out(target: Target, inputs: Array, known: Array, kept: Array, held: Array, weights: Array) -> tuple[Array, Any]:
    """Attributes read off held-out sketches, by the linear map that the other runs gave, and a predictor of them."""

    def outputs(rows: Array, w: Array) -> Array:
        raw = np.maximum(inputs[rows] @ w.T, 0.0).reshape(len(rows), target.copies, -1)
        return onto_ball(raw).reshape(len(rows), -1)

    design = np.hstack([target.readings[kept], known[kept]])
    reader = np.linalg.lstsq(design, outputs(kept, weights), rcond=1e-10)[0]
    measured = np.hstack([target.readings[held], known[held]]) @ reader
    return measured, lambda w: outputs(held, w)
