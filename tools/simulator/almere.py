"""Providers in Almere and what they report to the Gemeenteportaal: a file in the structure of CBS (version 7).

One file per provider holds everybody who started, ended or ran in the half year of ``until``. The layout of the real
file is not public: ours is declared in ``cbs/layout.toml`` [P]. Some clients get help in the region too; of some the
BSN is not known. With faults a first file with errors is followed by a full redelivery, and that by a broken one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from tools.simulator.bsn import client_bsns
from tools.simulator.model import CbsClient, CbsMeting, CbsRecord, Client
from tools.simulator.tables import ALMERE, CBS_HULPVORMEN, CBS_REDENEN, CBS_VERWIJZERS

FIRST_AGB = 99_500_001
CLIENTS_PER_AANBIEDER, PART = 60, 8  # one client in Almere per so many in the region
UNKNOWN = "999999999"
GESLACHT = {"0": "O", "1": "M", "2": "V"}
COLUMNS = {
    "bsn": "BSN",
    "geboortedatum": "Geboortedatum",
    "geslacht": "Geslacht",
    "postcode": "Postcode",
    "verwijzer": "Verwijzer",
    "hulpvorm": "Hulpvorm",
    "crisis": "Gestart met crisis",
    "begindatum": "Datum aanvang",
    "einddatum": "Datum einde",
    "reden": "Reden beëindiging",
    "nut_jeugdige": "Nut jeugdige",
    "zonder_hulp_jeugdige": "Zonder hulp jeugdige",
    "nut_ouder": "Nut ouder",
    "zonder_hulp_ouder": "Zonder hulp ouder",
}
LAYOUT = (
    "# Voorbeeld van een kolomindeling; de echte berichtspecificatie is niet openbaar.\n\n[velden]\n"
    + "".join(f'{field} = {{ kolom = "{column}" }}\n' for field, column in COLUMNS.items())
    + f'\n[gemeenten]\n"{ALMERE}" = ["1300-1379"]\n'
)


def half_year(until: date) -> tuple[str, date]:
    """Name and first day of the half year of a day."""
    half = 1 if until.month <= 6 else 2
    return f"{until.year}-{half}", date(until.year, 1 if half == 1 else 7, 1)


def make_almere(seed: int, until: date, clients: list[Client]) -> list[CbsClient]:
    """The clients of the providers in Almere; of one in five the number is that of a client in the region."""
    count = max(6, len(clients) // PART)
    new = itertools.islice(client_bsns(), len(clients), len(clients) + count)
    agbs = [f"{FIRST_AGB + i * 7}" for i in range(max(2, count // CLIENTS_PER_AANBIEDER))]
    made = []
    for index, bsn in enumerate(new):
        rng = Random(f"{seed}|almere|{index}")
        born = until - timedelta(days=rng.randint(3 * 365, 17 * 365))
        usage, geslacht = rng.choices(("", "1", "2"), (94, 3, 3))[0], rng.choice("0112212")
        if index % 5 == 2:
            shared = clients[index % len(clients)]
            bsn, born, usage, geslacht = shared.bsn, shared.geboortedatum, shared.datum_usage, shared.geslacht
        elif index % 20 == 4:
            bsn = UNKNOWN
        if usage:
            born = born.replace(day=1, month=1 if usage == "2" else born.month)
        postcode = ALMERE if index % 33 == 9 else f"{1300 + index % 80}{'TS' if index < 80 else 'TR'}"
        client = CbsClient(agbs[index % len(agbs)], bsn, born, usage, geslacht, postcode)
        client.records = _records(rng, until, 1 if bsn == UNKNOWN else 2)
        made.append(client)
    return made


def _records(rng: Random, until: date, most: int) -> list[CbsRecord]:
    """One or two records that belong in the period; of overlapping ones only the last to end has an outcome."""
    first = _record(rng, until, _choice(rng, CBS_HULPVORMEN), until - timedelta(days=rng.randint(5, 700)))
    if most == 1 or rng.random() >= 0.35:
        return [_with_outcome(rng, first)]
    if rng.random() < 0.5 or (until - first.begindatum).days < 10:
        other = _choice(rng, {h: n for h, n in CBS_HULPVORMEN.items() if h != first.hulpvorm})
        begin = until - timedelta(days=rng.randint(5, 700))
        return [_with_outcome(rng, first), _with_outcome(rng, _record(rng, until, other, begin))]
    up_to = first.einddatum or until
    begin = first.begindatum + timedelta(days=rng.randint(1, max(1, (up_to - first.begindatum).days)))
    second = _record(rng, until, first.hulpvorm, begin)
    still_running = until + timedelta(days=1)
    if (first.einddatum or still_running) == (second.einddatum or still_running):
        return [_with_outcome(rng, first)]
    last = max(first, second, key=lambda r: r.einddatum or still_running)
    return [_with_outcome(rng, r) if r is last else r for r in (first, second)]


def _record(rng: Random, until: date, hulpvorm: str, begin: date) -> CbsRecord:
    _, first_day = half_year(until)
    record = CbsRecord(hulpvorm, _choice(rng, CBS_VERWIJZERS), rng.choices(("01", "02"), (8, 92))[0], begin)
    earliest = max(first_day, begin + timedelta(days=3))
    if earliest <= until and rng.random() < 0.6:
        record.einddatum = earliest + timedelta(days=rng.randint(0, (until - earliest).days))
        record.reden = _choice(rng, CBS_REDENEN)
    return record


def _with_outcome(rng: Random, record: CbsRecord) -> CbsRecord:
    """Outcomes are asked at the end (CBS 4.3, 4.4), at most one of each informant (4.5)."""
    if record.einddatum is None:
        return record
    groups = [CbsMeting(_mark(rng), _option(rng)) if rng.random() < 0.6 else None for _ in range(2)]
    return replace(record, jeugdige=groups[0], ouder=groups[1])


def _mark(rng: Random) -> int:
    return rng.choices(range(1, 11), (1, 1, 2, 3, 6, 12, 24, 30, 13, 8))[0]


def _option(rng: Random) -> int | None:
    return None if rng.random() < 0.1 else rng.choices((1, 2, 3, 4), (10, 20, 40, 30))[0]


def _choice(rng: Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CbsFile:
    """One delivery: path, content and records; ``half``: it breaks off."""

    path: str
    content: bytes
    records: int
    half: bool = False


def cbs_files(seed: int, until: date, almere: list[CbsClient], *, faults: bool) -> Iterator[CbsFile]:
    """The files in order of delivery. With faults the first ones are replaced in full by what is true."""
    periode, _ = half_year(until)
    for agb in sorted({c.aanbieder for c in almere}):
        clients = [c for c in almere if c.aanbieder == agb]
        good = [row for c in clients for row in _rows(c, c.records)]
        name = f"{agb}_cbs_{periode}"
        if not faults:
            yield _file(f"cbs/1-eerste/{name}.csv", good)
            continue
        rng = Random(f"{seed}|cbs|{agb}")
        first = [row for c in clients for row in _rows(c, _wrong(rng, c.records))]
        yield _file(f"cbs/1-eerste/{name}.csv", [*first, *_too_many(rng, clients)])
        yield _file(f"cbs/2-opnieuw/{name}.csv", good)
        # What a third delivery would say, but for the end of it: had it counted, everybody else would be gone.
        whole = good[: len(good) // 2]
        piece = _file("", whole).content + good[len(whole)][0][:4].encode()
        yield CbsFile(f"cbs/3-half/{name}.csv", piece, 0, half=True)


def _wrong(rng: Random, records: list[CbsRecord]) -> list[CbsRecord]:
    """Records as first delivered: some missing, some still running, some with another outcome."""
    made = []
    for r in records:
        drawn = rng.random()
        if drawn < 0.1:
            continue
        if drawn < 0.3 and r.einddatum:
            r = replace(r, einddatum=None, reden="", jeugdige=None, ouder=None)
        elif drawn < 0.5 and r.einddatum:
            r = replace(r, reden="03" if r.reden != "03" else "01", jeugdige=CbsMeting(1, 1), ouder=None)
        made.append(r)
    return made


def _too_many(rng: Random, clients: list[CbsClient]) -> list[Row]:
    """Records that the redelivery leaves out: they count as deleted."""
    rows = []
    for c in rng.sample(clients, max(1, len(clients) // 6)):
        taken = {r.hulpvorm for r in c.records}
        free = next(h for h in CBS_HULPVORMEN if h not in taken)
        extra = replace(c.records[0], hulpvorm=free, jeugdige=None, ouder=None)
        rows += _rows(c, [extra])
    return rows


def _file(path: str, rows: list[Row]) -> CbsFile:
    lines = [tuple(COLUMNS.values()), *rows]
    keys = {(*row[:4], row[5], row[7]) for row in rows}  # lines with one key are one record
    return CbsFile(path, "".join(";".join(line) + "\r\n" for line in lines).encode(), len(keys))


def _rows(client: CbsClient, records: list[CbsRecord]) -> list[Row]:
    """The columns in the order of the layout; dates as JJJJMMDD, JJJJMM00 or JJJJ0000."""
    born = f"{client.geboortedatum:%Y%m%d}"
    born = {"1": f"{born[:6]}00", "2": f"{born[:4]}0000"}.get(client.datum_usage, born)
    who = (client.bsn, born, GESLACHT[client.geslacht], client.postcode)
    return [(*who, *_fields(part)) for r in records for part in _parts(r)]


def _parts(r: CbsRecord) -> list[CbsRecord]:
    """Some providers write a line per informant: lines with equal keys are one record."""
    if r.jeugdige and r.ouder and r.begindatum.day % 4 == 0:
        return [replace(r, ouder=None), replace(r, jeugdige=None)]
    return [r]


def _fields(r: CbsRecord) -> Row:
    end = f"{r.einddatum:%Y%m%d}" if r.einddatum else ""
    return (
        *(r.verwijzer, r.hulpvorm, r.crisis, f"{r.begindatum:%Y%m%d}", end, r.reden),
        *_antwoorden(r.jeugdige),
        *_antwoorden(r.ouder),
    )


def _antwoorden(m: CbsMeting | None) -> tuple[str, str]:
    if m is None:
        return "", ""
    return "" if m.nut is None else str(m.nut), "" if m.zonder_hulp is None else f"{m.zonder_hulp:02d}"
