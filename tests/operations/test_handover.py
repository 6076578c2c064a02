"""Handing definitions over: what is waited for, what ends it, and that nobody goes on when too little time is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import pytest
from confluent_kafka import KafkaError, KafkaException

from domain.field.definitions import SHIPPED, identified
from operations.replay.desk import At, Desk, Place
from operations.replay.handover import HELD_LIMIT, HOLD_SECONDS, REMAINDER, HandOver, HandOverError, TooLate
from schemas.handed import DROP, GO, HOLD, Handed, pack, unpack
from schemas.topics import TRAJECTEN, groups
from streams.definitions import DefinitionsLog, Said, Word
from tests.secured import SecuredBroker
from transport.notes import note_text
from transport.publisher import NotDelivered

WIDE = identified(SHIPPED._replace(version=9, chain_days=1000))
PARTITIONS = (0, 1)


class World:
    """A broker with a stage of two partitions, which answers a hold when it is next asked where it stands."""

    def __init__(self) -> None:
        self.now, self.words, self.heard = 1000.0, list[Handed](), Said()
        self.stands = {number: At(10 * number, "") for number in PARTITIONS}
        self.answers: Collection[int] = PARTITIONS
        self.sink = 5
        self.lost: Callable[[Handed], bool] = lambda _word: False
        self.arrives = True
        self.silent = False

    def said(self) -> Said:
        if self.silent:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return self.heard

    def say(self, word: Handed, seconds: float) -> None:  # noqa: ARG002
        lost = self.lost(word)
        if not lost or self.arrives:
            self.words.append(word)
            definitions = None if word.phase == DROP else unpack(word.document)
            self.heard.tell(Word(word, definitions, int(1000 * self.now)))
            held = word.phase == HOLD
            for number in self.answers if held or word.phase == GO else ():
                self.stands[number] = At(
                    self.stands[number].offset, note_text({"held": word.hand_over}) if held else ""
                )
        if lost:
            raise NotDelivered("no answer from the broker")

    def partitions(self, topics: Collection[str]) -> list[Place]:
        return [(topic, number) for topic in topics for number in PARTITIONS]

    def standing(self, group: str, places: Collection[Place]) -> dict[Place, At]:
        if group == groups()["sink"]:
            self.sink += 1
            return {place: At(self.sink, "") for place in places}
        return {place: self.stands[place[1]] for place in places}

    def ends(self, places: Collection[Place]) -> dict[Place, tuple[int, int]]:
        return {place: (0, 8 if place[0] == TRAJECTEN else 0) for place in places}

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def phases(self) -> list[str]:
        return [word.phase for word in self.words]


@pytest.fixture
def world() -> World:
    return World()


def over(world: World) -> HandOver:
    return HandOver(world, WIDE, clock=lambda: world.now, sleep=world.sleep)


def test_hold_drain_go(world: World) -> None:
    with over(world) as one:
        assert one.hold() == {0: 0, 1: 10}
        assert one.remaining == HOLD_SECONDS
        one.drained()
        assert world.sink == 8
        one.check()
        one.go()
    assert world.phases == [HOLD, GO, DROP]
    assert world.heard.in_force == WIDE
    assert {word.hand_over for word in world.words} == {one.id}


def test_a_partition_that_does_not_stand_still_ends_it(world: World) -> None:
    world.answers = [0]
    with over(world) as one, pytest.raises(HandOverError, match=r"partitions 1 of sor\.events do not stand still"):
        one.hold()
    assert world.phases == [HOLD, DROP]
    assert HELD_LIMIT <= world.now - 1000 < HELD_LIMIT + 1


def test_who_leaves_without_a_go_drops_the_hold(world: World) -> None:
    with over(world) as one:
        one.hold()
    assert world.phases == [HOLD, DROP]


def test_two_do_not_hand_over_at_once(world: World) -> None:
    with over(world) as one:
        one.hold()
        with over(world) as second, pytest.raises(HandOverError, match="is handing over other definitions: wait"):
            second.hold()
        assert world.phases == [HOLD]
        world.now += HOLD_SECONDS + 1
        with over(world) as third:
            third.hold()


def test_of_two_that_begin_at_once_the_first_word_counts(world: World) -> None:
    other = over(world)

    class Slow(World):
        """The other one speaks just before us."""

        def say(self, word: Handed, seconds: float) -> None:
            if not world.words:
                other.hold()
            world.say(word, seconds)

    slow = Slow()
    slow.heard = world.heard
    mine = HandOver(slow, WIDE, clock=lambda: world.now, sleep=world.sleep)
    with mine, pytest.raises(HandOverError, match="is handing over other definitions"):
        mine.hold()
    assert world.heard.hold is not None
    assert world.heard.hold.said.hand_over == other.id


@pytest.mark.parametrize("step", ["check", "go", "drained"])
def test_nobody_goes_on_when_too_little_is_left(world: World, step: str) -> None:
    with over(world) as one:
        one.hold()
        world.now += HOLD_SECONDS - REMAINDER + 1
        world.sink = -1000
        with pytest.raises(TooLate):
            getattr(one, step)()
    assert world.heard.in_force is None
    assert world.phases == [HOLD, DROP]


@pytest.mark.parametrize(
    "now", [At(11, ""), At(10, note_text({"held": "another"})), At(11, note_text({"held": "{id}"}))]
)
def test_a_partition_that_moved_meanwhile_ends_it(world: World, now: At) -> None:
    with over(world) as one:
        one.hold()
        world.stands[1] = At(now.offset, now.note.replace("{id}", one.id))
        for step in (one.check, one.go):
            with pytest.raises(HandOverError, match=r"partitions 1 of sor\.events moved during the hold"):
                step()
    assert world.heard.in_force is None


def test_without_a_hold_nothing_goes(world: World) -> None:
    with pytest.raises(HandOverError, match="there is no hold"):
        over(world).go()
    assert world.words == []


def test_a_go_of_which_no_answer_came_counts_when_it_stands_there(world: World) -> None:
    world.lost = lambda word: word.phase == GO
    with over(world) as one:
        one.hold()
        one.go()
    assert world.heard.in_force == WIDE
    assert world.phases == [HOLD, GO, DROP, DROP]


def test_what_fails_after_the_go_does_not_take_it_back(world: World) -> None:
    """Whoever exchanged tables would exchange them back."""
    with over(world) as one:
        one.hold()
        world.lost, world.arrives = (lambda word: word.phase == DROP), False
        assert not one.went
        one.go()
        assert one.went
    assert world.heard.in_force == WIDE
    assert world.phases == [HOLD, GO]


def test_a_go_that_did_not_arrive_is_no_go(world: World) -> None:
    world.lost, world.arrives = (lambda word: word.phase == GO), False
    with over(world) as one:
        one.hold()
        with pytest.raises(HandOverError, match="Kafka did not take the word"):
            one.go()
        assert not one.went
    assert world.heard.in_force is None
    assert world.phases == [HOLD, DROP]


def test_what_cannot_be_known_is_said(world: World) -> None:
    with over(world) as one:
        one.hold()
        world.lost, world.silent = (lambda word: word.phase == GO), True
        with pytest.raises(HandOverError, match="it is not known whether"):
            one.go()


@pytest.mark.kafka
def test_the_rights_suffice(secured: SecuredBroker) -> None:
    """Who hands over writes one topic and sees two groups; the stage reads what is said under its own name."""
    desk = Desk(secured.cluster("replay"))
    spoken = DefinitionsLog(secured.cluster("trajectories"))
    try:
        assert spoken.read().hold is None
        one = HandOver(desk, WIDE, seconds=REMAINDER, clock=time.time)
        with pytest.raises(HandOverError, match="do not stand still"):  # nobody is up
            one.hold()
        with pytest.raises(NotDelivered):
            Desk(secured.cluster("trajectories")).say(Handed(
                phase=GO, hand_over="a", id=WIDE.id, version=9, document=pack(WIDE), deadline=0, by="me", at=0
            ), 10)  # fmt: skip
        places = desk.partitions([TRAJECTEN])
        assert set(desk.standing(groups()["sink"], places)) == set(desk.ends(places)) == set(places)
        assert spoken.read().in_force is None
    finally:
        desk.close()
        spoken.close()
