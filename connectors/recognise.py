"""What a file is and who sends it, from its first bytes. A name alone decides nothing."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from lxml import etree

from connectors import cem, rap
from connectors.csv_lines import best_header, is_blank, split
from connectors.ijw import declarations, starts, stops
from connectors.model import BestandFout, Parser
from connectors.xml_stream import XmlFault, hardened
from domain.dates import iso_day

#: How much of a file is looked at.
HOOFD: Final = 65_536
_NAMESPACE: Final = re.compile(r"\{http://www\.istandaarden\.nl/ijw/[0-9]_[0-9]/jw(305|307|323)/schema\}Bericht")
_KINDS: Final = {"305": "start", "307": "stop", "323": "declaration"}
_AGB: Final = re.compile(r"[0-9]{8}")
_PREFIX: Final = re.compile(r"([0-9]{8})[_-]")
_SEPARATORS: Final = re.compile(r"[;,\t]")
PARSERS: Final[dict[str, Parser]] = {
    "start": starts,
    "stop": stops,
    "declaration": declarations,
    "score": rap.scores,
    "cem": cem.metingen,
}
CSV_KINDS: Final = frozenset({"score", "cem"})


class Herkend(NamedTuple):
    """Kind of facts, and the sender that the file itself names (empty when it names none)."""

    kind: str
    afzender: str


def recognise(head: bytes, file_name: str, shown: str) -> Herkend:
    """Kind and sender of a file by its first bytes.

    Raises:
        BestandFout: ``B01`` empty, ``B02`` of no known kind, ``B04`` another encoding, ``B14`` an Office file.
    """
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise BestandFout("B01", shown)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise BestandFout("B14", shown)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head:
        raise BestandFout("B04", shown)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return _xml(head, shown)
    return _csv(head, file_name, shown)


class _Found(Exception):
    pass


class _Peek:
    """Reads as far as the sender and stops."""

    def __init__(self) -> None:
        self.root, self.sender, self._inside, self._elements = "", "", False, 0

    def doctype(self, *_args: object) -> None:
        raise XmlFault("XSD", "DOCTYPE")

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        self._elements += 1
        self._inside = tag.endswith("}Afzender")

    def data(self, text: str) -> None:
        if self._inside:
            self.sender += text

    def end(self, tag: str) -> None:
        if tag.endswith("}Afzender") or self._elements > 20:
            raise _Found

    def close(self) -> None:
        return None


def _xml(head: bytes, shown: str) -> Herkend:
    peek = _Peek()
    if b"<!DOCTYPE" not in head:
        parser = hardened(peek)
        try:
            parser.feed(head.removeprefix(b"\xef\xbb\xbf"))
            parser.close()
        except (_Found, XmlFault, etree.XMLSyntaxError):
            pass  # the parser of the kind says what is wrong; here only what was read before counts
    found = _NAMESPACE.fullmatch(peek.root)
    if found is None:
        raise BestandFout("B02", shown)
    return Herkend(_KINDS[found.group(1)], peek.sender if _AGB.fullmatch(peek.sender) else "")


def _csv(head: bytes, file_name: str, shown: str) -> Herkend:
    text = head.decode("utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if not is_blank(line) and not line.lower().startswith("sep=")]
    if not lines:
        raise BestandFout("B02", shown)
    score = len(best_header(lines[0], rap.KOLOMMEN).plaats)
    cem_plus = len(best_header(lines[0], cem.KOLOMMEN).plaats)
    if max(score, cem_plus) < 2:
        return _headless(lines[0], file_name, shown)
    if score > cem_plus:
        return Herkend("score", _from_name(file_name))
    return Herkend("cem", _first_provider(lines))


def _headless(line: str, file_name: str, shown: str) -> Herkend:
    """A file that starts with data is of a kind too, so that the refusal (B06) can be counted."""
    cells = [cell.strip(' "') for cell in _SEPARATORS.split(line)]
    if any(cell.startswith("CEM+_") for cell in cells):
        return Herkend("cem", next((cell for cell in cells if _AGB.fullmatch(cell)), ""))
    if len(cells) == len(rap.KOLOMMEN) and any(cell.upper() in rap.TYPEN for cell in cells):
        return Herkend("score", _from_name(file_name))
    raise BestandFout("B02", shown)


def _first_provider(lines: list[str]) -> str:
    header = best_header(lines[0], cem.KOLOMMEN)
    place = header.plaats.get("zorgaanbieder_id")
    for line in lines[1:] if place is not None else ():
        cells = split(line, header.scheiding) or []
        if place is not None and place < len(cells) and _AGB.fullmatch(cells[place].strip()):
            return cells[place].strip()
    return ""


def _from_name(file_name: str) -> str:
    """An AGB code at the start of a file name; a day written as yyyymmdd is none."""
    found = _PREFIX.match(file_name)
    if found is None:
        return ""
    digits = found.group(1)
    try:
        day = iso_day(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    except ValueError:
        return digits
    return "" if iso_day("2015-01-01") <= day < iso_day("2100-01-01") else digits
