"""Nothing that would split a client over two names runs beside a renewal of pseudonyms, nor a renewal beside that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from operations import forgetting, repartition, rewriting
from operations.renewal_rules import RenewalError
from operations.renewing import Renewing, World, under_way
from operations.rewriting import RENEWAL, REPARTITION, Part, RewritingError, Rules
from schemas.topics import EVENTS, REGISTER, groups
from sinks.access import Access
from streams.engine.stage import StageConfig, StageError
from streams.epochs import changelog_of, settle
from tests.conftest import RunningBroker
from tests.operations.emptied import emptied
from transport import clients
from transport.clients import Cluster
from transport.notes import note_text
from transport.orders import assigned_reader

pytestmark = pytest.mark.kafka


@pytest.fixture
def cluster(broker: RunningBroker) -> Iterator[Cluster]:
    found = emptied(broker.bootstrap, 2)
    yield found
    admin = clients.admin(found)
    for future in admin.delete_consumer_groups([RENEWAL, REPARTITION, groups()["register"]]).values():
        future.exception(20)


def noted(cluster: Cluster, group: str, topic: str, **words: str) -> None:
    with closing(assigned_reader(cluster, group)) as reader:
        reader.commit(offsets=[TopicPartition(topic, 0, 0, note_text(words))], asynchronous=False)


def renewing(cluster: Cluster, switched: list[int]) -> Renewing:
    def never(_epoch: int) -> object:
        raise AssertionError

    world = World(cluster, Access("", "", ""), switched.append, switched.clear, never, 0.0, 0.0)  # type: ignore[arg-type]
    return Renewing(world, lambda _step, _count: None, lambda _sentence: None)


def test_while_names_are_renewed_nothing_else_rewrites_and_no_stage_begins(cluster: Cluster, tmp_path: Path) -> None:
    assert under_way(cluster) == 0
    noted(cluster, RENEWAL, EVENTS, to="1", run="another")
    assert under_way(cluster) == 1
    sender = clients.producer(cluster, "test")
    sender.produce(EVENTS, b"fact", b"client", 0)
    assert sender.flush(20) == 0
    with pytest.raises(RewritingError, match="sor keys switch label"):
        rewriting.rewrite(cluster, Part(EVENTS, 0), Rules(lambda _message: True, "somebody"))
    with pytest.raises(RewritingError, match="sor keys switch label"):
        forgetting.entered(cluster, tmp_path, [b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"], None)
    asked = repartition.Asked(3, repartition.of_trajectories(), settled=0.0, patience=0.0)
    with pytest.raises(RewritingError, match="sor keys switch label"):
        repartition.repartition(cluster, asked, lambda _step, _count: None, lambda: None)
    group = groups()["register"]
    noted(cluster, group, changelog_of(group), renewing="1")
    with pytest.raises(StageError, match="sor keys switch label"):
        settle(StageConfig(group, REGISTER, "sleutels", 2, cluster.bootstrap, tmp_path, "0"))


def test_no_renewal_beside_more_partitions_or_a_worker(cluster: Cluster) -> None:
    switched: list[int] = []
    noted(cluster, REPARTITION, EVENTS, to="8")
    with pytest.raises(RenewalError, match="sor topics repartition 8"):
        renewing(cluster, switched).run(1)
    noted(cluster, REPARTITION, EVENTS)
    worker = clients.consumer(cluster, groups()["sink"], "0")
    worker.subscribe([EVENTS])
    try:
        for _ in range(100):
            worker.poll(0.2)
            if worker.assignment():
                break
        with pytest.raises(RenewalError, match="sor stop sink"):
            renewing(cluster, switched).run(1)
    finally:
        worker.close()
    assert (switched, under_way(cluster)) == ([], 0)
