"""A number is searched without standing where others read it: the process list, a terminal that acts on texts."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.answer.journal import Journal
from connectors.formats.model import FileRecord
from crypto.keys import connector_secret
from domain.facts.fact import Score
from sor.cli import app
from sor.commands import receipts
from tests.connectors.support import BSN, make_keys

DELIVERY = "a" * 64


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that delivered one score."""
    make_keys(tmp_path / "keys")
    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    score = Score(toewijzing=b"4711", beschikking=None, doel=1, beoordelaar="O", waarde=2, tijd=0)
    record = FileRecord(7, 1, BSN, score)
    Journal(tmp_path / "journaal.sqlite", connector_secret(tmp_path / "keys")).add(DELIVERY, [(3, record)])
    return tmp_path


def ask(*words: str, given: str | None = None) -> Any:
    return CliRunner().invoke(app, ["receipts", "--journaal", *words], input=given)


@pytest.mark.parametrize(
    "words",
    [
        ("--zoek", BSN),
        ("--zoek", f" {BSN} "),
        ("--zoek", "9999.00.006"),
        ("--zoek", "9999-00-006"),
        ("--zoek", f"bsn {BSN}"),
        ("--zoek", "12345672"),  # without the zero at its front
        (BSN,),
    ],
)
def test_a_bsn_is_no_argument(home: Path, words: tuple[str, ...]) -> None:
    result = ask(*words)
    assert type(result.exception).__name__ == "ConnectorError"
    assert "--zoek -" in str(result.exception)
    assert BSN not in result.output + str(result.exception)


@pytest.mark.parametrize("number", ["4711", "94000001", "123456789", "B/2026/4711", "1234567890123"])
def test_another_number_may_stay_one(home: Path, number: str) -> None:
    result = ask("--zoek", number)
    assert (result.exit_code, DELIVERY in result.output) == ((0, True) if number == "4711" else (1, False))


def test_an_id_of_digits_and_letters_is_no_number(home: Path) -> None:
    assert ask(f"{BSN}a").exit_code == 1


@pytest.mark.parametrize("given", [BSN, f"{BSN}\n", f"  {BSN}\r\nmore"])
def test_it_is_read_from_standard_input(home: Path, given: str) -> None:
    result = ask("--zoek", "-", given=given)
    assert (result.exit_code, result.output) == (0, f"{DELIVERY}  regel 7 (record 3)\n")


@pytest.mark.parametrize("given", ["", "\n", "\xff\xfe\n"])
def test_nothing_is_said(home: Path, given: str) -> None:
    assert ask("--zoek", "-", given=given).exit_code == 1


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def test_it_is_asked_on_the_terminal_and_not_shown(home: Path, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    command = [sys.executable, "-m", "sor", "receipts", "--journaal", "--zoek", "-"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=os.environ, close_fds=True
    ) as process:
        os.close(theirs)
        said = b""
        while b"Nummer" not in said:
            said += os.read(ours, 1_000)
        assert BSN.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        os.write(ours, f"{BSN}\n".encode())
        while DELIVERY.encode() not in said:
            said += os.read(ours, 1_000)
        assert process.wait(20) == 0
    assert BSN.encode() not in said


def test_what_a_server_answers_does_not_steer_the_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acts = "\x1b[2J\x9b31m\u202e\x07"
    row = {
        "aanlevering": acts,
        "soort": "score",
        "aanbieder": acts,
        "test": False,
        "records": 1,
        "gezien": 1,
        "geaccepteerd": 0,
        "afgekeurd": 1,
        "ingetrokken": 0,
        "teruggenomen": "",
        "klaar": True,
        "eerste": 0,
        "laatste": 0,
        "codes": {acts: 1},
        "wacht": [],
        "fouten": [{"record": 1, "regel": 2, "regels": 1, "code": acts, "veld": acts, "melding": acts}],
        "opmerkingen": [{"code": acts, "aantal": 1, "melding": acts}],
        "opmerkingen_records": [{"record": 1, "code": acts}],
    }
    monkeypatch.setattr(receipts, "ask", lambda *_asked: [row])
    for words in ((), ("aa",), ("--json",)):
        result = CliRunner().invoke(app, ["receipts", *words])
        assert result.exit_code == 0, result.output
        assert result.output.replace("\n", "").isprintable()
