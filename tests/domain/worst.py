"""The largest client that senders can make: every kind of facts over its cap, every value at its longest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from domain.facts.fact import Event, Fact, Teruggenomen, Toewijzing
from domain.field.questionnaires import QUESTIONS, VRAGENLIJSTEN
from tests.build import (
    DAY_MS,
    D,
    cbs_record,
    dubbel,
    event,
    intrekking,
    meting,
    prestatie,
    prestatie_retour,
    score,
    start,
    stop,
    toewijzing,
    vervanging,
)

_CODE = "\U0001f600" * 5  # a product code is five characters, whatever these are
_LATE = 47_000  # a day late in this century
_PRODUCT: dict[str, Any] = {"categorie": "45", "code": _CODE, "dagtekening": _LATE}


def hashed(*parts: object, size: int = 8) -> bytes:
    """A reference as it leaves entry."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=size).digest()


def delivery(*parts: object) -> str:
    """The handle of a delivery."""
    return hashed(*parts, size=16).hex()


def of_provider(provider: str, number: int) -> Iterator[Fact]:
    """The facts with that number of one provider, one of each kind, no two of them about the same thing."""
    own = {"toewijzing": hashed(provider, "toewijzing", number % 300), "bericht": hashed(provider, number)}
    gemeente = f"{number % 9000 + 1000}"
    begin = number * 40 % 30_000 - D  # no chains: every start is a traject
    person: dict[str, Any] = {"ingangsdatum": _LATE, "leeftijd": 120, "leeftijd_benaderd": True}
    yield start(begin, gemeente=gemeente, **own, **_PRODUCT, **person)
    yield stop(begin, begin + 5, gemeente=gemeente, **own, **_PRODUCT, **person)
    yield stop(begin - 7, begin, gemeente=gemeente, **own, **_PRODUCT, **person)  # waits for its start
    yield prestatie(
        gemeente=gemeente, **own, **_PRODUCT, referentie=hashed(provider, "referentie", number),
        vorige_referentie=hashed(provider, "referentie", number // 2), debet_credit="C" if number % 2 else "D",
        volume=99_999_999, bedrag=99_999_999, tarief=2**62, declaratienummer=hashed(provider, "dec", number),
        begindatum=_LATE, einddatum=_LATE,
    )  # fmt: skip
    yield score(own["toewijzing"], hashed(provider, "besch", number), doel=number % 10 + 1, tijd=4_000_000_000_000)
    yield meting(
        _LATE - D, meting=hashed(provider, "meting", number), vragenlijst=next(iter(VRAGENLIJSTEN)),
        antwoorden={code: question.highest for code, question in QUESTIONS.items()}, informant="Pleegouder",
        tijd=_LATE * DAY_MS,
    )  # fmt: skip
    yield toewijzing(
        0, hashed(provider, "toewijzing", number), gemeente=gemeente, code=_CODE, toewijzingsdatum=_LATE,
        toewijzingstijd=86_399, ingangsdatum=_LATE, einddatum=_LATE, reden_wijziging="11", bericht=own["bericht"],
    )  # fmt: skip
    yield cbs_record(
        begin, begin + 9, "03", gemeente=gemeente, nut_jeugdige=10, nut_ouder=10, zonder_hulp_jeugdige=4,
        zonder_hulp_ouder=4, tijd=4_000_000_000_000,
    )  # fmt: skip
    yield prestatie_retour(referentie=hashed(provider, "no reference", number), bericht=own["bericht"])
    yield intrekking("declaration", hashed(provider, "no message", number))
    yield dubbel(("TR056", "TR314", "TR333")[number % 3], own["bericht"], "start")
    yield vervanging(delivery(provider, "no delivery", number))


def told(providers: int, each: int) -> Iterator[Event]:
    """So many facts of each kind by so many providers, every one in a delivery of its own; assignments come again."""
    for provider in (f"{n:08}" for n in range(providers)):
        for number in range(each):
            for place, fact in enumerate(of_provider(provider, number)):
                again = 10 if isinstance(fact, Toewijzing) and number < 400 else 1
                for time in range(again):
                    handle = delivery(provider, number, place, time)
                    yield event(fact, aanbieder=provider, delivery=handle, line=2_000_000 - number)


def taken_back(number: int) -> Iterator[Event]:
    """So many deliveries that were taken back and sent again."""
    for n in range(number):
        yield event(Teruggenomen(aanlevering=delivery("taken back", n), terug=4_000_000_000_000, opnieuw=2**42))
