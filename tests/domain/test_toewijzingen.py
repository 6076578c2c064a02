"""Assignments (JW301), answers on messages, and what waits for a number to become known. In every order of arrival."""

from __future__ import annotations

from typing import Any

import pytest

from tests.build import (
    NUMBER,
    OTHER,
    D,
    Event,
    cbs,
    intrekking,
    jw301,
    meting,
    metingen,
    regel,
    retour,
    score,
    scores,
    start,
    stop,
    traject,
    trajecten,
)

# --- which assignment a number means ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "wacht"),
    [
        pytest.param([start(5)], {"toewijzing": D + 8}, id="unknown (TR019)"),
        pytest.param([start(5), jw301()], {}, id="known"),
        pytest.param([start(5, None)], {}, id="taakgericht: no assignment exists"),
        pytest.param([start(5), jw301(aanbieder=OTHER)], {"toewijzing": D + 8}, id="of another provider"),
        pytest.param([start(5), jw301(gemeente="0384")], {"toewijzing": D + 8}, id="of another municipality (TR332)"),
        pytest.param([start(5), jw301(nummer=b"toew0002")], {"toewijzing": D + 8}, id="another number"),
        pytest.param([start(5), jw301(gemeente="0457")], {}, id="under the code before the merger (TR378)"),
        pytest.param([start(5, gemeente="0457"), jw301()], {}, id="start under the code before the merger"),
        pytest.param([start(5), jw301(einddatum=D, reden_wijziging="13")], {"toewijzing": D + 8}, id="removed (13): as never sent"),
        pytest.param([start(5), jw301(0), jw301(1, einddatum=D, reden_wijziging="13")], {"toewijzing": D + 8}, id="removed by a later version"),
        pytest.param([start(5), jw301(0, einddatum=D, reden_wijziging="13"), jw301(1)], {}, id="given anew after its removal"),
        pytest.param([start(5), jw301(0, toewijzingstijd=2), jw301(0, toewijzingstijd=1, bericht=b"z", reden_wijziging="13")], {}, id="of one day the later time (IV013)"),
        pytest.param([start(5), jw301(0, bericht=b"a"), jw301(0, bericht=b"b", reden_wijziging="13")], {"toewijzing": D + 8}, id="of one moment the higher message"),
        pytest.param([stop(5, 50)], {"start": D + 53, "toewijzing": D + 53}, id="stop without start and assignment"),
        pytest.param([start(5, dagtekening=D + 90), stop(5, 50)], {"toewijzing": D + 53}, id="since the earliest message of the levering"),
        pytest.param([start(5, bericht=b"x", dagtekening=D + 20), start(5)], {"toewijzing": D + 8}, id="since the earliest of two deliveries"),
        pytest.param([start(5), start(30, b"toew0002")], {"toewijzing": D + 8}, id="two of one chain: since the earliest"),
    ],
)  # fmt: skip
def test_what_a_traject_waits_for(history: list[Event], wacht: dict[str, int]) -> None:
    assert traject(*history).wacht == wacht


def test_an_assignment_by_itself_is_no_row() -> None:
    assert trajecten(jw301()) == []


# --- mergers ------------------------------------------------------------------------------------------------------

MERGER = jw301(0, gemeente="0457", einddatum=D + 100, reden_wijziging="11")
OLD: dict[str, Any] = {"gemeente": "0457", "ingangsdatum": D - 2000}


def test_a_merger_ends_no_care() -> None:
    chain = [start(5, **OLD), stop(5, 100, "36", **OLD)]
    assert traject(*chain).status == "beeindigd"
    row = traject(*chain, MERGER)
    assert (row.status, row.einddatum, row.reden_beeindiging, row.uitval_klasse) == ("lopend", None, "", "")


def test_after_a_merger_the_chain_goes_on_under_the_new_code() -> None:
    new = [jw301(1, b"toew0002"), start(101, b"toew0002")]
    row = traject(start(5, **OLD), stop(5, 100, "36", **OLD), MERGER, *new)
    assert (row.status, row.leveringen, row.begindatum, row.cluster) == ("lopend", 2, D + 5, "Amsterdam")
    assert row.wacht == {}
    row = traject(start(5, **OLD), stop(5, 100, "36", **OLD), MERGER, *new, stop(101, 150, "32", b"toew0002"))
    assert (row.status, row.einddatum, row.uitval_klasse) == ("beeindigd", D + 150, "client")


def test_a_later_start_belongs_to_the_chain_however_late_it_comes() -> None:
    row = traject(start(5, **OLD), stop(5, 100, "36", **OLD), MERGER, start(190, b"toew0002"))
    assert row.leveringen == 2


def test_care_that_ended_for_another_reason_ends_at_a_merger_too() -> None:
    row = traject(start(5, **OLD), stop(5, 100, "31", **OLD), MERGER)
    assert (row.status, row.reden_beeindiging) == ("beeindigd", "31")


def test_another_change_of_the_assignment_is_no_merger() -> None:
    shorter = jw301(0, einddatum=D + 100, reden_wijziging="05")
    assert traject(start(5), stop(5, 100, "36"), shorter).status == "beeindigd"


