"""The sink on a real broker and the real engine: whatever happens in between, the rows are right."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic
from structlog.testing import capture_logs

from faults import EXIT_CLEAN, EXIT_FAULT
from local.clickhouse.gateway import Gateway
from local.ports import free_port
from schemas.codec import Codec, load
from schemas.orders import Place as RecordPlace
from sinks import clickhouse, consumer
from sinks.access import Access
from sinks.batch import Held, Place
from sinks.clickhouse import UnavailableError
from sinks.consumer import Sink, SinkConfig
from sinks.inserts import DECODED, Inserts
from sinks.schema import migrate
from sinks.tables import METINGEN, RECEIPTS, REJECTED, SCORES, TABLES, TRAJECTEN, Table
from sinks.writer import Writer
from tests.conftest import ELSEWHERE, RunningBroker, RunningGateway
from tests.sinks import database
from tests.sinks.rows import NOW, meting, receipt, rejected, score, traject
from transport.clients import Cluster, admin
from transport.clients import consumer as kafka_consumer
from transport.health import HealthConfig
from transport.orders import Skips
from transport.publisher import Publisher

Logged = Callable[[], str]
pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
_MOVING = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)


@dataclass
class Bench:
    """Topics, tables and group of one test."""

    config: SinkConfig
    access: Access

    def table(self, like: Table) -> Table:
        return next(table for table in self.config.tables if table.name == like.name)

    def publish(self, like: Table, records: list[dict[str, Any]]) -> None:
        table, codec = self.table(like), Codec(like.schema)
        publisher = Publisher(self.config.cluster, "test")
        for record in records:
            key = "|".join(str(record[column]) for column in table.key).encode()
            publisher.send(table.topic, key, codec.encode(record))
        publisher.flush()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        client = clickhouse.connect(self.access)
        try:
            return clickhouse.select(client, query)
        finally:
            client.close()

    def until(self, query: str, expected: list[tuple[Any, ...]], seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while (found := self.rows(query)) != expected:
            assert time.monotonic() < deadline, f"{query}: {found} instead of {expected}"
            time.sleep(0.05)

    def committed(self) -> int:
        """Records below the committed offsets of all topics."""
        client = kafka_consumer(self.config.cluster, str(self.config.group), "onlooker")
        places = [TopicPartition(table.topic, number) for table in self.config.tables for number in range(2)]
        try:
            return sum(max(0, place.offset) for place in client.committed(places, timeout=10))
        except KafkaException as failure:
            if failure.args[0].code() in _MOVING:  # a fresh group is still finding its coordinator: ask again
                return -1
            raise
        finally:
            client.close()

    def until_committed(self, records: int, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while (found := self.committed()) != records:
            assert time.monotonic() < deadline, f"{found} records committed instead of {records}"
            time.sleep(0.05)

    @contextmanager
    def running(self, **changed: Any) -> Iterator[Sink]:
        """A sink on a thread, stopped in an orderly way at the end."""
        sink = Sink(replace(self.config, **changed))
        failures: list[BaseException] = []

        def work() -> None:
            try:
                sink.run()
            except BaseException as error:  # noqa: BLE001  # raised below, on the thread of the test
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield sink
        finally:
            sink.stop()
            thread.join(30)
        assert not thread.is_alive()
        if failures:
            raise failures[0]


def make_bench(bootstrap: str, url: str, users: dict[str, str]) -> Bench:
    name = uuid.uuid4().hex[:10]
    access = Access(url, "admin", users["admin"], f"sor_{name}")
    tables = tuple(replace(table, topic=f"{table.topic}.{name}") for table in TABLES)
    cluster = Cluster(bootstrap)
    administrator = admin(cluster)
    created = administrator.create_topics([NewTopic(table.topic, 2, 1) for table in tables])
    for future in created.values():
        future.result(20)
    migrate.apply(access, lambda _sentence: None)
    config = SinkConfig(
        cluster, url, "sink", users["sink"], "0", HealthConfig(), 500, 0.1, access.database, f"sink-{name}", tables
    )
    return Bench(config, access)


@pytest.fixture
def logged() -> Iterator[Logged]:
    """Everything that was logged so far, as one text."""
    with capture_logs() as lines:
        yield lambda: json.dumps(lines, default=str)


@pytest.fixture
def bench(broker: RunningBroker, gateway: RunningGateway) -> Iterator[Bench]:
    made = make_bench(broker.bootstrap, gateway.url, gateway.users)
    yield made
    client = clickhouse.connect(made.access)
    client.command(f"DROP DATABASE {made.access.database}")
    client.close()


#: All records decoded and inserted as columns; all handed on as they are.
WAYS = pytest.mark.parametrize("decoded", [DECODED, 0], ids=["checked", "container"])


@WAYS
def test_every_table_gets_its_rows_as_they_were(bench: Bench, decoded: int) -> None:
    bench.publish(TRAJECTEN, [traject(1, 5, einddatum=19_950)])
    bench.publish(METINGEN, [meting(1, 5)])
    bench.publish(SCORES, [score(1, 5)])
    bench.publish(REJECTED, [rejected(7)])
    bench.publish(RECEIPTS, [receipt(1, 5)])
    with bench.running(decoded=decoded):
        bench.until_committed(5)
    query = "SELECT begindatum, einddatum, gas, probleem_ouder, vlaggen, declaraties, gebeurd_op FROM trajecten FINAL"
    begin, end, gas, probleem, vlaggen, declaraties, happened = bench.rows(query)[0]
    assert (begin.isoformat(), end.isoformat()) == ("2025-03-19", "2024-08-15")
    assert (gas, probleem, vlaggen, declaraties) == ({"1O": 2, "1C": -1}, 2, ["TR074"], -1)
    assert happened.timestamp() == NOW / 1000
    assert bench.rows("SELECT toString(datum), nut, zonder_hulp, antwoorden, telt FROM metingen FINAL") == [
        ("1969-12-29", 8, None, {"VR01": 2}, True)
    ]
    assert bench.rows("SELECT doel, waarde, beoordelaar FROM scores FINAL") == [(10, -1, "O")]
    assert bench.rows("SELECT topic, partition, offset, code FROM rejected FINAL") == [("sor.evaluated", 0, 7, "K01")]
    query = "SELECT fouten[1].code, fouten[1].regel, codes, klaar FROM receipts FINAL"
    assert bench.rows(query) == [("R04", 3, {"R04": 1}, True)]


@WAYS
def test_the_highest_version_wins_in_whatever_order_and_deleted_rows_go(bench: Bench, decoded: int) -> None:
    bench.publish(TRAJECTEN, [traject(n, 10) for n in range(6)])
    with bench.running(decoded=decoded):
        bench.until("SELECT count() FROM trajecten FINAL", [(6,)])
        bench.publish(TRAJECTEN, [traject(0, 9, status="oud"), traject(0, 10), traject(1, 11, status="nieuw")])
        bench.publish(TRAJECTEN, [traject(2, 12, verwijderd=True), traject(2, 11, status="te laat")])
        bench.publish(TRAJECTEN, [traject(3, 12, verwijderd=True), traject(3, 13, status="terug")])
        bench.publish(REJECTED, [rejected(1), rejected(1, rejected_at=NOW + 5), rejected(2)])
        bench.until_committed(6 + 7 + 3)
    query = "SELECT traject, status FROM trajecten FINAL ORDER BY traject"
    states = {0: "lopend", 1: "nieuw", 3: "terug", 4: "lopend", 5: "lopend"}
    assert bench.rows(query) == [(f"{number:016x}", state) for number, state in states.items()]
    assert bench.rows("SELECT count() FROM rejected FINAL") == [(2,)]


@WAYS
def test_of_one_key_in_a_batch_only_the_newest_row_is_stored(bench: Bench, decoded: int) -> None:
    rows = [traject(1, 3), traject(1, 9, status="eerder"), traject(1, 4), traject(1, 9, status="later")]
    bench.publish(TRAJECTEN, [*rows, traject(2, 1)])
    with bench.running(flush_seconds=1.0, decoded=decoded):
        bench.until_committed(5)
    found = bench.rows("SELECT version, status FROM trajecten ORDER BY version")
    assert found == [(1, "lopend"), (9, "later")]


LATE, EARLY = 120_000, -25_000  # days: in 2298 and in 1901
EVERYTHING: list[tuple[Table, list[dict[str, Any]]]] = [
    (TRAJECTEN, [
        traject(1, 2**63 - 1, begindatum=EARLY, einddatum=LATE, code="ünï ☺", gas={}, vlaggen=[], jaar=65_535),
        traject(2, 0, gas={"10C": -128, "1O": 127}, vlaggen=["TR074", "", "OP080"], declaraties=-(2**31)),
        traject(3, 5, leeftijd=None, nut_jeugdige=255, probleem_client=0, gebeurd_op=-1, verwijderd=True),
    ]),
    (METINGEN, [meting(1, 1, antwoorden={}, zonder_hulp=4, telt=False), meting(2, 3, nut=None, antwoorden={"é": -1})]),
    (SCORES, [score(1, 1, waarde=None, doel=0), score(2, 1, tijd=0, traject="")]),
    (REJECTED, [rejected(2**62, partition=-1, key=b"", value=b"\xff" * 3_000, reason="a\nb\t'c")]),
    (RECEIPTS, [receipt(1, 1), receipt(2, 1, fouten=[], codes={}, klaar=False), receipt(
        3, 1, fouten=[{"line": n, "regel": n, "regels": 2, "code": "R04", "veld": ""} for n in range(500)]
    )]),
]  # fmt: skip


def held(table: Table, values: list[bytes]) -> list[Held]:
    return [Held(Place(table.topic, 0), list(range(len(values))), values)]


def stored(access: Access, table: Table) -> list[tuple[Any, ...]]:
    client = clickhouse.connect(access)
    columns = ", ".join(f"toString({column})" for column in table.columns)
    try:
        return clickhouse.select(client, f"SELECT {columns} FROM {table.name} ORDER BY {', '.join(table.key)}")
    finally:
        client.close()


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    """A database of the test's own, as the user who may do everything."""
    with database.fresh(gateway) as found:
        yield found


