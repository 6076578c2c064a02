"""Keys of one installation in memory, and publishers of every kind of honesty."""

from __future__ import annotations

from functools import cache
from typing import Any

from confluent_kafka import Message
from msgspec.structs import asdict

from crypto import oprf
from crypto.keys import EntryKeys, EvaluateKeys, PublicKeys
from crypto.seal import ENTRY, EVALUATE, SUITE_ID, Context, PrivateKey, Sealer, hash_of
from domain.facts.answer import Line, each
from domain.facts.fact import Fact
from domain.field.bsn import official_numbers
from schemas.codec import Codec, Record
from schemas.records import fact_to_record
from schemas.topics import IN_TOPIC, LINES
from tests.build import meting, prestatie, score, start, stop
from tests.trusted import arrived, evaluate, hub

BSN, OTHER = official_numbers()[:2]
DELIVERY, SENDER = "0123456789abcdef0123456789abcdef", "99000001"
_EVALUATE, _ENTRY = PrivateKey(bytes(range(96))), PrivateKey(bytes(range(1, 97)))
EVALUATE_KEYS = EvaluateKeys({_EVALUATE.id: _EVALUATE}, bytes.fromhex("07" + 31 * "00"))
ENTRY_KEYS = EntryKeys({_ENTRY.id: _ENTRY}, bytes(32), "jeugd", 0)
PUBLIC = PublicKeys(SUITE_ID, 0, "jeugd", _EVALUATE.public, _ENTRY.public, oprf.public_of(EVALUATE_KEYS.scalar))

#: One good fact of each kind, its references in clear as in the sealed part.
FACTS: dict[str, Fact] = {
    "start": start(toewijzing=b"4711", bericht=b"ident-1"),
    "stop": stop(toewijzing=b"4711", bericht=b"ident-2"),
    "declaration": prestatie("regel-77", "regel-76", toewijzing=b"4711", bericht=b"ident-3", declaratienummer=None),
    "score": score(b"4711", b"beschik-12"),
    "cem": meting(meting=b"meting-100001", informant="Tante Truus"),
}
#: What stands in clear in the sealed parts above and must not leave entry.
REFERENCES = (b"4711", b"ident-", b"regel-7", b"beschik-12", b"meting-100001", b"Truus")


@cache
def codec(name: str) -> Codec:
    return Codec(name)


def sealed(content: tuple[str, Record], row: int = 5, regels: int = 1, records: int = 0, plaats: int = 0) -> bytes:
    """A record of the inside of entry's part."""
    return codec("sor.sealed").encode(
        {"regel": row, "regels": regels, "inhoud": content, "records": records, "plaats": plaats}
    )


def envelope(
    topic: str, blinded: bytes, plain: bytes, *, line: int = 1, keys: PublicKeys = PUBLIC, **header: Any
) -> Record:
    """An envelope around any two plaintexts, sealed as a publisher would that keeps to the format."""
    at = header.pop("published_at", 1_750_000_000_000)
    fields = {"delivery": DELIVERY, "lines": 3, "sender": SENDER, "test": False, "epoch": 0} | header
    context = Context(topic, *fields.values())
    evaluate, entry = Sealer(EVALUATE, keys.evaluate, context), Sealer(ENTRY, keys.entry, context)
    signer = hub()[1]
    return {
        **fields, "suite": SUITE_ID, "line": line, "published_at": at,
        "evaluate_key_id": evaluate.key_id,
        "evaluate_wrapped": evaluate.wrapped,
        "evaluate_sealed": evaluate.seal(line, at, blinded) if blinded else b"",
        "entry_key_id": entry.key_id, "entry_wrapped": entry.wrapped, "entry_sealed": entry.seal(line, at, plain),
        "certificate": signer.certificate,
        "signature": signer.sign(context.signed(hash_of(evaluate.wrapped), hash_of(entry.wrapped))),
    }  # fmt: skip


def honest(kind: str, fact: Fact | None = None, bsn: str = BSN, **more: Any) -> Record:
    """An envelope of a good fact of a kind."""
    blinded, inverse = oprf.blind_message(oprf.bsn_input(bsn))
    return envelope(IN_TOPIC[kind], blinded, inverse + sealed(fact_to_record(fact or FACTS[kind])), **more)


def refusal(code: str, veld: str, kind: str = "score") -> Record:
    """An envelope of a line that its connector refused."""
    plain = bytes(32) + sealed(("nl.sor.Afwijzing", {"code": code, "veld": veld}))
    return envelope(IN_TOPIC[kind], b"", plain)


def evaluated(record: Record, topic: str, element: bytes | None = None) -> Record:
    """What evaluate makes of an envelope, by hand; ``element`` replaces what it would give."""
    from streams.evaluate import Evaluator

    if element is None:
        stage = Evaluator(EVALUATE_KEYS, hub()[0])
        return codec("sor.evaluated").decode(evaluate(stage, topic, codec("sor.in").encode(record)))
    return {name: record[name] for name in record if not name.startswith("evaluate")} | {
        "topic": topic, "element": element, "evaluate_hash": hash_of(record["evaluate_wrapped"]), "scalar": b""
    }  # fmt: skip


def message(topic: str, value: bytes | None, offset: int = 7, key: bytes | None = DELIVERY.encode()) -> Message:
    """A record as the consumer hands it out."""
    return arrived(topic, value, key, offset)


class Recorder:
    """Keeps what a stage publishes, by topic."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []

    def send(self, topic: str, key: bytes, value: bytes | None, _at: int = 0) -> None:
        self.sent.append((topic, key, value or b""))

    def of(self, topic: str) -> list[tuple[bytes, Record]]:
        """Key and decoded record of everything sent to a topic; of outcomes each, also where one line tells several."""
        found = [(key, codec(topic).decode(value)) for name, key, value in self.sent if name == topic]
        return found if topic != LINES else [(key, asdict(one)) for key, told in found for one in each(Line(**told))]
