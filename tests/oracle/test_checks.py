"""The bounds of every check: the last value that passes, the first that does not, and the field that is named."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from domain.facts.checks import check
from domain.facts.fact import Fact
from domain.field.codes import DEBET_CREDIT, EENHEDEN, GESLACHT, PRODUCTCATEGORIEEN, REDENEN
from domain.field.dates import iso_day
from domain.field.questionnaires import QUESTIONS, VRAGENLIJSTEN
from tests.build import D, meting, prestatie, score, start, stop

FIRST, LAST = iso_day("1900-01-01"), iso_day("2100-12-31")
BEGIN, END, SIGNED = iso_day("2026-01-05"), iso_day("2026-03-01"), iso_day("2026-03-04")
START = start(begindatum=BEGIN, dagtekening=SIGNED, ingangsdatum=BEGIN)
STOP = stop(begindatum=BEGIN, einddatum=END, dagtekening=SIGNED, ingangsdatum=BEGIN)
PRESTATIE = prestatie(
    begindatum=BEGIN, einddatum=BEGIN + 3, volume=1, eenheid="04", bedrag=5, dagtekening=SIGNED, tarief=None
)
SCORE = score()
METING = meting(END - D, antwoorden={"VR01": 1})
REMOVAL = {"status": 3}
LAST_MS = (LAST + 1) * 86_400_000 - 1

Case = tuple[Fact, dict[str, Any]]

PASSES: list[Case] = [
    *((START, {"status": status}) for status in (1, 3)),
    *((START, {"geslacht": code}) for code in GESLACHT),
    *((START, {"categorie": code}) for code in (*PRODUCTCATEGORIEEN, "")),
    *((START, {"code": code}) for code in ("", "45A99", "1")),
    *((START, {"leeftijd": years}) for years in (None, 0, 120)),
    *((START, {"ingangsdatum": day}) for day in (None, FIRST, LAST)),
    (START, {"begindatum": FIRST}),
    (START, {"begindatum": SIGNED}),
    (START, {"begindatum": LAST, "dagtekening": LAST}),
    (START, {"begindatum": FIRST, "dagtekening": FIRST}),
    (START, {"begindatum": SIGNED + 1} | REMOVAL),
    *((STOP, {"reden_beeindiging": reden}) for reden in REDENEN),
    (STOP, {"einddatum": BEGIN}),
    (STOP, {"einddatum": SIGNED}),
    (STOP, {"begindatum": SIGNED, "einddatum": SIGNED}),
    (STOP, {"einddatum": BEGIN - 1} | REMOVAL),
    (STOP, {"einddatum": SIGNED + 1} | REMOVAL),
    (STOP, {"einddatum": FIRST} | REMOVAL),
    (STOP, {"einddatum": LAST} | REMOVAL),
    *((PRESTATIE, {"debet_credit": code, "vorige_referentie": b"q" if code == "C" else None}) for code in DEBET_CREDIT),
    *((PRESTATIE, {"eenheid": code, "volume": 5}) for code in EENHEDEN),
    *((PRESTATIE, {"volume": n}) for n in (0, 99_999_999)),
    *((PRESTATIE, {"bedrag": n}) for n in (0, 99_999_999)),
    (PRESTATIE, {"einddatum": BEGIN}),
    (PRESTATIE, {"begindatum": iso_day("2026-01-01"), "einddatum": iso_day("2026-01-31")}),
    (PRESTATIE, {"begindatum": iso_day("2026-02-01"), "einddatum": iso_day("2026-02-28")}),
    (PRESTATIE, {"begindatum": LAST, "einddatum": LAST}),
    (SCORE, {"toewijzing": None, "beschikking": b"1"}),
    (SCORE, {"beschikking": b"1"}),
    *((SCORE, {"doel": doel, "beoordelaar": who}) for doel in (1, 10) for who in "OC"),
    *((SCORE, {"doel": 0, "beoordelaar": who}) for who in "OCB"),
    *((SCORE, {"waarde": value}) for value in (None, -1, 0, 1, 2)),
    *((SCORE, {"doel": 0, "waarde": value}) for value in (None, 1, 2, 3)),
    *((SCORE, {"tijd": ms}) for ms in (0, LAST_MS)),
    *((METING, {"tijd": ms}) for ms in (0, LAST_MS)),
    *((METING, {"vragenlijst": code}) for code in VRAGENLIJSTEN),
    *((METING, {"datum": day}) for day in (FIRST, LAST)),
    *((METING, {"informant": text}) for text in ("M", "Ouder(s), verzorger/voogd", "x" * 30, "Pleeg-ouder’s vriendin")),
    (METING, {"antwoorden": {}}),
    *((METING, {"antwoorden": {code: question.lowest}}) for code, question in QUESTIONS.items()),
    *((METING, {"antwoorden": {code: question.highest}}) for code, question in QUESTIONS.items()),
    (METING, {"antwoorden": {code: question.highest for code, question in QUESTIONS.items()}}),
]


@pytest.mark.parametrize(("fact", "changes"), PASSES)
def test_the_last_value_that_passes(fact: Fact, changes: dict[str, Any]) -> None:
    assert check(replace(fact, **changes)) is None


REFUSED: list[tuple[str, str, Fact, dict[str, Any]]] = [
    *(("CS058", "status", START, {"status": status}) for status in (0, 2, 4, 9)),
    *(("V01", "geslacht", START, {"geslacht": code}) for code in ("", "3", "M")),
    *(("TR002", "geboortedatum", START, {"leeftijd": years}) for years in (-1, 121)),
    *(("V02", "ingangsdatum", START, {"ingangsdatum": day}) for day in (FIRST - 1, LAST + 1)),
    *(("V01", "gemeente", START, {"gemeente": code}) for code in ("", "363", "00363", "036a", "٠٣٦٣")),
    *(("JZ020", "categorie", START, {"categorie": code}) for code in ("39", "30", "56", "4")),
    ("V01", "code", START, {"code": "45A990"}),
    ("V02", "begindatum", START, {"begindatum": FIRST - 1}),
    ("V02", "begindatum", START, {"begindatum": LAST + 1} | REMOVAL),
    ("V02", "begindatum", START, {"dagtekening": FIRST - 1} | REMOVAL),
    ("V02", "begindatum", START, {"dagtekening": LAST + 1}),
    ("TR134", "begindatum", START, {"begindatum": SIGNED + 1}),
    *(("JZ588", "reden_beeindiging", STOP, {"reden_beeindiging": code}) for code in ("", "19", "21", "40", "2")),
    *(("V02", "einddatum", STOP, {"einddatum": day} | REMOVAL) for day in (FIRST - 1, LAST + 1)),
    ("V02", "einddatum", STOP, {"einddatum": LAST + 1}),
    ("TR018", "einddatum", STOP, {"einddatum": BEGIN - 1}),
    ("TR134", "einddatum", STOP, {"einddatum": SIGNED + 1}),
    ("TR134", "einddatum", STOP, {"begindatum": SIGNED + 1, "einddatum": SIGNED + 1}),
    ("V01", "gemeente", STOP, {"gemeente": "363"}),
    ("CS058", "status", STOP, {"status": 2}),
    ("V01", "debet_credit", PRESTATIE, {"debet_credit": ""}),
    ("CD060", "vorige_referentie", PRESTATIE, {"debet_credit": "C"}),
    ("CD060", "vorige_referentie", PRESTATIE, {"vorige_referentie": b""}),
    ("V01", "eenheid", PRESTATIE, {"eenheid": "02"}),
    *(("V03", "volume", PRESTATIE, {name: n}) for name in ("volume", "bedrag") for n in (-1, 100_000_000)),
    ("CS339", "bedrag", PRESTATIE, {"eenheid": "83", "volume": 4}),
    ("JZ020", "categorie", PRESTATIE, {"categorie": "39"}),
    ("V02", "begindatum", PRESTATIE, {"begindatum": LAST + 1, "einddatum": LAST}),
    ("V02", "einddatum", PRESTATIE, {"einddatum": LAST + 1}),
    ("TR137", "einddatum", PRESTATIE, {"einddatum": BEGIN - 1}),
    ("CS337", "einddatum", PRESTATIE, {"einddatum": iso_day("2026-02-01")}),
    ("CS337", "einddatum", PRESTATIE, {"begindatum": iso_day("2025-01-05"), "einddatum": iso_day("2026-01-05")}),
    ("R02", "toewijzingsnummer", SCORE, {"toewijzing": None}),
    *(("R04", "type", SCORE, {"doel": doel}) for doel in (-1, 11)),
    *(("R04", "type", SCORE, {"beoordelaar": who}) for who in ("B", "X")),
    ("R04", "type", SCORE, {"doel": 0, "beoordelaar": "X"}),
    *(("R05", "waarde", SCORE, {"waarde": value}) for value in (-2, 3)),
    *(("R05", "waarde", SCORE, {"doel": 0, "waarde": value}) for value in (0, 4)),
    *(("V02", "tijd", fact, {"tijd": ms}) for fact in (SCORE, METING) for ms in (-1, LAST_MS + 1)),
    ("C03", "vragenlijst", METING, {"vragenlijst": ""}),
    *(("C02", "datum_meting", METING, {"datum": day}) for day in (FIRST - 1, LAST + 1)),
    *(("C12", "informant", METING, {"informant": text}) for text in ("", "x" * 31, "Moeder 2", " Moeder", "a_b")),
    ("C04", "vraag", METING, {"antwoorden": {"VR08": 1}}),
    *(("C05", "antwoord", METING, {"antwoorden": {code: question.lowest - 1}}) for code, question in QUESTIONS.items()),
    *(
        ("C05", "antwoord", METING, {"antwoorden": {code: question.highest + 1}})
        for code, question in QUESTIONS.items()
    ),
]


@pytest.mark.parametrize(("code", "veld", "fact", "changes"), REFUSED)
def test_the_first_value_that_does_not(code: str, veld: str, fact: Fact, changes: dict[str, Any]) -> None:
    assert check(replace(fact, **changes)) == (code, veld)
