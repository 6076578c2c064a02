"""The route of the CBS-structured files: records to trajecten and metingen of their own. Pure.

Records of one provider and form of help whose periods overlap are one traject: from the earliest start to the last
end. They stay apart from what starts and stops tell of the same client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from domain.care.leveringen import OPEN_EINDE
from domain.care.rows import T_METING, T_TRAJECT, MetingRij, Rij, RowKey, TrajectRij
from domain.care.trajecten import BEEINDIGD, LOPEND, nummer
from domain.facts.act import CbsDaad
from domain.facts.fact_set import Feiten, volgorde
from domain.field.dates import year
from domain.field.definitions import UITVAL_CBS
from domain.field.geography import cluster, huidige_code
from domain.field.questionnaires import CBS_SOORT, CBS_VRAGENLIJST

_DAG_MS: Final = 86_400_000


class Uitkomst(NamedTuple):
    """What one record says of the outcome for one informant group, in the order in which the last counts."""

    datum: int
    tijd: int
    begin: int  # of its record
    nummer: bytes
    groep: str
    nut: int | None
    zonder_hulp: int | None


class Record(NamedTuple):
    """One record as it counts."""

    begin: int
    einde: int  # OPEN_EINDE while running
    daad: CbsDaad


def rijen(client: bytes, feiten: Feiten) -> Iterator[tuple[RowKey, Rij]]:
    """The rows of every CBS traject and of its metingen."""
    groepen: dict[tuple[str, str], list[Record]] = {}
    for sleutel, daden in feiten.cbs.items():
        daad = _laatste(daden)
        einde = OPEN_EINDE if daad.einddatum is None else daad.einddatum
        groepen.setdefault((sleutel.aanbieder, sleutel.hulpvorm), []).append(Record(sleutel.begindatum, einde, daad))
    for (aanbieder, hulpvorm), records in groepen.items():
        for samen in _samen(sorted(records, key=lambda record: record.begin)):
            yield from _rijen(client, aanbieder, hulpvorm, samen)


def _laatste(daden: dict[bytes, CbsDaad]) -> CbsDaad:
    """The latest upload; of one upload the last line, of one moment the higher delivery: arbitrary but stable."""
    return max(daden.items(), key=lambda paar: volgorde(paar[0], paar[1].tijd))[1]


def _samen(records: list[Record]) -> list[list[Record]]:
    """Records of which the next begins before or on the last day of those before it are one (CBS)."""
    groepen: list[list[Record]] = []
    einde = -OPEN_EINDE
    for record in records:
        if record.begin <= einde:
            groepen[-1].append(record)
        else:
            groepen.append([record])
        einde = max(einde, record.einde)
    return groepen


def _rijen(client: bytes, aanbieder: str, hulpvorm: str, records: list[Record]) -> Iterator[tuple[RowKey, Rij]]:
    eerste, laatste = records[0], max(records, key=lambda record: (record.einde, record.begin))
    gemeente = huidige_code(laatste.daad.gemeente)
    bron = nummer(client, "cbs", aanbieder, hulpvorm, eerste.begin)
    rij = _traject_rij(eerste, laatste, gemeente, hulpvorm, len(records))
    uitkomsten = [uitkomst for record in records for uitkomst in _uitkomsten(client, aanbieder, hulpvorm, record)]
    telt = {u.groep: u.nummer for u in sorted(uitkomsten)}
    rij.metingen = len(uitkomsten)
    for uitkomst in uitkomsten:
        if telt[uitkomst.groep] == uitkomst.nummer:
            _op_rij(rij, uitkomst)
        sleutel = RowKey(T_METING, aanbieder, gemeente, year(uitkomst.datum), uitkomst.nummer)
        yield sleutel, _meting_rij(uitkomst, bron, telt=telt[uitkomst.groep] == uitkomst.nummer)
    yield RowKey(T_TRAJECT, aanbieder, gemeente, year(eerste.begin), bron), rij


def _traject_rij(eerste: Record, laatste: Record, gemeente: str, hulpvorm: str, aantal: int) -> TrajectRij:
    beeindigd = laatste.einde != OPEN_EINDE
    return TrajectRij(
        cluster=cluster(gemeente),
        begindatum=eerste.begin,
        einddatum=laatste.einde if beeindigd else None,
        uitval_klasse=UITVAL_CBS[laatste.daad.reden].klasse if beeindigd else "",
        status=BEEINDIGD if beeindigd else LOPEND,
        leveringen=aantal,
        leeftijd=eerste.daad.leeftijd,
        geslacht=eerste.daad.geslacht,
        bron="cbs",
        hulpvorm=hulpvorm,
        verwijzer=eerste.daad.verwijzer,
        crisis=eerste.daad.crisis,
    )


def _uitkomsten(client: bytes, aanbieder: str, hulpvorm: str, record: Record) -> Iterator[Uitkomst]:
    """At most two per record: one of the youth, one of a parent (CBS 4.5). While running its day is that of upload."""
    daad = record.daad
    datum = daad.tijd // _DAG_MS if daad.einddatum is None else daad.einddatum
    for groep, nut, zonder_hulp in (
        ("jeugdige", daad.nut_jeugdige, daad.zonder_hulp_jeugdige),
        ("ouder", daad.nut_ouder, daad.zonder_hulp_ouder),
    ):
        if nut is not None or zonder_hulp is not None:
            bron = nummer(client, "cbs.meting", aanbieder, hulpvorm, record.begin, groep)
            yield Uitkomst(datum, daad.tijd, record.begin, bron, groep, nut, zonder_hulp)


def _op_rij(rij: TrajectRij, uitkomst: Uitkomst) -> None:
    if uitkomst.groep == "jeugdige":
        rij.nut_jeugdige, rij.zonder_hulp_jeugdige = uitkomst.nut, uitkomst.zonder_hulp
    else:
        rij.nut_ouder, rij.zonder_hulp_ouder = uitkomst.nut, uitkomst.zonder_hulp


def _meting_rij(uitkomst: Uitkomst, bron: bytes, *, telt: bool) -> MetingRij:
    return MetingRij(
        vragenlijst=CBS_VRAGENLIJST,
        groep=uitkomst.groep,
        soort=CBS_SOORT,
        informant=uitkomst.groep.capitalize(),
        datum=uitkomst.datum,
        nut=uitkomst.nut,
        zonder_hulp=uitkomst.zonder_hulp,
        traject=bron.hex(),
        telt=telt,
        bevestigd=True,
    )
