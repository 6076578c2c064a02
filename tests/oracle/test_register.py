"""What the register is told of every kind of line, key by key, and each of its answers written out by hand."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from domain.facts.bounds import settle
from domain.facts.fact import Content, Dubbel, PrestatieRetour
from domain.facts.number import Number, Record, split
from domain.facts.register import Effect, fold
from domain.facts.uses import CHUNK, MOST_COMPARED, SPREAD, Usage, keys, uses_of
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
HASH = b"16 bytes of hash"
PRESTATIE = prestatie("ref", bericht=b"m1", declaratienummer=b"number", dagtekening=7)
LINE = b"m1\x00\x00\x01\x02"  # place 258 of message m1

USES: list[tuple[str, Content, list[Usage]]] = [
    ("start", start(bericht=b"m1", dagtekening=7), [Usage("bericht.start", b"m1", HASH, b"m1", "", 300, 258, 7)]),
    ("stop", stop(bericht=b"m1", dagtekening=7), [Usage("bericht.stop", b"m1", HASH, b"m1", "", 300, 258, 7)]),
    (
        "assignment",
        toewijzing(bericht=b"m1", dagtekening=7),
        [Usage("bericht.assignment", b"m1", HASH, b"m1", "", 300, 258, 7)],
    ),
    (
        "declared line",
        PRESTATIE,
        [
            Usage("regels.declaration", b"m1", HASH, b"m1", "", 300, 258, 7),
            Usage("referentie", b"ref", LINE, b"m1", dagtekening=7),
            Usage("declaratienummer", b"number", b"m1", b"m1", "", 0, 258),
        ],
    ),
    (
        "declared line of an old record",
        replace(PRESTATIE, declaratienummer=None),
        [
            Usage("regels.declaration", b"m1", HASH, b"m1", "", 300, 258, 7),
            Usage("referentie", b"ref", LINE, b"m1", dagtekening=7),
        ],
    ),
    ("rejected line", prestatie_retour("ref", bericht=b"m1"), [Usage("referentie", b"ref", b"", b"m1", "9338")]),
    (
        "rejected line of a declaration that tells its day",
        prestatie_retour("ref", bericht=b"m1", bericht_dagtekening=7),
        [Usage("referentie", b"ref", b"", b"m1", "9338", dagtekening=7)],
    ),
    ("rejected start", bericht_retour("start", b"m1"), [Usage("bericht.start", b"m1", b"", b"m1", "0001")]),
    (
        "rejected start that tells its day",
        replace(bericht_retour("start", b"m1"), bericht_dagtekening=7),
        [Usage("bericht.start", b"m1", b"", b"m1", "0001", dagtekening=7)],
    ),
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
    assert uses_of(inhoud, HASH, 300, 258, 7) == uses


def test_a_declared_line_whose_place_is_unknown_stands_at_its_row() -> None:
    lines, reference, number = uses_of(PRESTATIE, b"", 0, 0, 258)
    assert (lines.records, lines.plaats, reference.inhoud, number.plaats) == (0, 258, LINE, 258)


def test_of_a_very_long_declaration_the_number_is_told_as_far_as_it_is_compared() -> None:
    assert len(uses_of(PRESTATIE, HASH, MOST_COMPARED + 1, MOST_COMPARED, 1)) == 3
    assert len(uses_of(PRESTATIE, HASH, MOST_COMPARED + 1, MOST_COMPARED + 1, 1)) == 2


def test_a_number_has_one_key_of_its_kind_and_provider() -> None:
    use = Usage("bericht.start", b"m1", HASH, b"m1", "", 20_000, 20_000)
    assert list(keys(use, AGB, "p1")) == [(f"bericht.start|{AGB}|6d31|0", "p1")]
    reference = Usage("referentie", b"m1", b"", b"m1", "9338")
    assert list(keys(reference, AGB, None)) == [(f"referentie|{AGB}|6d31|0", None)]


@pytest.mark.parametrize("kind", ["regels.declaration", "declaratienummer"])
def test_lines_of_a_declaration_spread_by_place_so_that_equal_places_meet(kind: str) -> None:
    def part(plaats: int) -> str:
        ((key, client),) = keys(Usage(kind, b"m1", HASH, b"m1", "", 40_000, plaats), AGB, "p1")
        assert client == "p1"
        return key

    parts = [part(place) for place in range(1, SPREAD * CHUNK + 2, CHUNK)]
    assert parts == [f"{kind}|{AGB}|6d31|{n}" for n in (*range(SPREAD), 0)]
    assert {part(place) for place in (0, 1, CHUNK)} == {parts[0]}


def test_an_answer_on_a_declaration_goes_to_every_part() -> None:
    answer = Usage("regels.declaration", b"m1", b"", b"m1", "0001")
    assert list(keys(answer, AGB, None)) == [(f"regels.declaration|{AGB}|6d31|{n}", None) for n in range(SPREAD)]


def test_a_cbs_record_goes_to_every_part_and_names_its_client_in_one() -> None:
    named = set()
    for client in map("p{}".format, range(200)):
        parts = list(keys(Usage("cbs", b"2026-1"), AGB, client))
        assert [key for key, _ in parts] == [f"cbs|{AGB}|323032362d31|{n}" for n in range(SPREAD)]
        named.add(next(key for key, whose in parts if whose == client))
        assert [whose for _, whose in parts if whose] == [client]
    assert len(named) == SPREAD


# --- what follows -------------------------------------------------------------------------------------------------


def used(number_kind: str, content: bytes, who: str | None, delivery: str = D1, line: int = 1, **over: Any) -> Record:
    place = over.pop("plaats", line)
    usage = Usage(number_kind, b"m1", content * 16, over.pop("bericht", b"m1"), "", over.pop("records", 9), place)
    return Record(usage, who, delivery, line, over.pop("lines", 9), over.pop("tijd", 1))


def answered(number_kind: str, code: str = "0001", bericht: bytes = b"m1", delivery: str = D4) -> Record:
    return Record(Usage(number_kind, b"m1", b"", bericht, code), None, delivery, 1, 1, 9)


def taken_back(delivery: str, terug: int = 1, opnieuw: int = 0) -> Record:
    return Record(Usage("", b"m1"), None, delivery, 0, 0, 0, terug, opnieuw)


def of_note(kind: str, *where: tuple[str, int], holds: bool = True) -> set[Effect]:
    """What the senders of these lines are told; of a declaration number the delivery as a whole."""
    rule = {"referentie": "TR314", "declaratienummer": "TR333"}.get(kind, "TR056")
    said = "opmerking" if holds else "vervallen"
    places = {(delivery, 0 if kind == "declaratienummer" else line) for delivery, line in where}
    return {withdrawn(delivery, line, rule, said) for delivery, line in places}


def withdrawn(delivery: str, line: int, code: str = "0001", uitkomst: str = "ingetrokken", lines: int = 9) -> Effect:
    return Effect("", None, delivery, line, lines, uitkomst, code)


def flag(of: Dubbel, own: str) -> Dubbel:
    return replace(of, aanlevering=own)


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
    fact = intrekking(kind, b"m1")
    assert found == {Effect("p1", fact, D4), Effect("p2", fact, D4), withdrawn(D1, 2), withdrawn(D1, 4)}


def test_a_rejected_declaration_withdraws_the_lines_of_each_part() -> None:
    number_kind = "regels.declaration"
    found = follows(
        number_kind,
        used(number_kind, b"a", "p1"),
        used(number_kind, b"b", "p2", D2, plaats=2),
        answered(number_kind),
    )
    fact = intrekking("declaration", b"m1")
    assert found == {Effect("p1", fact, D4), Effect("p2", fact, D4), withdrawn(D1, 1), withdrawn(D2, 1)}


def test_a_rejected_line_names_its_client_by_itself_and_shows_on_the_receipt() -> None:
    mine, other = used("referentie", b"a", "p1"), used("referentie", b"b", "p2", D2, bericht=b"m2")
    twice = dubbel("TR314", b"ref")
    found = follows("referentie", other, mine, answered("referentie", "9338"), sleutel=b"ref")
    assert found == {
        withdrawn(D1, 1, "9338"),
        Effect("p1", flag(twice, D1), D2),
        Effect("p2", flag(twice, D2), D1),
        *of_note("referentie", (D1, 1), (D2, 1)),
    }


def test_of_two_answers_on_one_message_the_higher_code_is_told_until_it_is_taken_back() -> None:
    number_kind, number = "bericht.start", Number()
    low, high = answered(number_kind, "0001"), answered(number_kind, "9056", delivery=D3)
    found = fold(number, [used(number_kind, b"a", "p1"), high, low], number_kind, b"m1", everything=False)
    assert found == [Effect("p1", intrekking("start", b"m1", "9056"), D3), withdrawn(D1, 1, "9056")]
    found = fold(number, [taken_back(D3)], number_kind, b"m1", everything=False)
    assert found == [Effect("p1", intrekking("start", b"m1"), D4), withdrawn(D1, 1)]
    found = fold(number, [taken_back(D4)], number_kind, b"m1", everything=False)
    assert found == [withdrawn(D1, 1, "9056", "hersteld")]
    found = fold(number, [taken_back(D4, 0, 1)], number_kind, b"m1", everything=False)
    assert found == [Effect("p1", intrekking("start", b"m1"), D4, published_at=1), withdrawn(D1, 1)]


@pytest.mark.parametrize(
    ("soort", "twice"),
    [
        ("bericht.start", dubbel("TR056", b"m1", "start")),
        ("bericht.stop", dubbel("TR056", b"m1", "stop")),
        ("bericht.assignment", dubbel("TR056", b"m1", "assignment")),
        ("regels.declaration", dubbel("TR056", b"m1", "declaration")),
        ("referentie", dubbel("TR314", b"m1")),
        ("declaratienummer", dubbel("TR333", b"m1")),
    ],
)
def test_a_number_used_twice_is_a_flag_for_everybody_who_used_it(soort: str, twice: Dubbel) -> None:
    found = follows(soort, used(soort, b"a", "p1"), used(soort, b"b", "p3", D2))
    flags = {Effect("p1", flag(twice, D1), D2), Effect("p3", flag(twice, D2), D1)}
    assert found == flags | of_note(soort, (D1, 1), (D2, 1))
    assert not follows(soort, used(soort, b"a", "p1"), used(soort, b"a", "p1", D2))


def test_two_contents_in_one_delivery_name_that_delivery_twice() -> None:
    kind, twice = "bericht.start", dubbel("TR056", b"m1", "start")
    found = follows(kind, used(kind, b"a", "p1"), used(kind, b"b", "p3", line=2, plaats=1))
    flags = {Effect("p1", flag(twice, D1), D1), Effect("p3", flag(twice, D1), D1)}
    assert found == flags | of_note(kind, (D1, 1), (D1, 2))


def test_other_places_of_a_message_are_no_number_used_twice() -> None:
    kind = "regels.declaration"
    assert not follows(kind, used(kind, b"a", "p1"), used(kind, b"b", "p2", line=2))


def test_sizes_that_differ_are_a_number_used_twice_also_where_places_are_not_compared() -> None:
    kind, twice, far = "regels.declaration", dubbel("TR056", b"m1", "declaration"), MOST_COMPARED + 1
    found = follows(
        kind,
        used(kind, b"a", "p1", records=far, plaats=far),
        used(kind, b"b", "p2", records=far + 1, plaats=far, delivery=D2),
    )
    flags = {Effect("p1", flag(twice, D1), D2), Effect("p2", flag(twice, D2), D1)}
    assert found == flags | of_note(kind, (D1, 1), (D2, 1))
    assert not follows(kind, *(used(kind, content, "p1", records=far, plaats=far) for content in (b"a", b"b")))


def test_a_use_without_client_is_nobody() -> None:
    number_kind, number = "bericht.start", Number()
    fold(number, [used(number_kind, b"a", None)], number_kind, b"m1", everything=False)
    assert number.used == {}
    assert list(number.sent[bytes.fromhex(D1) + b"m1"]) == [1]


# --- CBS deliveries -----------------------------------------------------------------------------------------------


def cbs(who: str, delivery: str, line: int = 1, lines: int = 1, tijd: int | None = None) -> Record:
    return Record(Usage("cbs", b"2026-1"), who, delivery, line, lines, int(delivery[0]) if tijd is None else tijd)


def replaced(who: str, delivery: str, by: str) -> Effect:
    return Effect(who, vervanging(delivery), by)


def test_a_complete_delivery_replaces_every_earlier_one_cut_off_or_not() -> None:
    number = Number()
    records = cbs("p1", D1, 1, 2), cbs("p2", D2), cbs("p3", D3)
    found = fold(number, records, "cbs", b"2026-1", everything=False)
    assert found == [replaced("p1", D1, D2), replaced("p2", D2, D3)]
    assert fold(number, [taken_back(D2)], "cbs", b"2026-1", everything=False) == [replaced("p1", D1, D3)]


def test_a_delivery_cut_off_replaces_nothing_and_is_not_replaced_by_an_earlier_one() -> None:
    records = cbs("p1", D1), cbs("p2", D2), cbs("p3", D3, 1, 2)
    assert follows("cbs", *records, sleutel=b"2026-1") == {replaced("p1", D1, D2)}


def test_the_first_upload_of_a_line_that_came_again_decides_the_order() -> None:
    number = Number()
    for record in (cbs("p1", D1, tijd=5), cbs("p2", D2, tijd=6), cbs("p1", D1, tijd=9)):
        fold(number, [record], "cbs", b"2026-1", everything=False)
    assert number.sent[bytes.fromhex(D1)].tijd == 5
    assert set(fold(number, [], "cbs", b"2026-1", everything=True)) == {replaced("p1", D1, D2)}


# --- beyond the bound ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bericht.start", "regels.declaration", "referentie", "declaratienummer", "cbs"])
def test_what_is_left_out_counts_as_never_sent_and_is_told_so(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deliveries where there is room for one."""
    monkeypatch.setattr("domain.facts.bounds.MOST_BYTES", 300)
    key = b"2026-1" if kind == "cbs" else b"m1"
    uses = [cbs("p1", D1), cbs("p2", D2)] if kind == "cbs" else [used(kind, b"a", "p1"), used(kind, b"a", "p2", D2)]
    number = Number()
    found = set(fold(number, uses, kind, key, everything=False))
    settle(number, kind, key)
    (kept,) = {handle for handle, _ in map(split, number.sent)}
    mine, out = (("p1", D1), ("p2", D2)) if kept.hex() == D1 else (("p2", D2), ("p1", D1))
    refused = Effect("", None, out[1], 1, 1 if kind == "cbs" else 9, "afgekeurd", "K08")
    twice = dubbel({"referentie": "TR314", "declaratienummer": "TR333"}.get(kind, "TR056"), b"m1", _message(kind))
    flags = {Effect(client, flag(twice, delivery), delivery) for client, delivery in (mine, out)}
    message = Effect(out[0], intrekking(_message(kind), b"m1", "K08"), out[1])
    line = PrestatieRetour(gemeente="", referentie=b"m1", bericht=b"a" * 12, code="K08", dagtekening=0)
    told = of_note(kind, (mine[1], 1)) | of_note(kind, (out[1], 1), holds=False)
    assert found == {
        "referentie": {refused, Effect(out[0], line, out[1]), *flags, *told},
        "declaratienummer": flags | told,
        "cbs": {refused, replaced(out[0], out[1], out[1])},
    }.get(kind, {refused, message, *flags, *told})
    assert mine[0] in next(iter(number.used.values()))
    told_before = Effect(mine[0], flag(twice, mine[1]), mine[1])
    remarked = set() if kind == "cbs" else of_note(kind, (mine[1], 1))
    assert set(fold(number, uses, kind, key, everything=False)) == found - {told_before} - remarked


def _message(kind: str) -> str:
    return {"bericht.start": "start", "regels.declaration": "declaration"}.get(kind, "")


def test_answers_beyond_the_bound_say_nothing_and_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.facts.register.MOST_ANSWERS", 1)
    monkeypatch.setattr("domain.facts.bounds.MOST_ANSWERS", 1)
    kind, number = "bericht.start", Number()
    records = [used(kind, b"a", "p1"), *(answered(kind, delivery=delivery) for delivery in (D2, D3, D4))]
    found = fold(number, records, kind, b"m1", everything=False)
    (fact,) = (effect for effect in found if effect.fact is not None)
    refused = {effect.delivery for effect in found if effect.answer}
    assert refused == {D2, D3, D4} - {fact.delivery}
    assert {effect for effect in found if effect.answer} == {
        Effect("", None, delivery, 1, 1, "afgekeurd", "K08", answer=True) for delivery in refused
    }
    settle(number, kind, b"m1")
    assert len(number.answers) == 1
