"""Orders of an operator on their way to the stages: first into the audit trail, then to ``sor.orders``.

An order is coordinates or the name of a source. Whoever gives it needs no right on any record, and has none.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.codec import IdSource
from schemas.orders import REBUILD, RELEASE, REQUEUE, SKIP, Order, Place, order_for, rebuild_of, release_of
from schemas.topics import EVALUATED, IN_TOPIC, ORDERS, READ_WHOLE, groups, topics
from schemas.typed import StructCodec
from sinks import clickhouse
from transport.clients import Cluster
from transport.publisher import Publisher

#: Topic -> the stage that reads a record of it again. A record of any other topic is never put back.
REREADS: Final[dict[str, str]] = {**dict.fromkeys(IN_TOPIC.values(), "evaluate"), EVALUATED: "entry"}
#: Stages that set sources aside.
GUARDED: Final = ("evaluate", "entry")
_NO_RECORD: Final = Place("", -1, -1)
_COLUMNS: Final = ("topic", "partition", "offset", "bron", "actie", "reden", "door")
_DROP: Final = "drop"


class Why(NamedTuple):
    """Who orders something, and why."""

    reason: str
    by: str

    @classmethod
    def of(cls, reason: str) -> Why:
        """The user of the operating system."""
        return cls(reason, getpass.getuser())


def kept_until(topic: str, rejected_at: datetime) -> datetime:
    """When the broker has forgotten a record at the latest: it came before it was refused. A topic of ours."""
    retention = int(topics()[topic].config["retention.ms"])
    return datetime.max.replace(tzinfo=UTC) if retention < 0 else rejected_at + timedelta(milliseconds=retention)


def oldest_kept() -> int:
    """Refusals of before this moment (ms) are about records that the broker has forgotten."""
    return _now() - max(int(topics()[topic].config["retention.ms"]) for topic in REREADS)


def reads(stage: str) -> list[str]:
    """Topics of whose records a stage may be told to leave one out; none for what is no stage."""
    read = (topic for topic in topics().values() if stage in topic.read and topic.schema)
    return [topic.name for topic in read if topic.name not in READ_WHOLE]


def stages() -> list[str]:
    """Processes that leave out what they are told to."""
    return [process for process in groups() if process in topics()[ORDERS].read]


class Orders:
    """Gives orders: an act without a trace is worse than a trace without an act, so the trail comes first."""

    def __init__(self, client: Client, cluster: Cluster, ids: IdSource | None = None) -> None:
        self._client, self._cluster, self._codec = client, cluster, StructCodec(Order, ids)

    def requeue(self, places: Sequence[Place], why: Why) -> None:
        """Have each record read again by the stage that refused it; topics as in ``REREADS``."""
        self._note([(*place, "", REQUEUE, *why) for place in places])
        now = _now()
        self._publish([order_for(REQUEUE, REREADS[place.topic], place, **why._asdict(), at=now) for place in places])

    def drop(self, places: Sequence[Place], why: Why) -> None:
        """Only the trail: the record stays where it is, and nobody reads it again."""
        self._note([(*place, "", _DROP, *why) for place in places])

    def skip(self, stage: str, place: Place, why: Why) -> None:
        """Have a stage leave a record out, from its next start on."""
        self._note([(*place, "", SKIP, *why)])
        self._publish([order_for(SKIP, stage, place, **why._asdict(), at=_now())])

    def rebuild(self, stage: str, source: str, epoch: int, why: Why) -> None:
        """Have a stage build its states anew from its source topic under this epoch, from its next start on."""
        self._note([(source, 0, epoch, "", REBUILD, *why)])
        self._publish([rebuild_of(stage, source, epoch, **why._asdict(), at=_now())])

    def release(self, source: str, why: Why) -> None:
        """Have a source taken in again."""
        self._note([(*_NO_RECORD, source, RELEASE, *why)])
        self._publish([release_of(source, stage, **why._asdict(), at=_now()) for stage in GUARDED])

    def _note(self, rows: list[tuple[object, ...]]) -> None:
        if rows:
            with clickhouse.told_apart("Writing the audit trail"):
                self._client.insert("afhandelingen", rows, list(_COLUMNS))

    def _publish(self, orders: Sequence[Order]) -> None:
        """Returns when the broker has them; ``NotDelivered`` when it has not."""
        publisher = Publisher(self._cluster, "sor-orders")
        for order in orders:
            publisher.send(ORDERS, order.key, self._codec.encode(order))
        publisher.flush()


def _now() -> int:
    return int(time.time() * 1000)
