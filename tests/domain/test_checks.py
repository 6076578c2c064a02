"""Checks of one fact by itself: a source is never trusted, whatever integers and texts it sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from domain.facts.checks import check
from domain.facts.fact import KINDS, Content, Fact
from domain.field.codes import ERASURE_REASONS, TAKEBACK_REASONS
from domain.field.messages import MESSAGES
from tests.build import (
    bericht_retour,
    cbs_record,
    meting,
    prestatie,
    prestatie_retour,
    score,
    start,
    stop,
    terugname,
    toewijzing,
    wisverzoek,
)

START = start(begindatum=20_000, dagtekening=20_100, ingangsdatum=19_999)
STOP = stop(begindatum=20_000, einddatum=20_050, dagtekening=20_100, leeftijd=None)
PRESTATIE = prestatie(begindatum=19_997, einddatum=20_000, dagtekening=20_100, eenheid="04", tarief=None)
SCORE = score()
METING = meting(antwoorden={"VR01": 1})
#: One of every content that a line of a delivery can hold.
GOOD: tuple[Content, ...] = (
    *(START, STOP, PRESTATIE, SCORE, METING, start(), stop(), prestatie(), prestatie("2", "1"), meting(), toewijzing()),
    *(
        cbs_record(),
        cbs_record(0, 100),
        cbs_record(postcodegebied="’s-Gravenland"),
        toewijzing(postcodegebied="Oud-Zuid (West/Zuid) Één"),
        prestatie_retour(),
        bericht_retour("start", b"1"),
        bericht_retour("stop", b"1", ""),
        terugname(reden=""),
        *(terugname(reden=reason) for reason in TAKEBACK_REASONS),
        *(wisverzoek(reason) for reason in ERASURE_REASONS),
    ),
)


@pytest.mark.parametrize("fact", GOOD, ids=lambda f: type(f).__name__)
def test_a_good_fact_passes(fact: Content) -> None:
    assert check(fact) is None


def test_every_content_is_among_the_good_ones() -> None:
    assert {type(fact) for fact in GOOD} == {cls for classes in KINDS.values() for cls in classes}


@pytest.mark.parametrize(
    ("code", "fact", "changes"),
    [
        ("CS058", START, {"status": 2}),
        ("V01", START, {"geslacht": "9"}),
        ("V01", START, {"gemeente": "363"}),
        ("V01", START, {"gemeente": "٠٣٦٣"}),
        ("V01", START, {"code": "45A999"}),
        ("JZ020", START, {"categorie": "39"}),
        ("TR002", START, {"leeftijd": 121}),
        ("TR002", STOP, {"leeftijd": -1}),
        ("TR134", START, {"begindatum": 20_101}),
        ("V02", START, {"begindatum": -(2**31)}),
        ("V02", START, {"dagtekening": 2**31 - 1}),
        ("V02", START, {"ingangsdatum": 2**31 - 1}),
        ("JZ588", STOP, {"reden_beeindiging": "19"}),
        ("TR018", STOP, {"einddatum": 19_999}),
        ("TR134", STOP, {"einddatum": 20_101}),
        ("V02", STOP, {"einddatum": 2**31 - 1, "status": 3}),
        ("V01", PRESTATIE, {"debet_credit": "X"}),
        ("CD060", PRESTATIE, {"debet_credit": "C"}),
        ("CD060", PRESTATIE, {"vorige_referentie": b"x"}),
        ("V01", PRESTATIE, {"eenheid": "99"}),
        ("V03", PRESTATIE, {"volume": -1}),
        ("V03", PRESTATIE, {"bedrag": 10**9}),
        ("CS339", PRESTATIE, {"eenheid": "83"}),
        ("TR137", PRESTATIE, {"einddatum": 19_996}),
        ("CS337", PRESTATIE, {"einddatum": 20_030}),
        ("V02", PRESTATIE, {"einddatum": 2**31 - 1}),
        ("R02", SCORE, {"toewijzing": None}),
        ("R04", SCORE, {"doel": 11}),
        ("R04", SCORE, {"beoordelaar": "B"}),
        ("R05", SCORE, {"waarde": 3}),
        ("R05", SCORE, {"doel": 0, "waarde": 0}),
        ("V02", SCORE, {"tijd": -1}),
        ("C03", METING, {"vragenlijst": "x"}),
        ("C02", METING, {"datum": 2**31 - 1}),
        ("C12", METING, {"informant": "Jan 999900006"}),
        ("C04", METING, {"antwoorden": {"VR99": 1}}),
        ("C05", METING, {"antwoorden": {"VR01": 5}}),
        ("V02", METING, {"tijd": 2**62}),
        *(
            ("V01", fact, {"postcodegebied": area})
            for fact in (toewijzing(), cbs_record())
            for area in (
                "1315",
                "Wijk 1315",
                "w1ijk",
                "a①③①⑤",
                "aⅧ",
                "Wijk  oost",
                " Wijk",
                "Wijk ",
                "-wijk",
                "a" * 41,
                "’",
                "'-.",
            )
            for area in (area, area + "\n")
        ),
        ("V01", terugname(), {"aanlevering": "A" * 32}),
        ("V01", terugname(), {"aanlevering": "a" * 31}),
        ("V03", terugname(), {"lines": 0}),
        ("V03", terugname(), {"lines": 2_000_001}),
        ("V01", terugname(), {"reden": "BSN 999900006"}),
        ("V01", terugname(), {"reden": "x" * 201}),
        ("V01", terugname(), {"reden": "het bestand van Jan Jansen"}),
        ("V01", terugname(), {"reden": "Dubbel"}),
        ("V01", terugname(), {"reden": "twee\nregels"}),
        ("V01", wisverzoek(), {"reden": "BSN 999900006"}),
        ("V01", wisverzoek(), {"reden": "dubbel"}),
    ],
)
def test_each_thing_that_is_wrong_has_its_code(code: str, fact: Fact, changes: dict[str, Any]) -> None:
    found = check(replace(fact, **changes))
    assert found is not None
    assert found.code == code
    assert code in MESSAGES


def test_a_removal_is_checked_on_its_key_alone() -> None:
    assert check(replace(START, status=3, begindatum=20_101)) is None
    assert check(replace(STOP, status=3, einddatum=19_999)) is None
    found = check(replace(STOP, status=3, reden_beeindiging="19"))
    assert found is not None
    assert found.code == "JZ588"


INTEGERS = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_value_of_any_field_breaks_the_checks(data: st.DataObject) -> None:
    fact = data.draw(st.sampled_from(GOOD))
    field, value = data.draw(st.sampled_from(list(asdict(fact).items())))
    strange: Any = {
        int: INTEGERS,
        str: st.text(max_size=50),
        bytes: st.binary(max_size=50),
        dict: st.dictionaries(st.text(max_size=5), INTEGERS, max_size=3),
    }.get(type(value), st.none())
    found = check(replace(fact, **{field: data.draw(strange)}))
    assert found is None or found.code in MESSAGES
