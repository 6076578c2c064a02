"""Users: passwords in three ways, profiles with their limits, a users file with a sentence for each fault."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from local.clickhouse.users import ProfileName, User, Users, load_users, users_file
from local.clickhouse.wire import QueryFault
from local.errors import StackError
from sinks.schema import users as declared
from sinks.schema.users import LIMITS, LOWERED, NAMES


def _user(profile: ProfileName = "readonly") -> User:
    password, grants = hashlib.sha256("geheim é".encode()).digest(), ("SELECT ON sor.*", "SELECT ON sor_*.*")
    return User("grafana", password, profile, grants, tuple(sorted(LIMITS.items())))


USERS = Users({"grafana": _user()})
BASIC = {"Authorization": "Basic " + base64.b64encode("grafana:geheim é".encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "parameters"),
    [
        (BASIC, {}),
        ({"X-ClickHouse-User": "grafana", "X-ClickHouse-Key": "geheim é"}, {}),
        ({}, {"user": "grafana", "password": "geheim é"}),
    ],
)
def test_each_way_to_give_a_password(headers: dict[str, str], parameters: dict[str, str]) -> None:
    assert USERS.authenticate(headers, parameters).name == "grafana"


@pytest.mark.parametrize(
    ("headers", "parameters", "status"),
    [
        ({}, {}, 401),
        ({}, {"user": "grafana", "password": "wrong"}, 403),
        ({}, {"user": "nobody", "password": "geheim é"}, 403),
        ({}, {"user": "grafana"}, 403),
        (BASIC, {"user": "grafana", "password": "geheim é"}, 403),
        ({"Authorization": "Bearer x"}, {}, 403),
        ({"Authorization": "Basic %%%"}, {}, 403),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], parameters: dict[str, str], status: int) -> None:
    with pytest.raises(QueryFault) as caught:
        USERS.authenticate(headers, parameters)
    assert (caught.value.code, caught.value.status) == (516, status)


@pytest.mark.parametrize("asked", ["1", "5", "60", "1.5"])
def test_a_limit_can_be_lowered(asked: str) -> None:
    assert _user().settings({"max_execution_time": asked})["max_execution_time"] == asked


@pytest.mark.parametrize("asked", ["61", "64", "0", "-1", "0.5", "nan", "inf"])
def test_a_limit_is_never_raised_and_who_asks_is_refused(asked: str) -> None:
    with pytest.raises(QueryFault, match="shouldn't be") as caught:
        _user().settings({"max_execution_time": asked})
    assert caught.value.code == 452


@pytest.mark.parametrize("name", sorted(set(LIMITS) - {LOWERED}))
def test_another_limit_can_only_be_asked_for_as_it_is(name: str) -> None:
    assert _user().settings({name: str(LIMITS[name])})[name] == str(LIMITS[name])
    for asked in (LIMITS[name] - 1, LIMITS[name] + 1, 0):
        with pytest.raises(QueryFault, match=f"Cannot modify '{name}'"):
            _user().settings({name: str(asked)})


@pytest.mark.parametrize("name", ["readonly", "allow_ddl", "compatibility", "final", "format_schema"])
def test_a_reader_changes_no_other_setting(name: str) -> None:
    with pytest.raises(QueryFault, match=f"Cannot modify '{name}'"):
        _user().settings({name: "0"})


def test_a_limit_that_is_no_number_never_lifts_the_limit() -> None:
    with pytest.raises(QueryFault, match="Cannot modify"):
        _user().settings({"max_result_rows": "nan"})
    with pytest.raises(QueryFault, match="plain number"):
        _user().settings({"max_result_rows": "lots"})


def test_a_writer_cannot_allow_itself_ddl() -> None:
    assert _user("writer").settings({"allow_ddl": "1"})["allow_ddl"] == "0"


def test_databases_are_patterns() -> None:
    reader = _user()
    assert reader.may_enter("sor")
    assert reader.may_enter("sor_schaduw")
    assert not reader.may_enter("sorry")
    assert not reader.may_enter("default")


def test_a_users_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    users_file(path, {name: f"{name} pw" for name in NAMES}, {"audit": ("SELECT ON sor_*.*",)})
    assert path.stat().st_mode & 0o777 == 0o600
    assert "password_sha256" in path.read_text()
    users = load_users(path)
    assert set(users.roles()) == set(NAMES) - {"admin"}
    profiles = {"admin": "admin", "writer": "writer", "reader": "readonly", "auditor": "readonly", "repairer": "writer"}
    for name, listed in declared.USERS.items():
        user = users.authenticate({}, {"user": name, "password": f"{name} pw"})
        assert user.profile == profiles[listed.profile]
        assert user.may_remove == bool(listed.remove)
        assert dict(user.limits) == (LIMITS if listed.profile == "reader" else {})
        assert set(user.grants) - {"SELECT ON sor_*.*"} == set(listed.grants() if name != "admin" else ())


def test_a_password_file_is_relative_and_loses_its_newline(tmp_path: Path) -> None:
    _secret(tmp_path / "pw", "geheim\n")
    entry = {"profile": "readonly", "password_file": "pw", "grants": ["SELECT(b, c) ON a.t", "INSERT ON a.u"]}
    _secret(tmp_path / "u", json.dumps({"x": entry}))
    user = load_users(tmp_path / "u").authenticate({}, {"user": "x", "password": "geheim"})
    assert user.databases == ("a",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("{}", "must hold one object"),
        ('{"x": {"profile": "root", "password_sha256": "00"}}', "must be an object with a profile"),
        ('{"x": {"profile": "admin", "password": "p"}}', "must be an object with a profile"),
        ('{"x": {"profile": "admin"}}', "64 hexadecimal digits"),
        ('{"x": {"profile": "admin", "password_sha256": "00"}}', "64 hexadecimal digits"),
        ('{"x": {"profile": "admin", "password_file": "none"}}', "Cannot read"),
        ('{"x": {"profile": "admin", "password_file": "empty"}}', "is empty"),
        ('{"x": {"profile": "writer", "password_sha256": "00"}}', "has no grants"),
        ('{"x": {"profile": "writer", "grants": ["ALL ON *.*"]}}', "is no grant"),
        ('{"x": {"profile": "writer", "grants": ["SELECT ON a.b</query>"]}}', "is no grant"),
        ('{"x": {"profile": "writer", "grants": ["SELECT ON a.b, SELECT ON c.d"]}}', "is no grant"),
        ('{"</x>": {"profile": "admin", "password_sha256": "00"}}', "must be an object with a profile"),
    ],
)
def test_a_wrong_users_file_gets_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    _secret(tmp_path / "empty", "\n")
    _secret(tmp_path / "users.json", content)
    with pytest.raises(StackError, match=sentence):
        load_users(tmp_path / "users.json")


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    users_file(path, {"admin": "a"}, {})
    path.chmod(0o644)
    with pytest.raises(StackError, match="chmod 600"):
        load_users(path)


def _secret(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
