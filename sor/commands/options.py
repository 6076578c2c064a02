"""Options of several commands; importing them asks for no package of an extra."""

from __future__ import annotations

from typing import Annotated, Final

import typer

_MOST: Final = 500


def _short(reason: str) -> str:
    if not 0 < len(reason.strip()) <= _MOST:
        raise typer.BadParameter(f"give a reason of at most {_MOST} characters")
    return reason


Reason = Annotated[
    str, typer.Option("--reden", callback=_short, help="Why; kept in the audit trail. No personal data.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
