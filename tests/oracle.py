"""The definitions once more, slow and obvious: dense matrices, one object at a time, every path on its own.

Nothing here uses ``simnet.theory`` or the encoder.  Also random executions to compare on.
"""

from __future__ import annotations

import math
from functools import cache
from graphlib import TopologicalSorter

import numpy as np

import simnet


def sketch(ex, sketcher):
    """``s = s_in(root)`` of an execution, by the equations of the recipe."""
    return _sketch(ex.structure, ex.attributes, np.ones(len(ex.structure)), sketcher)


def operator(ex, sketcher):
    """``B`` as a dense ``d × p`` array, one column at a time: the sketch of a single attribute or mark of presence."""
    columns = []
    for k, x in enumerate(ex.attributes):
        for j in range(len(x) + 1):
            values = [np.zeros(len(y)) for y in ex.attributes]
            presence = np.zeros(len(ex.attributes))
            if j < len(x):
                values[k][j] = 1.0
            else:
                presence[k] = 1.0
            columns.append(_sketch(ex.structure, values, presence, sketcher))
    return np.column_stack(columns)


def gain(ex, sketcher):
    """``‖B‖`` at most: the recursion with the norms of all matrices in their places.  Rounding is in proportion to it."""
    structure, recipe = ex.structure, sketcher.recipe

    @cache
    def norm(module, role):
        return float(np.linalg.norm(sketcher.matrix(module, role).todense(), 2))

    def transparent(module, role):
        return recipe.identity + recipe.mixing * norm(module, role)

    def inputs(module, names, weights):
        filled = [(slot, name, w) for slot, (name, w) in enumerate(zip(names, weights, strict=True)) if name is not None]
        return sum(w * transparent(module, slot) * object_gain(name) for slot, name, w in filled)

    def object_gain(name):
        k = structure.names.index(name)
        module = structure.modules[k]
        own = recipe.value_share * norm(module, "value") + recipe.presence_share * norm(module, "presence")
        below = inputs(module, structure.inputs[k], structure.weights[k])
        own, below = transparent(module, "attribute") * own, transparent(module, "input") * below
        return transparent(module, "object") * (recipe.attribute_share * own + recipe.input_share * below)

    return inputs("root", structure.outputs, structure.output_weights)


def _sketch(structure, values, presence, sketcher):
    recipe, d = sketcher.recipe, sketcher.sketch_dim

    @cache
    def dense(module, role):
        return sketcher.matrix(module, role).todense()

    def transparent(module, role, vector):
        return recipe.identity * vector + recipe.mixing * (dense(module, role) @ vector)

    def attribute_sketch(k, module):
        first = np.zeros(d)
        first[0] = presence[k]
        r1, r2 = np.zeros((d, d)), np.zeros((d, d))
        r1[:, : len(values[k])] = dense(module, "value")
        r2[:, :1] = dense(module, "presence")
        padded = np.concatenate([values[k], np.zeros(d - len(values[k]))])
        return recipe.value_share * (r1 @ padded) + recipe.presence_share * (r2 @ first)

    def input_sketch(module, names, weights):
        total = np.zeros(d)
        for slot, (name, weight) in enumerate(zip(names, weights, strict=True)):
            if name is not None:
                total += weight * transparent(module, slot, object_sketch(name))
        return total

    def object_sketch(name):
        k = structure.names.index(name)
        module = structure.modules[k]
        own = transparent(module, "attribute", attribute_sketch(k, module))
        below = transparent(module, "input", input_sketch(module, structure.inputs[k], structure.weights[k]))
        return transparent(module, "object", recipe.attribute_share * own + recipe.input_share * below)

    return input_sketch("root", structure.outputs, structure.output_weights)


def paths(structure, name):
    """Every path from root to an object, as the tuple of its weights, root's first."""

    def below(names, weights):
        for child, weight in zip(names, weights, strict=True):
            if child is None:
                continue
            if child == name:
                yield (weight,)
            node = structure[child]
            for rest in below(node.inputs, node.weights):
                yield (weight, *rest)

    return list(below(structure.outputs, structure.output_weights))


def coefficient(structure, name, recipe):
    """``c = ξ_x η_a α³ Σ_paths (α³ η_in)^{h−1} Π w``."""
    terms = [(recipe.identity**3 * recipe.input_share) ** (len(p) - 1) * math.prod(p) for p in paths(structure, name)]
    return recipe.value_share * recipe.attribute_share * recipe.identity**3 * sum(terms)


