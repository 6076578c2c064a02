"""The page of all metrics, written from their one list."""

from __future__ import annotations

from typing import Final

from connectors.intake import meters
from monitoring import metrics
from monitoring.metrics import Metric

_HEAD: Final = """# Metrics

Every metric of the system. Written by `sor dashboards` from `monitoring/metrics.py` and `connectors/intake/meters.py`.
A counter of failures is read beside the counter of attempts. No label names a person, a provider or a delivery.
"""


def page() -> str:
    """The page as Markdown."""
    places = {
        "Processes of the stream": [one for one in metrics.CATALOGUE if one.place == "process"],
        "Intake": list(meters.CATALOGUE),
        "ClickHouse on one machine": [one for one in metrics.CATALOGUE if one.place == "clickhouse"],
    }
    parts = [_HEAD, *(_section(title, found) for title, found in places.items()), _labels()]
    return "\n".join(parts)


def _section(title: str, found: list[Metric]) -> str:
    lines = [f"## {title}", "", "| metric | kind | what it says | what to do |", "|---|---|---|---|"]
    for one in found:
        labels = f"{{{', '.join(one.labels)}}}" if one.labels else ""
        beside = f" Beside `{one.beside}`." if one.beside else ""
        lines.append(f"| `{one.name}{labels}` | {one.kind} | {one.meaning}{beside} | {one.remedy} |")
    return "\n".join([*lines, ""])


def _labels() -> str:
    lines = ["## Labels", "", "| label | holds |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {holds} |" for name, holds in metrics.LABELS.items()), ""])
