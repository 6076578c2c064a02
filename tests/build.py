"""Facts, events, histories and their rows in few words: the one place where tests make them.

Every builder gives a fact that passes the checks; a test names what it is about, and any field can be given by name.
Days are counted from 1 January 2026. A history is a mix of facts and events: a bare fact is one of the first provider,
in the first line of its delivery; ``event`` and ``by`` say otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from domain.care.fold import rows_of
from domain.care.rows import CareRow, MetingRow, RowKey, ScoreRow, TrajectRow
from domain.facts.fact import (
    BerichtRetour,
    CbsRecord,
    Dubbel,
    Event,
    Fact,
    Intrekking,
    Meting,
    Prestatie,
    PrestatieRetour,
    Score,
    Start,
    Stop,
    Teruggenomen,
    Terugname,
    Toewijzing,
    Vervanging,
    Wisverzoek,
)
from domain.facts.fact_set import FactSet, add
from domain.field.dates import iso_day

CLIENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"
AGB, OTHER = "12345678", "87654321"
DELIVERY, OTHER_DELIVERY = "a" * 32, "b" * 32
D = iso_day("2026-01-01")
DAY_MS = 86_400_000
NUMBER = b"toew0001"

Told = Fact | Event


# --- facts --------------------------------------------------------------------------------------------------------


def start(
    begin: int = 0, toewijzing: bytes | None = NUMBER, *, status: int = 1, signed: int | None = None, **over: Any
) -> Start:
    """A start, signed three days after its begin, in a message of its own."""
    day = begin + 3 if signed is None else signed
    fact = Start(
        gemeente="0363", toewijzing=toewijzing, categorie="45", code="45A01", begindatum=D + begin, status=status,
        dagtekening=D + day, bericht=b"305 %d %d %d" % (begin, status, day), ingangsdatum=None, leeftijd=12,
        leeftijd_benaderd=False, geslacht="1",
    )  # fmt: skip
    return replace(fact, **over)


def stop(
    begin: int = 0, end: int = 100, reden: str = "31", toewijzing: bytes | None = NUMBER,
    *, status: int = 1, signed: int | None = None, **over: Any,
) -> Stop:  # fmt: skip
    """A stop of the start of that day, signed three days after its end, in a message of its own."""
    day = end + 3 if signed is None else signed
    fact = Stop(
        gemeente="0363", toewijzing=toewijzing, categorie="45", code="45A01", begindatum=D + begin,
        reden_beeindiging=reden, einddatum=D + end, status=status, dagtekening=D + day,
        bericht=f"307 {begin} {end} {reden} {status} {day}".encode(), ingangsdatum=None, leeftijd=12,
        leeftijd_benaderd=False, geslacht="1",
    )  # fmt: skip
    return replace(fact, **over)


def levering(begin: int = 0, end: int | None = None, reden: str = "31", **over: Any) -> list[Fact]:
    """A start and, with an end, its stop; what is given by name holds for both."""
    return [start(begin, **over), *([] if end is None else [stop(begin, end, reden, **over)])]


def toewijzing(day: int = 0, number: bytes = NUMBER, **over: Any) -> Toewijzing:
    """An open assignment from the first day, as decided on that day."""
    fact = Toewijzing(
        gemeente="0363", toewijzing=number, categorie="45", code="45A01", toewijzingsdatum=D + day, toewijzingstijd=0,
        ingangsdatum=D, einddatum=None, reden_wijziging="", volume=4, eenheid="14", frequentie="2", budget=None,
        dagtekening=D + day, bericht=b"301 %d" % day,
    )  # fmt: skip
    return replace(fact, **over)


def prestatie(number: str = "1", previous: str | None = None, **over: Any) -> Prestatie:
    """A declared line of January: the whole month, two etmalen of one euro; with a previous reference its credit."""
    fact = Prestatie(
        gemeente="0363",
        toewijzing=NUMBER,
        categorie="45",
        code="45A01",
        referentie=number.encode(),
        vorige_referentie=None if previous is None else previous.encode(),
        debet_credit="D" if previous is None else "C",
        begindatum=D,
        einddatum=D + 30,
        volume=2,
        eenheid="14",
        bedrag=200,
        dagtekening=D + 35,
        bericht=f"323 {number}".encode(),
        declaratienummer=b"dec00001",
        tarief=100,
    )
    return replace(fact, **over)


def score(toewijzing: bytes | None = NUMBER, beschikking: bytes | None = None, *, day: int = 0, **over: Any) -> Score:
    """The first goal, reached according to the parent, uploaded on a day."""
    fact = Score(
        toewijzing=toewijzing, beschikking=beschikking, doel=1, beoordelaar="O", waarde=2, tijd=(D + day) * DAY_MS
    )
    return replace(fact, **over)


def meting(filled_in: int = 0, form: str = "OE", *, day: int = 0, **over: Any) -> Meting:
    """A questionnaire of a parent at the end, filled in on one day and uploaded on another."""
    fact = Meting(
        meting=b"meting01", vragenlijst=f"CEM+_2018_{form}_v1", informant="Moeder", datum=D + filled_in,
        antwoorden={"VR09A": 8, "VR10": 3}, tijd=(D + day) * DAY_MS,
    )  # fmt: skip
    return replace(fact, **over)


def cbs_record(begin: int = 0, end: int | None = None, reden: str = "", *, day: int = 300, **over: Any) -> CbsRecord:
    """A CBS record without outcome, uploaded on a day; running, or ended by plan unless it says why."""
    fact = CbsRecord(
        gemeente="0034", hulpvorm="02", verwijzer="01", crisis="02", begindatum=D + begin,
        einddatum=None if end is None else D + end, reden=reden or ("" if end is None else "01"), geslacht="1",
        leeftijd=12, leeftijd_benaderd=False, nut_jeugdige=None, nut_ouder=None, zonder_hulp_jeugdige=None,
        zonder_hulp_ouder=None, periode="2026-1", tijd=(D + day) * DAY_MS,
    )  # fmt: skip
    return replace(fact, **over)


def prestatie_retour(number: str = "1", **over: Any) -> PrestatieRetour:
    """The rejection of a declared line, in the message that declared it unless another is named."""
    fact = PrestatieRetour(
        gemeente="0363", referentie=number.encode(), bericht=f"323 {number}".encode(), code="9338",
        dagtekening=D + 40,
    )  # fmt: skip
    return replace(fact, **over)


def bericht_retour(soort: str, bericht: bytes, code: str = "0001") -> BerichtRetour:
    """The answer on a whole message: a rejection, or with an empty code an approval."""
    return BerichtRetour(
        soort=soort, gemeente="0363", bericht=bericht, afgekeurd=bool(code), code=code, dagtekening=D + 40
    )


def intrekking(soort: str, bericht: bytes, code: str = "0001", *, day: int | None = None) -> Intrekking:
    """A message counts as never sent; ``day``: its dagtekening, None = whatever that is."""
    return Intrekking(soort=soort, bericht=bericht, code=code, bericht_dagtekening=day)


def dubbel(regel: str, sleutel: bytes, soort: str = "") -> Dubbel:
    """A number that was used twice, by the rule that it breaks."""
    return Dubbel(regel=regel, soort=soort, sleutel=sleutel)


def vervanging(aanlevering: str = DELIVERY, periode: str = "2026-1") -> Vervanging:
    """A CBS delivery that a later one replaced."""
    return Vervanging(periode=periode, aanlevering=aanlevering)


def terugname(aanlevering: str = DELIVERY, lines: int = 1, reden: str = "verkeerd bestand") -> Terugname:
    """A source takes a delivery of its own back."""
    return Terugname(aanlevering=aanlevering, lines=lines, reden=reden)


def wisverzoek(reden: str = "op verzoek") -> Wisverzoek:
    """A source asks that a client is forgotten."""
    return Wisverzoek(reden=reden)


def teruggenomen(aanlevering: str = DELIVERY, terug: int = 1, opnieuw: int = 0) -> Teruggenomen:
    """A delivery was taken back at a moment; perhaps sent anew at another."""
    return Teruggenomen(aanlevering=aanlevering, terug=terug, opnieuw=opnieuw)


# --- events and histories -----------------------------------------------------------------------------------------


def event(fact: Fact, *, aanbieder: str = AGB, delivery: str = DELIVERY, line: int = 1, published_at: int = 0) -> Event:
    """A fact with its provenance."""
    return Event(delivery=delivery, line=line, aanbieder=aanbieder, published_at=published_at, fact=fact)


def events(history: Iterable[Told]) -> list[Event]:
    """A history as the log holds it."""
    return [told if isinstance(told, Event) else event(told) for told in history]


def by(aanbieder: str, *history: Told) -> list[Event]:
    """The same, told by another provider."""
    return [replace(told, aanbieder=aanbieder) for told in events(history)]


def fact_set(history: Iterable[Told]) -> FactSet:
    """The set of facts after a history."""
    facts = FactSet()
    for told in events(history):
        add(facts, told)
    return facts


# --- rows of a history --------------------------------------------------------------------------------------------


def rows(history: Iterable[Told]) -> list[tuple[RowKey, CareRow]]:
    """Key and row of everything that the facts yield; the same backwards, shuffled and twice."""
    told = events(history)
    shuffled = [*told, *told]
    random.Random(len(told)).shuffle(shuffled)
    found = [
        sorted(rows_of(CLIENT, fact_set(order)).items(), key=lambda pair: pair[0])
        for order in (told, told[::-1], shuffled)
    ]
    assert found[0] == found[1] == found[2]
    return found[0]


def trajecten(*history: Told) -> list[TrajectRow]:
    """The rows of the trajecten, in order of begin."""
    found = [row for _, row in rows(history) if isinstance(row, TrajectRow)]
    return sorted(found, key=lambda row: (row.begindatum, row.categorie, row.bron, row.hulpvorm))


def traject(*history: Told) -> TrajectRow:
    """The row of the only traject."""
    (row,) = trajecten(*history)
    return row


def metingen(*history: Told) -> list[MetingRow]:
    """The rows of the metingen."""
    return [row for _, row in rows(history) if isinstance(row, MetingRow)]


def scores(*history: Told) -> list[ScoreRow]:
    """The rows of the scores."""
    return [row for _, row in rows(history) if isinstance(row, ScoreRow)]
