"""Is everybody ready, and does the work go on? Asked of the processes themselves, not only of their supervisor."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from local.services import STAGES, plan
from schemas.topics import ORDERS, groups, topics
from tests.chaos.stack.plan import SUPERVISOR
from tests.chaos.stack.stack import Stack

_SECONDS: Final = 3.0
_READY: Final = ("ready", "done")
#: Reads its logs without joining a group (``streams.takeback``); what it has handled stands there all the same.
_NO_MEMBERS: Final = "takeback"


class Place(NamedTuple):
    """How far a group is: records committed, over all its partitions, and records that it has before it."""

    done: int
    lag: int


class Probe:
    """Looks at a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._begun = stack, False
        self._checks = {
            service.name: service.check
            for service in plan(stack.settings, stack.ports)
            if service.kind == "service" and service.check is not None
        }
        self._pool = ThreadPoolExecutor(len(self._checks), "probe")
        self._reads = {
            stage: [t.name for t in topics().values() if stage in t.read and t.schema and t.name != ORDERS]
            for stage in STAGES
        }
        self._options = {"bootstrap.servers": f"127.0.0.1:{stack.ports.kafka}", "log_level": 0}
        self._admin = AdminClient(self._options)

    def missing(self, before: dict[str, Place], old: dict[str, int | None]) -> dict[str, str]:
        """Who is not at work, and why. ``before``: places at the fault; ``old``: processes that must be others now."""
        found = self._not_ready(old)
        self._begun = self._begun or not found  # before that there are no topics and no groups to ask about
        if not self._begun:
            return found
        if "kafka" in found:
            return found | {stage: "no broker" for stage in STAGES if stage not in found}
        try:
            places, empty = self.places(), self._without_members()
        except KafkaException as error:
            return found | {"kafka": f"answers no question: {error.args[0].name()}"}
        for stage in STAGES:
            if stage in empty:
                found.setdefault(stage, "its group has no members")
            elif places[stage].lag and places[stage].done <= before.get(stage, Place(-1, 0)).done:
                found.setdefault(stage, f"stands still with {places[stage].lag} records before it")
        return found

    def _not_ready(self, old: dict[str, int | None]) -> dict[str, str]:
        statuses = self._stack.statuses()
        found = {}
        for whom, pid in old.items():
            if pid is not None and self._stack.pid(whom) in (None, pid):
                found[whom] = "is gone"
        if self._stack.pid(SUPERVISOR) is None:
            found[SUPERVISOR] = "is gone"
        for name, answer in zip(
            self._checks, self._pool.map(lambda check: check(), self._checks.values()), strict=True
        ):
            status = statuses.get(name)
            if status is None or status.state not in _READY:
                found.setdefault(name, status.state if status is not None else "is not started")
            elif answer is not None:
                found.setdefault(name, answer)
        return found

    def places(self) -> dict[str, Place]:
        """Of every group. ``KafkaException`` when the broker does not answer.

        By a new client: one that has lived through a death of the broker gets no answer about groups any more
        (librdkafka goes on waiting for the coordinator that it knew), and the look must not be what stands still.
        """
        self._admin = AdminClient(self._options)
        described = self._admin.list_topics(timeout=_SECONDS).topics
        parts = {s: [TopicPartition(t, p) for t in self._reads[s] for p in described[t].partitions] for s in STAGES}
        asked = {
            stage: self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(groups()[stage], parts[stage])], request_timeout=_SECONDS
            )
            for stage in STAGES
        }
        every = {(part.topic, part.partition): part for stage in STAGES for part in parts[stage]}
        ends = self._admin.list_offsets(
            {part: OffsetSpec.latest() for part in every.values()}, request_timeout=_SECONDS
        )  # fmt: skip
        high = {(part.topic, part.partition): future.result().offset for part, future in ends.items()}
        found = {}
        for stage, futures in asked.items():
            answer = next(iter(futures.values())).result().topic_partitions
            done = {(part.topic, part.partition): max(part.offset, 0) for part in answer}
            lag = sum(max(high[key] - offset, 0) for key, offset in done.items())
            found[stage] = Place(sum(done.values()), lag)
        return found

    def before(self) -> dict[str, Place]:
        """The places, asked again where the broker is only just back."""
        for _ in range(5):
            try:
                return self.places()
            except KafkaException:
                time.sleep(1.0)
        return self.places()

    def _without_members(self) -> set[str]:
        joined = [stage for stage in STAGES if stage != _NO_MEMBERS]
        names = [groups()[stage] for stage in joined]
        answers = self._admin.describe_consumer_groups(names, request_timeout=_SECONDS)
        found = {stage: answers[groups()[stage]].result() for stage in joined}
        return {
            stage
            for stage, group in found.items()
            if group.state != ConsumerGroupState.STABLE or not len(group.members)
        }
