"""A sender floods one client: the stage goes on, others' rows come, and the receipt says what was refused."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from domain.care.caps import CAPS
from domain.care.rows import T_METING, T_TRAJECT, MetingRow, RowKey, TrajectRow
from domain.facts.answer import Line
from domain.facts.fact import Event
from domain.field.questionnaires import QUESTIONS
from domain.field.rules import FULL, RULES
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.rows import row_to_record
from schemas.topics import EVENTS, LINES, METINGEN, RECEIPTS, SCORES, TRAJECTEN
from schemas.typed import StructCodec
from streams.deliveries import Deliveries
from streams.engine.stage import RECORD_LIMIT, Fold, Out, StageConfig
from streams.engine.step import Step
from streams.trajectories import TOPICS, Trajectories
from tests.build import AGB, CLIENT, DELIVERY, OTHER, event, score, start
from tests.chaos.batch_stage import Stage
from tests.streams.test_trajectories import NAMES

FLOOD = 9_000
KEPT = CAPS["scores"].most
CHILD = b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"
_EVENTS = Codec(EVENTS)


class Fetched(NamedTuple):
    """A record as the consumer gives it."""

    key: bytes
    value: bytes
    offset: int
    timestamp: int = 0


class Broker:
    """Store, producer and group of one stage, in memory; what was produced lies in ``out``."""

    offset_key = b"__offset__"

    def __init__(self) -> None:
        self.states: dict[bytes, bytes | None] = {}
        self.out: list[Out] = []

    def get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:  # noqa: ARG002
        return [self.states.get(key) for key in keys]

    def put(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None:  # noqa: ARG002
        self.states.update(states)

    def produce(self, topic: str, value: bytes | None = None, key: bytes | None = None, **options: Any) -> None:
        self.out.append(Out(topic, key or b"", value))
        options["on_delivery"](None, self)

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return len(self.out)

    def poll(self, timeout: float) -> int:  # noqa: ARG002
        return 0

    async def commit(self, positions: Mapping[int, int]) -> bool:  # noqa: ARG002
        return True

    async def run(self, fold: Fold, log: Sequence[tuple[bytes, bytes]]) -> list[Out]:
        """Every record through the step of a stage, in batches as the consumer makes them."""
        config = StageConfig(
            "st", "in", "facts", 1, "nowhere:1", Path("unused"), "w0", record_limit=RECORD_LIMIT
        )  # fmt: skip
        step = Step(config, fold, self, self, lambda: None)
        fetched = [Fetched(key, value, offset) for offset, (key, value) in enumerate(log)]
        for first in range(0, len(fetched), config.max_poll_records):
            await step.deliver(await step.fold({0: fetched[first : first + config.max_poll_records]}), self.commit)
        return [out for out in self.out if out.topic != config.changelog]


def of_flood(line: int) -> Event:
    return event(score(b"%08d" % line), line=line)


def flood() -> list[tuple[bytes, bytes]]:
    """The log: one delivery of 9,000 scores of one client, and in the midst of it the start of another client."""
    log = [(CLIENT, of_flood(line)) for line in range(1, FLOOD + 1)]
    log.insert(1, (CLIENT, event(start(), aanbieder=AGB)))
    log.insert(FLOOD // 2, (CHILD, event(start(), aanbieder=OTHER)))
    return [(key, _EVENTS.encode(event_to_record(told))) for key, told in log]


def entered() -> list[tuple[bytes, bytes]]:
    """The lines of entry, which accepted every record of the flood."""
    line = Line(
        delivery="the id of its source", line=0, lines=FLOOD, kind="score", sender=AGB, test=False, published_at=1,
        regel=1, regels=1, uitkomst="geaccepteerd", code="", veld="",
    )  # fmt: skip
    encode = StructCodec(Line, None).encode
    return [(DELIVERY.encode(), encode(msgspec.structs.replace(line, line=number))) for number in range(1, FLOOD + 1)]


def trajecten(outs: Sequence[Out]) -> dict[str, Any]:
    """The last row of the traject of each provider."""
    found = (Codec(TRAJECTEN).decode(out.value) for out in outs if out.topic == TRAJECTEN and out.value)
    return {row["aanbieder"]: row for row in found}


async def test_a_flood_stops_nobody_and_the_receipt_says_what_was_refused() -> None:
    outs = await Broker().run(Trajectories(NAMES), flood())
    rows = trajecten(outs)
    assert FULL in rows[AGB]["vlaggen"]
    assert FULL not in rows[OTHER]["vlaggen"]
    told = [(out.key, out.value or b"") for out in outs if out.topic == LINES]
    for lines in ([*entered(), *told], [*told, *entered()]):  # what the one says may come before the other
        receipts = await Broker().run(Deliveries(), lines)
        receipt = Codec(RECEIPTS).decode(receipts[-1].value or b"")
        assert (receipt["gezien"], receipt["klaar"], receipt["ingetrokken"]) == (FLOOD, True, FLOOD - KEPT)
        assert receipt["codes"] == {"K07": FLOOD - KEPT}
        assert sum(receipt["wacht"].values()) == KEPT, "what is kept waits for its assignment, and nothing else does"


async def test_a_flood_told_twice_changes_nothing() -> None:
    once, twice = Broker(), Broker()
    first = await once.run(Trajectories(NAMES), flood())
    second = await twice.run(Trajectories(NAMES), [*flood(), *flood()])
    decode = StructCodec(Line, None).decode

    def refused(outs: Sequence[Out]) -> set[int]:
        lines = (decode(out.value) for out in outs if out.topic == LINES and out.value)
        return {line.line for line in lines if line.code == "K07"}

    assert refused(first) == refused(second)
    assert len(refused(first)) == FLOOD - KEPT
    assert trajecten(first)[AGB]["scores"] == trajecten(second)[AGB]["scores"]


def test_the_largest_row_is_small() -> None:
    """Every part of a row is one of a closed list, or as many as a century has years."""
    answers = {code: question.highest for code, question in QUESTIONS.items()}
    row = TrajectRow(
        vlaggen=sorted(RULES), gas={f"{doel}{who}": 2 for doel in range(1, 11) for who in "OCB"},
        metingen_jaren=list(range(1900, 2101)), wacht=dict.fromkeys(("toewijzing", "start", "levering"), 47_846),
        code="\U0001f600" * 5, cluster="c" * 40, categorie="45",
    )  # fmt: skip
    for table, made in ((T_TRAJECT, row), (T_METING, MetingRow(antwoorden=answers, informant="Pleegouder"))):
        key = RowKey(table, AGB, "0363", 2026, b"12345678")
        record = row_to_record(key, made, "n" * 22, emmer=1023, version=2**62, newest=2**42)
        assert len(Codec(TOPICS[table]).encode(record)) < 3_000


# --- on the real broker ---------------------------------------------------------------------------------------------


@pytest.fixture
def stage(broker: Any, tmp_path: Path) -> Any:
    """A stage of its own, not started."""
    made = Stage(broker.bootstrap, tmp_path, partitions=1)
    yield made
    made.stop()


def read(stage: Stage, topic: str) -> list[Out]:
    """Every record of a topic of one partition."""
    consumer = Consumer({"bootstrap.servers": stage.bootstrap, "group.id": "reader"})
    part = TopicPartition(topic, 0, 0)
    end, found = consumer.get_watermark_offsets(part, timeout=10)[1], []
    consumer.assign([part])
    while len(found) < end:
        found += [Out(message.topic(), message.key(), message.value()) for message in consumer.consume(1000, 0.2)]
    consumer.close()
    return found


@pytest.mark.kafka
def test_others_rows_arrive_while_one_sender_floods(stage: Stage) -> None:
    for topic in (TRAJECTEN, METINGEN, SCORES, LINES):
        stage.create(f"{stage.name}.{topic}")
    producer = Producer({"bootstrap.servers": stage.bootstrap})
    for number, (key, value) in enumerate(flood()):
        producer.produce(stage.source, value, key)
        if number % 5_000 == 0:
            producer.flush(30)
    assert producer.flush(30) == 0
    worker = stage.start(fault={"trajectories": True}, max_poll_records=1_000)
    stage.finish(worker)
    outs = [out._replace(topic=TRAJECTEN) for out in read(stage, f"{stage.name}.{TRAJECTEN}")]
    rows = trajecten(outs)
    assert FULL in rows[AGB]["vlaggen"]
    assert FULL not in rows[OTHER]["vlaggen"]
    decode = StructCodec(Line, None).decode
    lines = [decode(out.value) for out in read(stage, f"{stage.name}.{LINES}") if out.value]
    assert len({line.line for line in lines if line.code == "K07"}) == FLOOD - KEPT
    assert "more facts than are kept" in worker.log()


@pytest.mark.kafka
def test_states_up_to_the_limit_are_kept_and_restored(stage: Stage) -> None:
    """Producer, topic, changelog and the consumer that restores it all take what the stage lets through."""
    stage.set_limit(stage.changelog, 4_194_304)
    large = {"fault": {"pad": RECORD_LIMIT - 100}, "record_limit": RECORD_LIMIT}
    stage.load(40, keys=4)
    stage.finish(stage.start(**large), 120)  # type: ignore[arg-type]
    shutil.rmtree(stage.home / stage.name / "w0" / "state")
    stage.load(40, keys=4)
    worker = stage.start(**large)  # type: ignore[arg-type]
    stage.finish(worker, 120)
    assert "4 changelog records applied" in worker.log()
    stage.verify()
