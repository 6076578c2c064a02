"""Who runs the broker reads every byte and may write every topic; an operator writes orders. Neither holds a key."""

from __future__ import annotations

import os

import pytest

from crypto import oprf
from local.kafka.security import ADMIN
from schemas.orders import RELEASE, REQUEUE, SKIP, Order
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, ORDERS, topics
from schemas.typed import StructCodec
from tests.attack.attacks import Sent, altered, looks, recorded, told_of, unsigned, with_element
from tests.attack.guesses import RANGE, point
from tests.attack.world import A, B, World

pytestmark = pytest.mark.kafka


def test_the_administrator_names_nobody_in_all_that_it_reads(world: World) -> None:
    assert looks(world.administrator()) == set()


def test_the_administrator_has_no_guess_evaluated(world: World) -> None:
    """Every official number, as a delivery of a provider."""
    party = world.administrator()
    made = unsigned(party, B, told_of(RANGE))
    with world.nothing_happens():
        assert party.writes(made) == len(RANGE)


def test_copied_and_altered_envelopes_go_nowhere(world: World) -> None:
    party = world.administrator()
    tapped = recorded(party.reads([IN_TOPIC["score"]]), B)[:5]
    with world.nothing_happens():
        for topic in set(IN_TOPIC.values()) - {IN_TOPIC["score"]}:
            party.writes([(topic, key, value) for _, key, value in tapped])
        party.writes(altered(tapped, published_at=lambda at: at + 60_000))
        party.writes(altered(tapped, sender=A))
        party.writes(altered(tapped, epoch=1))


def test_an_element_of_its_own_gives_no_name_of_a_child(world: World) -> None:
    """What entry takes off is the blinding of another: what is left is the point of nobody."""
    party = world.administrator()
    seen, known = party.reads([EVALUATED, EVENTS]), world.pseudonyms()
    before = {key for key, _ in seen[EVENTS]}
    party.writes(with_element(seen, B, [oprf.multiply(oprf.random_scalar(), point(bsn)) for bsn in RANGE[:40]]))
    world.settle()
    made = {key for key, _ in party.reads([EVENTS])[EVENTS]} - before
    assert made, "entry cannot know"
    assert {known[key] for key in made if key in known} == set()


def test_an_element_that_is_none_becomes_a_dead_letter(world: World) -> None:
    party = world.administrator()
    seen = party.reads([EVALUATED])
    with world.nobody_else_is_touched():
        party.writes(with_element(seen, B, [oprf.IDENTITY, bytes(31), bytes(33), b"\xff" * 32]))


# --- the operator -----------------------------------------------------------------------------------------------------


def test_an_operator_reads_nothing_and_writes_orders(world: World) -> None:
    party = world.party("operator")
    assert party.reads() == {}
    for name in topics():
        if name != ORDERS:
            assert party.writes([(name, b"key", b"value")]) == 0, name


def _orders(world: World) -> Sent:
    """Coordinates of every topic for every stage: of its own, of others, and of none."""
    encode, made = StructCodec(Order).encode, Sent()
    ends = world.ends([name for name in topics() if name != ORDERS])
    for stage in ("evaluate", "entry", "register", "trajectories", "deliveries", "sink", "takeback", "nobody"):
        for action in (REQUEUE, RELEASE) if stage in ("evaluate", "entry") else (REQUEUE, RELEASE, SKIP):
            for topic, end in [*ends.items(), ("__consumer_offsets", 3), ("theirs", 0), ("", -1)]:
                for partition, offset in ((0, 0), (0, end - 1), (0, end + 5), (-1, -1), (2**31 - 1, 2**62)):
                    order = Order(
                        action=action, stage=stage, topic=topic, partition=partition, offset=offset, source=B,
                        reason="", by="", at=0,
                    )  # fmt: skip
                    made.append((ORDERS, order.key, encode(order)))
    return made


def test_forged_orders_change_nothing_of_anybody(world: World) -> None:
    """A record that is read again is what it was: it changes nothing a second time."""
    party = world.party("operator")
    made = _orders(world)
    with world.nobody_else_is_touched():
        assert party.writes(made) == len(made)
        world.orders_heard()


@pytest.mark.parametrize("value", [None, b"", b"\x00" * 5, os.urandom(300), b"\x00" * 900_000], ids=range(5))
def test_what_is_no_order_is_passed_over(world: World, value: bytes | None) -> None:
    with world.nobody_else_is_touched():
        assert world.party("operator").writes([(ORDERS, os.urandom(16), value)]) == 1
        world.orders_heard()


def test_nobody_but_the_operator_orders(world: World) -> None:
    others = {name for topic in topics().values() for name in (*topic.read, *topic.write)} - {"operator", ADMIN}
    assert {name for name in others if world.party(name).writes([(ORDERS, b"key", b"value")])} == set()