def test_both_ways_store_the_same(access: Access) -> None:
    writer = Writer(access)
    for table, records in EVERYTHING:
        values = [Codec(table.schema).encode(record) for record in records]
        Inserts(writer, [table]).insert(table, held(table, values))
        checked = stored(access, table)
        assert len(checked) == len(records)
        clickhouse.command(writer._connected(), f"TRUNCATE TABLE {table.name}", "Emptying")
        Inserts(writer, [table], decoded=0).insert(table, held(table, values))
        assert stored(access, table) == checked
    writer.close()


class Release:
    """A registry in which the records of a test were written by a release without one field."""

    def __init__(self, without: str) -> None:
        schema = load(TRAJECTEN.schema)
        self.schema = {**schema, "fields": [field for field in schema["fields"] if field["name"] != without]}

    def register(self, _subject: str, _schema: str) -> int:
        return 1

    def lookup(self, schema_id: int) -> str:
        return json.dumps({1: load(TRAJECTEN.schema), 2: self.schema}[schema_id])

    def encode(self, record: dict[str, Any]) -> bytes:
        out = BytesIO()
        fastavro.schemaless_writer(out, self.schema, record)
        return b"\x00\x00\x00\x00\x02" + out.getvalue()


def test_what_an_older_release_did_not_have_is_empty(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = load(TRAJECTEN.schema)
    fields = [{**field, "default": ""} if field["name"] == "geslacht" else field for field in schema["fields"]]
    monkeypatch.setattr("sinks.contract.load", lambda _name: {**schema, "fields": fields})
    older, writer = Release("geslacht"), Writer(access)
    clickhouse.command(writer._connected(), "ALTER TABLE trajecten MODIFY COLUMN geslacht DEFAULT 'x'", "Changing")
    values = [older.encode(traject(n, n)) for n in range(5)]
    Inserts(writer, [TRAJECTEN], older, decoded=0).insert(TRAJECTEN, held(TRAJECTEN, values))
    query = "SELECT geslacht, version, ingevoegd_op > now() - 600 FROM trajecten ORDER BY version"
    assert clickhouse.select(writer._connected(), query) == [("", n, 1) for n in range(5)]
    writer.close()


def test_all_that_was_published_comes_even_if_published_twice(bench: Bench) -> None:
    records = [traject(n, 1 + n % 5) for n in range(3_000)]
    bench.publish(TRAJECTEN, records + records[::3])
    bench.publish(SCORES, [score(n, 1) for n in range(1_000)])
    with bench.running():
        bench.until_committed(5_000)
    assert bench.rows("SELECT count(), sum(version) FROM trajecten FINAL") == [
        (3_000, sum(r["version"] for r in records))
    ]
    assert bench.rows("SELECT count() FROM scores FINAL") == [(1_000,)]


@pytest.mark.parametrize("cut", [slice(5, 5), slice(0, -1), slice(0, 60), slice(0, 300)], ids=str)
def test_a_damaged_record_among_many_is_found(bench: Bench, logged: Logged, cut: slice) -> None:
    codec, table = Codec(TRAJECTEN.schema), bench.table(TRAJECTEN)
    values = [codec.encode(traject(n, 1, code=f"secret {n}")) for n in range(700)]
    values[613] = values[613][:5] + values[613][5:][cut] if cut.stop != 300 else values[613][:5] + b"\xff" * 40
    publisher = Publisher(bench.config.cluster, "test")
    for value in values:
        publisher.send(table.topic, b"one partition", value)
    publisher.flush()
    assert consumer.run(replace(bench.config, flush_rows=700, flush_seconds=5.0, decoded=10)) == EXIT_FAULT
    assert re.search(rf"The sink stops: {table.topic}/\d/613: sor.trajecten: ", logged())
    assert "secret" not in logged()
    assert bench.committed() == 0
    assert bench.rows("SELECT count() FROM trajecten") == [(0,)]


def test_what_is_no_row_stops_the_sink_and_is_not_committed(bench: Bench, logged: Logged) -> None:
    bench.publish(TRAJECTEN, [traject(1, 1)])
    publisher = Publisher(bench.config.cluster, "test")
    publisher.send(bench.table(SCORES).topic, b"k", b"\x00 no avro, and secret")
    publisher.flush()
    assert consumer.run(bench.config) == EXIT_FAULT
    assert bench.table(SCORES).topic in logged()
    assert "secret" not in logged()
    assert bench.committed() <= 1


def test_what_stopped_the_sink_can_be_left_out_by_order(bench: Bench, logged: Logged) -> None:
    """Its offset is committed although nothing comes after it, and the others get their rows."""
    topic = bench.table(SCORES).topic
    publisher = Publisher(bench.config.cluster, "test")
    publisher.send(topic, b"k", b"\x00 no avro, and secret")
    publisher.flush()
    assert consumer.run(bench.config) == EXIT_FAULT
    places = re.findall(rf"{re.escape(topic)}/[01]/0", logged())
    assert places, "the sentence names the coordinates as sor skip takes them"
    bench.publish(TRAJECTEN, [traject(1, 1)])
    with bench.running(skips=Skips("sink", [RecordPlace.of(places[0])])):
        bench.until_committed(2)
    assert bench.rows("SELECT count() FROM trajecten FINAL") == [(1,)]
    assert "record left out by order" in logged()


def test_a_tombstone_is_passed_over(bench: Bench) -> None:
    """A key that was forgotten, and a record that is nobody's: rows leave the table by a command (decision 0027)."""
    bench.publish(TRAJECTEN, [traject(1, 1)])
    publisher = Publisher(bench.config.cluster, "test")
    for topic in (TRAJECTEN, SCORES):
        publisher.send(bench.table(topic).topic, b"nobody", None)
    publisher.flush()
    with bench.running():
        bench.until_committed(3)
    assert bench.rows("SELECT count() FROM trajecten FINAL") == [(1,)]


def test_a_missing_table_stops_the_sink_with_what_to_do(bench: Bench, logged: Logged) -> None:
    client = clickhouse.connect(bench.access)
    client.command("DROP TABLE scores")
    assert consumer.run(bench.config) == EXIT_FAULT
    assert "run sor migrate" in logged()
    client.command("ALTER TABLE trajecten DROP COLUMN geslacht")
    client.close()
    assert consumer.run(bench.config) == EXIT_FAULT
    assert "Table trajecten lacks a column of its contract: run sor migrate" in logged()


def test_a_wrong_password_stops_the_sink(bench: Bench, logged: Logged) -> None:
    assert consumer.run(replace(bench.config, password="wrong")) == EXIT_FAULT  # noqa: S106
    assert "516" in logged()
    assert "wrong" not in logged()


def test_two_sinks_share_the_work_and_one_that_leaves_hands_over(bench: Bench) -> None:
    with bench.running() as stays:
        with bench.running(slot="1") as leaves:
            bench.publish(TRAJECTEN, [traject(n, 1) for n in range(500)])
            wait_for(lambda: bool(stays._assigned) and bool(leaves._assigned))
            bench.publish(TRAJECTEN, [traject(n, 2) for n in range(500)])
            bench.until("SELECT count(), min(version) FROM trajecten FINAL", [(500, 2)])
        bench.publish(TRAJECTEN, [traject(n, 3) for n in range(500)])
        bench.until("SELECT count(), min(version) FROM trajecten FINAL", [(500, 3)])
        bench.until_committed(1_500)


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_clickhouse_away_in_mid_flow_loses_nothing(broker: RunningBroker, tmp_path: Path) -> None:
    users = {"admin": "admin-password", "sink": "sink-password"}
    with Gateway(tmp_path, free_port(), users, more=ELSEWHERE) as own:
        bench = make_bench(broker.bootstrap, own.url, users)
        with bench.running() as sink:
            bench.publish(TRAJECTEN, [traject(n, 1) for n in range(1_000)])
            bench.until("SELECT count() FROM trajecten FINAL", [(1_000,)])
            own.stop()
            bench.publish(TRAJECTEN, [traject(n, 2) for n in range(500, 1_500)])
            wait_for(lambda: sink._paused)
            bench.publish(SCORES, [score(n, 1) for n in range(700)])
            own.start()
            own.wait_ready()
            bench.until_committed(2_700)
            assert not sink._paused
        assert bench.rows("SELECT count(), sum(version) FROM trajecten FINAL") == [(1_500, 2_500)]
        assert bench.rows("SELECT count() FROM scores FINAL") == [(700,)]


def test_what_arrives_while_an_insert_waits_is_not_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pausing is not instant: here it does nothing, and one table is inserted already when the other has to wait."""
    waiting, healed, insert = threading.Event(), threading.Event(), Inserts.insert

    def faulty(self: Inserts, table: Table, held: list[Held]) -> None:
        if table.name == SCORES.name and not healed.is_set():
            waiting.set()
            raise UnavailableError("injected")
        insert(self, table, held)

    monkeypatch.setattr(Inserts, "insert", faulty)
    monkeypatch.setattr(Sink, "_pause", lambda _self: None)
    bench.publish(SCORES, [score(1, 1)])
    with bench.running() as sink:
        assert waiting.wait(40)
        bench.publish(TRAJECTEN, [traject(n, 1) for n in range(50)])
        wait_for(lambda: sink._next.records + sink._batch.records == 51)
        healed.set()
        bench.until_committed(51)
    assert bench.rows("SELECT count() FROM trajecten FINAL") == [(50,)]
    assert bench.rows("SELECT count() FROM scores FINAL") == [(1,)]


def test_the_next_batch_is_read_beside_an_insert_and_no_more_than_that(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, go_on, insert = threading.Event(), threading.Event(), Inserts.insert

    def slow(self: Inserts, table: Table, held: list[Held]) -> None:
        busy.set()
        assert go_on.wait(40)
        insert(self, table, held)

    monkeypatch.setattr(Inserts, "insert", slow)
    bench.publish(TRAJECTEN, [traject(n, 1) for n in range(400)])
    with bench.running(flush_rows=100) as sink:
        assert busy.wait(40)
        wait_for(lambda: sink._next.records == 100)
        assert bench.committed() == 0
        assert not sink._paused
        assert (sink._batch.records, sink._next.records) == (100, 100)
        go_on.set()
        bench.until_committed(400)
    assert bench.rows("SELECT count() FROM trajecten") == [(400,)]


def test_an_orderly_stop_does_not_wait_for_clickhouse(bench: Bench) -> None:
    bench.publish(TRAJECTEN, [traject(1, 1)])
    with bench.running(clickhouse_url=f"http://127.0.0.1:{free_port()}") as sink:
        wait_for(lambda: sink._paused)
    assert bench.committed() == 0


SINK_PROCESS = """
    import os, signal, sys
    from dataclasses import replace
    from sinks import consumer
    from sinks.consumer import Sink, SinkConfig
    from sinks.tables import TABLES
    from transport.clients import Cluster
    from transport.health import HealthConfig

    bootstrap, url, password, database, group, suffix, die = sys.argv[1:]
    if die == "die":
        Sink._commit = lambda self: os.kill(os.getpid(), signal.SIGKILL) if self._batch.offsets else None
    tables = tuple(replace(table, topic=f"{table.topic}.{suffix}") for table in TABLES)
    sys.exit(consumer.run(
        SinkConfig(Cluster(bootstrap), url, "sink", password, "0", HealthConfig(), 500, 0.1, database, group, tables)
    ))
"""


def sink_process(bench: Bench, die: bool) -> subprocess.Popen[bytes]:
    config = bench.config
    suffix = bench.access.database.removeprefix("sor_")
    arguments = [config.cluster.bootstrap, config.clickhouse_url, config.password, config.database, str(config.group)]
    command = [sys.executable, "-c", textwrap.dedent(SINK_PROCESS), *arguments, suffix, "die" if die else "live"]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."})


def test_killed_between_insert_and_commit_the_counts_are_right_after_a_restart(bench: Bench) -> None:
    bench.publish(TRAJECTEN, [traject(n, 1 + n % 7) for n in range(400)])
    bench.publish(METINGEN, [meting(n, 1) for n in range(400)])
    killed = sink_process(bench, die=True)
    assert killed.wait(60) == -signal.SIGKILL
    assert bench.committed() == 0
    assert bench.rows("SELECT (SELECT count() FROM trajecten) + (SELECT count() FROM metingen)")[0][0] > 0
    again = sink_process(bench, die=False)
    try:
        bench.until_committed(800)
    finally:
        again.terminate()
    assert again.wait(30) == EXIT_CLEAN
    query = "SELECT count(), sum(version) FROM trajecten FINAL"
    assert bench.rows(query) == [(400, sum(1 + n % 7 for n in range(400)))]
    assert bench.rows("SELECT count() FROM metingen FINAL") == [(400,)]
