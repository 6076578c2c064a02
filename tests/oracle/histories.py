"""Histories of one client, generated: every fact type, every correction, and dates just on and beside each window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from domain.facts.fact import CbsRecord, Event, Fact, Meting, Prestatie, Score, Start, Stop, Toewijzing
from domain.field.codes import REDENEN
from tests.build import (
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
    teruggenomen,
    toewijzing,
    vervanging,
)

AANBIEDERS = ("12345678", "87654321")
GEMEENTEN = ("0363", "0457", "0384", "0034", "0999")  # the second is an old code of the first, the last is none
TOEWIJZINGEN = (b"toew0001", b"toew0002", None)
BERICHTEN = tuple(f"bericht{n}".encode() for n in range(8))
DELIVERIES = tuple(c * 32 for c in "0123456789abcdef")
DAY_0 = 20_400  # 2025-11-08: a year ends within most histories
#: Days between one date and the next: the windows are 30 and 90 days, so these lie on and beside every bound.
STEPS = (0, 0, 1, 1, 5, 29, 30, 31, 60, 89, 90, 91, 365, 366, -1, -29, -30, -31)
PRODUCTS = (("45", "45A01"), ("45", ""), ("43", "43A10"), ("54", "54003"), ("31", "31001"), ("47", "47A01"), ("", ""))
#: First and last days of months, the assignments' own, and days beside them: the periods of declared lines.
FIRSTS, LASTS = (20_393, 20_393, 20_400, 20_423), (20_422, 20_422, 20_410, 20_453)
FINALS = tuple(reden for reden in REDENEN if reden != "20")

REFERENTIES = (b"ref00001", b"ref00002", b"ref00003", b"ref00004")
AREAS = ("", "Centrum", "Noord")
EENHEDEN = ("14", "04", "01", "83")

Draw = Callable[[st.SearchStrategy[Any]], Any]


def _pick(draw: Draw, options: Sequence[Any]) -> Any:
    return draw(st.sampled_from(options))


class _Pen:
    """Writes one history: remembers the dates it used, so that later ones fall near them."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.days = [DAY_0]
        self.events: list[Event] = []
        # Most histories are of one provider, municipality and product; the rest mix all.
        self.aanbieders = _pick(draw, (AANBIEDERS[:1], AANBIEDERS))
        self.gemeenten = _pick(draw, (GEMEENTEN[:1], GEMEENTEN[:2], GEMEENTEN))
        self.products = _pick(draw, ((("45", "45A01"),), PRODUCTS))
        self.toewijzingen = _pick(draw, (TOEWIJZINGEN[:1], TOEWIJZINGEN[:2], TOEWIJZINGEN))
        # Few days of signing, so that several acts fall on one day; a message has one day.
        self.signed = {bericht: DAY_0 + _pick(draw, (0, 0, 1, 2, 40)) for bericht in BERICHTEN}

    def day(self, from_day: int | None = None) -> int:
        """A new or an old day, near one that was used before."""
        base: int = _pick(self.draw, self.days) if from_day is None else from_day
        day: int = base + _pick(self.draw, STEPS)
        if len(self.days) < 12:
            self.days.append(day)
        return day

    def put(self, fact: Fact, aanbieder: str, delivery: str | None = None, line: int | None = None) -> None:
        n = len(self.events)
        delivery = DELIVERIES[n % len(DELIVERIES)] if delivery is None else delivery
        line = n + 1 if line is None else line
        self.events.append(event(fact, aanbieder=aanbieder, delivery=delivery, line=line, published_at=n))

    def message(self) -> dict[str, Any]:
        bericht = _pick(self.draw, BERICHTEN)
        earlier = _pick(self.draw, (0,) * 9 + (1_000,))  # years before, another message had its identification
        return {"bericht": bericht, "dagtekening": self.signed[bericht] - earlier}

    def person(self) -> dict[str, Any]:
        leeftijd = _pick(self.draw, (None, 7, 12, 17))
        return {
            "leeftijd": leeftijd,
            "leeftijd_benaderd": False,
            "geslacht": _pick(self.draw, "012"),
            "ingangsdatum": _pick(self.draw, (None, 19_000, DAY_0)),
        }

    def start_key(self, begin: int | None = None) -> tuple[str, dict[str, Any]]:
        categorie, code = _pick(self.draw, self.products)
        return _pick(self.draw, self.aanbieders), {
            "gemeente": _pick(self.draw, self.gemeenten),
            "toewijzing": _pick(self.draw, self.toewijzingen),
            "categorie": categorie,
            "code": code,
            "begindatum": self.day() if begin is None else begin,
        }

    # What may happen. Each writes one or a few events.

    def levering(self) -> None:
        """A start and, mostly, one or two stops of it; sometimes the start is missing."""
        who, start_key = self.start_key()
        if _pick(self.draw, (True,) * 7 + (False,)):
            self.put(start(**start_key, **self.person(), **self.message()), who)
        for _ in range(_pick(self.draw, (0, 1, 1, 1, 2))):
            self.stop(who, start_key)

    def stop(self, who: str, start_key: dict[str, Any]) -> None:
        end = max(start_key["begindatum"], self.day(start_key["begindatum"]))
        reden = _pick(self.draw, ("20", "20", "31", "32", *FINALS))
        fact = stop(**start_key, **self.person(), **self.message(), reden_beeindiging=reden, einddatum=end)
        self.put(fact, who)

    def ended_twice(self) -> None:
        """A start with two final stops or three (TR415), of which one is sometimes removed."""
        who, start_key = self.start_key()
        self.put(start(**start_key, **self.person(), **self.message()), who)
        for _ in range(_pick(self.draw, (2, 2, 3))):
            end, reden = max(start_key["begindatum"], self.day(start_key["begindatum"])), _pick(self.draw, FINALS[:4])
            over = {**start_key, **self.person(), "reden_beeindiging": reden, "einddatum": end}
            self.put(stop(**over, **self.message()), who)
        if _pick(self.draw, (True, False)):
            self.put(stop(**over, **self.message(), status=3), who)

    def stacked(self) -> None:
        """Two leveringen of which one ends while the other runs, or beside that, and a meting about that end."""
        who, first = self.start_key(DAY_0)
        second = {**first, "toewijzing": b"stack001", "begindatum": self.day(DAY_0)}
        end = max(second["begindatum"], self.day(DAY_0 + 60))
        for start_key in (first, second):
            self.put(start(**start_key, **self.person(), **self.message()), who)
        over = {**_pick(self.draw, (first, second)), **self.person(), "reden_beeindiging": "31", "einddatum": end}
        self.put(stop(**over, **self.message()), who)
        self.meting()

    def resume(self) -> None:
        """A new start of an earlier spoor, on a day beside one of its dates."""
        earlier = [told for told in self.events if isinstance(told.fact, Start | Stop)]
        if not earlier:
            return self.levering()
        told = _pick(self.draw, earlier)
        f = told.fact
        base = f.einddatum if isinstance(f, Stop) else f.begindatum
        start_key = {
            "gemeente": f.gemeente, "toewijzing": _pick(self.draw, (f.toewijzing, *self.toewijzingen)),
            "categorie": f.categorie, "code": f.code, "begindatum": self.day(base),
        }  # fmt: skip
        self.put(start(**start_key, **self.person(), **self.message()), told.aanbieder)
        if self.draw(st.booleans()):
            self.stop(told.aanbieder, start_key)
        return None

    def correct(self) -> None:
        """Remove (3) or deliver again (1) an earlier start or stop, under another message, with another content."""
        earlier = [told for told in self.events if isinstance(told.fact, Start | Stop)]
        if not earlier:
            return self.levering()
        told = _pick(self.draw, earlier)
        for status in _pick(self.draw, ((3,), (1,), (3, 1), (3, 3), (1, 3, 1))):
            f = told.fact
            over: dict[str, Any] = {**self.message(), **self.person(), "status": status}
            if isinstance(f, Stop):
                over["einddatum"] = max(f.begindatum, self.day(f.einddatum))
            if f.gemeente in GEMEENTEN[:2]:
                over["gemeente"] = _pick(self.draw, (f.gemeente, *(g for g in self.gemeenten if g in GEMEENTEN[:2])))
            self.put(replace(f, **over), told.aanbieder)
        return None

    def declaration(self) -> None:
        earlier = [e for e in self.events if isinstance(e.fact, Prestatie | Start) and e.fact.toewijzing is not None]
        if earlier and _pick(self.draw, (True, True, True, False)):
            told = _pick(self.draw, earlier)
            f, who = told.fact, told.aanbieder
            what = {name: getattr(f, name) for name in ("gemeente", "toewijzing", "categorie", "code")}
        else:
            who, what = self.start_key(DAY_0)
            what.pop("begindatum")
            what["toewijzing"] = what["toewijzing"] or TOEWIJZINGEN[0]
        credit = _pick(self.draw, (False, False, True))
        volume, tarief = _pick(self.draw, (1, 1, 2)), _pick(self.draw, (None, 5, 5))
        self.put(
            prestatie(
                **what,
                **self.message(),
                referentie=_pick(self.draw, REFERENTIES),
                begindatum=_pick(self.draw, FIRSTS),
                einddatum=_pick(self.draw, LASTS),
                vorige_referentie=_pick(self.draw, REFERENTIES) if credit else None,
                debet_credit="C" if credit else "D",
                volume=volume,
                eenheid=_pick(self.draw, EENHEDEN),
                bedrag=_pick(self.draw, (5, 5, volume * 5, volume)),
                declaratienummer=_pick(self.draw, (None, b"decl0001", b"decl0002")),
                tarief=tarief,
            ),
            who,
        )

    def toewijzing(self) -> None:
        """A version of an assignment, mostly of one that something names."""
        named = [e for e in self.events if isinstance(e.fact, Start | Stop | Prestatie | Toewijzing)]
        named = [e for e in named if e.fact.toewijzing is not None]
        if named and _pick(self.draw, (True,) * 5 + (False,)):
            told = _pick(self.draw, named)
            f, who = told.fact, told.aanbieder
            what = {name: getattr(f, name) for name in ("gemeente", "toewijzing", "categorie", "code")}
        else:
            who, what = self.start_key(DAY_0)
            what.pop("begindatum")
            what["toewijzing"] = what["toewijzing"] or TOEWIJZINGEN[0]
        if _pick(self.draw, (True, False, False)):
            what["categorie"], what["code"] = _pick(self.draw, (*PRODUCTS, ("45", "")))
        first_day, reden = _pick(self.draw, (*FIRSTS, 20_394)), _pick(self.draw, ("", "", "05", "11", "11", "13", "13"))
        end = first_day if reden == "13" else _pick(self.draw, (None, *LASTS))
        self.put(
            toewijzing(
                **what,
                **self.message(),
                toewijzingsdatum=DAY_0 + _pick(self.draw, (0, 0, 1, 45)),
                toewijzingstijd=_pick(self.draw, (0, 0, 60)),
                ingangsdatum=first_day,
                einddatum=end,
                reden_wijziging=reden,
                volume=None,
                eenheid=_pick(self.draw, ("", *EENHEDEN)),
                frequentie="",
                postcodegebied=_pick(self.draw, AREAS),
            ),
            who,
        )

    def answer(self) -> None:
        """A message, a declared line or a CBS file counts no more; a number was used twice."""
        named = [e for e in self.events if isinstance(e.fact, Start | Stop | Prestatie | CbsRecord | Toewijzing)]
        if not named:
            return self.levering()
        told = _pick(self.draw, named)
        f = told.fact
        fact: Fact
        if isinstance(f, CbsRecord):
            fact = vervanging(told.delivery, _pick(self.draw, (f.periode, f.periode, "2026-1")))
        elif isinstance(f, Toewijzing):
            fact = dubbel("TR056", f.bericht, "assignment")
        elif isinstance(f, Prestatie):
            day = self.answered_day(f.dagtekening)
            rejected = prestatie_retour(referentie=f.referentie, bericht=f.bericht, bericht_dagtekening=day)
            twice = [dubbel("TR314", f.referentie), dubbel("TR333", f.declaratienummer or b"decl0002")]
            message = [intrekking("declaration", f.bericht, day=day), dubbel("TR056", f.bericht, "declaration")]
            fact = _pick(self.draw, [*message, rejected, rejected, *twice])
        else:
            kind = "start" if isinstance(f, Start) else "stop"
            day = self.answered_day(f.dagtekening)
            withdrawn = [intrekking(kind, f.bericht, day=day), intrekking("stop", f.bericht, day=day)]
            fact = _pick(self.draw, [*withdrawn, dubbel("TR056", f.bericht, kind)])
        self.put(fact, _pick(self.draw, (told.aanbieder,) * 7 + AANBIEDERS))
        return None

    def answered_day(self, signed: int) -> int | None:
        """The dagtekening that an answer copies: of that message, of another one of its identification, or none."""
        day: int | None = _pick(self.draw, (signed, signed, None, signed - 1_000))
        return day

    def cbs(self) -> None:
        """A record of a CBS file, mostly on or beside a day of an earlier one."""
        days = [d for e in self.events if isinstance(e.fact, CbsRecord) for d in (e.fact.begindatum, e.fact.einddatum)]
        days = [d for d in days if d is not None]
        begin = _pick(self.draw, days) + _pick(self.draw, (0, 0, 1, -1, 5)) if days else self.day()
        end = _pick(self.draw, (None, begin, begin + 1, begin + 5, begin + 60))
        mark, option = st.none() | st.integers(1, 10), st.none() | st.integers(1, 4)
        self.put(
            cbs_record(
                gemeente=_pick(self.draw, ("0034", "0034", "0034", "0363", "0457")),
                postcodegebied=_pick(self.draw, AREAS),
                hulpvorm=_pick(self.draw, ("02", "02", "11")),
                verwijzer=_pick(self.draw, ("", "01")),
                crisis=_pick(self.draw, ("", "01", "02")),
                begindatum=begin,
                einddatum=end,
                reden="" if end is None else _pick(self.draw, ("01", "02", "03", "04", "05")),
                geslacht=_pick(self.draw, "012"),
                leeftijd=_pick(self.draw, (None, 7, 17)),
                leeftijd_benaderd=False,
                nut_jeugdige=self.draw(mark),
                nut_ouder=self.draw(mark),
                zonder_hulp_jeugdige=self.draw(option),
                zonder_hulp_ouder=self.draw(option),
                periode=_pick(self.draw, ("2025-2", "2025-2", "2026-1")),
                tijd=self.upload_time(),
            ),
            _pick(self.draw, self.aanbieders),
            *self.place(),
        )

    def score(self) -> None:
        doel = _pick(self.draw, (0, 1, 1, 2, 10))
        toewijzing = _pick(self.draw, (*self.toewijzingen, *self.toewijzingen, *TOEWIJZINGEN))
        decision = (b"besch001", b"besch001", b"besch002")
        beschikking = _pick(self.draw, decision) if toewijzing is None else _pick(self.draw, (None, *decision))
        fact = score(
            toewijzing=toewijzing,
            beschikking=beschikking,
            doel=doel,
            beoordelaar=_pick(self.draw, "OC" if doel else "OCB"),
            waarde=_pick(self.draw, (None, 1, 2, -1, 0) if doel else (None, 1, 2, 3)),
            tijd=self.upload_time(),
        )
        self.put(fact, _pick(self.draw, self.aanbieders), *self.place())

    def meting(self) -> None:
        question = st.dictionaries(
            st.sampled_from(("VR01", "VR09A", "VR10", "VR09A", "VR10")), st.integers(1, 4), max_size=3
        )
        fact = meting(
            meting=_pick(self.draw, (b"meting01", b"meting02", b"meting03", b"meting04")),
            vragenlijst="CEM+_2018_" + _pick(self.draw, ("OE", "OE", "JE", "OE", "OE", "JE", "OD", "JD")) + "_v1",
            informant=_pick(self.draw, ("Moeder", "Jeugdige")), datum=self.day(self.an_end()),
            antwoorden=self.draw(question), tijd=self.upload_time(),
        )  # fmt: skip
        self.put(fact, _pick(self.draw, self.aanbieders), *self.place())

    def an_end(self) -> int | None:
        """Mostly a day on which something ended, when there is one."""
        ends = [told.fact.einddatum for told in self.events if isinstance(told.fact, Stop)]
        return _pick(self.draw, (*ends, *ends, *ends, None)) if ends else None

    def upload_time(self) -> int:
        """Milliseconds on both sides of New Year 2026 (UTC), few enough to fall together."""
        return 1_767_225_600_000 + int(_pick(self.draw, (-1, 0, 1, 1, 2)))

    def place(self) -> tuple[str, int]:
        """A line of an upload not used yet; numbers are small, so that lines of several uploads compete."""
        used = {(told.delivery, told.line) for told in self.events}
        free = [(d, n) for d in DELIVERIES[:4] for n in (1, 2, 3) if (d, n) not in used]
        place: tuple[str, int] = _pick(self.draw, free) if free else (DELIVERIES[9], len(self.events) + 100)
        return place

    def again(self) -> None:
        """An event that was delivered before; a score or meting with the time of its new upload."""
        if self.events:
            told = _pick(self.draw, self.events)
            f = told.fact
            if isinstance(f, Score | Meting | CbsRecord):
                f = replace(f, tijd=self.upload_time())
            self.events.append(replace(told, published_at=len(self.events), fact=f))

    def take_back(self) -> None:
        """A delivery is taken back; some of these were sent anew after that, and taken back once more."""
        if self.events:
            told = _pick(self.draw, self.events)
            moments = _pick(self.draw, ((1, 0), (1, 0), (2, 0), (1, 1), (1, 2), (3, 0)))
            self.put(teruggenomen(told.delivery, *moments), told.aanbieder, delivery=told.delivery)

    def resend(self) -> None:
        """A message that comes in another delivery as well: it counts once."""
        messages = [told for told in self.events if hasattr(told.fact, "bericht")]
        if messages:
            told = _pick(self.draw, messages)
            self.put(told.fact, told.aanbieder, delivery=_pick(self.draw, DELIVERIES[:6]))


