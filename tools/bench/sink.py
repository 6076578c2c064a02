"""How fast the sink is, beside a bare insert of the same columns by the same client, in one run.

``python -m tools.bench.sink [--rows N] [--rounds N] [--no-kafka] [--json]`` starts its own broker and engine in a
temporary folder. Rounds of the ways alternate, so a busy moment of the machine meets all of them; the medians count.

- *bare*: ``client.insert`` of columns that are there already: what ClickHouse and its client can do.
- *decoded*: from Avro bytes the checked way: every record decoded, the newest of a key as columns.
- *container*: from Avro bytes as they are, as larger batches go in; one batch after the other.
- *kafka*: the whole sink from records in a broker to committed offsets, reading beside inserting.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from confluent_kafka.admin import NewTopic

from local.clickhouse.gateway import Gateway
from local.kafka.broker import Broker
from local.ports import free_port
from schemas.codec import Codec
from settings.settings import load_settings
from sinks import clickhouse
from sinks.access import Access
from sinks.batch import Batch, Place
from sinks.consumer import GC_ALLOCATIONS, Sink, SinkConfig
from sinks.inserts import Inserts
from sinks.schema import migrate
from sinks.tables import TRAJECTEN
from sinks.writer import SETTINGS, Writer
from transport.clients import Cluster, admin
from transport.health import HealthConfig
from transport.publisher import Publisher

BATCH: Final = 50_000  # as the process has it
_USERS: Final = {"admin": "bench-admin", "sink": "bench-sink"}
Way = Callable[[int], float]  # number of the round -> seconds


def traject(number: int, version: int) -> dict[str, Any]:
    """A made-up row of ``sor.trajecten``, varied as real ones are."""
    ended = number % 3 > 0
    return {
        "aanbieder": f"{90_000_000 + number % 400:08d}",
        "gemeente": ("0363", "0479", "0362", "0439")[number % 4],
        "jaar": 2020 + number % 6,
        "traject": f"{number:016x}",
        "version": version,
        "verwijderd": False,
        "client": f"{number // 2:022x}",
        "emmer": number // 2 % 1024,
        "cluster": ("Amsterdam", "Zaanstreek-Waterland", "Amstelveen-Aalsmeer", "Zaanstreek-Waterland")[number % 4],
        "categorie": ("45", "54", "41", "50")[number % 4],
        "code": f"45A{number % 90:02d}",
        "begindatum": 18_300 + number % 2_000,
        "einddatum": 18_600 + number % 2_000 if ended else None,
        "reden_beeindiging": "31" if ended else "",
        "uitval_klasse": "gepland" if ended else "",
        "status": "beeindigd" if ended else "lopend",
        "leveringen": 1 + number % 3,
        "leeftijd": number % 18,
        "geslacht": str(number % 3),
        "nut_jeugdige": number % 10 + 1 if number % 4 == 0 else None,
        "nut_ouder": number % 10 + 1 if number % 3 == 0 else None,
        "zonder_hulp_jeugdige": None,
        "zonder_hulp_ouder": number % 4 + 1 if number % 3 == 0 else None,
        "gas": {"1O": number % 4 - 1, "1C": 2} if number % 2 else {},
        "gas_gescoord": 2 * (number % 2),
        "gas_bereikt": number % 2,
        "gas_deels": number % 2,
        "probleem_behandelaar": number % 3 + 1,
        "probleem_ouder": None,
        "probleem_client": None,
        "metingen": number % 3,
        "scores": number % 5,
        "declaraties": number % 24,
        "vlaggen": ["TR074"] if number % 50 == 0 else [],
        "definitie_versie": 1,
        "gebeurd_op": int(time.time() * 1000),
    }


class Ways:
    """The ways to insert ``rows`` rows that differ in how much of the sink they include."""

    def __init__(self, access: Access, rows: int) -> None:
        self._codec = Codec(TRAJECTEN.schema)
        self._encoded = [self._codec.encode(traject(number, 1)) for number in range(rows)]
        decoded = [self._codec.decode(value) for value in self._encoded]
        self._columns = [[row[column] for row in decoded] for column in TRAJECTEN.columns]
        self._client = clickhouse.connect(access)
        self._writer = Writer(access)

    @property
    def encoded(self) -> list[bytes]:
        """The rows as records of the topic."""
        return self._encoded

    def bare(self, _round: int) -> float:
        """Columns that are there already, by the client alone."""
        slices = [[column[at : at + BATCH] for column in self._columns] for at in range(0, len(self._encoded), BATCH)]
        started = time.perf_counter()
        for columns in slices:
            self._client.insert(TRAJECTEN.name, columns, TRAJECTEN.columns, column_oriented=True, settings={**SETTINGS})
        return time.perf_counter() - started

    def decoded(self, _round: int) -> float:
        """From bytes, every record checked."""
        return self._through(Inserts(self._writer, [TRAJECTEN], decoded=BATCH))

    def container(self, _round: int) -> float:
        """From bytes, as they are."""
        return self._through(Inserts(self._writer, [TRAJECTEN]))

    def _through(self, inserts: Inserts) -> float:
        place = Place(TRAJECTEN.topic, 0)
        started = time.perf_counter()
        for at in range(0, len(self._encoded), BATCH):
            batch = Batch()
            for offset, value in enumerate(self._encoded[at : at + BATCH]):
                batch.add(place, offset, value)
            inserts.insert(TRAJECTEN, batch.held(TRAJECTEN))
        return time.perf_counter() - started


class FromKafka:
    """The whole sink, one process, from a topic of its own per round."""

    def __init__(self, cluster: Cluster, access: Access, encoded: list[bytes]) -> None:
        self._cluster, self._access, self._encoded = cluster, access, encoded

    def __call__(self, number: int) -> float:
        """Seconds from the first record read to the last offset committed."""
        table = replace(TRAJECTEN, topic=f"{TRAJECTEN.topic}.bench{number}")
        administrator = admin(self._cluster)
        administrator.create_topics([NewTopic(table.topic, 4, 1)])[table.topic].result(20)
        publisher = Publisher(self._cluster, "bench")
        for at, value in enumerate(self._encoded):
            publisher.send(table.topic, str(at).encode(), value)
        publisher.flush()
        access = self._access
        config = SinkConfig(
            self._cluster, access.url, access.user, access.password, "0", HealthConfig(), group=f"bench{number}"
        )
        sink = Timed(replace(config, tables=(table,)), len(self._encoded))
        thread = threading.Thread(target=sink.run)
        thread.start()
        thread.join(300)
        return sink.seconds


class Timed(Sink):
    """A sink that stops after so many records and knows how long they took."""

    def __init__(self, config: SinkConfig, records: int) -> None:
        super().__init__(config)
        self._left, self._started, self.seconds = records, 0.0, float("nan")

    def _read(self, into: Batch, seconds: float) -> None:
        asked = time.perf_counter()
        super()._read(into, seconds)
        if into.records and not self._started:
            self._started = asked

    def _commit(self) -> None:
        self._left -= self._batch.records
        super()._commit()
        if self._left <= 0 and self._started:
            self.seconds = time.perf_counter() - self._started
            self.stop()


def measure(ways: dict[str, Way], rows: int, rounds: int) -> dict[str, Any]:
    """Rows per second of each way: the median over the rounds, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            taken = way(number)
            if number:
                seconds[name].append(taken)
    rates = {name: round(rows / statistics.median(taken)) for name, taken in seconds.items()}
    ratios = {name: round(rate / rates["bare"], 2) for name, rate in rates.items()}
    return {"rows": rows, "rounds": rounds, "batch": BATCH, "rows_per_second": rates, "of_bare": ratios}


