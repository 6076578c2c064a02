"""Loads: sealed declarations for the first stages, and whole lives of clients for the trajectories."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from connectors.delivery.sealed import SealedDelivery
from connectors.delivery.signers import hub
from connectors.formats.model import FileRecord
from crypto import keys
from domain.facts.fact import Event, Fact, Meting, Prestatie, Score, Start, Stop
from domain.field.bsn import official_numbers
from domain.field.dates import day
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.topics import EVENTS, IN_TOPIC
from transport.clients import Cluster
from transport.publisher import Publisher

AGB: Final = "90000001"
#: Who signs the load: a hub.
SOURCE: Final = "bench"
#: Lines of one delivery: a declaration of a provider for a month.
LINES: Final = 2_000
#: Day numbers of the made-up care.
_BEGIN: Final = 20_089  # 2025-01-01
_END: Final = 20_270
_CODES: Final = ("45A04", "45A53", "54001", "50L04")
_ANSWERS: Final = {
    **{f"VR{n:02d}": 3 for n in range(1, 8)}, **{f"VR08{x}": 2 for x in "ABCDEFG"}, "VR09A": 8, "VR10": 3
}  # fmt: skip


class Sealing(NamedTuple):
    """A share of a load: ``deliveries`` of ``LINES`` lines, with ``repeat`` lines in a row of one client."""

    keys: Path
    cluster: Cluster
    first: int
    deliveries: int
    repeat: int


def prestatie(client: int, line: int) -> Prestatie:
    """A declared line of a client."""
    return Prestatie(
        gemeente="0363", toewijzing=b"%09d" % client, categorie="45", code=_CODES[client % 2],
        referentie=b"R%010d" % line, vorige_referentie=None, debet_credit="D", begindatum=_BEGIN, einddatum=_BEGIN + 30,
        volume=12, eenheid="14", bedrag=120_000, dagtekening=_BEGIN + 35, bericht=b"D%010d" % (line // LINES),
    )  # fmt: skip


def sealed_declarations(folder: Path, cluster: Cluster, events: int, repeat: int, first: int) -> int:
    """Publish at least ``events`` sealed lines with two processes, from delivery ``first`` on; their number.

    Every delivery blinds its clients anew, so to both stages each run of ``repeat`` lines is another client.
    """
    deliveries = -(-events // LINES)
    half = deliveries // 2
    shares = [
        Sealing(folder, cluster, first, half, repeat),
        Sealing(folder, cluster, first + half, deliveries - half, repeat),
    ]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_seal, shares))
    return deliveries * LINES


def _seal(share: Sealing) -> None:
    public, numbers = keys.load_public(share.keys), official_numbers()
    signer = hub(share.keys, share.keys.parent / "authority", SOURCE)
    publisher = Publisher(share.cluster, "bench-source")
    for delivery in range(share.first, share.first + share.deliveries):
        name = hashlib.sha256(b"delivery %d" % delivery).hexdigest()[:32]
        sealed = SealedDelivery(public, signer, "declaration", name, LINES, AGB, test=False)
        for line in range(LINES):
            client = (delivery * LINES + line) // share.repeat
            record = FileRecord(line + 1, 1, numbers[client % len(numbers)], prestatie(client, delivery * LINES + line))
            value = sealed.envelope(line + 1, record, int(time.time() * 1000))
            publisher.send(IN_TOPIC["declaration"], name.encode(), value)
    publisher.flush(120)


def life(person: int) -> list[Fact]:
    """Eight facts of one client in order: a start, two scores, three declarations, a stop and a questionnaire."""
    number, code = b"%08d" % (person % 10**8), _CODES[person % 4]
    begin, end = _BEGIN + person % 90, _END + person % 60
    of_start: dict[str, Any] = {
        "gemeente": "0363", "toewijzing": number, "categorie": code[:2], "code": code, "begindatum": begin, "status": 1,
        "ingangsdatum": begin, "leeftijd": person % 18, "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    last: dict[str, Any] = {"reden_beeindiging": "31", "einddatum": end}
    return [
        Start(**of_start, dagtekening=begin + 7, bericht=b"s%07d" % (person % 10**7)),
        _score(number, 0, begin),
        *(_month(person, number, code, month) for month in range(3)),
        _score(number, 2, end),
        Stop(**of_start, **last, dagtekening=end + 7, bericht=b"e%07d" % (person % 10**7)),
        Meting(
            meting=number, vragenlijst="CEM+_2018_OE_v1", informant="Moeder", datum=end, antwoorden=_ANSWERS,
            tijd=end * 86_400_000,
        ),
    ]  # fmt: skip


def _score(number: bytes, waarde: int, on: int) -> Score:
    return Score(toewijzing=number, beschikking=None, doel=1, beoordelaar="O", waarde=waarde, tijd=on * 86_400_000)


def _month(person: int, number: bytes, code: str, month: int) -> Prestatie:
    first = day(date(2025, 4 + month, 1))
    return Prestatie(
        gemeente="0363", toewijzing=number, categorie=code[:2], code=code,
        referentie=b"%07d%d" % (person % 10**7, month), vorige_referentie=None, debet_credit="D", begindatum=first,
        einddatum=first + 27, volume=12, eenheid="14", bedrag=120_000, dagtekening=first + 40,
        bericht=b"d%06d%d" % (person % 10**6, month),
    )  # fmt: skip


FACTS_OF_A_LIFE: Final = len(life(0))


def pseudonym(person: int) -> bytes:
    """A label like those of ``entry``."""
    return b"p1.jeugd.0." + hashlib.sha256(b"%d" % person).hexdigest()[:22].encode()


def lives(first: int, persons: int, *, runs: bool) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every event of some persons: with ``runs`` a life at a time, else a fact of each in turn."""
    codec, facts = Codec(EVENTS), [life(person) for person in range(first, first + persons)]
    order = (
        ((person, place) for person in range(persons) for place in range(FACTS_OF_A_LIFE))
        if runs
        else ((person, place) for place in range(FACTS_OF_A_LIFE) for person in range(persons))
    )
    for line, (person, place) in enumerate(order, 1):
        event = Event(
            delivery=f"{first:032x}", line=line, aanbieder=AGB, published_at=int(time.time() * 1000),
            fact=facts[person][place],
        )  # fmt: skip
        yield pseudonym(first + person), codec.encode(event_to_record(event))


def publish_lives(cluster: Cluster, first: int, persons: int, *, runs: bool) -> int:
    """Write the events to the log; their number."""
    publisher = Publisher(cluster, "bench-entry")
    for key, value in lives(first, persons, runs=runs):
        publisher.send(EVENTS, key, value)
    publisher.flush(120)
    return persons * FACTS_OF_A_LIFE
