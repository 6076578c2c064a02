"""Each curious party plays with its keys and everything it may read, and guesses over the official test range.

Alone, every stage, the broker's administrator and a thief of the log find nobody. Both key sets together find
everybody: that shows that the attack works. The unkeyed control shows the same for what we do not do.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.delivery.sealed import SealedDelivery
from connectors.formats.model import FileRecord
from crypto import keys, oprf
from crypto.pseudonym import Pseudonyms
from crypto.seal import ENTRY, EVALUATE, CannotOpen, Opener
from crypto.sign import Signer
from crypto.sources import Trust
from domain.facts.answer import Line
from domain.field.bsn import official_numbers
from schemas.codec import Codec, Record
from schemas.topics import IN_TOPIC, topics
from schemas.typed import StructCodec
from streams.admission import Admission
from streams.envelope import context_of
from streams.evaluate import Evaluator
from tests.attack.guesses import Haystack
from tests.build import score
from tests.trusted import admit, evaluate, with_authority

TOPIC = IN_TOPIC["score"]
RANGE = official_numbers()


class World(NamedTuple):
    """One delivery of 200 clients, as every topic of the broker holds it."""

    folder: Path
    clients: list[str]
    envelopes: list[bytes]
    evaluated: list[bytes]
    lines: list[bytes]
    events: list[bytes]
    pseudonyms: dict[str, bytes]

    def broker(self) -> Haystack:
        """Every byte of every record and key."""
        return Haystack([*self.envelopes, *self.evaluated, *self.lines, *self.events, *self.pseudonyms.values()])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("keys") / "k"
    keys.init(folder)
    signer, trust = with_authority(folder), Trust(folder)
    clients = random.Random(7).sample(RANGE, 200)
    sealed = SealedDelivery(keys.load_public(folder), signer, "score", "c" * 32, len(clients), "12345678", test=False)
    envelopes = [sealed.envelope(n, FileRecord(n, 1, bsn, score(b"4711")), 0) for n, bsn in enumerate(clients, 1)]
    evaluator, admission = Evaluator(keys.load_evaluate(folder), trust), Admission(keys.load_entry(folder), trust)
    evaluated = [evaluate(evaluator, TOPIC, envelope) for envelope in envelopes]
    admitted = [admit(admission, record) for record in evaluated]
    lines = [StructCodec(Line).encode(a.line) for a in admitted]
    return World(
        folder, clients, envelopes, evaluated, lines, [a.event or b"" for a in admitted],
        dict(zip(clients, (a.pseudonym for a in admitted), strict=True)),
    )  # fmt: skip


def _decoded(name: str, records: list[bytes]) -> list[Record]:
    codec = Codec(name)
    return [codec.decode(record) for record in records]


def _spellings(bsn: str) -> list[bytes]:
    """What an unkeyed leak of a BSN would look like."""
    clear = bsn.encode()
    point = oprf.hash_to_group(oprf.bsn_input(bsn))
    return [clear, hashlib.sha256(clear).digest(), hashlib.sha256(clear).hexdigest().encode(), point]


def test_the_broker_alone_finds_nobody(world: World) -> None:
    """Administrator, backup thief: every byte, no key."""
    everything = world.broker()
    found = [bsn for bsn in RANGE if any(spelling in everything for spelling in _spellings(bsn))]
    assert found == []


def test_the_unkeyed_control_finds_everybody(world: World) -> None:
    """The same search over a log that holds plain hashes, as the chain of today does in its first step."""
    log = Haystack(hashlib.sha256(bsn.encode()).digest() for bsn in world.clients)
    assert {bsn for bsn in RANGE if any(s in log for s in _spellings(bsn))} == set(world.clients)


def test_evaluate_alone_finds_nobody(world: World) -> None:
    """It holds ``k`` and opens every ``B``; it may read every topic for this test."""
    held = keys.load_evaluate(world.folder)
    opener = Opener(EVALUATE, held.sealing)
    seen = set()
    for envelope in _decoded("sor.in", world.envelopes):
        blinded = opener.open(
            envelope["evaluate_key_id"], envelope["evaluate_wrapped"], envelope["evaluate_sealed"],
            context_of(envelope, TOPIC), envelope["line"], envelope["published_at"],
        )  # fmt: skip
        seen |= {blinded, oprf.multiply(held.scalar, blinded), oprf.multiply(oprf.inverse(held.scalar), blinded)}
    rest = world.broker()
    for bsn in RANGE:
        point = oprf.hash_to_group(oprf.bsn_input(bsn))
        product = oprf.multiply(held.scalar, point)
        assert point not in seen
        assert product not in seen
        assert product not in rest
        assert hashlib.sha256(product).digest()[:16] not in rest


def test_evaluate_cannot_open_the_part_of_entry(world: World) -> None:
    opener = Opener(ENTRY, keys.load_evaluate(world.folder).sealing)
    for envelope in _decoded("sor.in", world.envelopes[:5]):
        with pytest.raises(CannotOpen):
            opener.open(
                envelope["entry_key_id"], envelope["entry_wrapped"], envelope["entry_sealed"],
                context_of(envelope, TOPIC), envelope["line"], envelope["published_at"],
            )  # fmt: skip


def test_entry_with_the_whole_log_finds_nobody(world: World) -> None:
    """It holds the label secret and every inverse scalar, and reads every topic; ``B`` is not sealed to it."""
    held = keys.load_entry(world.folder)
    opener, names = Opener(ENTRY, held.sealing), Pseudonyms(held.root, held.domain, held.epoch)
    seen, scalars = set(world.pseudonyms.values()), []
    for record in _decoded("sor.evaluated", world.evaluated):
        plain = opener.open(
            record["entry_key_id"], record["entry_wrapped"], record["entry_sealed"],
            context_of(record, TOPIC), record["line"], record["published_at"],
        )  # fmt: skip
        inverse = plain[:32]
        scalars.append(oprf.inverse(inverse))
        seen |= {record["element"], oprf.unblind(inverse, record["element"])}
    everything = world.broker()
    for bsn in RANGE:
        point = oprf.hash_to_group(oprf.bsn_input(bsn))
        assert point not in seen
        assert names.name(point) not in seen
        for scalar in scalars[:2]:
            blinded = oprf.multiply(scalar, point)
            assert blinded not in seen
            assert blinded not in everything


def test_entry_cannot_open_the_blinded_element(world: World) -> None:
    opener = Opener(EVALUATE, keys.load_entry(world.folder).sealing)
    for envelope in _decoded("sor.in", world.envelopes[:5]):
        with pytest.raises(CannotOpen):
            opener.open(
                envelope["evaluate_key_id"], envelope["evaluate_wrapped"], envelope["evaluate_sealed"],
                context_of(envelope, TOPIC), envelope["line"], envelope["published_at"],
            )  # fmt: skip


def test_both_together_find_everybody(world: World) -> None:
    """The positive control: who holds both key sets names every child."""
    scalar, held = keys.load_evaluate(world.folder).scalar, keys.load_entry(world.folder)
    names = Pseudonyms(held.root, held.domain, held.epoch)
    table = {names.name(oprf.multiply(scalar, oprf.hash_to_group(oprf.bsn_input(bsn)))): bsn for bsn in RANGE}
    found = {table[pseudonym] for pseudonym in world.pseudonyms.values() if pseudonym in table}
    assert found == set(world.clients)


def test_entry_may_not_write_where_evaluate_reads() -> None:
    """Otherwise ``evaluate`` would answer its guesses. An operator moves coordinates, and reads no answer."""
    for topic in IN_TOPIC.values():
        assert set(topics()[topic].write) <= {"intake", "upstream"}
        assert topics()[topic].read == ("evaluate",)
    assert "entry" not in topics()["sor.evaluated"].write
    assert [topic.name for topic in topics().values() if "operator" in topic.read] == []


def test_a_special_never_becomes_a_point(world: World) -> None:
    public, signer = keys.load_public(world.folder), Signer.load(world.folder)
    sealed = SealedDelivery(public, signer, "score", "d" * 32, 1, "12345678", test=False)
    for special in ("999999999", "000000000", "672212345"):
        with pytest.raises(ValueError, match="never blinded"):
            sealed.envelope(1, FileRecord(1, 1, special, score()), 0)
