"""Providers in Almere and what they report to the Gemeenteportaal: a file in the structure of CBS (version 7).

One file per provider holds everybody who started, ended or ran in the half year of `until`. The layout of the real file
is not public: ours is declared in `cbs/layout.toml` [P]. Some clients get help in the region too; of some the BSN is
not known. With faults a first file with errors is followed by a full redelivery, and that by one that breaks off.
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
CLIENTS_PER_AANBIEDER, DEEL = 60, 8  # one client in Almere per so many in the region
ONBEKEND = "999999999"
GESLACHT = {"0": "O", "1": "M", "2": "V"}
KOLOMMEN = {
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
    + "".join(f'{veld} = {{ kolom = "{kolom}" }}\n' for veld, kolom in KOLOMMEN.items())
    + f'\n[gemeenten]\n"{ALMERE}" = ["1300-1379"]\n'
)


def halfjaar(until: date) -> tuple[str, date]:
    """Name and first day of the half year of a day."""
    helft = 1 if until.month <= 6 else 2
    return f"{until.year}-{helft}", date(until.year, 1 if helft == 1 else 7, 1)


def make_almere(seed: int, until: date, clients: list[Client]) -> list[CbsClient]:
    """The clients of the providers in Almere; of one in five the number is that of a client in the region."""
    aantal = max(6, len(clients) // DEEL)
    nieuw = itertools.islice(client_bsns(), len(clients), len(clients) + aantal)
    agbs = [f"{FIRST_AGB + i * 7}" for i in range(max(2, aantal // CLIENTS_PER_AANBIEDER))]
    made = []
    for index, bsn in enumerate(nieuw):
        rng = Random(f"{seed}|almere|{index}")
        geboren = until - timedelta(days=rng.randint(3 * 365, 17 * 365))
        gebruik, geslacht = rng.choices(("", "1", "2"), (94, 3, 3))[0], rng.choice("0112212")
        if index % 5 == 2:
            samen = clients[index % len(clients)]
            bsn, geboren, gebruik, geslacht = samen.bsn, samen.geboortedatum, samen.datum_gebruik, samen.geslacht
        elif index % 20 == 4:
            bsn = ONBEKEND
        if gebruik:
            geboren = geboren.replace(day=1, month=1 if gebruik == "2" else geboren.month)
        postcode = ALMERE if index % 33 == 9 else f"{1300 + index % 80}{'TS' if index < 80 else 'TR'}"
        client = CbsClient(agbs[index % len(agbs)], bsn, geboren, gebruik, geslacht, postcode)
        client.records = _records(rng, until, 1 if bsn == ONBEKEND else 2)
        made.append(client)
    return made


def _records(rng: Random, until: date, meest: int) -> list[CbsRecord]:
    """One or two records that belong in the period; of overlapping ones only the last to end has an outcome."""
    eerste = _record(rng, until, _keuze(rng, CBS_HULPVORMEN), until - timedelta(days=rng.randint(5, 700)))
    if meest == 1 or rng.random() >= 0.35:
        return [_met_uitkomst(rng, eerste)]
    if rng.random() < 0.5 or (until - eerste.begindatum).days < 10:
        andere = _keuze(rng, {h: n for h, n in CBS_HULPVORMEN.items() if h != eerste.hulpvorm})
        begin = until - timedelta(days=rng.randint(5, 700))
        return [_met_uitkomst(rng, eerste), _met_uitkomst(rng, _record(rng, until, andere, begin))]
    tot = eerste.einddatum or until
    begin = eerste.begindatum + timedelta(days=rng.randint(1, max(1, (tot - eerste.begindatum).days)))
    tweede = _record(rng, until, eerste.hulpvorm, begin)
    ver = until + timedelta(days=1)
    if (eerste.einddatum or ver) == (tweede.einddatum or ver):
        return [_met_uitkomst(rng, eerste)]
    laatste = max(eerste, tweede, key=lambda r: r.einddatum or ver)
    return [_met_uitkomst(rng, r) if r is laatste else r for r in (eerste, tweede)]


def _record(rng: Random, until: date, hulpvorm: str, begin: date) -> CbsRecord:
    _, eerste_dag = halfjaar(until)
    record = CbsRecord(hulpvorm, _keuze(rng, CBS_VERWIJZERS), rng.choices(("01", "02"), (8, 92))[0], begin)
    vroegst = max(eerste_dag, begin + timedelta(days=3))
    if vroegst <= until and rng.random() < 0.6:
        record.einddatum = vroegst + timedelta(days=rng.randint(0, (until - vroegst).days))
        record.reden = _keuze(rng, CBS_REDENEN)
    return record


def _met_uitkomst(rng: Random, record: CbsRecord) -> CbsRecord:
    """Outcomes are asked at the end (CBS 4.3, 4.4), at most one of each informant (4.5)."""
    if record.einddatum is None:
        return record
    groepen = [CbsMeting(_cijfer(rng), _optie(rng)) if rng.random() < 0.6 else None for _ in range(2)]
    return replace(record, jeugdige=groepen[0], ouder=groepen[1])


def _cijfer(rng: Random) -> int:
    return rng.choices(range(1, 11), (1, 1, 2, 3, 6, 12, 24, 30, 13, 8))[0]


def _optie(rng: Random) -> int | None:
    return None if rng.random() < 0.1 else rng.choices((1, 2, 3, 4), (10, 20, 40, 30))[0]


def _keuze(rng: Random, gewichten: dict[str, int]) -> str:
    return rng.choices(list(gewichten), list(gewichten.values()))[0]


Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CbsBestand:
    """One delivery: path, content and records; `half`: it breaks off."""

    pad: str
    inhoud: bytes
    records: int
    half: bool = False


def cbs_bestanden(seed: int, until: date, almere: list[CbsClient], *, faults: bool) -> Iterator[CbsBestand]:
    """The files in order of delivery. With faults the first ones are replaced in full by what is true."""
    periode, _ = halfjaar(until)
    for agb in sorted({c.aanbieder for c in almere}):
        clients = [c for c in almere if c.aanbieder == agb]
        goed = [row for c in clients for row in _rows(c, c.records)]
        naam = f"{agb}_cbs_{periode}"
        if not faults:
            yield _bestand(f"cbs/1-eerste/{naam}.csv", goed)
            continue
        rng = Random(f"{seed}|cbs|{agb}")
        eerst = [row for c in clients for row in _rows(c, _verkeerd(rng, c.records))]
        yield _bestand(f"cbs/1-eerste/{naam}.csv", [*eerst, *_te_veel(rng, clients)])
        yield _bestand(f"cbs/2-opnieuw/{naam}.csv", goed)
        # What a third delivery would say, but for the end of it: had it counted, everybody else would be gone.
        heel = goed[: len(goed) // 2]
        stuk = _bestand("", heel).inhoud + goed[len(heel)][0][:4].encode()
        yield CbsBestand(f"cbs/3-half/{naam}.csv", stuk, 0, half=True)


def _verkeerd(rng: Random, records: list[CbsRecord]) -> list[CbsRecord]:
    """Records as first delivered: some missing, some still running, some with another outcome."""
    made = []
    for r in records:
        lot = rng.random()
        if lot < 0.1:
            continue
        if lot < 0.3 and r.einddatum:
            r = replace(r, einddatum=None, reden="", jeugdige=None, ouder=None)
        elif lot < 0.5 and r.einddatum:
            r = replace(r, reden="03" if r.reden != "03" else "01", jeugdige=CbsMeting(1, 1), ouder=None)
        made.append(r)
    return made


def _te_veel(rng: Random, clients: list[CbsClient]) -> list[Row]:
    """Records that the redelivery leaves out: they count as deleted."""
    rows = []
    for c in rng.sample(clients, max(1, len(clients) // 6)):
        bezet = {r.hulpvorm for r in c.records}
        vrij = next(h for h in CBS_HULPVORMEN if h not in bezet)
        extra = replace(c.records[0], hulpvorm=vrij, jeugdige=None, ouder=None)
        rows += _rows(c, [extra])
    return rows


def _bestand(pad: str, rows: list[Row]) -> CbsBestand:
    regels = [tuple(KOLOMMEN.values()), *rows]
    sleutels = {(*row[:4], row[5], row[7]) for row in rows}  # lines with one key are one record
    return CbsBestand(pad, "".join(";".join(regel) + "\r\n" for regel in regels).encode(), len(sleutels))


def _rows(client: CbsClient, records: list[CbsRecord]) -> list[Row]:
    """The columns in the order of the layout; dates as JJJJMMDD, JJJJMM00 or JJJJ0000."""
    geboren = f"{client.geboortedatum:%Y%m%d}"
    geboren = {"1": f"{geboren[:6]}00", "2": f"{geboren[:4]}0000"}.get(client.datum_gebruik, geboren)
    wie = (client.bsn, geboren, GESLACHT[client.geslacht], client.postcode)
    return [(*wie, *_velden(deel)) for r in records for deel in _delen(r)]


def _delen(r: CbsRecord) -> list[CbsRecord]:
    """Some providers write a line per informant: lines with equal keys are one record."""
    if r.jeugdige and r.ouder and r.begindatum.day % 4 == 0:
        return [replace(r, ouder=None), replace(r, jeugdige=None)]
    return [r]


def _velden(r: CbsRecord) -> Row:
    einde = f"{r.einddatum:%Y%m%d}" if r.einddatum else ""
    return (
        *(r.verwijzer, r.hulpvorm, r.crisis, f"{r.begindatum:%Y%m%d}", einde, r.reden),
        *_antwoorden(r.jeugdige),
        *_antwoorden(r.ouder),
    )


def _antwoorden(m: CbsMeting | None) -> tuple[str, str]:
    if m is None:
        return "", ""
    return "" if m.nut is None else str(m.nut), "" if m.zonder_hulp is None else f"{m.zonder_hulp:02d}"
