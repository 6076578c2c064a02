"""The state on disk: whose it is, what it was built from, and when it may be thrown away."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import IO

import structlog

from streams.engine.stage import StageConfig, StageError
from streams.engine.topics import TopicIds

log = structlog.get_logger()

MARKER = "topics.json"
AHEAD = "ahead"
LOCK = "lock"
RENEWED = "renewed"


def occupy(datadir: Path) -> IO[str]:
    """Take ``datadir`` for this process as long as the result is open; the system lets it go when the process dies."""
    datadir.mkdir(parents=True, exist_ok=True)
    lock = (datadir / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StageError(
            f"{datadir} is used by another process: every worker needs a datadir and a slot of its own"
        ) from error
    return lock


def claim(config: StageConfig, tables: Path, ids: TopicIds) -> None:
    """See that the state on disk under ``tables`` was built from these very topics; remove it where it was not."""
    marker = config.datadir / MARKER
    known = _read(marker)
    if known is not None and known.source != ids.source and known.changelog == ids.changelog:
        raise StageError(
            f"topic {config.source} was made anew while {config.changelog} was kept: its offsets start again, so new "
            "rows would count as older than the old ones. Make the changelog anew as well, raise the topic epoch and "
            f"replay; or, if that is wanted, remove {marker}"
        )
    if known != ids and any(tables.glob("*.db")):
        why = "topics it does not name" if known is None else f"a former {config.changelog}"
        log.warning("state in %s belongs to %s: removed, it is restored from the changelog", tables, why)
        discard(tables)
    fresh = marker.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(ids)))
    fresh.replace(marker)


def mark_ahead(datadir: Path) -> None:
    """The state on disk is ahead of its changelog: to be known at the next start."""
    (datadir / AHEAD).touch()


def ahead_since(datadir: Path) -> float | None:
    """When that was seen (seconds since 1970); None when it was not."""
    try:
        return (datadir / AHEAD).stat().st_mtime
    except FileNotFoundError:
        return None


def forget_former(datadir: Path, source: str) -> None:
    """Let go of a state that was made from another source than the topic with this id, or is ahead of its changelog:
    ``claim`` then removes it. For who has seen to it that the states of that time are void.
    """
    known = _read(datadir / MARKER)
    if (known is not None and known.source != source) or ahead_since(datadir) is not None:
        (datadir / MARKER).unlink(missing_ok=True)
        (datadir / AHEAD).unlink(missing_ok=True)


def forget_renewed(datadir: Path, epoch: str) -> None:
    """Let go of a state that names clients by pseudonyms of before this epoch (empty: none was renewed)."""
    seen = datadir / RENEWED
    if not epoch or (seen.exists() and seen.read_text() == epoch):
        return
    (datadir / MARKER).unlink(missing_ok=True)
    datadir.mkdir(parents=True, exist_ok=True)
    seen.write_text(epoch)


def _read(marker: Path) -> TopicIds | None:
    try:
        return TopicIds(**json.loads(marker.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise StageError(
            f"{marker} is not readable: remove it, the state is then restored from the changelog"
        ) from error


def discard(tables: Path) -> None:
    """Remove the state on disk; the changelog has all of it."""
    shutil.rmtree(tables)


def size(tables: Path) -> int:
    """Bytes of the state on disk."""
    total = 0
    for folder, _, names in os.walk(tables):  # goes on where a folder is removed while it is read, as rglob does not
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # RocksDB removes files while we look
                total += (Path(folder) / name).stat().st_size
    return total
