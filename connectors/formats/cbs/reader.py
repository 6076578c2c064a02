"""CBS-structured files (Almere) to facts: one line, one period of one form of help, with its outcomes (CBS version 7).

Lines with the same key (client, first day, form of help) are one record [F]. The first pass finds the keys that occur
more than once, the second merges their lines. A client without a BSN has the key of CBS instead: sex, birth date,
postcode, first day, form of help. Under such a key, lines that contradict each other are twins and stay apart [P].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from msgspec.structs import replace

from connectors.formats.cbs import fields
from connectors.formats.cbs.layout import Indeling
from connectors.formats.cbs.rows import lijnen
from connectors.formats.model import Afwijzing, BestandFout, Invoer, Regel
from connectors.formats.seen import Seen
from domain.facts.checks import check
from domain.facts.fact import CbsRecord
from domain.field.bsn import SPECIALS, elfproef

#: Lines held in memory because their keys occur more than once [P].
MEESTE_GELIJK: Final = 20_000
ONGEBOREN: Final = "000000000"


class _Record(NamedTuple):
    """One line that is right: whose it is, and what it says."""

    regel: int
    regels: int
    bsn: str | None
    terugval: str
    fact: CbsRecord
    cellen: tuple[str, ...]


def records(stream: BinaryIO, invoer: Invoer) -> Iterator[Regel]:
    """One record per key; refused lines one by one. ``BestandFout`` when the file as a whole is refused."""
    layout, periode = invoer.keuzes.indeling, invoer.keuzes.periode
    if layout is None:
        raise BestandFout("B14", invoer.naam)
    if not periode:
        raise BestandFout("B17", invoer.naam)
    if periode not in fields.halfjaren(invoer.vandaag):
        raise BestandFout("B18", invoer.naam)
    table = _Table(layout, invoer)
    for lijn in lijnen(stream, invoer, layout):
        if lijn.velden is None:
            yield Regel(lijn.regel, 1, None, Afwijzing("G10", ""))
        else:
            yield from table.line(lijn.regel, lijn.velden)
    yield from table.end()


class _Table:
    """Reads the lines of one file; holds only those whose key occurs more than once."""

    def __init__(self, layout: Indeling, invoer: Invoer) -> None:
        self._layout, self._invoer, self._seen = layout, invoer, Seen(invoer.regels)
        self._first, self._last = fields.grenzen(invoer.keuzes.periode)
        self._held: dict[str, list[_Record]] = {}
        self._count = 0

    def line(self, number: int, velden: dict[str, str]) -> Iterator[Regel]:
        """One line: its record, its refusal, or nothing when it is dropped or held."""
        try:
            record = self._record(number, velden)
        except fields.Fout as fault:
            yield Regel(number, 1, None, Afwijzing(fault.code, fault.veld), _shown(velden))
            return
        if record is None:
            self._invoer.telling.buiten += 1
            return
        key = f"{record.bsn or record.terugval}|{record.fact.begindatum}|{record.fact.hulpvorm}"
        token = hash(key)
        if not self._seen.add(token):
            self._invoer.verspreid.add(token)
        if token not in self._invoer.verspreid:
            yield _regel(record)
            return
        self._count += 1
        if self._count > MEESTE_GELIJK:
            raise BestandFout("B19", self._invoer.naam, number)
        self._held.setdefault(key, []).append(record)

    def end(self) -> Iterator[Regel]:
        """The merged records, in order of their first line."""
        merged = [record for group in self._held.values() for record in samen(group)]
        yield from map(_regel, sorted(merged))

    def _record(self, number: int, velden: dict[str, str]) -> _Record | None:
        gemeente, postcode = fields.gemeente(velden["postcode"], self._layout)
        if not gemeente:
            return None
        bsn = velden["bsn"]
        if bsn not in SPECIALS and not elfproef(bsn):
            raise fields.Fout("G01", "BSN")
        fact = self._fact(velden, gemeente, unborn=bsn == ONGEBOREN)
        fallback = "" if bsn not in SPECIALS else fields.sleutel(velden, postcode, fact.hulpvorm)
        problem = check(fact)
        if problem is not None:
            raise fields.Fout(problem.code, problem.veld)
        return _Record(number, 1, None if fallback else bsn, fallback, fact, _shown(velden))

    def _fact(self, velden: dict[str, str], gemeente: str, *, unborn: bool) -> CbsRecord:
        today = self._invoer.vandaag
        begin, einde = fields.dag(velden["begindatum"], today, "datum aanvang"), None
        if velden["einddatum"]:
            einde = fields.dag(velden["einddatum"], today, "datum einde")
        if einde is not None and einde < begin:
            raise fields.Fout("G06", "datum einde")
        reden = fields.code(velden, "reden")
        if (einde is None) != (not reden):
            raise fields.Fout("G07", "reden")
        if begin > self._last or (einde is not None and einde < self._first):
            raise fields.Fout("G09", "datum aanvang" if begin > self._last else "datum einde")
        years, roughly = fields.leeftijd(velden["geboortedatum"], begin, today, unborn=unborn)
        return CbsRecord(
            gemeente,
            fields.code(velden, "hulpvorm"),
            fields.code(velden, "verwijzer"),
            fields.code(velden, "crisis"),
            begin,
            einde,
            reden,
            fields.geslacht(velden["geslacht"]),
            years,
            roughly,
            *fields.uitkomsten(velden, self._layout.informanten),
            self._invoer.keuzes.periode,
            self._invoer.tijd,
        )


def _regel(record: _Record) -> Regel:
    return Regel(record.regel, record.regels, record.bsn, record.fact, record.cellen, record.terugval)


def _shown(velden: dict[str, str]) -> tuple[str, ...]:
    return velden["bsn"], velden["begindatum"], velden["hulpvorm"]


def samen(group: list[_Record]) -> list[_Record]:
    """The records of lines with one key, in order of the lines.

    With a BSN they are one [F]. With a fallback key a line joins the first child that it does not contradict; each
    further child gets a number behind the key [P].
    """
    children: list[_Record] = []
    for record in group:
        place = next(
            (n for n, child in enumerate(children) if child.bsn or not strijdig(child.fact, record.fact)), None
        )
        if place is None:
            number = f"|{len(children) + 1}" if children else ""
            children.append(record._replace(terugval=record.terugval + number if record.terugval else ""))
        else:
            child = children[place]
            children[place] = child._replace(regels=child.regels + 1, fact=_verenigd(child.fact, record.fact))
    return children


_VAN_BEIDE: Final = (
    *("verwijzer", "crisis", "geslacht", "leeftijd"),
    *("nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder"),
)


def strijdig(a: CbsRecord, b: CbsRecord) -> bool:
    """Whether two lines of one fallback key cannot be about one child."""
    if (a.einddatum, a.reden) != (b.einddatum, b.reden):
        return True
    pairs = ((getattr(a, name), getattr(b, name)) for name in _VAN_BEIDE)
    return any(x not in (None, "") and y not in (None, "") and x != y for x, y in pairs)


def _verenigd(a: CbsRecord, b: CbsRecord) -> CbsRecord:
    """One record of two: it ends when the last one ends; for the rest the later line counts where it says something."""
    running = a.einddatum is None or b.einddatum is None
    ends = a if a.einddatum is not None and b.einddatum is not None and a.einddatum > b.einddatum else b
    later = {name: value for name in _VAN_BEIDE if (value := getattr(b, name)) not in (None, "")}
    return replace(
        a,
        einddatum=None if running else ends.einddatum,
        reden="" if running else ends.reden,
        **later,
    )
