"""A log rewritten in place, on a real broker: what stays is the same, what is left out is gone, a crash is harmless."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Message
from confluent_kafka.admin import NewTopic

from operations import rewriting
from operations.rewriting import Part, RewritingError, Rules, digest, parts, rewrite
from tests.conftest import RunningBroker
from transport import clients
from transport.orders import assigned_reader

TOPIC = "rewritten"
PART = Part(TOPIC, 1)
DAY = 86_400_000
#: A record as it must stay: key, value, headers, time stamp (ms).
Told = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...], int]


def message(key: bytes | None, value: bytes | None, at: int = 5) -> Message:
    return Message(topic=TOPIC, partition=1, key=key, value=value, timestamp=(1, at))


def test_a_digest_tells_records_apart_and_not_their_order() -> None:
    one, other = message(b"a", b"bc"), message(b"d", None)
    assert digest([one, other]) == digest([other, one]) != digest([one])
    alike = [(b"ab", b"c", 5), (b"a", b"bc", 6), (b"a", None, 5), (None, b"bc", 5), (b"a", b"", 5)]
    assert len({digest([message(*parts)]) for parts in alike} | {digest([one])}) == len(alike) + 1
    assert digest([one, one]) != digest([one])


@pytest.fixture
def cluster(broker: RunningBroker) -> Iterator[clients.Cluster]:
    """A log of two partitions: 300 records of three clients, old ones too, in partition 1; something else in 0."""
    found = clients.Cluster(broker.bootstrap)
    admin = clients.admin(found)
    admin.create_topics([NewTopic(TOPIC, 2, 1, config={"retention.ms": str(400 * DAY)})])[TOPIC].result()
    producer, now = clients.producer(found, "test"), int(time.time() * 1000)
    for number in range(300):
        at, headers = now - (300 - number) * DAY, [("h", b"%d" % number)] if number % 2 else []
        producer.produce(TOPIC, b"fact %d" % number, b"client %d" % (number % 3), 1, timestamp=at, headers=headers)
    producer.produce(TOPIC, b"elsewhere", b"client 0", 0)
    assert producer.flush(20) == 0
    yield found
    admin.delete_consumer_groups(["sor-reader", rewriting.GROUP])
    admin.delete_topics([TOPIC])[TOPIC].result()
    until = time.monotonic() + 20
    while TOPIC in admin.list_topics(timeout=10).topics and time.monotonic() < until:
        time.sleep(0.05)


def stored(cluster: clients.Cluster, part: Part = PART) -> tuple[int, list[Told]]:
    """Where a partition begins, and all its records."""
    reader = assigned_reader(cluster, "sor-test")
    try:
        low, high = reader.get_watermark_offsets(part.at(0), timeout=10)
        reader.assign([part.at(low)])
        found: list[Message] = []
        while len(found) < high - low:
            found += reader.consume(high - low - len(found), 1.0)
    finally:
        reader.close()
    return low, [(m.key(), m.value(), tuple(m.headers() or ()), m.timestamp()[1]) for m in found]


def keeps(found: Message) -> bool:
    return bool(found.key() != b"client 1")


def without(told: list[Told]) -> Counter[Told]:
    return Counter(one for one in told if one[0] != b"client 1")


@pytest.mark.kafka
def test_what_stays_is_written_again_as_it_was_and_the_rest_is_gone(cluster: clients.Cluster) -> None:
    _, before = stored(cluster)
    read: list[int] = []
    done = rewrite(cluster, PART, Rules(keeps, "one", piece=70), read.append)
    low, after = stored(cluster)
    assert low == 300 == done.end == sum(read)
    assert (done.copied, done.left_out) == (200, 100)
    assert Counter(after) == without(before)
    assert after == [one for one in before if one[0] != b"client 1"], "in the order of the log"
    assert stored(cluster, Part(TOPIC, 0))[0] == 0, "another partition is as it was"
    assert parts(cluster, TOPIC) == [Part(TOPIC, 0), PART]
    again = rewrite(cluster, PART, Rules(keeps, "one"))
    assert (again.copied, again.left_out, again.digest) == (200, 0, done.digest)


@pytest.mark.kafka
def test_a_run_that_breaks_off_removes_nothing_and_the_next_goes_on(
    cluster: clients.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: a piece was written and not noted. It then stands twice, and nothing is lost."""
    _, before = stored(cluster)
    note, calls = rewriting._Run._note, iter(range(9))

    def breaks(run: rewriting._Run, *words: Any) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        note(run, *words)

    monkeypatch.setattr(rewriting._Run, "_note", breaks)
    rules = Rules(keeps, "one", piece=70)
    with pytest.raises(KeyboardInterrupt):
        rewrite(cluster, PART, rules)
    low, between = stored(cluster)
    assert low == 0
    assert between[:300] == before
    monkeypatch.setattr(rewriting._Run, "_note", note)
    done = rewrite(cluster, PART, rules)
    assert (done.begin, done.end) == (140, 300)
    low, after = stored(cluster)
    assert low == 300
    assert set(after) == set(without(before))
    assert 0 < len(after) - len(set(after)) <= 70


@pytest.mark.kafka
def test_another_purpose_begins_anew(cluster: clients.Cluster) -> None:
    """What a run that broke off copied may be of whom the next is to leave out."""

    def breaks(found: Message) -> bool:
        if found.value() == b"fact 100":
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        rewrite(cluster, PART, Rules(breaks, "other", piece=70))
    done = rewrite(cluster, PART, Rules(keeps, "one", piece=70))
    assert (done.begin, done.end) == (0, 370)
    assert b"client 1" not in {key for key, *_ in stored(cluster)[1]}


@pytest.mark.kafka
def test_what_is_read_back_must_be_what_was_read(cluster: clients.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    produce = rewriting._Run._produce

    def alters(run: rewriting._Run, found: Message, report: Any) -> None:
        produce(run, message(found.key(), b"x", found.timestamp()[1]) if found.value() == b"fact 3" else found, report)

    monkeypatch.setattr(rewriting._Run, "_produce", alters)
    with pytest.raises(RewritingError, match="not what was read"):
        rewrite(cluster, PART, Rules(keeps, "one"))
    assert stored(cluster)[0] == 0


@pytest.mark.kafka
def test_nothing_goes_before_a_reader_has_read_it(cluster: clients.Cluster) -> None:
    reader = assigned_reader(cluster, "sor-reader")
    try:
        reader.commit(offsets=[PART.at(40)], asynchronous=False)
        rules = Rules(keeps, "one", readers=["sor-reader", "sor-never-ran"], patience=0.0)
        with pytest.raises(RewritingError, match=r"sor-reader has to read .* 260 records behind"):
            rewrite(cluster, PART, rules)
        assert stored(cluster)[0] == 0
        with pytest.raises(RewritingError, match="sor-reader is behind: it is 460"):
            rewrite(cluster, PART, rules._replace(most_lag=100, purpose="two"))
        reader.commit(offsets=[PART.at(300)], asynchronous=False)
        done = rewrite(cluster, PART, rules)
        assert (done.begin, done.end, done.copied) == (300, 300, 0), "it had copied all of it"
    finally:
        reader.close()


@pytest.mark.kafka
def test_a_log_that_is_not_there_is_said(broker: RunningBroker) -> None:
    with pytest.raises(RewritingError, match="sor topics apply"):
        parts(clients.Cluster(broker.bootstrap), "never-made")
