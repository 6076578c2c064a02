"""Taking back: whom a delivery told of is told that it counts no more; on a real broker, also after a crash."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import given
from hypothesis import strategies as st

from domain.care.fold import rows_of
from domain.facts.fact import Event, Teruggenomen
from domain.facts.fact_set import FactSet, add
from schemas.codec import Codec
from schemas.records import event_to_record, record_to_event
from schemas.structs import Use
from schemas.taken import Taken
from schemas.topics import EVENTS, REGISTER, TERUGNAMES, groups
from schemas.typed import StructCodec, dict_codec
from streams import takeback
from streams.takeback import Notices, TakebackConfig, handle_of_event, handle_of_use
from tests.build import AGB, CLIENT, DELIVERY, OTHER_DELIVERY, event, score, start, teruggenomen, terugname
from tests.conftest import RunningBroker
from tests.operations.emptied import gone
from transport.clients import Cluster
from transport.health import HealthConfig
from transport.loop import Stop
from transport.orders import Skips, assigned_reader
from transport.publisher import NotDelivered, Publisher
from transport.topics import TopicError
from transport.whole import partitions, read_whole

T = 1_000


def packed(told: Event) -> bytes:
    return Codec(EVENTS).encode(event_to_record(told))


def taken(handle: str = DELIVERY, at: int = T) -> bytes:
    return StructCodec(Taken).encode(Taken(aanlevering=handle, sender=AGB, tijd=at, door="source", reden=""))


def use(delivery: str = DELIVERY, **over: Any) -> Use:
    made: Use = {
        "soort": "bericht.start", "aanbieder": AGB, "sleutel": b"12345678", "inhoud": b"x" * 8, "bericht": b"12345678",
        "pseudonym": "p1", "retour": "", "delivery": delivery, "line": 3, "lines": 9, "tijd": 5, "published_at": 10,
        "records": 0, "plaats": 0, "terug": 0, "opnieuw": 0, "dagtekening": 0,
    }  # fmt: skip
    return {**made, **over}  # type: ignore[typeddict-item]


def pack_use(one: Use) -> bytes:
    return dict_codec(Use).encode(one)


def notices(*handles: str, at: int = T) -> Notices:
    made = Notices()
    for handle in handles or (DELIVERY,):
        made.learn(taken(handle, at))
    return made


def told_event(made: Notices, one: Event, key: bytes = CLIENT) -> Event | None:
    found = made(EVENTS, key, packed(one), made.known)
    return None if found is None else record_to_event(Codec(EVENTS).decode(found))


# --- what follows from a record --------------------------------------------------------------------------------------


def test_what_entry_publishes_says_whose_when_who_and_why() -> None:
    key, value = takeback.order({"sender": AGB}, terugname(reden="dubbel"), DELIVERY, 77, "hub")  # type: ignore[typeddict-item]
    assert key == DELIVERY.encode()
    assert value == Taken(aanlevering=DELIVERY, sender=AGB, tijd=77, door="hub", reden="dubbel")


@pytest.mark.parametrize(("published_at", "opnieuw"), [(1, 0), (T, 0), (T + 1, T + 1)])
def test_a_client_is_told_when_it_was_taken_back_and_when_it_was_sent_again(published_at: int, opnieuw: int) -> None:
    told = told_event(notices(), event(start(), line=7, published_at=published_at))
    assert told is not None
    assert told.fact == Teruggenomen(aanlevering=DELIVERY, terug=T, opnieuw=opnieuw)
    assert (told.delivery, told.line, told.aanbieder, told.published_at) == (DELIVERY, 1, AGB, max(T, opnieuw))


def test_other_deliveries_and_what_it_said_itself_are_nothing_to_tell() -> None:
    made = notices()
    assert told_event(made, event(start(), delivery=OTHER_DELIVERY)) is None
    assert told_event(made, event(teruggenomen(DELIVERY), published_at=T + 5)) is None
    assert made(REGISTER, b"k", pack_use(use(OTHER_DELIVERY)), made.known) is None
    assert made(REGISTER, b"k", pack_use(use(terug=T)), made.known) is None


def test_a_client_is_told_once_and_again_only_of_something_later() -> None:
    made = notices()
    first, second, again = (event(start(), line=n, published_at=at) for n, at in ((1, 5), (2, 5), (1, T + 5)))
    assert told_event(made, first) is not None
    assert told_event(made, second) is None
    assert told_event(made, first, b"another client") is not None
    assert told_event(made, again) is not None
    assert told_event(made, again) is None
    made.learn(taken(at=2 * T))
    once_more = told_event(made, again)
    assert once_more is not None
    assert once_more.fact == Teruggenomen(aanlevering=DELIVERY, terug=2 * T, opnieuw=0)


def test_of_two_takings_back_the_latest_counts_whatever_came_first() -> None:
    made = notices(at=2 * T)
    made.learn(taken(at=T))
    assert made.known == {DELIVERY.encode(): 2 * T}


def test_what_was_forgotten_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeback, "_MOST_TOLD", 2)
    made = notices()
    keys = [b"a", b"b", b"c", b"a"]
    assert all(told_event(made, event(start()), key) is not None for key in keys)


def test_a_number_is_told_under_its_own_key_and_names_no_client() -> None:
    made = notices()
    found = made(REGISTER, b"k", pack_use(use(published_at=T + 1)), made.known)
    assert found is not None
    told = use(published_at=T + 1, pseudonym=None, terug=T, opnieuw=T + 1)
    assert dict_codec(Use).decode(found) == told
    assert made(REGISTER, b"k", pack_use(use(published_at=4)), made.known) is None
    assert made(REGISTER, b"other", pack_use(use(published_at=4)), made.known) is not None


@given(
    st.text(max_size=300),
    *(st.binary(max_size=20_000) for _ in range(3)),
    st.none() | st.text(max_size=70),
    st.text(max_size=9),
)
def test_the_handle_is_found_in_the_bytes_of_a_use(
    soort: str, sleutel: bytes, inhoud: bytes, bericht: bytes, pseudonym: str | None, retour: str
) -> None:
    one = use(soort=soort, sleutel=sleutel, inhoud=inhoud, bericht=bericht, pseudonym=pseudonym, retour=retour)
    assert handle_of_use(pack_use(one)) == DELIVERY.encode()


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_have_a_handle_or_none(value: bytes) -> None:
    assert len(handle_of_use(value)) <= 32
    assert len(handle_of_event(value)) <= 32


def test_the_handle_is_found_in_the_bytes_of_an_event() -> None:
    assert handle_of_event(packed(event(start(), delivery=OTHER_DELIVERY))) == OTHER_DELIVERY.encode()


# --- on a broker -----------------------------------------------------------------------------------------------------


class Place:
    """The three topics, empty, and a stage over them."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self.cluster, self.group = Cluster(bootstrap), group
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        gone(self.cluster)
        new = [NewTopic(name, 3, 1) for name in (EVENTS, REGISTER, TERUGNAMES)]
        for future in self.admin.create_topics(new).values():
            future.result()
        end = time.monotonic() + 30
        while not self._there():
            assert time.monotonic() < end, "the topics were made and are not there"

    def _there(self) -> bool:
        """Whether every partition has a leader: topics of these names were deleted a moment ago."""
        try:
            return all(self.read(topic) == [] for topic in (EVENTS, REGISTER, TERUGNAMES))
        except (KafkaException, TopicError):
            return False

    def put(self, topic: str, *records: tuple[bytes, bytes]) -> None:
        producer = Producer({"bootstrap.servers": self.cluster.bootstrap})
        for key, value in records:
            producer.produce(topic, value, key)
        assert producer.flush(20) == 0

    def read(self, topic: str) -> list[tuple[bytes, bytes]]:
        reader = assigned_reader(self.cluster, "look")
        try:
            return [
                (one.key() or b"", one.value() or b"") for some in read_whole(reader, [topic], Stop()) for one in some
            ]
        finally:
            reader.close()

    def follow(self) -> None:
        """The stage, until it has committed all events that are there: only a scan sees them again."""
        reader = assigned_reader(self.cluster, self.group)
        there = len(self.read(EVENTS))

        def committed() -> int:
            places = reader.committed(partitions(reader, [EVENTS]), timeout=20)
            return sum(max(0, place.offset) for place in places)

        self.run(lambda: committed() == there)
        assert committed() == there
        reader.close()

    def events(self) -> list[tuple[bytes, Event]]:
        return [(key, record_to_event(Codec(EVENTS).decode(value))) for key, value in self.read(EVENTS)]

    def told(self) -> list[tuple[bytes, Teruggenomen]]:
        return [(key, one.fact) for key, one in self.events() if isinstance(one.fact, Teruggenomen)]

    def run(
        self, until: Callable[[], bool], publisher: type[Publisher] | None = None, skips: Skips | None = None
    ) -> None:
        """The stage, until something is true."""
        config = TakebackConfig(self.cluster, self.group, "0", HealthConfig(), skips=skips or Skips())
        stop, end = Stop(), time.monotonic() + 40

        def watch() -> None:
            while not until() and time.monotonic() < end:
                time.sleep(0.05)
            stop.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            with pytest.MonkeyPatch.context() as patch:
                if publisher is not None:
                    patch.setattr(takeback, "Publisher", publisher)
                takeback.run(config, stop)
        finally:
            end = 0
            watcher.join()


