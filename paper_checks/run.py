"""What all checks share: print the statement, run the claim, print the table, end in the verdict."""

from __future__ import annotations

import sys

from rich.console import Console

from simnet.claims.show import rows_table
from simnet.claims.verify import verify


def run(claim: str, statement: str | None) -> None:
    """Run a claim on its quick grid; exit status 1 if a row fails."""
    console = Console(width=160)
    console.print(statement, markup=False)
    rows = verify([claim], quick=True)
    console.print(rows_table(rows))
    sys.exit(0 if all(row.holds for row in rows) else 1)
