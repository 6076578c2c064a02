"""Reading a file so that what is published is what was checked.

Before a file is parsed it is read once: its keyed hash, its encoding and the number of its lines. A file of up to
``HELD`` bytes is then parsed from memory; a larger one is parsed from disk and its hash is taken again before it is
published. A file that changes between the two is refused (B07).
"""

from __future__ import annotations

import codecs
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO, Final, NamedTuple

from connectors.formats.files import InputFile, Stamp
from connectors.formats.model import FileFault

#: Files up to this size are held in memory while they are parsed, one at a time.
HELD: Final = 16_000_000
CHUNK: Final = 262_144
#: A file that was written to less than this ago may still be growing.
SETTLED_NS: Final = 1_000_000_000


#: The shortest row that a parser remembers: a number of nine digits, two more cells, their separators and a line end.
_SHORTEST: Final = 16


class Content(NamedTuple):
    """What one reading tells: keyed hash, encoding ("" = unreadable), rows, and whether any line is monstrous."""

    mac: bytes  # keyed: names the content
    encoding: str
    rows: int
    sensible: bool  # made of lines of a sensible length


class _Encoding:
    """Finds the encoding while the bytes pass."""

    def __init__(self) -> None:
        self._utf8, self._windows = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("cp1252")()
        self._is_utf8 = self._is_windows = True
        self.cut = False  # ends within a character

    def feed(self, chunk: bytes) -> None:
        if self._is_utf8:
            self._is_utf8 = _decodes(self._utf8, chunk)
        if self._is_windows:
            self._is_windows = b"\x00" not in chunk and _decodes(self._windows, chunk)

    def name(self) -> str:
        self.cut = self._is_utf8 and bool(self._utf8.getstate()[0])
        if self._is_utf8:
            return "utf-8-sig"
        return "cp1252" if self._is_windows else ""


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def prepare(given: InputFile, secret: bytes, most: int) -> Content:
    """Read a file once.

    Raises:
        FileFault: ``B05`` too large, ``B03`` ends within a character, ``B13`` or ``B10`` unreadable.
    """
    keyed, encoding = hmac.new(secret, digestmod=hashlib.sha256), _Encoding()
    size = lines = 0
    sensible = True
    with given.open() as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise FileFault("B05", given.shown)
            keyed.update(chunk)
            encoding.feed(chunk)
            ends = chunk.count(b"\n") or chunk.count(b"\r")
            lines += ends
            sensible = sensible and (ends > 0 or len(chunk) < CHUNK)
    name = encoding.name()
    if encoding.cut:
        raise FileFault("B03", given.shown, lines + 1)
    # What remembers rows makes room for so many at once: a file of nothing but line ends has none.
    return Content(keyed.digest(), name, min(lines, size // _SHORTEST) + 1, sensible)


@contextmanager
def same_bytes(given: InputFile, secret: bytes, mac: bytes) -> Iterator[BinaryIO]:
    """The bytes whose keyed hash is ``mac``; ``B07`` when they are others."""
    if given.size > HELD:
        if prepare(given, secret, given.size).mac != mac:
            raise FileFault("B07", given.shown)
        with given.open() as stream:
            yield stream
        return
    with given.open() as stream:
        held = stream.read(HELD + 1)
    if not hmac.compare_digest(hmac.new(secret, held, hashlib.sha256).digest(), mac):
        raise FileFault("B07", given.shown)
    yield BytesIO(held)


def settled(
    given: InputFile, now_ns: Callable[[], int] = time.time_ns, sleep: Callable[[float], None] = time.sleep
) -> Stamp:
    """The state of a file that is no longer written to; one look back when it was written to a moment ago.

    Raises:
        FileFault: ``B07`` when it changed meanwhile, ``B13`` when it is gone.
    """
    stamp = given.stamp()
    age = now_ns() - stamp.mtime_ns
    if age < SETTLED_NS and given.path is not None:
        sleep(min(SETTLED_NS, SETTLED_NS - age) / 1e9)
        if given.stamp() != stamp:
            raise FileFault("B07", given.shown)
    return stamp
