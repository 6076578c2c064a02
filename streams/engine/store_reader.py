"""The store of a stage on disk, read while the stage may be running: as a secondary, which takes no lock.

RocksDB lets a second process follow the files of the first; it sees what was written up to the moment at which it
catches up, and writes nothing but a log in a folder of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import rocksdict

from streams.engine.stage import StageError

OFFSET_KEY = b"__faust\0offset__"


def stores(home: Path, stage: str, table: str) -> dict[Path, int]:
    """Every store of a stage in the folder of an installation -> its partition."""
    found = {}
    for path in sorted((home / "state").glob(f"{stage}-*/v*/tables/{table}-*.db")):
        number = path.stem.rpartition("-")[2]
        if number.isdigit():
            found[path] = int(number)
    return found


class StoreReader:
    """The states in one store, as of the moment at which it was opened.

    Raises:
        StageError: the store cannot be opened: it is damaged, or was removed meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sor-store-")
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(False)
        options.set_max_open_files(-1)  # a secondary keeps every file open, so that none is gone when it is asked
        try:
            access = rocksdict.AccessType.secondary(self._folder.name)
            self._store = rocksdict.Rdict(str(path), options=options, access_type=access)
            self._store.try_catch_up_with_primary()
        except Exception as error:  # noqa: BLE001  (all that the binding raises)
            self._folder.cleanup()
            raise StageError(f"the store {path.name} cannot be read ({type(error).__name__})") from None

    def level(self) -> int:
        """The offset of the changelog that the store is level with; -1 when it says none."""
        said = self._store.get(OFFSET_KEY)
        return int(said) if said is not None else -1

    def states(self, mine: Callable[[bytes], bool]) -> Iterator[tuple[bytes, bytes]]:
        """Key and packed state of every key that is ``mine``."""
        for key, value in self._store.items():
            if key != OFFSET_KEY and mine(key):
                yield key, value

    def close(self) -> None:
        """Let go of it."""
        self._store.close()
        self._folder.cleanup()
