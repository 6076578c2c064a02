"""The page about the figures: current, complete, and in words that follow from the formulas."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.field.definitions import DEFINITIES
from domain.field.messages import MELDINGEN
from domain.field.rules import REGELS
from domain.indicators.catalogue import INDICATOREN
from domain.indicators.terms import Bevat, DagenTerug, Grens, InKaart, Kalenderjaar, Of, Term, Voorwaarde
from domain.indicators.topics import ONDERWERPEN
from results.pages import messages as meldingen
from results.pages.indicators import markdown, som, woorden
from sor.cli import app
from sor.commands.indicatoren import location

PAGE = markdown()


def test_the_committed_page_is_current() -> None:
    assert (location() / "indicatoren.md").read_text("utf-8") == PAGE, "run: sor indicatoren"
    assert (location() / "meldingen.md").read_text("utf-8") == meldingen.markdown(), "run: sor indicatoren"


def test_every_code_stands_on_the_page_of_messages() -> None:
    page = meldingen.markdown()
    assert all(f"\n| {code} | {melding.ernst} | " in page for code, melding in MELDINGEN.items())
    assert {melding.ernst for melding in MELDINGEN.values()} == {"heel bestand", "deze regel"}


def test_the_page_has_every_subject_definition_and_rule() -> None:
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    for onderwerp in ONDERWERPEN.values():
        assert f"{onderwerp.nummer} {onderwerp.titel}".strip() in headings
        assert onderwerp.zegt in PAGE
        assert onderwerp.open in PAGE
    for definitie in DEFINITIES.values():
        assert f"| {definitie.betekenis} | {definitie.waarde} |" in PAGE
    assert all(f"| {code} | {regel.retourcode} |" in PAGE for code, regel in REGELS.items())


def test_every_figure_belongs_to_a_subject_and_every_subject_has_figures() -> None:
    assert {indicator.onderwerp for indicator in INDICATOREN.values()} == set(ONDERWERPEN)
    for indicator in INDICATOREN.values():
        assert indicator.nummer == ONDERWERPEN[indicator.onderwerp].nummer
        repeated = indicator.sleutel.endswith(("_jeugdige", "_ouder")) and indicator.tabel == "metingen"
        if not (repeated or re.search(r"nut_\d+$", indicator.sleutel)):
            assert f"| {indicator.titel}" in PAGE, indicator.sleutel


def test_every_name_in_a_formula_is_explained() -> None:
    body, names = PAGE.split("## Namen in de formules")
    explained = set(re.findall(r"^\| `(\w+)` \|", names.split("## Definities")[0], re.MULTILINE))
    used = set(re.findall(r"`([a-z_]+)`", body.split("## Overzicht")[1]))
    assert used == explained


def test_it_is_no_accountability_instrument_and_what_is_open_says_so() -> None:
    assert "Geen verantwoordingsinstrument" in PAGE
    assert "geen ranglijsten" in PAGE
    for indicator in INDICATOREN.values():
        if indicator.merk == "P" and f"| {indicator.naam}" in PAGE:
            assert f"| {indicator.titel}" in PAGE
            assert "niet bevestigd" in indicator.titel


@pytest.mark.parametrize(
    ("conditie", "tekst"),
    [
        (Voorwaarde("status", ("beeindigd",)), "`status` is beeindigd"),
        (Voorwaarde("reden", ("02",), niet=True), "`reden` is niet 02"),
        (Voorwaarde("nut", (8, 9, 10)), "`nut` is 8, 9 of 10"),
        (Voorwaarde("nut"), "`nut` is ingevuld"),
        (Voorwaarde("nut", niet=True), "`nut` is niet ingevuld"),
        (Voorwaarde("traject", ("",), niet=True), "`traject` is niet leeg"),
        (Voorwaarde("scores", (0,), niet=True), "`scores` is niet 0"),
        (Grens("einddatum", "<=", DagenTerug(90)), "`einddatum` op of voor 90 dagen voor de peildatum"),
        (Grens("einddatum", ">", DagenTerug(0)), "`einddatum` na de peildatum"),
        (
            Grens("einddatum", ">=", Kalenderjaar("einde")),
            "`einddatum` op of na de laatste dag van het laatste hele kalenderjaar voor de peildatum",
        ),
        (Bevat("vlaggen", "WORDT18"), "`vlaggen` bevat WORDT18"),
        (Bevat("jaren", Kalenderjaar("jaar")), "`jaren` bevat het laatste hele kalenderjaar voor de peildatum"),
        (Of((Voorwaarde("a"), Voorwaarde("b", (1,)))), "(`a` is ingevuld of `b` is 1)"),
    ],
)
def test_a_condition_in_words(conditie: Voorwaarde, tekst: str) -> None:
    assert woorden(conditie) == tekst


def test_a_sum_in_words() -> None:
    assert som(Term(), "trajecten") == "aantal trajecten"
    assert som(Term((Voorwaarde("a"), Voorwaarde("b")), InKaart("gas", -1)), "trajecten") == (
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
