"""The fold is a function of the set of facts: order, repetition and restarts change nothing."""

from __future__ import annotations

import random
from typing import get_args

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.care.fold import Issued, Person, fold_rows, rows_of
from domain.care.rows import T_METING, T_TRAJECT, RowKey, TrajectRow
from domain.facts.fact import (
    CbsRecord,
    Dubbel,
    Event,
    Fact,
    Intrekking,
    Meting,
    Prestatie,
    PrestatieRetour,
    Score,
    Start,
    Stop,
    Toewijzing,
    Vervanging,
)
from domain.facts.fact_set import FactSet, StartAct, add, standing

CLIENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"
AGB, GEMEENTE = "12345678", "0363"
NUMBERS = st.sampled_from([b"toew0001", b"toew0002", None])
DAYS = st.integers(20_000, 20_120)
BERICHT = st.sampled_from([f"bericht{n}".encode() for n in range(6)])

starts = st.builds(
    Start, gemeente=st.sampled_from(["0363", "0457"]), toewijzing=NUMBERS, categorie=st.sampled_from(["45", "54"]),
    code=st.sampled_from(["", "45A01"]), begindatum=st.sampled_from([20_000, 20_040, 20_060]), status=st.sampled_from([1, 1, 3]),
    dagtekening=DAYS, bericht=BERICHT, ingangsdatum=st.just(None), leeftijd=st.sampled_from([None, 12]),
    leeftijd_benaderd=st.booleans(), geslacht=st.sampled_from(["0", "1"]),
)  # fmt: skip
stops = st.builds(
    Stop, gemeente=st.sampled_from(["0363", "0457"]), toewijzing=NUMBERS, categorie=st.sampled_from(["45", "54"]),
    code=st.sampled_from(["", "45A01"]), begindatum=st.sampled_from([20_000, 20_040, 20_060]),
    reden_beeindiging=st.sampled_from(["20", "31", "32", "37"]), einddatum=st.sampled_from([20_000, 20_040, 20_060, 20_080]), status=st.sampled_from([1, 1, 3]),
    dagtekening=DAYS, bericht=BERICHT, ingangsdatum=st.just(None), leeftijd=st.just(None),
    leeftijd_benaderd=st.booleans(), geslacht=st.just("0"),
)  # fmt: skip
prestaties = st.builds(
    Prestatie, gemeente=st.just("0363"), toewijzing=st.sampled_from([b"toew0001", b"toew0002"]), categorie=st.just("45"),
    code=st.just("45A01"), referentie=st.sampled_from([b"ref00001", b"ref00002", b"ref00003"]),
    vorige_referentie=st.sampled_from([None, b"ref00001"]), debet_credit=st.sampled_from(["D", "C"]), begindatum=DAYS,
    einddatum=DAYS, volume=st.integers(0, 9), eenheid=st.just("14"), bedrag=st.integers(0, 9), dagtekening=DAYS, bericht=BERICHT,
    declaratienummer=st.sampled_from([None, b"dec00001"]), tarief=st.sampled_from([None, 1]),
)  # fmt: skip
scores = st.builds(
    Score, toewijzing=st.sampled_from([b"toew0001", b"toew0002", None]), beschikking=st.sampled_from([None, b"besch001"]),
    doel=st.integers(0, 2), beoordelaar=st.sampled_from("OCB"), waarde=st.sampled_from([None, 1, 2]), tijd=st.integers(0, 9),
)  # fmt: skip
metingen = st.builds(
    Meting, meting=st.sampled_from([b"meting01", b"meting02", b"meting03"]),
    vragenlijst=st.sampled_from(["CEM+_2018_OE_v1", "CEM+_2018_JE_v1", "CEM+_2018_JD_v1"]), informant=st.just("Moeder"),
    datum=DAYS, antwoorden=st.dictionaries(st.sampled_from(["VR09A", "VR10"]), st.integers(1, 4)), tijd=st.integers(0, 9),
)  # fmt: skip
toewijzingen = st.builds(
    Toewijzing, gemeente=st.sampled_from(["0363", "0457"]), toewijzing=st.sampled_from([b"toew0001", b"toew0002"]),
    categorie=st.sampled_from(["45", ""]), code=st.sampled_from(["45A01", ""]), toewijzingsdatum=st.integers(20_000, 20_003),
    toewijzingstijd=st.integers(0, 1), ingangsdatum=st.sampled_from([20_000, 20_010]), einddatum=st.sampled_from([None, 20_060]),
    reden_wijziging=st.sampled_from(["", "", "11", "13"]), volume=st.just(1), eenheid=st.sampled_from(["14", "04"]),
    frequentie=st.just("2"), budget=st.just(None), dagtekening=DAYS, bericht=BERICHT,
)  # fmt: skip
retouren = st.builds(
    PrestatieRetour, gemeente=st.just("0363"), referentie=st.sampled_from([b"ref00001", b"ref00002", b"ref00003"]), bericht=BERICHT,
    code=st.sampled_from(["9338", "9339"]), dagtekening=DAYS,
)  # fmt: skip
figures = st.sampled_from([None, 3, 4])
cbs = st.builds(
    CbsRecord, gemeente=st.sampled_from(["0034", "0363"]), hulpvorm=st.sampled_from(["02", "11"]), verwijzer=st.just("01"),
    crisis=st.sampled_from(["01", ""]), begindatum=st.sampled_from([20_000, 20_040, 20_060]), einddatum=st.sampled_from([20_060, 20_080]),
    reden=st.sampled_from(["01", "03"]), geslacht=st.just("1"), leeftijd=st.sampled_from([None, 12]), leeftijd_benaderd=st.booleans(),
    nut_jeugdige=figures, nut_ouder=figures, zonder_hulp_jeugdige=figures, zonder_hulp_ouder=figures,
    periode=st.sampled_from(["2024-1", "2024-2"]), tijd=st.integers(0, 9),
) | st.builds(
    CbsRecord, gemeente=st.just("0034"), hulpvorm=st.sampled_from(["02", "11"]), verwijzer=st.just(""), crisis=st.just(""),
    begindatum=st.sampled_from([20_000, 20_040]), einddatum=st.just(None), reden=st.just(""), geslacht=st.just("2"),
    leeftijd=st.just(9), leeftijd_benaderd=st.just(False), nut_jeugdige=st.just(None), nut_ouder=figures,
    zonder_hulp_jeugdige=st.just(None), zonder_hulp_ouder=st.just(None), periode=st.just("2024-1"), tijd=st.integers(0, 9),
)  # fmt: skip
intrekkingen = st.builds(
    Intrekking, soort=st.sampled_from(["start", "stop", "declaration"]), bericht=BERICHT, code=st.sampled_from(["0001", "9074"])
)  # fmt: skip
doubles = st.builds(
    Dubbel, regel=st.just("TR056"), soort=st.sampled_from(["start", "stop", "declaration", "assignment"]), sleutel=BERICHT
) | st.builds(
    Dubbel, regel=st.sampled_from(["TR314", "TR333"]), soort=st.just(""), sleutel=st.sampled_from([b"ref00001", b"dec00001"])
)  # fmt: skip
vervangingen = st.builds(
    Vervanging, periode=st.sampled_from(["2024-1", "2024-2"]), aanlevering=st.sampled_from([c * 32 for c in "0123"])
)  # fmt: skip
KINDS: tuple[st.SearchStrategy[Fact], ...] = (
    starts, stops, prestaties, scores, metingen, toewijzingen, retouren, cbs, intrekkingen, doubles, vervangingen,
)  # fmt: skip
facts: st.SearchStrategy[Fact] = st.one_of(starts, stops, *KINDS)
events = st.builds(
    Event, delivery=st.sampled_from([c * 32 for c in "0123"]), line=st.integers(1, 3), aanbieder=st.sampled_from([AGB, AGB, "87654321"]),
    published_at=st.just(0), fact=facts,
)  # fmt: skip


