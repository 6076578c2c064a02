"""What a parser yields: one record of a file, ready to be sealed."""

from __future__ import annotations

from msgspec import Struct

from domain.facts import Fact


class Afwijzing(Struct, frozen=True, gc=False):
    """A refused row or message: the rule and the field, nothing of its content."""

    code: str  # of domain.meldingen
    veld: str


class Regel(Struct, frozen=True, gc=False):
    """One record: where it stands in its file, whose it is, and what it says."""

    regel: int  # first row or element, from 1
    regels: int  # rows it covers
    bsn: str | None  # None when refused
    inhoud: Fact | Afwijzing


class BestandFout(Exception):  # noqa: N818 - the field's word
    """A whole file is refused: code of ``domain.meldingen``, file name, line and field. Never holds content."""

    def __init__(self, code: str, bestand: str, regel: int = 0, veld: str = "") -> None:
        super().__init__(code, bestand, regel, veld)
        self.code, self.bestand, self.regel, self.veld = code, bestand, regel, veld
