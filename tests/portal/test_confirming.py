"""Who confirmed which definition: noted beside its mark, and taken away as a file that ``sor replay`` reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.field.definitions import SHIPPED, UITVAL_CBS, UITVAL_IJW, VERSION
from domain.field.definitions_file import WINDOWS, definitions_of
from portal.pages.confirmable import CONFIRMABLE, Confirmed, document, fits
from settings.settings import Settings

DAY = date(2026, 11, 3)
NOTED = {"waarde": "30", "day": "2026-11-03", "agreed": "gemeenten"}


def test_what_was_confirmed_stands_beside_the_mark_and_in_the_file(
    logged_in: Callable[..., Any], people: dict[str, Any]
) -> None:
    from auditlog.models import LogEntry

    from portal.people.models import Bevestiging

    manager = logged_in("functioneel_beheerder")
    assert "Er is nog niets bevestigd" in manager.get("/definities/").content.decode()
    assert manager.get("/definities/bevestigd.toml").status_code == 404
    assert manager.post("/definities/keten_dagen/", NOTED).status_code == 302
    made = Bevestiging.objects.get()
    assert (made.waarde, made.version, made.day, made.noted_by) == ("30", VERSION, DAY, people["functioneel_beheerder"])
    assert LogEntry.objects.get_for_object(made).count() == 1
    page = logged_in("medewerker").get("/definities/").content.decode()
    assert (
        "<td>niet bevestigd</td><td>Bevestigd op 3 november 2026 door de gemeenten, vastgelegd door regio noord" in page
    )
    assert "Bevestig keten_dagen" not in page
    assert "Test functioneel_beheerder" not in page
    assert manager.get("/definities/bevestigd.toml").status_code == 404, "the same number has no mark in a file"
    manager.post("/definities/keten_dagen/", NOTED | {"waarde": "45"})
    manager.post("/definities/uitval_ijw.31/", NOTED | {"waarde": "gepland"})
    assert "Bevestigd als 45 op 3 november 2026" in manager.get("/definities/").content.decode()
    assert "Test functioneel_beheerder" in manager.get("/definities/keten_dagen/").content.decode()
    answer = manager.get("/definities/bevestigd.toml")
    found = definitions_of(answer.content, "bevestigd.toml")
    assert found.chain_days == 45
    assert found.uitval_ijw["31"].mark == "F"
    assert found.uitval_ijw["31"].basis == "JZ588, S3; bevestigd door de gemeenten op 2026-11-03"
    assert found.uitval_ijw["32"] == SHIPPED.uitval_ijw["32"]


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("keten_dagen", {"waarde": "367"}), ("keten_dagen", {"waarde": "-1"}), ("keten_dagen", {"waarde": "3,5"}),
        ("keten_dagen", {"agreed": "iemand"}), ("keten_dagen", {"day": ""}),
        ("keten_dagen", {"day": "2999-01-01"}), ("kleinste_groep", {"waarde": "5"}),
        ("uitval_cbs.01", {"waarde": "administratief"}), ("uitval_ijw.31", {"waarde": 'x"\nversie = 9'}),
    ],
)  # fmt: skip
def test_what_a_file_would_not_take_is_not_noted(
    key: str, changed: dict[str, str], logged_in: Callable[..., Any]
) -> None:
    from portal.people.models import Bevestiging

    shipped = {"waarde": CONFIRMABLE[key].value}
    answer = logged_in("functioneel_beheerder").post(f"/definities/{key}/", NOTED | shipped | changed)
    assert (answer.status_code, Bevestiging.objects.count()) == (200, 0)
    assert "portal-wrong" in answer.content.decode()


def test_what_a_source_fixes_needs_nobody(logged_in: Callable[..., Any]) -> None:
    manager = logged_in("functioneel_beheerder")
    for key in ("uitval_cbs.03", "nergens", "uitval_ijw.20"):
        assert manager.get(f"/definities/{key}/").status_code == 404, key
    assert "Bevestig uitval_cbs.03" not in manager.get("/definities/").content.decode()
    assert logged_in("contractmanager").get("/definities/keten_dagen/").status_code == 403
    assert logged_in("operator").get("/definities/bevestigd.toml").status_code == 403


def test_every_value_that_fits_is_one_that_a_file_takes(portal: Settings) -> None:
    keys = {*WINDOWS, *(f"uitval_cbs.{code}" for code in UITVAL_CBS), *(f"uitval_ijw.{code}" for code in UITVAL_IJW)}
    assert {key for key, one in CONFIRMABLE.items() if one.table} == keys
    for key in keys:
        one = CONFIRMABLE[key]
        for value in one.choices or (str(one.least), str(one.most)):
            assert fits(key, value)
            text = document({key: Confirmed(value, DAY, "de regio")})
            found = definitions_of(text.encode(), "x.toml")
            if one.choices:
                assert getattr(found, one.table.replace("_cbs", ""))[one.code].klasse == value
            else:
                assert str(getattr(found, WINDOWS[key].field)) == value
    assert not document({"kleinste_groep": Confirmed("10", DAY, "de regio")})
    assert not document({"keten_dagen": Confirmed("9999", DAY, "de regio"), "weg": Confirmed("1", DAY, "de regio")})
