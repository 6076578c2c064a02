"""Assignments (JW301), answers on messages, and what waits for a number to become known. In every order of arrival."""

from __future__ import annotations

from typing import Any

import pytest

from tests.build import (
    NUMBER,
    OTHER,
    D,
    Told,
    cbs_record,
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
    teruggenomen,
    toewijzing,
    traject,
    trajecten,
)

# --- which assignment a number means ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "wacht"),
    [
        pytest.param([start(5)], {"toewijzing": D + 8}, id="unknown (TR019)"),
        pytest.param([start(5), toewijzing()], {}, id="known"),
        pytest.param([start(5, None)], {}, id="taakgericht: no assignment exists"),
        pytest.param([start(5), event(toewijzing(), aanbieder=OTHER)], {"toewijzing": D + 8}, id="of another provider"),
        pytest.param(
            [start(5), toewijzing(gemeente="0384")], {"toewijzing": D + 8}, id="of another municipality (TR332)"
        ),
        pytest.param([start(5), toewijzing(number=b"toew0002")], {"toewijzing": D + 8}, id="another number"),
        pytest.param([start(5), toewijzing(gemeente="0457")], {}, id="under the code before the merger (TR378)"),
        pytest.param([start(5, gemeente="0457"), toewijzing()], {}, id="start under the code before the merger"),
        pytest.param(
            [start(5), toewijzing(einddatum=D, reden_wijziging="13")],
            {"toewijzing": D + 8},
            id="removed (13): as never sent",
        ),
        pytest.param(
            [start(5), toewijzing(0), toewijzing(1, einddatum=D, reden_wijziging="13")],
            {"toewijzing": D + 8},
            id="removed by a later version",
        ),
        pytest.param(
            [start(5), toewijzing(0, einddatum=D, reden_wijziging="13"), toewijzing(1)],
            {},
            id="given anew after its removal",
        ),
        pytest.param(
            [
                start(5),
                toewijzing(0, toewijzingstijd=2),
                toewijzing(0, toewijzingstijd=1, bericht=b"z", reden_wijziging="13"),
            ],
            {},
            id="of one day the later time (IV013)",
        ),
        pytest.param(
            [start(5), toewijzing(0, bericht=b"a"), toewijzing(0, bericht=b"b", reden_wijziging="13")],
            {"toewijzing": D + 8},
            id="of one moment the higher message",
        ),
        pytest.param([stop(5, 50)], {"start": D + 53, "toewijzing": D + 53}, id="stop without start and assignment"),
        pytest.param(
            [start(5, dagtekening=D + 90), stop(5, 50)],
            {"toewijzing": D + 53},
            id="since the earliest message of the levering",
        ),
        pytest.param(
            [start(5, bericht=b"x", dagtekening=D + 20), start(5)],
            {"toewijzing": D + 8},
            id="since the earliest of two deliveries",
        ),
        pytest.param(
            [start(5), start(30, b"toew0002")], {"toewijzing": D + 8}, id="two of one chain: since the earliest"
        ),
    ],
)
def test_what_a_traject_waits_for(history: list[Told], wacht: dict[str, int]) -> None:
    assert traject(*history).wacht == wacht


def test_an_assignment_by_itself_is_no_row() -> None:
    assert trajecten(toewijzing()) == []


# --- mergers ------------------------------------------------------------------------------------------------------

MERGER = toewijzing(0, gemeente="0457", einddatum=D + 100, reden_wijziging="11")
OLD: dict[str, Any] = {"gemeente": "0457", "ingangsdatum": D - 2000}


def test_a_merger_ends_no_care() -> None:
    chain = [start(5, **OLD), stop(5, 100, "36", **OLD)]
    assert traject(*chain).status == "beeindigd"
    row = traject(*chain, MERGER)
    assert (row.status, row.einddatum, row.reden_beeindiging, row.uitval_klasse) == ("lopend", None, "", "")


def test_after_a_merger_the_chain_goes_on_under_the_new_code() -> None:
    new = [toewijzing(1, b"toew0002"), start(101, b"toew0002")]
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
    shorter = toewijzing(0, einddatum=D + 100, reden_wijziging="05")
    assert traject(start(5), stop(5, 100, "36"), shorter).status == "beeindigd"


