"""Is everybody ready, and does the work go on? Asked of the processes themselves, not only of their supervisor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from local.services import STAGES, plan
from schemas.topics import READ_WHOLE, groups, topics
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

    def still(self, before: Place) -> bool:
        """Whether there is work and none was done since."""
        return self.lag > 0 and self.done <= before.done


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
            stage: [t.name for t in topics().values() if stage in t.read and t.schema and t.name not in READ_WHOLE]
            for stage in STAGES
        }
        bootstrap = f"127.0.0.1:{stack.ports.kafka}"
        self._options = {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 500, "log_level": 0}
        self._old: list[object] = []
        self._connect()

    def missing(self, before: dict[str, Place], old: dict[str, int | None]) -> dict[str, str]:
        """Who is not at work, and why. ``old``: processes that must be others now.

        ``before``: where each stage stood when it was first seen ready again, filled in here: from there it must move
        when it has records before it. What it committed on its way out proves nothing.
        """
        found = self._not_ready(old)
        self._begun = self._begun or not found  # before that there are no topics and no groups to ask about
        if not self._begun:
            return found
        if "kafka" in found:
            self._renew()
            return found | {stage: "no broker" for stage in STAGES if stage not in found}
        try:
            places, empty = self.places(), self._without_members()
        except KafkaException as error:
            self._renew()
            return found | {"kafka": f"answers no question: {error.args[0].name()}"}
        for stage in STAGES:
            if stage in empty:
                found.setdefault(stage, "its group has no members")
            elif stage not in found and places[stage].still(before.setdefault(stage, places[stage])):
                found[stage] = f"stands still with {places[stage].lag} records before it"
        return found

    def _renew(self) -> None:
        """Go on with a new client.

        One that has lived through a death of the broker may get no answer about groups any more, and the look must not
        be what stands still. The old one is kept: to free it with questions under way could end this process.
        """
        if self._used:
            self._old += [self._admin, *self._clients.values()]
            self._connect()

    def _connect(self) -> None:
        """An administrator, and for each group a consumer that only asks and never joins."""
        self._used = False
        self._admin = AdminClient(self._options)
        self._clients = {stage: Consumer({**self._options, "group.id": groups()[stage]}) for stage in STAGES}

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
        """Of every group. ``KafkaException`` when the broker does not answer."""
        self._used = True
        described = self._clients[STAGES[0]].list_topics(timeout=_SECONDS).topics
        asked = {
            stage: [TopicPartition(topic, part) for topic in self._reads[stage] for part in described[topic].partitions]
            for stage in STAGES
        }
        every = {(part.topic, part.partition) for parts in asked.values() for part in parts}
        high = {key: self._end(*key) for key in every}
        found = {}
        for stage, parts in asked.items():
            answer = self._clients[stage].committed(parts, timeout=_SECONDS)
            done = {(part.topic, part.partition): max(part.offset, 0) for part in answer}
            found[stage] = Place(sum(done.values()), sum(max(high[key] - offset, 0) for key, offset in done.items()))
        return found

    def _end(self, topic: str, partition: int) -> int:
        part = TopicPartition(topic, partition)
        return int(self._clients[STAGES[0]].get_watermark_offsets(part, timeout=_SECONDS, cached=False)[1])

    def _without_members(self) -> set[str]:
        """By the old question: the newer one of the administration ends a process whose broker falls silent."""
        found = {group.id: group for group in self._admin.list_groups(timeout=_SECONDS)}
        joined = {stage: found.get(groups()[stage]) for stage in STAGES if stage != _NO_MEMBERS}
        return {
            stage for stage, group in joined.items() if group is None or group.state != "Stable" or not group.members
        }
