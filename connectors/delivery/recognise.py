"""What a file is and who sends it, from its first bytes. A name alone decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from lxml import etree

from connectors.delivery.bystanders import is_litter, is_packed, is_page
from connectors.formats import cem, rap
from connectors.formats.cbs import reader as cbs
from connectors.formats.cbs.layout import Layout
from connectors.formats.cbs.rows import XLSX, is_csv, is_fixed
from connectors.formats.csv_lines import best_header, is_blank, is_hint, seen, split
from connectors.formats.ijw.reader import declarations, starts, stops
from connectors.formats.ijw.returns import returns
from connectors.formats.ijw.toewijzing import assignments
from connectors.formats.ijw.well_formed import malformed
from connectors.formats.ijw.xml_stream import XmlFault, hardened
from connectors.formats.model import FileFault, Parser
from domain.field.dates import iso_day
from domain.field.formats import FORMATS, IJW_MESSAGES

#: How much of a file is looked at.
HEAD: Final = 65_536
#: Number of an iJw message -> kind of delivery.
KINDS: Final = {name.removeprefix("JW"): FORMATS[name] for name in IJW_MESSAGES}
NAMESPACE: Final = re.compile(
    rf"\{{http://www\.istandaarden\.nl/ijw/[0-9]_[0-9]/jw({'|'.join(KINDS)})/schema\}}Bericht"
)
#: Messages that the municipality sends: the provider whom they concern is the receiver.
OF_GEMEENTE: Final = frozenset({"301", "325"})
#: Messages of the field between others, or of another act: nothing is wrong with them, and nothing is done with them.
OTHERS: Final = re.compile(
    r"\{http://www\.istandaarden\.nl/i(?:jw|wmo)/[0-9]_[0-9]/(jw302|jw315|jw316|jw317|jw318|jw319|jw320|wmo3[0-9]{2})"
    r"/schema\}.*"
)
NOT_FOR_US: Final = "B21"
#: Named instead of a message: files that no program delivers.
LITTER: Final = "geen levering"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
_WORKBOOK, _ENCRYPTED = (name.encode("utf-16-le") for name in ("Workbook", "EncryptedPackage"))
LONGEST: Final = 1_000
#: Columns that make a file a CEM+ file; fewer may be those of another form (BSN and informant are in a CBS file too).
CEM_RECOGNISED: Final = 3
#: Lines that are searched for a header when the first is none.
TITLE_LINES: Final = 20
AGB: Final = re.compile(r"[0-9]{8}")
_PREFIX: Final = re.compile(r"([0-9]{8})[_-]")
_SEPARATORS: Final = re.compile(r"[;,\t]")
PARSERS: Final[dict[str, Parser]] = {
    "start": starts,
    "stop": stops,
    "declaration": declarations,
    "score": rap.scores,
    "cem": cem.metingen,
    "assignment": assignments,
    "return": returns,
    "cbs": cbs.records,
}
#: Files that are no messages: they have no mark of their own and may name no sender.
CSV_KINDS: Final = frozenset({"score", "cem", "cbs"})


class Recognised(NamedTuple):
    """Kind of facts, and the sender that the file itself names (empty when it names none)."""

    kind: str
    sender: str


def recognise(head: bytes, file_name: str, shown: str, layout: Layout | None = None) -> Recognised:
    """Kind and sender of a file by its first bytes; a CBS file only with its layout.

    Raises:
        FileFault: ``B01`` empty, ``B02`` of no known kind, ``B04`` another encoding, ``B14`` an Office file, ``B21``
            not for the monitor, ``B23`` an Excel file of the old form, ``B25`` XML that is not well-formed, ``B26``
            packed by another program than zip, ``B27`` a web page.
    """
    if is_litter(head, file_name):
        raise FileFault(NOT_FOR_US, shown, veld=LITTER)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise FileFault("B01", shown)
    if head.startswith(_OLD_OFFICE):
        raise FileFault("B23" if _is_workbook(head, file_name) else "B14", shown)
    if head.startswith(XLSX):
        if layout is None:
            raise FileFault("B14", shown)
        return Recognised("cbs", _from_name(file_name))
    if is_packed(head):
        raise FileFault("B26", shown)
    if is_page(head):
        raise FileFault("B27", shown)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head:
        raise FileFault("B04", shown)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return _xml(head, shown)
    return _csv(head, file_name, shown, layout)


def _is_workbook(head: bytes, file_name: str) -> bool:
    """Whether a file in the old form of Office is a workbook; an encrypted ``.xlsx`` has that form too."""
    if _ENCRYPTED in head:
        return False
    return file_name.casefold().endswith(".xls") or _WORKBOOK in head


class _Found(Exception):
    pass


class _Peek:
    """Reads as far as sender and receiver and stops."""

    def __init__(self) -> None:
        self.root, self._inside, self._elements = "", "", 0
        self.named = {"Afzender": "", "Ontvanger": ""}

    def doctype(self, *_args: object) -> None:
        raise XmlFault("XSD", "DOCTYPE")

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        self._elements += 1
        self._inside = tag.rpartition("}")[2]

    def data(self, text: str) -> None:
        if self._inside in self.named and len(self.named[self._inside]) <= LONGEST:
            self.named[self._inside] += text

    def end(self, tag: str) -> None:
        self._inside = ""
        if tag.endswith("}Ontvanger") or self._elements > 20:
            raise _Found

    def close(self) -> None:
        return None


def _xml(head: bytes, shown: str) -> Recognised:
    peek = _Peek()
    if b"<!DOCTYPE" not in head:
        parser = hardened(peek)
        try:
            parser.feed(head.removeprefix(b"\xef\xbb\xbf"))
            parser.close()
        except etree.XMLSyntaxError as error:
            if not peek.root and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml"):
                raise FileFault("B25", shown, *malformed(error)) from None
        except (_Found, XmlFault):
            pass  # the parser of the kind says what is wrong; here only what was read before counts
    other = OTHERS.fullmatch(peek.root)
    if other is not None:
        raise FileFault(NOT_FOR_US, shown, veld=other.group(1).upper())
    found = NAMESPACE.fullmatch(peek.root)
    if found is None:
        raise FileFault("B02", shown)
    sender = peek.named["Ontvanger" if found.group(1) in OF_GEMEENTE else "Afzender"]
    return Recognised(KINDS[found.group(1)], sender if AGB.fullmatch(sender) else "")


def _csv(head: bytes, file_name: str, shown: str, layout: Layout | None) -> Recognised:
    text = seen(head.decode("utf-8-sig", errors="replace"))
    if layout is not None and (is_csv(text, layout) or is_fixed(text, layout)):
        return Recognised("cbs", _from_name(file_name))
    lines = [line for line in text.splitlines() if not is_blank(line) and not is_hint(line)]
    if not lines:
        raise FileFault("B02", shown)
    score = len(best_header(lines[0], rap.COLUMNS).places)
    cem_plus = len(best_header(lines[0], cem.COLUMNS).places)
    if score < 2 and cem_plus < CEM_RECOGNISED:
        return _below_a_title(lines, file_name) or _headless(lines[0], file_name, shown)
    if score > cem_plus:
        return Recognised("score", _from_name(file_name))
    return Recognised("cem", _first_provider(lines))


def _is_header(line: str, columns: Sequence[str], needed: Mapping[str, Sequence[str]]) -> bool:
    places = best_header(line, columns).places
    return all(any(column in places for column in choice) for choice in needed.values())


def _below_a_title(lines: list[str], file_name: str) -> Recognised | None:
    """A file whose header stands below a title: its kind is told, so that the refusal says what is wrong (B06)."""
    for at, line in enumerate(lines[1:TITLE_LINES], 1):
        if _is_header(line, cem.COLUMNS, cem.NEEDED):
            return Recognised("cem", _first_provider(lines[at:]))
        if _is_header(line, rap.COLUMNS, rap.NEEDED):
            return Recognised("score", _from_name(file_name))
    return None


def _headless(line: str, file_name: str, shown: str) -> Recognised:
    """A file that starts with data is of a kind too, so that the refusal (B06) can be counted."""
    cells = [cell.strip(' "') for cell in _SEPARATORS.split(line)]
    if any(cell.startswith("CEM+_") for cell in cells):
        return Recognised("cem", next((cell for cell in cells if AGB.fullmatch(cell)), ""))
    if len(cells) == len(rap.COLUMNS) and any(cell.upper() in rap.TYPES for cell in cells):
        return Recognised("score", _from_name(file_name))
    raise FileFault("B02", shown)


def _first_provider(lines: list[str]) -> str:
    header = best_header(lines[0], cem.COLUMNS)
    place = header.places.get("zorgaanbieder_id")
    for line in lines[1:] if place is not None else ():
        cells = split(line, header.separator) or []
        if place is not None and place < len(cells) and AGB.fullmatch(cells[place].strip()):
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
