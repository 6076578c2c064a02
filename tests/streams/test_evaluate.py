"""Stage evaluate: multiplies what opens, refuses what does not, and touches nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from crypto import oprf
from crypto.keys import EvaluateKeys
from crypto.oprf import InvalidPoint
from crypto.seal import CannotOpen, PrivateKey
from crypto.sources import NotTrusted
from domain.field.messages import MESSAGES
from schemas.codec import Record, Undecodable
from schemas.structs import Rejected
from schemas.topics import EVALUATED, IN_TOPIC
from schemas.typed import StructCodec
from streams.evaluate import Evaluator
from streams.orders import Skipped
from streams.poison import SetAside
from streams.rejected import rejection
from tests.streams.support import BSN, EVALUATE_KEYS, OTHER, PUBLIC, SENDER, codec, envelope, honest, message, refusal
from tests.trusted import ARRIVED, DAY, evaluate, hub

SCORE = IN_TOPIC["score"]


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(EVALUATE_KEYS, hub()[0])


def run(evaluator: Evaluator, record: Record, topic: str = SCORE) -> Record:
    return codec(EVALUATED).decode(evaluate(evaluator, topic, codec("sor.in").encode(record)))


def test_it_multiplies_and_passes_on_the_part_of_entry_untouched(evaluator: Evaluator) -> None:
    blinded = oprf.blind_message(oprf.bsn_input(BSN))[0]
    record = envelope(SCORE, blinded, b"whatever is in it")
    out = run(evaluator, record)
    assert out["element"] == oprf.multiply(EVALUATE_KEYS.scalar, blinded)
    assert out["topic"] == SCORE
    assert {name: out[name] for name in out if name in record} == {n: v for n, v in record.items() if n in out}
    assert {"entry_key_id", "entry_wrapped", "entry_sealed", "published_at"} < out.keys()
    assert {name for name in out if name.startswith("evaluate")} == {"evaluate_hash"}


@pytest.mark.parametrize(
    "moved",
    [{"line": 2}, {"published_at": 1_750_000_000_001}],
    ids=lambda moved: next(iter(moved)),
)
def test_a_line_that_was_moved_does_not_open(evaluator: Evaluator, moved: dict[str, Any]) -> None:
    with pytest.raises(CannotOpen, match=r"does not open|changed or moved"):
        run(evaluator, honest("score") | moved)


@pytest.mark.parametrize(
    "moved",
    [{"delivery": "f" * 32}, {"lines": 4}, {"sender": "99000002"}, {"test": True}, {"epoch": 1}],
    ids=lambda moved: next(iter(moved)),
)
def test_a_delivery_that_was_moved_is_signed_by_nobody(evaluator: Evaluator, moved: dict[str, Any]) -> None:
    with pytest.raises(NotTrusted):
        run(evaluator, honest("score") | moved)


@pytest.mark.parametrize(
    "moved",
    [
        *({"delivery": "f" * 32}, {"lines": 4}, {"sender": "99000002"}, {"test": True}, {"epoch": 1}),
        *({"evaluate_wrapped": b"w" * 1168}, {"entry_wrapped": b"w" * 1168}),
        *({"certificate": b"c" * 400}, {"signature": b"s" * 64}, {"suite": "sor-1"}),
    ],
    ids=lambda moved: next(iter(moved)),
)
def test_in_the_middle_of_a_run_a_record_is_trusted_no_more_than_alone(moved: dict[str, Any]) -> None:
    """Of records in a row that are the same but for the line, less is asked anew: of no other record."""
    evaluator, record = Evaluator(EVALUATE_KEYS, hub()[0]), honest("score")
    for _ in range(4):
        assert run(evaluator, record)["sender"] == SENDER
    with pytest.raises((NotTrusted, Undecodable)):
        run(evaluator, record | moved)
    assert run(evaluator, record)["sender"] == SENDER
    with pytest.raises(NotTrusted, match="at this time"):
        evaluate(evaluator, SCORE, codec("sor.in").encode(record), ARRIVED + 3 * DAY * 1000)


@pytest.mark.parametrize("topic", sorted(set(IN_TOPIC.values()) - {SCORE}))
def test_an_envelope_on_another_topic_is_signed_by_nobody(evaluator: Evaluator, topic: str) -> None:
    with pytest.raises(NotTrusted):
        run(evaluator, honest("score"), topic)


@pytest.mark.parametrize("field", ["evaluate_wrapped", "entry_wrapped", "certificate", "signature"])
@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_flipped_bit_in_what_is_signed_is_not_trusted(evaluator: Evaluator, field: str, place: int) -> None:
    record = honest("score")
    damaged = bytearray(record[field])
    damaged[place] ^= 1
    with pytest.raises(NotTrusted):
        run(evaluator, record | {field: bytes(damaged)})


@pytest.mark.parametrize("field", ["evaluate_key_id", "evaluate_sealed"])
@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_flipped_bit_does_not_open(evaluator: Evaluator, field: str, place: int) -> None:
    record = honest("score")
    damaged = bytearray(record[field])
    damaged[place] ^= 1
    with pytest.raises(CannotOpen):
        run(evaluator, record | {field: bytes(damaged)})


@pytest.mark.parametrize("field", ["evaluate_key_id", "evaluate_sealed"])
@pytest.mark.parametrize("value", [b"x", bytes(8), bytes(1168)])
def test_noise_in_place_of_a_part_does_not_open(evaluator: Evaluator, field: str, value: bytes) -> None:
    with pytest.raises(CannotOpen):
        run(evaluator, honest("score") | {field: value})


def test_a_key_that_it_does_not_hold_is_said(evaluator: Evaluator) -> None:
    stranger = PUBLIC._replace(evaluate=PrivateKey.generate().public)
    with pytest.raises(CannotOpen, match="a key that this process does not hold"):
        run(evaluator, envelope(SCORE, oprf.blind_message(oprf.bsn_input(BSN))[0], b"", keys=stranger))


def test_two_keys_are_understood_during_a_rotation() -> None:
    previous, current = PrivateKey.generate(), PrivateKey.generate()
    both = Evaluator(EvaluateKeys({previous.id: previous, current.id: current}, EVALUATE_KEYS.scalar), hub()[0])
    for key in (previous, current):
        record = envelope(
            SCORE, oprf.blind_message(oprf.bsn_input(BSN))[0], b"", keys=PUBLIC._replace(evaluate=key.public)
        )
        assert len(run(both, record)["element"]) == 32


@pytest.mark.parametrize(
    "blinded",
    [oprf.IDENTITY, b"\xff" * 32, b"\x01" + bytes(31), bytes(31) + b"\x80", b"\x02" * 31, b"\x02" * 33],
    ids=["neutral", "too large", "no square", "sign", "short", "long"],
)
def test_what_is_no_point_is_never_multiplied(evaluator: Evaluator, blinded: bytes) -> None:
    """Its answer to a made-up point could say something about its secret."""
    with pytest.raises(InvalidPoint):
        run(evaluator, envelope(SCORE, blinded, b""))


def test_a_refused_line_has_nothing_to_multiply(evaluator: Evaluator) -> None:
    evaluator.multiplications()
    assert run(evaluator, refusal("R05", "waarde"))["element"] == b""
    assert evaluator.multiplications() == 0


def test_multiplications_are_counted_and_a_client_costs_one(evaluator: Evaluator) -> None:
    evaluator.multiplications()
    one, two = oprf.blind_message(oprf.bsn_input(BSN))[0], oprf.blind_message(oprf.bsn_input(OTHER))[0]
    for blinded in (one, one, two, one):
        run(evaluator, envelope(SCORE, blinded, b""))
    assert evaluator.multiplications() == 2
    assert evaluator.multiplications() == 0


@pytest.mark.parametrize("value", [b"", b"\x00", b"{}", b"\x00\x00\x00\x00\x00" + bytes(40)])
def test_what_is_no_envelope_is_undecodable(evaluator: Evaluator, value: bytes) -> None:
    with pytest.raises(Undecodable):
        evaluator.read(value)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (CannotOpen, "K01"),
        (InvalidPoint, "K02"),
        (Undecodable, "K03"),
        (NotTrusted, "K05"),
        (SetAside, "K06"),
        (Skipped, "K09"),
    ],
)
def test_a_dead_letter_carries_coordinates_and_why_and_never_the_record(problem: type[Exception], code: str) -> None:
    record = honest("score", line=3)
    value = codec("sor.in").encode(record)
    clear = codec("sor.in").decode(value)
    letter = rejection("evaluate", message(SCORE, value), problem("said so"), clear, 64, "99000009")
    assert codec("sor.rejected").decode(StructCodec(Rejected).encode(letter)) == {
        "stage": "evaluate", "topic": SCORE, "partition": 2, "offset": 7, "code": code, "reason": "said so",
        "delivery": record["delivery"], "line": 3, "sender": record["sender"], "source": "99000009", "rejected_at": 64,
    }  # fmt: skip
    assert code in MESSAGES


def test_a_dead_letter_of_nothing_readable_has_its_coordinates() -> None:
    letter = rejection("evaluate", message(SCORE, None, key=None), Undecodable("no wire format"), None, 64)
    assert (letter.delivery, letter.line, letter.sender, letter.source) == ("", 0, "", "")
    assert (letter.offset, letter.partition) == (7, 2)


def test_a_dead_letter_is_small_whatever_it_is_about() -> None:
    huge = message(SCORE, bytes(3_000_000), key=b"k" * 900_000)
    letter = rejection("evaluate", huge, Undecodable("x" * 100_000), None, 64)
    assert len(StructCodec(Rejected).encode(letter)) < 500
