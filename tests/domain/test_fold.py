"""The fold by example: chains and pauses, flags, and which of several lines or uploads counts.

The laws that hold for any facts: ``test_fact_set.py``.
"""

from __future__ import annotations

from tests.build import OTHER_DELIVERY, D, event, prestatie, rows, score, start, stop, traject, trajecten


def test_a_restart_within_thirty_days_is_the_same_traject() -> None:
    row = traject(start(100), stop(100, 200, "37"), start(230), stop(230, 300, "32"))
    assert (row.begindatum, row.einddatum, row.reden_beeindiging, row.uitval_klasse) == (
        D + 100,
        D + 300,
        "32",
        "client",
    )
    assert row.leveringen == 2


def test_a_restart_after_thirty_days_is_another_traject() -> None:
    assert len(trajecten(start(100), stop(100, 200, "31"), start(231))) == 2


def test_a_pause_keeps_the_traject_open_until_it_resumes() -> None:
    paused = traject(start(100), stop(100, 200, "20"))
    assert (paused.status, paused.einddatum) == ("gepauzeerd", None)
    resumed = traject(start(100), stop(100, 200, "20"), start(290), stop(290, 400, "31"))
    assert (resumed.status, resumed.einddatum, resumed.leveringen) == ("beeindigd", D + 400, 2)


def test_a_pause_that_was_resumed_does_not_hold_the_chain_open() -> None:
    history = [start(100), stop(100, 124, "20"), start(152), stop(152, 166, "31"), start(197)]
    first, second = trajecten(*history)
    assert (first.einddatum, first.leveringen) == (D + 166, 2)
    assert (second.begindatum, second.status) == (D + 197, "lopend")


def test_two_pauses_on_one_day_wait_and_do_not_resume_each_other() -> None:
    history = [start(100), stop(100, 100, "20"), start(100, b"toew0002"), stop(100, 100, "20", b"toew0002")]
    row = traject(*history)
    assert (row.status, row.leveringen) == ("gepauzeerd", 2)


def test_a_stop_without_its_start_waits() -> None:
    row = traject(stop(100, 200, "31"))
    assert (row.status, row.einddatum, row.uitval_klasse) == ("wacht_op_start", None, "")


def test_of_one_upload_the_last_line_of_a_score_counts() -> None:
    earlier, later = event(score(waarde=2), line=1), event(score(waarde=-1), line=2)
    for history in ([earlier, later], [later, earlier]):
        row = traject(start(100), *history)
        assert row.gas == {"1O": -1}


def test_old_municipality_codes_count_under_the_current_one() -> None:
    ((key, _),) = rows([start(100, gemeente="0457")])
    assert key.gemeente == "0363"


def test_delivered_twice_is_a_flag_and_a_removal_clears_it() -> None:
    twice = [start(100, signed=110, bericht=b"a"), start(100, signed=111, bericht=b"b")]
    assert traject(*twice).vlaggen == ["TR074"]
    removed = start(100, status=3, signed=112, bericht=b"c")
    assert traject(*twice, removed, start(100, signed=112, bericht=b"d")).vlaggen == []
    assert traject(*twice, removed, start(100, signed=113, bericht=b"d")).vlaggen == []


def test_a_removal_of_nothing_does_not_hide_that_a_start_came_twice() -> None:
    removed = start(100, status=3, signed=109, bericht=b"c")
    twice = [start(100, signed=110, bericht=b"a"), start(100, signed=111, bericht=b"b")]
    assert traject(removed, *twice).vlaggen == ["TR074"]


def test_a_stop_delivered_twice_is_a_flag_too() -> None:
    twice = [stop(100, 200, "31", signed=203, bericht=b"a"), stop(100, 205, "31", signed=208, bericht=b"b")]
    assert traject(start(100), *twice).vlaggen == ["TR074"]
    assert traject(*twice).vlaggen == ["TR074"]


def test_only_a_start_on_a_later_day_resumes_a_pause() -> None:
    """Two leveringen of one day, one of them paused that day: the order of their numbers, hashes, has no meaning."""
    for one, two in ((b"toew0001", b"toew0002"), (b"toew0002", b"toew0001")):
        history = [start(100, one), stop(100, 100, "20", one), start(100, two), stop(100, 150, "31", two)]
        row = traject(*history)
        assert (row.status, row.einddatum) == ("gepauzeerd", None)


def test_of_a_reference_used_twice_the_latest_line_counts() -> None:
    """TR314 broken: one key, so the latest by dagtekening and message, as for every other fact."""
    debet = prestatie(bericht=b"b", dagtekening=D + 130)
    elders = prestatie(bericht=b"a", dagtekening=D + 140, toewijzing=b"toew0009")
    row = traject(start(100), debet, elders)
    assert row.declaraties == 0
    row = traject(start(100), elders, prestatie(bericht=b"b", dagtekening=D + 140))
    assert row.declaraties == 1


def test_a_declaration_counts_on_the_assignment_of_its_own_municipality() -> None:
    """A number is unique within one municipality (TR332)."""
    two = [start(100), start(150, gemeente="0384")]
    found = trajecten(*two, prestatie(bericht=b"a"), prestatie("2", bericht=b"a", gemeente="0384"))
    assert {row.begindatum: row.declaraties for row in found} == {D + 100: 1, D + 150: 1}
    row = traject(start(100), prestatie(bericht=b"a", gemeente="0384"))
    assert row.declaraties == 0
    row = traject(start(100), prestatie(bericht=b"a", gemeente="0457"))
    assert row.declaraties == 1


def test_of_one_goal_in_two_assignments_the_last_line_of_one_upload_counts() -> None:
    chain = [start(100), stop(100, 200, "37"), start(210, b"toew0002")]
    one, two = score(waarde=2), score(b"toew0002", waarde=0)
    row = traject(*chain, event(one, line=1), event(two, line=2))
    assert row.gas == {"1O": 0}
    row = traject(*chain, event(one, line=2), event(two, line=1))
    assert row.gas == {"1O": 2}


def test_a_later_x_takes_an_earlier_score_of_the_same_goal_away() -> None:
    """The last value counts and x is one: within an assignment, and between two of one traject."""
    chain = [start(100), stop(100, 200, "37"), start(210, b"toew0002")]
    given = score(waarde=2, tijd=50)
    for toewijzing in (b"toew0001", b"toew0002"):
        taken_away = event(score(toewijzing, waarde=None, tijd=51), delivery=OTHER_DELIVERY)
        row = traject(*chain, given, taken_away)
        assert (row.gas, row.gas_gescoord) == ({}, 0)
