"""From the set of facts to leveringen and trajecten: pure functions, recomputed whole for every client.

A *levering* is one accepted start and its current stop. A *traject* is a chain of leveringen of one client, provider,
municipality and product category [P]; *traject* is not defined in the sources.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from domain.codes import REDEN_PAUZE, REDENEN
from domain.definitions import KETEN_DAGEN
from domain.feiten import Feiten, Spoor, StartDaad, StopDaad, geldend, staand
from domain.geography import huidige_code

LOPEND, GEPAUZEERD, BEEINDIGD, WACHT = "lopend", "gepauzeerd", "beeindigd", "wacht_op_start"
#: An end that has not come yet, as a day number that compares above every date.
OPEN_EINDE: Final = 1 << 30


class Levering(Struct, gc=False):
    """One start and its current stop. ``start`` is None while a stop waits for its start (TR382 as a state, OP080)."""

    spoor: Spoor
    start: StartDaad | None
    einde: int  # Einddatum of the final stop, else OPEN_EINDE
    reden: str  # of the final stop, else empty
    pauze: int | None  # Einddatum of the pause when there is no final stop
    vlaggen: tuple[str, ...]


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
    reden: str

    @property
    def klasse(self) -> str:
        """Class of the end reason for uitval [R]; empty if not ended."""
        return REDENEN[self.reden].klasse if self.reden else ""


def nummer(client: bytes, *delen: object) -> bytes:
    """Eight bytes that name something within one client: a hash of the pseudonym and the parts."""
    tekst = "|".join(deel.hex() if isinstance(deel, bytes) else str(deel) for deel in delen)
    return hashlib.blake2b(tekst.encode(), digest_size=8, key=client[:64]).digest()


def leveringen(feiten: Feiten) -> list[Levering]:
    """Every present start with its stop; and per start that is not there, what was stopped of it."""
    stops: dict[Spoor, list[tuple[int, bytes, str, StopDaad]]] = {}
    dubbel: set[Spoor] = set()
    for (spoor, reden), daden in feiten.stops.items():
        daad = geldend(daden)
        if daad is not None:
            bericht = max(n for n, d in daden.items() if d == daad)
            stops.setdefault(spoor, []).append((daad.dagtekening, bericht, reden, daad))
            if _dubbel(daden):
                dubbel.add(spoor)
    gevonden = []
    for spoor, daden_ in feiten.starts.items():
        start = geldend(daden_)
        if start is not None:
            twee = spoor in dubbel or _dubbel(daden_)
            gevonden.append(_levering(spoor, start, stops.pop(spoor, ()), dubbel=twee))
    gevonden.extend(_levering(spoor, None, wachtend, dubbel=spoor in dubbel) for spoor, wachtend in stops.items())
    return gevonden


def _dubbel(daden: dict[bytes, StartDaad] | dict[bytes, StopDaad]) -> bool:
    """TR074: the same key delivered again without a removal between."""
    return len(daden) > 1 and staand(daden) > 1


def _levering(
    spoor: Spoor,
    start: StartDaad | None,
    stops: list[tuple[int, bytes, str, StopDaad]] | tuple[()],
    *,
    dubbel: bool,
) -> Levering:
    """The current stop is the latest final one; a pause (reason 20) counts only while there is none."""
    vlaggen: tuple[str, ...] = ("TR074",) if dubbel else ()
    definitief = [stop for stop in stops if stop[2] != REDEN_PAUZE]
    if len(definitief) > 1:
        vlaggen = (*vlaggen, "TR415")
    if definitief:
        _, _, reden, daad = max(definitief, key=lambda s: (s[0], s[1], s[2]))
        return Levering(spoor, start, daad.einddatum, reden, None, vlaggen)
    pauze = max((stop[3].einddatum for stop in stops), default=None)
    return Levering(spoor, start, OPEN_EINDE, "", pauze, vlaggen)


def trajecten(client: bytes, feiten: Feiten) -> list[Traject]:
    """The trajecten of a client. Stops that wait for one start stand apart, as a traject of their own."""
    groepen: dict[tuple[str, str, str], list[Levering]] = {}
    wachtend = []
    for levering in leveringen(feiten):
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
        status = LOPEND if any(levering.pauze is None for levering in open_) else GEPAUZEERD
        return Traject(bron, aanbieder, gemeente, categorie, keten, status, begin, OPEN_EINDE, "")
    klaar = [levering for levering in keten if levering.reden]
    laatste = max(klaar, key=lambda levering: (levering.einde, _volgorde(levering), levering.reden))
    return Traject(bron, aanbieder, gemeente, categorie, keten, BEEINDIGD, begin, laatste.einde, laatste.reden)


def _wachtend(client: bytes, levering: Levering) -> Traject:
    s = levering.spoor
    gemeente = huidige_code(s.gemeente)
    bron = nummer(client, "wacht", *s)
    return Traject(bron, s.aanbieder, gemeente, s.categorie, [levering], WACHT, s.begindatum, OPEN_EINDE, "")
