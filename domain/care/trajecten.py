"""From the set of facts to leveringen and trajecten: pure functions, recomputed whole for every client.

A *levering* is one accepted start and its current stop. A *traject* is a chain of leveringen of one client, provider,
municipality and product category [P]; *traject* is not defined in the sources.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from domain.care.leveringen import OPEN_EINDE, Levering, leveringen
from domain.care.toewijzingen import Toewijzingen
from domain.facts.fact_set import Feiten
from domain.field.codes import BUITEN_UITKOMSTEN, REDENEN
from domain.field.definitions import KETEN_DAGEN, OPVOLGING_DAGEN
from domain.field.geography import cluster, huidige_code

LOPEND, GEPAUZEERD, BEEINDIGD = "lopend", "gepauzeerd", "beeindigd"
WACHT_START, WACHT_LEVERING = "wacht_op_start", "wacht_op_levering"
WACHTEND: Final = frozenset({WACHT_START, WACHT_LEVERING})


class Traject(Struct, gc=False):
    """A chain of leveringen, in order of begin; ``einde`` is OPEN_EINDE while running or paused."""

    nummer: bytes
    aanbieder: str
    gemeente: str  # current code
    categorie: str
    leveringen: list[Levering]
    status: str
    begin: int
    einde: int
    laatste: Levering | None = None  # the levering that ended it

    @property
    def reden(self) -> str:
        """End reason (JZ588); empty if not ended."""
        return self.laatste.reden if self.laatste else ""

    @property
    def klasse(self) -> str:
        """Class of the end reason for uitval [R]; empty if not ended."""
        return REDENEN[self.reden].klasse if self.reden else ""

    @property
    def wacht(self) -> dict[str, int]:
        """What it waits for and since when: day of the earliest message that told of it."""
        redenen: dict[str, int] = {}
        for levering in self.leveringen:
            if not levering.wacht:
                continue
            for reden, sinds in levering.wacht:
                redenen[reden] = min(sinds, redenen.get(reden, sinds))
        return redenen


def nummer(client: bytes, *delen: object) -> bytes:
    """Eight bytes that name something within one client: a hash of the pseudonym and the parts."""
    tekst = "|".join(deel.hex() if isinstance(deel, bytes) else str(deel) for deel in delen)
    return hashlib.blake2b(tekst.encode(), digest_size=8, key=client[:64]).digest()


def trajecten(client: bytes, feiten: Feiten, bekend: Toewijzingen) -> list[Traject]:
    """The trajecten of a client. What waits for a start or an original stands apart, as a traject of its own."""
    groepen: dict[tuple[str, str, str], list[Levering]] = {}
    wachtend = []
    for levering in leveringen(feiten, bekend):
        s = levering.spoor
        if levering.start is None:
            wachtend.append(_wachtend(client, levering))
        else:
            groepen.setdefault((s.aanbieder, huidige_code(s.gemeente), s.categorie), []).append(levering)
    gevonden = [
        _traject(client, aanbieder, gemeente, categorie, keten)
        for (aanbieder, gemeente, categorie), groep in groepen.items()
        for keten in _ketens(groep)
    ]
    return gevonden + wachtend


def _volgorde(levering: Levering) -> tuple[int, bytes, str, str]:
    """A total order within a group."""
    s = levering.spoor
    return s.begindatum, s.toewijzing or b"", s.code, s.gemeente


def _ketens(groep: list[Levering]) -> list[list[Levering]]:
    """Leveringen that follow each other within the window, or follow one that only paused, are one chain."""
    if len(groep) == 1:
        return [groep]
    groep.sort(key=_volgorde)
    ketens: list[list[Levering]] = []
    for levering in groep:
        if ketens and levering.spoor.begindatum <= _einde(ketens[-1]) + KETEN_DAGEN:
            ketens[-1].append(levering)
        else:
            ketens.append([levering])
    return ketens


def _einde(keten: list[Levering]) -> int:
    """When a chain ends: a pause after which care was resumed no longer holds it open."""
    return max(
        levering.pauze if levering.pauze is not None and _hervat(levering, keten) else levering.einde
        for levering in keten
    )


def _hervat(levering: Levering, keten: list[Levering]) -> bool:
    """A paused levering no longer waits once another began on a later day, not before the end of the pause."""
    pauze, begin = levering.pauze, levering.spoor.begindatum
    return pauze is not None and any(begin < ander.spoor.begindatum >= pauze for ander in keten)


def _traject(client: bytes, aanbieder: str, gemeente: str, categorie: str, keten: list[Levering]) -> Traject:
    begin = keten[0].spoor.begindatum
    bron = nummer(client, "traject", aanbieder, gemeente, categorie, begin)
    open_ = [levering for levering in keten if levering.einde == OPEN_EINDE and not _hervat(levering, keten)]
    if open_:
        status = LOPEND if any(levering.pauze is None or levering.fusie for levering in open_) else GEPAUZEERD
        return Traject(bron, aanbieder, gemeente, categorie, keten, status, begin, OPEN_EINDE)
    klaar = [levering for levering in keten if levering.reden]
    laatste = max(klaar, key=lambda levering: (levering.einde, _volgorde(levering), levering.reden))
    return Traject(bron, aanbieder, gemeente, categorie, keten, BEEINDIGD, begin, laatste.einde, laatste)


def _wachtend(client: bytes, levering: Levering) -> Traject:
    s = levering.spoor
    status = WACHT_START if levering.gestopt else WACHT_LEVERING
    bron = nummer(client, "wacht", *s)
    gemeente = huidige_code(s.gemeente)
    return Traject(bron, s.aanbieder, gemeente, s.categorie, [levering], status, s.begindatum, OPEN_EINDE)


def nieuwe_start(traject: Traject, alle: list[Traject]) -> int | None:
    """Begin of the first traject that began after the end, at most ``OPVOLGING_DAGEN`` later, with any provider, in
    any municipality of the set (3.2 [P]). Help that already ran on the last day is no new start.
    """
    if traject.status != BEEINDIGD or len(alle) == 1:
        return None
    laatste = traject.einde + OPVOLGING_DAGEN
    return min((t.begin for t in alle if traject.einde < t.begin <= laatste and _is_hulp(t)), default=None)


def _is_hulp(traject: Traject) -> bool:
    """Really begun, jeugdhulp in the sense of the outcomes, and in the set of municipalities."""
    begonnen = traject.status not in WACHTEND
    return begonnen and traject.categorie not in BUITEN_UITKOMSTEN and cluster(traject.gemeente) != ""
