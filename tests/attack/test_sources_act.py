"""Providers, hubs, municipalities and the authority act: what no source signed has no effect, and what one signed
changes nothing of others and answers no question about them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crypto import authority
from domain.facts.fact import Terugname
from schemas.topics import IN_TOPIC, topics
from tests.attack.attacks import Sent, altered, asks_receipts, looks, recorded, told_of, unsigned
from tests.attack.parties import Party, decoded
from tests.attack.world import MUNICIPALITY, A, B, World
from tests.build import bericht_retour, cbs_record, meting, score, start, stop, toewijzing, wisverzoek

pytestmark = pytest.mark.kafka
_DAY = 86_400


def provider(world: World) -> Party:
    """Provider A, whose records the intake passes on as they are."""
    return world.party(world.delivering(), source=A)


def victims(world: World, count: int = 10, first: int = 0) -> list[str]:
    """Clients of B and of nobody else."""
    return sorted(world.clients[B] - world.clients[A])[first : first + count]


def terugname(delivery: str, lines: int) -> Terugname:
    """A taking back."""
    return Terugname(aanlevering=delivery, lines=lines, reden="verkeerd")


# --- who is no source of that name, that kind, that time --------------------------------------------------------------


def _another_name(world: World, party: Party) -> Sent:
    return party.delivery("score", B, told_of(victims(world)))


def _no_certificate(world: World, party: Party) -> Sent:
    return unsigned(party, B, told_of(victims(world)))


def _certificate_of_the_public_list(world: World, party: Party) -> Sent:
    """B's certificate is public; its key is not."""
    return altered(party.delivery("score", B, told_of(victims(world))), certificate=world.sources[B].certificate)


def _signature_of_another_delivery(world: World, party: Party) -> Sent:
    topic, _, value = recorded(world.reads(IN_TOPIC["score"]), B)[0]
    record = decoded(topic, value)
    assert record is not None
    signed = {name: record[name] for name in ("certificate", "signature")}
    return altered(party.delivery("score", B, told_of(victims(world))), **signed)


def _authority_of_its_own(world: World, party: Party) -> Sent:
    return party.delivery("score", B, told_of(victims(world)), signer=world.impostor())


def _expired(world: World, party: Party) -> Sent:
    ended = world.source("ended", {"*"}, "*", seconds=_DAY, at=int(time.time()) - 3 * _DAY)
    return party.delivery("score", B, told_of(victims(world)), signer=ended)


def _revoked(world: World, party: Party) -> Sent:
    taken = world.source("taken", {"*"}, "*")
    authority.revoke(world.authority, world.keys, taken.source.serial)
    time.sleep(2.1)  # a process looks once a second, and a second counts as a whole
    return party.delivery("score", B, told_of(victims(world)), signer=taken)


def _hub_outside_its_list(world: World, party: Party) -> Sent:
    return party.delivery("cem", B, [(victims(world)[0], meting())], signer=world.sources["hub-cem"])


def _hub_of_another_kind(world: World, party: Party) -> Sent:
    return party.delivery("score", A, told_of(victims(world)), signer=world.sources["hub-cem"])


def _municipality_of_another_kind(world: World, party: Party) -> Sent:
    return party.delivery("start", A, [(victims(world)[0], start())], signer=world.sources[MUNICIPALITY])


def _old_suite(world: World, party: Party) -> Sent:
    return altered(party.delivery("score", A, told_of(victims(world))), suite="sor-1")


def _other_sender(world: World, party: Party) -> Sent:
    return altered(party.delivery("score", A, told_of(victims(world))), sender=B)


def _more_lines(world: World, party: Party) -> Sent:
    return altered(recorded(world.reads(IN_TOPIC["score"]), B)[:5], lines=9_999)


def _test_becomes_real(world: World, party: Party) -> Sent:
    return altered(recorded(world.reads(IN_TOPIC["score"]), B)[:5], test=True)


def _another_topic(world: World, party: Party) -> Sent:
    tapped = recorded(world.reads(IN_TOPIC["score"]), B)[:5]
    return [(IN_TOPIC["cem"], key, value) for _, key, value in tapped]


def _cbs_of_another(world: World, party: Party) -> Sent:
    return party.delivery("cbs", B, [(victims(world)[0], cbs_record())])


def _answers_of_another(world: World, party: Party) -> Sent:
    """Identifications are sequential: it knows those of B."""
    return party.delivery("return", B, [(None, bericht_retour("start", b"s87%04d" % n)) for n in range(20)])  # type: ignore[list-item]


def _take_back_of_another(world: World, party: Party) -> Sent:
    """A delivery of B, in the name of B."""
    delivery, lines = next(iter(world.honest[B].items()))
    return party.delivery("takeback", B, [(None, terugname(delivery, lines))])  # type: ignore[list-item]


def _assignments_of_another(world: World, party: Party) -> Sent:
    return party.delivery("assignment", B, [(victims(world)[0], toewijzing(number=b"870001"))])


def _forgetting_with_a_right_to_everything_else(world: World, party: Party) -> Sent:
    """Its certificate is for every kind, which this one is not among (decision 0029)."""
    return party.delivery("erasure", A, [(bsn, wisverzoek()) for bsn in victims(world, 3)])  # type: ignore[misc]


