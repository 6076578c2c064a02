"""The set of facts: order, repetition and restarts change nothing, whatever the facts."""

from __future__ import annotations

import random
from typing import get_args

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.care.fold import Person, fold_rows, rows_of
from domain.care.rows import RowKey
from domain.facts.act import StartAct
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
    Teruggenomen,
    Toewijzing,
    Vervanging,
)
from domain.facts.standing import standing
from tests.build import (
    AGB,
    CLIENT,
    OTHER,
    fact_set,
    intrekking,
    meting,
    prestatie_retour,
)

NUMBERS = st.sampled_from([b"toew0001", b"toew0002", None])
DAYS = st.integers(20_000, 20_120)
BERICHT = st.sampled_from([f"bericht{n}".encode() for n in range(6)])

starts = st.builds(
    Start,
    gemeente=st.sampled_from(["0363", "0457"]),
    toewijzing=NUMBERS,
    categorie=st.sampled_from(["45", "54"]),
    code=st.sampled_from(["", "45A01"]),
    begindatum=st.sampled_from([20_000, 20_040, 20_060]),
    status=st.sampled_from([1, 1, 3]),
    dagtekening=DAYS,
    bericht=BERICHT,
    ingangsdatum=st.just(None),
    leeftijd=st.sampled_from([None, 12]),
    leeftijd_benaderd=st.booleans(),
    geslacht=st.sampled_from(["0", "1"]),
)
stops = st.builds(
    Stop,
    gemeente=st.sampled_from(["0363", "0457"]),
    toewijzing=NUMBERS,
    categorie=st.sampled_from(["45", "54"]),
    code=st.sampled_from(["", "45A01"]),
    begindatum=st.sampled_from([20_000, 20_040, 20_060]),
    reden_beeindiging=st.sampled_from(["20", "31", "32", "37"]),
    einddatum=st.sampled_from([20_000, 20_040, 20_060, 20_080]),
    status=st.sampled_from([1, 1, 3]),
    dagtekening=DAYS,
    bericht=BERICHT,
    ingangsdatum=st.just(None),
    leeftijd=st.just(None),
    leeftijd_benaderd=st.booleans(),
    geslacht=st.just("0"),
)
prestaties = st.builds(
    Prestatie,
    gemeente=st.just("0363"),
    toewijzing=st.sampled_from([b"toew0001", b"toew0002"]),
    categorie=st.just("45"),
    code=st.just("45A01"),
    referentie=st.sampled_from([b"ref00001", b"ref00002", b"ref00003"]),
    vorige_referentie=st.sampled_from([None, b"ref00001"]),
    debet_credit=st.sampled_from(["D", "C"]),
    begindatum=DAYS,
    einddatum=DAYS,
    volume=st.integers(0, 9),
    eenheid=st.just("14"),
    bedrag=st.integers(0, 9),
    dagtekening=DAYS,
    bericht=BERICHT,
    declaratienummer=st.sampled_from([None, b"dec00001"]),
    tarief=st.sampled_from([None, 1]),
)
scores = st.builds(
    Score,
    toewijzing=st.sampled_from([b"toew0001", b"toew0002", None]),
    beschikking=st.sampled_from([None, b"besch001"]),
    doel=st.integers(0, 2),
    beoordelaar=st.sampled_from("OCB"),
    waarde=st.sampled_from([None, 1, 2]),
    tijd=st.integers(0, 9),
)
metingen = st.builds(
    Meting,
    meting=st.sampled_from([b"meting01", b"meting02", b"meting03"]),
    vragenlijst=st.sampled_from(["CEM+_2018_OE_v1", "CEM+_2018_JE_v1", "CEM+_2018_JD_v1"]),
    informant=st.just("Moeder"),
    datum=DAYS,
    antwoorden=st.dictionaries(st.sampled_from(["VR09A", "VR10"]), st.integers(1, 4)),
    tijd=st.integers(0, 9),
)
toewijzingen = st.builds(
    Toewijzing,
    gemeente=st.sampled_from(["0363", "0457"]),
    toewijzing=st.sampled_from([b"toew0001", b"toew0002"]),
    categorie=st.sampled_from(["45", ""]),
    code=st.sampled_from(["45A01", ""]),
    toewijzingsdatum=st.integers(20_000, 20_003),
    toewijzingstijd=st.integers(0, 1),
    ingangsdatum=st.sampled_from([20_000, 20_010]),
    einddatum=st.sampled_from([None, 20_060]),
    reden_wijziging=st.sampled_from(["", "", "11", "13"]),
    volume=st.just(1),
    eenheid=st.sampled_from(["14", "04"]),
    frequentie=st.just("2"),
    budget=st.just(None),
    dagtekening=DAYS,
    bericht=BERICHT,
)
retouren = st.builds(
    PrestatieRetour,
    gemeente=st.just("0363"),
    referentie=st.sampled_from([b"ref00001", b"ref00002", b"ref00003"]),
    bericht=BERICHT,
    code=st.sampled_from(["9338", "9339"]),
    dagtekening=DAYS,
)
figures = st.sampled_from([None, 3, 4])
cbs = st.builds(
    CbsRecord,
    gemeente=st.sampled_from(["0034", "0363"]),
    hulpvorm=st.sampled_from(["02", "11"]),
    verwijzer=st.just("01"),
    crisis=st.sampled_from(["01", ""]),
    begindatum=st.sampled_from([20_000, 20_040, 20_060]),
    einddatum=st.sampled_from([20_060, 20_080]),
    reden=st.sampled_from(["01", "03"]),
    geslacht=st.just("1"),
    leeftijd=st.sampled_from([None, 12]),
    leeftijd_benaderd=st.booleans(),
    nut_jeugdige=figures,
    nut_ouder=figures,
    zonder_hulp_jeugdige=figures,
    zonder_hulp_ouder=figures,
    periode=st.sampled_from(["2024-1", "2024-2"]),
    tijd=st.integers(0, 9),
) | st.builds(
    CbsRecord,
    gemeente=st.just("0034"),
    hulpvorm=st.sampled_from(["02", "11"]),
    verwijzer=st.just(""),
    crisis=st.just(""),
    begindatum=st.sampled_from([20_000, 20_040]),
    einddatum=st.just(None),
    reden=st.just(""),
    geslacht=st.just("2"),
    leeftijd=st.just(9),
    leeftijd_benaderd=st.just(False),
    nut_jeugdige=st.just(None),
    nut_ouder=figures,
    zonder_hulp_jeugdige=st.just(None),
    zonder_hulp_ouder=st.just(None),
    periode=st.just("2024-1"),
    tijd=st.integers(0, 9),
)
intrekkingen = st.builds(
    Intrekking,
    soort=st.sampled_from(["start", "stop", "declaration"]),
    bericht=BERICHT,
    code=st.sampled_from(["0001", "9074"]),
)
doubles = st.builds(
    Dubbel,
    regel=st.just("TR056"),
    soort=st.sampled_from(["start", "stop", "declaration", "assignment"]),
    sleutel=BERICHT,
) | st.builds(
    Dubbel,
    regel=st.sampled_from(["TR314", "TR333"]),
    soort=st.just(""),
    sleutel=st.sampled_from([b"ref00001", b"dec00001"]),
)
vervangingen = st.builds(
    Vervanging, periode=st.sampled_from(["2024-1", "2024-2"]), aanlevering=st.sampled_from([c * 32 for c in "0123"])
)  # fmt: skip
taken_back = st.builds(
    Teruggenomen,
    aanlevering=st.sampled_from([c * 32 for c in "0123"]),
    terug=st.integers(1, 3),
    opnieuw=st.integers(0, 4),
)
KINDS: tuple[st.SearchStrategy[Fact], ...] = (
    starts, stops, prestaties, scores, metingen, toewijzingen, retouren, cbs, intrekkingen, doubles, vervangingen,
    taken_back,
)  # fmt: skip
facts: st.SearchStrategy[Fact] = st.one_of(starts, stops, *KINDS)
events = st.builds(
    Event,
    delivery=st.sampled_from([c * 32 for c in "0123"]),
    line=st.integers(1, 3),
    aanbieder=st.sampled_from([AGB, AGB, OTHER]),
    published_at=st.just(0),
    fact=facts,
)


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


