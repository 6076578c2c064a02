"""Orders of an operator as a process reads them: all of them, in order, and nothing that is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import REGISTRY

from schemas.orders import RELEASE, REQUEUE, SKIP, Order, Place, order_for, release_of
from schemas.topics import ORDERS, topics
from schemas.typed import StructCodec
from tests.conftest import RunningBroker
from tests.secured import SecuredBroker
from transport.clients import Cluster
from transport.orders import OrderLog, Skips, read_skips, skips_of
from transport.publisher import Publisher
from transport.topics import TopicError

A, B = Place("sor.events", 0, 7), Place("sor.events", 3, 70_000_000_000)


def order(action: str = SKIP, stage: str = "trajectories", place: Place = A) -> Order:
    return order_for(action, stage, place, reason="why", by="me", at=5)


def message(place: Place) -> Message:
    return Message(topic=place.topic, partition=place.partition, offset=place.offset, value=b"x")


def test_an_order_is_coordinates_and_is_keyed_by_them() -> None:
    assert order(place=B).key == b"sor.events/3/70000000000"
    assert order(place=B).place == B
    assert Place.of(str(B)) == B
    assert release_of("99000001", "entry", reason="why", by="me", at=5).key == b"99000001"
    codec: StructCodec[Order] = StructCodec(Order)
    assert codec.decode(codec.encode(order())) == order()


def test_a_stage_leaves_out_what_it_was_told_and_nothing_else() -> None:
    orders = [order(), order(place=B, stage="entry"), order(REQUEUE, place=B), order(RELEASE, place=B)]
    skips = skips_of("trajectories", orders)
    before = REGISTRY.get_sample_value("sor_skipped_total", {"stage": "trajectories"}) or 0
    assert skips.leave_out(*A)
    assert not skips.leave_out(*B)
    assert not skips.leave_out("sor.lines", *A[1:])
    assert REGISTRY.get_sample_value("sor_skipped_total", {"stage": "trajectories"}) == before + 1
    assert [one.offset() for one in skips.left([message(A), message(B)])] == [B.offset]


def test_no_order_leaves_a_batch_as_it_is() -> None:
    batch = [message(A)]
    assert Skips().left(batch) is batch
    assert not Skips()


@pytest.fixture
def empty(broker: RunningBroker) -> Iterator[Cluster]:
    """A broker without the topic of orders, before and after."""
    client = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    _without(client)
    yield Cluster(broker.bootstrap)
    _without(client)


def _without(client: AdminClient) -> None:
    if ORDERS in client.list_topics(timeout=10).topics:
        client.delete_topics([ORDERS])[ORDERS].result()
        while ORDERS in client.list_topics(timeout=10).topics:
            pass


@pytest.mark.kafka
def test_all_orders_are_read_and_then_those_that_come(empty: Cluster) -> None:
    with pytest.raises(TopicError, match="run `sor topics apply`"):
        read_skips(empty, "entry")
    client = AdminClient({"bootstrap.servers": empty.bootstrap})
    client.create_topics([NewTopic(ORDERS, 1, 1)])[ORDERS].result()
    while ORDERS not in client.list_topics(timeout=10).topics:
        pass
    assert not read_skips(empty, "entry")
    codec, publisher = StructCodec(Order), Publisher(empty, "test")
    given = [order(), order(stage="entry", place=B), order(REQUEUE, "entry")]
    for one in given:
        publisher.send(ORDERS, one.key, codec.encode(one))
    publisher.send(ORDERS, b"k", b"no order")
    publisher.flush()
    log = OrderLog(empty)
    assert log.read() == given, "what is no order stops nobody"
    assert log.news() == []
    assert read_skips(empty, "entry").leave_out(*B)
    assert len(read_skips(empty, "trajectories")) == 1
    late = release_of("99000001", "entry", reason="why", by="me", at=6)
    publisher.send(ORDERS, late.key, codec.encode(late))
    publisher.flush()
    came: list[Order] = []
    while not came:
        came = log.news()
    assert came == [late]
    log.close()


@pytest.mark.kafka
def test_whoever_is_declared_reads_orders_and_only_the_operator_gives_them(secured: SecuredBroker) -> None:
    """With no right on any consumer group of these readers."""
    given = order(place=B)
    publisher = Publisher(secured.cluster("operator"), "test")
    publisher.send(ORDERS, given.key, StructCodec(Order).encode(given))
    publisher.flush()
    for stage in topics()[ORDERS].read:
        assert read_skips(secured.cluster(stage), "trajectories").leave_out(*B), stage
    assert secured.writes("operator") == {ORDERS}
    assert secured.writes("entry", [ORDERS]) == set()
