"""Tokens: what the file holds, who gets in, and what the operator's commands do."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from connectors.errors import ConnectorError
from connectors.intake.tokens import ANY, Caller, Gate, TokenError, TokenFile
from sor.commands import intake
from tests.connectors.support import AGB

SELF = Caller(AGB, frozenset({AGB}))


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> TokenFile:
    return TokenFile(tmp_path / "intake" / "tokens.json", clock)


def test_the_file_holds_a_hash_and_only_its_owner_reads_it(file: TokenFile) -> None:
    made, text = file.add(AGB, 30, "hub")
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o077 == 0
    kept = file.path.read_text()
    assert text not in kept
    assert text.removeprefix("sor_") not in kept
    assert len(text) >= 47  # 256 bits
    assert file.read() == [made]
    assert [path.name for path in file.path.parent.iterdir() if path.name != ".tokens.json.lock"] == ["tokens.json"]


def test_a_token_is_of_one_provider_until_it_expires(file: TokenFile, clock: Clock) -> None:
    _, text = file.add(AGB, 2)
    gate = Gate(file.path, clock)
    assert gate.who("token", text.encode()) == SELF
    assert gate.who("token", text.encode()[:-1]) is None
    assert gate.providers() == {AGB}
    clock.now += 2 * 86_400 - 1
    assert gate.who("token", text.encode()) == SELF
    clock.now += 1
    assert gate.who("token", text.encode()) is None
    assert gate.providers() == frozenset()


def test_a_change_of_the_file_holds_at_once(file: TokenFile, clock: Clock) -> None:
    gate = Gate(file.path, clock)
    assert gate.who("token", b"x") is None  # no file yet
    made, text = file.add(AGB, 2)
    other, more = file.add(AGB, 2)
    assert gate.who("token", text.encode()) == gate.who("token", more.encode()) == SELF
    file.revoke(made.id)
    assert gate.who("token", text.encode()) is None
    assert gate.who("token", more.encode()) == SELF
    first = file.read()[0]
    clock.now += 100
    assert file.revoke(made.id) == first  # a second time changes nothing
    file.path.unlink()
    assert gate.who("token", more.encode()) is None
    with pytest.raises(TokenError, match="no token nergens"):
        file.revoke("nergens")
    assert other.state(clock.now) == "valid"


def test_a_certificate_is_public_and_therefore_no_token(file: TokenFile, clock: Clock) -> None:
    file.add_certificate(AGB, b"der bytes", 2)
    gate = Gate(file.path, clock)
    assert gate.who("certificate", b"der bytes") == SELF
    assert gate.who("token", b"der bytes") is None


@pytest.mark.parametrize("content", ["{", "[]", '{"credentials": [{"id": 1}]}'])
def test_a_file_that_cannot_be_used_lets_nobody_in(file: TokenFile, clock: Clock, content: str) -> None:
    _, text = file.add(AGB, 2)
    gate = Gate(file.path, clock)
    assert gate.who("token", text.encode()) == SELF
    file.path.write_text(content)
    for _ in range(2):
        with pytest.raises(TokenError, match="no valid token file"):
            gate.who("token", text.encode())


def test_two_commands_at_once_lose_nothing(file: TokenFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: TokenFile(file.path).add(AGB, 1)[0].id, range(24)))
    assert sorted(one.id for one in file.read()) == sorted(made)


def test_what_is_no_agb_code_gets_no_token(file: TokenFile) -> None:
    for agb, days in (("123", 1), ("1234567x", 1), ("١٢٣٤٥٦٧٨", 1), (AGB, 0)):
        with pytest.raises(TokenError):
            file.add(agb, days)
    assert not file.path.exists()


def test_a_hub_has_a_list_and_sees_whom_it_sends_for(file: TokenFile, clock: Clock) -> None:
    gate = Gate(file.path, clock)
    _, text = file.add("hub-1", 1, "", (AGB, "94000002"))
    hub = gate.who("token", text.encode())
    assert hub == Caller("hub-1", frozenset({AGB, "94000002"}))
    assert [hub.may_send(agb) for agb in (AGB, "94000002", "94000003")] == [True, True, False]
    assert hub.provider == ""
    assert SELF.provider == AGB
    assert gate.providers() == {AGB, "94000002"}
    file.add("hub-2", 1, "", (ANY,))
    assert gate.providers() == {AGB, "94000002", ANY}
    for name, sends_for in (("hub", ()), ("h b", (AGB,)), ("hub", ("9400000",)), ("hub", ("",))):
        with pytest.raises(TokenError):
            file.add(name, 1, "", sends_for)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    intake.register(app)
    return lambda *words: CliRunner().invoke(app, ["intake", *words])


def test_the_commands(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    added = run("token", "add", AGB, "--days", "5", "--note", "hub")
    assert added.exit_code == 0, added.output
    text = added.stdout.strip()
    assert Gate(tmp_path / "intake" / "tokens.json").who("token", text.encode()) == SELF
    listed = run("token", "list").output
    name = json.loads((tmp_path / "intake" / "tokens.json").read_text())["credentials"][0]["id"]
    assert all(part in listed for part in (name, AGB, "valid", "hub"))
    assert text not in listed
    assert run("token", "revoke", name).exit_code == 0
    assert "revoked" in run("token", "list").output
    problem = run("token", "revoke", "x").exception
    assert isinstance(problem, TokenError)
    assert "token list" in str(problem)


def test_no_tokens_in_clear_over_a_network(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SOR_KAFKA", "127.0.0.1:1")
    for words in (("--host", "192.0.2.1"), ("--host", "intake.example"), ("--client-ca", "x"), ("--certificate", "x")):
        problem = run(*words).exception
        assert isinstance(problem, ConnectorError), words
