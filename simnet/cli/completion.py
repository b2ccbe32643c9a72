"""`simnet completion`: the script that makes a shell complete commands and names; and the names it completes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

SHELLS = ("bash", "zsh", "fish")

Completer = Callable[[click.Context, click.Parameter, str], list[Any]]


@click.command("completion")
@click.argument("shell", shell_complete=lambda ctx, param, start: [name for name in SHELLS if name.startswith(start)])
def completion_command(shell: str) -> None:
    """The completion script of SHELL: bash, zsh or fish.

    \b
        simnet completion bash > ~/.local/share/bash-completion/completions/simnet
        simnet completion zsh > ~/.zfunc/_simnet        (a folder of $fpath)
        simnet completion fish > ~/.config/fish/completions/simnet.fish
    """
    from click.shell_completion import get_completion_class

    from simnet.checks import choice
    from simnet.cli import cli

    kind = get_completion_class(choice("shell", shell, SHELLS))
    assert kind is not None
    click.echo(kind(cli, {}, "simnet", "_SIMNET_COMPLETE").source())


def _names(known: Callable[[], Iterable[str]], *, files: bool = False) -> Completer:
    """Completes one of the names that ``known`` returns, or else a file."""
    from click.shell_completion import CompletionItem

    def complete(ctx: click.Context, parameter: click.Parameter, start: str) -> list[Any]:
        # a library that does not load is not the business of a shell that wants names
        found = [CompletionItem(name) for name in known() if name.startswith(start)]
        return found or ([CompletionItem(start, type="file")] if files else [])

    return complete


def _properties() -> Iterable[str]:
    from simnet.claims import CLAIMS

    return CLAIMS


def _families() -> Iterable[str]:
    from simnet.networks import NETWORKS

    return NETWORKS


def _decoders() -> Iterable[str]:
    from simnet.decoding import DECODERS

    return DECODERS


def _matrices() -> Iterable[str]:
    from simnet.matrices import FAMILIES

    return FAMILIES


def _recipes() -> Iterable[str]:
    from simnet.recipes import RECIPES

    return RECIPES


def _demos() -> Iterable[str]:
    from simnet.demos import DEMOS

    return DEMOS


networks, properties, decoders = _names(_families, files=True), _names(_properties), _names(_decoders)
matrices, recipes, demos = _names(_matrices), _names(_recipes), _names(_demos)
