"""Nothing that others wrote acts on a terminal, in a document or in a spreadsheet, and nothing of it is a BSN."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from connectors import masking
from sor.cli import app
from tests.connectors.support import AGB, BSN, RAP_HEADER, make_keys, table

#: A sign of every kind that acts: C0, C1, an escape, delete, marks of direction, of no width, of a line, half a sign.
ACTS = (
    "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u061c\u200b\u200d\u200e\u200f\u2028\u2029"
    "\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0041\udcff"
)
ESCAPES = ("\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x1b]8;;http://example.org\x1b\\", "\x1bP1$r\x1b\\")


@pytest.mark.parametrize("sign", ACTS, ids=lambda sign: f"{ord(sign):x}")
def test_a_sign_that_acts_becomes_a_question_mark(sign: str) -> None:
    assert masking.plain(f"a{sign}b") == "a?b"
    assert masking.name(f"a{sign}b") == masking.cell(f"a{sign}b") == "a?b"


@pytest.mark.parametrize("text", ["scores (2) van mei.csv", "geïmporteerd × 3 … é", "\U0001f600", "名前"])
def test_what_is_seen_as_itself_stays(text: str) -> None:
    assert masking.plain(text) == masking.name(text) == text


@given(st.text())
def test_a_line_is_one_line_that_can_be_printed(text: str) -> None:
    shown = masking.plain(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in shown)
    shown.encode()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_a_document_loses_nothing(document: dict[str, object]) -> None:
    shown = masking.json_text(document)
    assert json.loads(shown) == document
    assert shown.replace("\n", "").isprintable()
    shown.encode()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('"=1+1","b"', '"\'=1+1","b"'),
        ('"b","@SUM(A1)"', '"b","\'@SUM(A1)"'),
        ('"+31 20","-"', '"\'+31 20","\'-"'),
        ("-1,2,=3", "-1,2,=3"),  # numbers stand without quotes, and a text never does
        ('"a"",""=1"', '"a"",""=1"'),
        ('"a=1","b-c"', '"a=1","b-c"'),
        ('"\x1b[2J"', '"?[2J"'),
    ],
)
def test_no_text_of_a_table_is_a_formula(line: str, shown: str) -> None:
    assert masking.csv_line(line) == shown


@pytest.mark.parametrize("as_json", [False, True])
def test_no_file_name_and_no_cell_steers_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    """Through ``sor deliver``: names of files, of folders, of files in a folder, and what stands in the rows."""
    monkeypatch.setenv("SOR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)
    make_keys(tmp_path / "home" / "keys")
    folder = tmp_path / "in" / "\x1b[2Jfolder\u202e"
    folder.mkdir(parents=True)
    rows = [(BSN, escape, escape, escape, escape) for escape in ESCAPES]
    names = (f"scores{ESCAPES[0]}.csv", f"{AGB}_\u202egnp.csv", os.fsdecode(b"\xff\xfe\x9b.csv"), "empty\x07.csv")
    for place, name in enumerate(names):
        content = b"" if name.startswith("empty") else table(RAP_HEADER, [*rows, (BSN, "", str(place), "D1O", "2")])
        (folder / name).write_bytes(content)
    words = ["deliver", "--check", "--as", AGB, str(folder), str(tmp_path / "nowhere\x1b[2J.csv")]
    result = CliRunner().invoke(app, [*words, "--all", "--json"] if as_json else [*words, "--all"])
    assert result.exit_code == 1, result.output
    said = result.output.replace("\n", "")
    assert "[2J" in said
    assert said.isprintable()
    if as_json:
        assert "gnp.csv" in said
        assert len(json.loads(result.stdout)["aanleveringen"][0]["bestanden"]) == 3


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("show", "sor.in.start/0/1")])
def test_no_refused_record_steers_it(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    acts = "".join(ESCAPES) + "\u202e"
    row = dict.fromkeys(("record", "stage", "code", "reason", "sender", "rejected_at", "handled"), acts)
    found = {**row, "kept": False} if words[0] == "show" else [row]
    monkeypatch.setattr("sor.commands.rejected.connected", lambda _work: found)
    result = CliRunner().invoke(app, ["rejected", *words])
    assert result.exit_code == 0, result.output
    assert result.output.replace("\n", "").isprintable()


def test_a_sentence_about_a_path_does_not_steer_it_either(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sor import cli

    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    layout = os.fsdecode(b"\x1b[2J\xff.toml")
    monkeypatch.setattr("sys.argv", ["sor", "deliver", "--check", "--layout", layout, "x.csv"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "\x1b" not in capsysbinary.readouterr().err.decode()
