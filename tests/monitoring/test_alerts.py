"""Alert rules, their tests, their routes and their runbooks belong together."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.services import STAGES
from monitoring import metrics
from operations.doctor import judging
from schemas.topics import IN_TOPIC
from sor.cli import COMMANDS

ROOT = Path(__file__).parents[2]
SERVICES = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
ALERTS = ROOT / "monitoring/alerts"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((ALERTS / "sor.rules.yml").read_text())["groups"] for rule in group["rules"]
]
ALERT_RULES = [rule for rule in RULES if "alert" in rule]
NAMES = {rule["alert"] for rule in ALERT_RULES}
RUNBOOKS = ROOT / "docs/runbooks"


def exposed(metric: metrics.Metric) -> set[str]:
    """Names under which Prometheus knows a metric."""
    parts = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
    return {metric.name + part for part in parts}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_use_only_metrics_that_exist(rule: dict[str, Any]) -> None:
    known = {name for metric in metrics.CATALOGUE for name in exposed(metric)}
    assert set(re.findall(r"(?<![:\w])sor_\w+", rule["expr"])) <= known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_group_only_by_labels_that_exist(rule: dict[str, Any]) -> None:
    used = {name for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", rule["expr"]) for name in group.split(", ")}
    assert used <= {*metrics.LABELS, "instance"}


@pytest.mark.parametrize("rule", ALERT_RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_who_should_do_what(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["labels"]["audience"] in {"operator", "functioneel-beheer"}
    assert rule["annotations"]["summary"].endswith(".")
    page = ROOT / rule["annotations"]["runbook"]
    assert page == RUNBOOKS / f"{rule['alert']}.md"
    text = page.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert "## Look at" in text
    assert "## Do" in text
    assert "```sh\n" in text.partition("## Look at")[2], "a page has commands to type"


def typed() -> list[tuple[str, str]]:
    """Page and command of every line to type in the runbooks."""
    return [
        (page.stem, line.strip())
        for page in RUNBOOKS.glob("Sor*.md")
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]


def test_commands_in_runbooks_exist() -> None:
    for page, line in typed():
        found = re.match(r"(?:sudo )?(\S+)(?: ([a-z-]+))?", line)
        assert found is not None
        tool, word = found.groups()
        if tool == "sor":
            assert word in COMMANDS, f"{page}: {line}"
        if tool == "docker-compose" and word in {"run", "exec"}:
            service = next(one for one in line.split()[2:] if not one.startswith("--"))
            assert service in SERVICES, f"{page}: {line}"
        elif tool == "docker-compose":
            named = set(line.split()[2:]) - {"--tail", "--detach", "50", "20"}
            assert named <= SERVICES, f"{page}: {line}"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here (Debian: prometheus)")
def test_promql_in_runbooks_is_promql(tmp_path: Path) -> None:
    queries = [line.split(" ", 4)[4].strip("'") for _, line in typed() if line.startswith("promtool query instant")]
    assert len(queries) > 15
    rules = [{"record": f"runbook:query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))
    run = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    known = {name for metric in metrics.CATALOGUE for name in exposed(metric)}
    assert {name for query in queries for name in re.findall(r"\bsor_\w+", query)} <= known


def test_the_doctor_warns_where_an_alert_fires() -> None:
    said = {rule["alert"]: rule["expr"] for rule in ALERT_RULES}
    assert said["SorLagHigh"].endswith(f"> {judging.LAG}")
    assert said["SorKeyNearExpiry"].endswith(f"< {judging.SOON_DAYS * judging.DAY}")
    assert set(re.findall(r"< ([\d.]+)", said["SorDiskLow"])) == {str(judging.FREE_NEEDED)}


def test_no_runbook_without_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("Sor*.md")} == NAMES


def test_every_alert_is_seen_firing_and_not_firing() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for path in (ALERTS / "tests").glob("*.yml"):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                (fires if check.get("exp_alerts") else silent).add(check["alertname"])
    assert fires == NAMES
    assert silent == NAMES


def test_freshness_rule_uses_a_bucket_that_exists() -> None:
    bounds = {float(le) for rule in RULES for le in re.findall(r'le="([\d.]+)"', rule["expr"])}
    assert bounds
    assert bounds <= set(metrics.FRESHNESS_BUCKETS)


def test_prometheus_scrapes_every_stage() -> None:
    config = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert {target.split(":")[0] for target in jobs["sor"]} == {*STAGES, "exporter", "auditor", "schedule"}
    assert {*STAGES, "exporter", "audit", "schedule"} == set(metrics.STAGES)


def test_rules_select_only_values_that_labels_have() -> None:
    kinds = {rule["labels"]["kind"] for rule in RULES if rule.get("record") == "kind:sor_silence_limit:seconds"}
    assert kinds == set(metrics.KINDS) - {"takeback", "erasure"}  # nobody has to take back or ask
    assert set(metrics.KINDS) == set(IN_TOPIC)
    for rule in RULES:
        assert set(re.findall(r'stage="(\w+)"', rule["expr"])) <= set(metrics.STAGES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here (Debian: prometheus)")
def test_a_wrong_limit_fails_the_rule_tests(tmp_path: Path) -> None:
    shutil.copytree(ALERTS, tmp_path / "alerts")
    rules = tmp_path / "alerts/sor.rules.yml"
    text = rules.read_text()
    assert "sor_poison_share) > 0.1" in text
    rules.write_text(text.replace("sor_poison_share) > 0.1", "sor_poison_share) > 0.9"))
    command = ["promtool", "test", "rules", str(tmp_path / "alerts/tests/stream.yml")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 1
    assert "SorPoisonShareHigh" in run.stdout + run.stderr


def test_inhibitions_name_alerts_that_exist() -> None:
    text = (ROOT / "monitoring/alertmanager/alertmanager.yml").read_text()
    named = {name for names in re.findall(r'alertname=~?"([^"]+)"', text) for name in names.split("|")}
    assert named
    assert named <= NAMES


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not here (Debian: prometheus-alertmanager)")
@pytest.mark.parametrize("rule", ALERT_RULES, ids=lambda rule: rule["alert"])
def test_every_alert_reaches_its_reader(rule: dict[str, Any]) -> None:
    labels = [f"{name}={value}" for name, value in {**rule["labels"], "alertname": rule["alert"]}.items()]
    config = f"--config.file={ROOT / 'monitoring/alertmanager/alertmanager.yml'}"
    command = [
        "amtool",
        "config",
        "routes",
        "test",
        config,
        f"--verify.receivers={rule['labels']['audience']}",
        *labels,
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


ASKED_FOR = {
    "validation, share": "SorDeliveriesRejectedShare",
    "validation, count": "SorDeliveriesRejectedCount",
    "burst of one provider": "SorProviderBurst",
    "silence": "SorSourceSilent",
    "freshness, fast": "SorFreshnessBurnFast",
    "freshness, slow": "SorFreshnessBurnSlow",
    "lag": "SorLagHigh",
    "poison": "SorPoisonShareHigh",
    "sink failing": "SorSinkRetrying",
    "pending": "SorPendingTooOld",
    "audit": "SorAuditDifference",
    "keys": "SorKeyNearExpiry",
    "disk": "SorDiskLow",
    "process": "SorProcessDown",
    "guessing": "SorSenderGuessing",
}


def test_nothing_that_should_be_told_is_missing() -> None:
    assert set(ASKED_FOR.values()) <= NAMES
