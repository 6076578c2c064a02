"""Every rule of level 3 and 4 that the monitor judges: broken and just not broken. A flag changes no figure."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.field.dates import iso_day
from domain.field.rules import FLAG, FULL, NOT_JUDGED, RULES, WAITS, WAITS_FOR
from tests.build import (
    NUMBER,
    OTHER,
    D,
    Told,
    dubbel,
    event,
    intrekking,
    meting,
    metingen,
    prestatie,
    prestatie_retour,
    score,
    scores,
    start,
    stop,
    toewijzing,
    trajecten,
)

FEB: dict[str, Any] = {"begindatum": D + 31, "einddatum": D + 58, "dagtekening": D + 60}
REMOVED = toewijzing(50, einddatum=D, reden_wijziging="13")


def line(**over: Any) -> list[Told]:
    """A traject with its assignment, and one declared line."""
    return [toewijzing(), start(0), prestatie("1", **over)]


#: Those that facts break; too many facts are no facts (``tests/domain/test_caps.py``).
FLAGS = {code for code, rule in RULES.items() if rule.form == FLAG} - {FULL}
#: Rule, a history, whether the rule is broken.
CASES: list[tuple[str, list[Told], bool]] = [
    # numbers used twice
    ("TR056", [start(0), dubbel("TR056", start(0).bericht, "start")], True),
    ("TR056", [start(0), dubbel("TR056", start(0).bericht, "stop")], False),
    ("TR056", [start(0), event(dubbel("TR056", start(0).bericht, "start"), aanbieder=OTHER)], False),
    ("TR056", [start(0), stop(0, 50), dubbel("TR056", stop(0, 50).bericht, "stop")], True),
    ("TR056", [start(0), stop(0, 50), dubbel("TR056", stop(0, 51).bericht, "stop")], False),
    ("TR056", [toewijzing(), start(0), dubbel("TR056", toewijzing().bericht, "assignment")], True),
    ("TR056", [toewijzing(), start(0, b"toew0002"), dubbel("TR056", toewijzing().bericht, "assignment")], False),
    ("TR056", [*line(), dubbel("TR056", b"323 1", "declaration")], True),
    ("TR056", [*line(), dubbel("TR056", b"323 2", "declaration")], False),
    ("TR314", [*line(), dubbel("TR314", b"1")], True),
    ("TR314", [*line(), dubbel("TR314", b"2")], False),
    ("TR314", [*line(), event(dubbel("TR314", b"1"), aanbieder=OTHER)], False),
    ("TR333", [*line(), dubbel("TR333", b"dec00001")], True),
    ("TR333", [*line(), dubbel("TR333", b"dec00002")], False),
    ("TR333", [*line(), prestatie_retour("1"), dubbel("TR333", b"dec00001")], False),
    # municipality codes
    ("TR378", [start(0, gemeente="0363")], False),
    ("TR378", [start(0, gemeente="0034")], False),
    ("TR378", [start(0, gemeente="9999")], True),
    ("TR378", [start(0, gemeente="0457")], True),
    ("TR378", [start(0, gemeente="0457", ingangsdatum=iso_day("2022-03-23"))], False),
    ("TR378", [start(0, gemeente="0457", ingangsdatum=iso_day("2022-03-24"))], True),
    ("TR378", [start(0, gemeente="0370", ingangsdatum=iso_day("2021-12-31"))], False),
    ("TR378", [start(0, gemeente="0370", ingangsdatum=iso_day("2022-01-01"))], True),
    ("TR378", [stop(0, 50, gemeente="0457")], True),
    # starts and stops of one assignment
    ("TR071", [start(0), start(0, status=3, bericht=b"x", dagtekening=D + 60), stop(0, 50)], True),
    ("TR071", [start(0, status=3), stop(0, 50)], False),
    ("TR071", [stop(0, 50)], False),
    ("TR074", [start(0), start(0, bericht=b"x")], True),
    ("TR074", [start(0), stop(0, 50), stop(0, 50, bericht=b"x")], True),
    ("TR074", [start(0), start(0)], False),
    ("TR326", [start(0), start(50)], True),
    ("TR326", [start(0), start(0, code="45A53")], True),
    ("TR326", [start(0), stop(0, 51), start(50)], True),
    ("TR326", [start(0), stop(0, 50), start(50)], False),
    ("TR326", [start(0), stop(0, 50, "20"), start(50)], False),
    ("TR326", [start(0), stop(0, 51, "20"), start(50)], True),
    ("TR326", [start(0), start(50, b"toew0002")], False),
    ("TR326", [start(0), start(50, gemeente="0384")], False),
    ("TR326", [start(0), event(start(50), aanbieder=OTHER)], False),
    ("TR326", [start(0, None), start(50, None)], False),
    ("TR326", [start(0), stop(0, 90), start(10), stop(10, 20), start(50)], True),
    ("TR382", [start(0), stop(1, 50)], True),
    ("TR382", [start(0), stop(0, 50, code="45A53")], True),
    ("TR382", [start(0), stop(1, 50, toewijzing=b"toew0002")], False),
    ("TR382", [start(0, None), stop(1, 50, toewijzing=None)], True),
    ("TR382", [start(0, None), stop(1, 50, toewijzing=None, code="45A53")], False),
    ("TR382", [stop(0, 40), stop(1, 50)], False),
    ("TR382", [start(0), start(1, status=3)], False),
    ("TR413", [start(0), stop(0, 50, "20"), stop(0, 60, "20")], True),
    ("TR413", [start(0), start(0, code="45A53"), stop(0, 50, "20"), stop(0, 60, "20", code="45A53")], True),
    ("TR413", [start(0), start(0, b"toew0002"), stop(0, 50, "20"), stop(0, 60, "20", b"toew0002")], False),
    ("TR413", [start(0), stop(0, 50, "20"), start(50), stop(50, 60, "20")], False),
    ("TR413", [start(0), stop(0, 50, "20"), stop(0, 60, "31")], False),
    ("TR414", [start(0), stop(0, 50, "20"), stop(0, 49, "31", dagtekening=D + 60)], True),
    ("TR414", [start(0), stop(0, 50, "20"), stop(0, 50, "31", dagtekening=D + 60)], False),
    ("TR414", [start(0), stop(0, 50, "20", dagtekening=D + 61), stop(0, 49, "31", dagtekening=D + 60)], False),
    ("TR415", [start(0), stop(0, 50), stop(0, 60, "32")], True),
    ("TR415", [start(0), stop(0, 50), stop(0, 60, "20")], True),
    ("TR415", [start(0), stop(0, 50, "20"), stop(0, 60)], False),
    ("TR415", [start(0), stop(0, 50), stop(0, 60, "32"), intrekking("stop", stop(0, 50).bericht)], False),
    # declared lines by themselves
    ("TR319", line(dagtekening=D - 1), True),
    ("TR319", line(dagtekening=D), False),
    ("TR346", line(bedrag=201), True),
    ("TR346", line(tarief=None, bedrag=201), False),
    ("TR346", line(eenheid="83", bedrag=201), False),
    ("TR346", [*line(bedrag=201), prestatie("2", "1")], False),  # credited: taken back
    ("TR323", [*line(), prestatie("2", "1")], False),
    ("TR323", [*line(), prestatie("2", "9")], True),
    ("TR323", [*line(), event(prestatie("2", "1"), aanbieder=OTHER)], False),
    ("TR323", [*line(), prestatie_retour("1"), prestatie("2", "1")], True),
    ("TR323", [*line(), prestatie("2", "1"), prestatie("3", "2")], True),  # a credit of a credit
    ("TR389", [*line(), prestatie("2")], True),
    ("TR389", [*line(), prestatie("2", **FEB)], False),
    ("TR389", [*line(), prestatie("2", begindatum=D, einddatum=D + 29)], False),
    ("TR389", [*line(), prestatie("2", code="45A53")], False),
    ("TR389", [*line(), prestatie("2", "1"), prestatie("3")], False),
    ("TR389", [*line(), prestatie_retour("1"), prestatie("3")], False),
    ("TR390", [*line(), prestatie("2", "1"), prestatie("3", "1")], True),
    ("TR390", [*line(), prestatie("2", "1")], False),
    # declared lines beside their assignment
    ("TR339", line(categorie="54"), True),
    ("TR339", [toewijzing(categorie=""), start(0), prestatie("1", categorie="54")], False),
    ("TR340", line(code="45A53"), True),
    ("TR340", [toewijzing(code=""), start(0), prestatie("1", code="45A53")], False),
    ("TR341", line(eenheid="16"), True),
    ("TR341", [toewijzing(eenheid="04"), start(0), prestatie("1", eenheid="01")], False),
    ("TR341", [toewijzing(eenheid="01"), start(0), prestatie("1", eenheid="04")], True),
    (
        "TR341",
        [toewijzing(eenheid="", volume=None, frequentie="", budget=9), start(0), prestatie("1", eenheid="83")],
        False,
    ),
    ("TR307", [toewijzing(ingangsdatum=D + 1), start(0), prestatie("1")], True),
    ("TR307", [toewijzing(ingangsdatum=D), start(0), prestatie("1")], False),
    ("TR308", [toewijzing(einddatum=D + 29), start(0), prestatie("1")], True),
    ("TR308", [toewijzing(einddatum=D + 30), start(0), prestatie("1")], False),
    ("TR387", line(begindatum=D + 1), True),
    ("TR387", [toewijzing(ingangsdatum=D + 1), start(1), prestatie("1", begindatum=D + 1)], False),
    ("TR388", line(einddatum=D + 29), True),
    ("TR388", [toewijzing(einddatum=D + 29), start(1), prestatie("1", einddatum=D + 29)], False),
    ("TR384", [toewijzing(), start(0), REMOVED, prestatie("1", dagtekening=D + 50)], True),
    ("TR384", [toewijzing(), start(0), REMOVED, prestatie("1", dagtekening=D + 49)], False),
    ("TR384", [toewijzing(), start(0), REMOVED, prestatie("1", dagtekening=D + 50), prestatie("2", "1")], False),
    ("TR385", [toewijzing(), start(0), REMOVED, prestatie("1", dagtekening=D + 49)], True),
    ("TR385", [toewijzing(), start(0), REMOVED, prestatie("1", dagtekening=D + 50)], False),
    ("TR385", [toewijzing(), start(0), REMOVED, prestatie("1", dagtekening=D + 49), prestatie_retour("1")], False),
    # of age
    ("WORDT18", [start(0), stop(0, 50, leeftijd=17)], True),
    ("WORDT18", [start(0), stop(0, 50, leeftijd=18)], False),
]


@pytest.mark.parametrize(
    ("code", "history", "broken"),
    [pytest.param(*one, id=f"{one[0]}-{number}-{'broken' if one[2] else 'kept'}") for number, one in enumerate(CASES)],
)
def test_a_rule_is_flagged_when_the_facts_break_it(code: str, history: list[Told], broken: bool) -> None:
    assert any(code in row.vlaggen for row in trajecten(*history)) is broken


def test_every_flag_has_cases_on_both_sides() -> None:
    assert {(code, broken) for code, _, broken in CASES} == {(code, b) for code in FLAGS for b in (True, False)}


@pytest.mark.parametrize(("code", "history", "broken"), CASES)
def test_no_other_code_than_those_of_the_table_stands_on_a_row(code: str, history: list[Told], broken: bool) -> None:
    for row in trajecten(*history):
        assert set(row.vlaggen) <= FLAGS
        assert set(row.wacht) <= set(WAITS_FOR["trajecten"])


def test_a_flag_stands_on_the_traject_that_broke_the_rule_and_on_no_other() -> None:
    two = [
        toewijzing(),
        start(0),
        toewijzing(number=b"toew0002", bericht=b"x"),
        start(500, b"toew0002", categorie="54"),
    ]
    for history in (
        [*two, prestatie("1", bedrag=201)],
        [*two, prestatie("1"), prestatie("2")],
        [*two, prestatie("1"), dubbel("TR333", b"dec00001")],
        [*two, dubbel("TR056", start(0).bericht, "start")],
        [*two, start(0, bericht=b"y")],
    ):
        first, other = trajecten(*history)
        assert len(first.vlaggen) == 1
        assert other.vlaggen == []


def test_a_stop_in_a_message_used_twice_flags_its_own_traject() -> None:
    two = [start(0), stop(0, 100), start(500), stop(500, 600), dubbel("TR056", stop(500, 600).bericht, "stop")]
    assert [row.vlaggen for row in trajecten(*two)] == [[], ["TR056"]]


def test_what_runs_is_remembered_past_what_ended_between() -> None:
    history = [start(0), stop(0, 90), start(10), stop(10, 20), start(50, categorie="54")]
    assert [row.vlaggen for row in trajecten(*history)] == [["TR326"], ["TR326"]]


def test_a_line_without_traject_flags_nothing_and_stops_nothing() -> None:
    assert trajecten(toewijzing(), prestatie("1", bedrag=201), dubbel("TR314", b"1")) == []


@pytest.mark.parametrize(
    "over", [[dubbel("TR056", start(0).bericht, "start")], [prestatie("9", bedrag=7, code="45A53")]]
)
def test_flags_change_no_figure(over: list[Told]) -> None:
    history = [toewijzing(), start(0), stop(0, 100), prestatie("1")]
    plain, flagged = trajecten(*history)[0], trajecten(*history, *over)[0]
    assert flagged.vlaggen
    flagged.vlaggen, flagged.declaraties = plain.vlaggen, plain.declaraties
    assert flagged == plain


# --- the table ------------------------------------------------------------------------------------------------------

#: Rules of level 3 and 4 in the standard, with their return codes (WJ001).
DEFAULT = {
    "TR056": "9056", "TR135": "8848", "TR378": "S300", "TR381": "S329", "TR332": "9332", "TR385": "9385",
    "TR019": "9019", "TR063": "9063", "TR071": "9071", "TR074": "9074", "TR326": "9326", "TR382": "9069",
    "TR413": "9413", "TR414": "9414", "TR415": "9415", "TR304": "8187", "TR314": "8021", "TR333": "9333",
    "TR338": "9338", "TR339": "9339", "TR340": "9340", "TR341": "9341", "TR307": "9307", "TR308": "9308",
    "TR318": "8214", "TR319": "9319", "TR321": "9321", "TR322": "9322", "TR369": "9369", "TR323": "8017",
    "TR389": "9389", "TR390": "9390", "TR384": "9384", "TR387": "9387", "TR388": "9388", "TR346": "9346",
    "TR418": "0611", "TR337": "", "TR366": "9366", "TR367": "9367", "TR376": "",
}  # fmt: skip


def test_the_table_has_every_rule_of_level_3_and_4() -> None:
    assert {code: one.retourcode for code, one in RULES.items() if code.startswith("TR")} == DEFAULT


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_in_dutch_what_is_wrong_and_how_it_shows(code: str) -> None:
    one = RULES[code]
    assert re.fullmatch(r"[A-Z].*\.", one.sentence)
    assert one.form in (FLAG, WAITS, NOT_JUDGED)
    if one.form == NOT_JUDGED:
        assert one.explanation
    if one.form == WAITS:
        assert one.explanation in WAITS_FOR["trajecten"]


def test_every_reason_to_wait_is_in_the_table() -> None:
    waiting = [stop(0, 50), start(100, status=3), *_scores_that_wait()]
    found = {"trajecten": {reden for row in trajecten(*waiting) for reden in row.wacht}}
    found["metingen"] = {row.wacht for row in metingen(*waiting)}
    found["scores"] = {row.wacht for row in scores(*waiting)}
    assert found == {table: set(reasons) for table, reasons in WAITS_FOR.items()}


def _scores_that_wait() -> list[Told]:
    known = [toewijzing(number=b"toew0009"), event(score(b"toew0009"), line=2), event(score(None, b"besch001"), line=3)]
    before_its_stop = [start(600, b"toew0008"), event(meting(700, meting=b"meting02"), line=4)]
    return [score(NUMBER), *known, meting(500), *before_its_stop]
