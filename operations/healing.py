"""Do log, states and store belong together, and what mends it where they do not: ``sor heal`` and ``sor status``.

Each part heals by itself what can be read again (``transport.lost``). Left to a person is what takes something away,
and what no part can see alone: rows of a log that is gone, and a store that has more than the broker (decision 0023).
All of this is pure: ``operations.healing_look`` asks, ``findings`` judges, ``acts`` says what to do, and ``advice``
names the command for a difference that an audit finds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from schemas.topics import EVENTS, LINES, METINGEN, RECEIPTS, REGISTER, SCORES, TRAJECTEN
from sinks.tables import TABLES
from streams.versions import OFFSET_BITS

#: Stage -> the topic that it reads.
SOURCES: Final = {"trajectories": EVENTS, "deliveries": LINES, "register": REGISTER}
#: Topic of rows -> the stage whose versions the rows carry.
WRITERS: Final = {
    **dict.fromkeys((TRAJECTEN, METINGEN, SCORES), "trajectories"),
    RECEIPTS: "deliveries",
}
#: Table -> that stage.
STAGE_OF: Final = {table.name: WRITERS[table.topic] for table in TABLES if table.topic in WRITERS}

Kind = Literal["log", "ahead", "version", "former", "receipts", "store", "filling", "reading"]
#: What differs, in an audit.
Difference = Literal["missing", "extra", "different", "version", "state", "changelog"]


class StageSeen(NamedTuple):
    """What is noted of a stage and what the broker has: id of its source, epoch, the epoch since which its rows are of
    this log, records to go, highest end.
    """

    noted_log: str
    log: str
    epoch: int
    since: int
    to_go: int
    end: int


class TopicSeen(NamedTuple):
    """A topic of the sink. ``stores``, ``logs``: the identities noted at its offsets; ``ahead``: partitions of which
    the store has more than the broker; ``filling``: records that are read again, to go; ``to_go``: all.
    """

    log: str
    stores: frozenset[str]
    logs: frozenset[str]
    ahead: int
    filling: int
    to_go: int


class RowsSeen(NamedTuple):
    """Rows of a table that are shown: how many are of a log that is gone, and the highest version."""

    former: int
    highest: int


@dataclass(frozen=True)
class Seen:
    """Everything that was looked at; ``store`` is the identity of the store."""

    store: str
    stages: Mapping[str, StageSeen] = field(default_factory=dict)
    topics: Mapping[str, TopicSeen] = field(default_factory=dict)
    rows: Mapping[str, RowsSeen] = field(default_factory=dict)


class Finding(NamedTuple):
    """One thing that does not belong together: the stage, topic or table, a sentence, and what mends it (or empty)."""

    kind: Kind
    subject: str
    found: str
    mends: str

    def __str__(self) -> str:
        return f"{self.found} {self.mends}".strip()


_HEAL: Final = "Look at it with sor heal, and mend it with sor heal --yes."
_AGAIN: Final = "Deliver again what counts; sor heal --yes --receipts removes the others."


def findings(seen: Seen) -> list[Finding]:
    """What there is to say, the gravest first."""
    return [*_logs(seen), *_ahead(seen), *_stores(seen), *_former(seen), *_on_its_way(seen)]


def _logs(seen: Seen) -> Iterator[Finding]:
    for stage, at in seen.stages.items():
        if at.noted_log and at.noted_log != at.log:
            found = f"{SOURCES[stage]} was made anew and {stage} has not taken that in."
            yield Finding("log", stage, found, f"Start {stage} again (sor heal --yes does).")


def _ahead(seen: Seen) -> Iterator[Finding]:
    for topic, at in seen.topics.items():
        if at.ahead:
            found = f"The store has more of {topic} than the broker has: an older copy of the broker, or a lost end."
            yield Finding("ahead", topic, found, _HEAL)
    for table, rows in seen.rows.items():
        stage = STAGE_OF[table]
        at_stage = seen.stages.get(stage)
        if at_stage is not None and rows.highest > _highest(at_stage):
            found = f"{table} has versions that are higher than any that {stage} gives now: newer rows lose."
            yield Finding("version", table, found, _HEAL)


def _highest(at: StageSeen) -> int:
    """The highest version that a stage can have given."""
    return (at.epoch << OFFSET_BITS) | max(at.end - 1, 0)


def _stores(seen: Seen) -> Iterator[Finding]:
    for topic, at in seen.topics.items():
        if (at.stores - {seen.store}) or (at.logs - {at.log}):
            found = f"The sink has not taken in yet that the store or {topic} is another one."
            yield Finding("store", topic, found, "Start the sink again (sor heal --yes does).")


def _former(seen: Seen) -> Iterator[Finding]:
    for table, rows in seen.rows.items():
        if not rows.former:
            continue
        found = f"Rows of {table} of a log that is gone: {rows.former}."
        if STAGE_OF[table] == "deliveries":
            yield Finding("receipts", table, found, _AGAIN)
        elif left := to_go(seen, STAGE_OF[table]):
            yield Finding("former", table, found, f"First {left} records are still to be read: wait for that.")
        else:
            yield Finding("former", table, found, _HEAL)


def to_go(seen: Seen, stage: str) -> int:
    """Records that must pass until all rows of a stage are in the store."""
    of_stage = seen.stages[stage].to_go if stage in seen.stages else 0
    return of_stage + sum(at.to_go for topic, at in seen.topics.items() if WRITERS.get(topic) == stage)


def _on_its_way(seen: Seen) -> Iterator[Finding]:
    for topic, at in seen.topics.items():
        if at.filling:
            found = f"The store is being filled from {topic}: {at.filling} records to go."
            yield Finding("filling", topic, found, "It goes on by itself.")


class Act(NamedTuple):
    """One thing to do.

    ``rebuild``: a stage builds its states anew under epoch ``number``. ``forget``: the store no longer says how far a
    topic filled it. ``restart``: a process. ``remove``: rows of a table below epoch ``number``.
    """

    kind: Literal["rebuild", "forget", "restart", "remove"]
    subject: str
    number: int
    words: str


def acts(seen: Seen, clock: int, *, receipts: bool = False, rebuild: Sequence[str] = ()) -> list[Act]:
    """What ``sor heal --yes`` does, in order. ``clock``: ``transport.lost.clock_epoch`` of now. ``receipts``: remove
    those of a former log too. ``rebuild``: stages that are to be built anew in any case.
    """
    found = findings(seen)
    ahead = [one.subject for one in found if one.kind == "ahead"]
    built = {WRITERS[topic] for topic in ahead if topic in WRITERS}
    built |= {STAGE_OF[one.subject] for one in found if one.kind == "version"} | set(rebuild)
    again = built | {one.subject for one in found if one.kind == "log"}
    if ahead or any(one.kind == "store" for one in found):
        again.add("sink")
    return [
        *(_rebuilt(seen, stage, clock) for stage in sorted(built)),
        *(Act("forget", topic, 0, f"how far {topic} filled the store is forgotten") for topic in ahead),
        *(Act("restart", process, 0, f"{process} is started again") for process in sorted(again)),
        *(_removed(seen, one.subject) for one in found if _removable(one, built, receipts=receipts)),
    ]


def _rebuilt(seen: Seen, stage: str, clock: int) -> Act:
    shown = [rows.highest >> OFFSET_BITS for table, rows in seen.rows.items() if STAGE_OF[table] == stage]
    epoch = max([clock, seen.stages[stage].epoch + 1, *(one + 1 for one in shown)])
    return Act("rebuild", stage, epoch, f"{stage} builds its states anew from {SOURCES[stage]}, under epoch {epoch}")


def _removable(one: Finding, built: Collection[str], *, receipts: bool) -> bool:
    if one.kind == "receipts":
        return receipts and "deliveries" not in built
    return one.kind == "former" and one.mends == _HEAL and STAGE_OF[one.subject] not in built


def _removed(seen: Seen, table: str) -> Act:
    since = seen.stages[STAGE_OF[table]].since
    return Act("remove", table, since, f"rows of {table} of a log that is gone are removed: {seen.rows[table].former}")


def advice(difference: Difference, seen: Seen | None = None) -> str:
    """Which command mends a difference that an audit found between log, state and store."""
    if seen is not None and (found := next((one for one in findings(seen) if one.mends), None)):
        return str(found)
    if difference in ("state", "changelog"):
        return "sor audit --repair writes the states anew; sor heal --rebuild trajectories builds all of them anew."
    if difference == "version":
        return "sor heal --rebuild trajectories: a higher epoch, and every row again from the log."
    return "sor audit --repair writes these rows anew from the log."
