"""`simnet list`: what can be named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("list")
def list_command() -> None:
    """What can be named: networks, matrices, recipes, decoders, properties, demos, and the experiments that are here."""
    from simnet.claims import CLAIMS, STUDY_CLAIMS
    from simnet.decoding import DECODERS
    from simnet.demos import DEMOS
    from simnet.matrices import FAMILIES
    from simnet.networks import NETWORKS
    from simnet.recipes import RECIPES

    kinds: dict[str, Any] = {
        "networks": NETWORKS,
        "matrices": FAMILIES,
        "recipes": RECIPES,
        "decoders": DECODERS,
        "properties": CLAIMS,
        "claims of studies": STUDY_CLAIMS,
        "experiments": sorted(path.stem for path in Path("experiments").glob("*.toml")),
        "demos": DEMOS,
    }
    for kind, names in kinds.items():
        click.echo(f"{kind + ':':<19}{', '.join(names)}")
