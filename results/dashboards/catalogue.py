"""The dashboards by file name, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from results.dashboards import deliveries, operation, outcomes, provider
from results.dashboards.panels import Json

#: File name to what makes it.
DASHBOARDS: Final[dict[str, Callable[[], Json]]] = {
    "uitkomsten.json": outcomes.build,
    "aanbieder.json": provider.build,
    "operatie.json": operation.build,
    "aanlevering.json": deliveries.build,
}


def text(dashboard: Json) -> str:
    """A dashboard as it is committed."""
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"