def _rows(history: list[Event], chunks: list[int]) -> dict[RowKey, bytes]:
    """The rows a reader ends with: fold chunk by chunk, packing the state in between as a restart does."""
    blob, table, offset = msgspec.msgpack.encode(Person()), {}, 0
    rest = list(history)
    for size in [*chunks, len(history)]:
        part, rest = rest[:size], rest[size:]
        if not part:
            continue
        person = msgspec.msgpack.decode(blob, type=Person)
        for key, row in fold_rows(CLIENT, person, part, offset + len(part) - 1, offset):
            table[key] = row
        offset += len(part)
        blob = msgspec.msgpack.encode(person)
    return {k: msgspec.msgpack.encode(r, order="deterministic") for k, r in table.items() if r is not None}


def test_the_laws_below_are_tried_on_every_fact() -> None:
    seen: set[type] = set()

    @settings(max_examples=500, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(facts)
    def look(fact: Fact) -> None:
        seen.add(type(fact))

    look()
    assert seen == set(get_args(Fact))


def _set(history: list[Event]) -> FactSet:
    found = FactSet()
    for event in history:
        add(found, event)
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(events, max_size=16), st.randoms(use_true_random=False))
def test_the_set_itself_does_not_know_in_which_order_or_how_often_it_was_told(
    history: list[Event], rnd: random.Random
) -> None:
    again = history + [e for e in history if rnd.random() < 0.4]
    rnd.shuffle(again)
    assert _set(again) == _set(history)


