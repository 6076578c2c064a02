"""What the parties try. The same functions run against the world as it is and against weakened ones.

Each takes a party and what is public, and gives what the party knows afterwards.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import oprf
from crypto.keys import EntryKeys, EvaluateKeys
from crypto.pseudonym import Pseudonyms, References, derive
from crypto.seal import ENTRY, EVALUATE, CannotOpen, Opener
from crypto.sign import Signer
from schemas.codec import Record
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC
from streams.envelope import context_of
from tests.attack import guesses
from tests.attack.guesses import Spell, keyed, named, parts
from tests.attack.parties import Party, Seen, Told, codec, decoded, records
from tests.build import meting, score, start

#: A date that no honest fact has: what a source puts in so that an accomplice recognises it.
MARK: Final = 4_102_000_000_000
#: Records of a topic that are opened; the honest ones come first.
_ENOUGH: Final = 500
Sent: TypeAlias = list[tuple[str, bytes, bytes]]


# --- looking --------------------------------------------------------------------------------------------------------


def looks(party: Party, *spells: Spell) -> set[str]:
    """Read everything that the broker gives, and guess."""
    return named(parts(party.reads()), *spells)


def opened_by_evaluate(seen: Seen, held: EvaluateKeys) -> list[bytes]:
    """Every blinded element in what it reads, and what its secret makes of it."""
    opener, found = Opener(EVALUATE, held.sealing), list[bytes]()
    for topic in IN_TOPIC.values():
        for record in records(seen, topic)[:_ENOUGH]:
            if blinded := opened_of(opener, record, topic, "evaluate"):
                found += [
                    blinded,
                    oprf.multiply(held.scalar, blinded),
                    oprf.multiply(oprf.inverse(held.scalar), blinded),
                ]
    return found


def opened_by_entry(seen: Seen, held: EntryKeys) -> tuple[list[bytes], list[bytes]]:
    """Everything that it opens and what follows from it; and the scalars that took a blinding off."""
    opener, found, scalars = Opener(ENTRY, held.sealing), list[bytes](), list[bytes]()
    for record in records(seen, EVALUATED)[: 2 * _ENOUGH]:
        if plain := opened_of(opener, record, record["topic"], "entry"):
            found += guesses.leaves(codec("sor.sealed").decode(plain[32:]))
            with suppress(oprf.InvalidPoint):
                found += [plain[:32], record["element"], oprf.unblind(plain[:32], record["element"])]
                scalars.append(oprf.inverse(plain[:32]))
    return found, scalars


def inverses_of(seen: Seen, held: EntryKeys) -> Iterator[tuple[Record, bytes]]:
    """Evaluated records, each with what takes its blinding off."""
    opener = Opener(ENTRY, held.sealing)
    for record in records(seen, EVALUATED):
        with suppress(oprf.InvalidPoint):
            if plain := opened_of(opener, record, record["topic"], "entry"):
                oprf.checked(record["element"])
                yield record, plain[:32]


def opened_of(opener: Opener, record: Record, topic: str, part: str) -> bytes:
    """The inside of a sealed part; empty where there is none, or it does not open."""
    sealed, context = record[f"{part}_sealed"], context_of(record, topic)  # type: ignore[arg-type]
    try:
        return sealed and opener.open(
            record[f"{part}_key_id"], record[f"{part}_wrapped"], sealed, context, record["line"],
            record["published_at"],
        )  # fmt: skip
    except CannotOpen:
        return b""


def of_evaluate(held: EvaluateKeys) -> Spell:
    """What its secret makes of a number."""
    hashed = keyed(held.scalar)

    def spell(bsn: str, of: bytes) -> Iterable[bytes]:
        products = oprf.multiply(held.scalar, of), oprf.multiply(oprf.inverse(held.scalar), of)
        for made in products:
            yield made
            yield hashlib.sha256(made).digest()[:16]
        yield from hashed(bsn, of)

    return spell


def of_entry(held: EntryKeys, scalars: Sequence[bytes]) -> Spell:
    """Names, references and blindings that its secrets make of a number."""
    names, references = Pseudonyms(held.root, held.domain, held.epoch), References(held.root)
    hashed = keyed(held.root, derive(held.root, "reference"), derive(held.root, f"pseudonym|{held.domain}|0"))

    def spell(bsn: str, of: bytes) -> Iterable[bytes]:
        yield names.name(of)
        yield from (references.hashed(kind, owner, bsn.encode()) for kind in (b"", b"bsn") for owner in ("", bsn))
        yield from hashed(bsn, of)
        for scalar in scalars[:2]:
            yield oprf.multiply(scalar, of)

    return spell


# --- sending --------------------------------------------------------------------------------------------------------


def told_of(bsns: Iterable[str]) -> list[Told]:
    """A score of each."""
    return [(bsn, score(b"guess", day=100)) for bsn in bsns]


def altered(sent: Sent, **changes: Any) -> Sent:
    """The same records with other words in their clear part; a function is given what stood there."""
    made = []
    for topic, key, value in sent:
        record = decoded(topic, value)
        assert record is not None
        for name, change in changes.items():
            record[name] = change(record[name]) if callable(change) else change
        made.append((topic, key, codec("sor.in", f"{topic}-value").encode(record)))
    return made


def unsigned(party: Party, sender: str, told: Sequence[Told], kind: str = "score") -> Sent:
    """Guesses of somebody without a source's key: signed with a key that nobody certified, with a certificate from the
    public list would be no better (``test_sources_act``).
    """
    return party.delivery(kind, sender, told, signer=nobody())


def nobody() -> Signer:
    """Signs with a key of its own and shows no certificate."""
    made: Signer = Signer.__new__(Signer)
    made.certificate = b""
    made._private = Ed25519PrivateKey.generate()
    return made


def recorded(seen: Seen, sender: str, kind: str = "score") -> Sent:
    """Envelopes of another as a tap on the line would have them."""
    topic = IN_TOPIC[kind]
    return [
        (topic, key, value)
        for key, value in seen.get(topic, ())
        if (record := decoded(topic, value)) is not None and record["sender"] == sender
    ]


def asks_receipts(
    party: Party, sender: str, bsns: Sequence[str], settle: Callable[[], None], kinds: Iterable[str]
) -> set[str]:
    """Deliver a guess at a time and see whose receipt differs from those of the others."""
    told, receipts, made = dict[str, tuple[str, str]](), dict[str, str](), Sent()
    for bsn, kind in product(bsns, kinds):
        made += party.delivery(kind, sender, [(bsn, _probe(kind))])
        told[made[-1][1].decode()] = bsn, kind
    assert party.writes(made) == len(made)
    settle()
    for delivery, receipt in party.receipts().items():
        if delivery in told:
            receipts[delivery] = repr({name: receipt[name] for name in _SAID if name in receipt})
    assert receipts.keys() == told.keys()
    usual = {kind: Counter(receipts[one] for one, (_, k) in told.items() if k == kind).most_common(1) for kind in kinds}
    return {bsn for one, (bsn, kind) in told.items() if usual[kind] and receipts[one] != usual[kind][0][0]}


#: What a receipt says of its records.
_SAID: Final = (
    *("klaar", "geaccepteerd", "afgekeurd", "ingetrokken", "wacht", "codes", "fouten", "teruggenomen"),
    *("opmerkingen", "opmerking_codes"),
)


def _probe(kind: str) -> Any:
    return {
        "score": score(b"guess", day=100),
        "start": start(100, b"guess", bericht=b"guess"),
        "cem": meting(150, day=200, meting=b"guess"),
    }[kind]


def accomplice(source: Party, reader: Party, sender: str, bsns: Sequence[str], settle: Callable[[], None]) -> set[str]:
    """A source marks its guesses, a reader of ``sor.events`` recognises the mark: who is known elsewhere too?"""
    first = MARK + 1000 * secrets.randbelow(400_000)  # so that no two attacks take each other's marks for their own
    made = source.delivery("score", sender, [(bsn, score(b"guess", tijd=first + n)) for n, bsn in enumerate(bsns)])
    source.writes(made)
    settle()
    names, others = dict[bytes, str](), set[bytes]()
    for key, value in reader.reads((EVENTS,)).get(EVENTS, []):
        event = decoded(EVENTS, value)
        if event is None:
            continue  # of another test
        at = event["fact"][1].get("tijd", 0)
        if first <= at < first + len(bsns):
            names[key] = bsns[at - first]
        elif at < MARK:
            others.add(key)
    return {bsn for key, bsn in names.items() if key in others}


def with_element(seen: Seen, sender: str, elements: Sequence[bytes]) -> Sent:
    """Evaluated records of another with an element of one's own."""
    made = Sent()
    for key, value in seen.get(EVALUATED, []):
        record = decoded(EVALUATED, value)
        if record is not None and record["sender"] == sender and record["element"] and len(made) < len(elements):
            record["element"] = elements[len(made)]
            made.append((EVALUATED, key, codec("sor.evaluated").encode(record)))
    assert len(made) == len(elements)
    return made
