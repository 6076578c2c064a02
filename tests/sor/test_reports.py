"""``sor report``, ``sor reports`` and ``sor schedule`` on the real engine, with a provider in two clusters."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from results.reports import journal
from settings.settings import SettingsError, load_settings
from sinks.access import Access
from sinks.tables import METINGEN, TRAJECTEN
from sinks.writer import Writer
from sor import reporting
from sor.cli import app
from sor.commands.report import _checked
from tests.conftest import RunningGateway
from tests.results.reports.test_reading import metingen, trajecten
from tests.sinks import database

ADDRESSES = '[adressen]\n"90000001" = "een@example.org"\n"90000002" = "twee@example.org"\n'
OWN = ["90000001", "--cluster", "DUO", "--month", "2026-10"]


@pytest.fixture
def here(tmp_path: Path, gateway: RunningGateway, filled: Access, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the addresses of two providers, on the run's engine."""
    (tmp_path / "adressen.toml").write_text(ADDRESSES, "utf-8")
    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    monkeypatch.setenv("SOR_MAIL_ADDRESSES", str(tmp_path / "adressen.toml"))
    monkeypatch.setenv("SOR_CLICKHOUSE", gateway.url)
    password = tmp_path / "password"
    password.write_text(gateway.users["reports"])
    password.chmod(0o600)
    monkeypatch.setenv("SOR_CLICKHOUSE_USER", "reports")
    monkeypatch.setenv("SOR_CLICKHOUSE_PASSWORD_FILE", str(password))
    return tmp_path


@pytest.fixture(scope="module")
def filled(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as admin:
        writer = Writer(admin)
        writer.insert(TRAJECTEN, list(trajecten()))
        writer.insert(METINGEN, list(metingen()))
        writer.close()
        yield admin


@pytest.mark.clickhouse
def test_one_report_in_each_form(here: Path, filled: Access) -> None:
    ask = ["report", *OWN, "--database", filled.database]
    for form, begins in (("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>"), ("json", b"{")):
        done = CliRunner().invoke(app, [*ask, "--as", form])
        assert done.exit_code == 0, done.output
        file = Path(done.stdout.strip())
        assert file == here / "reports" / "2026-10" / f"sor_aanbieder_90000001_duo_2026-10.{form}"
        assert file.read_bytes().startswith(begins)
    document = json.loads(file.read_text("utf-8"))
    assert (document["provider"], document["cluster"], document["release"]) == ("90000001", "DUO", 0)
    assert "Geen verantwoordingsinstrument" in document["warning"]
    assert "90000002" not in file.read_text("utf-8")
    none = CliRunner().invoke(app, ["report", "--kind", "gemiddelde", *OWN[1:], "--database", filled.database])
    assert none.exit_code == 1  # nothing was released
    none = CliRunner().invoke(
        app, ["report", "--kind", "gemeente", "--month", "2026-10", "--database", filled.database]
    )
    assert none.exit_code == 1  # nor of Almere, which needs no cluster and no provider


@pytest.mark.clickhouse
def test_all_of_a_month_twice_sends_once(here: Path, filled: Access) -> None:
    ask = ["reports", "run", "--month", "2026-10", "--processes", "1", "--database", filled.database]
    first, second = (CliRunner().invoke(app, ask) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "4 reports made, 4 sent." in first.output  # two of outcomes, two of questionnaires
    assert "0 sent, 4 sent before" in second.output
    assert len(list((here / "mail").glob("*.eml"))) == 4
    listed = CliRunner().invoke(app, ["reports", "list"]).stdout
    assert listed.count("sor_cem_") == listed.count("sor_aanbieder_") == 2
    with journal.opened(reporting.journal_path(load_settings())) as sent:
        assert sent.count("2026-10") == 4


def test_what_a_report_needs_is_said() -> None:
    assert _checked("spiegel", "90000001", "", "2026-H1") == "2026-H1"
    assert _checked("cem", "90000001", "", "2024-02") == "2024-02"
    assert _checked("cem", "90000001", "", "") < f"{time.gmtime().tm_year}-13"
    for kind, provider, cluster, month in (
        ("aanbieder", "", "DUO", "2026-01"),
        ("aanbieder", "90000001", "", "2026-01"),
        ("gemiddelde", "", "Almere", "2026-01"),
        ("cem", "90000001", "", "2026-1"),
        ("cem", "90000001", "", f"{time.gmtime().tm_year + 1}-01"),
        ("spiegel", "90000001", "", "2026-01"),
    ):
        with pytest.raises(SettingsError):
            _checked(kind, provider, cluster, month)  # type: ignore[arg-type]
