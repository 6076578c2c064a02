"""Keep today's contracts as a release: ``python -m schemas.release 0.2.0``.

Writes ``schemas/released/<version>/<contract>.avsc``, each self-contained. From then on the tests refuse a change after
which records of that release could not be read, and a process without a registry knows its schema ids. A release is
never written twice: records may exist.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

from faults import OperatorFault
from schemas.codec import load, names
from schemas.compatibility import release_problems

FOLDER: Final = Path(__file__).parent / "released"
_VERSION: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


class ContractsError(OperatorFault):
    """The contracts cannot be kept under this version; the message says what to do."""


def release(version: str, folder: Path = FOLDER) -> list[Path]:
    """Write every contract below ``folder/version``; the files written.

    Raises:
        ContractsError: no version, a version that exists, or contracts that do not read every release before.
    """
    if not _VERSION.fullmatch(version):
        raise ContractsError(f"{version!r} is no version: give three numbers, such as 0.2.0.")
    place = folder / version
    if place.exists():
        raise ContractsError(f"Release {version} is kept already and records of it may exist: take the next version.")
    if found := release_problems():
        raise ContractsError("Make the contracts read every release again:\n" + "\n".join(found))
    place.mkdir(parents=True)
    written = []
    for name in names():
        path = place / f"{name}.avsc"
        path.write_text(json.dumps(load(name), indent=1, ensure_ascii=False) + "\n", "utf-8")
        written.append(path)
    return written


def main(words: list[str]) -> int:
    """The command; 0 when written, 2 with a sentence when not."""
    if len(words) != 1:
        sys.stderr.write("python -m schemas.release VERSION\n")
        return 2
    try:
        written = release(words[0])
    except ContractsError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(f"Kept {len(written)} contracts in {written[0].parent}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
