"""For each bound a record just above it, from one sender, while another's delivery flows to its row within seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.delivery.sealed import SealedDelivery
from connectors.formats.model import FileRecord
from crypto import keys
from domain.care.caps import CAPS
from domain.facts.delivery import MOST_LINES
from schemas.form import ENVELOPE_BYTES
from schemas.topics import EVALUATED, IN_TOPIC, SCORES
from streams.poison import LEAST
from tests.attack.attacks import Sent, altered, told_of, with_element
from tests.attack.parties import Party
from tests.attack.world import B, World
from tests.build import bericht_retour, score, start

pytestmark = pytest.mark.kafka
#: The sender that goes wrong; it has a certificate, and no other test needs it.
WRONG = "11111111"
_TOPIC = IN_TOPIC["score"]
_SECONDS = 30


@pytest.fixture(scope="module")
def wrong(world: World) -> Party:
    """A source that goes wrong."""
    world.sources[WRONG] = world.source(WRONG, {WRONG}, "*")
    return world.party(world.delivering(), source=WRONG)


def good(party: Party, count: int = 3) -> Sent:
    """Records of its own without a fault."""
    return party.delivery("score", WRONG, told_of(["999900006"] * count))


def _noise(party: Party) -> Sent:
    return [(_TOPIC, os.urandom(8), os.urandom(size)) for size in (1, 5, 6, 100, 5000)]


def _nothing(party: Party) -> Sent:
    return [(_TOPIC, b"key", None), (_TOPIC, b"key", b""), (_TOPIC, None, b"\x00" * 5)]  # type: ignore[list-item]


def _zeros(party: Party) -> Sent:
    """The broker bounds what is compressed: six megabytes of zeros come through."""
    return [(_TOPIC, b"key", bytes(size)) for size in (3_900_000, 6_000_000)]


def _a_byte_too_many(party: Party) -> Sent:
    made = altered(good(party, 1), entry_sealed=bytes(ENVELOPE_BYTES))
    return [(topic, key, value[: ENVELOPE_BYTES + 1]) for topic, key, value in made]


def _a_large_envelope(party: Party) -> Sent:
    return altered(good(party), entry_sealed=bytes(ENVELOPE_BYTES))


def _a_huge_key(party: Party) -> Sent:
    return [(topic, os.urandom(900_000), value) for topic, _, value in good(party)]


def _another_suite(party: Party) -> Sent:
    return altered(good(party), suite="sor-9")


def _a_line_too_many(party: Party) -> Sent:
    return party.delivery("score", WRONG, told_of(["999900006"]), lines=MOST_LINES + 1)


def _the_most_lines(party: Party) -> Sent:
    return party.delivery("score", WRONG, told_of(["999900006"]), lines=MOST_LINES)


def _a_certificate_too_large(party: Party) -> Sent:
    return altered(good(party), certificate=bytes(5000))


def _a_line_beyond_its_delivery(party: Party) -> Sent:
    return altered(good(party), line=2**31 - 1)


FORMS: dict[str, Callable[[Party], Sent]] = {
    name.removeprefix("_").replace("_", " "): made
    for name, made in dict(globals()).items()
    if name.startswith("_") and getattr(made, "__annotations__", {}).get("return") == "Sent"
}


def others_flow(world: World, seconds: float = _SECONDS) -> None:
    """A record of another provider is in its row within so many seconds, and every stage runs."""
    client, began = world.strangers[-1], time.monotonic()
    before = sum(row["aanbieder"] == B for row in world.latest(SCORES).values())
    number = os.urandom(4).hex().encode()
    delivery = world.deliver(B, "score", [(client, score(number))])
    while not world.receipts_of(B).get(delivery, {}).get("klaar"):
        world.stages.alive()
        assert time.monotonic() - began < seconds
    world.settle()
    assert sum(row["aanbieder"] == B for row in world.latest(SCORES).values()) == before + 1


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_a_record_beyond_a_bound_stops_nobody(world: World, wrong: Party, make: Callable[[Party], Sent]) -> None:
    made = make(wrong)
    assert wrong.writes(made, **{"message.max.bytes": 8_000_000}) == len(made)
    others_flow(world)


@pytest.mark.parametrize("change", ["element", "everything"])
def test_entry_passes_over_what_evaluate_never_made(world: World, change: str) -> None:
    """Written where only evaluate writes, as a fault of it would."""
    party = world.party("evaluate", "evaluate")
    if change == "element":
        bad = [bytes(ENVELOPE_BYTES), b"\x01", bytes(32), os.urandom(33)]
        made = with_element(world.reads(EVALUATED), B, bad)
    else:
        values = (None, b"", bytes(3_900_000), os.urandom(500))
        made = [(EVALUATED, b"key", value) for value in values]  # type: ignore[misc]
    assert party.writes(made) == len(made)
    others_flow(world)


def test_old_public_keys_set_one_source_aside(world: World, wrong: Party, tmp_path: Path) -> None:
    """It sends more than the guard counts, sealed to keys that nobody holds any more; an operator may release it."""
    keys.init(tmp_path / "old")
    name, count = os.urandom(16).hex(), 2 * LEAST
    source = world.source("old-keys", {WRONG}, "score")
    sealed = SealedDelivery(keys.load_public(tmp_path / "old"), source, "score", name, count, WRONG, test=False)
    now = int(time.time() * 1000)
    lines = range(1, count + 1)
    made = [
        (_TOPIC, name.encode(), sealed.envelope(n, FileRecord(n, 1, "999900006", score(b"old")), now)) for n in lines
    ]
    assert wrong.writes(made) == count
    others_flow(world)
    codes = {one["code"] for one in world.letters() if one["source"] == "old-keys"}
    assert codes == {"K01", "K06"}


def test_too_many_facts_of_one_client_are_refused_visibly(world: World, wrong: Party) -> None:
    """Nine thousand scores for one number, as an upload of 200 kB has them."""
    most, count = CAPS["scores"].most, 9_000
    told = [("999900006", score(b"%08d" % n)) for n in range(count)]
    made = wrong.delivery("score", WRONG, told)
    assert wrong.writes(made) == count
    others_flow(world, 90)
    receipt = wrong.receipts()[made[0][1].decode()]
    assert (receipt["klaar"], receipt["geaccepteerd"]) == (True, count)
    assert receipt["codes"].get("K07", 0) >= count - most


def test_too_many_uses_of_one_number_stop_nobody(world: World, wrong: Party) -> None:
    """One message identification over and over: in one delivery of many clients, and in many deliveries."""
    told = [
        (bsn, start(n % 300, b"use%05d" % n, bericht=b"same")) for n, bsn in enumerate(world.strangers[200:399] * 5)
    ]
    made = wrong.delivery("start", WRONG, told)
    for n in range(120):
        made += wrong.delivery("start", WRONG, [("999900006", start(n, b"use", bericht=b"same"))])
        made += wrong.delivery("return", WRONG, [(None, bericht_retour("start", b"same", f"{n:04}"))])  # type: ignore[list-item]
    assert wrong.writes(made) == len(made)
    others_flow(world, 60)
