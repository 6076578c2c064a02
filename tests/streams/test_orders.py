"""Orders at a stage: which record is read again, which is refused, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from confluent_kafka import Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import REGISTRY

from schemas.orders import REQUEUE, SKIP, Order, Place, order_for, release_of
from schemas.topics import EVALUATED, IN_TOPIC, ORDERS
from schemas.typed import StructCodec
from streams.orders import Desk, Skipped, _Again
from tests.conftest import RunningBroker
from transport.clients import Cluster
from transport.orders import Skips

SCORE = IN_TOPIC["score"]
THERE, GONE = Place(SCORE, 1, 5), Place(SCORE, 1, 4)


def message(place: Place, value: bytes = b"record") -> Message:
    return Message(topic=place.topic, partition=place.partition, offset=place.offset, value=value)


def order(place: Place, action: str = REQUEUE, stage: str = "evaluate") -> Message:
    asked = order_for(action, stage, place, reason="why", by="me", at=5)
    return message(Place(ORDERS, 0, 17), StructCodec(Order).encode(asked))


class Topics:
    """Reads again what it was given; remembers what it was asked."""

    def __init__(self, *there: Place) -> None:
        self.there, self.asked = there, list[Place]()

    def __call__(self, places: Sequence[Place]) -> Iterator[Message]:
        self.asked += places
        return (message(place) for place in places if place in self.there)


def places(messages: Sequence[Message]) -> list[Place]:
    return [Place(str(one.topic()), int(one.partition() or 0), int(one.offset() or 0)) for one in messages]


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("sor_orders_total", {"stage": "evaluate", "outcome": outcome}) or 0


def desk(*there: Place) -> tuple[Desk, Topics]:
    topics = Topics(*there)
    return Desk("evaluate", IN_TOPIC.values(), again=topics), topics


def test_a_batch_without_orders_is_handled_as_it_is() -> None:
    batch = [message(THERE)]
    assert desk()[0].asked(batch) is batch


def test_the_record_takes_the_place_of_its_order() -> None:
    before = counted("accepted")
    own = Place(SCORE, 0, 9)
    assert places(desk(THERE)[0].asked([order(THERE), message(own)])) == [own, THERE]
    assert counted("accepted") == before + 1


def test_a_record_asked_for_twice_is_read_once() -> None:
    found, topics = desk(THERE)
    assert places(found.asked([order(THERE), order(THERE)])) == [THERE]
    assert topics.asked == [THERE]


def test_a_record_that_is_gone_is_told_and_stops_nothing() -> None:
    before = counted("rejected")
    assert places(desk(THERE)[0].asked([order(GONE), order(THERE)])) == [THERE]
    assert counted("rejected") == before + 1


@pytest.mark.parametrize(
    "place",
    [Place(EVALUATED, 0, 1), Place("sor.events", 0, 1), Place(ORDERS, 0, 1), Place(SCORE, -1, 1), Place(SCORE, 0, -1)],
    ids=str,
)
def test_only_the_stage_s_own_topics_are_read_again(place: Place) -> None:
    """Else an order could have the records of one stage handled by another."""
    before = counted("rejected")
    found, topics = desk(place)
    assert found.asked([order(place)]) == []
    assert (topics.asked, counted("rejected")) == ([], before + 1)


@pytest.mark.parametrize("other", [order(THERE, SKIP), order(THERE, stage="entry"), order(THERE, "no such action")])
def test_what_is_for_others_is_passed_over(other: Message) -> None:
    found, topics = desk(THERE)
    assert found.asked([other]) == []
    assert topics.asked == []


@pytest.mark.parametrize("value", [b"", b"no order", None])
def test_what_is_no_order_stops_nothing(value: bytes | None) -> None:
    before = counted("rejected")
    broken = Message(topic=ORDERS, partition=0, offset=3, value=value)
    assert places(desk(THERE)[0].asked([broken, order(THERE)])) == [THERE]
    assert counted("rejected") == before + 1


def test_a_record_to_leave_out_is_named_by_its_coordinates() -> None:
    found = Desk("evaluate", [SCORE], skips=Skips("evaluate", [GONE]))
    found.check(message(THERE))
    with pytest.raises(Skipped):
        found.check(message(GONE))


def test_releases_are_heard_by_their_stage_at_most_once_a_second() -> None:
    orders = [release_of("1", "evaluate", reason="", by="", at=1), release_of("2", "entry", reason="", by="", at=1)]
    calls = []

    def news() -> list[Order]:
        calls.append(1)
        return orders

    found = Desk("evaluate", [SCORE], news=news)
    assert found.released() == ["1"]
    assert found.released() == []
    assert len(calls) == 1


@pytest.fixture
def topic(broker: RunningBroker) -> Iterator[tuple[Cluster, str]]:
    """A topic of 5,000 records in one of two partitions, of which the first 100 are gone."""
    cluster, name = Cluster(broker.bootstrap), "orders-again"
    client = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    client.create_topics([NewTopic(name, 2, 1)])[name].result()
    producer = Producer({"bootstrap.servers": broker.bootstrap, "compression.type": "lz4"})
    for number in range(5000):
        producer.produce(name, str(number), partition=1)
    assert producer.flush(20) == 0
    [future] = client.delete_records([TopicPartition(name, 1, 100)]).values()
    future.result()
    yield cluster, name
    client.delete_topics([name])[name].result()


@pytest.mark.kafka
def test_records_are_read_again_from_their_topic_and_what_is_gone_is_left_out(topic: tuple[Cluster, str]) -> None:
    cluster, name = topic
    offsets = (4999, 0, 99, 100, 101, 777, 5000, 2**40)
    wanted = [Place(name, partition, offset) for partition in (0, 1) for offset in offsets]
    found = list(_Again(cluster)([*wanted, Place(name, 9, 0), Place(f"{name}-never", 0, 0)]))
    assert [int(one.value() or b"") for one in found] == [100, 101, 777, 4999]
    assert places(found) == [Place(name, 1, offset) for offset in (100, 101, 777, 4999)]
