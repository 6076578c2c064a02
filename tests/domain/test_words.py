"""The words that every screen shares: complete, and each in one place."""

from __future__ import annotations

import ast

import pytest

from domain.facts.fact import KINDS
from domain.field.formats import FORMATS, IJW_MESSAGES, formats
from domain.field.rules import WAITS_FOR
from domain.field.words import DELIVERABLE, KIND_LABELS, full_sentence, small_groups_sentence, waits_sentence
from tests.house.rooms import modules

#: Of every table, and what a receipt says when it lost count (``domain/facts/delivery.py``).
REASONS = sorted({reason for reasons in WAITS_FOR.values() for reason in reasons} | {"niet_bijgehouden"})


def test_every_kind_has_a_label_and_a_format() -> None:
    assert set(KIND_LABELS) == {*FORMATS.values(), "takeback", "erasure"} == set(KINDS)  # these two come in no file
    assert len(set(KIND_LABELS.values())) == len(KIND_LABELS)
    assert KIND_LABELS["start"] == "JW305 (start)"
    assert KIND_LABELS["return"] == "JW306, JW308 en JW325 (retour)"


def test_the_messages_are_those_of_the_standard() -> None:
    assert set(IJW_MESSAGES) == {"JW301", "JW305", "JW306", "JW307", "JW308", "JW323", "JW325"}
    assert formats("return") == ("JW306", "JW308", "JW325")
    assert all(name in DELIVERABLE for name in IJW_MESSAGES)


def test_every_reason_to_wait_has_its_sentence() -> None:
    for reason in REASONS:
        assert waits_sentence(reason) != f"wacht op {reason}"
        assert full_sentence(waits_sentence(reason))[0].isupper()
    assert waits_sentence("iets") == "wacht op iets"


def test_a_full_sentence_keeps_its_capitals() -> None:
    assert full_sentence("wacht op JW301") == "Wacht op JW301."


def written() -> list[tuple[str, str]]:
    """Every text in the source of a room, a part of an f-string too: module and text. Not of the tools: the simulator
    explains its files in prose.
    """
    return [
        (name, node.value)
        for name, path in modules().items()
        if not name.startswith("tools.")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize(
    "part",
    [
        *(waits_sentence(reason) for reason in REASONS),
        *(label for kind, label in KIND_LABELS.items() if kind != "cbs"),  # that one is a common word too
        *small_groups_sentence(7, 8).partition("7")[::2],
    ],
)
def test_a_word_stands_in_one_module(part: str) -> None:
    """A second copy of a sentence or a label is how two screens come to say two things."""
    places = {name for name, text in written() if part.lower() in text.lower()}
    assert places <= {"domain.field.words"}
