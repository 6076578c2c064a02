"""The region asks for a recalculation: what it sees before, one at a time, taken back, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.field.definitions import SHIPPED, VERSION, identified
from domain.field.definitions_file import DefinitionsError
from domain.indicators.catalogue import INDICATORS
from domain.indicators.terms import Sums
from operations.replay import confirmed
from operations.replay.difference import Moved
from operations.replay.figures import Pair
from operations.replay.report import Made, Report
from portal.people.replay_words import REPLAY_PROBLEMS
from results.disclosure import live
from results.figures import Figure
from settings.settings import Settings

NOTED = {"waarde": "45", "day": "03-11-2026", "agreed": "gemeenten"}
SURE = {"sure": "on"}
OUTCOME = {
    "now": 3, "other": 4, "fresh": True, "same": False, "moved_on": False, "rule": "Kleine aantallen staan er niet.",
    "tables": [["trajecten", "1200", "340", "<10", "0"]], "figures": {"": [3, 12], "gemeente": [40, 156]},
    "together": [["Uitval", "12,3%", "14,0%"]],
}  # fmt: skip
COMPARE, SWAP = "/herberekeningen/vragen/vergelijken/", "/herberekeningen/vragen/invoeren/"


@pytest.fixture
def manager(logged_in: Callable[..., Any]) -> Any:
    """The functional manager, who has confirmed one definition."""
    client = logged_in("functioneel_beheerder")
    assert client.post("/definities/keten_dagen/", NOTED).status_code == 302
    return client


def newest() -> Any:
    from portal.people.models import Herberekening

    return Herberekening.objects.first()


def taken(outcome: dict[str, Any] = OUTCOME) -> Any:
    """The request that waits, done."""
    from portal.people import replays

    found = replays.take()
    assert found is not None
    replays.finish(found, outcome)
    return found


def page(client: Any, address: str = "/herberekeningen/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_what_would_change_is_asked_shown_and_then_put_in_use(manager: Any, people: dict[str, Any]) -> None:
    from auditlog.models import LogEntry

    from portal.people import replays

    assert manager.get(SWAP).status_code == 404, "nothing was compared"
    assert "keten_dagen = 45" in page(manager, COMPARE)
    assert manager.post(COMPARE, {}).status_code == 200, "the box is empty"
    assert manager.post(COMPARE, SURE).status_code == 302
    asked = newest()
    assert (asked.soort, asked.state, asked.asked_by) == ("vergelijken", "gevraagd", people["functioneel_beheerder"])
    assert "Stand: gevraagd" in page(manager)
    assert "Neem de definities in gebruik" not in page(manager)
    begun = replays.take()
    assert begun == asked
    replays.tell(asked.pk, "rekenen", 40)
    assert "Stand: bezig, alle regels worden opnieuw berekend (40%)" in page(manager)
    replays.finish(begun, OUTCOME)
    shown = page(manager)
    for words in (
        "<td>1200</td><td>340</td><td>&lt;10</td>",
        "<td>12,3%</td><td>14,0%</td>",
        "<td>40</td><td>156</td>",
    ):
        assert words in shown
    assert "Kleine aantallen staan er niet." in page(manager, SWAP)
    assert manager.post(SWAP, SURE).status_code == 302
    assert taken().soort == "invoeren"
    assert "kwamen op" in page(manager)
    assert manager.get(SWAP).status_code == 404, "it is in use: compare anew"
    entries = LogEntry.objects.get_for_object(asked)
    assert [entry.actor for entry in entries] == [None, None, people["functioneel_beheerder"]]
    assert not any({"outcome", "document", "share"} & set(entry.changes) for entry in entries)


def test_what_was_confirmed_since_is_compared_again(manager: Any) -> None:
    manager.post(COMPARE, SURE)
    taken()
    assert manager.get(SWAP).status_code == 200
    manager.post("/definities/keten_dagen/", NOTED | {"waarde": "44"})
    assert manager.get(SWAP).status_code == 404
    assert manager.post(SWAP, SURE).status_code == 404
    assert "Neem de definities in gebruik" not in page(manager)


def test_of_what_is_in_use_already_nothing_is_put_in_use(manager: Any) -> None:
    manager.post(COMPARE, SURE)
    taken(OUTCOME | {"fresh": False, "same": True})
    assert "dezelfde als die van nu" in page(manager)
    assert "Neem de definities in gebruik" not in page(manager)


def test_one_waits_and_is_taken_back_until_it_began(manager: Any, logged_in: Callable[..., Any]) -> None:
    from portal.people import replays

    manager.post(COMPARE, SURE)
    assert "Er wacht of loopt al een herberekening" in manager.post(COMPARE, SURE).content.decode()
    first = newest()
    assert manager.post(f"/herberekeningen/{first.pk}/").status_code == 302
    assert newest().state == "ingetrokken"
    assert replays.take() is None
    assert manager.post(COMPARE, SURE).status_code == 302
    assert replays.take() == newest()
    assert "Er wacht of loopt al" in manager.post(COMPARE, SURE).content.decode()
    told = manager.post(f"/herberekeningen/{newest().pk}/", follow=True).content.decode()
    assert "intrekken kan niet meer" in told
    assert newest().state == "bezig"
    other = logged_in("other_functioneel_beheerder")
    assert other.get(f"/herberekeningen/{newest().pk}/").status_code == 200


def test_two_at_the_same_moment_are_one(manager: Any, people: dict[str, Any]) -> None:
    from django.db import IntegrityError, transaction

    from portal.people.models import Herberekening

    manager.post(COMPARE, SURE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Herberekening.objects.create(soort="vergelijken", document="x", asked_by=people["functioneel_beheerder"])


def test_who_logged_in_long_ago_says_again_who_he_is(logged_in: Callable[..., Any], manager: Any) -> None:
    old = logged_in("functioneel_beheerder", fresh=False)
    for answer in (old.get(COMPARE), old.post(COMPARE, SURE)):
        assert "reauthenticate" in answer["Location"]
    assert newest() is None


def test_one_that_was_interrupted_goes_first_and_not_for_ever(manager: Any) -> None:
    from portal.people import replays

    manager.post(COMPARE, SURE)
    for tries in range(1, replays.MOST_TRIES + 1):
        found = replays.take()
        assert found is not None
        assert found.tries == tries
    assert replays.take() is None
    assert (newest().state, newest().problem) == ("mislukt", "afgebroken")
    assert REPLAY_PROBLEMS["afgebroken"] in page(manager, f"/herberekeningen/{newest().pk}/")


def test_without_anything_confirmed_there_is_nothing_to_ask(logged_in: Callable[..., Any]) -> None:
    manager = logged_in("functioneel_beheerder")
    assert "nog geen definitie bevestigd" in page(manager)
    assert manager.get(COMPARE).status_code == 404
    assert manager.get("/herberekeningen/vragen/nergens/").status_code == 404
    assert logged_in("operator").get("/herberekeningen/").status_code == 403


def test_confirmed_is_put_over_what_is_in_use() -> None:
    own = identified(SHIPPED._replace(version=9, chain_days=45, respons_days=77))
    back = confirmed.over(own, f"versie = {VERSION + 1}\n[termijnen]\nketen_dagen = 30\n")
    assert (back.version, back.chain_days, back.respons_days) == (10, 30, 77)
    assert confirmed.over(own, f"versie = {VERSION + 1}\n[termijnen]\nketen_dagen = 45\n") is own
    text = f'versie = {VERSION + 1}\n[uitval_ijw.31]\nklasse = "gepland"\nbron = "x"\nmerk = "F"\n'
    found = confirmed.over(own, text)
    assert (found.uitval_ijw["31"].klasse, found.uitval_ijw["32"]) == ("gepland", own.uitval_ijw["32"])
    assert found.id == identified(found).id


@pytest.mark.parametrize(
    "text",
    [
        'versie = 99\n[spic.45A48]\nsegment = "A"\nbron = "x"\nmerk = "P"\n',
        "versie = 99\n[termijnen]\nketen_dagen = 9999\n",
        'versie = 99\n[vragenlijsten."JEUGDIGE"]\n', "zomaar", 'versie = 99\n[uitval_ijw.31]\nklasse = "zomaar"\n',
    ],
)  # fmt: skip
def test_a_portal_that_was_broken_into_asks_nothing_else(text: str) -> None:
    with pytest.raises(DefinitionsError):
        confirmed.over(SHIPPED, text)


def test_numbers_that_leave_are_of_nobody_or_of_enough() -> None:
    indicator = next(one for one in INDICATORS.values() if one.unit == "%")

    def figure(numerator: float, denominator: float) -> Figure:
        return Figure("", indicator, Sums(200, numerator, denominator, 0, 200))

    def pair(after: Figure, per: str = "") -> Pair:
        return Pair(per, "", indicator.key, figure(100, 400), after)

    moved = Moved("trajecten", equal=900, appeared=3, disappeared=0, changed=41)
    pairs = [pair(figure(150, 400)), pair(figure(103, 400)), pair(figure(150, 405)), pair(figure(150, 600))]
    pairs.append(pair(figure(150, 400), "cluster"))
    other = identified(SHIPPED._replace(version=VERSION + 1, chain_days=1))
    report = Report(
        "", Made(1, ""), Made(2, ""), 1, 1, 1, 1.0, (), False, [moved], pairs, live()
    )  # fmt: skip
    told = confirmed.outcome(report, SHIPPED, other)
    assert told["tables"] == [["trajecten", "900", "40", live().few, "0"]]
    assert told["figures"] == {"": [4, 4], "cluster": [1, 1]}
    assert told["together"] == [[indicator.title, "25,0%", "37,5%"]], "no difference of a few, and of no part"
    assert (told["now"], told["other"], told["fresh"]) == (VERSION, VERSION + 1, True)


def test_counts_are_told_to_the_nearest_ten_so_that_windows_a_day_apart_tell_of_nobody() -> None:
    indicator = next(one for one in INDICATORS.values() if one.unit == "aantal")

    def told(changed: int, after: int) -> Any:
        pair = Pair("", "", indicator.key, *(Figure("", indicator, Sums(n, n, n, 0, n)) for n in (400, after)))
        moved = Moved("trajecten", equal=900, appeared=0, disappeared=0, changed=changed)
        report = Report("", Made(1, ""), Made(2, ""), 1, 1, 1, 1.0, (), False, [moved], [pair], live())
        return confirmed.outcome(report, SHIPPED, SHIPPED)

    assert told(123, 523) == told(124, 524)
    assert told(124, 524)["tables"] == [["trajecten", "900", "120", "0", "0"]]
    assert told(124, 524)["together"] == [[indicator.title, "400", "520"]]


def test_a_number_as_shipped_is_asked_too_for_another_may_be_in_use(manager: Any, portal: Settings) -> None:
    from portal.pages import confirming

    manager.post("/definities/keten_dagen/", NOTED | {"waarde": str(SHIPPED.chain_days)})
    assert confirming.file_text() == ""
    assert f"keten_dagen = {SHIPPED.chain_days}" in confirming.file_text(every=True)
