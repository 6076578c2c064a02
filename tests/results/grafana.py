"""What Grafana and its ClickHouse plugin make of a query, in as far as our dashboards ask it of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

DAY = 86_400
DUTCH = ZoneInfo("Europe/Amsterdam")


def arguments(query: str, start: int) -> tuple[list[str], int]:
    """Arguments of the macro whose opening parenthesis is at ``start``, and the place behind the closing one."""
    depth, begin, found = 0, start + 1, []
    for place in range(start, len(query)):
        if query[place] == "(":
            depth += 1
        elif query[place] == "," and depth == 1:
            found.append(query[begin:place])
            begin = place + 1
        elif query[place] == ")":
            depth -= 1
            if depth == 0:
                return [*found, query[begin:place]], place + 1
    raise AssertionError(f"no closing parenthesis: {query[start:]}")


def expand(query: str, chosen: Mapping[str, tuple[str, ...]], first: int, last: int) -> str:
    """The finished query for a period in seconds since 1970; a variable without values is set to All."""
    while (start := query.find("$__conditionalAll(")) >= 0:
        (condition, variable), end = arguments(query, query.index("(", start))
        kept = condition if chosen[variable.strip().removeprefix("$")] else "1=1"
        query = query[:start] + kept + query[end:]
    for name, values in chosen.items():
        query = query.replace(f"${{{name}:singlequote}}", ",".join(f"'{value}'" for value in values))
    for bound, at in (("from", first), ("to", last)):
        query = query.replace(f"$__{bound}Time", f"toDateTime({at})")
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({first}) AND \1 <= toDateTime({last})", query)
    assert "$" not in query, query
    return query


def question(panels: Sequence[Mapping[str, Any]], panel: Mapping[str, Any]) -> str:
    """The query whose answer a panel shows: its own, or that of the panel on the same page that it names."""
    (target,) = panel["targets"]
    if target["datasource"]["uid"] == "-- Dashboard --":
        (panel,) = (one for one in panels if one["id"] == target["panelId"])
        (target,) = panel["targets"]
    return str(target["rawSql"])


def transformed(panel: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the answer as the panel shows them, after the steps that our dashboards know."""
    shown = [dict(row) for row in rows]
    for step in panel.get("transformations", []):
        shown = _STEPS[step["id"]](step["options"], shown)
    return shown


def _filter(options: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = options["include"]["names"]
    assert all(set(names) <= set(row) for row in rows), "a column that the query does not give"
    return [{name: value for name, value in row.items() if name in names} for row in rows]


def _organize(options: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order, names = options["indexByName"], options["renameByName"]
    assert options["excludeByName"] == {}
    assert all(set(order) == set(names) == set(row) for row in rows)
    return [{names[name]: row[name] for name in sorted(order, key=order.__getitem__)} for row in rows]


def _only_rows(options: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert (options["type"], options["match"]) == ("include", "any")
    (kept,) = options["filters"]
    assert kept["config"]["id"] == "regex"
    pattern = kept["config"]["options"]["value"]
    return [row for row in rows if re.search(pattern, str(row[kept["fieldName"]]))]


def _transpose(options: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (row,) = rows
    assert not any(isinstance(value, str) for value in row.values()), "then the first column would become the heads"
    return [{options["firstFieldName"]: name, options["restFieldsName"]: value} for name, value in row.items()]


_STEPS = {
    "filterFieldsByName": _filter,
    "filterByValue": _only_rows,
    "organize": _organize,
    "transpose": _transpose,
}


def require_places(panels: Sequence[Mapping[str, Any]]) -> None:
    """Every panel has an id of its own, and lies beside the others within the width of a page."""
    seen: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not seen & cells, panel["title"]
        seen |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