@settings(max_examples=300, deadline=None)
@given(st.lists(events, max_size=16), st.randoms(use_true_random=False))
def test_the_set_itself_does_not_know_in_which_order_or_how_often_it_was_told(
    history: list[Event], rng: random.Random
) -> None:
    again = history + [e for e in history if rng.random() < 0.4]
    rng.shuffle(again)
    assert fact_set(again) == fact_set(history)


def test_of_two_answers_on_one_line_or_message_no_order_decides_which_code_is_kept() -> None:
    lines: list[Fact] = [prestatie_retour(code=code) for code in ("9338", "9339")]
    messages: list[Fact] = [intrekking("start", b"b", code) for code in ("0001", "9074")]
    for answers in (lines, messages):
        assert fact_set(answers) == fact_set(answers[::-1])


@settings(max_examples=600, deadline=None)
@given(st.lists(events, max_size=16), st.randoms(use_true_random=False), st.lists(st.integers(1, 5), max_size=6))
def test_order_repetition_and_restarts_leave_no_trace(
    history: list[Event], rng: random.Random, chunks: list[int]
) -> None:
    expected = _rows(history, [])
    again = history + [e for e in history if rng.random() < 0.4]
    rng.shuffle(again)
    assert _rows(again, chunks) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(events, min_size=1, max_size=10))
