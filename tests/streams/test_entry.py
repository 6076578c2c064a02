"""Stage entry: what gets in, what is refused, and what never leaves it in clear."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from crypto import oprf
from crypto.keys import EntryKeys
from crypto.oprf import InvalidPoint
from crypto.pseudonym import Pseudonyms, References
from crypto.seal import CannotOpen, PrivateKey
from crypto.sources import NotTrusted
from domain.facts.answer import Line
from domain.facts.fact import Meting, Terugname
from schemas.codec import Record, Undecodable
from schemas.records import fact_to_record
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, LINES, REJECTED, TERUGNAMES
from schemas.typed import StructCodec
from streams.admission import Admission, Admitted
from streams.entry import EntryConfig, Stage
from tests.build import score
from tests.streams.support import (
    BSN,
    DELIVERY,
    ENTRY_KEYS,
    EVALUATE_KEYS,
    FACTS,
    OTHER,
    PUBLIC,
    REFERENCES,
    SENDER,
    Recorder,
    codec,
    envelope,
    evaluated,
    honest,
    message,
    refusal,
    sealed,
)
from tests.trusted import ARRIVED, admit, hub
from transport.clients import Cluster
from transport.health import HealthConfig

SCORE, TAKEBACK = IN_TOPIC["score"], IN_TOPIC["takeback"]


@pytest.fixture(scope="module")
def admission() -> Admission:
    return Admission(ENTRY_KEYS, hub()[0])


def run(admission: Admission, record: Record) -> Admitted:
    return admit(admission, codec(EVALUATED).encode(record))


def line(admitted: Admitted) -> Record:
    return codec(LINES).decode(StructCodec(Line).encode(admitted.line))


def event(admitted: Admitted) -> Record:
    assert admitted.event is not None
    return codec(EVENTS).decode(admitted.event)


@pytest.mark.parametrize("kind", FACTS)
def test_a_good_fact_gets_in_under_its_pseudonym(admission: Admission, kind: str) -> None:
    admitted = run(admission, evaluated(honest(kind, line=2), IN_TOPIC[kind]))
    product = oprf.multiply(EVALUATE_KEYS.scalar, oprf.hash_to_group(oprf.bsn_input(BSN)))
    assert admitted.pseudonym == Pseudonyms(ENTRY_KEYS.root, "jeugd", 0).name(product)
    found = event(admitted)
    assert (found["delivery"], found["line"], found["aanbieder"]) == (admitted.handle.decode(), 2, SENDER)
    assert found["fact"][0] == fact_to_record(FACTS[kind])[0]
    assert line(admitted) == {
        "delivery": DELIVERY, "line": 2, "lines": 3, "kind": kind, "sender": SENDER, "test": False,
        "published_at": 1_750_000_000_000, "regel": 5, "regels": 1, "uitkomst": "geaccepteerd", "code": "", "veld": "",
        "volgende": [],
    }  # fmt: skip


@pytest.mark.parametrize("kind", FACTS)
def test_no_reference_and_no_free_text_leaves_in_clear(admission: Admission, kind: str) -> None:
    admitted = run(admission, evaluated(honest(kind), IN_TOPIC[kind]))
    inside = sealed(fact_to_record(FACTS[kind]))
    assert any(text in inside for text in REFERENCES)
    for out in (admitted.event or b"", StructCodec(Line).encode(admitted.line), admitted.pseudonym):
        assert not any(text in out for text in REFERENCES)


def test_references_are_hashed_within_the_provider(admission: Admission) -> None:
    references = References(ENTRY_KEYS.root)
    fact = event(run(admission, evaluated(honest("declaration"), IN_TOPIC["declaration"])))["fact"][1]
    assert fact["toewijzing"] == references.hashed(b"toewijzing", SENDER, b"4711")
    assert fact["referentie"] == references.hashed(b"referentie", SENDER, b"regel-77")
    assert fact["vorige_referentie"] == references.hashed(b"referentie", SENDER, b"regel-76")
    assert fact["bericht"] == references.hashed(b"bericht.declaration", SENDER, b"ident-3")
    other = event(run(admission, evaluated(honest("declaration", sender="99000002"), IN_TOPIC["declaration"])))
    hashed = ("toewijzing", "referentie", "vorige_referentie", "bericht")
    assert not {fact[name] for name in hashed} & {other["fact"][1][name] for name in hashed}


def test_an_absent_reference_stays_absent(admission: Admission) -> None:
    admitted = run(admission, evaluated(honest("score", score(None, b"b")), SCORE))
    assert event(admitted)["fact"][1]["toewijzing"] is None


@pytest.mark.parametrize(("text", "word"), [("Tante Truus", "Anders"), (" moeder ", "Anders"), ("MOEDER", "Moeder")])
def test_the_informant_is_one_of_a_list(admission: Admission, text: str, word: str) -> None:
    good = FACTS["cem"]
    assert isinstance(good, Meting)
    fact = replace(good, informant=text)
    admitted = run(admission, evaluated(honest("cem", fact), IN_TOPIC["cem"]))
    if text != text.strip():
        assert (admitted.code, admitted.event) == ("C12", None)
    else:
        assert event(admitted)["fact"][1]["informant"] == word


def test_a_test_delivery_makes_a_line_and_no_event(admission: Admission) -> None:
    admitted = run(admission, evaluated(honest("score", test=True), SCORE))
    assert admitted.event is None
    assert line(admitted)["test"] is True
    assert line(admitted)["uitkomst"] == "geaccepteerd"


@pytest.mark.parametrize(
    "moved",
    [{"topic": IN_TOPIC["cem"]}, {"delivery": "f" * 32}, {"lines": 4}, {"sender": "99000002"}, {"test": True},
     {"epoch": 1}, {"evaluate_hash": bytes(32)}, {"entry_wrapped": bytes(1168)}, {"signature": bytes(64)},
     {"signature": b""}, {"certificate": b""}],
    ids=lambda moved: next(iter(moved)),
)  # fmt: skip
def test_a_delivery_that_was_moved_is_signed_by_nobody(admission: Admission, moved: dict[str, Any]) -> None:
    with pytest.raises(NotTrusted):
        run(admission, evaluated(honest("score"), SCORE) | moved)


@pytest.mark.parametrize("moved", [{"line": 2}, {"published_at": 1}], ids=lambda moved: next(iter(moved)))
def test_a_line_that_was_moved_does_not_open(admission: Admission, moved: dict[str, Any]) -> None:
    with pytest.raises(CannotOpen, match=r"does not open|changed or moved"):
        run(admission, evaluated(honest("score"), SCORE) | moved)


def test_a_record_of_nobody_has_no_line_and_names_nobody(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    run_stage(messages(evaluated(honest("score"), SCORE) | {"sender": "99000002"}))
    [(key, letter)] = out.of(REJECTED)
    assert (key, letter["code"], letter["sender"], letter["delivery"]) == (b"", "K05", "", "")
    assert [topic for topic, _, _ in out.sent] == [REJECTED]


def test_no_delivery_is_of_the_future(admission: Admission) -> None:
    """Else a source could send what nobody can take back."""
    later = ARRIVED + 86_400_000
    admitted = run(admission, evaluated(honest("score", published_at=later), SCORE))
    assert (admitted.published_at, event(admitted)["published_at"]) == (ARRIVED, ARRIVED)


def test_a_delivery_is_its_sender_its_id_and_its_size(admission: Admission) -> None:
    """Another's id is another delivery, and so is one id with other records; a handle says nothing of the id."""
    same = [run(admission, evaluated(honest("score", line=line), SCORE)).handle for line in (1, 2)]
    others = [
        run(admission, evaluated(honest("score", **changed), SCORE)).handle
        for changed in ({"sender": "99000002"}, {"lines": 4}, {"delivery": "f" * 32})
    ]
    assert same[0] == same[1]
    assert len({same[0], *others, DELIVERY.encode()}) == 5


