"""The command line.  It reads arguments, calls the library and prints; a user's mistake ends in one line and status 2.

Each file of this package holds the commands of one subject.  They are imported when they are called for, so that a command
waits only for what it uses.
"""

from __future__ import annotations

import importlib
import sys

import click

#: Each command and the file of this package that holds it.
COMMANDS = {
    "verify": "verify",
    "encode": "sketches",
    "decode": "sketches",
    "report": "report",
    "animate": "report",
    "sweep": "study",
    "memory": "memory",
    "show": "show",
    "explain": "explain",
    "demo": "demo",
    "regress": "regress",
    "list": "names",
    "completion": "completion",
}


class LazyGroup(click.Group):
    """A group whose commands are imported by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"simnet.cli.{COMMANDS[name]}"), f"{name}_command")
        return command


def fail(message: str) -> None:
    """One line on standard error, exit status 2."""
    click.echo(f"simnet: error: {' '.join(message.split())}", err=True)
    sys.exit(2)


def main() -> None:
    """Run the command; no mistake of a user ends in a traceback."""
    try:
        status = cli.main(prog_name="simnet", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("simnet: interrupted", err=True)
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message())
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError as error:
        fail(f"not enough memory: take fewer modules, runs or coordinates{f' ({error})' if str(error) else ''}")
    else:
        sys.exit(status if isinstance(status, int) else 0)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recursive-sketch-testbed", prog_name="simnet")
def cli() -> None:
    """Simulate modular networks, sketch their executions recursively, and hold every answer against its law."""
