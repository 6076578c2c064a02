"""Leveringen: every present start with its current stop, and what is told of a start that is not there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from domain.care.toewijzingen import Toewijzingen
from domain.facts.act import Spoor, StartDaad, StopDaad
from domain.facts.fact_set import Feiten, eerste_dag, geldend, staand
from domain.field.codes import REDEN_PAUZE, REDENEN_WIJZIGING, WIJZIGING_FUSIE
from domain.field.geography import GEMEENTEN, geldig_op

#: An end that has not come yet, as a day number that compares above every date.
OPEN_EINDE: Final = 1 << 30
_REDEN_FUSIE: Final = REDENEN_WIJZIGING[WIJZIGING_FUSIE]


class Levering(Struct, gc=False):
    """One start and its current stop. ``start`` is None while a stop waits for its start, or a removal for what it
    removes (OP080).
    """

    spoor: Spoor
    start: StartDaad | None
    einde: int = OPEN_EINDE  # Einddatum of the final stop
    reden: str = ""  # of the final stop
    pauze: int | None = None  # Einddatum of what only interrupts: a pause, or the end by a merger, without final stop
    tijdelijk: int | None = None  # Einddatum of the pause that stands, under a final stop too
    fusie: bool = False  # the interruption is a merger of municipalities (RedenWijziging 11): the care goes on
    gestopt: bool = False  # some stop stands
    leeftijd: int | None = None  # on the last day, from the final stop
    wacht: tuple[tuple[str, int], ...] = ()  # reason and earliest dagtekening
    vlaggen: tuple[str, ...] = ()

    @property
    def loopt_tot(self) -> int:
        """The day on which it no longer runs: of its end, and of a pause also when a final stop followed (OP379)."""
        tot = self.einde if self.pauze is None else self.pauze
        return tot if self.tijdelijk is None else min(tot, self.tijdelijk)


class Gestopt(NamedTuple):
    """One stop that stands, in the order in which the last counts; ``aantal``: how often it was delivered."""

    dagtekening: int
    bericht: bytes
    reden: str
    daad: StopDaad
    aantal: int
    sinds: int


_GEEN: Final[dict[bytes, StartDaad]] = {}


def leveringen(feiten: Feiten, bekend: Toewijzingen) -> list[Levering]:
    """All leveringen of a client; one spoor yields at most one."""
    stops: dict[Spoor, list[Gestopt]] = {}
    wezen: dict[Spoor, int] = {}
    for (spoor, reden), daden in feiten.stops.items():
        daad = geldend(daden)
        if daad is not None:
            stops.setdefault(spoor, []).append(_gestopt(reden, daden, daad))
        else:
            _wees(wezen, spoor, daden)
    gevonden = []
    for spoor, begin in feiten.starts.items():
        start = geldend(begin)
        if start is not None:
            gevonden.append(_levering(spoor, start, begin, stops.pop(spoor, ()), bekend))
        else:
            _wees(wezen, spoor, begin)
    for spoor, wachtend in stops.items():
        gevonden.append(_levering(spoor, None, feiten.starts.get(spoor, _GEEN), wachtend, bekend))
    if wezen:
        _met_wezen(gevonden, wezen)
    if len(gevonden) > 1:
        _onderling(gevonden)
    return gevonden


def _gestopt(reden: str, daden: dict[bytes, StopDaad], daad: StopDaad) -> Gestopt:
    if len(daden) == 1:
        return Gestopt(daad.dagtekening, next(iter(daden)), reden, daad, 1, daad.dagtekening)
    bericht = max(n for n, d in daden.items() if d == daad)
    sinds = eerste_dag(daden)
    return Gestopt(daad.dagtekening, bericht, reden, daad, staand(daden), daad.dagtekening if sinds is None else sinds)


def _wees(wezen: dict[Spoor, int], spoor: Spoor, daden: dict[bytes, Any]) -> None:
    """Remember a key of which only removals are known (TR063)."""
    if eerste_dag(daden) is None:
        dag = min(daad.dagtekening for daad in daden.values())
        wezen[spoor] = min(dag, wezen.get(spoor, dag))


def _met_wezen(gevonden: list[Levering], wezen: dict[Spoor, int]) -> None:
    """Removals without original wait on the row of their spoor, or on one of their own."""
    for levering in gevonden:
        dag = wezen.pop(levering.spoor, None)
        if dag is not None:
            levering.wacht = (*levering.wacht, ("levering", dag))
    gevonden.extend(Levering(spoor, None, wacht=(("levering", dag),)) for spoor, dag in wezen.items())


def _levering(
    spoor: Spoor,
    start: StartDaad | None,
    begin: dict[bytes, StartDaad],
    stops: Sequence[Gestopt],
    bekend: Toewijzingen,
) -> Levering:
    """The current stop is the latest final one; a pause (reason 20) counts only while there is none."""
    vlaggen = _vlaggen(spoor, start, begin, stops)
    wacht = _wacht(spoor, start, begin, stops, bekend)
    levering = Levering(spoor, start, gestopt=bool(stops), wacht=wacht, vlaggen=vlaggen)
    if not stops:
        return levering
    levering.tijdelijk = next((stop.daad.einddatum for stop in stops if stop.reden == REDEN_PAUZE), None)
    definitief = [stop for stop in stops if stop.reden != REDEN_PAUZE]
    if not definitief:
        levering.pauze = levering.tijdelijk
        return levering
    laatste = max(definitief, key=lambda stop: stop[:3])
    if laatste.reden == _REDEN_FUSIE and bekend.gefuseerd(spoor.aanbieder, spoor.gemeente, spoor.toewijzing):
        levering.pauze, levering.fusie = laatste.daad.einddatum, True
        return levering
    levering.einde, levering.reden, levering.leeftijd = laatste.daad.einddatum, laatste.reden, laatste.daad.leeftijd
    return levering


def _wacht(
    spoor: Spoor,
    start: StartDaad | None,
    begin: dict[bytes, StartDaad],
    stops: Sequence[Gestopt],
    bekend: Toewijzingen,
) -> tuple[tuple[str, int], ...]:
    """The assignment that is not known (TR019), the start that is not there (TR382); since its earliest message."""
    onbekend = spoor.toewijzing is not None and not bekend.staat(spoor.aanbieder, spoor.gemeente, spoor.toewijzing)
    if start is not None and not onbekend:
        return ()
    sinds = [stop.sinds for stop in stops]
    if start is None:
        eerste = min(sinds)
        return (("toewijzing", eerste), ("start", eerste)) if onbekend else (("start", eerste),)
    eerste_start = eerste_dag(begin) if len(begin) > 1 else start.dagtekening
    if eerste_start is not None:
        sinds.append(eerste_start)
    return (("toewijzing", min(sinds)),)


def _vlaggen(
    spoor: Spoor, start: StartDaad | None, begin: dict[bytes, StartDaad], stops: Sequence[Gestopt]
) -> tuple[str, ...]:
    """Rules of level 3 and 4 that one levering breaks by itself (``domain.field.rules``)."""
    gevonden = []
    if spoor.gemeente not in GEMEENTEN:
        dagen = [daad.ingangsdatum for daad in (start, *(stop.daad for stop in stops)) if daad is not None]
        ingang = {dag for dag in dagen if dag is not None} or {spoor.begindatum}
        if not all(geldig_op(spoor.gemeente, dag) for dag in ingang):
            gevonden.append("TR378")
    if len(begin) > 1 and start is not None and staand(begin) > 1:
        gevonden.append("TR074")
    if stops:
        if start is None and eerste_dag(begin) is not None:
            gevonden.append("TR071")
        gevonden += _vlaggen_stops(stops)
    return tuple(gevonden)


def _vlaggen_stops(stops: Sequence[Gestopt]) -> list[str]:
    """Stops that do not go together. Dagtekening is a date: what was signed on one day has no order."""
    gevonden = ["TR074"] if any(stop.aantal > 1 for stop in stops) else []
    if len(stops) == 1 and not gevonden:
        return gevonden
    definitief = [stop for stop in stops if stop.reden != REDEN_PAUZE]
    pauze = next((stop for stop in stops if stop.reden == REDEN_PAUZE), None)
    if pauze is not None and pauze.aantal > 1:
        gevonden.append("TR413")
    na_einde = pauze is not None and any(stop.dagtekening < pauze.dagtekening for stop in definitief)
    if len(definitief) > 1 or na_einde:
        gevonden.append("TR415")
    if pauze is not None and definitief:
        laatste = max(definitief, key=lambda stop: stop[:3])
        if laatste.daad.einddatum < pauze.daad.einddatum and pauze.dagtekening <= laatste.dagtekening:
            gevonden.append("TR414")
    return gevonden


def _onderling(alle: list[Levering]) -> None:
    """Rules between the leveringen of one assignment."""
    if len({levering.spoor[:3] for levering in alle}) == len(alle):
        return
    per_toewijzing: dict[tuple[object, ...], list[Levering]] = {}
    for levering in alle:
        s = levering.spoor
        sleutel: tuple[object, ...] = (s.aanbieder, s.gemeente, s.toewijzing)
        if s.toewijzing is None:
            sleutel = (*sleutel, s.categorie, s.code)
        per_toewijzing.setdefault(sleutel, []).append(levering)
    for groep in per_toewijzing.values():
        if len(groep) > 1:
            _binnen_toewijzing(groep)


def _binnen_toewijzing(groep: list[Levering]) -> None:
    begonnen = sorted(
        (levering for levering in groep if levering.start is not None),
        key=lambda levering: (levering.spoor.begindatum, levering.spoor.categorie, levering.spoor.code),
    )
    for levering in groep:
        if levering.start is None and levering.gestopt and begonnen:
            levering.vlaggen = (*levering.vlaggen, "TR382")
    if begonnen and begonnen[0].spoor.toewijzing is None:
        return
    tot, gepauzeerd = -OPEN_EINDE, set()
    for levering in begonnen:
        begin = levering.spoor.begindatum
        if tot > begin:
            levering.vlaggen = (*levering.vlaggen, "TR326")
        if levering.tijdelijk is not None:
            if begin in gepauzeerd:
                levering.vlaggen = (*levering.vlaggen, "TR413")
            gepauzeerd.add(begin)
        tot = max(tot, levering.loopt_tot)