@pytest.mark.parametrize("field", ["entry_key_id", "entry_sealed"])
@pytest.mark.parametrize("place", [0, 6, -1])
def test_a_flipped_bit_does_not_open(admission: Admission, field: str, place: int) -> None:
    record = evaluated(honest("score"), SCORE)
    damaged = bytearray(record[field])
    damaged[place] ^= 1
    with pytest.raises(CannotOpen):
        run(admission, record | {field: bytes(damaged)})


def test_a_key_that_it_does_not_hold_is_said(admission: Admission) -> None:
    stranger = PUBLIC._replace(entry=PrivateKey.generate().public)
    with pytest.raises(CannotOpen, match="a key that this process does not hold"):
        run(admission, evaluated(honest("score", keys=stranger), SCORE))


def test_two_keys_are_understood_during_a_rotation() -> None:
    previous, current = PrivateKey.generate(), PrivateKey.generate()
    both = Admission(EntryKeys({k.id: k for k in (previous, current)}, ENTRY_KEYS.root, "jeugd", 0), hub()[0])
    for key in (previous, current):
        record = honest("score", keys=PUBLIC._replace(entry=key.public))
        assert run(both, evaluated(record, SCORE)).event is not None


@pytest.mark.parametrize(
    "element", [oprf.IDENTITY, b"\xff" * 32, b"\x02" * 31, b"\x02" * 33], ids=["neutral", "too large", "short", "long"]
)
def test_an_element_that_is_no_point_is_refused(admission: Admission, element: bytes) -> None:
    with pytest.raises(InvalidPoint):
        run(admission, evaluated(honest("score"), SCORE, element))


