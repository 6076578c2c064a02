"""``sor providers``: a list that keeps its places, and users of the engine that come and go with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from local.clickhouse.roles import write_roles
from local.clickhouse.users import load_users
from local.errors import StackError
from local.secrets import ensure_secrets
from settings.settings import load_settings
from sinks.schema.providers import LIST, ProvidersError, load, owner
from sor.commands.providers import register

FIRST, SECOND = "90000001", "90000002"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    return tmp_path


def run(*words: str) -> Any:
    app = typer.Typer()
    register(app)
    app.callback()(lambda: None)
    return CliRunner().invoke(app, ["providers", *words])


def test_a_provider_is_added_once_and_keeps_its_place(home: Path) -> None:
    for _ in range(2):
        assert run("add", FIRST, "--cluster", "DUO").exit_code == 0
    run("add", SECOND, "--cluster", "DUO", "--cluster", "Amsterdam")
    run("add", FIRST, "--cluster", "Amsterdam")
    assert [(one.agb, one.clusters) for one in load(home / LIST)] == [
        (FIRST, ("Amsterdam",)), (SECOND, ("Amsterdam", "DUO"))
    ]  # fmt: skip
    assert run("remove", FIRST).exit_code == 0
    assert run("remove", FIRST).exit_code == 1
    assert [(one.agb, one.active) for one in load(home / LIST)] == [(FIRST, False), (SECOND, True)]
    assert json.loads(run("list", "--json").output) == [{"agb": SECOND, "clusters": ["Amsterdam", "DUO"]}]
    assert f"<eigen_{SECOND}>" in run("rights").output
    assert FIRST not in run("rights").output
    run("add", FIRST, "--cluster", "DUO")
    assert [one.agb for one in load(home / LIST)] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "words", [("1234567", "--cluster", "DUO"), ("9000000'", "--cluster", "DUO"), (FIRST,), (FIRST, "--cluster", "Duo")]
)
def test_what_is_no_provider_is_refused(home: Path, words: tuple[str, ...]) -> None:
    assert isinstance(run("add", *words).exception, ProvidersError)
    assert not (home / LIST).exists()


@pytest.mark.parametrize(
    "text",
    ["{}", "[1]", '[{"agb": "90000001"}]', '[{"agb": "x", "clusters": ["DUO"], "actief": true}]', "no json",
     '[{"agb": "90000001", "clusters": "DUO", "actief": true}]',
     json.dumps([{"agb": FIRST, "clusters": ["DUO"], "actief": True}] * 2)],
)  # fmt: skip
def test_a_list_that_says_something_else_stops(home: Path, text: str) -> None:
    (home / LIST).write_text(text)
    with pytest.raises(ProvidersError):
        load(home / LIST)


def test_the_engine_has_a_user_with_a_password_and_an_owner_without(home: Path) -> None:
    run("add", FIRST, "--cluster", "DUO")
    run("add", SECOND, "--cluster", "DUO")
    run("remove", SECOND)
    path = ensure_secrets(load_settings())
    secrets = {one.name for one in (home / "secrets").iterdir()}
    assert f"eigen_{FIRST}" in secrets
    assert not {f"eigen_{FIRST}_rijen", f"eigen_{SECOND}"} & secrets
    users = load_users(path)
    (mine,) = load(home / LIST)[:1]
    assert users.owners == (owner(mine),)
    assert users.roles()[mine.database] == (f"SELECT ON {mine.database}.*",)
    assert mine.owner not in users.roles()
    written = (
        write_roles(home / "engine.xml", users.roles(), users.owners).with_name("clickhouse-roles.xml").read_text()
    )
    assert f"<{mine.owner}>\n      <no_password/><networks/>" in written
    assert f"<query>GRANT {mine.owner}</query>" not in written, "its rights are the views' and no session's"


@pytest.mark.parametrize("without", ["grants", "rows"])
def test_an_owner_without_a_policy_is_no_owner(home: Path, without: str) -> None:
    run("add", FIRST, "--cluster", "DUO")
    path = ensure_secrets(load_settings())
    entries = json.loads(path.read_text())
    entries[f"eigen_{FIRST}_rijen"] |= {without: {} if without == "rows" else []}
    path.write_text(json.dumps(entries))
    with pytest.raises(StackError, match="owner of views"):
        load_users(path)
