"""The register: what one client's facts cannot know, as facts for the clients concerned."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts.register import SPREAD, Effect, Number, Record, Usage, fold, keys, uses_of
from tests.build import bericht_retour, dubbel, intrekking, prestatie, prestatie_retour, vervanging

D1, D2, D3 = "1" * 32, "2" * 32, "3" * 32


def use(
    content: bytes, pseudonym: str | None, delivery: str = D1, line: int = 1, kind: str = "bericht.start"
) -> Record:
    bericht = b"message1" if kind != "cbs" else b""
    return Record(Usage(kind, b"message1", content, bericht), pseudonym, delivery, line, 2, int(delivery[0]))


def answer(kind: str = "bericht.start") -> Record:
    return Record(Usage(kind, b"message1", b"", b"message1", "0001"), None, D3, 1, 1, 3)


def cbs(pseudonym: str, delivery: str, line: int, lines: int = 2) -> Record:
    return Record(Usage("cbs", b"2026-1"), pseudonym, delivery, line, lines, int(delivery[0]))


def yields(records: Sequence[Record], kind: str = "bericht.start", batches: int = 1) -> set[Effect]:
    number, found = Number(), set[Effect]()
    size = max(1, -(-len(records) // batches))
    key = b"2026-1" if kind == "cbs" else b"message1"
    for first in range(0, len(records), size):
        found |= set(fold(number, records[first : first + size], kind, key, everything=False))
    return found


def test_a_rejected_message_is_withdrawn_for_its_client_and_on_its_receipt() -> None:
    withdrawn = {Effect("p1", intrekking("start", b"message1")), Effect("", None, D1, 1, 2, "0001")}
    assert yields([use(b"a", "p1"), answer()]) == withdrawn
    assert yields([answer(), use(b"a", "p1")]) == withdrawn
    assert yields([use(b"a", "p1"), answer()], batches=2) == withdrawn


def test_an_identification_with_two_contents_is_a_flag_for_both_clients() -> None:
    flag = dubbel("TR056", b"message1", "start")
    assert yields([use(b"a", "p1"), use(b"b", "p2", D2)]) == {Effect("p1", flag), Effect("p2", flag)}
    assert not yields([use(b"a", "p1"), use(b"a", "p1", D2)])


def test_a_complete_redelivery_replaces_and_a_cut_one_replaces_nothing() -> None:
    first = [cbs("p1", D1, 1), cbs("p2", D1, 2)]
    assert not yields([*first, cbs("p1", D2, 1)], "cbs")
    replaced = vervanging(D1)
    whole = yields([*first, cbs("p1", D2, 1), cbs("p1", D2, 2)], "cbs")
    assert whole == {Effect("p1", replaced), Effect("p2", replaced)}


def test_an_old_delivery_that_comes_again_is_replaced_as_well() -> None:
    """Clients of deliveries long replaced are forgotten; their lines may come again after a crash."""
    number = Number()
    for delivery in (D1, D2, D3):
        fold(number, [cbs("p1", delivery, 1, 1)], "cbs", b"2026-1", everything=False)
    fold(number, [cbs("p9", D3, 1, 1)], "cbs", b"2026-1", everything=False)
    assert not number.per_content[D1.encode()].clienten
    again = fold(number, [cbs("p7", D1, 1, 1)], "cbs", b"2026-1", everything=False)
    assert again == [Effect("p7", vervanging(D1))]


def test_a_record_seen_again_gives_everything_again() -> None:
    number = Number()
    records = [use(b"a", "p1"), answer()]
    first = fold(number, records, "bericht.start", b"message1", everything=False)
    assert not fold(number, records, "bericht.start", b"message1", everything=False)
    assert set(fold(number, records, "bericht.start", b"message1", everything=True)) == set(first)


@given(st.permutations([use(b"a", "p1"), use(b"a", "p2", D1, 2), use(b"b", "p3", D2), answer()] * 2), st.integers(1, 8))
def test_order_repetition_and_batches_leave_no_trace(records: list[Record], batches: int) -> None:
    assert yields(records, batches=batches) == yields(
        [use(b"a", "p1"), use(b"a", "p2", D1, 2), use(b"b", "p3", D2), answer()]
    )


@given(st.permutations([cbs(f"p{line}", delivery, line) for delivery in (D1, D2, D3) for line in (1, 2)]))
def test_cbs_deliveries_in_any_order(records: list[Record]) -> None:
    expected = {Effect(f"p{line}", vervanging(d)) for d in (D1, D2) for line in (1, 2)}
    assert yields(records, "cbs") == expected


PRESTATIE = prestatie("ref", bericht=b"message1", declaratienummer=b"number")


def test_a_declared_line_uses_three_numbers() -> None:
    assert {g.soort for g in uses_of(PRESTATIE, b"content", 1)} == {
        *("regels.declaration", "bericht.declaration", "referentie", "declaratienummer")
    }


@pytest.mark.parametrize(("afgekeurd", "expected"), [(True, 1), (False, 0)])
def test_an_approving_answer_asks_for_nothing(afgekeurd: bool, expected: int) -> None:
    retour = bericht_retour("start", b"message1", "0001" if afgekeurd else "")
    assert len(uses_of(retour, b"", 1)) == expected


def test_an_answer_reaches_every_part_of_a_declaration() -> None:
    retour = bericht_retour("declaration", b"message1")
    (usage,) = uses_of(retour, b"", 1)
    everywhere = set(keys(usage, "12345678", None))
    line = uses_of(PRESTATIE, b"content", 1)[0]
    assert len(everywhere) == SPREAD
    assert all(set(keys(line, "12345678", f"p{n}")) <= everywhere for n in range(50))


def test_a_rejected_line_is_marked_on_its_receipt_only_for_its_own_message() -> None:
    (usage,) = uses_of(prestatie_retour("ref", bericht=b"message1"), b"", 1)
    used = uses_of(PRESTATIE, b"content", 1)[2]
    other = used._replace(inhoud=b"message2\0\0\0\1", bericht=b"message2")
    records = [Record(used, "p1", D1, 1, 1, 1), Record(other, "p1", D2, 1, 1, 2), Record(usage, "p1", D3, 1, 1, 3)]
    assert Effect("", None, D1, 1, 1, "9338") in yields(records, "referentie")
    assert not any(outcome.delivery == D2 for outcome in yields(records, "referentie"))