FORGED: dict[str, Callable[[World, Party], Sent]] = {
    name.removeprefix("_").replace("_", " "): made
    for name, made in dict(globals()).items()
    if name.startswith("_") and getattr(made, "__annotations__", {}).get("return") == "Sent"
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_what_nobody_may_send_has_no_effect(world: World, forge: Callable[[World, Party], Sent]) -> None:
    party = provider(world)
    made = forge(world, party)
    with world.nothing_happens():
        assert party.writes(made) == len(made), "whoever may write here may write anything"
    letters = world.letters()[-len(made) :]
    assert [(one["delivery"], one["sender"], one["line"]) for one in letters] == [("", "", 0)] * len(made)


# --- a source that keeps to the format, and means harm ----------------------------------------------------------------


def test_another_delivery_id_with_other_lines_is_another_delivery(world: World) -> None:
    theirs = next(iter(world.receipts_of(B)))
    party = provider(world)
    with world.nobody_else_is_touched(A):
        for lines in (1, 200, 1_999_999):
            party.writes(party.delivery("score", A, told_of(victims(world, 1)), delivery=theirs, lines=lines))


def test_a_provider_speaks_for_itself_only(world: World) -> None:
    """Its own CBS file, answers, stops and double numbers, made to look like those of another."""
    party, who = provider(world), victims(world, 3)
    theirs = {"toewijzing": b"870001", "bericht": b"s870001"}
    with world.nobody_else_is_touched(A):
        for kind, told in {
            "cbs": [(bsn, cbs_record()) for bsn in who],
            "return": [(None, bericht_retour(kind, b"s87%04d" % n)) for n in range(20) for kind in ("start", "stop")],
            "stop": [(bsn, stop(n, n + 1, **theirs)) for n, bsn in enumerate(who)],
            "score": [(bsn, score(b"870001", waarde=-1)) for bsn in who],
            "cem": [(bsn, meting(meting=b"m870001")) for bsn in who],
            "assignment": [(bsn, toewijzing(number=b"870001", reden_wijziging="13")) for bsn in who],
        }.items():
            made = party.delivery(kind, A, told)  # type: ignore[arg-type]
            assert party.writes(made) == len(made)


def test_a_source_takes_back_nothing_but_its_own(world: World) -> None:
    """With the id and size of another's delivery it names one of its own, which never was."""
    party = provider(world)
    with world.nobody_else_is_touched(A):
        told = [(None, terugname(delivery, lines)) for delivery, lines in world.honest[B].items()]
        assert party.writes(party.delivery("takeback", A, told)) == len(told)  # type: ignore[arg-type]


def test_a_start_tells_others_its_date_and_nothing_else(world: World) -> None:
    """A follow-up start is an indicator of who ended before: of all that a provider says this one thing shows there."""
    party, before = provider(world), world.of_others(A)
    told = [(bsn, start(600, b"mine%02d" % n, bericht=b"mine")) for n, bsn in enumerate(victims(world, 30))]
    party.writes(party.delivery("start", A, told))
    world.settle()
    after = world.of_others(A)
    for topic, rows in after.items():
        assert rows.keys() == before[topic].keys()
        for key, row in rows.items():
            changed = {name for name in row if row[name] != before[topic][key][name]}
            assert changed <= {"nieuwe_start"}, (topic, changed)


def test_a_receipt_says_nothing_about_others(world: World) -> None:
    """Guesses: clients of another provider among numbers of nobody."""
    party, bsns = provider(world), [*victims(world, 20, first=30), *world.strangers[:20]]
    with world.nobody_else_is_touched(A):
        assert asks_receipts(party, A, bsns, world.settle, ("score", "cem")) == set()
    assert asks_receipts(party, A, bsns, world.settle, ("start",)) == set()


def test_a_recorded_envelope_of_another_changes_nothing(world: World) -> None:
    party, tapped = provider(world), recorded(world.reads(IN_TOPIC["score"]), B)[:20]
    with world.nobody_else_is_touched():
        party.writes(tapped)
        party.writes(altered(tapped, published_at=lambda at: at + 1))
        party.writes(altered(tapped, evaluate_sealed=b""))
        party.writes(altered(tapped, line=lambda line: line + 1))
        party.writes(altered(tapped, entry_sealed=bytes(200)))


def test_a_municipality_only_assigns(world: World) -> None:
    party = world.party(world.delivering(), source=MUNICIPALITY)
    with world.nobody_else_is_touched(A, B):
        for sender in (A, B):
            told = [(bsn, toewijzing(number=b"mun%05d" % n)) for n, bsn in enumerate(world.strangers[:5])]
            party.writes(party.delivery("assignment", sender, told))
    assert party.receipts() == {}, "a receipt goes to the provider"


# --- what they may read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [A, "hub-cem", MUNICIPALITY])
def test_a_source_reads_and_writes_no_topic(world: World, source: str) -> None:
    party = world.party("stranger", source=source)
    assert party.reads() == {}
    assert party.writes([(name, b"key", b"value") for name in topics()]) == 0


def test_a_source_sees_its_own_receipts_only(world: World) -> None:
    seen = world.party("stranger", source=A).receipts()
    assert {one["sender"] for one in seen.values()} == {A}


def test_the_authority_alone_makes_sources_that_reach_nothing(world: World) -> None:
    """It has no password of the broker: what it signs it cannot insert, and it reads no answer."""
    made = world.source("invented", {"*"}, "*")
    party = world.party("stranger", signer=made)
    assert party.writes(party.delivery("score", B, told_of(victims(world)))) == 0
    assert party.reads() == {}


@pytest.mark.parametrize("principal", sorted({name for topic in IN_TOPIC.values() for name in topics()[topic].write}))
def test_who_inserts_reads_no_pseudonym_and_finds_nobody(world: World, principal: str) -> None:
    """The intake, and a message system that publishes itself."""
    party = world.party(principal)
    assert looks(party) == set()
    assert set(party.reads()) <= {"sor.receipts"}