# --- answers: what counts as never sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "status"),
    [
        pytest.param([start(5), intrekking("start", b"s0000005")], [], id="start rejected"),
        pytest.param([start(5), stop(5, 50), intrekking("start", b"s0000005")], ["wacht_op_start"], id="its stop waits"),
        pytest.param([start(5), stop(5, 50), intrekking("stop", b"e0000050")], ["lopend"], id="stop rejected"),
        pytest.param([start(5), intrekking("stop", b"s0000005")], ["lopend"], id="another kind of message"),
        pytest.param([start(5), intrekking("start", b"s0000005", aanbieder=OTHER)], ["lopend"], id="of another provider"),
        pytest.param([start(5), intrekking("start", b"s0000006")], ["lopend"], id="another message"),
        pytest.param([start(5), start(5, status=3, bericht=b"x", dagtekening=D + 20), intrekking("start", b"x")], ["lopend"], id="the removal rejected"),
        pytest.param([start(5), start(5, bericht=b"x", dagtekening=D + 20), intrekking("start", b"s0000005")], ["lopend"], id="given again after the rejection"),
        pytest.param([start(5), start(7, b"toew0002", bericht=b"s0000005"), intrekking("start", b"s0000005")], [], id="every line of the message"),
    ],
)  # fmt: skip
def test_a_rejected_message_counts_as_never_sent(history: list[Event], status: list[str]) -> None:
    assert [row.status for row in trajecten(*history)] == status


def test_a_rejected_delivery_again_is_no_second_delivery() -> None:
    two = [start(5), start(5, bericht=b"x", dagtekening=D + 20)]
    assert traject(jw301(), *two).vlaggen == ["TR074"]
    assert traject(jw301(), *two, intrekking("start", b"x")).vlaggen == []


@pytest.mark.parametrize(
    ("over", "net"),
    [
        pytest.param([], 2, id="nothing rejected"),
        pytest.param([retour("1")], 1, id="a line rejected"),
        pytest.param([retour("1"), retour("1")], 1, id="the same answer again"),
        pytest.param([retour("1", bericht=b"other")], 2, id="that line of another message"),
        pytest.param([retour("1", aanbieder=OTHER)], 2, id="of another provider"),
        pytest.param([intrekking("declaration", b"323 1")], 1, id="the whole message rejected"),
        pytest.param([regel("3", "1"), retour("3")], 2, id="its credit rejected"),
        pytest.param([regel("3", "1")], 1, id="its credit accepted"),
        pytest.param([retour("1"), regel("1", bericht=b"later", dagtekening=D + 60)], 2, id="declared again under its reference"),
    ],
)  # fmt: skip
def test_a_rejected_line_counts_as_never_declared(over: list[Event], net: int) -> None:
    lines = [regel("1"), regel("2", begindatum=D + 31, einddatum=D + 58, dagtekening=D + 60)]
    assert traject(start(0), *lines, *over).declaraties == net


# --- scores by number -----------------------------------------------------------------------------------------------

B = b"besch001"


@pytest.mark.parametrize(
    ("history", "wacht"),
    [
        pytest.param([score(NUMBER), start(0)], "", id="linked by its assignment"),
        pytest.param([score(NUMBER)], "toewijzing", id="assignment not known"),
        pytest.param([score(NUMBER), jw301()], "traject", id="assignment known, no start"),
        pytest.param([score(NUMBER), jw301(einddatum=D, reden_wijziging="13")], "toewijzing", id="assignment removed"),
        pytest.param([score(NUMBER), jw301(aanbieder=OTHER)], "toewijzing", id="assignment of another provider"),
        pytest.param([score(NUMBER), stop(0, 50)], "toewijzing", id="a stop that waits is no traject"),
        pytest.param([score(None, B), start(0)], "beschikking", id="beschikking not known"),
    ],
)  # fmt: skip
def test_what_a_score_waits_for(history: list[Event], wacht: str) -> None:
    (row,) = scores(*history)
    assert (row.wacht, row.sinds) == (wacht, D if wacht else None)
    assert (row.traject == "") == bool(wacht)


def test_a_score_waits_since_its_first_upload() -> None:
    (row,) = scores(score(NUMBER, day=9, line=2), score(NUMBER, day=4))
    assert row.sinds == D + 4


def test_a_beschikking_stands_for_the_assignment_named_beside_it() -> None:
    both = score(NUMBER, B, doel=2, line=2)
    row = traject(start(0), score(None, B), both)
    assert (row.scores, row.gas) == (2, {"1O": 2, "2O": 2})
    elders = score(NUMBER, B, doel=2, line=2, aanbieder=OTHER)
    assert traject(start(0), score(None, B), elders).scores == 0


def test_of_several_assignments_of_one_beschikking_the_latest_upload_counts() -> None:
    chain = [start(0), start(500, b"toew0002", categorie="54")]
    both = [score(NUMBER, B, doel=2, day=1, line=2), score(b"toew0002", B, doel=3, day=2, line=3)]
    assert [row.scores for row in trajecten(*chain, score(None, B), *both)] == [1, 2]
    both.append(score(NUMBER, B, doel=2, day=3, line=4))
    assert [row.scores for row in trajecten(*chain, score(None, B), *both)] == [2, 1]


