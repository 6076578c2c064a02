"""Facts of one client in few words, for the tests of the fold. Days are counted from 1 January 2026."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from domain.care.fold import rows_of
from domain.care.rows import MetingRow, ScoreRow, TrajectRow
from domain.facts.fact import (
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
    Toewijzing,
    Vervanging,
)
from domain.facts.fact_set import FactSet, add
from domain.field.dates import iso_day

CLIENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"
AGB, OTHER = "12345678", "87654321"
D = iso_day("2026-01-01")
DAY_MS = 86_400_000
NUMBER = b"toew0001"


def event(fact: Fact, aanbieder: str = AGB, delivery: str = "a", line: int = 1) -> Event:
    return Event(delivery * 32, line, aanbieder, 0, fact)


def start(begin: int, nummer: bytes | None = NUMBER, *, aanbieder: str = AGB, **over: Any) -> Event:
    fields: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": nummer, "categorie": "45", "code": "45A04", "begindatum": D + begin, "status": 1,
        "dagtekening": D + begin + 3, "bericht": b"s%07d" % begin, "ingangsdatum": None, "leeftijd": 12,
        "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    return event(Start(**(fields | over)), aanbieder)


def stop(begin: int, end: int, reden: str = "31", nummer: bytes | None = NUMBER, *, aanbieder: str = AGB, **over: Any) -> Event:  # fmt: skip
    fields: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": nummer, "categorie": "45", "code": "45A04", "begindatum": D + begin,
        "reden_beeindiging": reden, "einddatum": D + end, "status": 1, "dagtekening": D + end + 3,
        "bericht": b"e%07d" % end, "ingangsdatum": None, "leeftijd": 13, "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    return event(Stop(**(fields | over)), aanbieder)


def jw301(on: int = 0, nummer: bytes = NUMBER, *, aanbieder: str = AGB, **over: Any) -> Event:
    fields: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": nummer, "categorie": "45", "code": "45A04", "toewijzingsdatum": D + on,
        "toewijzingstijd": 0, "ingangsdatum": D, "einddatum": None, "reden_wijziging": "", "volume": 4, "eenheid": "14",
        "frequentie": "2", "budget": None, "dagtekening": D + on, "bericht": b"t%07d" % on,
    }  # fmt: skip
    return event(Toewijzing(**(fields | over)), aanbieder)


def regel(referentie: str, previous: str | None = None, *, aanbieder: str = AGB, **over: Any) -> Event:
    """A declared line of January: the whole month, one etmaal of one euro."""
    fields: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": NUMBER, "categorie": "45", "code": "45A04", "referentie": referentie.encode(),
        "vorige_referentie": previous.encode() if previous else None, "debet_credit": "C" if previous else "D", "begindatum": D,
        "einddatum": D + 30, "volume": 2, "eenheid": "14", "bedrag": 200, "dagtekening": D + 35,
        "bericht": f"323 {referentie}".encode(), "declaratienummer": b"dec00001", "tarief": 100,
    }  # fmt: skip
    return event(Prestatie(**(fields | over)), aanbieder)


def score(toewijzing: bytes | None, beschikking: bytes | None = None, *, day: int = 0, line: int = 1, **over: Any) -> Event:  # fmt: skip
    fields: dict[str, Any] = {
        "toewijzing": toewijzing, "beschikking": beschikking, "doel": 1, "beoordelaar": "O", "waarde": 2,
        "tijd": (D + day) * DAY_MS,
    }  # fmt: skip
    aanbieder = over.pop("aanbieder", AGB)
    return event(Score(**(fields | over)), aanbieder, "b", line)


def meting(datum: int, code_list: str = "OE", *, nummer: bytes = b"meting01", day: int = 0, line: int = 1, **over: Any) -> Event:  # fmt: skip
    fields: dict[str, Any] = {
        "meting": nummer, "vragenlijst": f"CEM+_2018_{code_list}_v1", "informant": "Moeder", "datum": D + datum,
        "antwoorden": {"VR09A": 8, "VR10": 3}, "tijd": (D + day) * DAY_MS,
    }  # fmt: skip
    return event(Meting(**(fields | over)), AGB, "c", line)


def cbs(begin: int, end: int | None = None, reden: str = "", *, delivery: str = "d", day: int = 300, aanbieder: str = AGB, line: int = 1, **over: Any) -> Event:  # fmt: skip
    fields: dict[str, Any] = {
        "gemeente": "0034", "hulpvorm": "02", "verwijzer": "01", "crisis": "02", "begindatum": D + begin,
        "einddatum": None if end is None else D + end, "reden": reden or ("" if end is None else "01"), "geslacht": "1",
        "leeftijd": 12, "leeftijd_benaderd": False, "nut_jeugdige": None, "nut_ouder": None, "zonder_hulp_jeugdige": None,
        "zonder_hulp_ouder": None, "periode": "2026-1", "tijd": (D + day) * DAY_MS,
    }  # fmt: skip
    return event(CbsRecord(**(fields | over)), aanbieder, delivery, line)


def intrekking(kind: str, bericht: bytes, *, aanbieder: str = AGB) -> Event:
    return event(Intrekking(kind, bericht, "0001"), aanbieder)


def retour(referentie: str, *, aanbieder: str = AGB, bericht: bytes | None = None) -> Event:
    name = bericht or f"323 {referentie}".encode()
    return event(PrestatieRetour("0363", referentie.encode(), name, "9338", D + 40), aanbieder)


def dubbel(row_: str, key: bytes, kind: str = "", *, aanbieder: str = AGB) -> Event:
    return event(Dubbel(row_, kind, key), aanbieder)


def vervanging(delivery: str, periode: str = "2026-1", *, aanbieder: str = AGB) -> Event:
    return event(Vervanging(periode, delivery * 32), aanbieder)


def rows(history: Sequence[Event]) -> list[tuple[Any, Any]]:
    """Key and row of everything that the facts yield; the same backwards, shuffled and twice."""
    found = []
    orders = [list(history), list(reversed(history)), [*history, *history]]
    random.Random(len(history)).shuffle(orders[2])
    for order in orders:
        facts = FactSet()
        for one in order:
            add(facts, one)
        found.append(sorted(rows_of(CLIENT, facts).items(), key=lambda pair: pair[0]))
    assert found[0] == found[1] == found[2]
    return found[0]


def trajecten(*history: Event) -> list[TrajectRow]:
    """The rows of the trajecten, in order of begin."""
    found = [row for _, row in rows(history) if isinstance(row, TrajectRow)]
    return sorted(found, key=lambda row: (row.begindatum, row.categorie, row.bron, row.hulpvorm))


def traject(*history: Event) -> TrajectRow:
    """The row of the only traject."""
    (row,) = trajecten(*history)
    return row


def metingen(*history: Event) -> list[MetingRow]:
    return [row for _, row in rows(history) if isinstance(row, MetingRow)]


def scores(*history: Event) -> list[ScoreRow]:
    return [row for _, row in rows(history) if isinstance(row, ScoreRow)]
