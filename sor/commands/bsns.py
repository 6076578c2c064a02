"""Clients that a source names by BSN: from a file or the terminal, and never as a word of the command line.

What was given is repeated nowhere: a sentence names the row of the file.
"""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Final

from connectors.errors import ConnectorError
from domain.field.bsn import elfproef
from domain.field.words import ASK_BSN, NO_BSN, TOO_MANY_BSNS, rows_without_bsn
from sor.commands.pseudonyms import ASK

#: Characters: some 100,000 clients.
LONGEST: Final = 1_000_000


def bsns(where: str) -> list[str]:
    """Those in a file, one a row, or with ``-`` those that are typed or piped; each once, in order.

    Raises:
        ConnectorError: there is none, a row is something else, or there are too many for one command.
    """
    text = _typed() if where == ASK else _read(Path(where))
    if len(text) > LONGEST:
        raise ConnectorError(TOO_MANY_BSNS)
    rows = [(number, row.strip()) for number, row in enumerate(text.splitlines(), 1) if row.strip()]
    wrong = [number for number, row in rows if not elfproef(row)]
    if wrong:
        raise ConnectorError(rows_without_bsn(wrong))
    if not rows:
        raise ConnectorError(NO_BSN)
    return list(dict.fromkeys(row for _, row in rows))


def _typed() -> str:
    return getpass(ASK_BSN) if sys.stdin.isatty() else sys.stdin.read(LONGEST + 1)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read(LONGEST + 1)
    except (OSError, UnicodeDecodeError):
        raise ConnectorError(NO_BSN) from None
