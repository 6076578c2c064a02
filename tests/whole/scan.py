"""Looks for people at rest: numbers, names and birth dates of delivered files, in clear or in a guessable form.

Every form is a string of at least eight bytes. The last eight bytes of each are kept as one 64-bit word, and data are
compared word by word at all eight alignments, in C: 40 ns per byte however many forms there are. A word that is known
is then looked at in full. Names are too short for that and are one regular expression.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from crypto import oprf

_CHUNK: Final = 1 << 20
_OVERLAP: Final = 64  # longer than any form
_ZEROS: Final = bytes(_CHUNK)  # Kafka's indices are files of 10 MB with almost nothing in them
_HASHES: Final = ("md5", "sha1", "sha256", "sha512")
_DIGITS: Final = b"0123456789"

_BSN_XML: Final = re.compile(r"Bsn>\s*(\d{9})\s*<")
_BSN_CSV: Final = re.compile(r"(?<!\d)9\d{8}(?!\d)")
_BORN: Final = re.compile(r"Geboortedatum>\s*<[^>]*Datum>(\d{4}-\d{2}-\d{2})<")
_NAME: Final = re.compile(r"(?:Achternaam|Voornamen)>(Test[^<]*)<")
_REFERENCE: Final = re.compile(r"(?<!\d)0\d{8}(?!\d)|(?<!\d)\d{6}-\d{1,2}(?!\d)")


class People(NamedTuple):
    """What must not be found: numbers, names as written in XML, birth dates, and references that could be looked up."""

    bsns: frozenset[str]
    names: frozenset[str] = frozenset()
    births: frozenset[date] = frozenset()
    references: frozenset[str] = frozenset()


class Hit(NamedTuple):
    """Where something was found and in which form; not what it was."""

    place: str
    form: str


class _Form(NamedTuple):
    name: str
    data: bytes


def people_in(folder: Path) -> People:
    """Everybody in the simulator's files, with the numbers that were made wrong on purpose."""
    bsns, names, births, references = set(), set(), set(), set()
    for path in folder.rglob("*"):
        if path.suffix == ".xml":
            text = path.read_text("utf-8")
            bsns |= set(_BSN_XML.findall(text))
            names |= set(_NAME.findall(text))
            births |= {date.fromisoformat(day) for day in _BORN.findall(text)}
        elif path.suffix == ".csv":
            text = path.read_bytes().decode("latin-1")
            bsns |= set(_BSN_CSV.findall(text))
            references |= set(_REFERENCE.findall(text))
    return People(frozenset(bsns), frozenset(names), frozenset(births), frozenset(references))


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters of base64 that ``data`` alone decides, at each of its three alignments, in both alphabets."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)
        sure = text[-(-8 * shift // 6) : (shift + len(data)) * 8 // 6]
        yield from {sure, sure.translate(bytes.maketrans(b"+/", b"-_"))}


def _forms_of_bytes(name: str, data: bytes) -> Iterator[_Form]:
    """Raw, hexadecimal in both cases, base64."""
    yield _Form(f"{name}, raw", data)
    for text in {data.hex(), data.hex().upper()}:
        yield _Form(f"{name}, hex", text.encode())
    for text64 in _base64(data):
        yield _Form(f"{name}, base64", text64)


def forms_of_number(bsn: str) -> Iterator[_Form]:
    """Every form of one BSN. Of a digest the first nine bytes do: who cuts it shorter has no pseudonym either."""
    clear = bsn.encode()
    yield from _forms_of_bytes("number", clear)
    yield _Form("number, utf-16", bsn.encode("utf-16-le")[:-1])  # of both byte orders
    for text in (clear, oprf.bsn_input(bsn)):
        for algorithm in _HASHES:
            yield from _forms_of_bytes(algorithm, hashlib.new(algorithm, text).digest()[:9])
    yield from _forms_of_bytes("point", oprf.hash_to_group(oprf.bsn_input(bsn))[:9])


def _forms(people: People) -> Iterator[_Form]:
    for bsn in people.bsns:
        yield from forms_of_number(bsn)
    for born in people.births:
        for layout in ("%Y-%m-%d", "%Y%m%d", "%d-%m-%Y"):
            yield _Form("birth date", f"{born:{layout}}".encode())
    for reference in people.references:
        yield _Form("reference", reference.encode())


def _names(people: People) -> re.Pattern[bytes]:
    spellings = {
        text.encode(encoding)
        for name in people.names
        for text in (name, name.replace("&amp;", "&"))
        for encoding in ("utf-8", "latin-1", "utf-16-le")
    }
    return re.compile(b"|".join(re.escape(s) for s in sorted(spellings)) if spellings else b"(?!)")


class Scan:
    """Looks at files and pieces of data; ``hits`` says where somebody was found, ``bytes_read`` how much was seen."""

    def __init__(self, people: People) -> None:
        self.bytes_read = 0
        self._names = _names(people)
        self._forms: dict[int, list[_Form]] = {}
        for form in _forms(people):
            self._forms.setdefault(_word(form.data[-8:]), []).append(form)
        self._words = frozenset(self._forms)
        self._found: set[Hit] = set()
        self._pieces: list[tuple[str, bytes]] = []
        self._waiting = 0

    @property
    def hits(self) -> list[Hit]:
        """Everything found so far."""
        self._flush()
        return sorted(self._found)

    def tree(self, folder: Path, *excluded: Path) -> None:
        """Every file below a folder, and its name, but for the excluded folders."""
        found = (Path(place) / name for place, *names in os.walk(folder) for name in chain(*names))
        for path in sorted(found):
            if any(path.is_relative_to(other) for other in excluded) or path.is_symlink():
                continue
            self.piece(f"name of {path}", str(path.relative_to(folder)).encode())
            if path.is_file():
                self.file(path)

    def file(self, path: Path) -> None:
        """One file as it is on disk; a file that goes away meanwhile (a segment, a merged part) is left out."""
        try:
            with path.open("rb") as stream:
                tail = b""
                while chunk := stream.read(_CHUNK):
                    if chunk != _ZEROS[: len(chunk)]:
                        self._look(str(path), tail + chunk)
                    tail = chunk[-_OVERLAP:]
        except FileNotFoundError:
            return

    def piece(self, place: str, data: bytes) -> None:
        """A small piece: pieces are looked at together."""
        self._pieces.append((place, data))
        self._waiting += len(data) + 1
        if self._waiting > _CHUNK:
            self._flush()

    def pieces(self, place: str, many: Iterable[bytes]) -> int:
        """Many pieces of one place; how many there were."""
        count = 0
        for data in many:
            self.piece(place, data)
            count += 1
        return count

    def _flush(self) -> None:
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        if pieces and self._forms_in(b"\n".join(data for _, data in pieces)):
            for place, data in pieces:
                self._look(place, data, again=True)
        self.bytes_read += sum(len(data) for _, data in pieces)

    def _look(self, place: str, data: bytes, *, again: bool = False) -> None:
        self.bytes_read += 0 if again else len(data)
        self._found |= {Hit(place, form) for form in self._forms_in(data)}

    def _forms_in(self, data: bytes) -> set[str]:
        view = memoryview(data)
        known: set[int] = set()
        for shift in range(min(8, max(0, len(data) - 7))):
            known |= self._words.intersection(view[shift : shift + (len(data) - shift) // 8 * 8].cast("Q"))
        found = {form.name for word in known for form in self._forms[word] if _occurs(form, data)}
        return found | ({"name"} if self._names.search(data) else set())


def _word(eight: bytes) -> int:
    return int.from_bytes(eight, sys.byteorder)


def _occurs(form: _Form, data: bytes) -> bool:
    """Whether a form stands in the data; digits by themselves must not be a part of another number."""
    place = data.find(form.data)
    while place >= 0:
        if not form.data[:1].isdigit() or _stands_alone(form, data, place):
            return True
        place = data.find(form.data, place + 1)
    return False


def _stands_alone(form: _Form, data: bytes, place: int) -> bool:
    """A BSN counts within longer numbers too (a joined key), but for times since 1970; the rest by itself only."""
    if form.name not in ("number, raw", "birth date", "reference"):
        return True
    begin, end = place, place + len(form.data)
    while begin and data[begin - 1] in _DIGITS:
        begin -= 1
    while end < len(data) and data[end] in _DIGITS:
        end += 1
    if form.name == "number, raw":
        return not (end - begin in (13, 16, 19) and data[begin : begin + 1] == b"1")
    return end - begin == len(form.data)
