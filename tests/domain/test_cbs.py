"""The route of the CBS-structured files: keys, redelivery, merging of overlapping records, outcome fields."""

from __future__ import annotations

import pytest

from domain.care.rows import MetingRow, TrajectRow
from domain.field.codes import CBS_REDENEN
from tests.build import (
    AGB,
    DELIVERY,
    OTHER,
    OTHER_DELIVERY,
    D,
    Told,
    cbs_record,
    event,
    meting,
    metingen,
    rows,
    start,
    stop,
    traject,
    trajecten,
    vervanging,
)

Periods = list[tuple[int, int | None, int]]


def periods(*history: Told) -> Periods:
    """Begin, end and number of records of every traject."""
    return [
        (row.begindatum - D, None if row.einddatum is None else row.einddatum - D, row.leveringen)
        for row in trajecten(*history)
    ]


def test_a_record_is_a_traject_of_its_own_source() -> None:
    ((key, row),) = rows([cbs_record(0, 100, "03", verwijzer="02", crisis="01")])
    assert (key.aanbieder, key.gemeente, key.jaar) == (AGB, "0034", 2026)
    assert isinstance(row, TrajectRow)
    assert (row.bron, row.status, row.begindatum, row.einddatum) == ("cbs", "beeindigd", D, D + 100)
    assert (row.reden_beeindiging, row.uitval_klasse) == ("", "client")
    assert (row.categorie, row.code, row.hulpvorm, row.verwijzer, row.crisis) == ("", "", "02", "02", "01")
    assert (row.leeftijd, row.geslacht, row.cluster, row.vlaggen, row.wacht) == (12, "1", "", [], {})
    assert (row.metingen, row.metingen_einde, row.nieuwe_start) == (0, 0, None)


def test_a_running_record_has_no_end() -> None:
    row = traject(cbs_record(0))
    assert (row.status, row.einddatum, row.uitval_klasse) == ("lopend", None, "")


CLASSES = {"01": "gepland", "02": "wederzijds", "03": "client", "04": "aanbieder", "05": "neutraal"}


@pytest.mark.parametrize("reden", sorted(CBS_REDENEN))
def test_the_class_of_every_cbs_reason(reden: str) -> None:
    assert traject(cbs_record(0, 100, reden)).uitval_klasse == CLASSES[reden]


# --- key and redelivery ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([cbs_record(0), cbs_record(0)], [(0, None, 1)], id="the same record again"),
        pytest.param(
            [cbs_record(0, day=10), event(cbs_record(0, 100, day=20), delivery=OTHER_DELIVERY)],
            [(0, 100, 1)],
            id="the latest upload counts",
        ),
        pytest.param(
            [cbs_record(0, day=20), event(cbs_record(0, 100, day=10), delivery=OTHER_DELIVERY)],
            [(0, None, 1)],
            id="an earlier upload that comes later",
        ),
        pytest.param(
            [cbs_record(0, periode="2025-2", day=10), event(cbs_record(0, 100, day=20), delivery=OTHER_DELIVERY)],
            [(0, 100, 1)],
            id="over two periods",
        ),
        pytest.param([cbs_record(0), vervanging()], [], id="left out of the redelivery: deleted"),
        pytest.param(
            [cbs_record(0, 50), event(cbs_record(0, 60, day=310), delivery=OTHER_DELIVERY), vervanging()],
            [(0, 60, 1)],
            id="replaced with another end",
        ),
        pytest.param(
            [cbs_record(0, 50, day=310), event(cbs_record(0, 60, day=300), delivery=OTHER_DELIVERY), vervanging()],
            [(0, 60, 1)],
            id="replaced, whatever its time",
        ),
        pytest.param([cbs_record(0), vervanging(DELIVERY, "2025-2")], [(0, None, 1)], id="replaced for another period"),
        pytest.param([cbs_record(0), vervanging(OTHER_DELIVERY)], [(0, None, 1)], id="another delivery replaced"),
        pytest.param([cbs_record(0), event(vervanging(), aanbieder=OTHER)], [(0, None, 1)], id="of another provider"),
        pytest.param(
            [cbs_record(0), event(cbs_record(0, hulpvorm="11"), line=2), vervanging()],
            [],
            id="every record of the delivery",
        ),
        pytest.param(
            [cbs_record(0, 50, periode="2025-2"), event(cbs_record(0, 60), line=2), vervanging()],
            [(0, 50, 1)],
            id="two periods in one delivery, one replaced",
        ),
        pytest.param(
            [event(cbs_record(0, 50), line=1), event(cbs_record(0, 60), line=2)],
            [(0, 60, 1)],
            id="of equal keys in one upload the last line",
        ),
    ],
)
def test_a_redelivery_replaces_and_what_it_leaves_out_is_gone(history: list[Told], expected: Periods) -> None:
    assert periods(*history) == expected


