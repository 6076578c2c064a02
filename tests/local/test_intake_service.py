"""The stack of one machine has an intake, and who delivers here finds it with a token that nobody had to make."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.intake.tokens import ANY, Caller, Gate, TokenFile
from local.secrets import ensure_intake_token
from local.services import Service, environment_for, plan
from settings.access import intake_endpoint
from settings.ports import Ports
from settings.settings import SettingsError, load_settings


def service(home: Path) -> Service:
    return next(one for one in plan(load_settings(home=home), Ports(27000)) if one.name == "intake")


def test_the_intake_listens_on_this_machine_alone_and_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_INTAKE_CERTIFICATE", "/elsewhere.pem")
    words = service(tmp_path).command()
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--port") + 1] == "27003"
    assert environment_for(service(tmp_path))["SOR_INTAKE_CERTIFICATE"] == ""
    assert {"keys", "authority", "topics"} <= set(service(tmp_path).after)


def test_its_token_is_made_once_and_again_when_it_is_refused(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    path = ensure_intake_token(settings)
    first = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Gate(settings.intake_tokens).who("token", first) == Caller("this-machine", frozenset({ANY}))
    assert ensure_intake_token(settings).read_bytes() == first
    file = TokenFile(settings.intake_tokens)
    file.revoke(file.read()[0].id)
    assert ensure_intake_token(settings).read_bytes() != first
    assert [one.state(0) for one in file.read()] == ["revoked", "valid"]


def test_who_delivers_finds_the_intake_of_this_stack(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, ports=27000)
    token = ensure_intake_token(settings).read_text()
    assert intake_endpoint(settings) == ("http://127.0.0.1:27003", token, None, None)
    own = tmp_path / "own"
    own.write_text("sor_own\n")
    own.chmod(0o600)
    elsewhere = load_settings(home=tmp_path, ports=27000, intake="https://intake.example/", intake_token_file=own)
    assert intake_endpoint(elsewhere) == ("https://intake.example", "sor_own", None, None)
    assert intake_endpoint(load_settings(home=tmp_path, kafka="kafka.example:9092")) is None
    with pytest.raises(SettingsError, match="No stack is running"):
        intake_endpoint(load_settings(home=tmp_path / "other"))
    own.chmod(0o644)
    with pytest.raises(SettingsError, match="Others may read"):
        intake_endpoint(elsewhere)
    with pytest.raises(SettingsError, match="SOR_INTAKE_TOKEN_FILE"):
        load_settings(intake="https://intake.example")
