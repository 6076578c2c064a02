"""docker-compose.yml against what the project declares elsewhere."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from crypto.keys import connector_secret
from local.services import STAGES
from schemas.topics import topics
from settings.settings import Settings
from sinks.schema.providers import LIST
from sinks.schema.server import users_xml
from sinks.schema.users import LIMITS, NAMES
from tests.house.test_docs import wrong_in
from transport.health import TURN_LIMIT, Health, HealthConfig
from transport.watchdog import LIMIT

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
PARTS = {
    "kafka", "kafka-users", "kafka-init", "registry", "registry-write", "registry-data", "clickhouse", "migrate",
    "prometheus", "alertmanager", "grafana", "exporter", "auditor", "audit", "rejected", "skip", "receipts", "intake",
    "backup", "repair", "schedule", "release", "publish", "withdraw", "reports", "grafana-audiences", "grafana-apply",
    "portal", *STAGES,
}  # fmt: skip
#: What runs when a person asks, and ends with the answer.
ASKED = {"audit", "rejected", "skip", "receipts", "backup", "repair", "release", "publish", "withdraw", "reports"}
#: User of ClickHouse of each service that talks to it: the one of its task.
TASKS = {
    "migrate": "admin",
    "sink": "sink",
    "exporter": "exporter",
    "auditor": "audit",
    "grafana": "grafana",
    **{name: name for name in ASKED - {"skip", "backup"}},
    "publish": "admin",
    "withdraw": "admin",
    "backup": "rejected",  # reads the audit trail, which no log yields
    "skip": "rejected",
}
#: It closes the month: builds as one, reports as another, publishes as the third; no other service is three users.
CLOSES = {"schedule": {"admin", "release", "reports"}}
PRINCIPALS = {name for topic in topics().values() for name in (*topic.write, *topic.read)}


def environment(service: dict[str, Any]) -> dict[str, str]:
    """The environment of a service as text, where nobody put anything in ``.env``."""
    found = {key: str(value) for key, value in service.get("environment", {}).items()}
    return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in found.items()}


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
    assert set(OURS) == {
        "kafka-init", "migrate", "exporter", "auditor", "intake", "schedule", "grafana-apply", "portal", *ASKED, *STAGES
    }  # fmt: skip


#: Images that are known by a tag alone, which whoever owns it can move; docker-compose.yml says why.
BY_TAG = {
    "apicurio/apicurio-registry:3.3.1",
    "clickhouse/clickhouse-server:26.8",
    "postgres:17.6-bookworm",
    "prom/prometheus:v3.13.0",
    "python:3.11.14-slim-bookworm",
}


@pytest.mark.parametrize("name", sorted(PARTS))
def test_every_image_is_pinned(name: str) -> None:
    image, _, tag = tagged(SERVICES[name]).rpartition(":")
    assert image
    assert re.match(r"v?\d+\.\d+", tag), f"{name}: {tag}"


def test_an_image_without_a_digest_is_on_the_list() -> None:
    steps = (ROOT / "deploy/Dockerfile").read_text()
    used = {service["image"] for service in SERVICES.values() if "build" not in service}
    used |= set(re.findall(r"^FROM (\S+)", steps, re.MULTILINE))
    digests = {image for image in used if re.search(r"@sha256:[0-9a-f]{64}$", image)}
    assert used - digests == BY_TAG
    assert {image.partition(":")[0] for image in digests} == {"apache/kafka", "grafana/grafana", "prom/alertmanager"}


def tagged(service: dict[str, Any]) -> str:
    """The image with its tag, without a digest."""
    return str(service["image"]).partition("@")[0]


def test_the_broker_is_the_one_that_is_tested() -> None:
    lock = (ROOT / "local/kafka/kafka.lock").read_text()
    version = tagged(SERVICES["kafka"]).rpartition(":")[2]
    assert SERVICES["kafka"]["image"] == SERVICES["kafka-users"]["image"]
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
        # The exporter looks at a certificate and has no name at the broker
        assert settings.kafka_security_protocol == ("SSL" if name == "exporter" else "SASL_SSL")


@pytest.mark.parametrize("name", sorted(PARTS))
def test_no_secret_stands_in_the_file(name: str) -> None:
    mounted = set(secrets(SERVICES[name]).values())
    for variable, value in environment(SERVICES[name]).items():
        if re.search(r"PASSWORD|SECRET|TOKEN", variable):
            assert value in {"", *mounted}, f"{name}: {variable} is not the path of a secret of this service"
    assert "password=" not in yaml.safe_dump(SERVICES[name])


@pytest.mark.parametrize("name", sorted(PARTS))
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
    """But for the names in rows, which the audit recomputes."""
    folders = Counter(
        volume.split(":")[1]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if "/keys/" in volume and not volume.split(":")[1].startswith(("/keys/public", "/keys/log/", "/keys/erasures"))
    )
    assert folders == {
        "/keys/evaluate": 1, "/keys/entry": 1, "/keys/trajectories": 4, "/keys/source": 1, "/keys/connector": 1,
        "/keys/release": 2,  # who builds each month, and who builds by hand
    }  # fmt: skip
    for name in ("schedule", "release"):
        assert "./deploy/secrets/keys/release:/keys/release:ro" in SERVICES[name]["volumes"]
    for name in ("trajectories", "audit", "auditor", "repair"):
        assert "./deploy/secrets/keys/trajectories:/keys/trajectories:ro" in SERVICES[name]["volumes"]
    for name in ("evaluate", "entry"):
        mounted = {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}
        own = {"/keys/public", f"/keys/{name}", f"/keys/log/{name}"}
        assert mounted == (own | {"/keys/erasures"} if name == "entry" else own)
        written = [volume for volume in SERVICES[name]["volumes"] if not volume.endswith(":ro")]
        assert written == [f"./deploy/secrets/keys/log/{name}:/keys/log/{name}"], "the log of key use and nothing else"


def test_who_keeps_to_the_ledger_of_the_forgotten_can_read_it() -> None:
    """It reads the topic, so it needs the key under which clients stand there; who does not read it has none."""
    holds = {
        name
        for name, service in SERVICES.items()
        if "./deploy/secrets/keys/erasures:/keys/erasures:ro" in service.get("volumes", ())
    }
    assert holds >= {"entry", "register", "trajectories", "audit", "auditor"}
    assert not holds & {"evaluate", "intake", "takeback", "deliveries", "sink", "exporter"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_its_own_principal(name: str) -> None:
    service = SERVICES[name]
    assert environment(service)["SOR_KAFKA_USERNAME"] == name
    assert environment(service)["SOR_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka_user_{name}"
    assert {secret for secret in secrets(service) if secret.startswith("kafka_user_")} == {f"kafka_user_{name}"}
    assert service["command"][:2] == ["run", name]


def test_the_intake_is_its_own_principal_and_opens_nothing() -> None:
    service = SERVICES["intake"]
    assert environment(service)["SOR_KAFKA_USERNAME"] == "intake"
    assert set(secrets(service)) == {"kafka_ca", "kafka_user_intake"}
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    assert mounted == {"/keys/public", "/keys/source", "/keys/connector", "/var/lib/sor", "/visitors"}
    assert environment(service)["SOR_INTAKE_METRICS_PORT"] == "9100"
    assert "store" not in service["networks"]


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


def test_every_topic_has_as_many_replicas_as_there_are_brokers() -> None:
    """Three are for production; one host has one."""
    broker = environment(SERVICES["kafka"])
    assert broker["KAFKA_CONTROLLER_QUORUM_VOTERS"].count("@") == 1
    own = {name: value for name, value in broker.items() if name.endswith(("REPLICATION_FACTOR", "_MIN_ISR"))}
    assert set(own.values()) == {"1"}
    assert {environment(service).get("SOR_REPLICATION") for service in OURS.values()} - {None} == {"1"}
    page = (ROOT / "deploy/README.md").read_text()
    assert "`SOR_REPLICATION=3`" in page
    assert all(name.removeprefix("KAFKA_").lower().replace("_", ".") in page for name in own)


@pytest.mark.parametrize("name", sorted(OURS))
def test_libsodium_can_be_loaded_where_nothing_else_may_be_written(name: str) -> None:
    """Its library lies in the folder of temporary files when it is loaded; by itself Docker mounts that noexec."""
    assert OURS[name]["read_only"]
    (temporary,) = OURS[name]["tmpfs"]
    folder, _, options = temporary.partition(":")
    assert folder == "/tmp"  # noqa: S108 - of the container
    assert "exec" in options.split(",")


@pytest.mark.parametrize("name", sorted(PARTS))
def test_ports_are_bound_to_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(PARTS - {"kafka-users", "kafka-init", "migrate", "grafana-apply"} - ASKED))
def test_a_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", ["exporter", "auditor", "intake", "schedule", *STAGES])
def test_who_stands_still_is_unhealthy_before_it_ends_itself_and_is_started_again(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][:3] == ["CMD", "python", "-c"]
    assert re.search(r"urlopen\('http://127\.0\.0\.1:9100/alive', timeout=4\)", check["test"][3])
    assert check["retries"] * int(check["interval"].removesuffix("s")) <= TURN_LIMIT + LIMIT
    assert service["restart"] == "unless-stopped"


def test_the_check_of_a_service_fails_when_its_process_stands_still() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page = HealthConfig(int(probe.getsockname()[1]))
    code = SERVICES["entry"]["healthcheck"]["test"][3].replace("9100", str(page.port))
    health = Health(page, "entry", turn_limit=0.3)

    def check() -> int:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False).returncode

    assert check() != 0, "nobody there"
    health.start()
    try:
        assert check() == 0, "it starts"
        health.turned()
        time.sleep(0.4)
        assert check() != 0
    finally:
        health.stop()


def test_the_registry_takes_contracts_from_one_step_alone() -> None:
    writing, answering = SERVICES["registry-write"], SERVICES["registry"]
    assert writing["networks"] == ["registry"]
    assert "ports" not in writing
    inside = {name for name, service in SERVICES.items() if "registry" in service.get("networks", [])}
    assert inside == {"registry-data", "registry-write", "registry", "kafka-init"}
    asked = {name: environment(service).get("SOR_REGISTRY") for name, service in OURS.items()}
    told = {name for name, url in asked.items() if url and "registry-write" in url}
    assert told == {"kafka-init"}
    assert {url for name, url in asked.items() if url and name not in told} == {"http://registry:8080/apis/ccompat/v7"}
    settings = environment(answering)
    assert settings["APICURIO_STORAGE_READ_ONLY_ENABLED"] == "true"
    closed = [re.compile(pattern) for pattern in settings["APICURIO_DISABLE_APIS"].split(",")]

    def is_open(path: str) -> bool:
        return not any(pattern.fullmatch(path) for pattern in closed)

    for path in ("subjects/sor.events-value", "schemas/ids/7", "subjects"):
        assert is_open(f"/apis/ccompat/v7/{path}")
    for path in (
        "/apis/registry/v3/admin/config/properties/apicurio.storage.read-only.enabled",
        "/apis/registry/v2/admin/rules",
        "/apis/ccompat/v8/subjects",
        "/apis/ccompat/v7/../../registry/v3/admin/config/properties",
        "/apis//registry/v3/admin",
        "/ui/artifacts",
    ):
        assert not is_open(path), path
    same = {name: value for name, value in settings.items() if name in environment(writing)}
    assert same == environment(writing), "over the same data"


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
            assert set(SERVICES["prometheus"]["networks"]) & set(SERVICES[host]["networks"]), target
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


def test_clickhouse_users_are_those_of_the_list() -> None:
    text = (ROOT / "deploy/clickhouse/users.xml").read_text()
    assert text == users_xml(), "run sor rights --write"
    assert "password" not in re.sub("<!--.*?-->", "", text, flags=re.DOTALL)
    script = (ROOT / "deploy/make-secrets.sh").read_text()
    made, hashed = re.findall(r"for name in ([\w $]+); do\n\s+(?:password \"clickhouse_|file=)", script)
    assert set(hashed.split()) == {*NAMES, "$audiences"}
    assert set(made.split()) == set(NAMES) - {"grafana"}
    assert 'audiences=$(SOR_HOME="$folder" "$sor" grafana list --users)' in script, "the one list"
    assert {name for name in COMPOSE["secrets"] if name.startswith("clickhouse_")} == {
        "clickhouse_passwords", "clickhouse_providers", *(f"clickhouse_{name}" for name in NAMES)
    }  # fmt: skip


def test_a_service_has_the_password_of_its_task_and_no_other() -> None:
    held = {
        name: {secret for secret in secrets(service) if secret.startswith("clickhouse_")}
        for name, service in SERVICES.items()
        if name != "clickhouse"
    }
    assert {name: found for name, found in held.items() if found} == {
        **{name: {f"clickhouse_{user}"} for name, user in TASKS.items()},
        **{name: {f"clickhouse_{user}" for user in users} for name, users in CLOSES.items()},
    }
    places = {entry["source"]: entry["target"] for entry in SERVICES["schedule"]["secrets"]}
    assert places == {f"clickhouse_{user}": f"/var/lib/sor/secrets/{user}" for user in CLOSES["schedule"]}
    assert "SOR_CLICKHOUSE_PASSWORD_FILE" not in environment(SERVICES["schedule"]), "each user has its own"
    for name in set(TASKS) - {"grafana"}:
        values = environment(SERVICES[name])
        assert values["SOR_CLICKHOUSE_PASSWORD_FILE"] == f"/run/secrets/clickhouse_{TASKS[name]}"
        assert "SOR_CLICKHOUSE_USER" not in values, "the command knows its user"


def test_a_server_gives_no_rights_unasked() -> None:
    config = etree.parse(ROOT / "deploy/clickhouse/config.xml").getroot()
    assert {flag.text for flag in config.find("access_control_improvements")} == {"true"}


def test_a_question_of_grafana_fits_the_limit_of_its_user() -> None:
    """The client of the plugin sends the time left, in whole seconds, and five more; beyond the limit is an error."""
    source = yaml.safe_load((ROOT / "monitoring/grafana/provisioning/datasources/clickhouse.yaml").read_text())
    waits = source["datasources"][0]["jsonData"]
    for name in ("queryTimeout", "dialTimeout"):
        assert int(waits[name]) + 5 <= LIMITS["max_execution_time"], name


def test_the_list_of_providers_is_where_it_is_read_and_their_users_where_clickhouse_reads_them() -> None:
    for name in ("migrate", "grafana-apply", "portal"):
        assert secrets(SERVICES[name])["aanbieders.json"] == f"{environment(SERVICES[name])['SOR_HOME']}/{LIST}"
    assert COMPOSE["secrets"]["aanbieders.json"]["file"].endswith(f"/{LIST}")
    assert secrets(SERVICES["clickhouse"])["clickhouse_providers"].startswith("/etc/clickhouse-server/users.d/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_made_secrets_are_complete_private_and_kept(tmp_path: Path) -> None:
    sor = tmp_path / "sor"
    sor.write_text(
        '#!/bin/sh\n[ "$1" = grafana ] && exec printf "rel_een\\nrel_twee\\n"\n'
        '[ "$1" = providers ] && exec echo "<clickhouse/>"\n'
        'keys="public evaluate entry"\n[ "$2" = complete ] && keys=trajectories\n[ "$1" = release ] && keys=release\n'
        "for key in $keys; do\n"
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
    assert {path.name for path in (folder / "keys").iterdir()} == {
        "public", "evaluate", "entry", "trajectories", "release", "log"
    }  # fmt: skip
    assert set(first) == set(COMPOSE["secrets"]) | {"kafka_ca_key"}
    audiences = {path.name: path.read_text().strip() for path in (folder / "audiences").iterdir()}
    assert set(audiences) == {"rel_een", "rel_twee", "grafana_admin"}
    pages = {path.name for path in (folder / "portal/users").iterdir()}
    assert pages == {"rel_een", "rel_twee", "receipts", "rejected"}, "what the portal asks, and not the administrator"
    assert audiences["grafana_admin"] == (folder / "grafana_audiences_admin").read_text().strip()
    known = etree.parse(folder / "clickhouse_passwords").getroot().find("users")
    for name in ("rel_een", "rel_twee"):
        assert known.findtext(f"{name}/password_sha256_hex") == sha256(audiences[name].encode()).hexdigest()
    assert known.findtext("grafana/password_sha256_hex") == (
        sha256((folder / "clickhouse_grafana").read_bytes().strip()).hexdigest()
    )
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder / "audiences").iterdir())
    assert len(connector_secret(folder / "intake")) == 32
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


def test_who_sees_released_figures_stands_apart() -> None:
    """On the network of the Grafana of the audiences is what it asks and who lays it down or looks at it."""
    inside = {name for name, service in SERVICES.items() if "audiences" in service.get("networks", [])}
    assert inside == {"clickhouse", "grafana-audiences", "grafana-apply", "prometheus"}
    assert SERVICES["grafana-audiences"]["networks"] == SERVICES["grafana-apply"]["networks"] == ["audiences"]
    assert {name for name in secrets(SERVICES["grafana-audiences"]) if name.startswith("clickhouse_")} == set()
    settings = environment(SERVICES["grafana-audiences"])
    assert settings["GF_SECURITY_SECRET_KEY__FILE"].endswith("/grafana_audiences_key"), "else one that all know"
    assert {settings[f"GF_{name}_ENABLED"] for name in ("SNAPSHOTS", "PUBLIC_DASHBOARDS", "AUTH_ANONYMOUS")} == {
        "false"
    }


def test_who_lays_down_grafana_has_the_passwords_of_the_list_and_waits_for_both() -> None:
    service = SERVICES["grafana-apply"]
    assert service["volumes"] == ["./deploy/secrets/audiences:/var/lib/sor/secrets:ro"]
    assert set(secrets(service)) == {LIST}, "which providers there are, and no password"
    assert {name: one["condition"] for name, one in service["depends_on"].items()} == {
        "grafana-audiences": "service_healthy", "migrate": "service_completed_successfully"
    }  # fmt: skip
    assert environment(service)["SOR_GRAFANA"] == "http://grafana-audiences:3000"


def test_reports_of_the_schedule_and_by_hand_lie_in_one_outbox_and_are_sent_once() -> None:
    both = [SERVICES["schedule"], SERVICES["reports"]]
    for service in both:
        assert "schedule-home:/var/lib/sor" in service["volumes"], "the journal of what was sent"
        assert "reports:/var/lib/reports" in service["volumes"]
        assert environment(service)["SOR_REPORT_OUTBOX"] == "/var/lib/reports"
        assert "ports" not in service
    mail = [{name: value for name, value in environment(one).items() if "MAIL" in name} for one in both]
    assert mail[0] == mail[1]
    folders = (ROOT / "deploy/Dockerfile").read_text()
    assert "/var/lib/reports" in folders, "a volume is owned as its folder in the image is"


def test_what_operators_may_choose_stands_on_their_page() -> None:
    asked = set(re.findall(r"\$\{(\w+):-", (ROOT / "docker-compose.yml").read_text()))
    table = (ROOT / "docs/operations.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == asked


@pytest.mark.parametrize("page", ["docs/operations.md", "deploy/README.md", "docs/runbooks/SorReleaseRefused.md"])
def test_what_is_typed_on_a_page_is_a_command_of_its_service(page: str) -> None:
    typed = re.findall(r"docker-compose (?:run --rm|exec) (\S+) ([^\n`#|]+)", (ROOT / page).read_text())
    assert typed
    for name, words in typed:
        service = SERVICES[name]
        line = f"{' '.join(service['entrypoint'])} {words}" if "entrypoint" in service else f"sor {words}"
        if words.startswith(("sor ", "cat ")):  # within a container that runs
            line = words
        assert line.startswith("cat ") or wrong_in(line.strip()) == [], line