# --- which records are one ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param(
            [cbs_record(0, 100), cbs_record(101, 200)], [(0, 100, 1), (101, 200, 1)], id="a start after the end: two"
        ),
        pytest.param([cbs_record(0, 100), cbs_record(100, 200)], [(0, 200, 2)], id="a start on the last day overlaps"),
        pytest.param([cbs_record(0, 100), cbs_record(50, 200)], [(0, 200, 2)], id="overlap: earliest start, last end"),
        pytest.param([cbs_record(0, 200), cbs_record(50, 100)], [(0, 200, 2)], id="one within the other"),
        pytest.param(
            [cbs_record(0, 200), cbs_record(50, 100), cbs_record(150, 300)],
            [(0, 300, 3)],
            id="a chain through the longest",
        ),
        pytest.param([cbs_record(0), cbs_record(50, 100)], [(0, None, 2)], id="ends only when the last ends"),
        pytest.param([cbs_record(0), cbs_record(500, 600)], [(0, None, 2)], id="nothing begins anew beside what runs"),
        pytest.param(
            [cbs_record(0, 100), cbs_record(50, 200, hulpvorm="11")],
            [(0, 100, 1), (50, 200, 1)],
            id="another form of help",
        ),
        pytest.param(
            [cbs_record(0, 100), event(cbs_record(50, 200), aanbieder=OTHER)],
            [(0, 100, 1), (50, 200, 1)],
            id="another provider",
        ),
        pytest.param(
            [cbs_record(0, 100), event(cbs_record(50, 200), delivery=OTHER_DELIVERY), vervanging(OTHER_DELIVERY)],
            [(0, 100, 1)],
            id="overlap with a replaced record",
        ),
    ],
)
def test_records_that_overlap_are_one_traject(history: list[Told], expected: Periods) -> None:
    assert periods(*history) == expected


def test_a_merged_traject_begins_as_the_first_and_ends_as_the_last() -> None:
    first = cbs_record(0, 200, "03", verwijzer="01", crisis="01", leeftijd=11)
    row = traject(
        first, event(cbs_record(50, 300, "04", verwijzer="02", crisis="02", leeftijd=12, gemeente="0363"), line=2)
    )
    assert (row.verwijzer, row.crisis, row.leeftijd) == ("01", "01", 11)
    assert (row.uitval_klasse, row.cluster) == ("aanbieder", "Amsterdam")


# --- outcome fields ---------------------------------------------------------------------------------------------------


def test_outcome_fields_are_confirmed_metingen_of_their_own_kind() -> None:
    jeugdige, ouder = metingen(cbs_record(0, 100, nut_jeugdige=8, zonder_hulp_jeugdige=4, nut_ouder=6))
    if jeugdige.groep != "jeugdige":
        jeugdige, ouder = ouder, jeugdige
    assert (jeugdige.vragenlijst, jeugdige.soort, jeugdige.informant) == ("CBS_v7", "cbs", "Jeugdige")
    assert (jeugdige.nut, jeugdige.zonder_hulp, jeugdige.antwoorden) == (8, 4, {})
    assert (ouder.groep, ouder.informant, ouder.nut, ouder.zonder_hulp) == ("ouder", "Ouder", 6, None)
    for row in (jeugdige, ouder):
        assert (row.datum, row.telt, row.bevestigd, row.wacht, row.sinds) == (D + 100, True, True, "", None)
        assert row.traject


