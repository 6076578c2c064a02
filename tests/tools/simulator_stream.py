"""The simulator's files through the connectors' parsers, the register and the fold, in this process, without a broker.

Only sealing, blinding and transport are left out: a client is named by its BSN or fallback key.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import asdict

from connectors.delivery.reading import prepare
from connectors.delivery.recognise import CSV_KINDS, HEAD, PARSERS, recognise
from connectors.formats.cbs.layout import read
from connectors.formats.files import InputFile
from connectors.formats.model import Afwijzing, Choices, FileContext, FileFault, FileRecord
from crypto.pseudonym import References
from domain.care.fold import rows_of
from domain.care.rows import TABLES, MetingRow, ScoreRow, TrajectRow
from domain.facts.checks import check
from domain.facts.fact import BerichtRetour, Event
from domain.facts.fact_set import FactSet, add
from domain.facts.number import Number, Record, take_in
from domain.facts.register import fold
from domain.facts.uses import keys, uses_of
from domain.field.dates import as_date, iso_day
from domain.indicators.terms import Table
from schemas.records import fact_to_record, record_to_fact
from streams.references import Remembered, hashed
from tests.build import event
from tools.simulator import compare

#: The day of the upload: after every day of sending.
UPLOAD = iso_day("2026-07-31") * 86_400_000 + 43_200_000
_SECRET = b"0" * 32


@dataclass
class Result:
    """What came out: rows as the comparison has them, what waits, and codes of what was refused."""

    rows: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, dict[str, int]] = field(default_factory=lambda: {"metingen": {}, "scores": {}})
    refused: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)  # by kind
    outside: int = 0
    tables: dict[Table, list[dict[str, Any]]] = field(
        default_factory=lambda: {"trajecten": [], "metingen": [], "scores": []}
    )  # every row by column, as the indicators read them
    flags: Counter[str] = field(default_factory=Counter)


@dataclass
class _Stream:
    result: Result = field(default_factory=Result)
    clients: dict[str, FactSet] = field(default_factory=lambda: defaultdict(FactSet))
    numbers: dict[str, Number] = field(default_factory=lambda: defaultdict(Number))
    references: Remembered = field(default_factory=lambda: Remembered(References(_SECRET)))
    events: list[tuple[str, Event]] = field(default_factory=list)


class _Place(NamedTuple):
    """Where a line stands: its delivery and the moment of it, and whether that is a message."""

    delivery: str
    line: int
    lines: int
    tijd: int
    message: bool


def run(root: Path, paths: list[Path] | None = None) -> Result:
    """Every file below ``root`` in order of path, or the given ones in their order."""
    layout = root / "cbs" / "layout.toml"
    choices = Choices(layout=read(layout) if layout.exists() else None, periode="2026-1")
    stream = _Stream()
    found = paths or sorted(p for p in root.rglob("*") if p.suffix in (".xml", ".csv"))
    for number, path in enumerate(found):
        _file(stream, path, number, choices)
    for client, told in stream.events:
        add(stream.clients[client], told)
    for client, told in _of_the_register(stream):
        add(stream.clients[client], told)
    _rows(stream)
    return stream.result


def _file(stream: _Stream, path: Path, number: int, choices: Choices) -> None:
    content = path.read_bytes()
    given = InputFile(path.name, path.name, len(content), content=content)
    try:
        kind, sender = recognise(content[:HEAD], path.name, path.name, choices.layout)
        known = prepare(given, _SECRET, 1 << 30)
        context = FileContext(path.name, sender, UPLOAD + number, known.encoding, known.rows, choices=choices)
        lines = _lines(kind, content, context)
    except FileFault as fault:
        stream.result.refused[fault.code] += 1
        return
    stream.result.outside += context.tally.outside
    delivery = hashlib.sha256(kind.encode() + content).hexdigest()[:32]
    for line, row in enumerate(lines, 1):
        if isinstance(row.inhoud, Afwijzing):
            stream.result.refused[row.inhoud.code] += 1
        else:
            assert check(row.inhoud) is None
            stream.result.accepted[kind] += 1
            _accept(stream, kind, sender, row, _Place(delivery, line, len(lines), context.tijd, kind not in CSV_KINDS))


def _lines(kind: str, content: bytes, context: FileContext) -> list[FileRecord]:
    """As a delivery reads it: again while the first pass finds records that are scattered."""
    while True:
        before = len(context.scattered)
        context.tally.outside = 0
        lines = list(PARSERS[kind](BytesIO(content), context))
        if len(context.scattered) == before:
            return lines


def _accept(stream: _Stream, kind: str, sender: str, row: FileRecord, place: _Place) -> None:
    assert not isinstance(row.inhoud, Afwijzing)
    name, clear = fact_to_record(row.inhoud)
    named = name, hashed(stream.references, kind, sender, clear)
    fact = record_to_fact(named)
    client = None if isinstance(fact, BerichtRetour) else row.bsn or f"fallback {row.fallback}"
    content = hashlib.sha256(repr((named, client)).encode()).digest()[:16]
    records, at = (place.lines, place.line) if place.message else (0, 0)
    for use in uses_of(fact, content, records, at, row.regel):
        for key, whose in keys(use, sender, client):
            take_in(stream.numbers[key], Record(use, whose, place.delivery, place.line, place.lines, place.tijd))
    if client is not None:
        assert not isinstance(fact, BerichtRetour)
        stream.events.append((client, event(fact, aanbieder=sender, delivery=place.delivery, line=place.line)))


def _of_the_register(stream: _Stream) -> Iterator[tuple[str, Event]]:
    for key, number in stream.numbers.items():
        kind, sender, reference, _ = key.split("|")
        for effect in fold(number, (), kind, bytes.fromhex(reference), everything=True):
            if effect.fact is not None:
                yield effect.pseudonym, event(effect.fact, aanbieder=sender, delivery=effect.delivery)


def _rows(stream: _Stream) -> None:
    result = stream.result
    found = []
    for bucket, (client, facts) in enumerate(stream.clients.items()):
        for key, row in rows_of(client.encode(), facts).items():
            named = {"aanbieder": key.aanbieder, "gemeente": key.gemeente, "verwijderd": False, "client": client}
            named["emmer"] = bucket % 1024
            number = {} if isinstance(row, MetingRow | ScoreRow) else {"traject": key.number.hex()}
            result.tables[TABLES[key.table]].append(asdict(row) | named | number)
            if isinstance(row, TrajectRow):
                found.append(_row(key.aanbieder, key.gemeente, row))
                result.flags.update(row.vlaggen)
            elif isinstance(row, MetingRow | ScoreRow) and row.wacht:
                table = result.waiting["metingen" if isinstance(row, MetingRow) else "scores"]
                table[row.wacht] = table.get(row.wacht, 0) + 1
    result.rows = compare.found(found)


def _row(aanbieder: str, gemeente: str, r: TrajectRow) -> tuple[Any, ...]:
    """The columns of ``compare.QUERY`` as ClickHouse gives them."""
    twice = [v for v in r.vlaggen if v in ("TR056", "TR314", "TR333")]
    days = {reason: as_date(day).isoformat() for reason, day in r.wacht.items()}
    return (
        *(aanbieder, gemeente, r.cluster, r.categorie, r.code, as_date(r.begindatum).isoformat()),
        *(_iso(r.einddatum), r.reden_beeindiging, r.uitval_klasse, r.status, r.leveringen, r.nut_jeugdige, r.nut_ouder),
        *(r.zonder_hulp_jeugdige, r.zonder_hulp_ouder, r.metingen, r.scores, r.declaraties, r.bron, r.hulpvorm),
        *(r.verwijzer, r.crisis, r.intensiteit, _iso(r.nieuwe_start), r.metingen_einde, r.metingen_jaren, days),
        *(twice, r.gas, r.probleem_behandelaar, r.probleem_ouder, r.probleem_client),
    )


def _iso(day: int | None) -> str:
    return "" if day is None else as_date(day).isoformat()
