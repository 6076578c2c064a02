"""The list of metrics and the page that shows them."""

from __future__ import annotations

import ast
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from connectors.intake import meters
from local.clickhouse.http import Metrics as ClickHouseMetrics
from monitoring import metrics
from operations.audit import rolling
from tests.house.rooms import ROOT, modules
from transport.health import Health, HealthConfig, HealthPortError

CATALOGUE = [*metrics.CATALOGUE, *meters.CATALOGUE]
SOURCES = [path for name, path in modules().items() if not name.startswith("monitoring")]


@pytest.fixture
def page() -> HealthConfig:
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return HealthConfig(int(probe.getsockname()[1]))


@pytest.fixture
def health(page: HealthConfig) -> Iterator[Health]:
    """A health page."""
    served = Health(page, "entry").start()
    yield served
    served.stop()


def fetch(page: HealthConfig, path: str) -> tuple[int, str]:
    """Status and body of one page."""
    try:
        with urllib.request.urlopen(f"http://{page.host}:{page.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_every_place_and_sort_of_a_difference_is_told() -> None:
    """The lists stand with the audit; the page of metrics repeats them, for it may import nothing of it."""
    places, sorts = ({one[part] for one in rolling.PLACES} for part in (0, 1))
    assert places == set(metrics.PLACES)
    assert sorts == set(metrics.LABELS["sort"].removeprefix("how it differs: ").split(", "))


def test_names_follow_the_conventions() -> None:
    units = "seconds|bytes|records|rows|share|ready|alive|providers|sources|deliveries|progress|open|receipts"
    units += "|epoch|partitions|months|refused"
    suffix = {"counter": r"_total", "gauge": rf"_({units})", "histogram": r"_(seconds|records)"}
    for metric in CATALOGUE:
        assert re.fullmatch(rf"sor(_[a-z]+)*{suffix[metric.kind]}", metric.name), metric.name
        assert metric.meaning.endswith(".")
        assert metric.remedy.endswith(".")
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)


def test_labels_are_bounded_and_name_nobody() -> None:
    used = {label for metric in CATALOGUE for label in metric.labels}
    assert used == set(metrics.LABELS)
    assert not used & {"client", "bsn", "aanbieder", "sender", "delivery", "offset", "traject", "partition", "provider"}


def declared() -> dict[str, str]:
    """Constant and name of each metric that ``monitoring.metrics`` makes."""
    tree = ast.parse((ROOT / "monitoring/metrics.py").read_text())
    return {
        node.target.id: ast.literal_eval(node.value.args[0])
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") in {"_counter", "_gauge", "_histogram"}
    }


def test_every_metric_is_used_and_every_used_one_is_in_the_list() -> None:
    own = {metric.name for metric in metrics.CATALOGUE if metric.place == "process"}
    assert set(declared().values()) == own
    used = {
        node.attr
        for path in (*SOURCES, ROOT / "monitoring/metrics.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics"
    }
    in_prepare = {"DISK_FREE"}  # set where every process begins
    assert set(declared()) == (used & set(declared())) | in_prepare


def test_no_metric_is_made_elsewhere() -> None:
    """Only the list, the list of the intake, and the one-machine ClickHouse, which is held to the list below."""
    made = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"from prometheus_client import [^\n]*\b(Counter|Gauge|Histogram|Summary)\b", path.read_text())
    }
    assert made == {"connectors/intake/meters.py", "local/clickhouse/http.py"}


def test_the_list_is_what_a_process_exposes() -> None:
    exposed = {family.name for family in REGISTRY.collect() if family.name.startswith("sor_")}
    assert exposed == {metric.name.removesuffix("_total") for metric in CATALOGUE if metric.place == "process"}


def test_the_list_is_what_clickhouse_on_one_machine_exposes() -> None:
    exposed = {(family.name, family.type) for family in ClickHouseMetrics().registry.collect()}
    listed = [metric for metric in metrics.CATALOGUE if metric.place == "clickhouse"]
    assert exposed == {(metric.name.removesuffix("_total"), metric.kind) for metric in listed}


def test_failures_stand_beside_attempts() -> None:
    by_name = {metric.name: metric for metric in CATALOGUE}
    failures = [m for m in CATALOGUE if m.kind == "counter" and re.search("fail|reject|refus|retr|error", m.name)]
    assert len(failures) >= 5
    for metric in failures:
        attempts = by_name[metric.beside]
        assert attempts.kind in {"counter", "histogram"}
        shared = set(metric.labels) & set(attempts.labels)
        assert shared or not set(metric.labels) - {"error"}, f"{metric.name} cannot be read beside {attempts.name}"


