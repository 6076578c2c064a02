"""Parts of a Grafana dashboard as JSON: panels, sections, variables, and their places on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]
#: Data sources as monitoring/grafana/provisioning names them.
CLICKHOUSE: Final = {"type": "grafana-clickhouse-datasource", "uid": "clickhouse"}
PROMETHEUS: Final = {"type": "prometheus", "uid": "prometheus"}
#: What Grafana calls the answer that another panel of the same page already has.
DASHBOARD: Final = {"type": "datasource", "uid": "-- Dashboard --"}
WIDTH: Final = 24
#: Whose days a page counts: a day begins at midnight there, an hour or two before it does for ClickHouse.
TIMEZONE: Final = "Europe/Amsterdam"


def ask(query: str, *, timed: bool = False, source: Json = CLICKHOUSE) -> Json:
    """A question to ClickHouse."""
    return {
        "refId": "A", "datasource": source, "editorType": "sql", "pluginVersion": "4.20.0", "rawSql": query,
        "queryType": "timeseries" if timed else "table", "format": 0 if timed else 1,
    }  # fmt: skip


def share(source: str) -> Json:
    """The answer to the question of the panel with this title. It is asked only when that panel is in sight of Grafana:
    the panel stands on the page itself and in no row that is folded up.
    """
    return {"refId": "A", "datasource": DASHBOARD, "panelId": source}


def columns(panel: Json, shown: Mapping[str, str]) -> Json:
    """The panel with some columns of its answer, in order: name in the answer -> what it is called here."""
    order = {name: at for at, name in enumerate(shown)}
    panel["transformations"] = [
        {"id": "filterFieldsByName", "options": {"include": {"names": list(shown)}}},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": dict(shown)}},
    ]
    return panel


def only_rows(panel: Json, column: str, values: Sequence[str], shown: Mapping[str, str]) -> Json:
    """The panel with the rows of its answer that have one of these values in a column, and some columns of them."""
    return kept(columns(panel, shown), column, values)


def kept(panel: Json, column: str, values: Sequence[str]) -> Json:
    """The panel, whose steps begin with leaving out the rows that have none of these values in a column."""
    pattern = f"^({'|'.join(map(re.escape, values))})$"
    within = {"fieldName": column, "config": {"id": "regex", "options": {"value": pattern}}}
    step = {"id": "filterByValue", "options": {"filters": [within], "type": "include", "match": "any"}}
    panel["transformations"].insert(0, step)
    return panel


def bars(panel: Json, shown: Mapping[str, str], label: str, figure: str) -> Json:
    """The same on its side: a line for each column, with its name under ``label`` and its value under ``figure``."""
    named = [{"id": "displayName", "value": figure}]
    panel["fieldConfig"]["overrides"] = [{"matcher": {"id": "byType", "options": "number"}, "properties": named}]
    turned = {"id": "transpose", "options": {"firstFieldName": label, "restFieldsName": figure}}
    columns(panel, shown)["transformations"].append(turned)
    return panel


def measure(*queries: tuple[str, str], instant: bool = False) -> list[Json]:
    """Questions to Prometheus: PromQL and the legend of its lines."""
    return [
        {"refId": chr(ord("A") + at), "datasource": PROMETHEUS, "expr": expr, "legendFormat": legend,
         "instant": instant, "range": not instant, "format": "table" if instant and not legend else "time_series"}
        for at, (expr, legend) in enumerate(queries)
    ]  # fmt: skip


def frame(
    kind: str, title: str, targets: list[Json], width: int, height: int, unit: str = "none", decimals: int | None = None
) -> Json:
    """A panel without a judgement: one colour, no limits."""
    defaults: Json = {
        "unit": unit,
        "color": {"mode": "palette-classic"} if kind == "timeseries" else {"mode": "fixed", "fixedColor": "blue"},
        "thresholds": {"mode": "absolute", "steps": [{"color": "blue", "value": None}]},
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    return {
        "type": kind, "title": title, "datasource": targets[0]["datasource"], "targets": targets,
        "gridPos": {"w": width, "h": height, "x": 0, "y": 0},
        "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options(kind, targets[0]["datasource"]),
    }  # fmt: skip


def limited(panel: Json, limit: float) -> Json:
    """The panel turns orange from this value on: for operators, never for outcomes."""
    panel["fieldConfig"]["defaults"]["color"] = {"mode": "thresholds"}
    steps = [{"color": "blue", "value": None}, {"color": "orange", "value": limit}]
    panel["fieldConfig"]["defaults"]["thresholds"]["steps"] = steps
    if panel["type"] == "stat":
        panel["options"]["colorMode"] = "value"
    return panel


def text_panel(content: str, width: int = 24, height: int = 4) -> Json:
    """Words for the reader."""
    return {"type": "text", "title": "", "gridPos": {"w": width, "h": height, "x": 0, "y": 0},
            "options": {"mode": "markdown", "content": content}}  # fmt: skip


def section(title: str) -> Json:
    """A heading over the panels that follow."""
    return {
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"w": 24, "h": 1, "x": 0, "y": 0},
    }


def options(kind: str, source: Json) -> Json:
    """How a kind of panel looks. A stat shows every column of a row, but of a line of Prometheus not its time."""
    if kind == "stat":
        fields = "" if source == PROMETHEUS else "/.*/"
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": fields, "values": False}, "colorMode": "none",
                "graphMode": "area", "textMode": "auto", "orientation": "auto"}  # fmt: skip
    if kind == "barchart":
        return {"orientation": "auto", "showValue": "always", "legend": {"showLegend": False}, "xTickLabelRotation": 0}
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom"}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def placed(panels: list[Json]) -> list[Json]:
    """Left to right, a new line where the width of 24 is full. Then who shares an answer learns the number of whose."""
    x = y = line = 0
    for number, panel in enumerate(panels, start=1):
        place = panel["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, line = 0, y + line, 0
        place["x"], place["y"], panel["id"] = x, y, number
        x, line = x + place["w"], max(line, place["h"])
    asking = [(panel, target) for panel in panels for target in panel.get("targets", ())]
    numbers = {panel["title"]: panel["id"] for panel, target in asking if target["datasource"] != DASHBOARD}
    for _, target in asking:
        if target["datasource"] == DASHBOARD:
            target["panelId"] = numbers[target["panelId"]]
    return panels


def option(text: str, value: str) -> str:
    """One of a list to choose from. A comma in the text is escaped: Grafana separates the options by commas."""
    return f"{text.replace(',', chr(92) + ',')} : {value}"


def variable(name: str, label: str, options: str, *, multi: bool = True) -> Json:
    """A list to choose from: ``text : value`` between commas."""
    everything = {"text": ["Alle"], "value": ["$__all"]}
    first = options.split(",")[0].split(" : ")
    # Grafana escapes a quote in a value and no backslash before it: a reader chooses, and types nothing
    return {
        "type": "custom", "name": name, "label": label, "query": options, "multi": multi, "includeAll": multi,
        "current": everything if multi else {"text": first[0], "value": first[-1]}, "options": [], "hide": 0,
        "allowCustomValue": False,
    }  # fmt: skip


def asked(name: str, label: str, query: str) -> Json:
    """A list to choose from that ClickHouse gives."""
    return {
        **variable(name, label, ""),
        "type": "query", "datasource": CLICKHOUSE, "definition": query,
        "query": {"editorType": "sql", "rawSql": query}, "refresh": 1, "sort": 1, "regex": "",
    }  # fmt: skip


def single(one: Json, *, everything: bool = False) -> Json:
    """A list of which one is chosen, or with ``everything`` also none."""
    current = {"text": "Alle", "value": "$__all"} if everything else {}
    return {**one, "multi": False, "includeAll": everything, "current": current}


def count_beside(panel: Json) -> Json:
    """A panel over time with its column ``n`` as grey bars on the other side."""
    bars = {
        "custom.drawStyle": "bars", "custom.axisPlacement": "right", "custom.fillOpacity": 15, "custom.axisSoftMin": 0,
        "color": {"mode": "fixed", "fixedColor": "#8a8a8a"}, "decimals": 0,
    }  # fmt: skip
    properties = [{"id": name, "value": value} for name, value in bars.items()]
    panel["fieldConfig"]["defaults"]["color"] = {"mode": "fixed", "fixedColor": "blue"}
    panel["fieldConfig"]["overrides"] = [{"matcher": {"id": "byName", "options": "n"}, "properties": properties}]
    return panel


def page(
    uid: str, title: str, description: str, panels: list[Json], variables: list[Json], since: str, refresh: str = "1m"
) -> Json:
    """A dashboard in the classic form, schema 42. ``refresh``: how often it asks anew; empty = when the reader does."""
    return {
        "uid": f"sor-{uid}",
        "title": title,
        "description": description,
        "tags": ["sor"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "graphTooltip": 0,
        "timezone": TIMEZONE,
        "time": {"from": since, "to": "now"},
        "refresh": refresh,
        "templating": {"list": variables},
        "annotations": {"list": []},
        "panels": placed(panels),
    }
