"""From paths to files: folders, zip files and single files, in order of path, with bounds that hold against a bomb."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeVar, cast

from connectors import masking
from connectors.formats.model import FileFault
from connectors.formats.zips import is_readable, open_zip

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
_BUFFER: Final = 65_536
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
#: The part of a zip file that makes it an Excel sheet: a file by itself, whose kind decides what becomes of it.
SHEET: Final = "xl/workbook.xml"
#: The parts that make it another document of an Office program: text and slides are read by people only.
TEXTS: Final = frozenset({"word/document.xml", "ppt/presentation.xml"})
OFFICE: Final = frozenset({"[Content_Types].xml", "META-INF/manifest.xml"})
#: Below this size a high compression ratio means nothing.
RATIO_FROM: Final = 1_000_000
#: What a damaged, encrypted or unknown zip member raises while it is read.
ZIP_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError),
)


class Limits(NamedTuple):
    """What is read at most. [P] all of it."""

    file_bytes: int = 100_000_000
    zip_entries: int = 10_000
    zip_ratio: int = 200
    zip_bytes: int = 1_000_000_000


class Stamp(NamedTuple):
    """What changes when a file is written to."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class InputFile:
    """Bytes that can be read twice: a file, a member of a zip file, or content in memory."""

    shown: str  # for the sender's screen: no BSN, no control characters
    file_name: str = field(repr=False)  # as it is: an AGB code at its start may name the sender
    size: int
    path: Path | None = field(default=None, repr=False)
    member: str = field(default="", repr=False)
    content: bytes = field(default=b"", repr=False)

    def open(self) -> BinaryIO:
        """The bytes from their beginning. Opening and reading raise ``FileFault`` ``B13`` or ``B10``."""
        if self.path is None:
            return BytesIO(self.content)
        errors = (OSError, *ZIP_ERRORS) if self.member else (OSError,)
        return cast("BinaryIO", BufferedReader(_Guarded(self, errors), _BUFFER))

    def _opened(self) -> BinaryIO:
        assert self.path is not None  # noqa: S101 - looked at by open
        if not self.member:
            return self.path.open("rb")
        with zipfile.ZipFile(self.path) as archive:  # the member keeps the file open until it is closed itself
            return cast("BinaryIO", archive.open(self.member))

    def stamp(self) -> Stamp:
        """The state of the file on disk; ``FileFault`` ``B13`` when it is gone."""
        if self.path is None:
            return Stamp(len(self.content), 0, 0)
        try:
            found = self.path.stat()
        except OSError:
            raise FileFault("B13", self.shown) from None
        return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


class _Guarded(RawIOBase):
    """Turns what can go wrong while reading into a ``FileFault``; errors of whoever reads stay what they are."""

    def __init__(self, given: InputFile, errors: tuple[type[Exception], ...]) -> None:
        self._given, self._errors = given, errors
        self._stream = self._try(given._opened)

    def _try(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except self._errors:
            raise FileFault("B10" if self._given.member else "B13", self._given.shown) from None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._try(lambda: self._stream.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def find(paths: list[Path], limits: Limits, refuse: Callable[[FileFault], None]) -> Iterator[InputFile]:
    """Every file below the paths once, sorted by path within each; what cannot be opened goes to ``refuse``."""
    seen = set[Path]()
    for given in paths:
        for path in _files(given):
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield from _input_files(path, masking.name(_below(path, given)), limits, refuse)


def _below(path: Path, given: Path) -> str:
    return str(path.relative_to(given)) if path != given else path.name


def _files(given: Path) -> Iterator[Path]:
    """Regular files, hidden ones left out; links to folders are not followed."""
    if not given.is_dir():
        yield given
        return
    found = []
    for folder, folders, names in os.walk(given):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    yield from sorted(found)


def _input_files(path: Path, shown: str, limits: Limits, refuse: Callable[[FileFault], None]) -> Iterator[InputFile]:
    try:
        found, head = _look(path, shown)
        if head in (_ZIP, _EMPTY_ZIP):
            yield from _members(path, shown, limits, refuse)
        else:
            yield InputFile(shown, path.name, found.st_size, path)
    except FileFault as fault:
        refuse(fault)
    except OSError:
        refuse(FileFault("B13", shown))
    except ZIP_ERRORS:
        refuse(FileFault("B10", shown))


def _look(path: Path, shown: str) -> tuple[os.stat_result, bytes]:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FileFault("B13", shown)
    with path.open("rb") as file:
        return found, file.read(4)


def _members(path: Path, shown: str, limits: Limits, refuse: Callable[[FileFault], None]) -> Iterator[InputFile]:
    """The files in a zip file, in order of name; the zip file as a whole is refused when it breaks a bound."""
    with path.open("rb") as file, open_zip(file, limits.zip_entries, shown) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    names = {entry.filename for entry in entries}
    if SHEET in names or TEXTS & names:
        yield InputFile(shown, path.name, path.stat().st_size, path)
        return
    if OFFICE & names:
        raise FileFault("B14", shown)
    if len(entries) > limits.zip_entries or sum(entry.file_size for entry in entries) > limits.zip_bytes:
        raise FileFault("B11", shown)
    for entry in sorted(entries, key=lambda entry: entry.filename):
        name = entry.filename.rpartition("/")[2]
        if name.startswith(".") or entry.filename.startswith("__MACOSX/"):
            continue
        given = InputFile(f"{shown}/{masking.name(entry.filename)}", name, entry.file_size, path, entry.filename)
        code = _refused(entry, given, limits)
        if code:
            refuse(FileFault(code, given.shown))
        else:
            yield given


def _refused(entry: zipfile.ZipInfo, given: InputFile, limits: Limits) -> str:
    if not is_readable(entry):
        return "B10"
    if entry.file_size > RATIO_FROM and entry.file_size > limits.zip_ratio * max(1, entry.compress_size):
        return "B11"
    try:
        with given.open() as stream:
            return "B12" if stream.read(4) in (_ZIP, _EMPTY_ZIP) else ""
    except FileFault as fault:
        return fault.code
