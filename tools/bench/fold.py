"""The fold by itself: simulated files, read by the connectors' own parsers, folded in one process without a broker."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import asdict

from connectors.delivery.reading import prepare
from connectors.delivery.recognise import HEAD, PARSERS, recognise
from connectors.formats.files import InputFile
from connectors.formats.model import Afwijzing, FileContext, FileFault
from crypto.pseudonym import References
from domain.care.fold import Person, fold_rows
from domain.facts.fact import BerichtRetour, Event, Terugname, Wisverzoek
from schemas.records import fact_to_record, record_to_fact
from streams.references import Remembered, hashed
from tools.bench.figures import Figure, Tell, median
from tools.simulator import SimulationConfig, simulate

_PER_SECOND: Final = 20_000.0
_STATE: Final = 2_000.0
#: Events of a client that a batch of the stream holds when care is told of as it happens.
_RUN: Final = 8
#: After the last simulated day: nothing is signed in the future (TR135).
_UPLOAD: Final = 1_785_542_400_000  # 2026-08-01
_ROOT: Final = b"\x01" * 32


class FoldSizes(NamedTuple):
    """Clients of the simulated region, over 24 months."""

    clients: int


Lives = dict[bytes, list[Event]]


def folding(sizes: FoldSizes, rounds: int, tell: Tell) -> list[Figure]:
    """Events per second of the fold, its state unpacked and packed around it, and the size of that state."""
    with tempfile.TemporaryDirectory() as folder:
        tell(f"simulating {sizes.clients:,} clients")
        simulate(SimulationConfig(clients=sizes.clients, faults=True, force=True), Path(folder))
        tell("reading the files")
        lives = read(Path(folder))
    return measure(lives, rounds, tell)


def measure(lives: Lives, rounds: int, tell: Tell) -> list[Figure]:
    """The figures over events that were read before."""
    events = sum(map(len, lives.values()))
    found = []
    for what, run in (("a client's whole history at once", 0), (f"{_RUN} events of a client at a time", _RUN)):
        rates, size = [], 0
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}: {what}")
            began = time.process_time()
            size = sum(_fold_life(client, life, run or len(life)) for client, life in lives.items())
            rates.append(events / (time.process_time() - began))
        note = f"{events:,} events of {len(lives):,} clients, processor time"
        target = None if run else _PER_SECOND
        found.append(Figure("fold", what, median(rates), "events/s", target, note=note, rounds=tuple(rates)))
    bytes_each = size / len(lives)
    found.append(Figure("fold", "packed state", bytes_each, "bytes per client", _STATE, most=True, note=note))
    return found


def _fold_life(client: bytes, life: list[Event], run: int) -> int:
    """Fold a life in batches, the state packed in between; its packed size in the end."""
    blob = msgspec.msgpack.encode(Person())
    for first in range(0, len(life), run):
        part = life[first : first + run]
        person = msgspec.msgpack.decode(blob, type=Person)
        fold_rows(client, person, part, first + len(part) - 1, first)
        blob = msgspec.msgpack.encode(person)
    return len(blob)


def read(folder: Path) -> Lives:
    """Every accepted line below a folder, as the events of its client in order of path."""
    references, lives = Remembered(References(_ROOT)), Lives()
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".xml", ".csv"))
    for number, path in enumerate(paths):
        for line, (bsn, event) in enumerate(_lines(path, number, references), 1):
            client = b"p1.jeugd.0." + bsn.encode().ljust(22, b"A")
            lives.setdefault(client, []).append(msgspec.structs.replace(event, line=line))
    return lives


def _lines(path: Path, number: int, references: Remembered) -> Iterator[tuple[str, Event]]:
    content = path.read_bytes()
    try:
        given = InputFile(path.name, path.name, len(content), content=content)
        kind, sender = recognise(content[:HEAD], path.name, path.name)
        known = prepare(given, b"benchmark", len(content))
        context = FileContext(path.name, sender, _UPLOAD + number, known.encoding, known.rows)
        lines = list(PARSERS[kind](BytesIO(content), context))
    except FileFault:
        return  # planted: the whole file is refused
    for line in lines:
        if isinstance(line.inhoud, Afwijzing | BerichtRetour | Terugname | Wisverzoek) or line.bsn is None:
            continue
        record = hashed(references, kind, sender, asdict(line.inhoud))
        fact = record_to_fact((fact_to_record(line.inhoud)[0], record))
        assert not isinstance(fact, BerichtRetour | Terugname | Wisverzoek)  # noqa: S101 - it names no client
        delivery = f"{number:032x}"[::-1]
        yield line.bsn, Event(delivery=delivery, line=line.regel, aanbieder=sender, published_at=_UPLOAD, fact=fact)


if __name__ == "__main__":
    for figure in folding(FoldSizes(int(os.environ.get("CLIENTS", "1000"))), 3, print):
        print(f"{figure.what}: {figure.value:,.0f} {figure.unit}")
