"""The register: what one client's facts cannot know, as facts for the clients concerned."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts.fact import BerichtRetour, Dubbel, Intrekking, Prestatie, PrestatieRetour, Vervanging
from domain.facts.register import SPREIDING, Gebruik, Gevolg, Nummer, Record, gebruiken, sleutels, vouw

D1, D2, D3 = "1" * 32, "2" * 32, "3" * 32


def use(
    inhoud: bytes, pseudonym: str | None, delivery: str = D1, line: int = 1, soort: str = "bericht.start"
) -> Record:
    bericht = b"message1" if soort != "cbs" else b""
    return Record(Gebruik(soort, b"message1", inhoud, bericht), pseudonym, delivery, line, 2, int(delivery[0]))


def answer(soort: str = "bericht.start") -> Record:
    return Record(Gebruik(soort, b"message1", b"", b"message1", "0001"), None, D3, 1, 1, 3)


def cbs(pseudonym: str, delivery: str, line: int, lines: int = 2) -> Record:
    return Record(Gebruik("cbs", b"2026-1"), pseudonym, delivery, line, lines, int(delivery[0]))


def yields(records: Sequence[Record], soort: str = "bericht.start", batches: int = 1) -> set[Gevolg]:
    nummer, found = Nummer(), set[Gevolg]()
    size = max(1, -(-len(records) // batches))
    sleutel = b"2026-1" if soort == "cbs" else b"message1"
    for first in range(0, len(records), size):
        found |= set(vouw(nummer, records[first : first + size], soort, sleutel, alles=False))
    return found


def test_a_rejected_message_is_withdrawn_for_its_client_and_on_its_receipt() -> None:
    withdrawn = {Gevolg("p1", Intrekking("start", b"message1", "0001")), Gevolg("", None, D1, 1, 2, "0001")}
    assert yields([use(b"a", "p1"), answer()]) == withdrawn
    assert yields([answer(), use(b"a", "p1")]) == withdrawn
    assert yields([use(b"a", "p1"), answer()], batches=2) == withdrawn


def test_an_identification_with_two_contents_is_a_flag_for_both_clients() -> None:
    flag = Dubbel("TR056", "start", b"message1")
    assert yields([use(b"a", "p1"), use(b"b", "p2", D2)]) == {Gevolg("p1", flag), Gevolg("p2", flag)}
    assert not yields([use(b"a", "p1"), use(b"a", "p1", D2)])


def test_a_complete_redelivery_replaces_and_a_cut_one_replaces_nothing() -> None:
    first = [cbs("p1", D1, 1), cbs("p2", D1, 2)]
    assert not yields([*first, cbs("p1", D2, 1)], "cbs")
    replaced = Vervanging("2026-1", D1)
    whole = yields([*first, cbs("p1", D2, 1), cbs("p1", D2, 2)], "cbs")
    assert whole == {Gevolg("p1", replaced), Gevolg("p2", replaced)}


def test_an_old_delivery_that_comes_again_is_replaced_as_well() -> None:
    """Clients of deliveries long replaced are forgotten; their lines may come again after a crash."""
    nummer = Nummer()
    for delivery in (D1, D2, D3):
        vouw(nummer, [cbs("p1", delivery, 1, 1)], "cbs", b"2026-1", alles=False)
    vouw(nummer, [cbs("p9", D3, 1, 1)], "cbs", b"2026-1", alles=False)
    assert not nummer.per_inhoud[D1.encode()].clienten
    again = vouw(nummer, [cbs("p7", D1, 1, 1)], "cbs", b"2026-1", alles=False)
    assert again == [Gevolg("p7", Vervanging("2026-1", D1))]


def test_a_record_seen_again_gives_everything_again() -> None:
    nummer = Nummer()
    records = [use(b"a", "p1"), answer()]
    first = vouw(nummer, records, "bericht.start", b"message1", alles=False)
    assert not vouw(nummer, records, "bericht.start", b"message1", alles=False)
    assert set(vouw(nummer, records, "bericht.start", b"message1", alles=True)) == set(first)


@given(st.permutations([use(b"a", "p1"), use(b"a", "p2", D1, 2), use(b"b", "p3", D2), answer()] * 2), st.integers(1, 8))
def test_order_repetition_and_batches_leave_no_trace(records: list[Record], batches: int) -> None:
    assert yields(records, batches=batches) == yields(
        [use(b"a", "p1"), use(b"a", "p2", D1, 2), use(b"b", "p3", D2), answer()]
    )


@given(st.permutations([cbs(f"p{line}", delivery, line) for delivery in (D1, D2, D3) for line in (1, 2)]))
def test_cbs_deliveries_in_any_order(records: list[Record]) -> None:
    expected = {Gevolg(f"p{line}", Vervanging("2026-1", d)) for d in (D1, D2) for line in (1, 2)}
    assert yields(records, "cbs") == expected


PRESTATIE = Prestatie("0363", b"t", "45", "45A99", b"ref", None, "D", 1, 2, 3, "04", 4, 5, b"message1", b"number", 6)


def test_a_declared_line_uses_three_numbers() -> None:
    assert {g.soort for g in gebruiken(PRESTATIE, b"content", 1)} == {
        *("regels.declaration", "bericht.declaration", "referentie", "declaratienummer")
    }


@pytest.mark.parametrize(("afgekeurd", "expected"), [(True, 1), (False, 0)])
def test_an_approving_answer_asks_for_nothing(afgekeurd: bool, expected: int) -> None:
    retour = BerichtRetour("start", "0363", b"message1", afgekeurd, "0001" if afgekeurd else "", 5)
    assert len(gebruiken(retour, b"", 1)) == expected


def test_an_answer_reaches_every_part_of_a_declaration() -> None:
    retour = BerichtRetour("declaration", "0363", b"message1", True, "0001", 5)
    (gebruik,) = gebruiken(retour, b"", 1)
    everywhere = set(sleutels(gebruik, "12345678", None))
    line = gebruiken(PRESTATIE, b"content", 1)[0]
    assert len(everywhere) == SPREIDING
    assert all(set(sleutels(line, "12345678", f"p{n}")) <= everywhere for n in range(50))


def test_a_rejected_line_is_marked_on_its_receipt_only_for_its_own_message() -> None:
    (gebruik,) = gebruiken(PrestatieRetour("0363", b"ref", b"message1", "9338", 5), b"", 1)
    used = gebruiken(PRESTATIE, b"content", 1)[2]
    other = used._replace(inhoud=b"message2\0\0\0\1", bericht=b"message2")
    records = [Record(used, "p1", D1, 1, 1, 1), Record(other, "p1", D2, 1, 1, 2), Record(gebruik, "p1", D3, 1, 1, 3)]
    assert Gevolg("", None, D1, 1, 1, "9338") in yields(records, "referentie")
    assert not any(gevolg.delivery == D2 for gevolg in yields(records, "referentie"))
