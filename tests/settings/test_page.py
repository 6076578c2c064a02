"""The page of settings is the class that declares them, and no file names a setting that is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from settings.page import settings_table, shown, unknown_variables, variable
from settings.settings import Settings, SettingsError, load_settings
from sor.cli import app
from sor.commands.settings import location
from sor.options import given
from tests.house.rooms import ROOT, files

VARIABLE = re.compile(r"\bSOR_[A-Z][A-Z_]*[A-Z]\b")
#: What is written for operators: pages, the compose file and what stands beside it.
WRITTEN = sorted(
    str(path.relative_to(ROOT))
    for path in files()
    if path.suffix in {".md", ".sh", ".yml", ".yaml"} and path.name not in {"CHANGELOG.md", "check.sh"}
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in settings_table():
        monkeypatch.delenv(row.variable, raising=False)


def test_the_page_is_current() -> None:
    assert CliRunner().invoke(app, ["settings", "--check"]).output == "The page of settings is current.\n"


def test_a_page_that_is_not_current_is_said_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "settings.md"
    monkeypatch.setattr("sor.commands.settings.location", lambda: page)
    assert CliRunner().invoke(app, ["settings", "--check"]).exit_code == 1
    assert CliRunner().invoke(app, ["settings", "--write"]).exit_code == 0
    assert CliRunner().invoke(app, ["settings", "--check"]).exit_code == 0
    assert page.read_text("utf-8") == location().read_text("utf-8")


def test_every_setting_has_a_row_with_its_default() -> None:
    rows = {row.variable: row for row in settings_table()}
    assert list(rows) == [variable(name) for name in Settings.model_fields]
    assert all(row.description.endswith(".") for row in rows.values())
    assert (rows["SOR_KEYS"].default, rows["SOR_PORTS"].default, rows["SOR_INTAKE_PORT"].default) == (
        "<home>/keys", "", "8480",
    )  # fmt: skip
    assert shown(("a", "b")) == "a,b"


def test_what_is_in_force_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_HOME", "elsewhere")
    lines = dict(
        line.split(maxsplit=1)
        for line in CliRunner().invoke(app, ["settings"]).output.splitlines()
        if " " in line.strip()
    )
    assert (lines["SOR_HOME"], lines["SOR_KEYS"]) == ("elsewhere", "elsewhere/keys")


def test_an_option_that_is_given_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_INTAKE_PORT", "1234")
    assert load_settings(**given(intake_port=None)).intake_port == 1234
    assert load_settings(**given(intake_port=0, intake_plain=True)).intake_port == 0
    with pytest.raises(SettingsError, match="SOR_INTAKE_PORT is 70000"):
        load_settings(**given(intake_port=70_000))


def test_a_misspelt_variable_is_known_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_INTAKE_PROT", "1")
    monkeypatch.setenv("SOR_TEST_KAFKA_", "1")
    assert "SOR_INTAKE_PROT" in unknown_variables()
    assert "SOR_TEST_KAFKA_" not in unknown_variables()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_names_no_setting_that_is_none(name: str) -> None:
    known = {row.variable for row in settings_table()}
    named = set(VARIABLE.findall((ROOT / name).read_text("utf-8")))
    assert {one for one in named if not one.startswith("SOR_TEST_")} <= known