@pytest.fixture
def place(broker: RunningBroker, request: pytest.FixtureRequest) -> Iterator[Place]:
    made = Place(broker.bootstrap, f"takeback-{request.node.name}")
    yield made
    for future in made.admin.delete_topics([EVENTS, REGISTER, TERUGNAMES]).values():
        future.result()
    while set(made.admin.list_topics(timeout=10).topics) & {EVENTS, REGISTER, TERUGNAMES}:
        time.sleep(0.05)


def history() -> list[tuple[bytes, bytes]]:
    """Three clients; two were told of by the delivery."""
    told = [
        (b"one", event(start())),
        (b"one", event(score(), delivery=OTHER_DELIVERY)),
        (b"two", event(start(), line=2)),
        (b"three", event(start(), delivery=OTHER_DELIVERY)),
    ]
    return [(key, packed(one)) for key, one in told]


@pytest.mark.kafka
def test_whom_a_delivery_told_of_is_told_and_who_comes_later_as_well(place: Place) -> None:
    place.put(EVENTS, *history())
    place.follow()
    place.put(REGISTER, (b"n", pack_use(use())), (b"m", pack_use(use(OTHER_DELIVERY))))
    place.put(TERUGNAMES, (DELIVERY.encode(), taken()))
    place.run(lambda: len(place.told()) == 2)
    notice = Teruggenomen(aanlevering=DELIVERY, terug=T, opnieuw=0)
    assert sorted(place.told()) == [(b"one", notice), (b"two", notice)]
    uses = [(key, dict_codec(Use).decode(value)) for key, value in place.read(REGISTER)]
    assert [(key, one["terug"], one["pseudonym"]) for key, one in uses if one["terug"]] == [(b"n", T, None)]

    # A late record of it, and one that was sent anew; the stage was restarted and remembers what was taken back.
    place.put(EVENTS, (b"three", packed(event(start()))), (b"one", packed(event(start(), published_at=T + 9))))
    place.run(lambda: len(place.told()) >= 4)
    told = place.told()
    assert (b"three", notice) in told
    assert (b"one", Teruggenomen(aanlevering=DELIVERY, terug=T, opnieuw=T + 9)) in told
    assert rows_of_log(place, b"one") == rows(start(), event(score(), delivery=OTHER_DELIVERY))
    assert rows_of_log(place, b"two") == {}