def test_outcome_fields_stand_on_the_traject() -> None:
    row = traject(cbs_record(0, 100, nut_jeugdige=8, zonder_hulp_jeugdige=4, nut_ouder=6, zonder_hulp_ouder=1))
    assert (row.nut_jeugdige, row.zonder_hulp_jeugdige, row.nut_ouder, row.zonder_hulp_ouder) == (8, 4, 6, 1)
    assert row.metingen == 2


def test_a_meting_of_a_running_record_has_the_day_of_its_upload() -> None:
    (row,) = metingen(cbs_record(0, day=120, nut_ouder=7))
    assert row.datum == D + 120


def test_of_merged_records_the_latest_meting_of_a_group_counts() -> None:
    history = [cbs_record(0, 100, nut_ouder=3, nut_jeugdige=5), event(cbs_record(50, 200, nut_ouder=9), line=2)]
    row = traject(*history)
    assert (row.nut_ouder, row.nut_jeugdige, row.metingen) == (9, 5, 3)
    assert sorted((one.groep, one.nut, one.telt) for one in metingen(*history)) == [
        ("jeugdige", 5, True), ("ouder", 3, False), ("ouder", 9, True)
    ]  # fmt: skip


def test_the_meting_of_what_ended_last_counts_not_of_what_began_last() -> None:
    assert traject(cbs_record(0, 200, nut_ouder=3), event(cbs_record(50, 100, nut_ouder=9), line=2)).nut_ouder == 3


def test_a_line_that_is_sent_again_keeps_the_day_of_its_first_upload() -> None:
    (row,) = metingen(cbs_record(0, day=130, nut_ouder=7), cbs_record(0, day=120, nut_ouder=7))
    assert row.datum == D + 120


def test_a_record_without_outcome_yields_no_meting() -> None:
    assert metingen(cbs_record(0, 100)) == []


# --- apart from the messages ------------------------------------------------------------------------------------------


def test_messages_and_cbs_records_of_one_client_stay_apart() -> None:
    history = [
        start(0),
        stop(0, 100),
        cbs_record(0, 100),
        event(cbs_record(120, 200, nut_ouder=4), line=2),
        meting(100),
    ]
    found = trajecten(*history)
    assert [(row.bron, row.leveringen, row.nieuwe_start) for row in found] == [
        ("cbs", 1, None),
        ("ijw", 1, None),
        ("cbs", 1, None),
    ]
    assert [(row.nut_ouder, row.metingen) for row in found] == [(None, 0), (8, 1), (4, 1)]


def test_a_questionnaire_finds_no_cbs_traject() -> None:
    (row,) = (row for _, row in rows([cbs_record(0, 100), meting(100)]) if isinstance(row, MetingRow))
    assert (row.traject, row.wacht) == ("", "traject")


def test_every_row_of_one_client_has_its_own_key() -> None:
    history = [
        cbs_record(0, 100, nut_ouder=1, nut_jeugdige=2),
        event(cbs_record(0, 100, hulpvorm="11", nut_ouder=3), line=2),
    ]
    history += [
        event(cbs_record(101, 200, nut_ouder=4), line=3),
        event(cbs_record(0, 100, nut_ouder=5), aanbieder=OTHER, line=4),
    ]
    assert len(rows(history)) == 9


def test_the_area_is_of_the_record_that_ends_last_as_its_municipality() -> None:
    areas = [cbs_record(0, 200, postcodegebied="Noord"), event(cbs_record(50, 100, postcodegebied="Haven"), line=2)]
    assert [row.postcodegebied for _, row in rows(areas) if isinstance(row, TrajectRow)] == ["Noord"]