def test_a_redelivered_event_gives_every_row_again(history: list[Event]) -> None:
    person = Person()
    fold_rows(CLIENT, person, history, len(history) - 1, 0)
    given_again = fold_rows(CLIENT, person, history[-1:], len(history) - 1, len(history) - 1)
    assert {u.key for u in given_again} == set(person.out)


@settings(max_examples=200, deadline=None)
@given(st.lists(events, min_size=1, max_size=10), events)
def test_what_is_given_out_is_what_the_facts_yield(history: list[Event], last: Event) -> None:
    person = Person()
    table: dict[RowKey, object] = {}
    for offset, told in enumerate([*history, last]):
        for key, row in fold_rows(CLIENT, person, [told], offset, offset):
            table[key] = row
    assert {k: v for k, v in table.items() if v is not None} == rows_of(CLIENT, person.facts)


def _act(status: int, day: int, leeftijd: int = 0) -> StartAct:
    return StartAct(
        status=status, dagtekening=day, ingangsdatum=None, leeftijd=leeftijd, leeftijd_benaderd=False, geslacht="0"
    )


def test_a_removal_and_a_new_delivery_on_one_day_leave_the_new_one() -> None:
    acts = {b"1": _act(1, 10, 1), b"2": _act(3, 12), b"3": _act(1, 12, 3)}
    assert standing(acts) == _act(1, 12, 3)


def test_delivered_and_removed_on_one_day_is_gone() -> None:
    assert standing({b"1": _act(1, 10), b"2": _act(3, 10)}) is None


def test_a_removal_before_its_original_waits_for_it() -> None:
    assert standing({b"2": _act(3, 10)}) is None
    assert standing({b"2": _act(3, 10), b"1": _act(1, 9)}) is None
    assert standing({b"2": _act(3, 10), b"3": _act(1, 11)}) == _act(1, 11)


def test_of_two_contents_of_one_line_the_order_of_the_answers_decides_nothing() -> None:
    one, otherwise_written = meting(antwoorden={"VR01": 1, "VR02": 2}), meting(antwoorden={"VR02": 2, "VR01": 1})
    two = meting(antwoorden={"VR01": 2, "VR02": 1})
    first, second = (rows_of(CLIENT, fact_set([written, two])) for written in (one, otherwise_written))
    assert first == second
