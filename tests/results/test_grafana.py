"""What our dashboards and the settings beside them ask of Grafana itself; no engine is needed to see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from sinks.schema.users import LIMITS
from sor.commands.dashboards import made

ROOT = Path(__file__).parents[2]


def waits() -> dict[str, Any]:
    """Settings of the data source ClickHouse."""
    path = ROOT / "monitoring/grafana/provisioning/datasources/clickhouse.yaml"
    source: dict[str, Any] = yaml.safe_load(path.read_text())["datasources"][0]["jsonData"]
    return source


def test_a_question_may_take_as_long_as_its_user_may_and_is_never_refused_for_it() -> None:
    """The client of the plugin asks for the seconds that are left and five more."""
    assert int(waits()["queryTimeout"]) + 5 == LIMITS["max_execution_time"]
    assert int(waits()["dialTimeout"]) + 5 <= LIMITS["max_execution_time"], "the health check asks as long as it dials"


def test_the_plugin_is_there_before_grafana_answers() -> None:
    """Installed in the background, it comes after the data source that needs it."""
    environment = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["environment"]
    assert environment["GF_PLUGINS_PREINSTALL_SYNC"].startswith("grafana-clickhouse-datasource@")
    assert "GF_PLUGINS_PREINSTALL" not in environment


def test_no_query_counts_the_days_of_utc() -> None:
    """Whatever makes a day of a moment is told whose day; the plugin's own macro cannot be told."""
    for path, text in made().items():
        assert "$__dateFilter" not in text, path.name
        assert "today()" not in text, path.name
        for found in re.finditer(
            r"\b(toStartOf(?:Day|Week|Month)\(laatste|toDate\(now\(\)|toDate32\(tijd)[^)]*\)", text
        ):
            assert "Europe/Amsterdam" in found[0], (path.name, found[0])
