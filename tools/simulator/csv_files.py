"""RAP and CEM+ files: CSV per provider and month, in the separators, encodings and line ends in use."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from tools.simulator.model import Client, Meting, Traject, World, first_day, month_of
from tools.simulator.tables import OUTSIDE_SET

Row = tuple[str, ...]
CEM_HEADER = (
    *("zorgaanbieder_id", "bsn", "client_ref", "meting_id"),
    *("datum_meting", "informant", "vragenlijst", "vraag", "antwoord"),
)
BERGOP_HEADER = (*CEM_HEADER, "gemeente")  # the feed is not public: this column is a proposal [P]
FOREIGN = 950  # first sequence of a meting of another municipality: no client comes to this many metingen
RAP_HEADERS = (
    ("BSN", "Beschikingsnummer", "Toewijzingsnummer", "Type", "Waarde"),  # as on the slide (S0)
    ("BSN", "Beschikkingsnummer", "Toewijzingsnummer", "Type", "Waarde"),
)


@dataclass(frozen=True, slots=True)
class Style:
    """How one file is written.

    ``empty_row``: an empty line at the end, as in the feedback example of S0 (1 empty line).
    """

    separator: str
    encoding: str
    line_end: str
    empty_row: bool

    def without_empty_row(self) -> Style:
        """The same style without an empty line at the end."""
        return replace(self, empty_row=False)

    def render(self, header: Row, rows: Iterable[Row]) -> bytes:
        """The bytes of a file with this header and these rows; fields that need it are quoted."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.separator, lineterminator=self.line_end)
        writer.writerow(header)
        writer.writerows(rows)
        if self.empty_row:
            out.write(self.line_end)
        return out.getvalue().encode(self.encoding)


def style_of(seed: int, kind: str, agb: str, month: int) -> Style:
    """The style of one file, fixed by seed, kind, provider and month."""
    rng = Random(f"{seed}|stijl|{kind}|{agb}|{month}")
    return Style(
        rng.choices((";", ",", "\t"), (6, 2, 2))[0],
        rng.choices(("utf-8", "utf-8-sig", "cp1252"), (5, 3, 2))[0],
        rng.choice(("\r\n", "\n")),
        rng.random() < 0.2,
    )


def rap_header(agb: str) -> Row:
    """The spelling of the header this provider uses."""
    return RAP_HEADERS[int(agb) % 2]


def year_month(month: int) -> str:
    """``yyyymm`` of a month number."""
    return f"{first_day(month):%Y%m}"


def rap_path(agb: str, month: int, name: str = "") -> str:
    """Path of a RAP file: AGB code first, later months sort after earlier ones, ``name`` after the plain file."""
    return f"rap/{agb}_scores_{year_month(month)}{name}.csv"


def cem_path(agb: str, month: int, name: str = "") -> str:
    """Path of a CEM+ file."""
    return f"cem/{agb}_cem_{year_month(month)}{name}.csv"


def bergop_path(agb: str, month: int) -> str:
    """Path of a file of the BergOp feed."""
    return f"bergop/{agb}_bergop_{year_month(month)}.csv"


def rap_files(world: World) -> Iterator[tuple[str, int, list[Row]]]:
    """(provider, month, rows) of every RAP file, in order of path."""
    rows: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for client in world.clients:
        for traject in client.trajecten:
            for month, row in _rap_rows(client, traject):
                rows[traject.aanbieder, month].append(row)
    for (agb, month), made in sorted(rows.items()):
        yield agb, month, made


def cem_files(world: World) -> Iterator[tuple[str, int, list[Row]]]:
    """(provider, month, rows) of every CEM+ file, in order of path; a month holds the metingen of that month."""
    for agb, month, found in _metingen(world, bergop=False):
        yield agb, month, [row for client, meting in found for row in cem_rows(client.bsn, meting)]


def bergop_files(world: World, seed: int) -> Iterator[tuple[str, int, list[Row], int]]:
    """(provider, month, rows, rows of other municipalities) of every file of the BergOp feed, in order of path.

    A foreign meting is one row with a meting_id of its own; were it let through, it would count.
    """
    for agb, month, found in _metingen(world, bergop=True):
        rng = Random(f"{seed}|bergop|{agb}|{month}")
        rows = [(*row, m.gemeente) for client, m in found for row in cem_rows(client.bsn, m)]
        foreign = [_foreign(rng, *rng.choice(found), n) for n in range(rng.randint(0, 2))]
        yield agb, month, [*foreign[:1], *rows, *foreign[1:]], len(foreign)


def _foreign(rng: Random, client: Client, meting: Meting, number: int) -> Row:
    header, informant, vragenlijst = cem_rows(client.bsn, meting)[0][:4], meting.informant, meting.vragenlijst
    foreign = f"{meting.client_ref}-{FOREIGN + number}"
    return (
        *header[:3],
        foreign,
        f"{meting.datum:%d-%m-%Y}",
        informant,
        vragenlijst,
        "VR09A",
        "1",
        rng.choice(OUTSIDE_SET),
    )


def _metingen(world: World, *, bergop: bool) -> Iterator[tuple[str, int, list[tuple[Client, Meting]]]]:
    metingen: dict[tuple[str, int], list[tuple[Client, Meting]]] = defaultdict(list)
    for client in world.clients:
        for meting in client.metingen:
            if world.aanbieders[meting.aanbieder].bergop == bergop:
                metingen[meting.aanbieder, month_of(meting.datum)].append((client, meting))
    for (agb, month), found in sorted(metingen.items(), key=lambda item: item[0]):
        yield agb, month, found


def cem_rows(bsn: str, meting: Meting) -> list[Row]:
    """One row per answer (8.2), date as dd-mm-yyyy."""
    header = (meting.aanbieder, bsn, meting.client_ref, meting.meting_id, f"{meting.datum:%d-%m-%Y}")
    return [
        (*header, meting.informant, meting.vragenlijst, question, value)
        for question, value in meting.antwoorden.items()
    ]


def _rap_rows(client: Client, traject: Traject) -> Iterator[tuple[int, Row]]:
    number = str(traject.score_number)
    if traject.score_number % 50 == 0:
        number = number.zfill(9)  # leading zeros carry no meaning
    for score in traject.scores:
        beschikking = "" if score.manner == "toewijzing" else traject.beschikkingsnummer
        toewijzing = "" if score.manner == "beschikking" else number
        yield score.month, (client.bsn, beschikking, toewijzing, score.type, score.waarde)
