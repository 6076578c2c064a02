"""The indicators: every population formula once, as data.

An indicator is a quotient (or a count) of terms over the rows of one table. A term says which rows take part and what
is added up for each. Panels, reports and the release run the SQL made from these terms (``sql``); ``evaluate`` computes
the same in Python, and a test runs both over the same rows. What the figures say in words stands in
``domain/indicators/topics.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from domain.field.definitions import SHIPPED, Definitions
from domain.field.questionnaires import CONFIRMED
from domain.indicators import metingen, trajecten
from domain.indicators.overview import overview
from domain.indicators.query import DATE_COLUMNS, Group, evaluate, has_group, scope, sql, sql_together
from domain.indicators.terms import Indicator, Sums

__all__ = [
    "DATE_COLUMNS",
    "INDICATORS",
    "Group",
    "Indicator",
    "Sums",
    "evaluate",
    "has_group",
    "indicators",
    "overview",
    "scope",
    "sql",
    "sql_together",
]

#: Scores of probleemafname that count as improved. Nobody has confirmed whether 1 or 3 is the better one, so it is
#: empty and figure 3.3 is not there; who confirms it fills this in (S1, S3 leave it open).
IMPROVED: Final[frozenset[int]] = frozenset()


def indicators(
    definitions: Definitions = SHIPPED, *, improved: Collection[int] = IMPROVED, cem_confirmed: bool = CONFIRMED
) -> dict[str, Indicator]:
    """Every indicator by its key. What somebody has confirmed decides what is shown, and with which mark; the windows
    that end on the reference day are those of the definitions.
    """
    mark = "R" if cem_confirmed else "P"
    every: Iterable[Indicator] = (
        *trajecten.statuses(),
        *trajecten.uitval(),
        *metingen.per_group(metingen.nut("", "", "CBS 4.3, CEM+", mark, "ijw")),
        *metingen.per_group(metingen.zonder_hulp("", "", "CBS 4.4, CEM+", mark, "ijw")),
        *metingen.confirmation(),
        *trajecten.nieuwe_start(definitions),
        *trajecten.probleem(improved),
        *trajecten.gas(),
        *trajecten.respons(definitions),
        *trajecten.cbs_statuses(),
        *trajecten.cbs_uitval(),
        *metingen.per_group(metingen.nut("cbs_", ", CBS-bestand", "CBS 4.3", "F", "cbs")),
        *metingen.per_group(metingen.zonder_hulp("cbs_", ", CBS-bestand", "CBS 4.4", "F", "cbs")),
    )
    return {indicator.key: indicator for indicator in every}


INDICATORS: Final[dict[str, Indicator]] = indicators()
