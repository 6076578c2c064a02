"""JW306, JW308 and JW325: which messages and lines are rejected, and by which code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.model import FileRecord
from domain.facts.checks import check
from domain.facts.fact import BerichtRetour, PrestatieRetour
from domain.field.dates import day
from tests.connectors.support import BSN, BSNS, Antwoord, Retour, parse, prestatie, refusal

DAY, DAY_RETOUR = day(date(2026, 6, 20)), day(date(2026, 6, 21))
P = prestatie


def records(message: Retour | Antwoord) -> list[FileRecord]:
    """The records of an answer, each of which entry accepts too."""
    found = parse("return", message.bytes())
    assert all(check(record.inhoud) is None for record in found)  # type: ignore[arg-type]
    return found


def one(message: Retour | Antwoord) -> Any:
    """The one record of an answer on a whole message: of no client."""
    (record,) = records(message)
    assert record.bsn is None
    assert isinstance(record.inhoud, BerichtRetour)
    return record.inhoud


#: Dagtekening of the declaration that is answered.
DECLARED = day(date(2026, 6, 1))


def approval(soort: str, bericht: bytes, signed: int, of: int) -> BerichtRetour:
    return BerichtRetour(
        soort=soort,
        gemeente="0363",
        bericht=bericht,
        afgekeurd=False,
        code="",
        dagtekening=signed,
        bericht_dagtekening=of,
    )


def rejected(referentie: bytes, code: str) -> PrestatieRetour:
    return PrestatieRetour(
        gemeente="0363",
        referentie=referentie,
        bericht=b"D-000000001",
        code=code,
        dagtekening=DAY,
        bericht_dagtekening=DECLARED,
    )


@pytest.mark.parametrize(("ending", "soort"), [(False, "start"), (True, "stop")])
def test_header_only_without_codes_is_an_approval(ending: bool, soort: str) -> None:
    assert one(Retour(ending)) == approval(soort, b"000000001", DAY_RETOUR, DAY)


@pytest.mark.parametrize("ending", [False, True])
@pytest.mark.parametrize(
    ("changed", "afgekeurd", "code"),
    [
        ({"codes": ("0001",)}, True, "0001"),
        ({"codes": ("0200",)}, False, ""),
        ({"codes": ("0200", "9056", "8848")}, True, "9056"),
        ({"codes": ("0200",), "client_codes": ("0200",)}, True, "9326"),
        ({"codes": ("0200",), "client_codes": ("9304",), "class_codes": ("0233",)}, True, "9304"),
        ({"client_codes": ("0233",), "class_codes": ("0233",)}, True, "0233"),  # the block alone says it (OP065, IV087)
    ],
)
def test_a_rejecting_code_or_a_client_rejects_the_message(
    ending: bool, changed: dict[str, Any], afgekeurd: bool, code: str
) -> None:
    found = one(Retour(ending, **changed))
    assert (found.afgekeurd, found.code, found.bericht) == (afgekeurd, code, b"000000001")


def test_nothing_of_the_client_in_an_answer_goes_on() -> None:
    (record,) = records(Retour(codes=("0200",), client_codes=("0200",)))
    text = repr((record.inhoud, record.cells, record.fallback))
    assert BSN not in text
    assert "Test" not in text


def test_a_declaration_approved_in_full() -> None:
    assert one(Antwoord()) == approval("declaration", b"D-000000001", DAY, DECLARED)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Antwoord(header_codes=("0001",), header_only=True), "0001"),
        (Antwoord(header_codes=("0200", "9056"), header_only=True), "9056"),
        (Antwoord(codes=("9333",), awarded=0), "9333"),  # the class Declaratie (IV088): TR342 is not for it
    ],
)
def test_a_declaration_rejected_as_a_whole(message: Antwoord, code: str) -> None:
    found = one(message)
    assert (found.afgekeurd, found.code, found.bericht) == (True, code, b"D-000000001")


def test_each_rejected_line_is_one_record_with_its_client() -> None:
    message = Antwoord(
        [
            (P(ref="R1"), ("9308", "9321")),
            (P(ref="R2", previous="R0", dc="C", bedrag=400), ("0200", "9389")),
            (P(ref="R3", bsn=BSNS[1]), ("9338",)),
        ]
    )
    found = [(r.regel, r.bsn, r.inhoud) for r in records(message)]
    assert found == [
        (1, BSN, rejected(b"R1", "9308")),
        (2, BSN, rejected(b"R2", "9389")),
        (3, BSNS[1], rejected(b"R3", "9338")),
    ]


def test_a_rejected_client_rejects_its_lines_that_were_not_judged() -> None:
    message = Antwoord(
        [(P(ref="R1"), ("0233",)), (P(ref="R2", bsn=BSNS[1]), ("9338",))], client_codes={BSN: ("8187",)}
    )  # fmt: skip
    assert [(r.bsn, r.inhoud.code) for r in records(message)] == [(BSN, "8187"), (BSNS[1], "9338")]  # type: ignore[union-attr]


def test_a_declaration_rejected_as_a_whole_may_name_lines_too() -> None:
    found = [record.inhoud for record in records(Antwoord([(P(), ("9338",))], codes=("9333",), awarded=0))]
    assert [type(fact) for fact in found] == [PrestatieRetour, BerichtRetour]
    assert [fact.code for fact in found] == ["9338", "9333"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("TR342", Antwoord([(P(), ("9338",))], awarded=9_001)),
        ("TR342", Antwoord([(P(), ("0200",))])),
        ("TR342", Antwoord(awarded=9_999)),
        ("TR101", Antwoord([(P(), ("9338",)), (P(bsn=BSNS[1]), ("9338",))])),
        ("CS002", Antwoord([(P(bsn="999900007"), ("9338",))])),
        ("CS025", Antwoord(header={"version": 2})),
        ("CS025", Retour(header={"version": 2})),
        ("CS015", Retour(ending=True, header={"subversie": 1})),
        ("TR135", Retour(dagtekening="2026-06-23")),
        ("TR135", Antwoord(header={"dagtekening": "2026-06-23"})),
        ("B09", Retour(header={"afzender": "94000002"})),
        ("B09", Antwoord(header={"ontvanger": "94000002"})),
        ("XSD", Retour(codes=("12345",))),
        ("XSD", Retour(codes=("",))),
        ("XSD", Antwoord(header_codes=())),
        ("XSD", Antwoord([(P(), ())])),
    ],
)
def test_one_finding_refuses_the_answer(code: str, message: Retour | Antwoord) -> None:
    assert refusal("return", message.bytes()).code == code


def test_a_total_of_nothing_is_a_debit() -> None:
    data = Antwoord(submitted=0).bytes()
    credit = data.replace(b"<b:DebetCredit>D", b"<b:DebetCredit>C", 1)
    assert refusal("return", credit).code == "CS325"


def test_an_answer_is_read_by_the_structure_of_its_own_namespace() -> None:
    mixed = Retour(client_codes=("0200",)).bytes().replace(b"jw306", b"jw308")
    assert refusal("return", mixed).code == "XSD"


LINES = st.lists(
    st.tuples(st.integers(1, 99_999), st.sampled_from("DC"), st.sampled_from(("9338", "8017", "0611"))), max_size=8
)


@settings(max_examples=40, deadline=None)
@given(LINES, st.integers(0, 2))
def test_what_is_written_is_read_back(lines: list[tuple[int, str, str]], clients: int) -> None:
    message = Antwoord(
        [
            (P(ref=f"R{n}", bedrag=bedrag, dc=dc, bsn=BSNS[n * clients // 9]), (code,))
            for n, (bedrag, dc, code) in enumerate(lines)
        ],
        submitted=5_000_000,
    )
    found = {r.inhoud.referentie: r.inhoud.code for r in records(message) if isinstance(r.inhoud, PrestatieRetour)}
    assert found == {f"R{n}".encode(): code for n, (_, _, code) in enumerate(lines)}
