"""What the register is told of every kind of line, key by key, and each of its answers written out by hand."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from domain.facts.fact import Content, Dubbel
from domain.facts.register import (
    MOST_FLAGGED,
    SPREAD,
    Effect,
    Number,
    Record,
    Usage,
    Users,
    fold,
    keys,
    uses_of,
)
from tests.build import (
    AGB,
    bericht_retour,
    cbs_record,
    dubbel,
    intrekking,
    meting,
    prestatie,
    prestatie_retour,
    score,
    start,
    stop,
    toewijzing,
    vervanging,
)

D1, D2, D3, D4 = (c * 32 for c in "1234")
PRESTATIE = prestatie("ref", bericht=b"m1", declaratienummer=b"number")
LINE = b"m1\x00\x00\x01\x02"  # line 258 of message m1

USES: list[tuple[str, Content, list[Usage]]] = [
    ("start", start(bericht=b"m1"), [Usage("bericht.start", b"m1", b"content", b"m1")]),
    ("stop", stop(bericht=b"m1"), [Usage("bericht.stop", b"m1", b"content", b"m1")]),
    ("assignment", toewijzing(bericht=b"m1"), [Usage("bericht.assignment", b"m1", b"content", b"m1")]),
    (
        "declared line",
        PRESTATIE,
        [
            Usage("regels.declaration", b"m1", b"content", b"m1"),
            Usage("bericht.declaration", b"m1", b"content", b"m1"),
            Usage("referentie", b"ref", LINE, b"m1"),
            Usage("declaratienummer", b"number", b"m1", b"m1"),
        ],
    ),
    (
        "declared line of an old record",
        replace(PRESTATIE, declaratienummer=None),
        [
            Usage("regels.declaration", b"m1", b"content", b"m1"),
            Usage("bericht.declaration", b"m1", b"content", b"m1"),
            Usage("referentie", b"ref", LINE, b"m1"),
        ],
    ),
    ("rejected line", prestatie_retour("ref", bericht=b"m1"), [Usage("referentie", b"ref", b"", b"m1", "9338")]),
    ("rejected start", bericht_retour("start", b"m1"), [Usage("bericht.start", b"m1", b"", b"m1", "0001")]),
    ("rejected stop", bericht_retour("stop", b"m1", "9069"), [Usage("bericht.stop", b"m1", b"", b"m1", "9069")]),
    (
        "rejected declaration",
        bericht_retour("declaration", b"m1"),
        [Usage("regels.declaration", b"m1", b"", b"m1", "0001")],
    ),
    ("approved", bericht_retour("start", b"m1", ""), []),
    ("CBS record", cbs_record(), [Usage("cbs", b"2026-1")]),
    ("score", score(), []),
    ("meting", meting(), []),
]  # fmt: skip


@pytest.mark.parametrize(("inhoud", "uses"), [case[1:] for case in USES], ids=[case[0] for case in USES])
def test_what_the_register_is_told_of_a_line(inhoud: Content, uses: list[Usage]) -> None:
    assert uses_of(inhoud, b"content", 258) == uses


def test_a_number_has_one_key_of_its_kind_and_provider() -> None:
    assert list(keys(Usage("bericht.start", b"m1", b"content", b"m1"), AGB, "p1")) == [f"bericht.start|{AGB}|6d31|0"]
    assert list(keys(Usage("cbs", b"2026-1"), AGB, None)) == [f"cbs|{AGB}|323032362d31|0"]


def test_lines_of_a_declaration_spread_and_an_answer_goes_to_every_part() -> None:
    use = Usage("regels.declaration", b"m1", b"content", b"m1")
    assert list(keys(use, AGB, None)) == [f"regels.declaration|{AGB}|6d31|{n}" for n in range(SPREAD)]
    parts = [list(keys(use, AGB, f"p{n}")) for n in range(200)]
    assert all(len(part) == 1 for part in parts)
    assert {part[0] for part in parts} == set(keys(use, AGB, None))


# --- what follows -------------------------------------------------------------------------------------------------


def used(number_kind: str, content: bytes, who: str | None, delivery: str = D1, line: int = 1, **over: Any) -> Record:
    usage = Usage(number_kind, b"m1", content, over.pop("bericht", b"m1"))
    return Record(usage, who, delivery, line, over.pop("lines", 9), over.pop("tijd", 1))


def answered(number_kind: str, code: str = "0001", bericht: bytes = b"m1") -> Record:
    return Record(Usage(number_kind, b"m1", b"", bericht, code), None, D4, 1, 1, 9)


def follows(number_kind: str, *records: Record, sleutel: bytes = b"m1") -> set[Effect]:
    """What follows from the records, the same in every order, all at once and one by one."""
    answers = []
    for order in permutations(records):
        answers.append(set(fold(Number(), order, number_kind, sleutel, everything=False)))
        number = Number()
        one_by_one = [
            outcome for record in order for outcome in fold(number, [record], number_kind, sleutel, everything=False)
        ]
        assert len(one_by_one) == len(set(one_by_one))
        answers.append(set(one_by_one))
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


@pytest.mark.parametrize("kind", ["start", "stop"])
def test_a_rejected_message_is_withdrawn_for_all_its_clients_and_lines(kind: str) -> None:
    number_kind = f"bericht.{kind}"
    found = follows(
        number_kind, used(number_kind, b"a", "p1", line=2), used(number_kind, b"a", "p2", line=4), answered(number_kind)
    )
    withdrawn = intrekking(kind, b"m1")
    assert found == {
        Effect("p1", withdrawn),
        Effect("p2", withdrawn),
        Effect("", None, D1, 2, 9, "0001"),
        Effect("", None, D1, 4, 9, "0001"),
    }


def test_a_rejected_declaration_withdraws_the_lines_of_each_part() -> None:
    number_kind = "regels.declaration"
    found = follows(
        number_kind, used(number_kind, b"a", "p1"), used(number_kind, b"b", "p2", D2), answered(number_kind)
    )
    withdrawn = intrekking("declaration", b"m1")
    assert found == {
        Effect("p1", withdrawn),
        Effect("p2", withdrawn),
        Effect("", None, D1, 1, 9, "0001"),
        Effect("", None, D2, 1, 9, "0001"),
    }


def test_lines_of_one_declaration_with_other_contents_are_no_number_used_twice() -> None:
    """The contents of its lines differ by client; TR056 is judged under the other key of the message."""
    number_kind = "regels.declaration"
    assert not follows(number_kind, used(number_kind, b"a", "p1"), used(number_kind, b"b", "p2"))


def test_a_rejected_line_names_its_client_by_itself_and_shows_on_the_receipt() -> None:
    mine, other = used("referentie", b"a", "p1"), used("referentie", b"b", "p2", D2, bericht=b"m2")
    twice = dubbel("TR314", b"ref")
    found = follows("referentie", other, mine, answered("referentie", "9338"), sleutel=b"ref")
    assert found == {Effect("", None, D1, 1, 9, "9338"), Effect("p1", twice), Effect("p2", twice)}


def test_of_two_answers_on_one_message_the_higher_code_is_told() -> None:
    """One after the other each tells what it says; together, and for whoever reads later, the higher."""
    number_kind = "bericht.start"
    for order in (
        (answered(number_kind, "0001"), answered(number_kind, "9056")),
        (answered(number_kind, "9056"), answered(number_kind, "0001")),
    ):
        found = fold(Number(), [used(number_kind, b"a", "p1"), *order], number_kind, b"m1", everything=False)
        assert Effect("p1", intrekking("start", b"m1", "9056")) in found
        assert len(found) == 2


@pytest.mark.parametrize(
    ("soort", "flag"),
    [
        ("bericht.start", dubbel("TR056", b"m1", "start")),
        ("bericht.stop", dubbel("TR056", b"m1", "stop")),
        ("bericht.assignment", dubbel("TR056", b"m1", "assignment")),
        ("bericht.declaration", dubbel("TR056", b"m1", "declaration")),
        ("referentie", dubbel("TR314", b"m1")),
        ("declaratienummer", dubbel("TR333", b"m1")),
    ],
)
def test_a_number_used_twice_is_a_flag_for_everybody_who_used_it(soort: str, flag: Dubbel) -> None:
    found = follows(soort, used(soort, b"a", "p1"), used(soort, b"a", "p2"), used(soort, b"b", "p3", D2))
    assert found == {Effect(client, flag) for client in ("p1", "p2", "p3")}
    assert not follows(soort, used(soort, b"a", "p1"), used(soort, b"a", "p2", D2))


def test_a_use_without_client_is_nobody() -> None:
    number_kind = "bericht.start"
    number = Number()
    fold(number, [used(number_kind, b"a", None)], number_kind, b"m1", everything=False)
    assert number.per_content[b"a"].clienten == {}
    assert number.per_content[b"a"].regels[D1].gezien == [[1, 1]]


@pytest.mark.parametrize("soort", ["bericht.declaration", "declaratienummer", "bericht.start", "regels.declaration"])
def test_flags_of_a_declaration_know_so_many_clients_and_withdrawals_all(soort: str) -> None:
    number = Number()
    fold(
        number,
        [used(soort, b"a", f"p{n}", line=n + 1) for n in range(MOST_FLAGGED + 5)],
        soort,
        b"m1",
        everything=False,
    )
    users = number.per_content[b"a"]
    bounded = soort in ("bericht.declaration", "declaratienummer")
    assert len(users.clienten) == MOST_FLAGGED + (0 if bounded else 5)
    assert set(users.clienten.values()) == {None}  # packed as the smallest there is
    assert users.regels == ({} if bounded else {D1: users.regels[D1]})


# --- CBS deliveries -----------------------------------------------------------------------------------------------


def cbs(who: str, delivery: str, line: int = 1, lines: int = 1, tijd: int | None = None) -> Record:
    return Record(Usage("cbs", b"2026-1"), who, delivery, line, lines, int(delivery[0]) if tijd is None else tijd)


def replaced(who: str, delivery: str) -> Effect:
    return Effect(who, vervanging(delivery))


def test_a_complete_delivery_replaces_every_earlier_one_cut_off_or_not() -> None:
    records = cbs("p1", D1, 1, 2), cbs("p2", D2), cbs("p3", D3)
    assert follows("cbs", *records, sleutel=b"2026-1") == {replaced("p1", D1), replaced("p2", D2)}


def test_a_delivery_cut_off_replaces_nothing_and_is_not_replaced_by_an_earlier_one() -> None:
    records = cbs("p1", D1), cbs("p2", D2), cbs("p3", D3, 1, 2)
    assert follows("cbs", *records, sleutel=b"2026-1") == {replaced("p1", D1)}


def test_the_first_upload_of_a_line_that_came_again_decides_the_order() -> None:
    number = Number()
    for record in (cbs("p1", D1, tijd=5), cbs("p2", D2, tijd=6), cbs("p1", D1, tijd=9)):
        fold(number, [record], "cbs", b"2026-1", everything=False)
    assert number.per_content[D1.encode()].regels[D1].tijd == 5
    assert set(fold(number, [], "cbs", b"2026-1", everything=True)) == {replaced("p1", D1)}


def test_clients_of_the_last_two_deliveries_are_kept() -> None:
    number, kept = Number(), []
    for delivery in (D1, D2, D3, D4):
        fold(number, [cbs("p1", delivery)], "cbs", b"2026-1", everything=False)
        fold(number, [], "cbs", b"2026-1", everything=False)
        kept.append("".join(which.decode()[0] for which, users in number.per_content.items() if users.clienten))
    assert kept == ["1", "12", "23", "34"]


def test_a_delivery_that_nothing_replaced_keeps_its_clients() -> None:
    number = Number(per_content={})
    for delivery in (D1, D2, D3):
        fold(number, [cbs("p1", delivery, 1, 2)], "cbs", b"2026-1", everything=False)
    fold(number, [], "cbs", b"2026-1", everything=False)
    assert all(isinstance(users, Users) and users.clienten == {"p1": None} for users in number.per_content.values())
