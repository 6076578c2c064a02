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
from connectors.formats.cbs.layout import Layout
from connectors.formats.cbs.rows import lines
from connectors.formats.model import Afwijzing, FileContext, FileFault, FileRecord
from connectors.formats.seen import Seen
from domain.facts.checks import check
from domain.facts.fact import CbsRecord
from domain.field.bsn import SPECIALS, elfproef

#: Lines held in memory because their keys occur more than once [P].
MOST_EQUAL: Final = 20_000
UNBORN: Final = "000000000"


class _Record(NamedTuple):
    """One line that is right: whose it is, and what it says."""

    regel: int
    regels: int
    bsn: str | None
    fallback: str
    fact: CbsRecord
    cells: tuple[str, ...]


def records(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """One record per key; refused lines one by one. ``FileFault`` when the file as a whole is refused."""
    layout, periode = context.choices.layout, context.choices.periode
    if layout is None:
        raise FileFault("B14", context.name)
    if not periode:
        raise FileFault("B17", context.name)
    if periode not in fields.half_years(context.today):
        raise FileFault("B18", context.name)
    table = _Table(layout, context)
    for line in lines(stream, context, layout):
        if line.texts is None:
            yield FileRecord(line.number, 1, None, Afwijzing("G10", ""))
        else:
            yield from table.line(line.number, line.texts)
    yield from table.end()


class _Table:
    """Reads the lines of one file; holds only those whose key occurs more than once."""

    def __init__(self, layout: Layout, context: FileContext) -> None:
        self._layout, self._context, self._seen = layout, context, Seen(context.rows)
        self._first, self._last = fields.bounds(context.choices.periode)
        self._held: dict[str, list[_Record]] = {}
        self._count = 0

    def line(self, number: int, texts: dict[str, str]) -> Iterator[FileRecord]:
        """One line: its record, its refusal, or nothing when it is dropped or held."""
        try:
            record = self._record(number, texts)
        except fields.Fault as fault:
            yield FileRecord(number, 1, None, Afwijzing(fault.code, fault.veld), _shown(texts))
            return
        if record is None:
            self._context.tally.outside += 1
            return
        key = f"{record.bsn or record.fallback}|{record.fact.begindatum}|{record.fact.hulpvorm}"
        token = hash(key)
        if not self._seen.add(token):
            self._context.scattered.add(token)
        if token not in self._context.scattered:
            yield _row(record)
            return
        self._count += 1
        if self._count > MOST_EQUAL:
            raise FileFault("B19", self._context.name, number)
        self._held.setdefault(key, []).append(record)

    def end(self) -> Iterator[FileRecord]:
        """The merged records, in order of their first line."""
        merged = [record for group in self._held.values() for record in together(group)]
        yield from map(_row, sorted(merged))

    def _record(self, number: int, texts: dict[str, str]) -> _Record | None:
        gemeente, postcode = fields.gemeente(texts["postcode"], self._layout)
        if not gemeente:
            return None
        bsn = texts["bsn"]
        if bsn not in SPECIALS and not elfproef(bsn):
            raise fields.Fault("G01", "BSN")
        fact = self._fact(texts, gemeente, postcode, unborn=bsn == UNBORN)
        fallback = "" if bsn not in SPECIALS else fields.fallback_key(texts, postcode, fact.hulpvorm)
        problem = check(fact)
        if problem is not None:
            raise fields.Fault(problem.code, problem.veld)
        return _Record(number, 1, None if fallback else bsn, fallback, fact, _shown(texts))

    def _fact(self, texts: dict[str, str], gemeente: str, postcode: str, *, unborn: bool) -> CbsRecord:
        today, areas = self._context.today, self._context.choices.areas
        begin, end = fields.day_of(texts["begindatum"], today, "datum aanvang"), None
        if texts["einddatum"]:
            end = fields.day_of(texts["einddatum"], today, "datum einde")
        if end is not None and end < begin:
            raise fields.Fault("G06", "datum einde")
        reden = fields.code(texts, "reden")
        if (end is None) != (not reden):
            raise fields.Fault("G07", "reden")
        if begin > self._last or (end is not None and end < self._first):
            raise fields.Fault("G09", "datum aanvang" if begin > self._last else "datum einde")
        years, roughly = fields.leeftijd(texts["geboortedatum"], begin, today, unborn=unborn)
        return CbsRecord(
            gemeente=gemeente,
            hulpvorm=fields.code(texts, "hulpvorm"),
            verwijzer=fields.code(texts, "verwijzer"),
            crisis=fields.code(texts, "crisis"),
            begindatum=begin,
            einddatum=end,
            reden=reden,
            geslacht=fields.geslacht(texts["geslacht"]),
            leeftijd=years,
            leeftijd_benaderd=roughly,
            **fields.outcomes(texts, self._layout.informanten),
            periode=self._context.choices.periode,
            tijd=self._context.tijd,
            postcodegebied=areas.of(postcode) if areas is not None else "",
        )


def _row(record: _Record) -> FileRecord:
    return FileRecord(record.regel, record.regels, record.bsn, record.fact, record.cells, record.fallback)


def _shown(texts: dict[str, str]) -> tuple[str, ...]:
    return texts["bsn"], texts["begindatum"], texts["hulpvorm"]


def together(group: list[_Record]) -> list[_Record]:
    """The records of lines with one key, in order of the lines.

    With a BSN they are one [F]. With a fallback key a line joins the first child that it does not contradict; each
    further child gets a number behind the key [P].
    """
    children: list[_Record] = []
    for record in group:
        place = next(
            (n for n, child in enumerate(children) if child.bsn or not contradictory(child.fact, record.fact)), None
        )
        if place is None:
            number = f"|{len(children) + 1}" if children else ""
            children.append(record._replace(fallback=record.fallback + number if record.fallback else ""))
        else:
            child = children[place]
            children[place] = child._replace(regels=child.regels + 1, fact=_united(child.fact, record.fact))
    return children


OF_BOTH: Final = (
    *("verwijzer", "crisis", "geslacht", "leeftijd"),
    *("nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder"),
)


def contradictory(a: CbsRecord, b: CbsRecord) -> bool:
    """Whether two lines of one fallback key cannot be about one child."""
    if (a.einddatum, a.reden) != (b.einddatum, b.reden):
        return True
    pairs = ((getattr(a, name), getattr(b, name)) for name in OF_BOTH)
    return any(x not in (None, "") and y not in (None, "") and x != y for x, y in pairs)


def _united(a: CbsRecord, b: CbsRecord) -> CbsRecord:
    """One record of two: it ends when the last one ends; for the rest the later line counts where it says something."""
    running = a.einddatum is None or b.einddatum is None
    ends = a if a.einddatum is not None and b.einddatum is not None and a.einddatum > b.einddatum else b
    later = {name: value for name in OF_BOTH if (value := getattr(b, name)) not in (None, "")}
    return replace(
        a,
        einddatum=None if running else ends.einddatum,
        reden="" if running else ends.reden,
        **later,
    )
