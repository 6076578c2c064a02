"""The step of stage *register* and what entry tells it, in the form that both have in Kafka."""

from __future__ import annotations

from typing import Any

import pytest

from domain.facts.answer import Line
from domain.facts.fact import Content, Dubbel, Event, Intrekking, Vervanging
from domain.facts.uses import SPREAD
from schemas.codec import Codec
from schemas.records import fact_to_record, record_to_event
from schemas.structs import Evaluated, Use
from schemas.topics import EVENTS, LINES
from schemas.typed import StructCodec, dict_codec
from streams.engine.stage import Record
from streams.register import Register, Uses
from tests.build import bericht_retour, cbs_record, prestatie, prestatie_retour, start

HANDLES = [f"{n:x}" * 32 for n in range(1, 7)]
SENDER = "99000001"


def envelope(delivery: str, line: int = 1, at: int = 77) -> Evaluated:
    """What of an envelope the register is told: the delivery by its handle."""
    header: Any = {"delivery": delivery, "line": line, "lines": 2, "sender": SENDER, "published_at": at}
    whole: Evaluated = header
    return whole


class Stream:
    """Entry's uses and the stage, one state for each key."""

    def __init__(self) -> None:
        self._uses, self._register = Uses(), Register()
        self.states: dict[str, bytes] = {}
        self.events: list[tuple[bytes, Event]] = []
        self.lines: list[tuple[bytes, Line]] = []
        self._offset = 0

    def tell(
        self, fact: Content, client: bytes, delivery: str, *, place: int = 1, records: int = 2, at: int = 77
    ) -> list[str]:
        """One accepted line; the keys that it went to."""
        content = repr((fact, client)).encode()[-16:]
        told = self._uses(envelope(delivery, place, at), fact_to_record(fact), content, records, place, place, client)
        for key, value in told:
            self.fold(key, value)
        return [key for key, _ in told]

    def take_back(self, key: str, delivery: str, terug: int, opnieuw: int = 0) -> None:
        """As stage takeback tells it."""
        kind, aanbieder, number, _ = key.split("|")
        use: Use = {
            "soort": kind, "aanbieder": aanbieder, "sleutel": bytes.fromhex(number), "inhoud": b"", "bericht": b"",
            "pseudonym": None, "retour": "", "delivery": delivery, "line": 0, "lines": 0, "tijd": 0,
            "published_at": 99, "records": 0, "plaats": 0, "terug": terug, "opnieuw": opnieuw,
            "dagtekening": 0,
        }  # fmt: skip
        self.fold(key, dict_codec(Use).encode(use))

    def fold(self, key: str, value: bytes) -> None:
        self.states[key], out = self._register(key.encode(), self.states.get(key), [Record(self._offset, value, 0)])
        self._offset += 1
        for one in out:
            assert one.value is not None
            if one.topic == EVENTS:
                self.events.append((one.key, record_to_event(Codec(EVENTS).decode(one.value))))
            else:
                assert one.topic == LINES
                self.lines.append((one.key, StructCodec(Line).decode(one.value)))


def test_an_answer_names_itself_in_what_it_withdraws_and_taken_back_restores_the_line() -> None:
    stream = Stream()
    (key,) = stream.tell(start(bericht=b"message1"), b"p1", HANDLES[0])
    assert stream.tell(bericht_retour("start", b"message1"), b"", HANDLES[1]) == [key]
    ((client, event),) = stream.events
    assert (client, event.delivery, event.line, event.aanbieder) == (b"p1", HANDLES[1], 0, SENDER)
    assert event.fact == Intrekking(soort="start", bericht=b"message1", code="0001")
    stream.take_back(key, HANDLES[1], 5)
    stream.take_back(key, HANDLES[1], 5, 6)
    assert [(k.decode(), line.delivery, line.line, line.uitkomst, line.code) for k, line in stream.lines] == [
        (HANDLES[0], "", 1, outcome, "0001") for outcome in ("ingetrokken", "hersteld", "ingetrokken")
    ]
    assert {(line.kind, line.lines, line.sender, line.test) for _, line in stream.lines} == {
        ("start", 2, SENDER, False)
    }


def test_two_contents_of_a_declaration_meet_though_its_lines_are_spread() -> None:
    stream = Stream()
    for place, client in ((1, b"p1"), (5_000, b"p2"), (9_000, b"p3")):
        stream.tell(prestatie(str(place), bericht=b"message1"), client, HANDLES[0], place=place, records=9_000)
    stream.tell(prestatie("other", bericht=b"message1"), b"p4", HANDLES[1], place=5_000, records=9_000)
    flagged = {(client, event.delivery, event.fact.aanlevering) for client, event in stream.events
               if isinstance(event.fact, Dubbel) and event.fact.regel == "TR056"}  # fmt: skip
    assert flagged == {(b"p2", HANDLES[1], HANDLES[0]), (b"p4", HANDLES[0], HANDLES[1])}


def test_a_declaration_number_is_told_once_for_a_client_and_delivery() -> None:
    stream = Stream()
    fact = prestatie("1", bericht=b"message1", declaratienummer=b"number")
    numbers = [
        sum(key.startswith("declaratienummer|") for key in stream.tell(fact, client, delivery))
        for client, delivery in ((b"p1", HANDLES[0]), (b"p1", HANDLES[0]), (b"p2", HANDLES[0]), (b"p1", HANDLES[1]))
    ]
    assert numbers == [1, 0, 1, 1]


