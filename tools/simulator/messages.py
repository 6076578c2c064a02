"""From care histories to JW301, JW305 and JW307 messages and answers: classes, days of sending, places of files."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Literal

from tools.simulator.assignments import zendingen
from tools.simulator.model import Client, Levering, Stop
from tools.simulator.output import Output
from tools.simulator.tables import DEFINITIES
from tools.simulator.xml import Klasse, Kop, Soort, regiebericht
from tools.simulator.xml_retour import ANTWOORD_OP, Antwoord, regie_antwoord
from tools.simulator.xml_toewijzing import Toegewezen, toewijzingsbericht

Lot = Literal["goed", "dubbel", "afgewezen", "half", "leeg"]
VOORAF, NA_ALLES = "berichten/0000-vooraf", "te-laat"  # sorted before all else, and after RAP and CEM+ too
ZONDER_ANTWOORD = 0.03  # share of messages on which no answer came (yet)
SAMEN_DAGEN = 3  # classes of one client, provider and gemeente this close together may share a message


@dataclass(slots=True)
class Bericht:
    """A message with the place of its file: `map_` its folder ('' = its month), `naam` a suffix of the name.

    `lot` is what happens to the file; `code` why it is refused, when it is; `vast` that its place may not be changed
    any more. A JW301 has `producten`, the others `klassen`. `antwoord` is what the gemeente says: '' approved, '-'
    nothing, else the return code, at `niveau` 2 (header only) or 3; `vooraf`: the answer arrives before the message.
    """

    kop: Kop
    client: Client
    bsn: str
    klassen: list[Klasse]
    producten: list[Toegewezen] = field(default_factory=list)
    antwoord: str = ""
    niveau: int = 3
    vooraf: bool = False
    map_: str = ""
    naam: str = ""
    lot: Lot = "goed"
    code: str = ""
    vast: bool = False

    @property
    def pad(self) -> str:
        """Relative path. Files sort by day of sending, unless a folder before or after the months is named."""
        kop = self.kop
        map_ = self.map_ or f"berichten/{kop.dagtekening:%Y-%m}"
        wie = f"{kop.aanbieder}_{kop.ontvanger}" if kop.soort == "JW301" else kop.aanbieder
        return f"{map_}/{kop.dagtekening:%Y%m%d}_{kop.soort}_{wie}_{kop.identificatie}{self.naam}.xml"

    @property
    def records(self) -> int:
        """Classes in the message."""
        return len(self.klassen) + len(self.producten)

    def write(self, output: Output, stijl: int) -> None:
        """Write the file, as its `lot` has it, and count it."""
        soort, records = self.kop.soort, self.records
        if soort == "JW301":
            inhoud = toewijzingsbericht(self.kop, self.client, self.bsn, self.producten, stijl)
        else:
            inhoud = regiebericht(self.kop, self.client, self.bsn, self.klassen, stijl)
        if self.lot == "dubbel":
            output.double(soort, self.pad, inhoud, records)
        elif self.lot == "half":
            output.unreadable(soort, self.pad, inhoud[: len(inhoud) // 2], self.code)
        elif self.lot == "leeg":
            output.unreadable(soort, self.pad, b"", self.code)
        else:
            output.good(soort, self.pad, inhoud, records)
            if self.lot == "afgewezen":
                output.reject(soort, self.code, records)


def beantwoord(bericht: Bericht, ids: Identificaties, rng: Random, output: Output, stijl: int) -> str:
    """Write the answer on a start or stop message, and give its path; '' when there is none.

    What the monitor refuses the gemeente refuses too: those checks are the same (level 2).
    """
    kop = bericht.kop
    stil = bericht.antwoord == "-" or (not bericht.antwoord and rng.random() < ZONDER_ANTWOORD)
    if kop.soort not in ANTWOORD_OP or bericht.lot not in ("goed", "afgewezen") or stil:
        return ""
    soort = ANTWOORD_OP[kop.soort]
    dag = kop.dagtekening + timedelta(days=rng.randint(0, 4))
    code, niveau = ("0001", 2) if bericht.lot == "afgewezen" else (bericht.antwoord, bericht.niveau)
    antwoord = Antwoord(ids.volgende(soort, kop.ontvanger), dag, code, niveau)
    inhoud = regie_antwoord(kop, antwoord, bericht.client, bericht.bsn, bericht.klassen, stijl)
    map_ = VOORAF if bericht.vooraf else bericht.map_ or f"berichten/{dag:%Y-%m}"
    pad = f"{map_}/{dag:%Y%m%d}_{soort}_{kop.aanbieder}_{kop.identificatie}{bericht.naam}.xml"
    output.good(soort, pad, inhoud, 1)
    return pad


@dataclass(slots=True)
class Identificaties:
    """Identifications, ascending per message type and sender (TR056), 9 digits so that text order is number order.

    The sender is a provider or, by its code, a gemeente.
    """

    _teller: dict[tuple[str, str], Iterator[int]] = field(
        default_factory=lambda: defaultdict(lambda: itertools.count(1))
    )

    def volgende(self, soort: Soort, afzender: str) -> str:
        """The next identification of this message type and sender."""
        return f"{next(self._teller[soort, afzender]):09d}"


@dataclass(frozen=True, slots=True)
class _Feit:
    """A start or a stop with the day on which it became a fact."""

    soort: Soort
    aanbieder: str
    ontvanger: str
    dag: date
    klasse: Klasse


def berichten(client: Client, rng: Random, ids: Identificaties, until: date) -> list[Bericht]:
    """Every JW301, JW305 and JW307 of one client. Dated within days after the fact, at most 14 days after `until`."""
    made = []
    for aanbieder, gemeente, dag, producten in zendingen(client):
        kop = Kop("JW301", aanbieder, gemeente, ids.volgende("JW301", gemeente), dag)
        made.append(Bericht(kop, client, client.bsn, [], producten))
    grens = until + timedelta(days=DEFINITIES.dagtekening_na_einde)
    for groep in _groepen(_feiten(client, rng), rng):
        eerste, laatste_dag = groep[0], max(f.dag for f in groep)
        vertraging = rng.randint(8, 14) if rng.random() < 0.03 else rng.randint(0, 7)
        dagtekening = min(laatste_dag + timedelta(days=vertraging), grens)
        id_ = ids.volgende(eerste.soort, eerste.aanbieder)
        kop = Kop(eerste.soort, eerste.aanbieder, eerste.ontvanger, id_, dagtekening)
        made.append(Bericht(kop, client, client.bsn, [f.klasse for f in groep]))
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


def _feiten(client: Client, rng: Random) -> list[_Feit]:
    made = []
    for traject in client.trajecten:
        for x in traject.leveringen:
            nummer = f"{x.toewijzingnummer:09d}" if x.toewijzingnummer and rng.random() < 0.02 else ""
            made.append(_Feit("JW305", traject.aanbieder, x.ontvanger, x.begindatum, klasse(x, nummer=nummer)))
            for stop in x.stops:
                made.append(_Feit("JW307", traject.aanbieder, x.ontvanger, stop.einddatum, klasse(x, stop)))
    return sorted(made, key=lambda f: (f.soort, f.aanbieder, f.ontvanger, f.dag))


def _groepen(feiten: list[_Feit], rng: Random) -> list[list[_Feit]]:
    """Neighbouring facts of one type, provider and gemeente, sometimes together in one message."""
    groepen: list[list[_Feit]] = []
    for feit in feiten:
        vorige = groepen[-1][0] if groepen else None
        samen = vorige and (vorige.soort, vorige.aanbieder, vorige.ontvanger) == (
            feit.soort,
            feit.aanbieder,
            feit.ontvanger,
        )
        if vorige and samen and (feit.dag - vorige.dag).days <= SAMEN_DAGEN and rng.random() < 0.8:
            groepen[-1].append(feit)
        else:
            groepen.append([feit])
    return groepen