# --- answers: what counts as never sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "status"),
    [
        pytest.param([start(5), intrekking("start", start(5).bericht)], [], id="start rejected"),
        pytest.param(
            [start(5), stop(5, 50), intrekking("start", start(5).bericht)], ["wacht_op_start"], id="its stop waits"
        ),
        pytest.param([start(5), stop(5, 50), intrekking("stop", stop(5, 50).bericht)], ["lopend"], id="stop rejected"),
        pytest.param([start(5), intrekking("stop", start(5).bericht)], ["lopend"], id="another kind of message"),
        pytest.param(
            [start(5), event(intrekking("start", start(5).bericht), aanbieder=OTHER)],
            ["lopend"],
            id="of another provider",
        ),
        pytest.param([start(5), intrekking("start", start(6).bericht)], ["lopend"], id="another message"),
        pytest.param(
            [start(5), start(5, status=3, bericht=b"x", dagtekening=D + 20), intrekking("start", b"x")],
            ["lopend"],
            id="the removal rejected",
        ),
        pytest.param(
            [start(5), start(5, bericht=b"x", dagtekening=D + 20), intrekking("start", start(5).bericht)],
            ["lopend"],
            id="given again after the rejection",
        ),
        pytest.param(
            [start(5), start(7, b"toew0002", bericht=start(5).bericht), intrekking("start", start(5).bericht)],
            [],
            id="every line of the message",
        ),
    ],
)
def test_a_rejected_message_counts_as_never_sent(history: list[Told], status: list[str]) -> None:
    assert [row.status for row in trajecten(*history)] == status


def test_a_rejected_delivery_again_is_no_second_delivery() -> None:
    two = [start(5), start(5, bericht=b"x", dagtekening=D + 20)]
    assert traject(toewijzing(), *two).vlaggen == ["TR074"]
    assert traject(toewijzing(), *two, intrekking("start", b"x")).vlaggen == []


@pytest.mark.parametrize(
    ("over", "net"),
    [
        pytest.param([], 2, id="nothing rejected"),
        pytest.param([prestatie_retour("1")], 1, id="a line rejected"),
        pytest.param([prestatie_retour("1"), prestatie_retour("1")], 1, id="the same answer again"),
        pytest.param([prestatie_retour("1", bericht=b"other")], 2, id="that line of another message"),
        pytest.param([event(prestatie_retour("1"), aanbieder=OTHER)], 2, id="of another provider"),
        pytest.param([intrekking("declaration", b"323 1")], 1, id="the whole message rejected"),
        pytest.param([prestatie("3", "1"), prestatie_retour("3")], 2, id="its credit rejected"),
        pytest.param([prestatie("3", "1")], 1, id="its credit accepted"),
        pytest.param(
            [prestatie_retour("1"), prestatie("1", bericht=b"later", dagtekening=D + 60)],
            2,
            id="declared again under its reference",
        ),
    ],
)
def test_a_rejected_line_counts_as_never_declared(over: list[Told], net: int) -> None:
    lines = [prestatie("1"), prestatie("2", begindatum=D + 31, einddatum=D + 58, dagtekening=D + 60)]
    assert traject(start(0), *lines, *over).declaraties == net


# --- scores by number -----------------------------------------------------------------------------------------------

B = b"besch001"


@pytest.mark.parametrize(
    ("history", "wacht"),
    [
        pytest.param([score(NUMBER), start(0)], "", id="linked by its assignment"),
        pytest.param([score(NUMBER)], "toewijzing", id="assignment not known"),
        pytest.param([score(NUMBER), toewijzing()], "traject", id="assignment known, no start"),
        pytest.param(
            [score(NUMBER), toewijzing(einddatum=D, reden_wijziging="13")], "toewijzing", id="assignment removed"
        ),
        pytest.param(
            [score(NUMBER), event(toewijzing(), aanbieder=OTHER)], "toewijzing", id="assignment of another provider"
        ),
        pytest.param([score(NUMBER), stop(0, 50)], "toewijzing", id="a stop that waits is no traject"),
        pytest.param([score(None, B), start(0)], "beschikking", id="beschikking not known"),
    ],
)
def test_what_a_score_waits_for(history: list[Told], wacht: str) -> None:
    (row,) = scores(*history)
    assert (row.wacht, row.sinds) == (wacht, D if wacht else None)
    assert (row.traject == "") == bool(wacht)


def test_a_score_waits_since_its_first_upload() -> None:
    (row,) = scores(event(score(NUMBER, day=9), line=2), score(NUMBER, day=4))
    assert row.sinds == D + 4


def test_a_beschikking_stands_for_the_assignment_named_beside_it() -> None:
    both = event(score(NUMBER, B, doel=2), line=2)
    row = traject(start(0), score(None, B), both)
    assert (row.scores, row.gas) == (2, {"1O": 2, "2O": 2})
    elders = event(score(NUMBER, B, doel=2), line=2, aanbieder=OTHER)
    assert traject(start(0), score(None, B), elders).scores == 0


def test_of_several_assignments_of_one_beschikking_the_latest_upload_counts() -> None:
    chain = [start(0), start(500, b"toew0002", categorie="54")]
    both = [event(score(NUMBER, B, doel=2, day=1), line=2), event(score(b"toew0002", B, doel=3, day=2), line=3)]
    assert [row.scores for row in trajecten(*chain, score(None, B), *both)] == [1, 2]
    both.append(event(score(NUMBER, B, doel=2, day=3), line=4))
    assert [row.scores for row in trajecten(*chain, score(None, B), *both)] == [2, 1]


