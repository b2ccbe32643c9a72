"""`simnet list`: what can be named."""

from __future__ import annotations

from typing import Any

import click


@click.command("list")
def list_command() -> None:
    """What can be named: networks, matrices, recipes, decoders, properties, demos."""
    from simnet.claims import CLAIMS
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
        "demos": DEMOS,
    }
    for kind, names in kinds.items():
        click.echo(f"{kind + ':':<12}{', '.join(names)}")
