"""Checks of one fact by itself, the same at the source and at entry: a source is never trusted.

What compares lines of one file is checked where the file is (the connectors); what compares facts is left to the fold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from domain.facts.delivery import MOST_LINES
from domain.facts.fact import (
    BerichtRetour,
    CbsRecord,
    Content,
    Meting,
    Prestatie,
    PrestatieRetour,
    Score,
    Start,
    Stop,
    Terugname,
    Toewijzing,
    Wisverzoek,
)
from domain.facts.identity import is_delivery
from domain.field import codes
from domain.field.dates import as_date
from domain.field.geography import is_area
from domain.field.questionnaires import QUESTIONS, VRAGENLIJSTEN

#: A role in words [P]: the value list is not public, and a number or a whole sentence could name a person.
INFORMANT = re.compile(r"[^\W\d_](?:[^\W\d_]|[ /,.'’()-]){0,29}")
_GEMEENTE = re.compile(r"[0-9]{4}")
FIRST_DAY, LAST_DAY = -25_567, 47_846  # 1900-01-01 and 2100-12-31
_AFTER_LAST_MS = (LAST_DAY + 1) * 86_400_000
_MOST = 99_999_999  # GeleverdVolume and Bedrag of the standard


class Finding(NamedTuple):
    """Why a fact is refused: code of ``domain.field.messages`` and the field."""

    code: str
    veld: str


def check(fact: Content) -> Finding | None:
    """The first thing that is wrong with a fact, or None."""
    return _CHECKS[type(fact)](fact)


def _day(number: int | None) -> bool:
    """A day that can be reckoned with: a source may send any integer."""
    return number is None or FIRST_DAY <= number <= LAST_DAY


def _product(fact: Start | Stop | Prestatie | Toewijzing) -> Finding | None:
    if not _GEMEENTE.fullmatch(fact.gemeente):
        return Finding("V01", "gemeente")
    if fact.categorie and fact.categorie not in codes.PRODUCTCATEGORIEEN:
        return Finding("JZ020", "categorie")
    if len(fact.code) > 5:
        return Finding("V01", "code")
    begin = fact.ingangsdatum if isinstance(fact, Toewijzing) else fact.begindatum
    if not (_day(begin) and _day(fact.dagtekening)):
        return Finding("V02", "begindatum")
    return None


def _regie(fact: Start | Stop) -> Finding | None:
    if fact.status not in codes.STATUS_ALLOWED:
        return Finding("CS058", "status")
    if fact.geslacht not in codes.GESLACHT:
        return Finding("V01", "geslacht")
    if fact.leeftijd is not None and not 0 <= fact.leeftijd <= 120:
        return Finding("TR002", "geboortedatum")
    if not _day(fact.ingangsdatum):
        return Finding("V02", "ingangsdatum")
    return _product(fact)


def _start(fact: Start) -> Finding | None:
    if fact.status != codes.STATUS_REMOVE and fact.begindatum > fact.dagtekening:
        return Finding("TR134", "begindatum")
    return _regie(fact)


def _stop(fact: Stop) -> Finding | None:
    if fact.reden_beeindiging not in codes.REDENEN:
        return Finding("JZ588", "reden_beeindiging")
    if not _day(fact.einddatum):
        return Finding("V02", "einddatum")
    if fact.status != codes.STATUS_REMOVE:  # a removal is checked on its key alone (TR063)
        if fact.einddatum < fact.begindatum:
            return Finding("TR018", "einddatum")
        if max(fact.begindatum, fact.einddatum) > fact.dagtekening:
            return Finding("TR134", "einddatum")
    return _regie(fact)


def _prestatie(fact: Prestatie) -> Finding | None:
    if fact.debet_credit not in codes.DEBET_CREDIT:
        return Finding("V01", "debet_credit")
    if (fact.debet_credit == "C") != (fact.vorige_referentie is not None):
        return Finding("CD060", "vorige_referentie")
    if fact.eenheid not in codes.EENHEDEN:
        return Finding("V01", "eenheid")
    if not (0 <= fact.volume <= _MOST and 0 <= fact.bedrag <= _MOST):
        return Finding("V03", "volume")
    if fact.eenheid == codes.EENHEID_EURO and fact.bedrag != fact.volume:
        return Finding("CS339", "bedrag")
    return _product(fact) or _periode(fact)


def _periode(fact: Prestatie) -> Finding | None:
    if not _day(fact.einddatum):
        return Finding("V02", "einddatum")
    if fact.einddatum < fact.begindatum:
        return Finding("TR137", "einddatum")
    begin, end = as_date(fact.begindatum), as_date(fact.einddatum)
    if begin.month != end.month or begin.year != end.year:
        return Finding("CS337", "einddatum")
    return None


def _score(fact: Score) -> Finding | None:
    if fact.toewijzing is None and fact.beschikking is None:
        return Finding("R02", "toewijzingsnummer")
    if not 0 <= fact.doel <= 10 or fact.beoordelaar not in ("OC" if fact.doel else "OCB"):
        return Finding("R04", "type")
    if fact.waarde is not None and not (-1 <= fact.waarde <= 2 if fact.doel else 1 <= fact.waarde <= 3):
        return Finding("R05", "waarde")
    return None if 0 <= fact.tijd < _AFTER_LAST_MS else Finding("V02", "tijd")


def _meting(fact: Meting) -> Finding | None:
    if fact.vragenlijst not in VRAGENLIJSTEN:
        return Finding("C03", "vragenlijst")
    if not FIRST_DAY <= fact.datum <= LAST_DAY:
        return Finding("C02", "datum_meting")
    if not (0 <= fact.tijd < _AFTER_LAST_MS):
        return Finding("V02", "tijd")
    if not INFORMANT.fullmatch(fact.informant):
        return Finding("C12", "informant")
    for code, antwoord in fact.antwoorden.items():
        question = QUESTIONS.get(code)
        if question is None:
            return Finding("C04", "vraag")
        if not question.lowest <= antwoord <= question.highest:
            return Finding("C05", "antwoord")
    return None


def _toewijzing(fact: Toewijzing) -> Finding | None:
    if fact.reden_wijziging and fact.reden_wijziging not in codes.REDENEN_CHANGE:
        return Finding("JZ002", "reden_wijziging")
    if not (_day(fact.toewijzingsdatum) and _day(fact.ingangsdatum) and _day(fact.einddatum)):
        return Finding("V02", "toewijzingsdatum")
    if not (_day(fact.dagtekening) and 0 <= fact.toewijzingstijd < 86_400):
        return Finding("V02", "toewijzingstijd")
    if fact.einddatum is not None and fact.einddatum < fact.ingangsdatum:
        return Finding("CS003", "einddatum")
    if fact.reden_wijziging == codes.CHANGE_REMOVED and fact.einddatum != fact.ingangsdatum:
        return Finding("CS335", "einddatum")
    return _omvang(fact) or _product(fact) or _area(fact)


def _area(fact: Toewijzing | CbsRecord) -> Finding | None:
    good = not fact.postcodegebied or is_area(fact.postcodegebied)
    return None if good else Finding("V01", "postcodegebied")


def _omvang(fact: Toewijzing) -> Finding | None:
    if (fact.volume is None) != (not fact.eenheid) or (fact.volume is None) != (not fact.frequentie):
        return Finding("V03", "volume")
    if fact.eenheid and (fact.eenheid not in codes.EENHEDEN or fact.frequentie not in codes.FREQUENTIES):
        return Finding("V01", "eenheid")
    if not (0 <= (fact.volume or 0) <= _MOST and 0 <= (fact.budget or 0) <= _MOST):
        return Finding("V03", "volume")
    return Finding("V03", "budget") if fact.volume is not None and fact.budget is not None else None


_RETOURCODE = re.compile(r"[0-9A-Z]{4}")


def _retour(fact: BerichtRetour | PrestatieRetour) -> Finding | None:
    if not _GEMEENTE.fullmatch(fact.gemeente):
        return Finding("V01", "gemeente")
    if not _day(fact.dagtekening):
        return Finding("V02", "dagtekening")
    if isinstance(fact, BerichtRetour):
        if fact.soort not in ("start", "stop", "declaration"):
            return Finding("V01", "soort")
        if not fact.afgekeurd:
            return None if not fact.code else Finding("V03", "code")
    return None if _RETOURCODE.fullmatch(fact.code) else Finding("V01", "code")


_PERIODE = re.compile(r"20[0-9]{2}-[12]")


def _cbs(fact: CbsRecord) -> Finding | None:
    code_lists = (
        ("hulpvorm", fact.hulpvorm, codes.HULPVORMEN),
        ("verwijzer", fact.verwijzer, {"": "", **codes.VERWIJZERS}),
        ("crisis", fact.crisis, {"": "", **codes.CRISIS}),
        ("reden", fact.reden, {"": "", **codes.CBS_REDENEN}),
        ("geslacht", fact.geslacht, codes.GESLACHT),
    )
    for name, value, code_list in code_lists:
        if value not in code_list:
            return Finding("V01", name)
    if not (_GEMEENTE.fullmatch(fact.gemeente) and _PERIODE.fullmatch(fact.periode)):
        return Finding("V01", "gemeente")
    if not (FIRST_DAY <= fact.begindatum <= LAST_DAY and _day(fact.einddatum) and 0 <= fact.tijd < _AFTER_LAST_MS):
        return Finding("V02", "begindatum")
    if fact.einddatum is not None and fact.einddatum < fact.begindatum:
        return Finding("V02", "einddatum")
    if (fact.einddatum is None) != (not fact.reden):
        return Finding("V03", "reden")
    return _cbs_outcome(fact) or _area(fact)


def _cbs_outcome(fact: CbsRecord) -> Finding | None:
    if not all(1 <= nut <= 10 for nut in (fact.nut_jeugdige, fact.nut_ouder) if nut is not None):
        return Finding("V03", "nut")
    if not all(
        1 <= option <= 4 for option in (fact.zonder_hulp_jeugdige, fact.zonder_hulp_ouder) if option is not None
    ):
        return Finding("V03", "zonder_hulp")
    if fact.leeftijd is not None and not 0 <= fact.leeftijd <= 150:
        return Finding("V03", "leeftijd")
    return None


def _terugname(fact: Terugname) -> Finding | None:
    if not is_delivery(fact.aanlevering):
        return Finding("V01", "aanlevering")
    if not 0 < fact.lines <= MOST_LINES:
        return Finding("V03", "lines")
    return None if fact.reden in codes.TAKEBACK_REASONS else Finding("V01", "reden")


def _wisverzoek(fact: Wisverzoek) -> Finding | None:
    return None if fact.reden in codes.ERASURE_REASONS else Finding("V01", "reden")


_CHECKS: dict[type, Callable[[Any], Finding | None]] = {
    Start: _start,
    Stop: _stop,
    Prestatie: _prestatie,
    Score: _score,
    Meting: _meting,
    Toewijzing: _toewijzing,
    BerichtRetour: _retour,
    PrestatieRetour: _retour,
    CbsRecord: _cbs,
    Terugname: _terugname,
    Wisverzoek: _wisverzoek,
}
