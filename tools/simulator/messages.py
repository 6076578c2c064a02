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
from tools.simulator.xml import Header, Kind, ProductClass, regiebericht
from tools.simulator.xml_retour import ANSWERED_BY, Antwoord, regie_antwoord
from tools.simulator.xml_toewijzing import Assigned, toewijzingsbericht

Fate = Literal["good", "double", "refused", "half", "empty"]
BEFOREHAND, AFTER_EVERYTHING = "berichten/0000-vooraf", "te-laat"  # sorted before all else, and after RAP and CEM+ too
UNANSWERED_SHARE = 0.03  # share of messages on which no answer came (yet)
TOGETHER_DAYS = 3  # classes of one client, provider and gemeente this close together may share a message


@dataclass(slots=True)
class Bericht:
    """A message with the place of its file: ``folder`` ('' = its month), ``name`` a suffix of the name.

    ``fate`` is what happens to the file; ``code`` why it is refused, when it is; ``fixed`` that its place may not be
    changed any more. A JW301 has ``products``, the others ``classes``. ``antwoord`` is what the gemeente says: ''
    approved, '-' nothing, else the return code, at ``level`` 2 (header only) or 3; ``beforehand``: the answer arrives
    before the message.
    """

    header: Header
    client: Client
    bsn: str
    classes: list[ProductClass]
    products: list[Assigned] = field(default_factory=list)
    antwoord: str = ""
    level: int = 3
    beforehand: bool = False
    folder: str = ""
    name: str = ""
    fate: Fate = "good"
    code: str = ""
    fixed: bool = False

    @property
    def path(self) -> str:
        """Relative path. Files sort by day of sending, unless a folder before or after the months is named."""
        header = self.header
        folder = self.folder or f"berichten/{header.dagtekening:%Y-%m}"
        who = f"{header.aanbieder}_{header.ontvanger}" if header.kind == "JW301" else header.aanbieder
        return f"{folder}/{header.dagtekening:%Y%m%d}_{header.kind}_{who}_{header.identificatie}{self.name}.xml"

    @property
    def records(self) -> int:
        """Classes in the message."""
        return len(self.classes) + len(self.products)

    def write(self, output: Output, style: int) -> None:
        """Write the file, as its ``fate`` has it, and count it."""
        kind, records = self.header.kind, self.records
        if kind == "JW301":
            content = toewijzingsbericht(self.header, self.client, self.bsn, self.products, style)
        else:
            content = regiebericht(self.header, self.client, self.bsn, self.classes, style)
        if self.fate == "double":
            output.double(kind, self.path, content, records)
        elif self.fate == "half":
            output.unreadable(kind, self.path, content[: len(content) // 2], self.code)
        elif self.fate == "empty":
            output.unreadable(kind, self.path, b"", self.code)
        else:
            output.good(kind, self.path, content, records)
            if self.fate == "refused":
                output.reject(kind, self.code, records)


def answered(bericht: Bericht, ids: Identificaties, rng: Random, output: Output, style: int) -> str:
    """Write the answer on a start or stop message, and give its path; '' when there is none.

    What the monitor refuses the gemeente refuses too: those checks are the same (level 2).
    """
    header = bericht.header
    silent = bericht.antwoord == "-" or (not bericht.antwoord and rng.random() < UNANSWERED_SHARE)
    if header.kind not in ANSWERED_BY or bericht.fate not in ("good", "refused") or silent:
        return ""
    kind = ANSWERED_BY[header.kind]
    day = header.dagtekening + timedelta(days=rng.randint(0, 4))
    code, level = ("0001", 2) if bericht.fate == "refused" else (bericht.antwoord, bericht.level)
    antwoord = Antwoord(ids.next(kind, header.ontvanger), day, code, level)
    content = regie_antwoord(header, antwoord, bericht.client, bericht.bsn, bericht.classes, style)
    folder = BEFOREHAND if bericht.beforehand else bericht.folder or f"berichten/{day:%Y-%m}"
    path = f"{folder}/{day:%Y%m%d}_{kind}_{header.aanbieder}_{header.identificatie}{bericht.name}.xml"
    output.good(kind, path, content, 1)
    return path


@dataclass(slots=True)
class Identificaties:
    """Identifications, ascending per message type and sender (TR056), 9 digits so that text order is number order.

    The sender is a provider or, by its code, a gemeente.
    """

    _counters: dict[tuple[str, str], Iterator[int]] = field(
        default_factory=lambda: defaultdict(lambda: itertools.count(1))
    )

    def next(self, kind: Kind, afzender: str) -> str:
        """The next identification of this message type and sender."""
        return f"{next(self._counters[kind, afzender]):09d}"


@dataclass(frozen=True, slots=True)
class _Fact:
    """A start or a stop with the day on which it became a fact."""

    kind: Kind
    aanbieder: str
    ontvanger: str
    day: date
    product_class: ProductClass


def berichten(client: Client, rng: Random, ids: Identificaties, until: date) -> list[Bericht]:
    """Every JW301, JW305 and JW307 of one client. Dated within days after the fact, at most 14 days after ``until``."""
    made = []
    for aanbieder, gemeente, day, products in shipments(client):
        header = Header("JW301", aanbieder, gemeente, ids.next("JW301", gemeente), day)
        made.append(Bericht(header, client, client.bsn, [], products))
    bound = until + timedelta(days=DEFINITIONS.days_after_until)
    for group in _groups(_facts(client, rng), rng):
        first, last_day = group[0], max(f.day for f in group)
        delay = rng.randint(8, 14) if rng.random() < 0.03 else rng.randint(0, 7)
        dagtekening = min(last_day + timedelta(days=delay), bound)
        id_ = ids.next(first.kind, first.aanbieder)
        header = Header(first.kind, first.aanbieder, first.ontvanger, id_, dagtekening)
        made.append(Bericht(header, client, client.bsn, [f.product_class for f in group]))
    return made


def product_class(levering: Levering, stop: Stop | None = None, *, status: str = "1", number: str = "") -> ProductClass:
    """The StartProduct of a levering, or the StopProduct of one of its stops."""
    return ProductClass(
        toewijzingnummer=number or ("" if levering.toewijzingnummer is None else str(levering.toewijzingnummer)),
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
            made.append(_Fact("JW305", traject.aanbieder, x.ontvanger, x.begindatum, product_class(x, number=number)))
            for stop in x.stops:
                made.append(_Fact("JW307", traject.aanbieder, x.ontvanger, stop.einddatum, product_class(x, stop)))
    return sorted(made, key=lambda f: (f.kind, f.aanbieder, f.ontvanger, f.day))


def _groups(facts: list[_Fact], rng: Random) -> list[list[_Fact]]:
    """Neighbouring facts of one type, provider and gemeente, sometimes together in one message."""
    groups: list[list[_Fact]] = []
    for fact in facts:
        previous = groups[-1][0] if groups else None
        together = previous and (previous.kind, previous.aanbieder, previous.ontvanger) == (
            fact.kind,
            fact.aanbieder,
            fact.ontvanger,
        )
        if previous and together and (fact.day - previous.day).days <= TOGETHER_DAYS and rng.random() < 0.8:
            groups[-1].append(fact)
        else:
            groups.append([fact])
    return groups
