"""Log files of the processes: ``<home>/log/<name>.log``, the one before as ``<name>.log.1``."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROTATE_BYTES = 20 * 1024 * 1024
_POLL_SECONDS = 0.2
_TAIL_BYTES = 64 * 1024


def log_file(folder: Path, name: str) -> Path:
    """Where a process writes; a file over 20 MB is put aside first, so a process has at most that much and a run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.log"
    if path.exists() and path.stat().st_size > ROTATE_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


def note(folder: Path, name: str, words: str) -> None:
    """A line of ours in the log of a process that can say nothing itself. On a full disk there is none."""
    line = {"process": name, "level": "critical", "event": words, "timestamp": datetime.now(UTC).isoformat()}
    with contextlib.suppress(OSError), log_file(folder, name).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def names(folder: Path) -> list[str]:
    """Names of the processes that have a log."""
    return sorted(path.stem for path in folder.glob("*.log"))


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log; none when it does not exist."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()[-lines:] if lines else []


def said(line: str) -> str:
    """What a line says: its ``event`` where one of our processes wrote it, as JSON."""
    try:
        return str(json.loads(line)["event"])
    except (ValueError, KeyError, TypeError):
        return line


def _nap() -> bool:
    time.sleep(_POLL_SECONDS)
    return True


def follow(paths: list[Path], idle: Callable[[], bool] = _nap) -> Iterator[tuple[str, str]]:
    """(name, line) for each line that is added from now on, also to a file that is rotated or made anew.

    ``idle`` is called whenever there is nothing new, and ends the following with False.
    """
    places = {path: path.stat().st_size if path.exists() else 0 for path in paths}
    go_on = True
    while go_on:
        new = [(path.stem, line) for path in paths for line in _added(path, places)]
        yield from new
        go_on = bool(new) or idle()


def _added(path: Path, places: dict[Path, int]) -> list[str]:
    size = path.stat().st_size if path.exists() else 0
    if size < places[path]:
        places[path] = 0
    if size == places[path]:
        return []
    with path.open("rb") as file:
        file.seek(places[path])
        text = file.read()
    complete = text[: text.rfind(b"\n") + 1]
    places[path] += len(complete)
    return complete.decode("utf-8", "replace").splitlines()
