"""``sor forget`` takes pseudonyms from a file or the terminal, and nothing of them is said again."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from sor.commands.forget import ASK, NobodyNamed, _pseudonyms

ONE, OTHER = "p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA", "p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"


def test_pseudonyms_come_from_a_file_or_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "them"
    path.write_text(f"{OTHER}\n\n  {ONE}\n{ONE}\n")
    assert _pseudonyms(str(path)) == [ONE.encode(), OTHER.encode()]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ONE}\n"))
    assert _pseudonyms(ASK) == [ONE.encode()]


@pytest.mark.parametrize("text", ["", "\n \n", "999900018", f"{ONE}\n999900018"])
def test_what_is_no_pseudonym_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "them"
    path.write_text(text)
    with pytest.raises(NobodyNamed, match=r"p1\.domain\.epoch") as refused:
        _pseudonyms(str(path))
    assert "999900018" not in str(refused.value)
    assert ONE not in str(refused.value)


def test_an_argument_names_a_file_and_never_somebody() -> None:
    with pytest.raises(NobodyNamed, match="names a file") as refused:
        _pseudonyms(ONE)
    assert ONE not in str(refused.value)
