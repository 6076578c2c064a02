"""Facts of one client in few words, for the tests of the fold. Days are counted from 1 January 2026."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from domain.care.fold import rijen
from domain.care.rows import MetingRij, ScoreRij, TrajectRij
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
from domain.facts.fact_set import Feiten, add
from domain.field.dates import iso_day

CLIENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"
AGB, ANDER = "12345678", "87654321"
D = iso_day("2026-01-01")
DAG_MS = 86_400_000
NUMMER = b"toew0001"


def event(fact: Fact, aanbieder: str = AGB, delivery: str = "a", line: int = 1) -> Event:
    return Event(delivery * 32, line, aanbieder, 0, fact)


def start(begin: int, nummer: bytes | None = NUMMER, *, aanbieder: str = AGB, **over: Any) -> Event:
    velden: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": nummer, "categorie": "45", "code": "45A04", "begindatum": D + begin, "status": 1,
        "dagtekening": D + begin + 3, "bericht": b"s%07d" % begin, "ingangsdatum": None, "leeftijd": 12,
        "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    return event(Start(**(velden | over)), aanbieder)


def stop(begin: int, einde: int, reden: str = "31", nummer: bytes | None = NUMMER, *, aanbieder: str = AGB, **over: Any) -> Event:  # fmt: skip
    velden: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": nummer, "categorie": "45", "code": "45A04", "begindatum": D + begin,
        "reden_beeindiging": reden, "einddatum": D + einde, "status": 1, "dagtekening": D + einde + 3,
        "bericht": b"e%07d" % einde, "ingangsdatum": None, "leeftijd": 13, "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    return event(Stop(**(velden | over)), aanbieder)


def jw301(op: int = 0, nummer: bytes = NUMMER, *, aanbieder: str = AGB, **over: Any) -> Event:
    velden: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": nummer, "categorie": "45", "code": "45A04", "toewijzingsdatum": D + op,
        "toewijzingstijd": 0, "ingangsdatum": D, "einddatum": None, "reden_wijziging": "", "volume": 4, "eenheid": "14",
        "frequentie": "2", "budget": None, "dagtekening": D + op, "bericht": b"t%07d" % op,
    }  # fmt: skip
    return event(Toewijzing(**(velden | over)), aanbieder)


def regel(referentie: str, vorige: str | None = None, *, aanbieder: str = AGB, **over: Any) -> Event:
    """A declared line of January: the whole month, one etmaal of one euro."""
    velden: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": NUMMER, "categorie": "45", "code": "45A04", "referentie": referentie.encode(),
        "vorige_referentie": vorige.encode() if vorige else None, "debet_credit": "C" if vorige else "D", "begindatum": D,
        "einddatum": D + 30, "volume": 2, "eenheid": "14", "bedrag": 200, "dagtekening": D + 35,
        "bericht": f"323 {referentie}".encode(), "declaratienummer": b"dec00001", "tarief": 100,
    }  # fmt: skip
    return event(Prestatie(**(velden | over)), aanbieder)


def score(toewijzing: bytes | None, beschikking: bytes | None = None, *, dag: int = 0, line: int = 1, **over: Any) -> Event:  # fmt: skip
    velden: dict[str, Any] = {
        "toewijzing": toewijzing, "beschikking": beschikking, "doel": 1, "beoordelaar": "O", "waarde": 2,
        "tijd": (D + dag) * DAG_MS,
    }  # fmt: skip
    aanbieder = over.pop("aanbieder", AGB)
    return event(Score(**(velden | over)), aanbieder, "b", line)


def meting(datum: int, lijst: str = "OE", *, nummer: bytes = b"meting01", dag: int = 0, line: int = 1, **over: Any) -> Event:  # fmt: skip
    velden: dict[str, Any] = {
        "meting": nummer, "vragenlijst": f"CEM+_2018_{lijst}_v1", "informant": "Moeder", "datum": D + datum,
        "antwoorden": {"VR09A": 8, "VR10": 3}, "tijd": (D + dag) * DAG_MS,
    }  # fmt: skip
    return event(Meting(**(velden | over)), AGB, "c", line)


def cbs(begin: int, einde: int | None = None, reden: str = "", *, delivery: str = "d", dag: int = 300, aanbieder: str = AGB, line: int = 1, **over: Any) -> Event:  # fmt: skip
    velden: dict[str, Any] = {
        "gemeente": "0034", "hulpvorm": "02", "verwijzer": "01", "crisis": "02", "begindatum": D + begin,
        "einddatum": None if einde is None else D + einde, "reden": reden or ("" if einde is None else "01"), "geslacht": "1",
        "leeftijd": 12, "leeftijd_benaderd": False, "nut_jeugdige": None, "nut_ouder": None, "zonder_hulp_jeugdige": None,
        "zonder_hulp_ouder": None, "periode": "2026-1", "tijd": (D + dag) * DAG_MS,
    }  # fmt: skip
    return event(CbsRecord(**(velden | over)), aanbieder, delivery, line)


def intrekking(soort: str, bericht: bytes, *, aanbieder: str = AGB) -> Event:
    return event(Intrekking(soort, bericht, "0001"), aanbieder)


def retour(referentie: str, *, aanbieder: str = AGB, bericht: bytes | None = None) -> Event:
    naam = bericht or f"323 {referentie}".encode()
    return event(PrestatieRetour("0363", referentie.encode(), naam, "9338", D + 40), aanbieder)


def dubbel(regel_: str, sleutel: bytes, soort: str = "", *, aanbieder: str = AGB) -> Event:
    return event(Dubbel(regel_, soort, sleutel), aanbieder)


def vervanging(delivery: str, periode: str = "2026-1", *, aanbieder: str = AGB) -> Event:
    return event(Vervanging(periode, delivery * 32), aanbieder)


def rows(history: Sequence[Event]) -> list[tuple[Any, Any]]:
    """Key and row of everything that the facts yield; the same backwards, shuffled and twice."""
    found = []
    orders = [list(history), list(reversed(history)), [*history, *history]]
    random.Random(len(history)).shuffle(orders[2])
    for order in orders:
        feiten = Feiten()
        for one in order:
            add(feiten, one)
        found.append(sorted(rijen(CLIENT, feiten).items(), key=lambda pair: pair[0]))
    assert found[0] == found[1] == found[2]
    return found[0]


def trajecten(*history: Event) -> list[TrajectRij]:
    """The rows of the trajecten, in order of begin."""
    found = [row for _, row in rows(history) if isinstance(row, TrajectRij)]
    return sorted(found, key=lambda row: (row.begindatum, row.categorie, row.bron, row.hulpvorm))


def traject(*history: Event) -> TrajectRij:
    """The row of the only traject."""
    (row,) = trajecten(*history)
    return row


def metingen(*history: Event) -> list[MetingRij]:
    return [row for _, row in rows(history) if isinstance(row, MetingRij)]


def scores(*history: Event) -> list[ScoreRij]:
    return [row for _, row in rows(history) if isinstance(row, ScoreRij)]