def test_a_beschikking_whose_assignment_has_no_start_waits_for_that() -> None:
    waits = {(row.doel, row.wacht) for row in scores(score(None, B), event(score(NUMBER, B, doel=2), line=2))}
    assert waits == {(1, "toewijzing"), (2, "toewijzing")}
    waits = {
        (row.doel, row.wacht) for row in scores(toewijzing(), score(None, B), event(score(NUMBER, B, doel=2), line=2))
    }
    assert waits == {(1, "traject"), (2, "traject")}


# --- metingen -------------------------------------------------------------------------------------------------------


def test_a_meting_waits_for_its_traject_since_its_first_upload() -> None:
    (row,) = metingen(meting(100, day=110), event(meting(100, day=120), line=2))
    assert (row.wacht, row.sinds, row.bevestigd) == ("traject", D + 110, False)
    (row,) = metingen(meting(100, day=110), event(meting(100, day=120), line=2), start(0))
    assert (row.wacht, row.sinds) == ("einde", D + 110)
    (row,) = metingen(meting(100, day=110), start(0), stop(0, 100))
    assert (row.wacht, row.sinds, row.telt) == ("", None, True)


def test_metingen_at_the_end_are_counted_and_those_of_long_lasting_care_name_their_years() -> None:
    ends = [
        meting(100),
        event(meting(101, "JE", meting=b"meting02"), line=2),
        event(meting(300, meting=b"meting03"), line=3),
    ]
    row = traject(start(0), stop(0, 100), *ends)
    assert (row.metingen, row.metingen_einde, row.metingen_jaren, row.intensiteit) == (2, 2, [], "")
    years = [
        meting(400, "OD"),
        event(meting(30, "JD", meting=b"meting02"), line=2),
        event(meting(40, "OD", meting=b"meting03"), line=3),
    ]
    row = traject(start(0), *years)
    assert (row.metingen, row.metingen_einde, row.metingen_jaren, row.intensiteit) == (3, 0, [2026, 2027], "duurzaam")


def test_the_intensity_of_a_product_code_stands_above_the_questionnaires() -> None:
    assert traject(start(0, code="43A10")).intensiteit == "duurzaam_licht"
    assert traject(start(0, code="44A14")).intensiteit == "duurzaam_zwaar"
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
        pytest.param([event(start(465), aanbieder=OTHER)], 465, id="365 days later"),
        pytest.param([event(start(466), aanbieder=OTHER)], None, id="366 days later"),
        pytest.param([start(300, gemeente="0479")], 300, id="another municipality of the set"),
        pytest.param([start(300, gemeente="0034")], None, id="a municipality outside the set"),
        pytest.param([start(300, categorie="47")], None, id="jeugdreclassering"),
        pytest.param([start(300, categorie="49")], None, id="preventief justitieel kader"),
        pytest.param(
            [event(start(300), aanbieder=OTHER), event(start(200, b"toew0002", categorie="54"), aanbieder=OTHER)],
            200,
            id="the first of two",
        ),
        pytest.param([stop(300, 350, toewijzing=b"toew0002")], None, id="a stop that waits for its start"),
        pytest.param([start(300), intrekking("start", start(300).bericht)], None, id="a start that was rejected"),
        pytest.param([cbs_record(300)], None, id="a CBS record"),
    ],
)
def test_the_first_new_start_after_the_end(later: list[Told], new: int | str | None) -> None:
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


# --- where the client lives -----------------------------------------------------------------------------------------


def test_the_area_is_that_of_the_newest_version_of_the_assignment() -> None:
    versions = [toewijzing(0, postcodegebied="Noord"), toewijzing(5, postcodegebied="Haven")]
    assert traject(start(6), *versions).postcodegebied == "Haven"
    assert traject(start(6), *versions, toewijzing(6)).postcodegebied == ""
    assert traject(start(6)).postcodegebied == ""


def test_an_assignment_that_was_removed_or_is_of_another_number_says_no_area() -> None:
    assert traject(start(6), toewijzing(postcodegebied="Noord", reden_wijziging="13", einddatum=D)).postcodegebied == ""
    assert traject(start(6), toewijzing(number=OTHER, postcodegebied="Noord")).postcodegebied == ""


def test_after_a_merger_the_area_is_found_under_the_old_code() -> None:
    assert traject(start(6), toewijzing(gemeente="0457", postcodegebied="Noord")).postcodegebied == "Noord"


def test_of_a_chain_the_last_levering_says_the_area() -> None:
    told = [start(0), stop(0, 10), start(20, toewijzing=OTHER)]
    areas = [toewijzing(postcodegebied="Noord"), toewijzing(number=OTHER, postcodegebied="Haven")]
    row = traject(*told, *areas)
    assert (row.leveringen, row.postcodegebied) == (2, "Haven")


def test_when_a_delivery_is_taken_back_the_area_of_the_version_before_counts() -> None:
    versions = [
        event(toewijzing(0, postcodegebied="Noord"), delivery="a" * 32),
        event(toewijzing(5, postcodegebied="Haven"), delivery="b" * 32),
    ]
    assert traject(start(6), *versions, teruggenomen("b" * 32)).postcodegebied == "Noord"
