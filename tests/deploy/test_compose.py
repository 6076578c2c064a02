"""docker-compose.yml against what the project declares elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from lxml import etree

from local.clickhouse.users import READONLY_LIMITS
from local.services import STAGES
from schemas.topics import topics
from settings.settings import ClickHouseUser, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
PARTS = {
    "kafka", "kafka-users", "kafka-init", "registry", "registry-data", "clickhouse", "migrate",
    "prometheus", "alertmanager", "grafana", "exporter", *STAGES,
}  # fmt: skip
PRINCIPALS = {name for topic in topics().values() for name in (*topic.write, *topic.read)}


def environment(service: dict[str, Any]) -> dict[str, str]:
    """The environment of a service as text."""
    return {key: str(value) for key, value in service.get("environment", {}).items()}


def secrets(service: dict[str, Any]) -> dict[str, str]:
    """Name of each secret of a service and the path at which it is mounted."""
    entries = service.get("secrets", [])
    return {
        entry if isinstance(entry, str) else entry["source"]: f"/run/secrets/{entry}"
        if isinstance(entry, str)
        else entry["target"]
        for entry in entries
    }


def test_every_part_of_the_stack_is_there() -> None:
    assert set(SERVICES) == PARTS
    assert set(OURS) == {"kafka-init", "migrate", "exporter", *STAGES}


@pytest.mark.parametrize("name", PARTS)
def test_every_image_is_pinned(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.match(r"v?\d+\.\d+", tag), f"{name}: {tag}"


def test_the_broker_is_the_one_that_is_tested() -> None:
    lock = (ROOT / "local/kafka/kafka.lock").read_text()
    version = SERVICES["kafka"]["image"].rpartition(":")[2]
    assert f"kafka_2.13-{version}.jar" in lock or f"kafka_2.13:{version}" in lock or version in lock


@pytest.mark.parametrize("name", OURS)
def test_every_setting_exists(name: str) -> None:
    known = {f"SOR_{field.upper()}" for field in Settings.model_fields}
    assert set(environment(OURS[name])) <= known


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in environment(OURS[name]).items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    if settings.kafka:
        assert settings.kafka_security_protocol == "SASL_SSL"


@pytest.mark.parametrize("name", PARTS)
def test_no_secret_stands_in_the_file(name: str) -> None:
    mounted = set(secrets(SERVICES[name]).values())
    for variable, value in environment(SERVICES[name]).items():
        if re.search(r"PASSWORD|SECRET|TOKEN", variable):
            assert value in mounted, f"{name}: {variable} is not the path of a secret of this service"
    assert "password=" not in yaml.safe_dump(SERVICES[name])


@pytest.mark.parametrize("name", PARTS)
def test_every_secret_file_that_is_named_is_mounted(name: str) -> None:
    service = SERVICES[name]
    named = set(re.findall(r"/run/secrets/\w+", yaml.safe_dump(service.get("environment", {}))))
    assert named <= set(secrets(service).values())
    assert set(secrets(service)) <= set(COMPOSE["secrets"])


def test_secrets_are_files_outside_the_repository() -> None:
    for name, entry in COMPOSE["secrets"].items():
        assert entry == {"file": f"./deploy/secrets/{name}"}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/secrets/" in ignored


def test_every_private_key_folder_has_one_reader() -> None:
    folders = Counter(
        volume.split(":")[1]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if "/keys/" in volume and "/keys/public" not in volume
    )
    assert folders == {"/keys/evaluate": 1, "/keys/entry": 1}
    for name in ("evaluate", "entry"):
        mounted = {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}
        assert mounted == {"/keys/public", f"/keys/{name}"}
        assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"])


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_its_own_principal(name: str) -> None:
    service = SERVICES[name]
    assert environment(service)["SOR_KAFKA_USERNAME"] == name
    assert environment(service)["SOR_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka_user_{name}"
    assert {secret for secret in secrets(service) if secret.startswith("kafka_user_")} == {f"kafka_user_{name}"}
    assert service["command"][:2] == ["run", name]


def test_the_broker_knows_the_declared_principals() -> None:
    users = {secret.removeprefix("kafka_user_") for secret in secrets(SERVICES["kafka-users"])}
    assert users == PRINCIPALS | {"admin"}
    loop = re.search(
        r"for name in ([\w ]+); do\n  password \"kafka_user_", (ROOT / "deploy/make-secrets.sh").read_text()
    )
    assert loop is not None
    assert set(loop.group(1).split()) == users


def test_partitions_are_those_of_the_declaration() -> None:
    counts = {environment(service).get("SOR_PARTITIONS") for service in OURS.values()} - {None}
    assert counts == {str(Settings.model_fields["partitions"].default)}


@pytest.mark.parametrize("name", PARTS)
def test_ports_are_bound_to_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", PARTS - {"kafka-users", "kafka-init", "migrate"})
def test_a_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", ["kafka-users", "kafka-init", "migrate"])
def test_a_step_is_waited_for(name: str) -> None:
    waiting = [
        service["depends_on"][name]["condition"]
        for service in SERVICES.values()
        if name in service.get("depends_on", {})
    ]
    assert waiting
    assert set(waiting) == {"service_completed_successfully"}


def test_prometheus_reaches_what_it_scrapes() -> None:
    config = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text())
    for job in config["scrape_configs"]:
        for target in job["static_configs"][0]["targets"]:
            host, port = target.split(":")
            if host == "localhost":
                continue
            assert "watch" in SERVICES[host]["networks"], target
            if host in STAGES:
                assert SERVICES[host]["command"][-2:] == ["--metrics-port", port]


def test_mounted_files_exist() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./deploy/secrets"):
                continue
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"


def test_clickhouse_users_are_those_of_the_one_machine_stack() -> None:
    users = etree.parse(ROOT / "deploy/clickhouse/users.xml").getroot()
    names = {user.tag for user in users.find("users") if "remove" not in user.attrib}
    assert names == set(get_args(ClickHouseUser))
    assert not users.findall(".//password*")
    assert {p.tag for p in users.iter() if isinstance(p.tag, str) and "password" in p.tag} == set()
    readonly = users.find("profiles/readonly")
    assert {name: int(readonly.findtext(name)) for name in READONLY_LIMITS} == READONLY_LIMITS
    assert readonly.findtext("readonly") == "1"
    for profile in ("admin", "writer", "readonly"):
        assert users.findtext(f"profiles/{profile}/profile") == "sor"
    assert users.findtext("profiles/sor/do_not_merge_across_partitions_select_final") == "1"
    assert users.findtext("users/sink/grants/query") == "GRANT SELECT, INSERT ON sor.*"
    assert users.findtext("users/grafana/grants/query") == "GRANT SELECT ON sor.*"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_made_secrets_are_complete_private_and_kept(tmp_path: Path) -> None:
    sor = tmp_path / "sor"
    sor.write_text(
        "#!/bin/sh\nfor key in public evaluate entry; do\n"
        '  mkdir -p "$SOR_KEYS/$key"; echo {} > "$SOR_KEYS/$key/keys.json"\ndone\n'
    )
    sor.chmod(0o755)
    folder = tmp_path / "secrets"

    def make() -> dict[str, bytes]:
        command = ["bash", str(ROOT / "deploy/make-secrets.sh"), str(folder)]
        subprocess.run(
            command, check=True, capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin", "SOR": str(sor)}
        )
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    first = make()
    assert set(first) == set(COMPOSE["secrets"]) | {"kafka_ca_key"}
    for path in folder.iterdir():
        if path.name != "kafka_ca":
            assert path.stat().st_mode & 0o077 == 0, path.name
    assert len(set(first.values())) == len(first)
    assert make() == first


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not here")
def test_compose_accepts_the_file() -> None:
    command = ["docker-compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
