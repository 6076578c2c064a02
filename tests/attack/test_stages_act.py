"""Each stage acts: with its keys, all that the broker gives it, and everything it may write."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pytest

from crypto import keys, oprf
from crypto.client_names import ClientNames
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, topics
from tests.attack.attacks import (
    looks,
    of_entry,
    of_evaluate,
    opened_by_entry,
    opened_by_evaluate,
    told_of,
    unsigned,
    with_element,
)
from tests.attack.guesses import RANGE, Haystack, keyed, named, parts, point
from tests.attack.world import A, B, World
from tests.secured import PRINCIPALS

pytestmark = pytest.mark.kafka
#: Who holds which private folder.
FOLDERS = {"evaluate": "evaluate", "entry": "entry", "trajectories": "trajectories", "audit": "trajectories"}


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_the_broker_gives_what_is_declared(world: World, principal: str) -> None:
    seen = set(world.party(principal).reads())
    assert seen <= {topic.name for topic in topics().values() if principal in topic.read}
    if seen & {EVENTS, EVALUATED}:
        assert principal not in {name for topic in IN_TOPIC.values() for name in topics()[topic].write}


@pytest.mark.parametrize("principal", [name for name in PRINCIPALS if name not in FOLDERS and name != "operator"])
def test_a_party_without_keys_names_nobody(world: World, principal: str) -> None:
    assert looks(world.party(principal)) == set()


@pytest.mark.parametrize("principal", ["trajectories", "audit"])
def test_the_keys_of_rows_name_nobody(world: World, principal: str) -> None:
    party = world.party(principal, FOLDERS[principal])
    held = keys.load_trajectories(party.keys)
    names = ClientNames(held)

    def spell(bsn: str, of: bytes) -> Iterable[bytes]:
        for told in (bsn.encode(), of, b"p1.jeugd.0." + of[:16]):
            yield from (names.of(told, provider).encode() for provider in (A, B, ""))
            yield names.secret(told)

    assert looks(party, keyed(held.client, held.bucket), spell) == set()


def test_evaluate_names_nobody(world: World) -> None:
    party = world.party("evaluate", "evaluate")
    held, seen = keys.load_evaluate(party.keys), party.reads()
    assert EVENTS not in seen
    opened = opened_by_evaluate(seen, held)
    assert opened
    assert named([*parts(seen), *opened], of_evaluate(held)) == set()


def test_evaluate_makes_no_name_of_a_child(world: World) -> None:
    """It puts products of its guesses in the place of others', and would read no answer."""
    party = world.party("evaluate", "evaluate")
    held, known = keys.load_evaluate(party.keys), world.pseudonyms()
    before = {key for key, _ in world.reads(EVENTS)[EVENTS]}
    products = [oprf.multiply(held.scalar, point(bsn)) for bsn in RANGE[:40]]
    told = with_element(world.reads(EVALUATED), B, products)
    assert party.writes(told) == len(told)
    world.settle()
    made = {key for key, _ in world.reads(EVENTS)[EVENTS]} - before
    assert {known[key] for key in made if key in known} == set()


def test_entry_names_nobody(world: World) -> None:
    party = world.party("entry", "entry")
    held, seen = keys.load_entry(party.keys), party.reads()
    opened, scalars = opened_by_entry(seen, held)
    assert len(scalars) >= len(world.clients[A])
    assert named([*parts(seen), *opened], of_entry(held, scalars)) == set()


def test_entry_guesses_files_in_vain(world: World) -> None:
    """It knows every word of a file but the number (T7), and no hash of a file, message or line is there to compare."""
    party = world.party("entry", "entry")
    seen = party.reads()
    hay = Haystack([*parts(seen), *opened_by_entry(seen, keys.load_entry(party.keys))[0]])
    forms = ("{0}", "{0};guess;1", "<Bsn>{0}</Bsn>", "BSN,toewijzing\n{0},4711\n", '{{"bsn":"{0}"}}')
    found = {
        bsn
        for bsn in RANGE
        for form in forms
        for hashed in (hashlib.sha256, hashlib.sha512, hashlib.sha1, hashlib.md5)
        if hashed(form.format(bsn).encode()).digest()[:16] in hay
    }
    assert found == set()


def test_entry_has_no_guess_evaluated(world: World) -> None:
    party = world.party("entry", "entry")
    made = unsigned(party, A, told_of(RANGE[:50]))
    with world.nothing_happens():
        assert party.writes(made) == 0


@pytest.mark.parametrize("principal", sorted(set(PRINCIPALS) - {"intake", "upstream"}))
def test_who_reads_cannot_insert(world: World, principal: str) -> None:
    party = world.party(principal)
    assert party.writes([(topic, b"key", b"value") for topic in IN_TOPIC.values()]) == 0
