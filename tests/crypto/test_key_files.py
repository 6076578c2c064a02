"""A key file is there as a whole, whatever happens while it is written, and nothing of it is left behind."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from crypto import files, key_files
from crypto.key_files import FILE, KeysError, locked, read_file, rewrite_file, write_file

FORMER, NOW = {"root": "former"}, {"root": "now"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_file(tmp_path / "entry", FORMER)
    return tmp_path / "entry"


def test_what_is_destroyed_goes_when_the_new_file_is_on_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a machine that loses its power finds the old name, and in it what was overwritten."""
    kept = folder / "kept"
    os.link(folder / FILE, kept)  # the blocks of the former file, under a name that stays
    seen: list[tuple[object, object]] = []
    settle = files.settle

    def settled(place: Path) -> None:
        settle(place)
        seen.append((json.loads(kept.read_bytes()), read_file(folder)))

    monkeypatch.setattr(files, "settle", settled)
    rewrite_file(folder, NOW, destroy=True)
    assert seen == [(FORMER, NOW)]
    assert not any(kept.read_bytes())


def test_what_a_process_that_was_killed_left_is_in_nobodys_way(folder: Path) -> None:
    (folder / f".{FILE}.{os.getpid()}").write_text(
        "half"
    )  # as releases before named it; in a container pids come again
    rewrite_file(folder, NOW)
    assert read_file(folder) == NOW


def test_a_disk_that_is_full_leaves_the_former_file_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full", str(folder))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KeysError, match="Nothing more was changed"), locked(folder.parent):
        rewrite_file(folder, NOW, destroy=True)
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert read_file(folder) == FORMER


def test_mode_and_owner_of_a_file_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("os.fchown", lambda _descriptor, user, group: given.append((user, group)))
    was = (folder / FILE).stat()
    (folder / FILE).chmod(0o640)
    rewrite_file(folder, NOW)
    assert (folder / FILE).stat().st_mode & 0o777 == 0o640
    assert given == []  # it is of this process already
    files.write(folder / FILE, b"{}", mode=files.PRIVATE, owner=(was.st_uid + 1, was.st_gid))
    assert given == [(was.st_uid + 1, was.st_gid)]


def test_no_folder_no_lock(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"holds no keys that can be changed \(No such file"), locked(tmp_path / "x"):
        pytest.fail("there is nothing to change")
    with pytest.raises(ValueError, match="of the caller"), key_files.one_command(tmp_path / "lock", "", ""):
        raise ValueError("of the caller")