def _one_content(history: Sequence[Event]) -> list[Event]:
    """Leaves out what one message says twice with different contents (TR056, tested apart)."""
    seen: dict[Any, Fact] = {}
    kept = []
    for told in history:
        f = told.fact
        if not isinstance(f, Start | Stop | Prestatie | Toewijzing):
            kept.append(told)
            continue
        key: tuple[Any, ...] = (type(f), told.aanbieder, f.bericht)
        if isinstance(f, Prestatie):
            key += (f.referentie,)
        elif isinstance(f, Toewijzing):
            key += (f.gemeente, f.toewijzing)
        else:
            key += (f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum, getattr(f, "reden_beeindiging", ""))
        if seen.setdefault(key, f) == f:
            kept.append(told)
    return kept


@st.composite
def histories(draw: Draw, most: int = 12) -> list[Event]:
    """The events of one client in any order, none of them contradicting itself."""
    pen = _Pen(draw)
    care = (*(pen.levering,) * 3, *(pen.resume,) * 3, *(pen.correct,) * 3)
    lines, ratings = (pen.declaration,) * 2, (pen.score, pen.score, pen.meting, pen.meting)
    # A history is about some of it: with everything in a short one, nothing would meet.
    acts = _pick(
        draw,
        (
            (*care, *lines, *ratings, pen.toewijzing, pen.answer, pen.cbs, pen.again),
            (*care, *ratings, pen.stacked, pen.again),
            (pen.stacked, pen.stacked, pen.meting, pen.resume, pen.correct),
            (pen.ended_twice, pen.ended_twice, pen.correct, pen.answer, pen.meting),
            (*care, *lines * 3, *(pen.toewijzing, pen.answer) * 2),
            (pen.levering, *lines * 2, pen.toewijzing, pen.toewijzing, pen.answer),
            (*care, *(pen.answer,) * 3, *(pen.toewijzing,) * 3),
            (*(pen.cbs,) * 5, pen.answer, pen.again, pen.levering),
            (*care, *lines, *ratings, *(pen.take_back, pen.resend) * 4, *(pen.answer,) * 3, pen.toewijzing, pen.cbs),
            (pen.levering, *(pen.toewijzing, pen.resend, pen.take_back) * 2),
            (*(pen.cbs, pen.take_back) * 2, pen.answer),
        ),
    )
    for _ in range(draw(st.integers(1, most))):
        act = _pick(draw, acts)
        for _ in range(_pick(draw, (1, 2, 3)) if act in (pen.declaration, pen.score, pen.meting, pen.cbs) else 1):
            act()
    history = _one_content(pen.events)
    return list(draw(st.permutations(history))) if draw(st.booleans()) else history
