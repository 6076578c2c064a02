"""Planted weaknesses turn the attacks green: what the other tests hold would fail without each of the walls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from confluent_kafka.admin import AclOperation

from crypto import keys, oprf
from crypto.client_names import ClientNames
from crypto.pseudonym import Pseudonyms
from crypto.sources import Source
from schemas.topics import EVALUATED, IN_TOPIC, RECEIPTS, TRAJECTEN
from streams.envelope import Proof
from tests.attack.attacks import accomplice, inverses_of, nobody, told_of, unsigned
from tests.attack.parties import Party, records
from tests.attack.readers import seen_of
from tests.attack.test_readers_act import joins, replay
from tests.attack.world import A, B, World
from tests.transport.test_acls import laid_down, rule

pytestmark = pytest.mark.kafka


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let stages take everything for signed; each runs in a thread of its name."""
    honest = Proof.__call__

    def skip(*stages: str) -> None:
        def prove(self: Proof, *asked: object) -> Source:
            if threading.current_thread().name in stages:
                return Source("anybody", frozenset("*"), frozenset("*"), 1, 0, 2**40, None)  # type: ignore[arg-type]
            return honest(self, *asked)  # type: ignore[arg-type]

        monkeypatch.setattr(Proof, "__call__", prove)

    return skip


def asked(world: World) -> tuple[list[str], set[str]]:
    """Numbers to guess, and those of them that are known."""
    known = sorted(world.clients[B])[20:40]
    return [*known, *world.strangers[120:140]], set(known)


def test_a_stage_that_skips_the_signature_is_seen(world: World, blind: Callable[..., None]) -> None:
    party, (guesses, _) = world.administrator(), asked(world)
    blind("evaluate")
    with pytest.raises(AssertionError), world.nothing_happens():
        party.writes(unsigned(party, "99999998", told_of(guesses)))
    world.settle()


def test_without_signatures_the_administrator_names_whom_it_guesses(world: World, blind: Callable[..., None]) -> None:
    party, (guesses, known) = replace(world.administrator(), signer=nobody()), asked(world)
    assert accomplice(party, party, "99999998", guesses, world.settle) == set(), "as it is"
    blind("evaluate", "entry")
    assert accomplice(party, party, "99999998", guesses, world.settle) == known


class _Global(ClientNames):
    """Names as before decision 0015: one for all providers."""

    def of(self, pseudonym: bytes, aanbieder: str) -> str:
        del aanbieder
        return super().of(pseudonym, "")


def test_a_row_with_one_name_for_all_providers_is_joined(world: World) -> None:
    names = _Global(keys.load_trajectories(world.keys))
    found = joins(world, seen_of(TRAJECTEN, replay(world, TRAJECTEN, names)), names=names)
    assert found[("client",)] == len(world.clients[A] & world.clients[B])


def test_a_right_too_many_shows_receipts_of_others(world: World) -> None:
    party = world.party("stranger", source=A)
    assert party.reads() == {}
    with laid_down(world.secured, rule(RECEIPTS, "stranger"), rule(RECEIPTS, "stranger", AclOperation.DESCRIBE)):
        assert B in {one["sender"] for one in records(party.reads(), RECEIPTS)}


def test_entry_that_may_insert_and_is_believed_names_everybody_it_guesses(
    world: World, blind: Callable[..., None]
) -> None:
    party, (guesses, known) = world.party("entry", "entry"), asked(world)
    made = unsigned(party, A, told_of(guesses))
    assert party.writes(made) == 0
    topic = IN_TOPIC["score"]
    with laid_down(world.secured, *(rule(topic, "entry", on) for on in (AclOperation.WRITE, AclOperation.DESCRIBE))):
        with world.nothing_happens():
            assert party.writes(made) == len(made), "red: it may insert; the signature still stands"
        blind("evaluate")
        party.writes(made)
        world.settle()
    assert _named(party, made[0][1].decode(), guesses) == known


def _named(party: Party, delivery: str, guesses: list[str]) -> set[str]:
    """Its guesses come back evaluated: whose name is also that of an honest record?"""
    held, seen = keys.load_entry(party.keys), party.reads()
    names = Pseudonyms(held.root, held.domain, held.epoch)
    mine, others = dict[bytes, str](), set[bytes]()
    for record, inverse in inverses_of(seen, held):
        name = names.name(oprf.unblind(inverse, record["element"]))
        if record["delivery"] == delivery:
            mine[name] = guesses[record["line"] - 1]
        elif record["sender"] == B and record["delivery"]:
            others.add(name)
    assert EVALUATED in seen
    return {bsn for name, bsn in mine.items() if name in others}