def test_a_beschikking_whose_assignment_has_no_start_waits_for_that() -> None:
    waits = {(row.doel, row.wacht) for row in scores(score(None, B), score(NUMBER, B, doel=2, line=2))}
    assert waits == {(1, "toewijzing"), (2, "toewijzing")}
    waits = {(row.doel, row.wacht) for row in scores(jw301(), score(None, B), score(NUMBER, B, doel=2, line=2))}
    assert waits == {(1, "traject"), (2, "traject")}


# --- metingen -------------------------------------------------------------------------------------------------------


def test_a_meting_waits_for_its_traject_since_its_first_upload() -> None:
    (row,) = metingen(meting(100, day=110), meting(100, day=120, line=2))
    assert (row.wacht, row.sinds, row.bevestigd) == ("traject", D + 110, False)
    (row,) = metingen(meting(100, day=110), start(0), stop(0, 100))
    assert (row.wacht, row.sinds, row.telt) == ("", None, True)


def test_metingen_at_the_end_are_counted_and_those_of_long_lasting_care_name_their_years() -> None:
    ends = [meting(100), meting(101, "JE", nummer=b"meting02", line=2), meting(300, nummer=b"meting03", line=3)]
    row = traject(start(0), stop(0, 100), *ends)
    assert (row.metingen, row.metingen_einde, row.metingen_jaren, row.intensiteit) == (2, 2, [], "")
    years = [
        meting(400, "OD"),
        meting(30, "JD", nummer=b"meting02", line=2),
        meting(40, "OD", nummer=b"meting03", line=3),
    ]
    row = traject(start(0), *years)
    assert (row.metingen, row.metingen_einde, row.metingen_jaren, row.intensiteit) == (3, 0, [2026, 2027], "duurzaam")


def test_the_intensity_of_a_product_code_stands_above_the_questionnaires() -> None:
    assert traject(start(0, code="43A10")).intensiteit == "duurzaam"
    assert traject(start(0, code="54003"), meting(30, "JD")).intensiteit == "intensief"


def test_the_form_of_help_follows_from_the_category_where_labels_agree() -> None:
    assert [traject(start(0, categorie=categorie)).hulpvorm for categorie in ("35", "45", "")] == ["11", "", ""]


# --- a new start after the end (3.2) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "new"),
    [
        pytest.param([], None, id="none"),
        pytest.param([start(131)], 131, id="same provider and product, another traject"),
        pytest.param([start(130)], "chain", id="within 30 days: the same traject"),
        pytest.param([start(101, categorie="54")], 101, id="the day after, another product"),
        pytest.param([start(100, categorie="54")], None, id="on the last day: already running"),
        pytest.param([start(50, categorie="54")], None, id="already running"),
        pytest.param([start(465, aanbieder=OTHER)], 465, id="365 days later"),
        pytest.param([start(466, aanbieder=OTHER)], None, id="366 days later"),
        pytest.param([start(300, gemeente="0479")], 300, id="another municipality of the set"),
        pytest.param([start(300, gemeente="0034")], None, id="a municipality outside the set"),
        pytest.param([start(300, categorie="47")], None, id="jeugdreclassering"),
        pytest.param([start(300, categorie="49")], None, id="preventief justitieel kader"),
        pytest.param([start(300, aanbieder=OTHER), start(200, b"toew0002", aanbieder=OTHER, categorie="54")], 200, id="the first of two"),
        pytest.param([stop(300, 350, nummer=b"toew0002")], None, id="a stop that waits for its start"),
        pytest.param([start(300), intrekking("start", b"s0000300")], None, id="a start that was rejected"),
        pytest.param([cbs(300)], None, id="a CBS record"),
    ],
)  # fmt: skip
def test_the_first_new_start_after_the_end(later: list[Event], new: int | str | None) -> None:
    row = trajecten(start(0), stop(0, 100), *later)[0]
    if new == "chain":
        assert (row.status, row.leveringen, row.nieuwe_start) == ("lopend", 2, None)
    else:
        assert row.nieuwe_start == (None if new is None else D + int(new))


def test_only_what_ended_has_a_new_start() -> None:
    assert trajecten(start(0), start(200, categorie="54"))[0].nieuwe_start is None
    assert trajecten(start(0), stop(0, 100, "20"), start(200, categorie="54"))[0].nieuwe_start is None


@pytest.mark.parametrize(("leeftijd", "vlag"), [(16, []), (17, ["WORDT18"]), (18, []), (None, [])])
def test_who_is_17_at_the_end_comes_of_age_within_the_window(leeftijd: int | None, vlag: list[str]) -> None:
    assert traject(start(0), stop(0, 100, leeftijd=leeftijd)).vlaggen == vlag
    assert traject(start(0), stop(0, 100, "20", leeftijd=leeftijd)).vlaggen == []
