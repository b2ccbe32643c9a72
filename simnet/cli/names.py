"""`simnet list`: what can be named."""

from __future__ import annotations

from typing import Any

import click


@click.command("list")
def list_command() -> None:
    """What can be named: networks, matrices, recipes, decoders, properties."""
    from simnet.claims import CLAIMS
    from simnet.decoding import DECODERS
    from simnet.matrices import FAMILIES
    from simnet.networks import NETWORKS
    from simnet.recipes import RECIPES

    kinds: dict[str, Any] = {
        "networks": NETWORKS,
        "matrices": FAMILIES,
        "recipes": RECIPES,
        "decoders": DECODERS,
        "properties": CLAIMS,
    }
    for kind, names in kinds.items():
        click.echo(f"{kind + ':':<12}{', '.join(names)}")
