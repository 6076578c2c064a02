"""The declared topics on the broker of the run, empty: what an earlier test left is gone, offsets of groups too."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.topics import groups, topics
from transport import clients
from transport import topics as broker_topics
from transport.groups import members

#: Longer than a member that ended without a word stays in its group.
_SESSION_SECONDS = 30


def emptied(bootstrap: str, partitions: int) -> clients.Cluster:
    """The cluster with every declared topic made anew."""
    cluster = clients.Cluster(bootstrap)
    gone(cluster)
    broker_topics.apply(cluster, broker_topics.plan(cluster, partitions, replication=1, acls=False), partitions, 1)
    admin = clients.admin(cluster)
    _until(lambda: _led(admin), "every partition has a leader")
    return cluster


def _led(admin: AdminClient) -> bool:
    """Whether whoever asks for the end of any partition gets it: a topic is there a moment before it can be read."""
    known = admin.list_topics(timeout=10).topics
    wanted = {TopicPartition(name, part): OffsetSpec.latest() for name in topics() for part in known[name].partitions}
    return all(future.exception(20) is None for future in admin.list_offsets(wanted).values())


def gone(cluster: clients.Cluster, *, but: str = "") -> None:
    """Take away every declared topic that an earlier test left at the broker of the run, but one, and its groups.

    Who ended is a static member until its session does. A process that starts under its name before that is given its
    partitions of before: of a topic that has more of them by now the others would be read by nobody.
    """
    admin = clients.admin(cluster)

    def joined() -> list[str]:
        known = {group.group_id for group in admin.list_consumer_groups().result(20).valid}  # a new broker has none
        return [name for name in groups().values() if name in known and members(cluster, name)]

    _until(lambda: not joined(), "every session ends")

    def present() -> list[str]:
        return sorted(set(admin.list_topics(timeout=10).topics) & set(topics()) - {but})

    for future in admin.delete_topics(present()).values() if present() else ():
        future.result(20)
    _until(lambda: not present(), "every topic is gone")
    for future in admin.delete_consumer_groups(list(groups().values())).values():
        future.exception(20)


def _until(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _SESSION_SECONDS
    while not true():
        assert time.monotonic() < until, f"waited {_SESSION_SECONDS} s and not yet: {what}"
        time.sleep(0.1)
