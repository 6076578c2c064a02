"""The page of rights is what the two lists declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations import rights_page
from schemas.topics import groups, topics
from sinks.schema.users import USERS
from sor.cli import app
from sor.commands import rights


def test_the_files_of_rights_are_current() -> None:
    done = CliRunner().invoke(app, ["rights", "--check"])
    assert (done.exit_code, done.output) == (0, "The rights are written down as they are declared.\n")


def test_a_file_that_is_not_current_is_told_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "made", lambda: {tmp_path / "rights.md": rights_page.markdown()})
    for words, code in ((["--check"], 1), (["--write"], 0), (["--check"], 0)):
        assert CliRunner().invoke(app, ["rights", *words]).exit_code == code


def test_every_principal_and_every_user_is_on_the_page() -> None:
    page = rights_page.markdown()
    principals = {name for topic in topics().values() for name in (*topic.write, *topic.read)}
    for name in {*principals, *groups(), *USERS}:
        assert f"\n| `{name}` |" in page, name
    assert CliRunner().invoke(app, ["rights"]).output.strip() == page.strip()
