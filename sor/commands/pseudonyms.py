"""Clients that a command is told of by pseudonym: from a file or the terminal, and never as a word of the command line.

Words of a command line are kept in histories and stand in lists of processes. No sentence repeats what was given.
"""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Final

from crypto.pseudonym import is_pseudonym
from faults import OperatorFault

ASK: Final = "-"
#: Characters: some 27,000 clients.
LONGEST: Final = 1_000_000


class NobodyNamed(OperatorFault):
    """There is no pseudonym in what was given, or something else."""


def pseudonyms(where: str) -> list[bytes]:
    """Those in a file, one a line, or with ``-`` those that are typed or piped; each once, in order.

    Raises:
        NobodyNamed: there is none, a line is something else, or there are too many for one command.
    """
    text = _typed() if where == ASK else _read(Path(where))
    if len(text) > LONGEST:
        raise NobodyNamed(f"That is more than {LONGEST} characters: divide the pseudonyms over several files.")
    found = sorted({line.strip().encode() for line in text.splitlines() if line.strip()})
    if not found or not all(map(is_pseudonym, found)):
        raise NobodyNamed("A pseudonym looks like p1.domain.epoch.22 characters; there is none, or a line is another.")
    return found


def _typed() -> str:
    return getpass("Pseudonym (not shown): ") if sys.stdin.isatty() else sys.stdin.read(LONGEST + 1)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LONGEST + 1)
    except (OSError, UnicodeDecodeError):
        raise NobodyNamed("--pseudonym names a file that holds pseudonyms, or - to ask for one.") from None
