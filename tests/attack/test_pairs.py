"""Two parties together learn what the privacy page says of them: the positive control of every attack."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from crypto import keys, oprf
from crypto.pseudonym import Pseudonyms
from crypto.seal import ENTRY, Opener
from schemas.topics import EVALUATED, RECEIPTS, TRAJECTEN
from tests.attack.attacks import accomplice, asks_receipts, inverses_of, opened_of
from tests.attack.guesses import RANGE, point
from tests.attack.parties import Party, codec, records
from tests.attack.world import A, B, World, number_of
from tests.build import D, start, stop

pytestmark = pytest.mark.kafka


def both(world: World) -> set[str]:
    """Everybody whom the world delivered."""
    return world.clients[A] | world.clients[B]


def guesses(world: World) -> tuple[list[str], set[str]]:
    """Numbers to guess, and those of them that are known."""
    known = sorted(world.clients[B])[:20]
    return [*known, *world.strangers[100:120]], set(known)


def test_evaluate_and_entry_name_every_child(world: World) -> None:
    scalar = keys.load_evaluate(world.folder("evaluate")).scalar
    party = world.party("entry", "entry")
    held = keys.load_entry(party.keys)
    names = Pseudonyms(held.root, held.domain, held.epoch)
    table = {names.name(oprf.multiply(scalar, point(bsn))): bsn for bsn in RANGE}
    made = (names.name(oprf.unblind(inverse, one["element"])) for one, inverse in inverses_of(party.reads(), held))
    found = {table.get(name, "") for name in made}
    assert found >= both(world)


def test_a_source_and_a_reader_of_events_learn_whose_numbers_are_known(world: World) -> None:
    source, (asked, known) = world.party(world.delivering(), source=A), guesses(world)
    assert accomplice(source, world.party("trajectories"), A, asked, world.settle) == known


def test_the_authority_and_a_reader_of_events_are_a_source_and_a_reader(world: World) -> None:
    made = world.party(world.delivering(), signer=world.source("invented-too", {"*"}, "*"))
    asked, known = guesses(world)
    assert accomplice(made, world.party("audit"), "99999999", asked, world.settle) == known


def test_a_source_and_a_reader_of_rows_learn_the_date_of_a_next_start(world: World) -> None:
    """Of clients that the source sent an end for, and nothing else: the row of the other stays without a name."""
    known, unknown = world.strangers[150:160], world.strangers[160:170]
    world.deliver(B, "start", [(bsn, start(10, b"next%02d" % n, bericht=b"next")) for n, bsn in enumerate(known)])
    party, asked = world.party(world.delivering(), source=A), [*known, *unknown]
    told = [(bsn, stop(-30 - n, 5, toewijzing=b"end%03d" % n, bericht=b"ends")) for n, bsn in enumerate(asked)]
    begun = [(bsn, start(-30 - n, b"end%03d" % n, bericht=b"begins")) for n, bsn in enumerate(asked)]
    party.writes(party.delivery("start", A, begun) + party.delivery("stop", A, told))  # type: ignore[arg-type]
    world.settle()
    rows = [row for row in world.latest(TRAJECTEN).values() if row["aanbieder"] == A and not row["verwijderd"]]
    begins = {D - 30 - n: bsn for n, bsn in enumerate(asked)}
    found = {begins[day]: row["nieuwe_start"] for row in rows if (day := _day(row["begindatum"])) in begins}
    assert {bsn for bsn, day in found.items() if day is not None} == set(known)
    assert {_day(day) for day in found.values() if day is not None} == {D + 10}


def _day(value: object) -> int:
    return (value - date(1970, 1, 1)).days if isinstance(value, date) else int(value)  # type: ignore[call-overload]


def test_a_municipality_and_entry_name_whom_an_assignment_is_for(world: World) -> None:
    """It knows the numbers that it gave; entry sees them in clear."""
    given = {number_of(sender, n): bsn for sender in (A, B) for n, bsn in enumerate(sorted(world.clients[sender]))}
    party = world.party("entry", "entry")
    opener, found = Opener(ENTRY, keys.load_entry(party.keys).sealing), set()
    for record in records(party.reads(), EVALUATED):
        if plain := opened_of(opener, record, record["topic"], "entry"):
            content = codec("sor.sealed").decode(plain[32:])["inhoud"][1]
            found.add(given.get(content.get("toewijzing"), ""))
    assert found >= both(world)


def test_who_signs_for_everybody_and_reads_receipts_learns_who_is_in_care_where(world: World) -> None:
    """The intake of files in clear is such a hub: it sees those files too. Alone no source is, nor who passes on."""
    party: Party = world.party("intake", source="intake")

    def receipts() -> dict[str, dict[str, object]]:
        return {one["delivery"]: one for one in records(party.reads([RECEIPTS]), RECEIPTS)}

    asked = [*sorted(world.clients[B]), *world.strangers[:100]]
    found = asks_receipts(replace(party, receipts=receipts), B, asked, world.settle, ("cem",))
    assert found
    assert found <= world.clients[B]
