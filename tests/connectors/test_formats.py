"""What can be delivered is one list: what is recognised, and what help, messages, pages and programs are told."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from connectors.delivery.recognise import PARSERS, recognise
from connectors.formats.model import FileFault
from connectors.intake.config import IntakeLimits
from connectors.intake.openapi import document
from domain.field.formats import FORMATS, IJW_MESSAGES, formats
from domain.field.messages import MESSAGES
from domain.field.words import DELIVERABLE, KIND_LABELS
from results.pages import indicators, messages
from sor.cli import app
from tests.house.rooms import ROOT


def test_every_kind_has_a_reader() -> None:
    assert set(PARSERS) == set(FORMATS.values())


@pytest.mark.parametrize("number", range(300, 331))
def test_a_message_is_recognised_when_it_is_in_the_list(number: int) -> None:
    head = f'<m:Bericht xmlns:m="http://www.istandaarden.nl/ijw/3_2/jw{number}/schema"/>'.encode()
    if f"JW{number}" in IJW_MESSAGES:
        assert recognise(head, "x.xml", "x.xml").kind == FORMATS[f"JW{number}"]
    else:
        with pytest.raises(FileFault) as refused:
            recognise(head, "x.xml", "x.xml")
        assert refused.value.code == ("B21" if number == 302 or 315 <= number <= 320 else "B02")


def test_programs_and_senders_are_told_the_same_list() -> None:
    description = document(IntakeLimits())
    assert DELIVERABLE in description["info"]["description"]
    assert DELIVERABLE in MESSAGES["B02"].text
    kind = description["components"]["schemas"]["Aangenomen"]["properties"]["soort"]
    assert kind["description"] == "; ".join(f"{name}: {KIND_LABELS[name]}" for name in kind["enum"])


def test_the_help_of_deliver_lists_every_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert f"Files are {', '.join(FORMATS)}." in CliRunner().invoke(app, ["deliver", "--help"]).output


def test_the_pages_name_the_answers() -> None:
    answers = ", ".join(formats("return"))
    assert answers in messages.markdown()
    assert answers in indicators.markdown()


def test_the_overview_of_the_project_lists_every_message() -> None:
    """Written by hand, as ``JW301, 305–308, 323, 325``: the number 307 stands in a range."""
    shown = re.findall(r"iJw XML \(JW([0-9, –]+)\)", (ROOT / "README.md").read_text("utf-8"))
    for numbers in shown:
        known = {name for name in IJW_MESSAGES if name.removeprefix("JW") in spelled_out(numbers)}
        assert known == set(IJW_MESSAGES)


def spelled_out(numbers: str) -> set[str]:
    """The numbers of a list with ranges."""
    found: set[str] = set()
    for part in numbers.split(", "):
        first, _, last = part.partition("–")
        found |= {str(number) for number in range(int(first), int(last or first) + 1)}
    return found
