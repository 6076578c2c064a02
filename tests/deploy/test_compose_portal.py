"""The service *portal*: what it can reach, read and write, and that its check asks what it answers."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import get_args

import pytest
import yaml

from portal.passes import KEY
from portal.settings import django_settings
from settings.settings import Settings
from sinks.schema.providers import LIST
from sinks.schema.users import NAMES, USERS, ClickHouseUser
from tests.deploy.test_compose import COMPOSE, ROOT, SERVICES, environment, secrets

PORTAL, INTAKE = SERVICES["portal"], SERVICES["intake"]
ORIGIN = "https://portaal.example:8443"
#: Tables in which a row is of one child.
ROWS = {"trajecten", "metingen", "scores"}


def mounts(service: dict[str, object]) -> dict[str, tuple[str, bool]]:
    """Place in the container -> what is mounted there, and whether it may be written."""
    listed = service.get("volumes", [])
    assert isinstance(listed, list)
    parts = [volume.split(":") for volume in listed]
    return {place: (source, mode != ["ro"]) for source, place, *mode in parts}


def test_it_writes_its_database_its_list_of_certificates_and_its_ledger() -> None:
    assert {place for place, (_, written) in mounts(PORTAL).items() if written} == {
        "/var/lib/sor/portal", "/portal/public", "/portal/authority"
    }  # fmt: skip
    assert PORTAL["read_only"]
    values = environment(PORTAL)
    assert values["SOR_KEYS"] == "/portal"
    assert values["SOR_AUTHORITY"] == "/portal/authority"
    assert mounts(PORTAL)["/keys/public"] == ("./deploy/secrets/keys/public", False), "where its links lead"
    assert "/var/lib/sor/portal" in (ROOT / "deploy/Dockerfile").read_text(), "a volume is owned as in the image"
    assert values["SOR_MAIL_OUTBOX"].startswith("/var/lib/sor/portal/")


def test_what_is_the_portals_is_mounted_nowhere_else() -> None:
    for name, service in SERVICES.items():
        sources = {source for source, _ in mounts(service).values()}
        mine = {one for one in sources if one.startswith(("./deploy/secrets/portal", "portal-data"))}
        assert not mine or name == "portal", name
        assert not {"portal_secret", "portal_token"} & set(secrets(service)) or name == "portal", name
    assert not [source for source, _ in mounts(PORTAL).values() if "secrets/authority" in source], "the root's key"
    assert secrets(PORTAL) == {
        "portal_secret": environment(PORTAL)["SOR_PORTAL_SECRET_FILE"],
        "portal_token": f"/var/lib/sor/portal/{KEY}",
        LIST: f"/var/lib/sor/{LIST}",
    }


def test_the_intake_knows_its_public_key_and_its_address_and_no_more() -> None:
    assert mounts(INTAKE)["/visitors"] == ("./deploy/secrets/visitors", False)
    assert environment(INTAKE)["SOR_INTAKE_VISITORS"] == "/visitors/public.pem"
    assert INTAKE["environment"]["SOR_INTAKE_ORIGINS"] == PORTAL["environment"]["SOR_PORTAL_ORIGIN"], "one setting"
    host, port = environment(PORTAL)["SOR_PORTAL_INTAKE"].removeprefix("http://localhost:"), INTAKE["ports"][0]
    assert port.startswith(f"127.0.0.1:{host}:")


def test_it_is_on_one_network_of_which_the_gateway_is_its_proxy() -> None:
    assert PORTAL["networks"] == ["pages"]
    inside = {name for name, service in SERVICES.items() if "pages" in service.get("networks", [])}
    assert inside == {"portal", "registry", "clickhouse", "prometheus"}
    [addresses] = COMPOSE["networks"]["pages"]["ipam"]["config"]
    assert environment(PORTAL)["SOR_PORTAL_PROXIES"] == addresses["gateway"], "else all people are one address"
    assert PORTAL["ports"] == [f"127.0.0.1:{Settings().portal_port}:{Settings().portal_port}"]
    assert environment(PORTAL)["SOR_PORTAL_HOST"] == "0.0.0.0"  # noqa: S104


def test_its_metrics_have_a_port_that_no_visitor_reaches() -> None:
    metrics = int(environment(PORTAL)["SOR_PORTAL_METRICS_PORT"])
    assert not [port for port in PORTAL["ports"] if port.endswith(f":{metrics}")]
    config = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text())
    (job,) = [one for one in config["scrape_configs"] if one["job_name"] == "portal"]
    assert job["static_configs"] == [{"targets": [f"portal:{metrics}"]}]
    assert "pages" in SERVICES["prometheus"]["networks"]


def asked_tasks() -> set[ClickHouseUser]:
    """Users of tasks that a page names."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "portal").rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [node for node in calls if getattr(node.func, "id", "") in {"as_task", "_asked"} and node.args]
    texts = {node.args[0].value for node in named if isinstance(node.args[0], ast.Constant)}
    return {name for name in get_args(ClickHouseUser) if name in texts}