def test_a_scalar_of_zero_names_nobody(admission: Admission) -> None:
    """Else all clients of a careless publisher would be one."""
    plain = bytes(32) + sealed(fact_to_record(FACTS["score"]))
    with pytest.raises(InvalidPoint):
        run(admission, evaluated(envelope(SCORE, oprf.blind_message(oprf.bsn_input(BSN))[0], plain), SCORE))


@pytest.mark.parametrize("kind", FACTS)
@pytest.mark.parametrize("other", FACTS)
def test_a_topic_carries_one_kind_of_fact(admission: Admission, kind: str, other: str) -> None:
    blinded, inverse = oprf.blind_message(oprf.bsn_input(BSN))
    record = envelope(IN_TOPIC[kind], blinded, inverse + sealed(fact_to_record(FACTS[other])))
    admitted = run(admission, evaluated(record, IN_TOPIC[kind]))
    assert admitted.code == ("" if kind == other else "K04")
    assert (admitted.event is None) == (kind != other)


def test_a_fact_without_a_blinded_element_is_refused(admission: Admission) -> None:
    plain = bytes(32) + sealed(fact_to_record(FACTS["score"]))
    admitted = run(admission, evaluated(envelope(SCORE, b"", plain), SCORE))
    assert (admitted.code, admitted.event, admitted.pseudonym) == ("K04", None, b"")


@pytest.mark.parametrize("plain", [b"", bytes(31), bytes(32), bytes(32) + b"\x00\x00\x00\x00\x07", b"\x01" * 90])
def test_an_inside_that_is_no_record_is_undecodable(admission: Admission, plain: bytes) -> None:
    with pytest.raises(Undecodable):
        run(admission, evaluated(envelope(SCORE, oprf.blind_message(oprf.bsn_input(BSN))[0], plain), SCORE))


@pytest.mark.parametrize("topic", ["", "sor.events", "sor.in", "sor.in.score2"])
def test_a_record_of_no_topic_of_a_connector_is_undecodable(admission: Admission, topic: str) -> None:
    record = evaluated(honest("score"), SCORE) | {"topic": topic}
    with pytest.raises(Undecodable, match="no topic of a connector"):
        run(admission, record)


def test_a_fact_that_breaks_a_rule_is_refused_with_its_field(admission: Admission) -> None:
    admitted = run(admission, evaluated(honest("score", score(waarde=3)), SCORE))
    assert (admitted.code, admitted.event, admitted.pseudonym) == ("R05", None, b"")
    out = line(admitted)
    assert (out["uitkomst"], out["code"], out["veld"], out["regel"]) == ("afgekeurd", "R05", "waarde", 5)


@pytest.mark.parametrize(
    ("code", "veld", "kept"),
    [
        ("R05", "Waarde", ("R05", "Waarde")),
        ("R05", "", ("R05", "")),
        ("R05", "begin-datum van_iets", ("R05", "begin-datum van_iets")),
        ("X99", "Waarde", ("K04", "Waarde")),
        (BSN, "Waarde", ("K04", "Waarde")),
        ("", "Waarde", ("K04", "Waarde")),
        ("R05", f"bsn {BSN}", ("R05", "")),
        ("C05", "VR09A", ("C05", "VR09A")),
        ("R05", "D10O", ("R05", "D10O")),
        ("B22", "iJw 3.1", ("B22", "iJw 3.1")),
        ("B22", "iJw 12.34", ("B22", "")),
        ("C05", "VR99", ("C05", "")),
        ("C05", f"VR09A {BSN}", ("C05", "")),
        ("R05", "veld 1", ("R05", "")),
        ("R05", "x" * 41, ("R05", "")),
        ("R05", "Véld", ("R05", "")),
        ("R05", "veld\n", ("R05", "")),
    ],
)
def test_a_refusal_carries_no_content(admission: Admission, code: str, veld: str, kept: tuple[str, str]) -> None:
    admitted = run(admission, evaluated(refusal(code, veld), SCORE))
    out = line(admitted)
    assert (out["code"], out["veld"]) == kept
    assert (admitted.code, admitted.event, admitted.pseudonym) == (kept[0], None, b"")


def test_a_refusal_may_come_through_any_topic(admission: Admission) -> None:
    for kind, topic in IN_TOPIC.items():
        assert line(run(admission, evaluated(refusal("B03", "", kind), topic)))["kind"] == kind


