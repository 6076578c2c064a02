"""Looking at Kafka: topics, rights, groups, lag, what the records are of, and its clock."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from operations.doctor import judging
from operations.doctor.finding import Finding
from operations.doctor.judging import GroupSeen
from schemas import registry
from schemas.codec import bundled, bundled_id, load, released
from schemas.topics import DEFINITIONS, ERASURES, IN_TOPIC, ORDERS, groups, topics
from settings.settings import Settings
from transport import topics as declared
from transport.clients import ANSWER_SECONDS, Cluster, admin
from transport.groups import committed, members
from transport.orders import assigned_reader, readable

_PATIENCE: Final = 5.0  # seconds for the first answer: without one nothing else is asked
_NEWEST: Final = 20.0  # seconds for the newest records of all topics together
_WIRE: Final = 5
#: Processes that are members of their group while they run; the others read whole topics or come and go.
_MEMBERS: Final = ("evaluate", "entry", "register", "trajectories", "deliveries", "sink")
#: Under these a command notes how far it is; no process joins them.
_NOTES: Final = frozenset({"sor-rewriting", "sor-repartition", "sor-renewal"})


def examine(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    """All that Kafka shows; one finding when it does not answer."""
    client = admin(cluster)
    try:
        found = client.list_topics(timeout=_PATIENCE)
    except KafkaException as error:
        advice = "sor status, sor logs kafka; or correct SOR_KAFKA. Whatever needs Kafka was not looked at."
        yield Finding("kafka", "problem", f"{cluster.bootstrap} does not answer: {error.args[0].str()}", advice)
        return
    yield Finding("kafka", "ok", f"{cluster.bootstrap}: {len(found.brokers)} broker(s) of cluster {found.cluster_id}")
    yield from _drift(cluster, settings)
    yield from judging.orphans(found.topics, topics(), "topics", "kafka-topics.sh --delete --topic {}")
    yield from _groups(cluster, client)
    yield from _schemas(cluster, settings, [name for name in topics() if name in found.topics])
    yield from _clock(client, [name for name in IN_TOPIC.values() if name in found.topics])


def _drift(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    rights = settings.kafka_security_protocol.startswith("SASL")
    try:
        changes = declared.plan(cluster, settings.partitions, replication=settings.replication, acls=rights)
    except declared.TopicError as error:
        yield Finding("topics", "problem", str(error), "Look again as a user that may see topics and rights: admin.")
        return
    yield from judging.drift([(one.topic, one.kind, one.detail) for one in changes])
    if not rights:
        yield Finding("rights", "ok", "the broker asks nobody's name: everybody who reaches it may do everything")


def _groups(cluster: Cluster, client: AdminClient) -> Iterator[Finding]:
    known = {*groups().values(), *_NOTES}
    present = [one.group_id for one in client.list_consumer_groups(request_timeout=ANSWER_SECONDS).result().valid]
    remove = "kafka-consumer-groups.sh --delete --group {}"
    yield from judging.orphans(present, known, "groups", remove)
    yield from judging.groups([_seen(cluster, process, present) for process in groups() if _reads(process)])


def _seen(cluster: Cluster, process: str, present: Sequence[str]) -> GroupSeen:
    group = groups()[process]
    running: int | None = None
    if process in _MEMBERS:
        running = members(cluster, group) if group in present else 0
    return GroupSeen(process, group, running, lag(cluster, group, _reads(process)))


def _reads(process: str) -> list[str]:
    """Topics of which a group commits how far it is."""
    if process not in (*_MEMBERS, "takeback"):
        return []
    return [one.name for one in topics().values() if process in one.read and one.schema and one.name not in _WHOLE]


#: Every process reads these whole at its start, and commits nothing of them.
_WHOLE: Final = frozenset({ORDERS, DEFINITIONS, ERASURES})


def lag(cluster: Cluster, group: str, names: Sequence[str]) -> int:
    """Records that a group has left. Asked as a consumer: the administration client may end the process with SIGSEGV
    while the coordinator of a group is loading.
    """
    reader = assigned_reader(cluster, group)
    try:
        there = reader.list_topics(timeout=ANSWER_SECONDS).topics
        places = [TopicPartition(name, part) for name in names if name in there for part in there[name].partitions]
        return sum(_left(reader, place) for place in committed(reader, places))
    finally:
        reader.close()


def _left(reader: Consumer, place: TopicPartition) -> int:
    low, end = reader.get_watermark_offsets(TopicPartition(place.topic, place.partition), timeout=ANSWER_SECONDS)
    return max(0, int(end) - max(int(place.offset), int(low)))


def _schemas(cluster: Cluster, settings: Settings, names: Sequence[str]) -> Iterator[Finding]:
    """Contracts of the registry, and the schema of the newest record of every partition."""
    absent: list[str] = []
    ids = bundled()
    if settings.registry:
        try:
            absent = sorted(registry.missing(settings.registry))
        except registry.RegistryError as error:
            yield Finding("schemas", "problem", str(error), "Start it, or correct SOR_REGISTRY.")
            return
    known = registry.ids_of(settings.registry) or ids
    strangers: dict[str, list[int]] = {}
    older: dict[str, str] = {}
    releases = {bundled_id(schema): release for release, _, schema in released()}
    current = {
        topics()[name].schema: ids.register("", _text(topics()[name].schema)) for name in names if topics()[name].schema
    }
    for name, found in newest(cluster, [one for one in names if topics()[one].schema]).items():
        for schema in sorted(found):
            try:
                text = known.lookup(schema)
            except KeyError:
                strangers.setdefault(name, []).append(schema)
                continue
            own = ids.register("", text)
            if own != current[topics()[name].schema] and own in releases:
                older[name] = releases[own]
    yield from judging.schemas(absent, strangers, older)


def _text(name: str) -> str:
    return json.dumps(load(name))


def newest(cluster: Cluster, names: Sequence[str]) -> dict[str, set[int]]:
    """Topic -> the schema ids of the last record of each of its partitions."""
    reader = assigned_reader(cluster, "sor-doctor")
    found: dict[str, set[int]] = {}
    try:
        there = reader.list_topics(timeout=ANSWER_SECONDS).topics
        left: dict[tuple[str, int], int] = {}
        for name in names:
            for part in there[name].partitions if name in there else ():
                low, end = reader.get_watermark_offsets(TopicPartition(name, part), timeout=ANSWER_SECONDS)
                if low < end:
                    left[name, part] = end - 1
        reader.assign([TopicPartition(name, part, at) for (name, part), at in left.items()])
        until = time.monotonic() + _NEWEST
        while left and time.monotonic() < until:
            for message in readable(reader.consume(100, 0.2)):
                left.pop((str(message.topic()), int(message.partition() or 0)), None)
                value = message.value() or b""
                if len(value) >= _WIRE and value[0] == 0:
                    found.setdefault(str(message.topic()), set()).add(int.from_bytes(value[1:_WIRE], "big"))
            left = {place: at for place, at in left.items() if not _passed(reader, place, at)}
    finally:
        reader.close()
    return found


def _passed(reader: Consumer, place: tuple[str, int], at: int) -> bool:
    """Whether there is nothing more to come of a partition: its last offset may hold no record."""
    return bool(reader.position([TopicPartition(*place)])[0].offset > at)


def _clock(client: AdminClient, names: Sequence[str]) -> Iterator[Finding]:
    """The broker stamps what arrives: a stamp of later than now shows that its clock is ahead. Behind shows nothing."""
    there = client.list_topics(timeout=ANSWER_SECONDS).topics
    places = [TopicPartition(name, part) for name in names for part in there[name].partitions]
    asked = {place: OffsetSpec.max_timestamp() for place in places}
    told = client.list_offsets(asked, request_timeout=ANSWER_SECONDS) if asked else {}
    stamps = [future.result(ANSWER_SECONDS).timestamp for future in told.values()]
    last = max(stamps, default=-1)
    if last > 0:
        yield judging.clock("Kafka", max(0.0, last / 1000 - time.time()))
