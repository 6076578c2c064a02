"""What our dashboards and the settings beside them ask of Grafana itself; no engine is needed to see it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from domain.facts.fact import KINDS
from domain.field.words import KIND_LABELS
from results.dashboards.queries import DELIVERIES
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


def pages() -> list[tuple[str, dict[str, Any]]]:
    """File name and content of every dashboard."""
    return [(path.name, json.loads(text)) for path, text in made().items() if path.suffix == ".json"]


def test_a_stat_shows_no_column_with_the_time() -> None:
    """Of Prometheus every line has one; of ClickHouse all columns are figures and none is a time beside a figure."""
    stats = [one for _, page in pages() for one in page["panels"] if one["type"] == "stat"]
    shown = {(one["datasource"]["type"], one["options"]["reduceOptions"]["fields"]) for one in stats}
    assert shown == {("prometheus", ""), ("grafana-clickhouse-datasource", "/.*/"), ("datasource", "/.*/")}
    for one in stats:
        if " AS time" in one["targets"][0].get("rawSql", ""):  # that of a course, of which it takes the whole
            (named,) = (step["options"] for step in one["transformations"] if step["id"] == "filterFieldsByName")
            assert "time" not in named["include"]["names"], one["title"]


def test_nobody_types_a_value_into_a_query() -> None:
    """``:singlequote`` escapes the quotes in a value and not its backslashes: safe only for what stands in a list."""
    lists = [one for _, page in pages() for one in page["templating"]["list"]]
    assert len(lists) == 52
    assert all(one["allowCustomValue"] is False for one in lists)
    for name, page in pages():
        used = re.findall(r"\$\{([^}]*)\}", json.dumps([panel.get("targets") for panel in page["panels"]]))
        assert all(variable.endswith(":singlequote") for variable in used), name


def test_every_kind_that_can_be_delivered_has_a_name_on_the_dashboards() -> None:
    assert set(KIND_LABELS) == set(KINDS)
    for kind, label in KIND_LABELS.items():
        assert f"'{kind}'" in DELIVERIES
        assert f"'{label}'" in DELIVERIES