def kernel(left, right, recipe):
    """Law 0 by recursion on pairs of objects; modules are ordered by the objects of both executions alone."""
    nodes = [_nodes(left), _nodes(right)]
    graph = {}
    for table in nodes:
        for module, _, slots in table.values():
            graph.setdefault(module, set()).update(table[child][0] for _, child, _ in slots)
    order = {module: i for i, module in enumerate(TopologicalSorter(graph).static_order())}
    a2, tau = recipe.identity**2, recipe.identity**2 + recipe.mixing**2

    @cache
    def pair(one, two):
        module, x, slots = nodes[0][one]
        other, y, others = nodes[1][two]
        if module == other:
            inputs = sum(w * v * (tau if i == j else a2) * pair(p, q) for i, p, w in slots for j, q, v in others)
            if module == "root":
                return inputs
            own = recipe.value_share**2 * float(np.dot(x, y)) + recipe.presence_share**2
            return tau**2 * (recipe.attribute_share**2 * own + recipe.input_share**2 * inputs)
        gain = recipe.identity**3 * recipe.input_share
        if order[module] > order[other]:
            return gain * sum(w * pair(p, two) for _, p, w in slots)
        return gain * sum(v * pair(one, q) for _, q, v in others)

    return float(pair("root", "root"))


def _nodes(ex):
    """``name: (module, attributes, ((slot, child, weight), …))``, root among them."""
    s = ex.structure

    def slots(names, weights):
        return tuple((i, c, w) for i, (c, w) in enumerate(zip(names, weights, strict=True)) if c is not None)

    table = {n: (s.modules[k], ex.attributes[k], slots(s.inputs[k], s.weights[k])) for k, n in enumerate(s.names)}
    return {**table, "root": ("root", None, slots(s.outputs, s.output_weights))}


def words(ex, recipe):
    """The sketch multiplied out: ``{product of matrices: the vector it is applied to}``.

    The product is the tuple of the keys of its random factors, outermost first; identities are left out.
    """
    nodes = _nodes(ex)

    def add(target, terms, factor, *key):
        for word, vector in terms.items():
            if factor:
                target[(*key, *word)] = target.get((*key, *word), 0.0) + factor * vector

    def transparent(module, role, terms):
        result = {}
        add(result, terms, recipe.identity)
        add(result, terms, recipe.mixing, (module, role))
        return result

    @cache
    def expand(name):
        module, x, slots = nodes[name]
        inputs = {}
        for slot, child, weight in slots:
            add(inputs, transparent(module, slot, expand(child)), weight)
        if module == "root":
            return inputs
        own = {((module, "value"),): recipe.value_share * x, ((module, "presence"),): np.array([recipe.presence_share])}
        inside = {}
        add(inside, transparent(module, "attribute", own), recipe.attribute_share)
        add(inside, transparent(module, "input", inputs), recipe.input_share)
        return transparent(module, "object", inside)

    return expand("root")


def kernel_by_words(left, right, recipe):
    """``E⟨s, s̄⟩`` without Law 0: two products of independent isotropic matrices correlate only if they are the same.

    It takes ``8^h`` products for a path of depth ``h``.
    """
    mine, other = words(left, recipe), words(right, recipe)
    return float(sum(vector @ other[word] for word, vector in mine.items() if word in other))


def random_recipe(seed):
    """All six constants different."""
    return simnet.Recipe(*np.random.default_rng([seed, 1]).uniform(0.2, 1.2, 6))


def random_execution(seed, *, modules=5, height=3, most=3, unit=False):
    """A random execution on modules ``"a"``, ``"b"``, …: several objects to a module, or none, and empty slots.

    A module sees earlier letters only, so that any two executions have an acyclic union, and has as many attributes
    whatever the seed.  No path is longer than ``height``.  Attributes have any sign; with ``unit``, length 1.
    """
    draw = np.random.default_rng([seed, 0])
    objects, levels = [], {}
    for m in range(modules):
        below = [name for name, level in levels.items() if level < height]
        for i in range(int(draw.integers(m == 0, most + 1))):
            slots = int(draw.integers(0, 4)) if below else 0
            inputs = [str(draw.choice(below)) if draw.random() < 0.8 else None for _ in range(slots)]
            x = draw.standard_normal(1 + m % 3)
            x *= (1.0 if unit else draw.uniform(0.2, 1.0)) / np.linalg.norm(x)
            name = f"{'abcdefgh'[m]}{i}"
            objects.append((name, name[0], x, inputs, _weights(draw, slots)))
            levels.update({name: 1 + max((levels[n] for n in inputs if n is not None), default=0)})
    used = {source for *_, inputs, _ in objects for source in inputs}
    outputs = [name for name in levels if name not in used or draw.random() < 0.3]
    outputs.insert(int(draw.integers(len(outputs) + 1)), None)
    order = draw.permutation(len(objects))
    return simnet.Execution.from_objects(
        [objects[i] for i in order], list(zip(outputs, _weights(draw, len(outputs)), strict=True))
    )


def _weights(draw, slots):
    raw = draw.uniform(0.2, 1.0, slots)
    return [float(w) for w in raw / max(raw.sum(), 1.0) * draw.uniform(0.6, 1.0)]
