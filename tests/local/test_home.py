"""Secrets are private, stale pid files are understood, logs are bounded and followed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import logs
from local.control import run_stack
from local.disk import full_disk_explained
from local.doctor import examine
from local.errors import StackError
from local.secrets import ensure_secrets
from local.state import (
    Status,
    current_statuses,
    only_supervisor,
    read_statuses,
    running_supervisor,
    stale_pid,
    write_statuses,
)
from settings.access import clickhouse_access, kafka_cluster
from settings.secrets import read_secret
from settings.settings import SettingsError, load_settings
from sinks.schema.users import NAMES

REMOVE_IT = "Remove it; sor up then chooses ports anew."


def test_passwords_are_made_once_and_are_private(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    users = ensure_secrets(settings)
    passwords = {user: read_secret(tmp_path / "secrets" / user) for user in settings.clickhouse_users}
    assert len(set(passwords.values())) == len(NAMES)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o600}
    assert not any(password in users.read_text() for password in passwords.values())
    ensure_secrets(settings)
    assert read_secret(tmp_path / "secrets" / "admin") == passwords["admin"]


@pytest.mark.parametrize(
    ("content", "mode", "part"), [("secret\n", 0o644, "chmod 600"), ("\n", 0o600, "empty"), (None, 0, "does not exist")]
)
def test_a_secret_that_cannot_be_used_is_explained(tmp_path: Path, content: str | None, mode: int, part: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(SettingsError, match=part) as error:
        read_secret(path)
    assert "secret\n" not in str(error.value)


def test_a_password_does_not_show(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, ports=27000)
    ensure_secrets(settings)
    access = clickhouse_access(settings, "sink")
    assert access.password == read_secret(tmp_path / "secrets" / "sink")
    assert access.password not in repr(access)


def test_a_cluster_with_security_gets_its_password_from_the_file(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("open sesame\n")
    password.chmod(0o600)
    settings = load_settings(
        home=tmp_path,
        kafka="broker:9094",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_username="sor",
        kafka_password_file=password,
    )
    options = kafka_cluster(settings).settings()
    assert options["bootstrap.servers"] == "broker:9094"
    assert options["sasl.password"] == "open sesame"
    assert "open sesame" not in repr(settings)


def test_without_a_running_stack_nobody_talks_to_the_remembered_ports(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with pytest.raises(SettingsError, match="sor up"):
        kafka_cluster(settings)
    (tmp_path / "stack.json").write_text('{"ports": 27500}')
    with pytest.raises(SettingsError, match="sor up"):
        kafka_cluster(settings)
    with only_supervisor(tmp_path):
        assert kafka_cluster(settings).bootstrap == "127.0.0.1:27500"
    assert kafka_cluster(load_settings(home=tmp_path, ports=28000)).bootstrap == "127.0.0.1:28000"


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="Make room"), full_disk_explained(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "stack.new"))
    with pytest.raises(PermissionError), full_disk_explained(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_home_has_one_supervisor(tmp_path: Path) -> None:
    with only_supervisor(tmp_path):
        assert running_supervisor(tmp_path) == os.getpid()
        with pytest.raises(StackError, match=rf"already running \(process {os.getpid()}\)"), only_supervisor(tmp_path):
            pass
    assert running_supervisor(tmp_path) is None


def test_a_stale_pid_file_is_understood(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisor.pid").write_text(f"{child.pid} 12345.0")
    assert running_supervisor(tmp_path) is None
    assert stale_pid(tmp_path) == child.pid
    # The pid lives, as another process than the one that wrote it.
    (tmp_path / "run" / "supervisor.pid").write_text(f"{os.getpid()} 12345.0")
    assert running_supervisor(tmp_path) is None
    with only_supervisor(tmp_path):
        assert running_supervisor(tmp_path) == os.getpid()


def test_a_process_that_is_gone_is_not_shown_as_ready(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (tmp_path / "run").mkdir()
    write_statuses(tmp_path, [Status("kafka", "ready", pid=child.pid), Status("keys", "done")])
    assert [status.state for status in current_statuses(tmp_path)] == ["ready", "done"]
    child.communicate(b"\n")
    assert [status.state for status in current_statuses(tmp_path)] == ["gone", "done"]


def test_a_log_over_the_bound_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "ROTATE_BYTES", 10)
    logs.log_file(tmp_path, "entry").write_text("more than ten bytes\n")
    assert not logs.log_file(tmp_path, "entry").exists()
    assert (tmp_path / "entry.log.1").read_text() == "more than ten bytes\n"


def test_following_gives_whole_lines_also_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "entry.log"
    path.write_text("before\n")
    steps = iter([("a", "first\nhal"), ("a", "f\n"), ("w", "new\n")])

    def next_step() -> bool:
        mode, text = next(steps, ("", ""))
        if mode:
            with path.open(mode) as file:
                file.write(text)
        return bool(mode)

    assert list(logs.follow([path], next_step)) == [("entry", "first"), ("entry", "half"), ("entry", "new")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"event": "Port 1 is taken.", "level": "error"}', "Port 1 is taken."),
        ("no JSON", "no JSON"),
        ('["a"]', '["a"]'),
        ('{"a": 1}', '{"a": 1}'),
    ],
)
def test_the_last_words_of_a_process_are_its_sentence(line: str, words: str) -> None:
    assert logs.said(line) == words


def test_the_doctor_finds_a_loose_key_and_a_misspelt_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    monkeypatch.setenv("SOR_PORT", "1")
    findings = {finding.name: finding for finding in examine(load_settings(home=tmp_path))}
    assert findings["keys"].level == "problem"
    assert "chmod" in findings["keys"].advice
    assert findings["settings"].advice == "Did you mean SOR_PORTS?"
    assert all(finding.advice for finding in findings.values() if finding.level != "ok")


def test_public_keys_may_be_read_and_nothing_else_of_the_keys(tmp_path: Path) -> None:
    (tmp_path / "keys" / "public").mkdir(parents=True)
    (tmp_path / "keys" / "public" / "authority.pem").touch(0o644)
    (tmp_path / "keys").chmod(0o700)
    (tmp_path / "authority").mkdir(mode=0o700)

    def levels() -> dict[str, str]:
        return {finding.name: finding.level for finding in examine(load_settings(home=tmp_path))}

    assert (levels()["keys"], levels()["authority"]) == ("ok", "ok")
    (tmp_path / "authority" / "root.key").touch(0o644)
    (tmp_path / "keys" / "entry").mkdir(mode=0o755)
    assert (levels()["keys"], levels()["authority"]) == ("problem", "problem")


def test_the_doctor_names_who_is_started_again_and_again(tmp_path: Path) -> None:
    def found() -> list[str]:
        return [finding.found for finding in examine(load_settings(home=tmp_path)) if finding.name == "restarts"]

    with only_supervisor(tmp_path):
        write_statuses(tmp_path, [Status("entry", "ready", restarts=2), Status("sink", "ready", restarts=3)])
        assert found() == ["sink was started again 3 times"]
    assert found() == [], "the stack does not run"


def test_ports_that_cannot_be_read_are_a_finding_and_told_to_who_waits(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    settings = load_settings(home=tmp_path)
    (found,) = (finding for finding in examine(settings) if finding.name == "ports")
    assert (found.level, found.advice) == ("problem", f"{tmp_path}/stack.json cannot be read. {REMOVE_IT}")
    with pytest.raises(SettingsError, match=REMOVE_IT):
        run_stack(settings, lambda _statuses: None)
    assert (read_statuses(tmp_path)[1] or "").endswith(REMOVE_IT)


def test_a_ready_process_counts_as_up() -> None:
    assert Status("a", "ready").up
    assert not Status("a", "starting").up
