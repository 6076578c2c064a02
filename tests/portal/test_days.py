"""Days as people type them here: dd-mm-jjjj in a field of text, whatever language the browser has."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from settings.settings import Settings


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("03-11-2026", date(2026, 11, 3)), ("3-11-2026", date(2026, 11, 3)), ("3/11/2026", date(2026, 11, 3)),
        (" 03.11.2026 ", date(2026, 11, 3)), ("2026-11-03", date(2026, 11, 3)), ("11-30-2026", None),
        ("29-02-2026", None), ("3 november", None), ("03-11-26", None),
    ],
)  # fmt: skip
def test_what_is_typed_is_a_day_or_says_how(typed: str, found: date | None, portal: Settings) -> None:
    from django.core.exceptions import ValidationError

    from portal.people.days import DayField

    if found is None:
        with pytest.raises(ValidationError, match="dd-mm-jjjj"):
            DayField().clean(typed)
    else:
        assert DayField().clean(typed) == found


def test_a_day_is_shown_as_it_is_typed(logged_in: Callable[..., Any], people: dict[str, Any]) -> None:
    manager, number = logged_in("functioneel_beheerder"), people["beheerder"].organisatie.pk
    page = manager.get(f"/organisaties/{number}/").content.decode()
    (field,) = re.findall(r'<input[^>]*name="verwerkersovereenkomst"[^>]*>', page)
    assert 'value="01-01-2026"' in field
    assert 'type="text"' in field
    assert "Als dd-mm-jjjj, zoals 03-11-2026." in page
    data = {"naam": "De Eerste", "soort": "aanbieder", "code": "94000001", "active": "on"}
    manager.post(f"/organisaties/{number}/", data | {"verwerkersovereenkomst": "2-3-2026"})
    people["beheerder"].organisatie.refresh_from_db()
    assert people["beheerder"].organisatie.verwerkersovereenkomst == date(2026, 3, 2)
    wrong = manager.post(f"/organisaties/{number}/", data | {"verwerkersovereenkomst": "maart"}).content.decode()
    assert "Typ de dag als dd-mm-jjjj" in wrong
    assert 'value="maart"' in wrong


def test_no_page_has_a_field_of_the_browser_for_a_day() -> None:
    portal = Path(__file__).parents[2] / "portal"
    for path in (*portal.rglob("*.py"), *portal.joinpath("templates").rglob("*.html")):
        assert not re.search(r"""type["']?\s*[:=]\s*["']date["']""", path.read_text("utf-8")), path
