"""The service *schedule* closes a month on the real engine with the users, passwords and folders that it has there.

Three users of ClickHouse, each with its own rights and nothing more; only addresses and paths are of this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto import release_key
from sinks import clickhouse
from sinks.schema import audience_tables, migrate
from sinks.schema.users import NAMES
from sinks.tables import METINGEN, TRAJECTEN
from sinks.writer import Writer
from tests.deploy.test_compose import SERVICES, environment
from tests.local.asking import Server
from tests.results.release.made import region

pytestmark = pytest.mark.clickhouse
DAY = "2026-08-15"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = Server(tmp_path_factory.mktemp("schedule"), NAMES, "")
    with own.gateway:
        migrate.apply(own.access("admin"), lambda _sentence: None)
        client = clickhouse.connect(own.access("admin"))
        audience_tables.lay(client)
        client.close()
        writer, tables = Writer(own.access("sink")), region(60)
        writer.insert(TRAJECTEN, tables["trajecten"])
        writer.insert(METINGEN, tables["metingen"])
        writer.close()
        yield own


def here(server: Server, home: Path) -> dict[str, str]:
    """The environment of the service, with its secrets where it finds them and addresses for its mails."""
    service, inside = SERVICES["schedule"], {}
    for name, value in environment(service).items():
        inside[name] = value.replace("/var/lib/sor", str(home)).replace("/var/lib/reports", str(home / "uit"))
    for entry in service["secrets"]:
        place = Path(entry["target"].replace("/var/lib/sor", str(home)))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(server.users[entry["source"].removeprefix("clickhouse_")])
        place.chmod(0o600)
    addresses = home / "adressen.toml"
    addresses.write_text("".join(["[adressen]\n", *(f'"{90_000_000 + n}" = "zorg@example.org"\n' for n in range(20))]))
    release_key.make(home / "keys")
    more = {"SOR_CLICKHOUSE": server.gateway.url, "SOR_KEYS": str(home / "keys"), "SOR_MAIL_ADDRESSES": str(addresses)}
    return {**os.environ, **inside, **more}


def test_it_closes_a_month_with_the_rights_that_it_has(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sor", "schedule", "--day", DAY]
    run = subprocess.run(
        command, env=here(server, tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Closed 2026-07" in run.stdout
    assert json.loads((tmp_path / "schedule.json").read_text())["release"] == 1
    assert list((tmp_path / "uit/2026-07").glob("sor_aanbieder_*.pdf"))
    assert list((tmp_path / "mail").glob("*.eml"))
    assert server.ask("admin", "SELECT count() FROM rel_g0363.vrijgaven").data == b"1\n"
