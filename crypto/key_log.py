"""The log of key use: append-only, each line holds the hash of the line before, and nothing in it names anybody.

One file per key folder, ``<keys>/log/<part>/log.jsonl``. A line says what happened to which key: made, published, in
use from, used (per process and day, with a count), rotated, destroyed. A key is named by its id, a hash; there is no
secret, pseudonym or BSN in it. A line that was changed, deleted or put in breaks the chain. An end that was cut off
breaks nothing, so number and hash of the last line are kept elsewhere as well: in ``<keys>/public/log.heads`` as
far as the writer may write there, and wherever somebody copied what ``sor keys verify`` printed.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from crypto import files
from crypto.key_files import PUBLIC

LOG, FILE, HEADS = "log", "log.jsonl", "log.heads"
#: What stands in the first line for the line before it.
START: Final = 64 * "0"
#: A line is far shorter.
_TAIL: Final = 4096


class Head(NamedTuple):
    """Number and hash of the last line; 0 and ``START`` of a log that is empty."""

    length: int
    hash: str


class Verdict(NamedTuple):
    """Of one log: its last line, and what is wrong in one sentence; empty when nothing is."""

    part: str
    head: Head
    complaint: str


def parts(keys: Path) -> list[str]:
    """The parts that have a log here."""
    return sorted(path.parent.name for path in (keys / LOG).glob(f"*/{FILE}"))


def append(keys: Path, part: str, event: str, *, at: int, **more: str | int) -> Head:
    """Add one line and keep its head elsewhere; on the disk when this returns. ``at``: seconds since 1970.

    Raises:
        OSError: the log cannot be written.
    """
    place = keys / LOG / part
    files.make_folder(place)
    with files.locked(place / FILE) as descriptor:
        before = _end(descriptor)
        moment = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        line = {"n": before.length + 1, "at": moment, "event": event, **more, "before": before.hash}
        written = json.dumps(line, ensure_ascii=True).encode()
        os.write(descriptor, written + b"\n")
        os.fsync(descriptor)
        head = Head(before.length + 1, _hash(written))
        # A head of lines that are gone stays: it is what shows that they were there.
        if _heads(keys, part) in ([], [before]) or not verify(keys, part).complaint:
            _keep(keys, part, head)
    return head


def lines(keys: Path, part: str) -> list[dict[str, Any]]:
    """What happened, the oldest first; nothing when there is no log. Whether it is true: ``verify``."""
    try:
        content = (keys / LOG / part / FILE).read_bytes()
    except OSError:
        return []
    found = []
    for one in content.splitlines():
        try:
            found.append(dict(json.loads(one)))
        except (ValueError, TypeError):
            continue
    return found


def verify(keys: Path, part: str, known: list[Head] | None = None) -> Verdict:
    """Whether the log is whole, and holds the lines whose heads were kept: elsewhere here, and ``known``."""
    try:
        content = (keys / LOG / part / FILE).read_bytes()
    except FileNotFoundError:
        content = b""
    head, complaint = _chain(content)
    hashes = [START, *(_hash(one) for one in content.splitlines())]
    for kept in [*(known or []), *_heads(keys, part)]:
        if complaint:
            break
        if kept.length >= len(hashes):
            complaint = f"its end was cut off: line {kept.length} was there, {head.length} are left"
        elif hashes[kept.length] != kept.hash:
            complaint = f"line {kept.length} or one before it is not what it was"
    return Verdict(part, head, complaint)


def note_heads(keys: Path) -> None:
    """Keep the heads of all logs that are here elsewhere too: for those whose processes may not write there."""
    for part in parts(keys):
        verdict = verify(keys, part)
        if not verdict.complaint:
            _keep(keys, part, verdict.head)


def _chain(content: bytes) -> tuple[Head, str]:
    head = Head(0, START)
    if content and not content.endswith(b"\n"):
        return head, "its last line is not whole"
    for number, one in enumerate(content.splitlines(), 1):
        try:
            line = dict(json.loads(one))
        except (ValueError, TypeError):
            return head, f"line {number} is no line of this log"
        if (line.get("n"), line.get("before")) != (number, head.hash):
            return head, f"line {number} does not follow the line before it: one was changed, deleted or put in"
        head = Head(number, _hash(one))
    return head, ""


def _hash(line: bytes) -> str:
    return hashlib.sha256(b"sor key log" + line).hexdigest()


def _end(descriptor: int) -> Head:
    """Of the last whole line. What a process that was killed left of another is taken away: it was never counted."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    if tail and not tail.endswith(b"\n"):
        whole = tail.rfind(b"\n") + 1
        os.ftruncate(descriptor, size - len(tail) + whole)
        tail = tail[:whole]
    if not tail:
        return Head(0, START)
    last = tail.splitlines()[-1]
    try:
        return Head(int(json.loads(last)["n"]), _hash(last))
    except (ValueError, TypeError, KeyError):
        return Head(0, _hash(last))  # goes on, and does not verify


def _heads(keys: Path, part: str) -> list[Head]:
    try:
        kept = json.loads((keys / PUBLIC / HEADS).read_bytes())[part]
        return [Head(int(kept["length"]), str(kept["hash"]))]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _keep(keys: Path, part: str, head: Head) -> None:
    """Note the head beside the public keys; a process that may not write there leaves it to the next command."""
    place = keys / PUBLIC / HEADS
    try:
        with files.locked(keys / LOG / ".lock"):
            try:
                heads = dict(json.loads(place.read_bytes()))
            except (OSError, ValueError, TypeError):
                heads = {}
            heads[part] = head._asdict()
            files.write(place, json.dumps(heads).encode(), mode=files.PUBLIC)
    except OSError:
        return