def rows(*told: Any) -> dict[Any, Any]:
    facts = FactSet()
    for one in told:
        add(facts, one if isinstance(one, Event) else event(one))
    return dict(rows_of(b"one", facts))


def rows_of_log(place: Place, client: bytes) -> dict[Any, Any]:
    return rows(*(one for key, one in place.events() if key == client))


class Failing(Publisher):
    """Loses its connection when the first notices are to be flushed."""

    def flush(self, _timeout: float = 30.0) -> None:
        super().flush()
        raise NotDelivered("gone")


@pytest.mark.kafka
def test_after_a_crash_it_is_told_again_and_nothing_is_left_out(place: Place) -> None:
    place.put(EVENTS, *history())
    place.follow()
    place.put(TERUGNAMES, (DELIVERY.encode(), taken()))
    with pytest.raises(NotDelivered):
        place.run(lambda: False, publisher=Failing)
    before = len(place.told())
    place.run(lambda: len(place.told()) >= before + 2)
    assert {key for key, _ in place.told()} == {b"one", b"two"}
    assert rows_of_log(place, b"two") == {}


class Stopping(Publisher):
    """Asked to stop in the middle of a scan."""

    stop: Stop

    def poll(self) -> None:
        super().poll()
        self.stop.set()


@pytest.mark.kafka
def test_a_scan_that_was_stopped_half_way_is_done_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its taking back is committed only after the whole scan."""
    monkeypatch.setattr("transport.whole._CHUNK", 1)
    place.put(EVENTS, *history())
    place.follow()
    place.put(TERUGNAMES, (DELIVERY.encode(), taken()))
    stop = Stop()
    monkeypatch.setattr(Stopping, "stop", stop, raising=False)
    monkeypatch.setattr(takeback, "Publisher", Stopping)
    takeback.run(TakebackConfig(place.cluster, place.group, "0", HealthConfig()), stop)
    assert len(place.told()) < 2
    monkeypatch.setattr(takeback, "Publisher", Publisher)
    place.run(lambda: {key for key, _ in place.told()} == {b"one", b"two"})
    assert {key for key, _ in place.told()} == {b"one", b"two"}


@pytest.mark.kafka
def test_what_cannot_be_read_stops_nobody(place: Place) -> None:
    place.put(TERUGNAMES, (b"x", b"no record"), (DELIVERY.encode(), taken()))
    damaged = packed(event(start()))[:60]
    place.put(EVENTS, (b"one", damaged), *history())
    reading = len(history()) + 1 + 2

    def done() -> bool:
        return len(place.read(EVENTS)) == reading

    place.run(done)
    assert done()


def test_the_stage_has_a_group_of_its_own() -> None:
    assert groups()[takeback.STAGE] == "sor-takeback"
