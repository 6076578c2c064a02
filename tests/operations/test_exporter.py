"""The checks of the exporter that need no ClickHouse: reasons, the answer of an audit, keys and certificates."""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import REGISTRY

from crypto import authority, keys
from monitoring import metrics
from operations import exporter
from operations.exporter import DAY, SEALING_DAYS, CheckFailed, Checks, Waiting, bounded, differences, expiry
from results.reports.state import STATE, Done, State
from settings.settings import load_settings
from sinks.access import Access

NOBODY = Access("http://127.0.0.1:9", "grafana", "-", "sor")


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_reasons_stay_bounded_and_nothing_is_lost() -> None:
    found = bounded([Waiting("scores", f"reden_{number}", number + 1, 100 - number) for number in range(50)])
    assert len(found) <= 31
    assert sum(one.rows for one in found) == sum(range(1, 51))
    (rest,) = (one for one in found if one.reason == "anders")
    assert rest.day == min(100 - number for number in range(50) if f"reden_{number}" not in {o.reason for o in found})


def test_a_reason_that_is_no_word_of_ours_is_no_label() -> None:
    strange = [
        Waiting("scores", "999900006", 1, 5),
        Waiting("scores", "Jan Jansen", 2, 3),
        Waiting("scores", "start", 1, 9),
    ]
    assert {(one.reason, one.rows, one.day) for one in bounded(strange)} == {("anders", 3, 3), ("start", 1, 9)}


def report(**changed: Any) -> str:
    findings = [
        {"table": "scores", "expected": 9, "found": 9, "missing": ["a"], "extra": ["b"], "different": ["c", "d"]},
        {"table": "trajecten", "expected": 9, "found": 9, "missing": [], "extra": [], "different": []},
    ]
    return json.dumps({"events": 20, "moved": False, "findings": findings, "equal": False, **changed})


def test_an_audit_gives_its_differences() -> None:
    assert differences(report()) == {"scores": 4, "trajecten": 0}


def test_a_row_with_a_pseudonym_is_a_difference() -> None:
    """An answer of an earlier release does not know of them."""
    finding = {"table": "scores", "expected": 9, "found": 9, "missing": [], "extra": [], "different": [], "named": 3}
    assert differences(report(findings=[finding])) == {"scores": 3}


def test_an_audit_during_deliveries_proves_nothing() -> None:
    assert differences(report(moved=True)) == {}
    assert differences(report(moved=True, equal=True)), "equal is equal"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"moved": false, "findings": [{}]}'])
def test_what_is_no_answer_of_an_audit_is_told(text: str) -> None:
    with pytest.raises(CheckFailed, match="sor audit --json"):
        differences(text)


def test_the_audit_is_as_old_as_its_file(tmp_path: Path) -> None:
    checks = Checks(load_settings(home=tmp_path), NOBODY)
    assert checks.run("audit"), "never audited is no failure"
    file = tmp_path / exporter.AUDIT_FILE
    file.write_text(report())
    os.utime(file, (1_000_000, 1_000_000))
    assert checks.run("audit")
    assert value("sor_audit_difference_rows", table="scores") == 4
    assert value("sor_audit_timestamp_seconds") == 1_000_000
    file.write_text("half of it")
    assert not checks.run("audit")


def test_the_month_that_could_not_be_closed_is_told(tmp_path: Path) -> None:
    checks, state = Checks(load_settings(home=tmp_path), NOBODY), State(tmp_path / STATE)
    assert checks.run("schedule"), "never asked for is no failure"
    state.note(Done("2026-10", 3), "the gate refuses release 4")
    assert checks.run("schedule")
    assert value("sor_schedule_open") == 1
    assert value("sor_schedule_timestamp_seconds") > 1_700_000_000
    state.note(Done("2026-11", 4))
    assert checks.run("schedule")
    assert value("sor_schedule_open") == 0
    state.path.write_text("half of it")
    assert not checks.run("schedule")


