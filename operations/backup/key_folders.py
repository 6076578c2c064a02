"""Keys go into a folder of their own: whoever holds log and keys can test a guess of every number.

It is copied as it is, readable by its owner alone, and not encrypted by us: that would need one more secret, kept in
one more place. Keep it on media that are encrypted, in two places that no single person can open; in production each
administration copies its own folder, so that the keys of ``evaluate`` and of ``entry`` never lie together.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crypto.keys import load_public
from operations.backup import form
from operations.backup.form import BackupError

#: What must be there; beside it lies what says who may deliver, where it is on this machine.
KEYS: Final = "keys"
_SUMS: Final = "checksums"


def take(sources: Mapping[str, Path], folder: Path) -> list[str]:
    """Copy folders under their names, those that are here; the names of what was copied.

    Raises:
        BackupError: the folder is there already, or lies in a backup of the log.
        OSError: a file cannot be read.
    """
    _apart(folder)
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: name another folder, one for each copy of the keys.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    there = {name: path for name, path in sources.items() if path.is_dir()}
    if KEYS not in there:
        raise BackupError(f"There are no keys in {sources[KEYS]}.")
    for name, path in there.items():
        _copy(path, folder / name)
    _write_sums(folder)
    return sorted(str(path.relative_to(folder)) for name in there for path in (folder / name).iterdir())


def restore(folder: Path, targets: Mapping[str, Path]) -> list[str]:
    """Put copied folders where none are; the names of what was put there.

    Raises:
        BackupError: keys are there already, or a file is not what was copied.
    """
    verify(folder)
    copied = {name: path for name, path in targets.items() if (folder / name).is_dir()}
    for path in copied.values():
        if path.is_dir() and any(path.iterdir()):
            raise BackupError(f"{path} holds keys already: keys are never overwritten. Move it away first.")
    for name, path in copied.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(folder / name, path)
    load_public(targets[KEYS])
    return sorted(str(path) for path in copied.values())


def verify(folder: Path) -> None:
    """``BackupError`` when a copied file is missing, changed, or was put in."""
    try:
        lines = (folder / _SUMS).read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise BackupError(f"{folder} holds no copy of keys ({_SUMS} is not there).") from None
    pairs = (line.partition("  ") for line in lines)
    said = {path: digest for digest, _, path in pairs}
    if said != _sums(folder):
        raise BackupError(f"The keys in {folder} are not what was copied: take another copy.")


def _apart(folder: Path) -> None:
    for above in (folder, *folder.absolute().parents):
        if (above / form.MANIFEST).exists() or (above / form.BEGUN).exists():
            raise BackupError(f"{above} is a backup of the log: keys go into a folder of their own, elsewhere.")


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _sums(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _SUMS)
    return {str(path.relative_to(folder)): form.measure(path)[1] for path in paths}


def _write_sums(folder: Path) -> None:
    """Last: a copy without it is none."""
    file = form.private(folder / _SUMS)
    file.write("".join(f"{digest}  {path}\n" for path, digest in _sums(folder).items()).encode())
    form.on_disk(file)
    os.sync()
