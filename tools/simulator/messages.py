"""From care histories to JW301, JW305 and JW307 messages and answers: classes, days of sending, places of files."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Literal

from tools.simulator.assignments import shipments
from tools.simulator.model import Client, Levering, Stop
from tools.simulator.output import Output
from tools.simulator.tables import DEFINITIONS
from tools.simulator.xml import Header, Kind, Klasse, regiebericht
from tools.simulator.xml_retour import ANTWOORD_ON, Antwoord, regie_antwoord
from tools.simulator.xml_toewijzing import Assigned, toewijzingsbericht

Lot = Literal["goed", "dubbel", "afgewezen", "half", "leeg"]
BEFOREHAND, AFTER_EVERYTHING = "berichten/0000-vooraf", "te-laat"  # sorted before all else, and after RAP and CEM+ too
ZONDER_ANTWOORD = 0.03  # share of messages on which no answer came (yet)
TOGETHER_DAYS = 3  # classes of one client, provider and gemeente this close together may share a message


@dataclass(slots=True)
class Bericht:
    """A message with the place of its file: ``map_`` its folder ('' = its month), ``name`` a suffix of the name.

    ``lot`` is what happens to the file; ``code`` why it is refused, when it is; ``fixed`` that its place may not be
    changed any more. A JW301 has ``products``, the others ``classes``. ``antwoord`` is what the gemeente says: ''
    approved, '-' nothing, else the return code, at ``level`` 2 (header only) or 3; ``beforehand``: the answer arrives
    before the message.
    """

    header: Header
    client: Client
    bsn: str
    classes: list[Klasse]
    products: list[Assigned] = field(default_factory=list)
    antwoord: str = ""
    level: int = 3
    beforehand: bool = False
    map_: str = ""
    name: str = ""
    lot: Lot = "goed"
    code: str = ""
    fixed: bool = False

    @property
    def pad(self) -> str:
        """Relative path. Files sort by day of sending, unless a folder before or after the months is named."""
        header = self.header
        map_ = self.map_ or f"berichten/{header.dagtekening:%Y-%m}"
        who = f"{header.aanbieder}_{header.ontvanger}" if header.soort == "JW301" else header.aanbieder
        return f"{map_}/{header.dagtekening:%Y%m%d}_{header.soort}_{who}_{header.identificatie}{self.name}.xml"

    @property
    def records(self) -> int:
        """Classes in the message."""
        return len(self.classes) + len(self.products)

    def write(self, output: Output, style: int) -> None:
        """Write the file, as its ``lot`` has it, and count it."""
        kind, records = self.header.soort, self.records
        if kind == "JW301":
            content = toewijzingsbericht(self.header, self.client, self.bsn, self.products, style)
        else:
            content = regiebericht(self.header, self.client, self.bsn, self.classes, style)
        if self.lot == "dubbel":
            output.double(kind, self.pad, content, records)
        elif self.lot == "half":
            output.unreadable(kind, self.pad, content[: len(content) // 2], self.code)
        elif self.lot == "leeg":
            output.unreadable(kind, self.pad, b"", self.code)
        else:
            output.good(kind, self.pad, content, records)
            if self.lot == "afgewezen":
                output.reject(kind, self.code, records)


def answered(bericht: Bericht, ids: Identificaties, rng: Random, output: Output, style: int) -> str:
    """Write the answer on a start or stop message, and give its path; '' when there is none.

    What the monitor refuses the gemeente refuses too: those checks are the same (level 2).
    """
    header = bericht.header
    silent = bericht.antwoord == "-" or (not bericht.antwoord and rng.random() < ZONDER_ANTWOORD)
    if header.soort not in ANTWOORD_ON or bericht.lot not in ("goed", "afgewezen") or silent:
        return ""
    kind = ANTWOORD_ON[header.soort]
    day = header.dagtekening + timedelta(days=rng.randint(0, 4))
    code, level = ("0001", 2) if bericht.lot == "afgewezen" else (bericht.antwoord, bericht.level)
    antwoord = Antwoord(ids.next(kind, header.ontvanger), day, code, level)
    content = regie_antwoord(header, antwoord, bericht.client, bericht.bsn, bericht.classes, style)
    map_ = BEFOREHAND if bericht.beforehand else bericht.map_ or f"berichten/{day:%Y-%m}"
    pad = f"{map_}/{day:%Y%m%d}_{kind}_{header.aanbieder}_{header.identificatie}{bericht.name}.xml"
    output.good(kind, pad, content, 1)
    return pad


@dataclass(slots=True)
class Identificaties:
    """Identifications, ascending per message type and sender (TR056), 9 digits so that text order is number order.

    The sender is a provider or, by its code, a gemeente.
    """

    _teller: dict[tuple[str, str], Iterator[int]] = field(
        default_factory=lambda: defaultdict(lambda: itertools.count(1))
    )

    def next(self, kind: Kind, afzender: str) -> str:
        """The next identification of this message type and sender."""
        return f"{next(self._teller[kind, afzender]):09d}"


@dataclass(frozen=True, slots=True)
class _Fact:
    """A start or a stop with the day on which it became a fact."""

    soort: Kind
    aanbieder: str
    ontvanger: str
    day: date
    klasse: Klasse


def berichten(client: Client, rng: Random, ids: Identificaties, until: date) -> list[Bericht]:
    """Every JW301, JW305 and JW307 of one client. Dated within days after the fact, at most 14 days after ``until``."""
    made = []
    for aanbieder, gemeente, day, products in shipments(client):
        header = Header("JW301", aanbieder, gemeente, ids.next("JW301", gemeente), day)
        made.append(Bericht(header, client, client.bsn, [], products))
    bound = until + timedelta(days=DEFINITIONS.dagtekening_na_einde)
    for group in _groups(_facts(client, rng), rng):
        first, last_day = group[0], max(f.day for f in group)
        delay = rng.randint(8, 14) if rng.random() < 0.03 else rng.randint(0, 7)
        dagtekening = min(last_day + timedelta(days=delay), bound)
        id_ = ids.next(first.soort, first.aanbieder)
        header = Header(first.soort, first.aanbieder, first.ontvanger, id_, dagtekening)
        made.append(Bericht(header, client, client.bsn, [f.klasse for f in group]))
    return made


def klasse(levering: Levering, stop: Stop | None = None, *, status: str = "1", nummer: str = "") -> Klasse:
    """The StartProduct of a levering, or the StopProduct of one of its stops."""
    return Klasse(
        nummer=nummer or ("" if levering.toewijzingnummer is None else str(levering.toewijzingnummer)),
        categorie=levering.categorie,
        code=levering.code,
        ingangsdatum=levering.ingangsdatum,
        begindatum=levering.begindatum,
        status=status,
        reden=stop.reden if stop else "",
        einddatum=stop.einddatum if stop else None,
    )


def _facts(client: Client, rng: Random) -> list[_Fact]:
    made = []
    for traject in client.trajecten:
        for x in traject.leveringen:
            number = f"{x.toewijzingnummer:09d}" if x.toewijzingnummer and rng.random() < 0.02 else ""
            made.append(_Fact("JW305", traject.aanbieder, x.ontvanger, x.begindatum, klasse(x, nummer=number)))
            for stop in x.stops:
                made.append(_Fact("JW307", traject.aanbieder, x.ontvanger, stop.einddatum, klasse(x, stop)))
    return sorted(made, key=lambda f: (f.soort, f.aanbieder, f.ontvanger, f.day))


def _groups(facts: list[_Fact], rng: Random) -> list[list[_Fact]]:
    """Neighbouring facts of one type, provider and gemeente, sometimes together in one message."""
    groups: list[list[_Fact]] = []
    for fact in facts:
        previous = groups[-1][0] if groups else None
        together = previous and (previous.soort, previous.aanbieder, previous.ontvanger) == (
            fact.soort,
            fact.aanbieder,
            fact.ontvanger,
        )
        if previous and together and (fact.day - previous.day).days <= TOGETHER_DAYS and rng.random() < 0.8:
            groups[-1].append(fact)
        else:
            groups.append([fact])
    return groups