@pytest.fixture
def stage() -> tuple[Stage, Recorder]:
    out = Recorder()
    config = EntryConfig(Cluster(""), ENTRY_KEYS, hub()[0], "group", "0", HealthConfig())
    return Stage(config, out), out  # type: ignore[arg-type]


def messages(*records: Record) -> list[Any]:
    return [message(EVALUATED, codec(EVALUATED).encode(record), offset) for offset, record in enumerate(records, 10)]


def test_a_batch_gives_events_by_client_and_lines_by_delivery(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    records = [honest("score", line=1), honest("score", line=2, bsn=OTHER), refusal("R05", "waarde")]
    run_stage(messages(*(evaluated(record, SCORE) for record in records)))
    assert len({key for key, _ in out.of(LINES)} - {DELIVERY.encode()}) == 1
    assert [line["delivery"] for _, line in out.of(LINES)] == [DELIVERY] * 3
    assert len({key for key, _ in out.of(EVENTS)}) == 2
    assert out.of(REJECTED) == []


def test_a_dead_letter_has_coordinates_a_line_and_no_clear_content(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    record = evaluated(honest("score"), SCORE) | {"line": 2}
    run_stage(messages(record))
    [(key, letter)] = out.of(REJECTED)
    assert key == DELIVERY.encode()
    coordinates = (letter["stage"], letter["topic"], letter["partition"], letter["offset"])
    assert coordinates == ("entry", EVALUATED, 2, 10)
    assert (letter["code"], letter["delivery"], letter["line"], letter["sender"]) == ("K01", DELIVERY, 2, SENDER)
    assert letter["source"] == hub()[1].id
    [(_, counted)] = out.of(LINES)
    assert (counted["line"], counted["code"], counted["regel"], counted["veld"]) == (2, "K01", 0, "")
    assert out.of(EVENTS) == []
    for _, _, value in out.sent:
        assert not any(text in value for text in (*REFERENCES, BSN.encode()))


def test_a_dead_letter_of_noise_has_no_line(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    run_stage([message(EVALUATED, b"noise", key=None), message(EVALUATED, None)])
    assert [letter["code"] for _, letter in out.of(REJECTED)] == ["K03", "K03"]
    assert out.of(LINES) == []


def test_poison_among_good_records_stops_nothing(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    good = messages(evaluated(honest("score"), SCORE))[0]
    run_stage([good, message(EVALUATED, b"noise"), good])
    assert len(out.of(EVENTS)) == len(out.of(LINES)) == 2


def test_noise_sets_nobody_aside_and_stops_nothing(stage: tuple[Stage, Recorder]) -> None:
    """It belongs to no source: else whoever may write there could stop the stage, or have another set aside."""
    run_stage, out = stage
    good = messages(evaluated(honest("score"), SCORE))[0]
    run_stage([message(EVALUATED, b"noise")] * 3000)
    run_stage([good])
    assert len(out.of(REJECTED)) == 3000
    assert len(out.of(LINES)) == 1


def taking_back(sender: str = SENDER, **header: Any) -> Record:
    """An envelope that takes back the delivery of the other tests."""
    fact = Terugname(aanlevering=DELIVERY, lines=3, reden="verkeerd bestand")
    plain = bytes(32) + sealed(fact_to_record(fact))
    return envelope(TAKEBACK, b"", plain, delivery="e" * 32, lines=1, sender=sender, **header)


def test_a_source_takes_back_a_delivery_of_its_own(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    run_stage(messages(evaluated(honest("score"), SCORE), evaluated(taking_back(), TAKEBACK)))
    (sent, _), (own, _), (told, line) = out.of(LINES)
    [(key, taken)] = out.of(TERUGNAMES)
    assert key == told == sent != own
    assert (taken["aanlevering"], taken["sender"], taken["door"]) == (sent.decode(), SENDER, "hub")
    assert (line["uitkomst"], line["delivery"]) == ("teruggenomen", "")


def test_nobody_takes_back_a_delivery_of_another(stage: tuple[Stage, Recorder]) -> None:
    """The same id in another name is another delivery: nothing of the first hears of it."""
    run_stage, out = stage
    record = evaluated(taking_back("99000002"), TAKEBACK)
    run_stage(messages(evaluated(honest("score"), SCORE), record))
    assert out.of(LINES)[0][0] not in {key for key, _ in [*out.of(LINES)[1:], *out.of(TERUGNAMES)]}


def test_a_test_takes_nothing_back(stage: tuple[Stage, Recorder]) -> None:
    run_stage, out = stage
    run_stage(messages(evaluated(taking_back(test=True), TAKEBACK)))
    assert (len(out.of(LINES)), out.of(TERUGNAMES)) == (1, [])
