"""The journal of a connector: a number finds its lines, and the file gives no number away."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.answer.journal import Journal, JournalError, Place
from connectors.formats.model import Afwijzing, FileRecord
from tests.build import score

BSN, BESCHIKKING = "999900018", b"000123458"
SCORE = FileRecord(7, 1, BSN, score(b"4711", BESCHIKKING))


def journal(folder: Path, secret: bytes = b"s" * 32) -> Journal:
    return Journal(folder / "journaal.sqlite", secret)


@pytest.mark.parametrize("number", [BSN, "4711", "0004711", "000123458", " 4711 "])
def test_each_number_finds_its_line(tmp_path: Path, number: str) -> None:
    with journal(tmp_path).of("a" * 32) as note:
        note(3, SCORE)
        note(4, FileRecord(8, 1, None, Afwijzing("R01", "bsn")))
    with journal(tmp_path).of("a" * 32) as note:
        note(3, SCORE)
    assert journal(tmp_path).search(number) == [Place("a" * 32, 3, 7)]


def test_what_was_not_delivered_is_not_found(tmp_path: Path) -> None:
    assert journal(tmp_path).search(BSN) == []
    journal(tmp_path).add("a" * 32, [(1, SCORE)])
    assert journal(tmp_path).search("999900006") == []
    assert journal(tmp_path, b"t" * 32).search(BSN) == [], "another secret finds nobody"


def test_the_file_holds_no_number_and_is_the_owners_alone(tmp_path: Path) -> None:
    journal(tmp_path).add("a" * 32, [(1, SCORE)])
    content = (tmp_path / "journaal.sqlite").read_bytes()
    assert not any(number in content for number in (BSN.encode(), b"4711", BESCHIKKING))
    assert (tmp_path / "journaal.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_journal_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "journaal.sqlite").write_bytes(b"no database, but long enough to be looked at" * 30)
    with pytest.raises(JournalError, match="journaal"):
        journal(tmp_path).add("a" * 32, [(1, SCORE)])
