"""The indicators: every population formula once, as data.

An indicator is a quotient (or a count) of terms over the rows of one table. A term says which rows take part and what
is added up for each. Panels, reports and the release run the SQL made from these terms (``sql``); ``evaluate`` computes
the same in Python, and a test runs both over the same rows. What the figures say in words stands in
``domain/indicators/topics.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from domain.field.questionnaires import BEVESTIGD
from domain.indicators import metingen, trajecten
from domain.indicators.overview import overview
from domain.indicators.query import DATUM, Groep, evaluate, scope, sql, sql_samen
from domain.indicators.terms import Indicator, Uitkomst

__all__ = [
    "DATUM",
    "INDICATOREN",
    "Groep",
    "Indicator",
    "Uitkomst",
    "evaluate",
    "indicatoren",
    "overview",
    "scope",
    "sql",
    "sql_samen",
]

#: Scores of probleemafname that count as improved. Nobody has confirmed whether 1 or 3 is the better one, so it is
#: empty and figure 3.3 is not there; who confirms it fills this in (S1, S3 leave it open).
VERBETERD: Final[frozenset[int]] = frozenset()


def indicatoren(*, verbeterd: Collection[int] = VERBETERD, cem_bevestigd: bool = BEVESTIGD) -> dict[str, Indicator]:
    """Every indicator by its key. What somebody has confirmed decides what is shown, and with which mark."""
    merk = "R" if cem_bevestigd else "P"
    alle: Iterable[Indicator] = (
        *trajecten.statussen(),
        *trajecten.uitval(),
        *metingen.per_groep(metingen.nut("", "", "CBS 4.3, CEM+", merk, "ijw")),
        *metingen.per_groep(metingen.zonder_hulp("", "", "CBS 4.4, CEM+", merk, "ijw")),
        *metingen.bevestiging(),
        *trajecten.nieuwe_start(),
        *trajecten.probleem(verbeterd),
        *trajecten.gas(),
        *trajecten.respons(),
        *trajecten.cbs_statussen(),
        *trajecten.cbs_uitval(),
        *metingen.per_groep(metingen.nut("cbs_", ", CBS-bestand", "CBS 4.3", "F", "cbs")),
        *metingen.per_groep(metingen.zonder_hulp("cbs_", ", CBS-bestand", "CBS 4.4", "F", "cbs")),
    )
    return {indicator.sleutel: indicator for indicator in alle}


INDICATOREN: Final[dict[str, Indicator]] = indicatoren()
