"""What an operator types, on a home of its own with keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crypto import keys
from faults import OperatorFault
from sor.cli import app

Sor = Callable[..., str]


def home_with_keys(folder: Path, monkeypatch: pytest.MonkeyPatch, *commands: str) -> Path:
    """The folder as the home of these modules of ``sor.commands``."""
    monkeypatch.setenv("SOR_HOME", str(folder))
    for module in commands:
        monkeypatch.setattr(f"sor.commands.{module}.guard", lambda: None)  # it would bind the process that tests
    keys.init(folder / "keys")
    return folder


def sor(*words: str, code: int = 0, typed: str = "") -> str:
    """What ``sor`` says to that, on one line; it ends with ``code``. ``typed``: the answers to what it asks."""
    done = CliRunner().invoke(app, words, input=typed)
    if isinstance(done.exception, OperatorFault):
        assert code == done.exception.exit_code, done.exception
        return str(done.exception)
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())
