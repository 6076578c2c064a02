"""What a parser is given and what it yields: one record of a file, ready to be sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

from msgspec import Struct

from connectors.formats.areas import Areas
from connectors.formats.cbs.layout import Layout
from domain.facts.fact import Content
from domain.field.dates import dutch_day
from domain.field.geography import GEMEENTEN
from domain.field.messages import text
from faults import SenderFault

#: How many findings of one refused message are shown to its sender.
MOST_FINDINGS: Final = 100


class Afwijzing(Struct, frozen=True, gc=False):
    """A refused row or message: the rule and the field, nothing of its content."""

    code: str  # of domain.field.messages
    veld: str


class FileRecord(Struct, frozen=True, gc=False):
    """One record: where it stands in its file, whose it is, and what it says."""

    regel: int  # first row or element, from 1
    regels: int  # rows it covers
    bsn: str | None  # None when refused
    inhoud: Content | Afwijzing
    cells: tuple[str, ...] = ()  # the row as its sender wrote it, for the sender's own screen; never sealed
    fallback: str = ""  # what names a client without a BSN (CBS); blinded like one, under a prefix of its own

    def __repr__(self) -> str:
        return f"FileRecord({self.regel}, {self.regels}, {type(self.inhoud).__name__})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("regel", self.regel), ("inhoud", type(self.inhoud).__name__)]


class Found(NamedTuple):
    """One thing that is wrong in a refused file: code, number of the row or element, and field."""

    code: str
    place: int
    veld: str


class FileFault(SenderFault):
    """A whole file is refused: code of ``domain.field.messages``, file name, line and field. Never holds content."""

    def __init__(self, code: str, file: str, row: int = 0, veld: str = "", found: tuple[Found, ...] = ()) -> None:
        super().__init__(code, file, row, veld)
        self.code, self.file, self.row, self.veld = code, file, row, veld
        self.found = found or (Found(code, row, veld),)

    def __str__(self) -> str:
        where = f", regel {self.row}" if self.row else ""
        return f"{self.file}{where}: {text(self.code)} ({self.code}{', ' if self.veld else ''}{self.veld})"


@dataclass
class Tally:
    """Lines of a CSV file, as the technical feedback on a CEM+ upload counts them [F S0]."""

    total: int = 0
    empty: int = 0
    header: int = 0
    data: int = 0
    wrong: int = 0  # data lines whose form is wrong
    outside: int = 0  # metingen or CBS lines of another municipality: dropped before sealing


@dataclass(frozen=True)
class Choices:
    """What the sender's own settings say about reading files."""

    #: CBS codes of the municipalities whose metingen pass, where a file names one (BergOp) [P].
    gemeenten: frozenset[str] = frozenset(code for code, gemeente in GEMEENTEN.items() if gemeente.cluster)
    layout: Layout | None = None  # columns of a CBS file
    periode: str = ""  # half year that a CBS file reports: 2026-1
    areas: Areas | None = None  # postcode areas of the region, for JW301 and CBS files

    def mark(self, kind: str, *, dropped: bool) -> list[bytes]:
        """What of it decides which records the same bytes make: with another choice it is another delivery."""
        areas = [self.areas.mark] if self.areas is not None and kind in ("assignment", "cbs") else []
        if kind == "cbs" and self.layout is not None:
            return [self.periode.encode(), self.layout.mark, *areas]
        return [",".join(sorted(self.gemeenten)).encode(), *areas] if dropped else areas


@dataclass
class FileContext:
    """What a parser knows of a file besides its bytes."""

    name: str  # as shown; holds no BSN
    sender: str  # AGB code
    tijd: int  # upload time, ms
    encoding: str = "utf-8"
    rows: int = 1_000  # to make room for: an upper bound of those that are remembered
    tally: Tally = field(default_factory=Tally)
    choices: Choices = Choices()
    #: Metingen whose rows are scattered over the file, found in the first pass and refused in the second;
    #: in a CBS file the keys that occur more than once, whose lines are merged in the second.
    scattered: set[int] = field(default_factory=set)
    #: Place of this provider in a feed of many, whose other rows are not of this delivery; None in any other file.
    share: int | None = None

    @property
    def today(self) -> int:
        """The Dutch day of the upload, as a day number."""
        return dutch_day(self.tijd)


Parser = Callable[[BinaryIO, FileContext], Iterator[FileRecord]]
