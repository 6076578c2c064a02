"""The database of the portal: SQLite, or a PostgreSQL by setting; and nothing that one of the two alone can do.

``SOR_PORTAL_DATABASE=postgresql://… pytest tests/portal`` runs the tests of the pages on that server.
"""

from __future__ import annotations

from importlib import machinery
from pathlib import Path

import pytest

from portal import settings as portal_settings
from portal.settings import database
from settings.settings import Settings, SettingsError, load_settings


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the driver of PostgreSQL were here."""
    monkeypatch.setattr(portal_settings, "find_spec", lambda name: machinery.ModuleSpec(name, None))


def test_a_server_comes_by_setting(tmp_path: Path, driver: None) -> None:
    secret = tmp_path / "password"
    secret.write_text("geheim\n")
    secret.chmod(0o600)
    made = database(
        load_settings(
            home=tmp_path, portal_database="postgresql://db.example:5433/portaal", portal_database_user="lezer",
            portal_database_password_file=secret,
        )
    )  # fmt: skip
    assert made == {
        "ENGINE": "django.db.backends.postgresql", "NAME": "portaal", "HOST": "db.example", "PORT": 5433,
        "USER": "lezer", "PASSWORD": "geheim", "CONN_MAX_AGE": 60,
    }  # fmt: skip
    assert not (tmp_path / "portal/portal.sqlite3").exists()
    assert database(load_settings(home=tmp_path, portal_database="postgres://db.example/x"))["PORT"] == 5432


@pytest.mark.parametrize("address", ["postgresql://db.example", "postgresql:///portaal", "sqlite:///x", "db.example/x"])
def test_an_address_that_names_no_database_is_none(address: str, tmp_path: Path, driver: None) -> None:
    with pytest.raises(SettingsError, match="postgresql://"):
        database(load_settings(home=tmp_path, portal_database=address))


def test_without_its_driver_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_settings, "find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="psycopg"):
        database(load_settings(home=tmp_path, portal_database="postgresql://db.example/x"))


def test_no_migration_has_words_of_one_database(portal: Settings) -> None:
    """What Django makes of the operations below, it makes for both; and no model waits for a migration."""
    from django.apps import apps
    from django.db import connection, migrations
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState
    from django.utils import translation

    loader = MigrationLoader(connection)
    own = [one for (app, _), one in loader.disk_migrations.items() if app == "people"]
    assert len(own) >= 3
    kinds = {type(operation) for one in own for operation in one.operations}
    assert kinds <= {migrations.CreateModel, migrations.AddField, migrations.AddConstraint}
    with translation.override(None):  # as Django makes them: names of its own fields are English
        found = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    assert "people" not in found
