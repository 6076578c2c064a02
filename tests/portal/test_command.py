"""``sor portal``: organizations and users from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from portal import rules
from settings.settings import Settings
from sor.cli import app

RUN = CliRunner()


def told(*words: str) -> tuple[int, str]:
    """Exit code, and what is on the screen or the sentence of the fault."""
    made = RUN.invoke(app, ["portal", *words])
    return made.exit_code, made.output + str(made.exception or "")


def test_an_organization_and_its_first_user(portal: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core import mail

    monkeypatch.setenv("SOR_HOME", str(portal.home))
    assert "acht cijfers" in told("organization", "add", "aanbieder", "1", "X")[1]
    code, text = told("organization", "add", "aanbieder", "94000007", "De Zeven")
    assert (code, "De Zeven" in text) == (0, True)
    assert "not signed" in told("organization", "list")[1]
    assert "is no role" in told("user", "add", "a@example.nl", "A", "baas", "aanbieder", "94000007")[1]
    assert "There is no aanbieder" in told("user", "add", "a@example.nl", "A", "beheerder", "aanbieder", "94000008")[1]
    assert told("user", "add", "a@example.nl", "A", "operator", "aanbieder", "94000007")[0] != 0
    assert told("user", "add", "a@example.nl", "A", "beheerder", "aanbieder", "94000007")[0] == 0
    assert [one.to for one in mail.outbox] == [["a@example.nl"]]
    assert told("user", "add", "a@example.nl", "A", "beheerder", "aanbieder", "94000007")[0] != 0
    text = told("user", "add", "b@example.nl", "B", "medewerker", "aanbieder", "94000007", "--no-mail")[1]
    assert "http://localhost:8490/uitnodiging/" in text
    assert "invited" in told("user", "list")[1]


def test_the_rules_of_the_pages_are_those_of_the_connector() -> None:
    shown = Path(__file__).parents[2] / "portal" / "static" / "portal" / "rules.json"
    assert shown.read_bytes() == rules.document()
    assert told("rules", "--check")[0] == 0