def test_of_two_answers_on_one_line_or_message_no_order_decides_which_code_is_kept() -> None:
    regels: list[Fact] = [PrestatieRetour("0363", b"ref00001", b"b", code, 1) for code in ("9338", "9339")]
    berichten: list[Fact] = [Intrekking("start", b"b", code) for code in ("0001", "9074")]
    for facts in (regels, berichten):
        forth = [_event(fact) for fact in facts]
        assert _set(forth) == _set(forth[::-1])


@settings(max_examples=600, deadline=None)
@given(st.lists(events, max_size=16), st.randoms(use_true_random=False), st.lists(st.integers(1, 5), max_size=6))
def test_order_repetition_and_restarts_leave_no_trace(
    history: list[Event], rnd: random.Random, chunks: list[int]
) -> None:
    expected = _rows(history, [])
    again = history + [e for e in history if rnd.random() < 0.4]
    rnd.shuffle(again)
    assert _rows(again, chunks) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(events, min_size=1, max_size=10))
def test_a_redelivered_event_gives_every_row_again(history: list[Event]) -> None:
    person = Person()
    fold_rows(CLIENT, person, history, len(history) - 1, 0)
    given_again = fold_rows(CLIENT, person, history[-1:], len(history) - 1, len(history) - 1)
    assert {u.sleutel for u in given_again} == set(person.out)


@settings(max_examples=200, deadline=None)
@given(st.lists(events, min_size=1, max_size=10), events)
def test_what_is_given_out_is_what_the_facts_yield(history: list[Event], last: Event) -> None:
    person = Person()
    table: dict[RowKey, object] = {}
    for offset, event in enumerate([*history, last]):
        for key, row in fold_rows(CLIENT, person, [event], offset, offset):
            table[key] = row
    assert {k: v for k, v in table.items() if v is not None} == rows_of(CLIENT, person.facts)


def _act(status: int, day: int, leeftijd: int = 0) -> StartAct:
    return StartAct(status, day, None, leeftijd, False, "0")


def test_a_removal_and_a_new_delivery_on_one_day_leave_the_new_one() -> None:
    acts = {b"1": _act(1, 10, 1), b"2": _act(3, 12), b"3": _act(1, 12, 3)}
    assert standing(acts) == _act(1, 12, 3)


def test_delivered_and_removed_on_one_day_is_gone() -> None:
    assert standing({b"1": _act(1, 10), b"2": _act(3, 10)}) is None


def test_a_removal_before_its_original_waits_for_it() -> None:
    assert standing({b"2": _act(3, 10)}) is None
    assert standing({b"2": _act(3, 10), b"1": _act(1, 9)}) is None
    assert standing({b"2": _act(3, 10), b"3": _act(1, 11)}) == _act(1, 11)


def _event(fact: Fact, delivery: str = "0" * 32) -> Event:
    return Event(delivery, 1, AGB, 0, fact)


