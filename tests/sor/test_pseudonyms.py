"""Pseudonyms come from a file or the terminal, all of them or none, and nothing of them is said again."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from operations.replay.errors import ReplayError
from sor.commands import pseudonyms as named
from sor.commands import replay
from sor.commands.pseudonyms import ASK, NobodyNamed, pseudonyms

ONE, OTHER = "p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA", "p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"


def test_pseudonyms_come_from_a_file_or_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "them"
    path.write_text(f"{OTHER}\n\n  {ONE}\n{ONE}\n")
    assert pseudonyms(str(path)) == [ONE.encode(), OTHER.encode()]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ONE}\n"))
    assert pseudonyms(ASK) == [ONE.encode()]


@pytest.mark.parametrize(
    "text", ["", "\n \n", "999900018", f"{ONE}\n999900018", ONE[:-1], f"{ONE}A", ONE.replace("p1", "p2"), "1.2.3.4"]
)
def test_what_is_no_pseudonym_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "them"
    path.write_text(text)
    with pytest.raises(NobodyNamed, match=r"p1\.domain\.epoch") as refused:
        pseudonyms(str(path))
    assert "999900018" not in str(refused.value)
    assert ONE not in str(refused.value)


def test_an_argument_names_a_file_and_never_somebody() -> None:
    with pytest.raises(NobodyNamed, match="names a file") as refused:
        pseudonyms(ONE)
    assert ONE not in str(refused.value)


def test_too_many_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "LONGEST", 2 * len(ONE))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ONE}\n{OTHER}\n"))
    with pytest.raises(NobodyNamed, match="divide"):
        pseudonyms(ASK)


def test_a_replay_is_of_one_client(tmp_path: Path) -> None:
    path = tmp_path / "them"
    path.write_text(f"{ONE}\n")
    assert replay._pseudonym("") == b""
    assert replay._pseudonym(str(path)) == ONE.encode()
    path.write_text(f"{ONE}\n{OTHER}\n")
    with pytest.raises(ReplayError, match="more than one"):
        replay._pseudonym(str(path))