def test_it_has_the_password_of_each_task_that_it_asks_unless_that_reads_rows() -> None:
    asked = asked_tasks()
    assert asked
    script = (ROOT / "deploy/make-secrets.sh").read_text()
    copied = re.search(r"for name in ([\w ]+); do\n  cp \"\$folder/clickhouse_\$name\" \"\$folder/portal/users", script)
    assert copied is not None
    held = set(copied[1].split())
    assert held == {name for name in asked if not ROWS & set(USERS[name].read)}
    assert held <= set(NAMES)
    assert mounts(PORTAL)["/var/lib/sor/secrets"] == ("./deploy/secrets/portal/users", False)
    assert not {"SOR_CLICKHOUSE_USER", "SOR_CLICKHOUSE_PASSWORD_FILE"} & set(environment(PORTAL))


def test_mail_and_the_outbox_are_those_of_the_schedule() -> None:
    schedule = SERVICES["schedule"]
    for name in ("SERVER", "STARTTLS", "USER", "SENDER", "PASSWORD_FILE"):
        assert PORTAL["environment"][f"SOR_MAIL_{name}"] == schedule["environment"][f"SOR_MAIL_{name}"]
    assert mounts(PORTAL)["/mail"] == mounts(schedule)["/mail"]
    assert mounts(PORTAL)["/var/lib/reports"] == ("reports", False)
    assert environment(PORTAL)["SOR_REPORT_DAYS"] == environment(schedule)["SOR_REPORT_DAYS"]


def test_its_check_asks_by_the_name_that_it_answers_to(tmp_path: Path) -> None:
    """Of another name it says 400, and a portal that runs would be unhealthy for ever."""
    came: list[str] = []

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(f"{self.path} {self.headers['Host']}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ready)
    check = PORTAL["healthcheck"]["test"]
    assert check[:3] == ["CMD", "python", "-c"]
    code = check[3].replace("8490", str(server.server_port))

    def status() -> int:
        known = {**os.environ, "SOR_PORTAL_ORIGIN": ORIGIN}
        run = [sys.executable, "-c", code]
        return subprocess.run(run, env=known, capture_output=True, timeout=30, check=False).returncode

    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert status() == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert status() != 0, "nobody there"
    path, _, name = came[0].partition(" ")
    assert path == "/ready"
    assert name.partition(":")[0] in django_settings(Settings(home=tmp_path, portal_origin=ORIGIN))["ALLOWED_HOSTS"]


def test_its_secret_is_read_where_it_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, text = tmp_path / "portal_secret", "een geheim van buiten"
    place.write_text(text)
    place.chmod(0o600)
    monkeypatch.setenv("SOR_PORTAL_SECRET_FILE", str(place))
    assert django_settings(Settings(home=tmp_path))["SECRET_KEY"] == text
