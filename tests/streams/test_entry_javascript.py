"""An envelope that another implementation blinded, sealed and signed becomes the right event.

``vectors/javascript.json`` was made once by ``vectors/javascript.mjs`` in Node 20.20 with hpke 1.1.7, @panva/hpke-noble
1.0.3 and @noble/curves 2.4.0, AES-GCM from WebCrypto and Avro by hand; it shares no code with ours. The private keys
are the bytes 0..95 (entry), 96..191 (evaluate) and 0..31 (source); scalar and blind are those of RFC 9497, A.1.1.
The certificate in it has ended by now: the tests put a fresh one of the same key in its place, which nothing binds.
``javascript-sor-1.json`` is the same of the suite before: it has no effect any more.
"""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import authority, oprf
from crypto.authority import Grant
from crypto.keys import EntryKeys, EvaluateKeys
from crypto.pseudonym import Pseudonyms, References
from crypto.seal import PrivateKey
from crypto.sources import NotTrusted, Trust
from domain.facts.fact import Score
from schemas.codec import Codec, Undecodable
from schemas.records import record_to_event
from streams.admission import Admission, Admitted
from streams.evaluate import Evaluator
from tests.trusted import ARRIVED, DAY, admit, evaluate, with_authority

V: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "javascript.json").read_text("utf-8"))
INPUTS = V["inputs"]
BEFORE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "javascript-sor-1.json").read_text("utf-8")
)
MADE = bytes.fromhex(V["envelope"])
TOPIC = INPUTS["context"]["topic"]
SCALAR = bytes.fromhex("5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e")
ROOT = bytes(32)


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    key = PrivateKey(bytes(range(96, 192)))
    return Evaluator(EvaluateKeys({key.id: key}, SCALAR), trusted()[0])


@pytest.fixture(scope="module")
def admission() -> Admission:
    key = PrivateKey(bytes(range(96)))
    return Admission(EntryKeys({key.id: key}, ROOT, "jeugd", 0), trusted()[0])


@cache
def trusted() -> tuple[Trust, bytes]:
    """An authority, and the envelope with a certificate of it for the key that signed."""
    keys = Path(tempfile.mkdtemp(prefix="sor-vectors-")) / "keys"
    with_authority(keys)
    private, sender = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(INPUTS["source"])), INPUTS["context"]["sender"]
    grant = Grant(sender, frozenset({sender}), frozenset({"score"}), DAY)
    certificate = authority.issue(keys.parent / "keys-authority", keys, grant, private.public_key(), at=ARRIVED // 1000)
    codec = Codec("sor.in")
    return Trust(keys), codec.encode(codec.decode(MADE) | {"certificate": certificate})


def through(evaluator: Evaluator, admission: Admission) -> Admitted:
    return admit(admission, evaluate(evaluator, TOPIC, trusted()[1]))


def test_it_blinds_as_we_do() -> None:
    blind, point = bytes.fromhex(INPUTS["blind"]), oprf.hash_to_group(oprf.bsn_input(INPUTS["bsn"]))
    assert V["point"] == point.hex()
    assert V["blinded"] == oprf.multiply(blind, point).hex()
    assert V["inverse"] == oprf.inverse(blind).hex()


def test_it_writes_avro_as_we_do() -> None:
    score = {k: v for k, v in INPUTS["score"].items() if k != "regel"}
    fact = score | {"toewijzing": None, "beschikking": score["beschikking"].encode()}
    record = {
        "regel": INPUTS["score"]["regel"],
        "regels": 1,
        "inhoud": ("nl.sor.Score", fact),
        "records": 0,
        "plaats": 0,
    }
    assert Codec("sor.sealed").decode(bytes.fromhex(V["sealed"])) == record
    assert INPUTS["ids"]["sealed"] == int.from_bytes(bytes.fromhex(V["sealed"])[1:5], "big")


def test_its_envelope_becomes_an_event(evaluator: Evaluator, admission: Admission) -> None:
    admitted = through(evaluator, admission)
    context, score = INPUTS["context"], INPUTS["score"]
    assert admitted.code == ""
    assert admitted.event is not None
    event = record_to_event(Codec("sor.events").decode(admitted.event))
    assert (event.delivery, event.line) == (admitted.handle.decode(), INPUTS["line"])
    assert admitted.line.delivery == context["delivery"]
    assert (event.aanbieder, event.published_at) == (context["sender"], INPUTS["published_at"])
    hashed = References(ROOT).hashed(b"beschikking", context["sender"], score["beschikking"].encode())
    told = {name: score[name] for name in ("doel", "beoordelaar", "waarde", "tijd")}
    assert event.fact == Score(toewijzing=None, beschikking=hashed, **told)


def test_its_client_has_our_pseudonym(evaluator: Evaluator, admission: Admission) -> None:
    product = oprf.multiply(SCALAR, oprf.hash_to_group(oprf.bsn_input(INPUTS["bsn"])))
    assert through(evaluator, admission).pseudonym == Pseudonyms(ROOT, "jeugd", 0).name(product)


def test_its_envelope_is_bound_to_its_place(evaluator: Evaluator) -> None:
    with pytest.raises(NotTrusted):
        evaluate(evaluator, "sor.in.cem", trusted()[1])


def test_the_envelope_of_the_suite_before_has_no_effect(evaluator: Evaluator) -> None:
    with pytest.raises(Undecodable, match="not the form"):
        evaluator.read(bytes.fromhex(BEFORE["envelope"]))


def test_its_header_is_what_it_was_given() -> None:
    record = Codec("sor.in").decode(MADE)
    context = {name: record[name] for name in INPUTS["context"] if name != "topic"} | {"topic": TOPIC}
    assert context == INPUTS["context"]
    assert (record["line"], record["suite"]) == (INPUTS["line"], "sor-2")
    assert {len(record["evaluate_wrapped"]), len(record["entry_wrapped"])} == {1168}
    assert len(record["evaluate_sealed"]) == 32 + 16
