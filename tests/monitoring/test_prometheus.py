"""A real Prometheus scrapes the running stages: what alerts promise happens, and none asks for what is not there.

The rules are the real ones with shorter times: windows of an hour become twenty seconds, waiting becomes two.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.ports import free_port
from portal.metrics_page import serve
from results.dashboards import operation as dashboard_operation
from tests.conftest import RunningBroker, RunningGateway
from tests.portal.site import ready
from tests.whole.stream import STAGES, Stream, running

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.clickhouse,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not here (Debian: prometheus)"),
]
ROOT = Path(__file__).parents[2]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "monitoring/alerts/sor.rules.yml").read_text())
SHORTER = {"5m": "10s", "10m": "15s", "15m": "15s", "30m": "15s", "1h": "20s", "6h": "30s", "1d": "35s", "3d": "40s"}
HEAD = "BSN;Beschikingsnummer;Toewijzingsnummer;Type;Waarde\n"
BSN = "999900006"
PROVIDER = "90000001"
MINUTES_TO_FIRE = 2


def shortened(rules: dict[str, Any]) -> dict[str, Any]:
    """The same rules, over windows of seconds."""
    groups = []
    for group in rules["groups"]:
        changed = []
        for rule in group["rules"]:
            expr = re.sub(r"\[(\w+)\]", lambda window: f"[{SHORTER[window.group(1)]}]", rule["expr"])
            changed.append({**rule, "expr": expr, **({"for": "2s"} if "for" in rule else {})})
        groups.append({**group, "interval": "1s", "rules": changed})
    return {"groups": groups}


class Prometheus:
    """Debian's Prometheus over the processes of a stream."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        (folder / "rules.yml").write_text(yaml.safe_dump(shortened(RULES)))
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "sor", "static_configs": [{"targets": targets}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._log = (folder / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.url.removeprefix('http://')}"],
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def get(self, path: str, **parameters: str) -> Any:
        """Data of one answer of its interface."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own process
            return json.load(answer)["data"]

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query gives now."""
        return list(self.get("query", query=query)["result"])

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {one["labels"]["alertname"] for one in self.get("alerts")["alerts"] if one["state"] == "firing"}

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


class Watched:
    """A stream with its exporter, watched."""

    def __init__(self, stream: Stream, prometheus: Prometheus, folder: Path) -> None:
        self.stream, self.prometheus, self._folder, self.firing_after = stream, prometheus, folder, 0.0

    def deliver(self, name: str, rows: int, kind: str) -> str:
        """Deliver a file of scores as one provider; the number of the delivery."""
        path = self._folder / f"{name}.csv"
        path.write_text(HEAD + "".join(f"{BSN};;{number};{kind};2\n" for number in range(1, rows + 1)))
        (delivery,) = self.stream.deliver(path, "--as", PROVIDER)["aanleveringen"]
        return str(delivery["aanlevering"])

    def until(self, true: Callable[[], bool], what: str, seconds: float) -> float:
        """Poll; the seconds it took."""
        begin = time.monotonic()
        self.stream.until(true, what, seconds)
        return time.monotonic() - begin


@pytest.fixture(scope="module")
def portal_page() -> Iterator[int]:
    """The port of the metrics of a portal that nobody visits; its own processes are tested elsewhere."""
    ready()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    server = serve("127.0.0.1", 0, None)
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def watched(
    broker: RunningBroker, gateway: RunningGateway, tmp_path_factory: pytest.TempPathFactory, portal_page: int
) -> Iterator[Watched]:
    """A broken delivery, the alert it raises, a good one; then the audit and the exporter."""
    folder = tmp_path_factory.mktemp("watched")
    with running(folder / "home", broker.bootstrap, gateway.url, gateway.users) as stream:
        stream.ports |= {"exporter": free_port(), "audit": free_port()}
        ports = [*stream.ports.values(), portal_page]
        prometheus = Prometheus(folder, [f"127.0.0.1:{port}" for port in ports])
        found = Watched(stream, prometheus, folder)
        try:
            found.until(lambda: _answers(prometheus), "Prometheus has scraped every stage", 60)
            found.deliver("broken", 150, "onbekend")
            found.firing_after = found.until(
                lambda: "SorDeliveriesRejectedShare" in prometheus.firing(), "the alert fires", 60 * MINUTES_TO_FIRE
            )
            found.deliver("good", 150, "D1O")
            stream.until(stream.caught_up, "everything is processed")
            audit = stream.sor("audit", "--json", check=False)
            (stream.home / "audit.json").write_text(audit.stdout)
            stream.start("exporter", "audit")
            yield found
        finally:
            prometheus.stop()


def _answers(prometheus: Prometheus) -> bool:
    try:
        return len(prometheus.ask("sor_ready == 1")) == len(STAGES)
    except OSError:
        return False


def test_a_broken_delivery_fires_in_time_and_a_good_one_resolves(watched: Watched) -> None:
    assert watched.firing_after < 60 * MINUTES_TO_FIRE
    watched.until(lambda: "SorDeliveriesRejectedShare" not in watched.prometheus.firing(), "it is resolved", 60)


def test_a_provider_with_a_burst_is_counted_in_clickhouse(watched: Watched) -> None:
    watched.until(lambda: "SorProviderBurst" in watched.prometheus.firing(), "the burst of one provider fires", 40)
    assert PROVIDER not in watched.stream.metrics("exporter"), "a provider is no label"


def always(expr: str) -> str:
    """The expression with comparisons that say 0 or 1: it gives a series whether or not the alert fires."""
    return re.sub(r"(?<![=!<>])(==|>=|<=|>|<)(?= )", r"\1 bool", expr)


@pytest.mark.parametrize(
    "rule", [r for g in shortened(RULES)["groups"] for r in g["rules"]], ids=lambda r: r.get("alert", r.get("record"))
)
def test_no_rule_is_dead(watched: Watched, rule: dict[str, Any]) -> None:
    """What a rule asks for is there: else it would never fire, whatever happens."""
    expr = always(rule["expr"])
    watched.until(lambda: bool(watched.prometheus.ask(expr)), f"{expr} gives a series", 40)


def test_no_rule_fails(watched: Watched) -> None:
    groups = watched.prometheus.get("rules")["groups"]
    assert [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")] == []


OPERATION = [
    (panel["title"], target["expr"])
    for panel in dashboard_operation.build()["panels"]
    for target in panel.get("targets", [])
    if "expr" in target and "ALERTS" not in target["expr"]
]


def test_every_panel_of_operation_has_a_series(watched: Watched) -> None:
    def empty() -> list[str]:
        asked = ((title, expr.replace("$__rate_interval", "1m")) for title, expr in OPERATION)
        return [f"{title}: {expr}" for title, expr in asked if not watched.prometheus.ask(expr)]

    assert len(OPERATION) > 40
    end = time.monotonic() + 40
    while empty() and time.monotonic() < end:
        time.sleep(1)
    assert empty() == []


def test_logs_are_json_lines_that_name_nobody(watched: Watched) -> None:
    for stage in (*STAGES, "exporter"):
        lines = (watched.stream.home / f"{stage}.log").read_text().splitlines()
        for line in lines:
            said = json.loads(line)
            assert set(said) >= {"timestamp", "level", "logger", "process", "event"}, line
            assert said["process"] == stage
            assert said["level"] in {"info", "warning"}, line
            assert BSN not in line
            assert not re.search(r"p1\.\w+\.\d+\.", line), "a pseudonym is no word for a log"
    assert (watched.stream.home / "trajectories.log").read_text(), "a stage says that it is ready"