def test_a_cbs_delivery_is_replaced_in_every_part_and_counts_again() -> None:
    stream = Stream()
    for delivery in HANDLES[:2]:
        for place, client in ((1, b"p1"), (2, b"p2")):
            keys = stream.tell(cbs_record(tijd=int(delivery[0])), client, delivery, place=place, records=0)
            assert len(keys) == SPREAD
    assert {(client, event.delivery, event.fact) for client, event in stream.events} == {
        (client, HANDLES[1], Vervanging(periode="2026-1", aanlevering=HANDLES[0])) for client in (b"p1", b"p2")
    }
    assert not stream.lines


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("regels.declaration", bericht_retour("declaration", b"message1")),
        ("referentie", prestatie_retour("1", bericht=b"message1")),
    ],
)
def test_lines_of_declarations_are_told_as_such(kind: str, answer: Content) -> None:
    stream = Stream()
    stream.tell(prestatie("1", bericht=b"message1"), b"p1", HANDLES[0])
    stream.tell(answer, b"" if kind != "referentie" else b"p1", HANDLES[1])
    assert [(key.decode(), line.kind, line.uitkomst) for key, line in stream.lines] == [
        (HANDLES[0], "declaration", "ingetrokken")
    ]


def test_answers_and_uses_beyond_the_bound_are_refused_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.facts.bounds.MOST_BYTES", 300)
    monkeypatch.setattr("domain.facts.bounds.MOST_ANSWERS", 1)
    monkeypatch.setattr("domain.facts.register.MOST_ANSWERS", 1)
    stream = Stream()
    for delivery in HANDLES[:2]:
        stream.tell(start(bericht=b"message1"), b"p1", delivery)
        stream.tell(cbs_record(), b"p1", delivery, records=0)
    for delivery in HANDLES[2:4]:
        stream.tell(bericht_retour("start", b"message1"), b"", delivery)
    refused = [(key.decode(), line.kind, line.code) for key, line in stream.lines if line.uitkomst == "afgekeurd"]
    assert {code for _, _, code in refused} == {"K08"}
    assert {kind for _, kind, _ in refused} == {"start", "cbs", "return"}
    assert {key in HANDLES[2:4] for key, kind, _ in refused if kind == "return"} == {True}


def test_a_batch_that_comes_again_is_told_again() -> None:
    register, uses = Register(), Uses()
    told = []
    for fact, client, delivery in (
        (start(bericht=b"message1"), b"p1", HANDLES[0]),
        (bericht_retour("start", b"message1"), b"", HANDLES[1]),
    ):
        told += uses(envelope(delivery), fact_to_record(fact), b"h" * 16, 2, 1, 1, client)
    records = [Record(offset, value, 0) for offset, (_, value) in enumerate(told)]
    state, first = register(b"", None, records)
    assert len(first) == 2
    assert register(b"", state, records)[1] == first
    assert not register(b"", state, [record._replace(offset=9) for record in records])[1]


def test_a_fact_is_no_newer_than_the_delivery_that_makes_it_until_that_comes_again() -> None:
    """Stage takeback reads from it whether a delivery came again after it was taken back."""
    stream = Stream()
    (key,) = stream.tell(bericht_retour("start", b"message1"), b"", HANDLES[1], at=50)
    stream.tell(start(bericht=b"message1"), b"p1", HANDLES[0], at=90)
    stream.take_back(key, HANDLES[1], 60)
    stream.take_back(key, HANDLES[1], 60, 95)
    assert [(event.delivery, event.published_at) for _, event in stream.events] == [(HANDLES[1], 50), (HANDLES[1], 95)]


def test_a_delivery_that_came_again_unseen_is_told_when_it_is_known() -> None:
    """Its record may be here before the word that it was taken back."""
    stream = Stream()
    (key,) = stream.tell(bericht_retour("start", b"message1"), b"", HANDLES[1], at=50)
    stream.tell(start(bericht=b"message1"), b"p1", HANDLES[0], at=90)
    stream.take_back(key, HANDLES[1], 60, 95)
    assert [(event.delivery, event.published_at) for _, event in stream.events] == [(HANDLES[1], 50), (HANDLES[1], 95)]


def remarks(stream: Stream) -> list[tuple[str, str, int, str, str]]:
    return [
        (key.decode(), line.kind, line.line, line.uitkomst, line.code)
        for key, line in stream.lines
        if line.uitkomst in ("opmerking", "vervallen")
    ]


def test_senders_hear_of_a_number_used_for_two_things_until_one_is_taken_back() -> None:
    stream = Stream()
    (key,) = stream.tell(start(bericht=b"message1"), b"p1", HANDLES[0])
    stream.tell(start(10, bericht=b"message1"), b"p2", HANDLES[1])
    both = [(handle, "start", 1, "opmerking", "TR056") for handle in HANDLES[:2]]
    assert remarks(stream) == both
    stream.take_back(key, HANDLES[0], 5)
    assert remarks(stream)[2:] == [(handle, "start", 1, "vervallen", "TR056") for handle in HANDLES[:2]]
    stream.take_back(key, HANDLES[0], 5, 6)
    assert remarks(stream)[4:] == both


def test_of_a_declaration_number_the_delivery_as_a_whole_hears() -> None:
    stream = Stream()
    for place, handle in enumerate(HANDLES[:2], 1):
        bericht = b"message%d" % place
        line = prestatie(str(place), bericht=bericht, declaratienummer=b"number")
        stream.tell(line, b"p1", handle, place=place)
    assert remarks(stream) == [(handle, "declaration", 0, "opmerking", "TR333") for handle in HANDLES[:2]]


def test_of_a_reference_used_twice_its_lines_hear() -> None:
    stream = Stream()
    for place, handle in enumerate(HANDLES[:2], 1):
        stream.tell(prestatie("1", bericht=b"message%d" % place), b"p1", handle, place=place)
    assert [one for one in remarks(stream) if one[-1] == "TR314"] == [
        (handle, "declaration", place, "opmerking", "TR314") for place, handle in enumerate(HANDLES[:2], 1)
    ]
