"""The step of ``sor up`` that makes keys: all of them once, and later only what an earlier release did not know."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crypto import keys
from local.services import Service, plan
from settings.ports import Ports
from settings.settings import load_settings
from sor.cli import app


def step(home: Path) -> Service:
    return next(one for one in plan(load_settings(home=home), Ports(27000)) if one.name == "keys")


def test_keys_are_made_once_and_completed_after_an_earlier_release(tmp_path: Path) -> None:
    assert step(tmp_path).needed()
    assert step(tmp_path).command()[-2:] == ["keys", "init"]
    keys.init(tmp_path / "keys")
    assert not step(tmp_path).needed()
    shutil.rmtree(tmp_path / "keys" / keys.TRAJECTORIES)
    assert step(tmp_path).needed()
    assert step(tmp_path).command()[-2:] == ["keys", "complete"]


def test_the_command_makes_what_is_missing_and_touches_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sor.commands.keys.guard", lambda: None)  # this process goes on
    monkeypatch.setenv("SOR_KEYS", str(tmp_path))
    nothing = CliRunner().invoke(app, ["keys", "complete"])
    assert isinstance(nothing.exception, keys.KeysError)
    assert "no keys" in str(nothing.exception)
    keys.init(tmp_path)
    assert "Nothing is missing" in CliRunner().invoke(app, ["keys", "complete"]).output
    shutil.rmtree(tmp_path / keys.TRAJECTORIES)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    assert "every row under new names" in CliRunner().invoke(app, ["keys", "complete"]).output
    assert {path: path.read_bytes() for path in before} == before
    assert keys.load_trajectories(tmp_path)
