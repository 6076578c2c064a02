"""RAP and CEM+ files: CSV per provider and month, in the separators, encodings and line ends in use."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from tools.simulator.model import Client, Meting, Traject, World, eerste_dag, maand_van
from tools.simulator.tables import BUITEN_SET

Row = tuple[str, ...]
CEM_KOP = (
    *("zorgaanbieder_id", "bsn", "client_ref", "meting_id"),
    *("datum_meting", "informant", "vragenlijst", "vraag", "antwoord"),
)
BERGOP_KOP = (*CEM_KOP, "gemeente")  # the feed is not public: this column is a proposal [P]
VREEMD = 950  # first sequence of a meting of another municipality: no client comes to this many metingen
RAP_KOPPEN = (
    ("BSN", "Beschikingsnummer", "Toewijzingsnummer", "Type", "Waarde"),  # as on the slide (S0)
    ("BSN", "Beschikkingsnummer", "Toewijzingsnummer", "Type", "Waarde"),
)


@dataclass(frozen=True, slots=True)
class Stijl:
    """How one file is written.

    `lege_regel`: an empty line at the end, as in the feedback example of S0 (1 empty line).
    """

    scheiding: str
    codering: str
    regeleinde: str
    lege_regel: bool

    def zonder_lege_regel(self) -> Stijl:
        """The same style without an empty line at the end."""
        return replace(self, lege_regel=False)

    def render(self, kop: Row, rows: Iterable[Row]) -> bytes:
        """The bytes of a file with this header and these rows; fields that need it are quoted."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.scheiding, lineterminator=self.regeleinde)
        writer.writerow(kop)
        writer.writerows(rows)
        if self.lege_regel:
            out.write(self.regeleinde)
        return out.getvalue().encode(self.codering)


def stijl(seed: int, soort: str, agb: str, maand: int) -> Stijl:
    """The style of one file, fixed by seed, kind, provider and month."""
    rng = Random(f"{seed}|stijl|{soort}|{agb}|{maand}")
    return Stijl(
        rng.choices((";", ",", "\t"), (6, 2, 2))[0],
        rng.choices(("utf-8", "utf-8-sig", "cp1252"), (5, 3, 2))[0],
        rng.choice(("\r\n", "\n")),
        rng.random() < 0.2,
    )


def rap_kop(agb: str) -> Row:
    """The spelling of the header this provider uses."""
    return RAP_KOPPEN[int(agb) % 2]


def jaarmaand(maand: int) -> str:
    """`yyyymm` of a month number."""
    return f"{eerste_dag(maand):%Y%m}"


def rap_pad(agb: str, maand: int, naam: str = "") -> str:
    """Path of a RAP file: AGB code first, later months sort after earlier ones, `naam` after the plain file."""
    return f"rap/{agb}_scores_{jaarmaand(maand)}{naam}.csv"


def cem_pad(agb: str, maand: int, naam: str = "") -> str:
    """Path of a CEM+ file."""
    return f"cem/{agb}_cem_{jaarmaand(maand)}{naam}.csv"


def bergop_pad(agb: str, maand: int) -> str:
    """Path of a file of the BergOp feed."""
    return f"bergop/{agb}_bergop_{jaarmaand(maand)}.csv"


def rap_bestanden(world: World) -> Iterator[tuple[str, int, list[Row]]]:
    """(provider, month, rows) of every RAP file, in order of path."""
    rows: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for client in world.clients:
        for traject in client.trajecten:
            for maand, row in _rap_rows(client, traject):
                rows[traject.aanbieder, maand].append(row)
    for (agb, maand), made in sorted(rows.items()):
        yield agb, maand, made


def cem_bestanden(world: World) -> Iterator[tuple[str, int, list[Row]]]:
    """(provider, month, rows) of every CEM+ file, in order of path; a month holds the metingen of that month."""
    for agb, maand, found in _metingen(world, bergop=False):
        yield agb, maand, [row for client, meting in found for row in cem_rows(client.bsn, meting)]


def bergop_bestanden(world: World, seed: int) -> Iterator[tuple[str, int, list[Row], int]]:
    """(provider, month, rows, rows of other municipalities) of every file of the BergOp feed, in order of path.

    A foreign meting is one row with a meting_id of its own; were it let through, it would count.
    """
    for agb, maand, found in _metingen(world, bergop=True):
        rng = Random(f"{seed}|bergop|{agb}|{maand}")
        rows = [(*row, m.gemeente) for client, m in found for row in cem_rows(client.bsn, m)]
        vreemd = [_vreemd(rng, *rng.choice(found), n) for n in range(rng.randint(0, 2))]
        yield agb, maand, [*vreemd[:1], *rows, *vreemd[1:]], len(vreemd)


def _vreemd(rng: Random, client: Client, meting: Meting, nummer: int) -> Row:
    kop, informant, lijst = cem_rows(client.bsn, meting)[0][:4], meting.informant, meting.vragenlijst
    vreemd = f"{meting.client_ref}-{VREEMD + nummer}"
    return (*kop[:3], vreemd, f"{meting.datum:%d-%m-%Y}", informant, lijst, "VR09A", "1", rng.choice(BUITEN_SET))


def _metingen(world: World, *, bergop: bool) -> Iterator[tuple[str, int, list[tuple[Client, Meting]]]]:
    metingen: dict[tuple[str, int], list[tuple[Client, Meting]]] = defaultdict(list)
    for client in world.clients:
        for meting in client.metingen:
            if world.aanbieders[meting.aanbieder].bergop == bergop:
                metingen[meting.aanbieder, maand_van(meting.datum)].append((client, meting))
    for (agb, maand), found in sorted(metingen.items(), key=lambda item: item[0]):
        yield agb, maand, found


def cem_rows(bsn: str, meting: Meting) -> list[Row]:
    """One row per answer (8.2), date as dd-mm-yyyy."""
    kop = (meting.aanbieder, bsn, meting.client_ref, meting.meting_id, f"{meting.datum:%d-%m-%Y}")
    return [(*kop, meting.informant, meting.vragenlijst, vraag, waarde) for vraag, waarde in meting.antwoorden.items()]


def _rap_rows(client: Client, traject: Traject) -> Iterator[tuple[int, Row]]:
    nummer = str(traject.score_nummer)
    if traject.score_nummer % 50 == 0:
        nummer = nummer.zfill(9)  # leading zeros carry no meaning
    for score in traject.scores:
        beschikking = "" if score.wijze == "toewijzing" else traject.beschikkingsnummer
        toewijzing = "" if score.wijze == "beschikking" else nummer
        yield score.maand, (client.bsn, beschikking, toewijzing, score.type, score.waarde)
