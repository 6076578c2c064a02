"""Settings come from the environment, stand still, and explain a wrong value in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from settings.page import settings_table
from settings.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in settings_table():
        monkeypatch.delenv(row.variable, raising=False)


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.home == Path(".sor")
    assert settings.keys == Path(".sor/keys")
    assert (settings.kafka, settings.clickhouse, settings.ports) == (None, None, None)


def test_keys_follow_home_until_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_HOME", "/tmp/elsewhere")  # noqa: S108
    assert load_settings().keys == Path("/tmp/elsewhere/keys")  # noqa: S108
    monkeypatch.setenv("SOR_KEYS", "/tmp/keys")  # noqa: S108
    assert load_settings().keys == Path("/tmp/keys")  # noqa: S108


def test_an_empty_string_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in settings_table():
        monkeypatch.setenv(row.variable, "")
    assert load_settings() == Settings()
    assert load_settings().kafka is None


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("SOR_PORTS", "many", "integer"),
        ("SOR_PORTS", "80", "1024"),
        ("SOR_KAFKA", "localhost", "host:port"),
        ("SOR_KAFKA", "a:1,b", "host:port"),
        ("SOR_CLICKHOUSE", "localhost:8123", "http://"),
        ("SOR_KAFKA_SECURITY_PROTOCOL", "SASL_SSL", "SOR_KAFKA_PASSWORD_FILE"),
        ("SOR_LOG_LEVEL", "loud", "'INFO'"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, part: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    sentence = str(error.value)
    assert variable in sentence
    assert part in sentence
    assert "\n" not in sentence


def test_a_password_in_a_url_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_CLICKHOUSE", "http://admin:hunter2@localhost:8123")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "hunter2" not in str(error.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().partitions = 9  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert all(row.description.endswith(".") for row in settings_table())


def test_the_municipalities_of_a_bergop_feed_are_known_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(load_settings().bergop_gemeenten) == 13
    assert "0034" not in load_settings().bergop_gemeenten
    monkeypatch.setenv("SOR_BERGOP_GEMEENTEN", "0363, 0384")
    assert load_settings().bergop_gemeenten == ("0363", "0384")
    monkeypatch.setenv("SOR_BERGOP_GEMEENTEN", "0363,9999")
    with pytest.raises(SettingsError, match="SOR_BERGOP_GEMEENTEN"):
        load_settings()


def test_proxies_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_INTAKE_PROXIES", "10.0.0.5, 2001:db8::1")
    assert load_settings().intake_proxies == ("10.0.0.5", "2001:db8::1")
    monkeypatch.setenv("SOR_INTAKE_PROXIES", "proxy.example")
    with pytest.raises(SettingsError, match="SOR_INTAKE_PROXIES"):
        load_settings()