def certificate(days: float) -> tuple[bytes, bytes]:
    """A certificate of this machine, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return built.public_bytes(serialization.Encoding.PEM), private


@contextmanager
def broker(folder: Path, days: float) -> Iterator[int]:
    """Something that shows a certificate and says no more."""
    shown, private = certificate(days)
    (folder / "tls").write_bytes(private + shown)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls")
    with socket(AF_INET, SOCK_STREAM) as plain:
        plain.bind(("127.0.0.1", 0))
        plain.listen()
        port = plain.getsockname()[1]

        def serve() -> None:
            connection, _ = plain.accept()
            with connection, context.wrap_socket(connection, server_side=True):
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        thread.join(10)


@pytest.mark.parametrize("days", [20.0, -2.0], ids=["soon", "past"])
def test_keys_and_certificates_have_their_end(tmp_path: Path, days: float) -> None:
    keys.init(tmp_path / "keys")
    (tmp_path / "ca").write_bytes(certificate(900)[0] + certificate(300)[0])
    (tmp_path / "password").write_text("secret")
    with broker(tmp_path, days) as port:
        settings = load_settings(
            home=tmp_path, kafka=f"127.0.0.1:{port}", kafka_security_protocol="SASL_SSL",
            kafka_sasl_mechanism="SCRAM-SHA-512", kafka_username="audit", kafka_password_file=tmp_path / "password",
            kafka_ca_file=tmp_path / "ca",
        )  # fmt: skip
        assert Checks(settings, NOBODY).run("keys")
    now = time.time()
    assert value("sor_key_expiry_timestamp_seconds", key="broker_certificate") == pytest.approx(
        now + days * DAY, abs=60
    )
    assert value("sor_key_expiry_timestamp_seconds", key="authority") == pytest.approx(now + 300 * DAY, abs=60)
    assert value("sor_key_expiry_timestamp_seconds", key="sealing") == pytest.approx(now + SEALING_DAYS * DAY, abs=60)


def test_the_authority_of_the_sources_has_its_end_and_the_sealing_keys_keep_theirs(tmp_path: Path) -> None:
    keys.init(tmp_path / "keys")
    made = time.time() - 100 * DAY
    os.utime(tmp_path / "keys" / "public" / "keys.json", (made, made))
    authority.init(tmp_path / "authority", tmp_path / "keys", "Regio")
    assert Checks(load_settings(home=tmp_path), NOBODY).run("keys")
    assert value("sor_key_expiry_timestamp_seconds", key="sealing") == pytest.approx(made + SEALING_DAYS * DAY, abs=60)
    ends = time.time() + authority.LIST_SECONDS
    assert value("sor_key_expiry_timestamp_seconds", key="sources") == pytest.approx(ends, abs=60)
    (tmp_path / "keys" / "public" / "revoked.pem").unlink()
    assert not Checks(load_settings(home=tmp_path), NOBODY).run("keys")


def test_keys_that_are_not_there_are_a_failed_check(tmp_path: Path) -> None:
    assert not Checks(load_settings(home=tmp_path), NOBODY).run("keys")


def test_the_first_certificate_to_end_counts() -> None:
    assert expiry(certificate(50)[0] + certificate(5)[0]) == pytest.approx(time.time() + 5 * DAY, abs=60)


def test_every_check_has_its_turn_often_enough_for_its_alert(tmp_path: Path) -> None:
    assert set(Checks(load_settings(home=tmp_path), NOBODY).all) == set(exporter.EVERY) == set(metrics.CHECKS)
    assert max(exporter.EVERY.values()) <= 300, "SorCheckFailing looks back ten minutes"


def test_a_fault_of_ours_is_no_failed_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = Checks(load_settings(home=tmp_path), NOBODY)
    monkeypatch.setitem(checks.all, "audit", lambda: {}["nothing"])
    with pytest.raises(KeyError):
        checks.run("audit")
