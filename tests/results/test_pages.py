"""The page about the figures: current, complete, and in words that follow from the formulas."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.field.definitions import DEFINITIONS
from domain.field.messages import MESSAGES
from domain.field.rules import RULES
from domain.indicators.catalogue import INDICATORS
from domain.indicators.terms import AnyOf, Bound, CalendarYear, Condition, Contains, DaysBack, InMap, Term
from domain.indicators.topics import SUBJECTS
from results.pages import messages as messages
from results.pages.indicators import markdown, sum, words
from sor.cli import app
from sor.commands.indicatoren import location

PAGE = markdown()


def test_the_committed_page_is_current() -> None:
    assert (location() / "indicatoren.md").read_text("utf-8") == PAGE, "run: sor indicatoren"
    assert (location() / "meldingen.md").read_text("utf-8") == messages.markdown(), "run: sor indicatoren"


def test_every_code_stands_on_the_page_of_messages() -> None:
    page = messages.markdown()
    assert all(f"\n| {code} | {message.severity} | " in page for code, message in MESSAGES.items())
    assert {message.severity for message in MESSAGES.values()} == {"heel bestand", "deze regel"}


def test_the_page_has_every_subject_definition_and_rule() -> None:
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    for subject in SUBJECTS.values():
        assert f"{subject.number} {subject.title}".strip() in headings
        assert subject.says in PAGE
        assert subject.open in PAGE
    for definition in DEFINITIONS.values():
        assert f"| {definition.meaning} | {definition.value} |" in PAGE
    assert all(f"| {code} | {rule.retourcode} |" in PAGE for code, rule in RULES.items())


def test_every_figure_belongs_to_a_subject_and_every_subject_has_figures() -> None:
    assert {indicator.subject for indicator in INDICATORS.values()} == set(SUBJECTS)
    for indicator in INDICATORS.values():
        assert indicator.number == SUBJECTS[indicator.subject].number
        repeated = indicator.key.endswith(("_jeugdige", "_ouder")) and indicator.table == "metingen"
        if not (repeated or re.search(r"nut_\d+$", indicator.key)):
            assert f"| {indicator.title}" in PAGE, indicator.key


def test_every_name_in_a_formula_is_explained() -> None:
    body, names = PAGE.split("## Namen in de formules")
    explained = set(re.findall(r"^\| `(\w+)` \|", names.split("## Definities")[0], re.MULTILINE))
    used = set(re.findall(r"`([a-z_]+)`", body.split("## Overzicht")[1]))
    assert used == explained


def test_it_is_no_accountability_instrument_and_what_is_open_says_so() -> None:
    assert "Geen verantwoordingsinstrument" in PAGE
    assert "geen ranglijsten" in PAGE
    for indicator in INDICATORS.values():
        if indicator.mark == "P" and f"| {indicator.name}" in PAGE:
            assert f"| {indicator.title}" in PAGE
            assert "niet bevestigd" in indicator.title


@pytest.mark.parametrize(
    ("clause", "text"),
    [
        (Condition("status", ("beeindigd",)), "`status` is beeindigd"),
        (Condition("reden", ("02",), negated=True), "`reden` is niet 02"),
        (Condition("nut", (8, 9, 10)), "`nut` is 8, 9 of 10"),
        (Condition("nut"), "`nut` is ingevuld"),
        (Condition("nut", negated=True), "`nut` is niet ingevuld"),
        (Condition("traject", ("",), negated=True), "`traject` is niet leeg"),
        (Condition("scores", (0,), negated=True), "`scores` is niet 0"),
        (Bound("einddatum", "<=", DaysBack(90)), "`einddatum` op of voor 90 dagen voor de peildatum"),
        (Bound("einddatum", ">", DaysBack(0)), "`einddatum` na de peildatum"),
        (
            Bound("einddatum", "<=", DaysBack(0), plus="respons_dagen"),
            "`einddatum` plus `respons_dagen` op of voor de peildatum",
        ),
        (
            Bound("einddatum", ">=", CalendarYear("end")),
            "`einddatum` op of na de laatste dag van het laatste hele kalenderjaar voor de peildatum",
        ),
        (Contains("vlaggen", "WORDT18"), "`vlaggen` bevat WORDT18"),
        (Contains("jaren", CalendarYear("year")), "`jaren` bevat het laatste hele kalenderjaar voor de peildatum"),
        (AnyOf((Condition("a"), Condition("b", (1,)))), "(`a` is ingevuld of `b` is 1)"),
    ],
)
def test_a_condition_in_words(clause: Condition, text: str) -> None:
    assert words(clause) == text


def test_a_sum_in_words() -> None:
    assert sum(Term(), "trajecten") == "aantal trajecten"
    assert sum(Term((Condition("a"), Condition("b")), InMap("gas", -1)), "trajecten") == (
        "aantal waarden -1 in `gas` met `a` is ingevuld en `b` is ingevuld"
    )


def test_the_command_writes_the_page_and_says_when_it_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path
    monkeypatch.setattr("sor.commands.indicatoren.location", lambda: page)
    runner = CliRunner()
    assert runner.invoke(app, ["indicatoren", "--check"]).exit_code == 1
    assert not list(page.iterdir())
    assert runner.invoke(app, ["indicatoren"]).exit_code == 0
    assert (page / "indicatoren.md").read_text("utf-8") == PAGE
    assert runner.invoke(app, ["indicatoren", "--check"]).exit_code == 0
    assert runner.invoke(app, ["indicatoren", "--markdown"]).output == PAGE
