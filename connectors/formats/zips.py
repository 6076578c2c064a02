"""A zip file of somebody else: how much of it is believed, and how much is held.

The library reads the whole directory of a zip file and makes an object of every entry before anything can be counted,
finds an entry by its name although two may have one, and unpacks some methods by as much as a packet holds.
"""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO, Final, cast

from connectors.formats.model import FileFault

#: Bytes of the directory for each entry that may be there: a name of 250 characters fits.
PER_ENTRY: Final = 300
LEAST: Final = 131_072
#: Unpacked in pieces as small as they are asked for.
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1


class _Wary:
    """A file of which no more is read at once than ``most`` bytes: the directory is read at once."""

    def __init__(self, file: BinaryIO, most: int, shown: str) -> None:
        self._file, self._most, self._shown = file, most, shown

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, self._most + 1) if size >= 0 else self._most + 1)
        if len(data) > self._most:
            raise FileFault("B11", self._shown)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def open_zip(file: BinaryIO, entries: int, shown: str) -> zipfile.ZipFile:
    """A zip file of at most so many entries, or a few more: who needs it sharp counts them.

    Raises:
        FileFault: ``B11``, its directory is larger.
        BadZipFile: damaged, or two entries have one name, so that nobody can say which of them is read.
    """
    archive = zipfile.ZipFile(cast("BinaryIO", _Wary(file, max(LEAST, entries * PER_ENTRY), shown)))
    found = archive.infolist()
    if len({entry.filename for entry in found}) < len(found):
        raise zipfile.BadZipFile
    return archive


def is_readable(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is neither encrypted nor packed in a way that cannot be unpacked piece by piece."""
    return not entry.flag_bits & _ENCRYPTED and entry.compress_type in _METHODS
