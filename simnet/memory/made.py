"""How sketches were made: a sketcher as a JSON document, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from simnet.checks import choice, integer, shown
from simnet.matrices import FAMILIES, MatrixFamily, as_family
from simnet.networks.document import network_document, read_network
from simnet.recipes import Recipe, as_recipe
from simnet.sketcher import Sketcher
from simnet.sketching import Encoder

#: What makes two sketchers draw the same matrices, beside the modules and slots of their networks.
SHARED = ("sketch_dim", "matrices", "recipe", "seed")

#: No sketch in a store is longer than this; SQLite takes no value of more than a thousand million bytes.
LARGEST_DIM = 1 << 26


def describe(encoder: Encoder) -> dict[str, Any]:
    """All that is needed to make the same sketcher again, as JSON can hold it.

    Examples
    --------
    >>> import simnet
    >>> from simnet.memory import describe, sketcher_of
    >>> sketcher = simnet.Sketcher(simnet.networks.tree(height=2, seed=0), sketch_dim=64, seed=3)
    >>> again = sketcher_of(describe(sketcher))
    >>> (again.network, again.family, again.seed) == (sketcher.network, sketcher.family, 3)
    True
    """
    return {
        "sketch_dim": encoder.sketch_dim,
        "matrices": _matrices(encoder.family),
        "recipe": asdict(encoder.recipe),
        "seed": encoder.seed,
        "network": network_document(encoder.network),
    }


def sketcher_of(description: Any) -> Sketcher:
    """The sketcher of a description.

    Raises
    ------
    ValueError
        If it is not a description, or what it describes is out of range.
    """
    if not isinstance(description, dict):
        raise ValueError(f"description = {shown(description)}: must be a JSON object")
    try:
        integer("sketch_dim", description["sketch_dim"], minimum=1, maximum=LARGEST_DIM)
        options = dict(description["matrices"])
        family = FAMILIES[choice("matrices", options.pop("family"), FAMILIES)]
        known = [field.name for field in fields(family)]
        for option in options:
            choice(f"option of matrices {family.name!r}", option, known)
        recipe = Recipe(**{field.name: description["recipe"][field.name] for field in fields(Recipe)})
        network = read_network(description["network"])
        return Sketcher(network, description["sketch_dim"], family(**options), recipe, description["seed"])
    except KeyError as error:
        raise ValueError(f"description: the key {error} is missing") from None
    except (TypeError, IndexError, RecursionError) as error:
        raise ValueError(f"description: not laid out as one of a sketcher: {error}") from None


def check_matrices_shared(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """A ``ValueError`` if two descriptions, or the parts of one that are given, draw different matrices."""
    for key in SHARED:
        if key in theirs and theirs[key] != ours[key]:
            raise ValueError(f"{key} = {shown(theirs[key])}: the sketches in the store were made with {shown(ours[key])}")


def read_making(options: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a sketcher, as in its arguments, in the words of :func:`describe`; other keys are left out."""
    making = {key: options[key] for key in SHARED if key in options}
    if "matrices" in making:
        making["matrices"] = _matrices(as_family(making["matrices"]))
    if "recipe" in making:
        making["recipe"] = asdict(as_recipe(making["recipe"]))
    return making


def _matrices(family: MatrixFamily) -> dict[str, Any]:
    return {"family": family.name, **asdict(family)}
