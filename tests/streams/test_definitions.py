"""Which definitions are in force for a stage: what was said, in its order; what is damaged; holds that lapse."""

from __future__ import annotations

import pytest
from confluent_kafka import Message
from structlog.testing import capture_logs

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from domain.field.definitions import SHIPPED, Definitions, identified
from schemas.handed import DROP, GO, HOLD, Handed, pack
from schemas.topics import DEFINITIONS
from schemas.typed import StructCodec
from streams import epochs
from streams.definitions import LONGEST_HOLD, ChangingTrajectories, DefinitionsLog, Said, Word
from streams.engine.handing import Standing
from streams.trajectories import Trajectories
from transport.clients import Cluster
from transport.lost import FoundStage

WIDE = identified(SHIPPED._replace(version=9, chain_days=1000))
NARROW = identified(SHIPPED._replace(version=10, chain_days=1))
NOWHERE = Cluster("127.0.0.1:1")


def said(phase: str, hand_over: str, definitions: Definitions = WIDE, deadline: int = 60_000) -> Handed:
    document = b"" if phase == DROP else pack(definitions)
    return Handed(
        phase=phase, hand_over=hand_over, id=definitions.id, version=definitions.version, document=document,
        deadline=deadline, by="me", at=0,
    )  # fmt: skip


def message(value: bytes, at: int = 0) -> Message:
    return Message(topic=DEFINITIONS, partition=0, offset=at, value=value, timestamp=(1, at))


def told(*words: Handed) -> Said:
    """What these come to, each said a second after the one before."""
    found = Said()
    for at, word in enumerate(words):
        found.tell(Word(word, None if word.phase == DROP else WIDE if word.id == WIDE.id else NARROW, 1000 * at))
    return found


@pytest.mark.parametrize(
    ("words", "in_force", "hold"),
    [
        ([], None, None),
        ([said(HOLD, "a")], None, "a"),
        ([said(HOLD, "a"), said(GO, "a")], WIDE, None),
        ([said(HOLD, "a"), said(DROP, "a")], None, None),
        ([said(HOLD, "a"), said(GO, "a"), said(DROP, "a")], WIDE, None),
        ([said(GO, "a"), said(HOLD, "b", NARROW)], WIDE, "b"),
        ([said(GO, "a"), said(HOLD, "b", NARROW), said(DROP, "b", NARROW)], WIDE, None),
        ([said(GO, "a"), said(HOLD, "b", NARROW), said(GO, "b", NARROW)], NARROW, None),
        ([said(HOLD, "a"), said(HOLD, "b", NARROW)], None, "a"),
        ([said(HOLD, "a"), said(HOLD, "b", NARROW), said(DROP, "b", NARROW)], None, "a"),
        ([said(HOLD, "a", deadline=500), said(HOLD, "b", NARROW)], None, "b"),
    ],
)
def test_what_the_words_come_to(words: list[Handed], in_force: Definitions | None, hold: str | None) -> None:
    found = told(*words)
    assert found.in_force == in_force
    assert (found.hold.said.hand_over if found.hold is not None else None) == hold


def test_a_hold_lasts_no_longer_than_a_hold_may() -> None:
    assert Word(said(HOLD, "a", deadline=10**15), WIDE, 5000).lapses == 5000 + 1000 * LONGEST_HOLD
    assert Word(said(HOLD, "a", deadline=9000), WIDE, 5000).lapses == 9000


class Spoken(DefinitionsLog):
    """The topic, played: what is heard now, and what stands behind it for who reads to the end."""

    def __init__(self, *now: bytes, behind: tuple[bytes, ...] = ()) -> None:
        super().__init__(NOWHERE)
        self.now, self.behind, self.reads = list(now), list(behind), 0

    def news(self, seconds: float) -> Said:
        del seconds
        while self.now:
            self._take([message(self.now.pop(0))])
        return self.said

    def read(self) -> Said:
        self.reads += 1
        self.now, self.behind = self.behind, []
        return self.news(0)


ENCODE = StructCodec(Handed).encode


def changing(spoken: Spoken, now: float = 0.0) -> ChangingTrajectories:
    names = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
    return ChangingTrajectories(spoken, Trajectories(names), SHIPPED, lambda: now)


def test_what_was_handed_over_is_above_the_settings() -> None:
    before, after = changing(Spoken()), changing(Spoken(ENCODE(said(GO, "a"))))
    assert (before.look(), before.handed) == (Standing(SHIPPED.id), False)
    assert (after.look(), after.handed) == (Standing(WIDE.id), True)
    assert after.in_force == WIDE


@pytest.mark.parametrize(
    "damaged",
    [b"", b"nonsense", ENCODE(said(GO, "b"))[:-4], ENCODE(said("stop", "b")), ENCODE(said(HOLD, "b"))[:40]],
)
def test_what_is_damaged_stops_nobody(damaged: bytes) -> None:
    with capture_logs() as logged:
        stage = changing(Spoken(ENCODE(said(GO, "a")), damaged))
        assert stage.look() == Standing(WIDE.id)
    assert [line["log_level"] for line in logged] == ["error"]


def test_a_hold_of_definitions_that_nobody_can_read_is_not_held() -> None:
    """So who hands over waits in vain and gives up, while the stream flows."""
    unknown = Handed(
        phase=HOLD, hand_over="a", id=WIDE.id, version=9, document=b"of a later release", deadline=60_000, by="me", at=0
    )
    assert changing(Spoken(ENCODE(unknown))).look() == Standing(SHIPPED.id)


def test_a_hold_lapses_only_when_nothing_ended_it_before() -> None:
    hold, go = ENCODE(said(HOLD, "a")), ENCODE(said(GO, "a"))
    early = changing(Spoken(hold), 59.0)
    assert early.look() == Standing(SHIPPED.id, "a")
    lapsed = Spoken(hold)
    assert changing(lapsed, 61.0).look() == Standing(SHIPPED.id)
    assert lapsed.reads == 1
    assert changing(Spoken(hold, behind=(go,)), 61.0).look() == Standing(WIDE.id)


@pytest.mark.parametrize(
    ("noted", "names"),
    [
        ({"names": "keys old"}, "keys old"),
        ({"names": "others old"}, "keys new"),
        ({"names": ""}, "keys new"),
        ({}, "keys new"),
    ],
)
def test_definitions_that_were_handed_over_take_nobody_back_to_the_first_record(
    noted: dict[str, str], names: str
) -> None:
    found = FoundStage(noted=noted, log="l", outs="o", names="keys new", read=True, clock=1)
    assert epochs._kept(found).names == names
