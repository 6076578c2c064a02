"""The largest client, the largest row: what senders can make of them at worst stays under what a stage takes."""

from __future__ import annotations

from time import perf_counter

import msgspec
import pytest

from domain.care.caps import CAPS, FULL_FOR, MOST_PROVIDERS
from domain.care.fold import MOST_GONE, MOST_REMARKS, Folded, Person, fold
from domain.care.remarks import pack
from domain.care.rows import RowKey
from domain.facts.fact_set import FactSet, add
from domain.facts.identity import WaitKey
from streams.engine.stage import RECORD_LIMIT
from tests.build import CLIENT
from tests.domain.worst import delivery, taken_back, told

#: Facts of each kind by each provider: over every cap for so many providers.
FLOODS = (
    (FULL_FOR, max(cap.most for cap in CAPS.values()) + 50),
    (MOST_PROVIDERS, max(cap.least for cap in CAPS.values()) + 40),
)
#: Records of one batch at most (``StageConfig.max_poll_records``).
BATCH = 1_800


def remember_most(person: Person) -> None:
    """What is gone as much as a state may remember it: every row was another before the last fold, every record waited
    for another or broke another rule, and as many are gone for longer.
    """
    for number in range(MOST_GONE + len(person.out)):
        person.out[RowKey(0, "00000000", "1000", 2100, number.to_bytes(8, "big"))] = b""
    for number in range(MOST_GONE + len(person.wacht)):
        person.wacht[WaitKey.pack(1, delivery(number), number)] = ""
    for number in range(MOST_REMARKS + len(person.remarks)):
        person.remarks[pack("stop", bytes.fromhex(delivery(number)), number, "TR415")] = False


@pytest.fixture(scope="module", params=FLOODS, ids=["at full caps", "all providers"])
def worst(request: pytest.FixtureRequest) -> tuple[Person, Folded, float]:
    """The state, what the fold gave out, and how long a fold takes that finds nothing new."""
    providers, each = request.param
    person = Person()
    for event in told(providers, each):
        add(person.facts, event)
    for event in taken_back(CAPS["terug"].most + 10):
        add(person.facts, event)
    folded = fold(CLIENT, person, [], 1, 1)
    began = perf_counter()
    fold(CLIENT, person, [], 2, 2)
    spent = perf_counter() - began
    person.refused = folded.refused[:BATCH]
    remember_most(person)
    return person, folded, spent


def test_every_kind_is_at_its_cap(worst: tuple[Person, Folded, float]) -> None:
    facts = worst[0].facts
    for kind, cap in CAPS.items():
        acts = getattr(facts, kind)
        held = sum(len(inner) if isinstance(inner, dict) else 1 for inner in acts.values())
        wanted = {FULL_FOR * cap.most, MOST_PROVIDERS * max(cap.least, cap.most * FULL_FOR // MOST_PROVIDERS)}
        assert held == cap.most if kind == "terug" else held in wanted, kind
    assert max(len(act.earlier) for act in facts.toewijzingen.values()) > 1
    assert FactSet.__struct_fields__ == tuple(CAPS)


def test_the_worst_state_of_a_client_fits_with_room_to_spare(worst: tuple[Person, Folded, float]) -> None:
    size = len(msgspec.msgpack.encode(worst[0])) + len(CLIENT)
    assert 1_000_000 < size < RECORD_LIMIT - 300_000
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(worst[0]), type=Person) == worst[0]


def test_the_worst_client_does_not_hold_up_a_batch(worst: tuple[Person, Folded, float]) -> None:
    """A rebalance waits twenty seconds for a batch."""
    assert worst[2] < 10


def test_no_row_is_large(worst: tuple[Person, Folded, float]) -> None:
    rows = [row for _, row in worst[1].issued if row is not None]
    assert len(rows) > 1_000
    assert max(len(msgspec.msgpack.encode(row)) for row in rows) < 10_000
