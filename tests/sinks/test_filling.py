"""Log and store know each other: what one of them lost comes back, or is said. On the real broker and engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka.admin import NewTopic
from structlog.testing import capture_logs

from monitoring import metrics
from operations.healing_look import told_again, without_rows
from sinks import clickhouse
from sinks.schema import migrate
from sinks.tables import METINGEN, TRAJECTEN
from streams.versions import version
from tests.conftest import RunningBroker, RunningGateway
from tests.sinks.rows import meting, traject
from tests.sinks.test_sink import Bench, make_bench
from transport.clients import admin

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
ROWS = "SELECT count(), sum(version) FROM trajecten FINAL"


@pytest.fixture
def bench(broker: RunningBroker, gateway: RunningGateway) -> Iterator[Bench]:
    made = make_bench(broker.bootstrap, gateway.url, gateway.users)
    yield made
    tell(made, f"DROP DATABASE {made.access.database}")


def tell(bench: Bench, *statements: str) -> None:
    client = clickhouse.connect(bench.access, in_database=False)
    for statement in statements:
        client.command(statement.replace("FROM ", f"FROM {bench.access.database}."))
    client.close()


def filled(bench: Bench, query: str, *expected: int) -> list[str]:
    """A sink runs until the query gives these numbers; why it read again what."""
    with capture_logs() as lines, bench.running():
        bench.until(query, [expected])
    return [line["event"].removeprefix("read again: ") for line in lines if "read again" in line["event"]]


def test_what_the_store_lost_is_read_again(bench: Bench) -> None:
    bench.publish(TRAJECTEN, [traject(n, 1) for n in range(40)])
    bench.publish(METINGEN, [meting(n, 1) for n in range(40)])
    assert filled(bench, "SELECT (SELECT count() FROM trajecten), (SELECT count() FROM metingen)", 40, 40) == []
    bench.publish(TRAJECTEN, [traject(n, 2) for n in range(20)])
    stands = bench.rows("SELECT topic, topic_id, partition, offset FROM standen FINAL WHERE topic LIKE '%trajecten%'")
    assert sum(stand[3] for stand in stands) == 40
    assert filled(bench, ROWS, 40, 60) == []

    # An older copy of the store is put back: what came after it is read again.
    tell(bench, "DELETE FROM trajecten WHERE version = 2", "DELETE FROM standen WHERE topic LIKE '%trajecten%'")
    client = clickhouse.connect(bench.access)
    client.insert("standen", stands, ["topic", "topic_id", "partition", "offset"])
    client.close()
    assert set(filled(bench, ROWS, 40, 60)) == {"the store is behind"}

    # One table is emptied, then the whole store is lost.
    tell(bench, "TRUNCATE TABLE IF EXISTS " + f"{bench.access.database}.trajecten")
    assert set(filled(bench, ROWS, 40, 60)) == {"the table is empty"}
    tell(bench, f"DROP DATABASE {bench.access.database} SYNC")
    migrate.apply(bench.access, lambda _sentence: None)
    assert set(filled(bench, ROWS, 40, 60)) == {"the store is another one"}
    assert metrics.FILLING._value.get() == 0
    assert filled(bench, ROWS, 40, 60) == []

    # The topic of the rows is made anew: what is given out anew comes, also with fewer records than there were.
    administrator, topic = admin(bench.config.cluster), bench.table(TRAJECTEN).topic
    administrator.delete_topics([topic])[topic].result(20)
    made = administrator.create_topics([NewTopic(topic, 2, 1)])
    made[topic].result(20)
    bench.publish(TRAJECTEN, [traject(n, 3) for n in range(10)])
    assert set(filled(bench, ROWS, 40, 10 * 3 + 10 * 2 + 20)) == {"the topic was made anew"}


def test_a_store_that_has_more_than_the_broker_is_said_and_mended(bench: Bench) -> None:
    bench.publish(TRAJECTEN, [traject(n, 1) for n in range(40)])
    assert filled(bench, ROWS, 40, 40) == []
    client = clickhouse.connect(bench.access)
    client.command("INSERT INTO standen (topic, topic_id, partition, offset) SELECT topic, topic_id, partition, "
                   "offset + 100 FROM standen FINAL WHERE topic LIKE '%trajecten%'")  # fmt: skip
    with capture_logs() as lines, bench.running():
        bench.publish(TRAJECTEN, [traject(n, version(1, n)) for n in range(5)])
        bench.until(ROWS, [(40, 35 + sum(version(1, n) for n in range(5)))])
        assert metrics.STORE_AHEAD._value.get() == 2
    assert any("sor heal" in line["event"] for line in lines)
    topic = bench.table(TRAJECTEN).topic
    without_rows(client, "trajecten", 1)
    assert bench.rows("SELECT count(), min(epoch) FROM trajecten") == [(5, 1)]
    told_again(client, topic, str(bench.rows(f"SELECT any(topic_id) FROM standen WHERE topic = '{topic}'")[0][0]))
    client.close()
    again = filled(bench, "SELECT uniqExact(traject) FROM trajecten", 40)
    assert set(again) == {"the store does not say that it has them"}
    assert metrics.STORE_AHEAD._value.get() == 0
