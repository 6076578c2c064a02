"""Queries over what was released: tables of an audience, never rows of a child."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.field.geography import CLUSTERS
from domain.indicators.terms import lookup_sql, text_sql
from results.release.model import KEY_COLUMNS
from sinks.schema.audiences import FIGURES, of_providers

#: A released figure as text: whole percentages, means with a comma; a bound says that it is one.
TEXT: Final = (
    "multiIf(percentage IS NOT NULL, concat(if(teller_vorm = '=', '', concat(toString(teller_vorm), ' ')), "
    "toString(percentage), '%'), gemiddelde IS NOT NULL, replaceOne(toString(gemiddelde), '.', ','), 'niet getoond')"
)
#: Columns of ``cluster_averages`` beside the key, with what a table calls them.
AVERAGE_SHOWN: Final[Mapping[str, str]] = {
    "naam": "Uitkomst",
    "gemiddelde_cluster": "Gemiddelde cluster",
    "n": "n (op vijf)",
    "periode": "Vier kwartalen tot en met",
    "status": "Status",
}
_NEWEST: Final = "ORDER BY indicator, periode DESC, vrijgave DESC LIMIT 1 BY indicator"


def cluster_averages(names: Mapping[str, str]) -> str:
    """A line for each released average of the chosen cluster, over the newest four quarters; ``names`` by key."""
    whole = " AND ".join(f"{column} = ''" for column in KEY_COLUMNS if column != "cluster")
    keys = ", ".join(text_sql(key) for key in names)
    within = (
        f"cluster = ${{cluster:singlequote}} AND {whole} AND periode_soort = 'vier_kwartalen' AND indicator IN ({keys})"
    )
    columns = "indicator, periode, status, vrijgave, noemer, teller_vorm, percentage, gemiddelde"
    each = (f"SELECT {columns} FROM {of_providers(cluster)}.{FIGURES} WHERE {within}" for cluster in CLUSTERS)  # noqa: S608
    return (
        f"SELECT indicator AS sleutel, {lookup_sql('indicator', names, 'indicator')} AS naam, "  # noqa: S608
        f"{TEXT} AS gemiddelde_cluster, toString(noemer) AS n, periode, toString(status) AS status "
        f"FROM ({' UNION ALL '.join(each)}) {_NEWEST}"
    )
