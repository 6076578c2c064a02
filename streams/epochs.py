"""How a stage begins: under which epoch its row versions are, and whether it reads its source from the first record.

What it must know of the log and of its rows is noted at its consumer group (``transport.notes``), beside the offsets:
as the metadata of an offset of partition 0 of the changelog, which nobody reads by group. What is found there and at
the broker is decided on by ``transport.lost``; note and offsets change in one commit. Another log, other keys, another
table of definitions, a row topic that was made anew thus ask nothing of an operator but to have every worker of the
stage stopped (decisions 0015 and 0023).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.topics import topics
from streams.engine import disk
from streams.engine.stage import StageConfig, StageError
from transport import clients
from transport.clients import ANSWER_SECONDS, Cluster
from transport.lost import Beginning, FoundStage, begin, clock_epoch, rows_since
from transport.notes import Note, note_text, noted_at
from transport.orders import assigned_reader
from transport.topic_ids import MOVING, topic_ids

log = structlog.get_logger()

#: A worker that died is a member until its session ends (10 s).
PATIENCE: Final = 45.0
_IN_USE: Final = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.REBALANCE_IN_PROGRESS}
_PASSING: Final = _IN_USE | MOVING


def changelog_of(group: str) -> str:
    """The changelog of a stage, by its consumer group; ``KeyError`` for a group that has none."""
    for name in topics():
        if name.startswith(f"{group}-") and name.endswith("-changelog"):
            return name
    raise KeyError(group)


def note_of(cluster: Cluster, group: str) -> dict[str, str]:
    """What is noted at the group of a stage; ``KafkaException`` when the broker does not answer."""
    reader, until = assigned_reader(cluster, group), time.monotonic() + ANSWER_SECONDS
    try:
        while True:
            try:
                return _noted(reader, changelog_of(group))
            except KafkaException as error:  # a broker that has just started looks for the coordinator of the group
                if error.args[0].code() not in _PASSING or time.monotonic() > until:
                    raise
            time.sleep(0.2)
    finally:
        reader.close()


def epoch_of(cluster: Cluster, group: str) -> int:
    """The epoch of the versions that a stage gives now; 0 where none is noted (an installation of before epochs)."""
    return int(note_of(cluster, group).get("epoch", 0))


def being_copied(noted: Note, firsts: Mapping[int, int]) -> bool:
    """Whether events still stand in partitions to which they do not belong, after a change of their number (decision
    0028). ``firsts``: partition -> the first offset that is there.
    """
    ends = enumerate(map(int, noted.get("copying", "").split()))
    return any(firsts.get(partition, end) < end for partition, end in ends)


def settle(
    config: StageConfig,
    names: str = "",
    outs: Sequence[str] = (),
    *,
    ordered: int = 0,
    swept: str = "",
    handed: bool = False,
    patience: float = PATIENCE,
) -> Beginning:
    """See that group, log and rows belong together, and note it; the epoch to give versions under.

    ``names``: what the rows are made by. ``outs``: topics whose rows are given out anew when they were made anew.
    ``ordered``: an operator asks for at least this epoch.

    Of a stage whose definitions may be handed over (decision 0022) ``swept`` stands beside an offset when all rows are
    out under those in force. ``handed``: these were handed over, so the last of the ``names`` is not looked at: what is
    out under others goes out anew from the state, and that asks for no stop.

    Raises:
        StageError: another worker of the group runs, or Kafka does not answer. The message says what to do.
    """
    cluster = Cluster(config.bootstrap, config.client)
    reader = Consumer({**cluster.settings(), "group.id": config.name, "enable.auto.commit": False})
    until = time.monotonic() + patience
    try:
        while True:
            try:
                found = _found(reader, config, names, outs, ordered)
                begun = _settled(reader, config, _kept(found) if handed else found, swept)
            except KafkaException as error:
                if error.args[0].code() not in _PASSING or time.monotonic() > until:
                    raise StageError(_sentence(config, error.args[0])) from error
            else:
                disk.forget_former(config.datadir, found.log)
                disk.forget_renewed(config.datadir, found.noted.get("renewed", ""))
                return begun
            time.sleep(0.5)
    finally:
        reader.close()


def _kept(found: FoundStage) -> FoundStage:
    """With the definitions that are noted, where the names before them are the same."""
    noted_names = found.noted.get("names", "")
    same = noted_names.split()[:-1] == found.names.split()[:-1]
    return found._replace(names=noted_names) if same and noted_names else found


def _settled(reader: Consumer, config: StageConfig, found: FoundStage, beside: str) -> Beginning:
    """One attempt; the note and the offsets change together or not at all. Who goes back gives everything out anew, and
    that is noted ``beside`` the offsets.
    """
    if count := found.noted.get("repartition"):
        raise StageError(
            f"{config.source} is being given {count} partitions and the states have not moved yet: "
            f"`sor topics repartition {count}` goes on with it (decision 0028)"
        )
    if found.noted.get("renewing"):
        raise StageError(
            f"pseudonyms of {config.source} are being renewed: `sor keys switch label` goes on with it and says when "
            "this stage may run (decision 0030)"
        )
    decided = begin(found)
    same = found.noted.get("log", found.log) == found.log
    former = {word: said for word, said in found.noted.items() if same or word != "copying"}
    if decided.back:
        _require_copied(reader, config, former, decided.why)
    decided = decided._replace(since=rows_since(found.noted, decided.epoch))
    note = {"names": found.names, "epoch": str(decided.epoch), "since": str(decided.since)}
    note |= {"log": found.log, "outs": found.outs}
    wanted = {**former, **note}
    if wanted == found.noted and not decided.back:
        return decided
    back = [_first(reader, one, beside) for one in _read(reader, config) if one.offset > 0] if decided.back else []
    kept = TopicPartition(config.changelog, 0, 0, note_text(wanted))
    reader.commit(offsets=[kept, *back], asynchronous=False)
    if decided.back:
        log.warning(f"the source is read from its first record: {decided.why}", topic=config.source, **_told(decided))
    return decided


def _require_copied(reader: Consumer, config: StageConfig, noted: Note, why: str) -> None:
    """Who reads a log anew of which events are still being copied makes states of a client in two partitions."""
    if being_copied(noted, {number: _ends(reader, config.source, number)[0] for number in range(config.partitions)}):
        raise StageError(
            f"{config.source} must be read from its first record ({why}), and its events are still being copied to "
            f"other partitions: `sor topics repartition {config.partitions}` ends that; then start again"
        )


def _told(decided: Beginning) -> dict[str, int]:
    return {"epoch": decided.epoch}


def _found(reader: Consumer, config: StageConfig, names: str, outs: Sequence[str], ordered: int) -> FoundStage:
    ids = topic_ids(clients.admin(Cluster(config.bootstrap, config.client)), [config.source, config.changelog, *outs])
    missing = [name for name in (config.source, config.changelog, *outs) if name not in ids]
    if missing:
        raise StageError(f"topic {' and '.join(missing)} does not exist: run `sor topics apply`")
    read = [one for one in _read(reader, config) if one.offset > max(0, _first(reader, one, "").offset)]
    since = disk.ahead_since(config.datadir)
    return FoundStage(
        noted=_noted(reader, config.changelog),
        log=ids[config.source],
        outs=" ".join(ids[name] for name in outs),
        names=names,
        read=bool(read),
        clock=clock_epoch(time.time()),
        beyond=any(one.offset > _ends(reader, config.source, one.partition)[1] for one in read),
        stateless=any(_nothing(reader, config.changelog, one.partition) for one in read),
        ahead=clock_epoch(since) if since is not None else 0,
        ordered=ordered,
    )


def _noted(reader: Consumer, changelog: str) -> dict[str, str]:
    (note,) = reader.committed([TopicPartition(changelog, 0)], timeout=ANSWER_SECONDS)
    return noted_at(note)


def _read(reader: Consumer, config: StageConfig) -> list[TopicPartition]:
    asked = [TopicPartition(config.source, partition) for partition in range(config.partitions)]
    return list(reader.committed(asked, timeout=ANSWER_SECONDS))


def _ends(reader: Consumer, topic: str, partition: int) -> tuple[int, int]:
    first, end = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
    return first, end


def _nothing(reader: Consumer, topic: str, partition: int) -> bool:
    first, end = _ends(reader, topic, partition)
    return first == end


def _first(reader: Consumer, part: TopicPartition, beside: str) -> TopicPartition:
    return TopicPartition(part.topic, part.partition, _ends(reader, part.topic, part.partition)[0], beside)


def _sentence(config: StageConfig, error: KafkaError) -> str:
    if error.code() in _IN_USE:
        return (
            f"the rows of {config.name} have other names or definitions, or another log, and another worker of it is "
            "running: stop every worker, then start one again (decisions 0015 and 0023)"
        )
    return f"cannot ask Kafka at {config.bootstrap} what is noted of {config.name}: {error.name()}"
