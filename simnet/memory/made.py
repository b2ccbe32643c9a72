"""How the sketches of a store were made, and whether others were made so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simnet.checks import integer, shown
from simnet.matrices import as_family, describe_family
from simnet.recipes import as_recipe, describe_recipe
from simnet.sketcher import Sketcher

#: What makes two sketchers draw the same matrices, beside the modules and slots of their networks.
SHARED = ("sketch_dim", "matrices", "recipe", "seed")

#: No sketch in a store is longer than this; SQLite takes no value of more than a thousand million bytes.
LARGEST_DIM = 1 << 26


def sketcher_of(metadata: Any) -> Sketcher:
    """The sketcher of metadata from a file that a stranger may have written.

    Raises
    ------
    ValueError
        If they do not say how sketches were made, or what they say is out of range.
    """
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata = {shown(metadata)}: must be a JSON object")
    try:
        integer("sketch_dim", metadata.get("sketch_dim"), minimum=1, maximum=LARGEST_DIM)
        return Sketcher.from_metadata(metadata)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"metadata: not laid out as those of a sketcher: {error}") from None


def check_matrices_shared(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """A ``ValueError`` if two metadata, or the parts of one that are given, draw different matrices."""
    for key in SHARED:
        if key in theirs and theirs[key] != ours[key]:
            raise ValueError(f"{key} = {shown(theirs[key])}: the sketches in the store were made with {shown(ours[key])}")


def read_making(options: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a sketcher, as in its arguments, in the words of ``Sketcher.metadata``; other keys are left out."""
    making = {key: options[key] for key in SHARED if key in options}
    if "matrices" in making:
        making["matrices"] = describe_family(as_family(making["matrices"]))
    if "recipe" in making:
        making["recipe"] = describe_recipe(as_recipe(making["recipe"]))
    return making