@contextmanager
def services(kafka: bool) -> Iterator[tuple[Access, Cluster | None]]:
    """An engine with the tables, and a broker if wanted, in a temporary folder."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sor-bench-")))
        gateway = stack.enter_context(Gateway(home, free_port(), _USERS))
        access = Access(gateway.url, "admin", _USERS["admin"])
        migrate.apply(access, lambda _sentence: None)
        broker = stack.enter_context(Broker(home, free_port(), free_port(), load_settings().cache)) if kafka else None
        yield Access(gateway.url, "sink", _USERS["sink"]), Cluster(broker.bootstrap) if broker else None


def run(rows: int = 100_000, rounds: int = 5, kafka: bool = True) -> dict[str, Any]:
    """Measure and return rows per second per way, and as a share of the bare insert."""
    gc.set_threshold(GC_ALLOCATIONS, 10, 10)  # as the process sets it
    with services(kafka) as (access, cluster):
        made = Ways(access, rows)
        ways: dict[str, Way] = {"bare": made.bare, "decoded": made.decoded, "container": made.container}
        if cluster is not None:
            ways["kafka"] = FromKafka(cluster, access, made.encoded)
        return measure(ways, rows, rounds)


def main() -> None:
    """Entry point of ``python -m tools.bench.sink``."""
    parser = argparse.ArgumentParser(prog="tools.bench.sink", description="How fast the sink is.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-kafka", action="store_true", help="leave out the way that needs a broker")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    result = run(chosen.rows, chosen.rounds, not chosen.no_kafka)
    if chosen.json:
        print(json.dumps(result))
        return
    for name, rate in result["rows_per_second"].items():
        print(f"{name:8} {rate:>9,} rows/s   {result['of_bare'][name]:.2f} of bare")


if __name__ == "__main__":
    main()