def _start(begin: int, toewijzing: bytes = b"toew0001", **over: object) -> Event:
    fields: dict[str, object] = {
        "gemeente": GEMEENTE, "toewijzing": toewijzing, "categorie": "45", "code": "45A01", "begindatum": begin, "status": 1,
        "dagtekening": begin + 3, "bericht": b"s%07d" % begin, "ingangsdatum": None, "leeftijd": 12,
        "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    return _event(Start(**(fields | over)))  # type: ignore[arg-type]


def _stop(begin: int, end: int, reden: str, toewijzing: bytes = b"toew0001", **over: object) -> Event:
    fields: dict[str, object] = {
        "gemeente": GEMEENTE, "toewijzing": toewijzing, "categorie": "45", "code": "45A01", "begindatum": begin,
        "reden_beeindiging": reden, "einddatum": end, "status": 1, "dagtekening": end + 3, "bericht": b"e%07d" % end,
        "ingangsdatum": None, "leeftijd": 13, "leeftijd_benaderd": False, "geslacht": "1",
    }  # fmt: skip
    return _event(Stop(**(fields | over)))  # type: ignore[arg-type]


def _trajecten(*history: Event) -> list[TrajectRow]:
    person = Person()
    given_out: list[Issued] = fold_rows(CLIENT, person, history, len(history), 0)
    return [u.row for u in given_out if isinstance(u.row, TrajectRow)]


def test_a_restart_within_thirty_days_is_the_same_traject() -> None:
    (row,) = _trajecten(_start(100), _stop(100, 200, "37"), _start(230), _stop(230, 300, "32"))
    assert (row.begindatum, row.einddatum, row.reden_beeindiging, row.uitval_klasse) == (100, 300, "32", "client")
    assert row.leveringen == 2


def test_a_restart_after_thirty_days_is_another_traject() -> None:
    assert len(_trajecten(_start(100), _stop(100, 200, "31"), _start(231))) == 2


def test_a_pause_keeps_the_traject_open_until_it_resumes() -> None:
    (paused,) = _trajecten(_start(100), _stop(100, 200, "20"))
    assert (paused.status, paused.einddatum) == ("gepauzeerd", None)
    (resumed,) = _trajecten(_start(100), _stop(100, 200, "20"), _start(290), _stop(290, 400, "31"))
    assert (resumed.status, resumed.einddatum, resumed.leveringen) == ("beeindigd", 400, 2)


def test_a_pause_that_was_resumed_does_not_hold_the_chain_open() -> None:
    history = [_start(100), _stop(100, 124, "20"), _start(152), _stop(152, 166, "31"), _start(197)]
    first, second = sorted(_trajecten(*history), key=lambda row: row.begindatum)
    assert (first.einddatum, first.leveringen) == (166, 2)
    assert (second.begindatum, second.status) == (197, "lopend")


def test_two_pauses_on_one_day_wait_and_do_not_resume_each_other() -> None:
    history = [_start(100), _stop(100, 100, "20"), _start(100, b"toew0002"), _stop(100, 100, "20", b"toew0002")]
    (row,) = _trajecten(*history)
    assert (row.status, row.leveringen) == ("gepauzeerd", 2)


def test_a_stop_without_its_start_waits() -> None:
    (row,) = _trajecten(_stop(100, 200, "31"))
    assert (row.status, row.einddatum, row.uitval_klasse) == ("wacht_op_start", None, "")


def test_of_one_upload_the_last_line_of_a_score_counts() -> None:
    score = Score(b"toew0001", None, 1, "O", 2, 50)
    earlier = Event("a" * 32, 1, AGB, 0, score)
    later = Event("a" * 32, 2, AGB, 0, msgspec.structs.replace(score, waarde=-1))
    for history in ([earlier, later], [later, earlier]):
        (row,) = _trajecten(_start(100), *history)
        assert row.gas == {"1O": -1}


def test_old_municipality_codes_count_under_the_current_one() -> None:
    person = Person()
    (issued,) = fold_rows(CLIENT, person, [_start(100, gemeente="0457")], 0, 0)
    assert issued.sleutel.gemeente == "0363"


def _vlaggen(*history: Event) -> list[str]:
    (row,) = _trajecten(*history)
    return row.vlaggen


def test_delivered_twice_is_a_flag_and_a_removal_clears_it() -> None:
    twice = [_start(100, dagtekening=110, bericht=b"a"), _start(100, dagtekening=111, bericht=b"b")]
    assert _vlaggen(*twice) == ["TR074"]
    removed = _start(100, status=3, dagtekening=112, bericht=b"c")
    assert _vlaggen(*twice, removed, _start(100, dagtekening=112, bericht=b"d")) == []
    assert _vlaggen(*twice, removed, _start(100, dagtekening=113, bericht=b"d")) == []


def test_a_removal_of_nothing_does_not_hide_that_a_start_came_twice() -> None:
    removed = _start(100, status=3, dagtekening=109, bericht=b"c")
    twice = [_start(100, dagtekening=110, bericht=b"a"), _start(100, dagtekening=111, bericht=b"b")]
    assert _vlaggen(removed, *twice) == ["TR074"]


def test_a_stop_delivered_twice_is_a_flag_too() -> None:
    twice = [_stop(100, 200, "31", dagtekening=203, bericht=b"a"), _stop(100, 205, "31", dagtekening=208, bericht=b"b")]
    assert _vlaggen(_start(100), *twice) == ["TR074"]
    assert _vlaggen(*twice) == ["TR074"]


def test_only_a_start_on_a_later_day_resumes_a_pause() -> None:
    """Two leveringen of one day, one of them paused that day: the order of their numbers, hashes, has no meaning."""
    for one, two in ((b"toew0001", b"toew0002"), (b"toew0002", b"toew0001")):
        history = [_start(100, one), _stop(100, 100, "20", one), _start(100, two), _stop(100, 150, "31", two)]
        (row,) = _trajecten(*history)
        assert (row.status, row.einddatum) == ("gepauzeerd", None)


def _prestatie(referentie: bytes, bericht: bytes, **over: object) -> Event:
    fields: dict[str, object] = {
        "gemeente": GEMEENTE, "toewijzing": b"toew0001", "categorie": "45", "code": "45A01", "referentie": referentie,
        "vorige_referentie": None, "debet_credit": "D", "begindatum": 100, "einddatum": 100, "volume": 1, "eenheid": "14",
        "bedrag": 1, "dagtekening": 130, "bericht": bericht,
    }  # fmt: skip
    return _event(Prestatie(**(fields | over)))  # type: ignore[arg-type]


def test_of_a_reference_used_twice_the_latest_line_counts() -> None:
    """TR314 broken: one key, so the latest by dagtekening and message, as for every other fact."""
    debet = _prestatie(b"ref00001", b"b", dagtekening=130)
    elders = _prestatie(b"ref00001", b"a", dagtekening=140, toewijzing=b"toew0009")
    (row,) = _trajecten(_start(100), debet, elders)
    assert row.declaraties == 0
    (row,) = _trajecten(_start(100), elders, _prestatie(b"ref00001", b"b", dagtekening=140))
    assert row.declaraties == 1


def test_a_declaration_counts_on_the_assignment_of_its_own_municipality() -> None:
    """A number is unique within one municipality (TR332)."""
    two = [_start(100), _start(150, gemeente="0384")]
    rows_ = _trajecten(*two, _prestatie(b"ref00001", b"a"), _prestatie(b"ref00002", b"a", gemeente="0384"))
    assert {row.begindatum: row.declaraties for row in rows_} == {100: 1, 150: 1}
    (row,) = _trajecten(_start(100), _prestatie(b"ref00001", b"a", gemeente="0384"))
    assert row.declaraties == 0
    (row,) = _trajecten(_start(100), _prestatie(b"ref00001", b"a", gemeente="0457"))
    assert row.declaraties == 1


def test_of_one_goal_in_two_assignments_the_last_line_of_one_upload_counts() -> None:
    chain = [_start(100), _stop(100, 200, "37"), _start(210, b"toew0002")]
    one, two = (Score(number, None, 1, "O", value, 50) for number, value in ((b"toew0001", 2), (b"toew0002", 0)))
    (row,) = _trajecten(*chain, Event("a" * 32, 1, AGB, 0, one), Event("a" * 32, 2, AGB, 0, two))
    assert row.gas == {"1O": 0}
    (row,) = _trajecten(*chain, Event("a" * 32, 2, AGB, 0, one), Event("a" * 32, 1, AGB, 0, two))
    assert row.gas == {"1O": 2}


def test_a_later_x_takes_an_earlier_score_of_the_same_goal_away() -> None:
    """The last value counts and x is one: within an assignment, and between two of one traject."""
    chain = [_start(100), _stop(100, 200, "37"), _start(210, b"toew0002")]
    given = Event("a" * 32, 1, AGB, 0, Score(b"toew0001", None, 1, "O", 2, 50))
    for toewijzing in (b"toew0001", b"toew0002"):
        gone = Event("b" * 32, 1, AGB, 0, Score(toewijzing, None, 1, "O", None, 51))
        (row,) = _trajecten(*chain, given, gone)
        assert (row.gas, row.gas_gescoord) == ({}, 0)


def test_of_two_contents_of_one_line_the_order_of_the_answers_decides_nothing() -> None:
    one = Meting(b"m", "CEM+_2018_OE_v1", "Moeder", 100, {"VR01": 1, "VR02": 2}, 50)
    one_otherwise_written = msgspec.structs.replace(one, antwoorden={"VR02": 2, "VR01": 1})
    two = msgspec.structs.replace(one, antwoorden={"VR01": 2, "VR02": 1})
    outcomes = []
    for first in (one, one_otherwise_written):
        facts = FactSet()
        for fact in (first, two):
            add(facts, _event(fact))
        outcomes.append(rows_of(CLIENT, facts))
    assert outcomes[0] == outcomes[1]


#: The packed state of a client as release 0.1.0 wrote it, before assignments, answers and CBS records were kept.
BLOB = (
    "930a958296a83132333435363738a430333633c408746f657730303031a23435a534354130316483c4087330303030313030960167c00c"
    "c2a131c4087330303030393939960368c00cc2a131c4087330303031303030960169c00cc2a13196a83132333435363738a430343537c0"
    "a23435a53435413031cd012c81c40873303030303330309601cd012fc00cc2a131829296a83132333435363738a430333633c408746f65"
    "7730303031a23435a5343541303164a2323081c40865303030303230309701cccbc0ccc80dc2a1319296a83132333435363738a4303336"
    "33c408746f657730303031a23435a5343541303164a2333181c40865303030303231309701ccd5c0ccd20dc2a1318292a8313233343536"
    "3738c408726566303030303181c40862303030303030319ca430333633c408746f657730303031a23435a53435413031c0a144646401a2"
    "313401cc8292a83132333435363738c408726566303030303281c40862303030303030329ca430333633c408746f657730303031a23435"
    "a53435413031c4087265663030303031a143646401a2313401cc828295a83132333435363738c408746f657730303031c001a14f81c40c"
    "aaaaaaaaaaaaaaaa0000000192320295a83132333435363738c0c408626573636830303100a14281c40caaaaaaaaaaaaaaaa0000000292"
    "32c08192a83132333435363738c4086d6574696e67303181c40cbbbbbbbbbbbbbbbb00000001953cccd7af43454d2b5f323031385f4f45"
    "5f7631a64d6f6564657282a5565230394108a45652313003859500a83132333435363738a430333633cd07b2c40832ac7dd9a993af72c4"
    "08f675b56294b50a069500a83132333435363738a430333633cd07b2c408b205b6e33303cbd9c408a4bed4a3dd5bee449501a831323334"
    "35363738a430333633cd07b2c4086bcf8406ea3dc0c3c4082d54703eeb987d459502a83132333435363738a430333633cd07b2c4080e30"
    "6b318b7c0257c40867cbb4f3b36c8f3f9502a83132333435363738a0cd07b2c4086c3158f1a3adaa80c40871b41d1f0a1ce948"
)


def test_a_state_of_the_first_release_is_read_and_folded_on() -> None:
    """Frozen: the blob stands in the changelogs. New fields of the state come at the end, with a default."""
    person = msgspec.msgpack.decode(bytes.fromhex(BLOB), type=Person)
    assert person.version == 10
    assert [len(part) for part in msgspec.structs.astuple(person.facts)] == [2, 2, 2, 2, 1, 0, 0, 0, 0, 0, 0]
    (row,) = (r for r in rows_of(CLIENT, person.facts).values() if isinstance(r, TrajectRow) and r.begindatum == 100)
    assert (row.status, row.einddatum, row.reden_beeindiging, row.gas, row.nut_ouder) == (
        "beeindigd",
        210,
        "31",
        {"1O": 2},
        8,
    )
    assert (row.declaraties, row.metingen_einde, row.wacht) == (0, 1, {"toewijzing": 103})
    given_out = fold_rows(CLIENT, person, [_event(Intrekking("stop", b"e0000210", "0001"))], 11, 11)
    # Without the final stop only the pause is left, and the start of day 300 resumes it: one traject.
    (row,) = (u.row for u in given_out if isinstance(u.row, TrajectRow))
    assert (row.status, row.leveringen) == ("lopend", 2)
    assert sorted(u.sleutel.tabel for u in given_out if u.row is None) == [T_TRAJECT, T_METING]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person) == person
