"""The log of key use is a chain: what was changed, deleted, put in or cut off shows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from crypto import key_log
from crypto.key_log import FILE, HEADS, LOG, Head

AT = 1_790_000_000
PART = "evaluate"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A home with a log of four lines."""
    (tmp_path / "public").mkdir()
    for event in ("made", "published", "used", "destroyed"):
        key_log.append(tmp_path, PART, event, at=AT, what="sealing", key="00ff00ff00ff00ff")
    return tmp_path


def place(keys: Path) -> Path:
    return keys / LOG / PART / FILE


def complaint(keys: Path, *known: Head) -> str:
    return key_log.verify(keys, PART, list(known)).complaint


def test_a_log_that_nobody_touched_is_whole(keys: Path) -> None:
    verdict = key_log.verify(keys, PART)
    assert not verdict.complaint
    assert verdict.head.length == 4
    assert [one["event"] for one in key_log.lines(keys, PART)] == ["made", "published", "used", "destroyed"]
    assert place(keys).stat().st_mode & 0o777 == 0o600


def _changed(lines: list[bytes]) -> None:
    lines[1] = lines[1].replace(b"published", b"used")


def _deleted(lines: list[bytes]) -> None:
    del lines[2]


def _first_deleted(lines: list[bytes]) -> None:
    del lines[0]


def _put_in(lines: list[bytes]) -> None:
    forged = json.loads(lines[1])
    lines.insert(2, json.dumps({**forged, "n": 3}).encode())


def _swapped(lines: list[bytes]) -> None:
    lines[1], lines[2] = lines[2], lines[1]


def _last_changed(lines: list[bytes]) -> None:
    lines[3] = lines[3].replace(b"destroyed", b"used")


def _all_gone(lines: list[bytes]) -> None:
    lines.clear()


def _end_cut(lines: list[bytes]) -> None:
    lines.pop()


@pytest.mark.parametrize(
    "damage", [_changed, _deleted, _first_deleted, _put_in, _swapped, _last_changed, _all_gone, _end_cut]
)
def test_damage_shows(keys: Path, damage: Callable[[list[bytes]], None]) -> None:
    lines = place(keys).read_bytes().splitlines()
    damage(lines)
    place(keys).write_bytes(b"".join(one + b"\n" for one in lines))
    assert complaint(keys)


def test_an_end_that_was_cut_off_shows_also_after_more_was_written(keys: Path) -> None:
    lines = place(keys).read_bytes().splitlines(keepends=True)
    place(keys).write_bytes(b"".join(lines[:2]))
    for _ in range(5):
        key_log.append(keys, PART, "used", at=AT, key="00ff00ff00ff00ff")
    assert "line 4" in complaint(keys)


def test_a_head_that_was_copied_shows_it_when_the_one_beside_was_taken_away_too(keys: Path) -> None:
    printed = key_log.verify(keys, PART).head
    (keys / "public" / HEADS).unlink()
    place(keys).write_bytes(b"".join(place(keys).read_bytes().splitlines(keepends=True)[:3]))
    assert not complaint(keys)
    assert "cut off" in complaint(keys, printed)
    key_log.note_heads(keys)
    assert "cut off" in complaint(keys, printed)


def test_a_log_whose_lines_were_all_made_anew_does_not_hold_the_head(keys: Path) -> None:
    place(keys).unlink()
    for _ in range(6):
        key_log.append(keys, PART, "used", at=AT)
    assert "not what it was" in complaint(keys)


def test_a_process_that_was_killed_in_a_line_leaves_a_log_that_goes_on(keys: Path) -> None:
    with place(keys).open("ab") as file:
        file.write(b'{"n": 5, "at"')
    assert complaint(keys)
    key_log.append(keys, PART, "used", at=AT)
    assert not complaint(keys)
    assert key_log.verify(keys, PART).head.length == 5


def test_a_head_that_was_not_kept_is_kept_by_the_next_line(keys: Path) -> None:
    (keys / "public").chmod(0o500)
    if os.access(keys / "public", os.W_OK):  # root may write anyway: keep an older head by hand
        heads = json.loads((keys / "public" / HEADS).read_bytes())
        lines = place(keys).read_bytes().splitlines()
        heads[PART] = {"length": 3, "hash": key_log._hash(lines[2])}
        (keys / "public" / HEADS).write_text(json.dumps(heads))
    (keys / "public").chmod(0o700)
    key_log.append(keys, PART, "used", at=AT)
    assert json.loads((keys / "public" / HEADS).read_bytes())[PART]["length"] == 5


def _write(keys: Path, count: int) -> None:
    for _ in range(count):
        key_log.append(keys, PART, "used", at=AT, process="evaluate-0")


def test_processes_that_write_at_once_make_one_chain(keys: Path) -> None:
    context = get_context("fork")
    writers = [context.Process(target=_write, args=(keys, 25)) for _ in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert not complaint(keys)
    assert key_log.verify(keys, PART).head.length == 104
