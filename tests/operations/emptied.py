"""The declared topics on the broker of the run, empty: what an earlier test left is gone, offsets of groups too."""

from __future__ import annotations

import time

from schemas.topics import topics
from transport import clients
from transport import topics as broker_topics


def emptied(bootstrap: str, partitions: int) -> clients.Cluster:
    """The cluster with every declared topic made anew."""
    cluster = clients.Cluster(bootstrap)
    gone(cluster)
    broker_topics.apply(cluster, broker_topics.plan(cluster, partitions, replication=1, acls=False), partitions, 1)
    return cluster


def gone(cluster: clients.Cluster) -> None:
    """Take away every declared topic that an earlier test left at the broker of the run."""
    admin = clients.admin(cluster)

    def present() -> list[str]:
        return sorted(set(admin.list_topics(timeout=10).topics) & set(topics()))

    for future in admin.delete_topics(present()).values() if present() else ():
        future.result(20)
    until = time.monotonic() + 20
    while present() and time.monotonic() < until:
        time.sleep(0.1)