def test_the_free_share_of_the_disk_is_that_of_the_home(tmp_path: Path) -> None:
    metrics.prepare("entry", tmp_path / "not" / "made" / "yet")
    disk = shutil.disk_usage(tmp_path)
    found = REGISTRY.get_sample_value("sor_disk_free_share", {"stage": "entry"})
    assert found == pytest.approx(disk.free / disk.total, abs=0.02)


def test_buckets_surround_the_objectives() -> None:
    assert {0.5, 2.0} <= set(metrics.FRESHNESS_BUCKETS)
    assert any(0.3 < bound < 0.5 for bound in metrics.FRESHNESS_BUCKETS)
    assert any(2.0 < bound <= 3.0 for bound in metrics.FRESHNESS_BUCKETS)


def test_a_misspelt_metric_fails_the_type_check(tmp_path: Path) -> None:
    source = tmp_path / "misspelt.py"
    source.write_text("from monitoring import metrics\n\nmetrics.RECORDS.inc()\nmetrics.RECRODS.inc()\n", "utf-8")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), str(source)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "misspelt.py:4" in run.stdout
    assert "RECRODS" in run.stdout
    assert "misspelt.py:3" not in run.stdout


def test_a_misspelt_label_raises() -> None:
    misspelt = {"stgae": "entry", "outcome": "accepted"}
    with pytest.raises(ValueError, match="label"):
        metrics.RECORDS.labels(**misspelt)


def test_ready_is_503_until_it_is_set(health: Health, page: HealthConfig) -> None:
    assert fetch(page, "/ready") == (503, "not ready\n")
    health.ready = True
    assert fetch(page, "/ready") == (200, "ready\n")
    assert REGISTRY.get_sample_value("sor_ready", {"stage": "entry"}) == 1
    health.ready = False
    assert fetch(page, "/ready")[0] == 503
    assert REGISTRY.get_sample_value("sor_ready", {"stage": "entry"}) == 0


def test_metrics_can_be_scraped(health: Health, page: HealthConfig) -> None:
    before = REGISTRY.get_sample_value("sor_records_total", {"stage": "entry", "outcome": "accepted"}) or 0.0
    metrics.RECORDS.labels(stage="entry", outcome="accepted").inc(3)
    status, text = fetch(page, "/metrics")
    assert status == 200
    samples = {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "sor_records_total" and sample.labels["stage"] == "entry"
    }
    assert samples["accepted"] == before + 3
    assert "_created" not in text


def test_anything_else_is_not_found(health: Health, page: HealthConfig) -> None:
    assert fetch(page, "/")[0] == 404


def test_without_a_port_there_is_no_server() -> None:
    page = Health(HealthConfig(), "sink").start()
    page.ready = True
    assert page.ready
    page.stop()


def test_a_taken_port_gives_a_sentence(health: Health, page: HealthConfig) -> None:
    with pytest.raises(HealthPortError, match=r"Port \d+ .* is in use: .*SOR_PORTS"):
        Health(page, "sink").start()


def test_the_page_is_served_on_the_address_that_is_asked_for(page: HealthConfig) -> None:
    elsewhere = replace(page, host="127.0.0.2")
    served = Health(elsewhere, "entry").start()
    assert fetch(elsewhere, "/ready")[0] == 503
    with pytest.raises(urllib.error.URLError, match="refused"):
        fetch(page, "/ready")
    served.stop()


def test_the_port_is_free_after_a_stop(health: Health, page: HealthConfig) -> None:
    health.stop()
    again = Health(page, "entry").start()
    again.stop()


def test_counters_stand_at_zero_before_the_first_record() -> None:
    script = (
        "from transport.health import Health, HealthConfig as Page; Health(Page(), 'entry'); Health(Page(), 'sink')\n"
        "from prometheus_client import REGISTRY\n"
        "print(REGISTRY.get_sample_value('sor_lines_total', {'kind': 'cem', 'outcome': 'rejected'}),"
        " REGISTRY.get_sample_value('sor_sink_retries_total', {'table': 'scores'}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["0.0", "0.0"]


def test_a_stage_that_never_commits_is_as_old_as_its_start() -> None:
    begin = time.time()
    metrics.prepare("register", Path())
    found = REGISTRY.get_sample_value("sor_last_commit_timestamp_seconds", {"stage": "register"})
    assert found == pytest.approx(begin, abs=5)
